#include "nca/nca_csv_columns.hpp"
#include "nca/nca_input.hpp"

#include <gemel/io/csv_table.hpp>
#include <gemel/io/toml.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

namespace gemel::scenarios {

namespace {

/// A dose with its place, before additional doses are written out.
struct DoseRow {
    ProfileDose dose;
    std::size_t row = 0; ///< additional doses: 0, they come before samples of the same time
};

struct SampleRow {
    double time = 0.0, concentration = 0.0;
    bool is_blq = false;
    pkpd::SlopePoint slope = pkpd::SlopePoint::automatic;
    std::size_t row = 0;
    sim::SourceSpan place;
};

struct Gathered {
    std::vector<std::string> labels;
    std::vector<DoseRow> doses;
    std::vector<SampleRow> samples;
    double last_time = -std::numeric_limits<double>::infinity();
};

/// Profiles that are all in memory.
class ListedProfiles : public ProfileSource {
public:
    ListedProfiles(ProfileUnits units,
                   std::vector<std::string> names,
                   std::vector<SubjectProfile> profiles)
        : units_(std::move(units)),
          names_(std::move(names)),
          profiles_(std::move(profiles)) {}

    const ProfileUnits& units() const override { return units_; }
    std::vector<std::string> label_names() const override { return names_; }
    void for_each(const std::function<void(const SubjectProfile&)>& use) override {
        for (const SubjectProfile& profile : profiles_)
            use(profile);
    }

private:
    ProfileUnits units_;
    std::vector<std::string> names_;
    std::vector<SubjectProfile> profiles_;
};

class CsvProfileReader {
public:
    CsvProfileReader(const io::CsvTable& table,
                     const NcaRequest& request,
                     sim::DiagnosticList& diagnostics)
        : table_(table),
          request_(request),
          diagnostics_(diagnostics),
          n_before_(diagnostics.size()) {}

    std::unique_ptr<ProfileSource> read() {
        at_ = find_csv_columns(table_, request_, diagnostics_);
        units_ = csv_units(table_, at_, request_, diagnostics_);
        if (!is_good()) return nullptr;
        check_outputs();
        if (!is_good()) return nullptr;
        for (std::size_t i = 0; i < table_.rows.size(); ++i)
            read_row(i);
        check_samples();
        check_route();
        if (!is_good()) return nullptr;
        std::vector<std::string> names = request_.groups;
        names.push_back("subject");
        return std::make_unique<ListedProfiles>(units_, std::move(names), profiles());
    }

private:
    using Row = std::vector<io::CsvCell>;

    bool is_good() const { return diagnostics_.size() == n_before_; }

    static std::size_t index(int column) { return static_cast<std::size_t>(column); }

    static bool is_missing(const std::string& text) {
        return text.empty() || text == "." || upper_case(text) == "NA" || upper_case(text) == "NAN";
    }

    /// A number; NaN where the column or the value is missing, or wrong, which is told.
    double number(const Row& row, int column) {
        if (column < 0) return pkpd::NcaResult::not_known;
        const io::CsvCell& cell = row[index(column)];
        if (is_missing(cell.text)) return pkpd::NcaResult::not_known;
        double value = 0.0;
        const char* const last = cell.text.data() + cell.text.size();
        const char* const first = cell.text.data() + (cell.text.starts_with('+') ? 1 : 0);
        const auto [end, error] = std::from_chars(first, last, value);
        if (error == std::errc() && end == last && std::isfinite(value)) return value;
        diagnostics_.add(cell.span,
                         fmt::format("'{}' in column {} is no number",
                                     cell.text,
                                     table_.header[index(column)].text),
                         "missing values are written '.'");
        return pkpd::NcaResult::not_known;
    }

    double number_or(const Row& row, int column, double otherwise) {
        const double value = number(row, column);
        return std::isnan(value) ? otherwise : value;
    }

    void check_outputs() {
        if (at_.dvid < 0) return;
        std::vector<std::string> values;
        for (const Row& row : table_.rows) {
            const std::string& value = row[index(at_.dvid)].text;
            if (!is_missing(row[index(at_.dv)].text) &&
                std::find(values.begin(), values.end(), value) == values.end())
                values.push_back(value);
        }
        const bool is_known =
            std::find(values.begin(), values.end(), request_.curve) != values.end();
        if (request_.curve.empty() && values.size() > 1)
            diagnostics_.add(
                table_.header[index(at_.dvid)].span,
                fmt::format("observations of several kinds, DVID {}", fmt::join(values, ", ")),
                fmt::format("choose one: --curve {}", values.front()));
        else if (!request_.curve.empty() && !is_known)
            OptionReader(diagnostics_)
                .mistake("--curve",
                         request_.curve,
                         fmt::format("the file has no DVID '{}'", request_.curve),
                         fmt::format("it has {}", fmt::join(values, ", ")));
    }

