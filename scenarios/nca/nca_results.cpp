#include "nca/nca_events.hpp"
#include "nca/nca_input.hpp"
#include "show/sections.hpp"

#include <gemel/io/result_file.hpp>
#include <gemel/pkpd/residual.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <span>

namespace gemel::scenarios {

namespace {

/// What stands above an upper limit counts as that limit.
constexpr double below_limit = static_cast<double>(pkpd::Censoring::below_limit);

/// A saved curve, or, if it is asked for, what was measured of it.
bool is_curve(const io::Variable& variable) {
    return variable.axes.size() == 3 && variable.path.find('/') == std::string::npos;
}
bool is_sampled(const io::Variable& variable) {
    return variable.axes.size() == 3 && variable.path.starts_with("samples/") &&
           variable.axes[2] == "sample_" + variable.path.substr(8);
}

/// Curves of a result file; doses from `/events`.
class ResultProfiles : public ProfileSource {
public:
    ResultProfiles(const std::filesystem::path& path,
                   const NcaRequest& request,
                   sim::DiagnosticList& diagnostics)
        : file_(path),
          request_(request) {
        const std::size_t n_before = diagnostics.size();
        choose_output(diagnostics);
        if (request.is_sparse)
            OptionReader(diagnostics)
                .mistake("--sparse",
                         "",
                         "the curves of a result file are complete; --sparse is "
                         "for subjects sampled at some of the times");
        if (!request.groups.empty() || !request.concentration.empty())
            OptionReader(diagnostics)
                .mistake("--group",
                         "",
                         "--group and --concentration name columns of data; this is a result file",
                         "its arms are told apart, --curve chooses the curve");
        if (diagnostics.size() != n_before) return;
        times_ = file_.axis(output_.axes[2]);
        arms_ = file_.axis("arm").labels;
        is_censored_ = has(output_.path + "_censored");
        units_.time = sim::parse_unit(times_.units);
        units_.concentration = sim::parse_unit(output_.units);
        doses_.emplace(file_, arms_);
        units_.dose = doses_->unit();
        if (!units_.dose)
            units_.dose = OptionReader(diagnostics).unit("--dose-unit", request.dose_unit);
        if (doses_->has_unknown_amounts() && request.dose.empty())
            notes_.push_back("dose by another quantity: its amount is not known (--dose)");
        demand_route({&doses_->kinds()}, request, diagnostics);
        read_ids();
    }

    const ProfileUnits& units() const override { return units_; }
    std::vector<std::string> label_names() const override {
        std::vector<std::string> names{"arm", "subject"};
        if (file_.n_replicates() > 0) names.insert(names.begin(), "replicate");
        if (doses_->has_resets()) names.insert(names.end() - 1, "occasion");
        return names;
    }

    void for_each(const std::function<void(const SubjectProfile&)>& use) override {
        const std::size_t n_replicates = std::max<std::size_t>(1, file_.n_replicates());
        for (std::size_t replicate = 0; replicate < n_replicates; ++replicate) {
            if (file_.n_replicates() > 0) file_.select_replicate(replicate);
            for (std::size_t arm = 0; arm < arms_.size(); ++arm)
                for_each_in(replicate, arm, use);
        }
    }

private:
    /// Subjects of one arm, read in stretches.
    void for_each_in(std::size_t replicate,
                     std::size_t arm,
                     const std::function<void(const SubjectProfile&)>& use) const {
        const std::uint64_t n_subjects = file_.axis_size(output_.axes[1]);
        const std::uint64_t step = std::max<std::uint64_t>(
            64, (1U << 20) / std::max<std::size_t>(1, times_.size()) / 64 * 64);
        const SubjectWeights weights(file_);
        const int index = static_cast<int>(arm);
        for (std::uint64_t first = 0; first < n_subjects; first += step) {
            const std::uint64_t count = std::min(step, n_subjects - first);
            const std::vector<double> values = file_.reals(output_.path, index, first, count);
            const std::vector<double> censored =
                is_censored_ ? file_.reals(output_.path + "_censored", index, first, count)
                             : std::vector<double>(values.size(), 0.0);
            const std::vector<double> weight = weights.of(first, count);
            for (std::uint64_t s = 0; s < count; ++s) {
                const DoseCourse course = doses_->course_of(arm, first + s + 1);
                const std::size_t n_times = times_.numbers.size();
                std::vector<SubjectProfile> parts =
                    profiles_of(course,
                                std::span(values).subspan(s * n_times, n_times),
                                std::span(censored).subspan(s * n_times, n_times));
                for (const Occasion& occasion : occasions_of(course, parts)) {
                    SubjectProfile& profile = parts[occasion.part];
                    if (file_.n_replicates() > 0)
                        profile.labels.push_back(std::to_string(replicate + 1));
                    profile.labels.push_back(arms_[arm]);
                    if (doses_->has_resets())
                        profile.labels.push_back(std::to_string(occasion.number));
                    profile.labels.push_back(label_of(first + s + 1));
                    profile.weight = weight[s];
                    use(profile);
                }
            }
        }
    }

