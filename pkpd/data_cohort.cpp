#include <gemel/pkpd/data_cohort.hpp>
#include <gemel/sim/random.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace gemel::pkpd {
namespace {

/// A covariate's value, or the occasion, from one time on.
struct ValueChange {
    sim::RowSwitch when;
    std::size_t column = 0; ///< of the data set's covariates; after them the occasion
    double value = 0.0;
};

/// From row to row of the file: with NOCB the next row's value holds as soon as this row is over,
/// with LOCF from the next row's time on.
std::vector<ValueChange> changes_of(const DataSet& data, const DataSubject& subject) {
    std::vector<ValueChange> changes;
    const auto add = [&](std::size_t column, Interpolation rule, const auto& values) {
        const bool is_backward = rule == Interpolation::nocb;
        for (std::size_t row = 1; row < values.size(); ++row)
            if (values[row] != values[row - 1])
                changes.push_back({{subject.times[is_backward ? row - 1 : row], is_backward},
                                   column,
                                   static_cast<double>(values[row])});
    };
    for (std::size_t c = 0; c < data.covariates.size(); ++c)
        add(c, data.covariates[c].interpolation, subject.covariates[c]);
    add(data.covariates.size(), data.occasion_interpolation, subject.occasions);
    std::stable_sort(
        changes.begin(), changes.end(), [](const ValueChange& a, const ValueChange& b) {
            if (a.when.time != b.when.time) return a.when.time < b.when.time;
            return !a.when.is_after && b.when.is_after;
        });
    return changes;
}

bool is_same(const sim::RowSwitch& a, const sim::RowSwitch& b) {
    return a.time == b.time && a.is_after == b.is_after;
}

class CohortMaker {
public:
    CohortMaker(const DataSet& data, DataCohort& cohort) : data_(data), cohort_(cohort) {
        cohort_.first_row.assign(1, 0);
        for (const DataCovariate& covariate : data_.covariates)
            cohort_.covariates.push_back(static_cast<std::size_t>(covariate.covariate));
        rows_.resize(data_.covariates.size() + 1);
    }

    void add(const DataSubject& subject) {
        cohort_.ids.push_back(subject.id);
        cohort_.keys.push_back(sim::subject_number(subject.id));
        sim::SubjectTimeline& timeline = cohort_.timelines.emplace_back();
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
        if (data_.occasion.empty()) return;
        for (const double occasion : occasions)
            cohort_.occasions.push_back(static_cast<std::uint32_t>(occasion));
    }

private:
    void add_rows(const DataSubject& subject, sim::SubjectTimeline& timeline) {
        std::vector<double> now;
        for (const std::vector<double>& values : subject.covariates)
            now.push_back(values.front());
        now.push_back(0.0); // the first occasion
        push_row(now);
        const std::vector<ValueChange> changes = changes_of(data_, subject);
        for (std::size_t i = 0; i < changes.size(); ++i) {
            now[changes[i].column] = changes[i].value;
            if (i + 1 < changes.size() && is_same(changes[i].when, changes[i + 1].when)) continue;
            timeline.switches.push_back(changes[i].when);
            push_row(now);
        }
        cohort_.first_row.push_back(cohort_.first_row.back() + 1 + timeline.switches.size());
    }

    void push_row(const std::vector<double>& values) {
        for (std::size_t c = 0; c < rows_.size(); ++c)
            rows_[c].push_back(values[c]);
    }

    const DataSet& data_;
    DataCohort& cohort_;
    std::vector<std::vector<double>> rows_; ///< [n_covariates + 1][n_rows], occasions last
};

} // namespace

DataCohort make_cohort(const DataSet& data, sim::DiagnosticList& diagnostics) {
    DataCohort cohort;
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
    for (const DataCovariate& covariate : data.covariates)
        if (covariate.varies && covariate.interpolation == Interpolation::linear)
            diagnostics.add({.file = data.file},
                            "covariates that go along a straight line are not simulated yet",
                            "write covariates = \"locf\" or \"nocb\"");
    maker.finish();
    return cohort;
}

} // namespace gemel::pkpd
