#include "nca/nca_course.hpp"
#include "nca/nca_input.hpp"

#include <gemel/pkpd/data_profiles.hpp>

#include <fmt/format.h>

#include <algorithm>

/// Profiles of a data file. What its columns and rows mean is said by pkpd's reader.
namespace gemel::scenarios {

namespace {

/// Options in place of a table `[data]`.
class DataWordsOfRequest {
public:
    DataWordsOfRequest(const NcaRequest& request, sim::DiagnosticList& diagnostics)
        : request_(request),
          reader_(diagnostics) {}

    pkpd::DataWords words(const std::filesystem::path& path) {
        pkpd::DataWords words;
        words.folder = path.parent_path();
        words.file = path.filename().string();
        words.curve = {request_.curve, OptionReader::place("--curve", request_.curve)};
        for (const std::string& group : request_.groups)
            words.groups.push_back({group, OptionReader::place("--group", group)});
        put_format(words);
        for (const std::string& text : request_.columns)
            rename(words, text);
        if (!request_.concentration.empty())
            put_header(words, "--concentration", request_.concentration, "DV");
        for (const std::string& name : request_.carried) {
            pkpd::DataColumnWords& column = of(words, name, "--carry", name);
            column.is_carried = true;
        }
        put_unit(words, "TIME", "--time-unit", request_.time_unit);
        put_unit(words, "DV", "--conc-unit", request_.concentration_unit);
        put_unit(words, "AMT", "--dose-unit", request_.dose_unit);
        return words;
    }

private:
    void put_format(pkpd::DataWords& words) {
        words.preset = request_.preset;
        words.missing.insert(words.missing.end(), request_.missing.begin(), request_.missing.end());
        words.ignore = request_.ignore;
        words.ignore_span = OptionReader::place("--ignore", request_.ignore);
        words.date = request_.date;
        words.has_clock = request_.has_clock;
    }

    void rename(pkpd::DataWords& words, const std::string& text) {
        const std::size_t at = text.find('=');
        if (at == std::string::npos || at == 0 || at + 1 == text.size())
            reader_.mistake("--column",
                            text,
                            fmt::format("'{}' names no column", text),
                            "write the convention's name and the header, as in AMT=DOSE");
        else
            put_header(words, "--column", text.substr(at + 1), text.substr(0, at));
    }

    static void put_header(pkpd::DataWords& words,
                           const std::string& option,
                           const std::string& header,
                           const std::string& name) {
        pkpd::DataColumnWords& column = of(words, name, option, header);
        column.column = header;
        column.column_span = column.span;
    }

    void put_unit(pkpd::DataWords& words,
                  const std::string& name,
                  const std::string& option,
                  const std::string& text) {
        if (const auto unit = reader_.unit(option, text)) of(words, name, option, text).unit = unit;
    }

    static pkpd::DataColumnWords& of(pkpd::DataWords& words,
                                     const std::string& name,
                                     const std::string& option,
                                     const std::string& text) {
        const auto at = std::ranges::find(words.columns, name, &pkpd::DataColumnWords::name);
        if (at != words.columns.end()) return *at;
        pkpd::DataColumnWords& column = words.columns.emplace_back();
        column.name = name;
        column.span = OptionReader::place(option, text);
        return column;
    }

    const NcaRequest& request_;
    OptionReader reader_;
};

/// Profiles that are all in memory.
class DataProfiles : public ProfileSource {
public:
    DataProfiles(const pkpd::ProfileSet& set, const NcaRequest& request)
        : notes_(set.data->notes),
          names_(set.groups),
          units_{set.time, set.concentration, set.dose} {
        if (!units_.dose) units_.dose = unit_in(request.dose_unit);
        for (std::size_t s = 0; s < set.data->subjects.size(); ++s)
            add(set, s);
        if (has_parts_) names_.emplace_back("occasion");
        names_.emplace_back("subject");
        for (std::size_t p = 0; p < profiles_.size(); ++p)
            if (has_parts_)
                profiles_[p].labels.insert(profiles_[p].labels.end() - 1, occasions_[p]);
    }

    const ProfileUnits& units() const override { return units_; }
    std::vector<std::string> label_names() const override { return names_; }
    std::vector<std::string> notes() const override { return notes_; }
    void for_each(const std::function<void(const SubjectProfile&)>& use) override {
        for (const SubjectProfile& profile : profiles_)
            use(profile);
    }

    std::vector<const std::vector<ProfileDose>*> doses() const {
        std::vector<const std::vector<ProfileDose>*> all;
        for (const SubjectProfile& profile : profiles_)
            all.push_back(&profile.doses);
        return all;
    }

private:
    /// Of amounts that the file does not have; what is wrong with it is told by the reader.
    static std::optional<sim::Unit> unit_in(const std::string& text) {
        return text.empty() ? std::nullopt : sim::parse_unit(text);
    }

    void add(const pkpd::ProfileSet& set, std::size_t s) {
        const pkpd::DataSubject& subject = set.data->subjects[s];
        const DoseCourse course({subject.records, subject.new_periods});
        std::vector<SubjectProfile> parts = profiles_with_doses(course, {});
        for (const pkpd::DataObservation& observation : subject.observations)
            if (!observation.is_missing) put_sample(set, course, observation, parts);
        for (const Occasion& occasion : occasions_of(course, parts)) {
            SubjectProfile& part = parts[occasion.part];
            part.labels = set.group_texts[s];
            part.labels.push_back(subject.id);
            has_parts_ = has_parts_ || occasion.number > 1;
            occasions_.push_back(std::to_string(occasion.number));
            profiles_.push_back(std::move(part));
        }
    }

    static void put_sample(const pkpd::ProfileSet& set,
                           const DoseCourse& course,
                           const pkpd::DataObservation& observation,
                           std::vector<SubjectProfile>& parts) {
        const auto n_before = static_cast<std::size_t>(observation.n_records_before);
        const std::size_t part = course.part_of(observation.time, n_before);
        SubjectProfile& profile = parts[part];
        profile.time.push_back(observation.time);
        profile.concentration.push_back(observation.dv);
        profile.is_blq.push_back(observation.cens == 1);
        const int mark = set.slope_marks.empty() ? 0 : set.slope_marks[observation.row];
        profile.slope.push_back(mark > 0   ? pkpd::SlopePoint::use
                                : mark < 0 ? pkpd::SlopePoint::leave_out
                                           : pkpd::SlopePoint::automatic);
        profile.n_doses_before.push_back(course.n_doses_before(part, observation.time, n_before));
    }

    std::vector<SubjectProfile> profiles_;
    std::vector<std::string> occasions_, notes_, names_;
    ProfileUnits units_;
    bool has_parts_ = false;
};

} // namespace

std::unique_ptr<ProfileSource> read_profiles_of_data(const std::filesystem::path& path,
                                                     const NcaRequest& request,
                                                     sim::DiagnosticList& diagnostics) {
    const std::size_t n_before = diagnostics.size();
    pkpd::DataWords words = DataWordsOfRequest(request, diagnostics).words(path);
    const auto set = pkpd::read_profiles(std::move(words), diagnostics);
    if (!set || diagnostics.size() != n_before) return nullptr;
    auto profiles = std::make_unique<DataProfiles>(*set, request);
    if (!request.is_sparse) demand_route(profiles->doses(), request, diagnostics);
    return diagnostics.size() == n_before ? std::move(profiles) : nullptr;
}

} // namespace gemel::scenarios