    void choose_output(sim::DiagnosticList& diagnostics) {
        std::vector<std::string> names, sampled;
        for (const io::Variable& variable : file_.variables()) {
            if (is_curve(variable)) names.push_back(variable.path);
            if (is_sampled(variable)) sampled.push_back(variable.path);
        }
        if (names.empty() || !request_.curve.empty())
            names.insert(names.end(), sampled.begin(), sampled.end());
        const std::string chosen =
            request_.curve.empty() && names.size() == 1 ? names.front() : request_.curve;
        for (const io::Variable& variable : file_.variables())
            if (variable.path == chosen &&
                std::find(names.begin(), names.end(), chosen) != names.end())
                output_ = variable;
        const std::string list = fmt::format("{}", fmt::join(names, ", "));
        OptionReader reader(diagnostics);
        if (names.empty())
            reader.mistake("--curve",
                           request_.curve,
                           "the file has no curves of subjects",
                           "let the study save them: [save] Cp = { every = \"1 h\" }");
        else if (request_.curve.empty() && names.size() > 1)
            reader.mistake("--curve",
                           "",
                           fmt::format("the file has several curves: {}", list),
                           fmt::format("choose one: --curve {}", names.front()));
        else if (output_.path.empty())
            reader.mistake("--curve",
                           request_.curve,
                           fmt::format("the file has no curve '{}'", request_.curve),
                           sim::suggest(request_.curve, names));
    }

    bool has(const std::string& path) const {
        const std::vector<io::Variable> all = file_.variables();
        return std::any_of(all.begin(), all.end(), [&](const io::Variable& variable) {
            return variable.path == path;
        });
    }

    /// Of a data file's subjects; those without an observation have a number only.
    void read_ids() {
        if (!has("samples/ID")) return;
        const std::uint64_t n = file_.axis_size("sample");
        const std::vector<double> subjects = file_.reals("samples/subject", -1, 0, n);
        const std::vector<std::string> ids = file_.texts("samples/ID", -1, 0, n);
        for (std::size_t i = 0; i < n; ++i)
            ids_.emplace(static_cast<std::uint64_t>(subjects[i]), ids[i]);
    }

    std::string label_of(std::uint64_t subject) const {
        const auto id = ids_.find(subject);
        return id == ids_.end() ? std::to_string(subject) : id->second;
    }

    /// The subject's profiles, one for each occasion. A saved value at a dose or a reset is that
    /// after it (docs/decisions/event_order.md). What an error of integration put below 0 is 0.
    std::vector<SubjectProfile> profiles_of(const DoseCourse& course,
                                            std::span<const double> values,
                                            std::span<const double> censored) const {
        std::vector<SubjectProfile> parts = profiles_with_doses(course, notes_);
        for (std::size_t t = 0; t < values.size(); ++t) {
            const double time = times_.numbers[t];
            const std::size_t part = course.part_of(time, after_all);
            SubjectProfile& profile = parts[part];
            profile.time.push_back(time);
            profile.concentration.push_back(std::max(values[t], 0.0));
            if (std::isnan(values[t])) profile.concentration.back() = values[t];
            profile.is_blq.push_back(values[t] <= 0.0 || censored[t] == below_limit);
            profile.n_doses_before.push_back(course.n_doses_before(part, time, after_all));
        }
        return parts;
    }

    io::ResultReader file_;
    const NcaRequest& request_;
    io::Variable output_;
    io::Axis times_;
    std::vector<std::string> arms_;
    std::optional<ResultDoses> doses_;
    std::map<std::uint64_t, std::string> ids_; ///< of a data file's subjects, by number
    std::vector<std::string> notes_;           ///< of all profiles
    bool is_censored_ = false;
    ProfileUnits units_;
};

} // namespace

std::unique_ptr<ProfileSource> read_profiles_of_results(const std::filesystem::path& path,
                                                        const NcaRequest& request,
                                                        sim::DiagnosticList& diagnostics) {
    const std::size_t n_before = diagnostics.size();
    auto profiles = std::make_unique<ResultProfiles>(path, request, diagnostics);
    return diagnostics.size() == n_before ? std::move(profiles) : nullptr;
}

} // namespace gemel::scenarios
