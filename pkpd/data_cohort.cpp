#include <gemel/pkpd/data_cohort.hpp>
#include <gemel/sim/random.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

namespace gemel::pkpd {
namespace {

/// A covariate's value and slope, or the occasion, from one time on.
struct ValueChange {
    sim::RowSwitch when;
    std::size_t column = 0; ///< of the data set's covariates; after them the occasion
    double value = 0.0;
    double slope = 0.0; ///< per model time
};

bool is_linear(const DataCovariate& covariate) {
    return covariate.varies && covariate.interpolation == Interpolation::linear;
}

/// Where rows of inputs begin, by rows of the file.
class RowPlaces {
public:
    RowPlaces(const DataSet& data, const DataSubject& subject)
        : times_(subject.times),
          n_records_(subject.n_rows + 1),
          n_samples_(subject.n_rows + 1) {
        for (std::size_t k = 0; k < subject.record_rows.size() && !data.ignores_doses; ++k)
            ++n_records_[static_cast<std::size_t>(subject.record_rows[k]) + 1];
        for (const DataObservation& observation : subject.observations)
            ++n_samples_[observation.row - subject.first_row + 1];
        std::partial_sum(n_records_.begin(), n_records_.end(), n_records_.begin());
        std::partial_sum(n_samples_.begin(), n_samples_.end(), n_samples_.begin());
    }

    /// Rows at one time are told apart by what stands in them: what a row holds begins before its
    /// own record or sample.
    sim::RowSwitch at(std::size_t row) const {
        if (row > 0 && times_[row] == times_[row - 1])
            return {times_[row], sim::RowPlace::among, n_records_[row], n_samples_[row]};
        return {.time = times_[row]};
    }
    /// As soon as the row before is over.
    sim::RowSwitch after_row_before(std::size_t row) const {
        if (times_[row] == times_[row - 1]) return at(row);
        return {.time = times_[row - 1], .place = sim::RowPlace::after};
    }

private:
    const std::vector<double>& times_;
    std::vector<std::size_t> n_records_, n_samples_; ///< [n_rows + 1] of those that stand before
};

/// From row to row of the file: with NOCB the next row's value holds as soon as this row is over,
/// with LOCF from the next row on.
template <class Values>
void add_steps(const RowPlaces& places,
               const Values& values,
               std::size_t column,
               Interpolation rule,
               std::vector<ValueChange>& changes) {
    for (std::size_t row = 1; row < values.size(); ++row)
        if (values[row] != values[row - 1])
            changes.push_back(
                {rule == Interpolation::nocb ? places.after_row_before(row) : places.at(row),
                 column,
                 static_cast<double>(values[row])});
}

/// Of the line from the last row at a row's time to the next one.
double slope_after(const DataSubject& subject, const std::vector<double>& values, std::size_t row) {
    while (row + 1 < values.size() && subject.times[row + 1] == subject.times[row])
        ++row;
    return row + 1 < values.size()
               ? (values[row + 1] - values[row]) / (subject.times[row + 1] - subject.times[row])
               : 0.0;
}

/// Straight lines from row to row; before the first and after the last the value stays.
void add_lines(const DataSubject& subject,
               const RowPlaces& places,
               std::size_t c,
               std::vector<ValueChange>& changes) {
    const std::vector<double>& values = subject.covariates[c];
    double slope_before = 0.0;
    for (std::size_t row = 0; row < values.size(); ++row) {
        const double slope = slope_after(subject, values, row);
        const bool jumps = row > 0 && subject.times[row] == subject.times[row - 1] &&
                           values[row] != values[row - 1];
        if (slope != slope_before || jumps)
            changes.push_back({places.at(row), c, values[row], slope});
        slope_before = slope;
    }
}

auto place_of(const sim::RowSwitch& when) {
    return std::tuple(when.time, when.place, when.n_records, when.n_samples);
}

std::vector<ValueChange> changes_of(const DataSet& data, const DataSubject& subject) {
    std::vector<ValueChange> changes;
    const RowPlaces places(data, subject);
    for (std::size_t c = 0; c < data.covariates.size(); ++c)
        if (is_linear(data.covariates[c]))
            add_lines(subject, places, c, changes);
        else
            add_steps(places, subject.covariates[c], c, data.covariates[c].interpolation, changes);
    add_steps(
        places, subject.occasions, data.covariates.size(), data.occasion_interpolation, changes);
    std::stable_sort(
        changes.begin(), changes.end(), [](const ValueChange& a, const ValueChange& b) {
            return place_of(a.when) < place_of(b.when);
        });
    return changes;
}

class CohortMaker {
public:
    CohortMaker(const DataSet& data, DataCohort& cohort) : data_(data), cohort_(cohort) {
        cohort_.first_row.assign(1, 0);
        for (std::size_t c = 0; c < data_.covariates.size(); ++c) {
            const auto covariate = static_cast<std::size_t>(data_.covariates[c].covariate);
            cohort_.covariates.push_back(covariate);
            if (!is_linear(data_.covariates[c])) continue;
            cohort_.linear.push_back(covariate);
            linear_.push_back(c);
        }
        rows_.resize(data_.covariates.size() + 1);
        slopes_.resize(linear_.size());
    }