    Gathered& subject_of(const Row& row) {
        std::vector<std::string> labels;
        for (const int group : at_.groups)
            labels.push_back(row[index(group)].text);
        labels.push_back(row[index(at_.id)].text);
        const auto [at, is_new] = subjects_.try_emplace(labels, gathered_.size());
        if (is_new) {
            gathered_.emplace_back();
            gathered_.back().labels = labels;
        }
        return gathered_[at->second];
    }

    void read_row(std::size_t i) {
        const Row& row = table_.rows[i];
        const io::CsvCell& id = row[index(at_.id)];
        if (is_missing(id.text)) {
            diagnostics_.add(id.span, "a row without a subject");
            return;
        }
        const double time = number(row, at_.time);
        if (std::isnan(time)) {
            if (is_missing(row[index(at_.time)].text))
                diagnostics_.add(row[index(at_.time)].span, "a row without a time");
            return;
        }
        Gathered& subject = subject_of(row);
        if (time < subject.last_time)
            diagnostics_.add(
                row[index(at_.time)].span,
                fmt::format(
                    "time {:g} follows time {:g} of subject {}", time, subject.last_time, id.text),
                "order rows by time; a period of its own is a --group");
        subject.last_time = std::max(subject.last_time, time);
        if (is_dose(row))
            add_dose(row, i, time, subject);
        else
            add_sample(row, i, time, subject);
    }

    /// By EVID, or without it by AMT.
    bool is_dose(const Row& row) {
        const double amount = number_or(row, at_.amt, 0.0);
        if (at_.evid < 0) return amount != 0.0;
        const double evid = number_or(row, at_.evid, 0.0);
        if (evid != 0.0 && evid != 1.0 && evid != 2.0)
            diagnostics_.add(row[index(at_.evid)].span,
                             fmt::format("EVID {:g}: only observations (0, 2) and doses (1) can be "
                                         "analysed",
                                         evid),
                             "give each part after a reset its own value of a --group column");
        return evid == 1.0;
    }

    void add_dose(const Row& row, std::size_t i, double time, Gathered& subject) {
        ProfileDose dose;
        dose.time = time;
        dose.amount = number(row, at_.amt);
        if (!(dose.amount > 0.0)) {
            const sim::SourceSpan& place = row[index(at_.amt < 0 ? at_.evid : at_.amt)].span;
            diagnostics_.add(place, "a dose without an amount above 0", "write it in column AMT");
            return;
        }
        const double rate = number_or(row, at_.rate, 0.0);
        dose.duration = number_or(row, at_.duration, 0.0);
        if (rate > 0.0) dose.duration = dose.amount / rate;
        if (rate < 0.0) dose.duration = pkpd::NcaResult::not_known;
        dose.is_steady = number_or(row, at_.ss, 0.0) > 0.0;
        const double interval = number_or(row, at_.ii, 0.0);
        if (interval > 0.0) dose.tau = interval;
        subject.doses.push_back({dose, i + 1});
        add_further(row, interval, dose, subject);
    }

    void add_further(const Row& row, double interval, ProfileDose dose, Gathered& subject) {
        const double n = number_or(row, at_.addl, 0.0);
        if (n > 0.0 && !(interval > 0.0)) {
            diagnostics_.add(row[index(at_.addl)].span,
                             "additional doses without an interval",
                             "write the interval in column II");
            return;
        }
        for (int k = 1; k <= static_cast<int>(std::min(n, 1e5)); ++k) {
            ProfileDose further = dose;
            further.time += k * interval;
            subject.doses.push_back({further, 0});
        }
    }

    void add_sample(const Row& row, std::size_t i, double time, Gathered& subject) {
        if (number_or(row, at_.mdv, 0.0) != 0.0) return;
        if (at_.dvid >= 0 && !request_.curve.empty() && row[index(at_.dvid)].text != request_.curve)
            return;
        const io::CsvCell& cell = row[index(at_.dv)];
        if (is_missing(cell.text)) return;
        SampleRow sample;
        sample.time = time;
        sample.row = i + 1;
        sample.place = row[index(at_.time)].span;
        const std::string word = upper_case(cell.text);
        sample.is_blq = word == "BLQ" || word == "BQL" || word == "LLOQ" || word == "<LLOQ" ||
                        word.starts_with('<') || number_or(row, at_.blq, 0.0) == 1.0;
        const bool is_number = word.find_first_of("0123456789") == 0 || word.starts_with('-') ||
                               word.starts_with('+') || word.starts_with('.');
        if (!sample.is_blq || is_number) sample.concentration = number(row, at_.dv);
        if (sample.concentration < 0.0)
            diagnostics_.add(cell.span,
                             fmt::format("the concentration {} is below 0", cell.text),
                             "what is below the limit is 0, or BLQ");
        sample.is_blq = sample.is_blq || sample.concentration < number_or(row, at_.lloq, 0.0);
        sample.slope = slope_mark(row);
        subject.samples.push_back(sample);
    }