    void add(const DataSubject& subject) {
        cohort_.ids.push_back(subject.id);
        cohort_.keys.push_back(sim::subject_number(subject.id));
        sim::SubjectTimeline& timeline = cohort_.timelines.emplace_back();
        if (!subject.times.empty()) timeline.begin = subject.times.front();
        if (!data_.ignores_doses) timeline.records = subject.records;
        std::vector<std::size_t>& observations = cohort_.observations.emplace_back();
        for (std::size_t i = 0; i < subject.observations.size(); ++i) {
            const DataObservation& o = subject.observations[i];
            const int n_before = data_.ignores_doses ? 0 : o.n_records_before;
            timeline.samples.push_back({o.time, static_cast<std::size_t>(n_before)});
            observations.push_back(i);
        }
        add_rows(subject, timeline);
    }

    void finish() {
        const std::vector<double> occasions = std::move(rows_.back());
        rows_.pop_back();
        for (const std::vector<double>& column : rows_)
            cohort_.values.insert(cohort_.values.end(), column.begin(), column.end());
        for (const std::vector<double>& column : slopes_)
            cohort_.slopes.insert(cohort_.slopes.end(), column.begin(), column.end());
        if (linear_.empty()) cohort_.starts.clear();
        if (data_.occasion.empty()) return;
        for (const double occasion : occasions)
            cohort_.occasions.push_back(static_cast<std::uint32_t>(occasion));
    }

private:
    /// What holds at a time.
    struct Now {
        double time = 0.0;
        std::vector<double> values, slopes; ///< [n_covariates + 1], the occasion last
    };

    void add_rows(const DataSubject& subject, sim::SubjectTimeline& timeline) {
        Now now{subject.times.front(), {}, {}};
        for (const std::vector<double>& values : subject.covariates)
            now.values.push_back(values.front());
        now.values.push_back(0.0); // the first occasion
        now.slopes.assign(now.values.size(), 0.0);
        push_row(now);
        const std::vector<ValueChange> changes = changes_of(data_, subject);
        for (std::size_t i = 0; i < changes.size(); ++i) {
            const ValueChange& change = changes[i];
            for (const std::size_t c : linear_)
                now.values[c] += now.slopes[c] * (change.when.time - now.time);
            now.time = change.when.time;
            now.values[change.column] = change.value;
            now.slopes[change.column] = change.slope;
            if (i + 1 < changes.size() && place_of(change.when) == place_of(changes[i + 1].when))
                continue;
            timeline.switches.push_back(change.when);
            push_row(now);
        }
        cohort_.first_row.push_back(cohort_.first_row.back() + 1 + timeline.switches.size());
    }

    void push_row(const Now& now) {
        for (std::size_t c = 0; c < rows_.size(); ++c)
            rows_[c].push_back(now.values[c]);
        for (std::size_t k = 0; k < linear_.size(); ++k)
            slopes_[k].push_back(now.slopes[linear_[k]]);
        cohort_.starts.push_back(now.time);
    }

    const DataSet& data_;
    DataCohort& cohort_;
    std::vector<std::vector<double>> rows_;   ///< [n_covariates + 1][n_rows], occasions last
    std::vector<std::size_t> linear_;         ///< of the data set's covariates
    std::vector<std::vector<double>> slopes_; ///< [n_linear][n_rows]
};

} // namespace

DataCohort make_cohort(const DataSet& data, sim::DiagnosticList& diagnostics) {
    DataCohort cohort;
    cohort.header = data.header;
    CohortMaker maker(data, cohort);
    std::map<std::uint64_t, std::string> names;
    for (const DataSubject& subject : data.subjects) {
        maker.add(subject);
        const auto [known, is_new] = names.emplace(cohort.keys.back(), subject.id);
        if (!is_new)
            diagnostics.add({.file = data.file, .line = data.lines[subject.first_row]},
                            fmt::format("the subjects '{}' and '{}' would share their random "
                                        "numbers",
                                        known->second,
                                        subject.id),
                            "rename one of them");
    }
    maker.finish();
    return cohort;
}

} // namespace gemel::pkpd