    pkpd::SlopePoint slope_mark(const Row& row) {
        const double mark = number_or(row, at_.slope, 0.0);
        if (mark != 0.0 && mark != 1.0 && mark != -1.0)
            diagnostics_.add(row[index(at_.slope)].span,
                             fmt::format("LZ {:g}: 1 (serves lambda_z), -1 (does not) or 0 is "
                                         "expected",
                                         mark));
        if (mark == 0.0) return pkpd::SlopePoint::automatic;
        return mark > 0.0 ? pkpd::SlopePoint::use : pkpd::SlopePoint::leave_out;
    }

    /// At one time, without a dose between their rows that would make them trough and peak.
    static bool
    are_twice(const Gathered& subject, const SampleRow& first, const SampleRow& second) {
        return first.time == second.time &&
               std::none_of(subject.doses.begin(), subject.doses.end(), [&](const DoseRow& dose) {
                   return dose.dose.time == first.time && dose.row > first.row &&
                          dose.row < second.row;
               });
    }

    void check_samples() {
        std::size_t n = 0;
        for (const Gathered& subject : gathered_) {
            n += subject.samples.size();
            for (std::size_t i = 1; i < subject.samples.size(); ++i)
                if (are_twice(subject, subject.samples[i - 1], subject.samples[i]))
                    diagnostics_.add(subject.samples[i].place,
                                     fmt::format("two concentrations of subject {} at time {:g}",
                                                 fmt::join(subject.labels, ", "),
                                                 subject.samples[i].time),
                                     "keep one, or tell profiles apart with --group");
        }
        if (n == 0 && is_good())
            diagnostics_.add({table_.file, 0, 0, 1}, "this file has no concentration");
    }

    void check_route() {
        if (request_.route || request_.is_sparse || !is_good()) return;
        bool are_infusions = false, is_other = false;
        for (const Gathered& subject : gathered_)
            for (const DoseRow& row : subject.doses)
                (row.dose.duration != 0.0 ? are_infusions : is_other) = true;
        if (are_infusions && !is_other) return;
        OptionReader(diagnostics_)
            .mistake("--route",
                     "",
                     "the file does not say how the doses were given",
                     "write --route oral, --route bolus or --route infusion");
    }

    std::vector<SubjectProfile> profiles() {
        std::vector<SubjectProfile> all;
        for (Gathered& subject : gathered_) {
            if (subject.samples.empty()) continue;
            SubjectProfile profile;
            profile.labels = subject.labels;
            put_doses(subject, profile);
            for (const SampleRow& sample : subject.samples)
                put_sample(sample, subject, profile);
            all.push_back(std::move(profile));
        }
        return all;
    }

    /// Doses in time; those of one time are one.
    static void put_doses(Gathered& subject, SubjectProfile& profile) {
        std::stable_sort(
            subject.doses.begin(), subject.doses.end(), [](const DoseRow& a, const DoseRow& b) {
                return a.dose.time < b.dose.time;
            });
        for (const DoseRow& row : subject.doses) {
            if (!profile.doses.empty() && profile.doses.back().time == row.dose.time)
                profile.doses.back().amount += row.dose.amount;
            else
                profile.doses.push_back(row.dose);
        }
    }

    static void
    put_sample(const SampleRow& sample, const Gathered& subject, SubjectProfile& profile) {
        profile.time.push_back(sample.time);
        profile.concentration.push_back(sample.concentration);
        profile.is_blq.push_back(sample.is_blq);
        profile.slope.push_back(sample.slope);
        std::set<double> times;
        for (const DoseRow& row : subject.doses)
            if (row.dose.time < sample.time ||
                (row.dose.time == sample.time && row.row < sample.row))
                times.insert(row.dose.time);
        profile.n_doses_before.push_back(times.size());
    }

    const io::CsvTable& table_;
    const NcaRequest& request_;
    sim::DiagnosticList& diagnostics_;
    std::size_t n_before_;
    CsvColumns at_;
    ProfileUnits units_;
    std::map<std::vector<std::string>, std::size_t> subjects_;
    std::vector<Gathered> gathered_;
};

} // namespace

std::unique_ptr<ProfileSource> read_profiles_csv(const std::filesystem::path& path,
                                                 const NcaRequest& request,
                                                 sim::DiagnosticList& diagnostics) {
    const auto source = io::read_source(path, diagnostics);
    if (!source) return nullptr;
    const std::size_t n_before = diagnostics.size();
    const io::CsvTable table = io::parse_csv(source, diagnostics);
    if (diagnostics.size() != n_before) return nullptr;
    return CsvProfileReader(table, request, diagnostics).read();
}

} // namespace gemel::scenarios
