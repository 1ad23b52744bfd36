#include "nca/nca_input.hpp"
#include "show/sections.hpp"

#include <gemel/io/result_file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::scenarios {

namespace {

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
        check_own_doses(diagnostics);
        read_doses();
        if (!units_.dose)
            units_.dose = OptionReader(diagnostics).unit("--dose-unit", request.dose_unit);
        check_route(diagnostics);
    }

    const ProfileUnits& units() const override { return units_; }
    std::vector<std::string> label_names() const override {
        if (file_.n_replicates() > 0) return {"replicate", "arm", "subject"};
        return {"arm", "subject"};
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
                SubjectProfile profile = profile_of(arm, values, censored, s);
                if (file_.n_replicates() > 0)
                    profile.labels.push_back(std::to_string(replicate + 1));
                profile.labels.push_back(arms_[arm]);
                profile.labels.push_back(std::to_string(first + s + 1));
                profile.weight = weight[s];
                use(profile);
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

    /// Subjects of a data file have doses of their own, which `/events` does not hold.
    void check_own_doses(sim::DiagnosticList& diagnostics) const {
        if (!has("samples/line") || !request_.dose.empty()) return;
        OptionReader(diagnostics)
            .mistake("--dose",
                     "",
                     "the subjects have doses of their own in a data file, and the result file "
                     "does not hold them",
                     "analyse the data file itself; where each has one dose at time 0, give it "
                     "with --dose");
    }

    /// The planned doses of each arm, written out. An amount per body weight is not one amount: it
    /// stays unknown.
    void read_doses() {
        doses_.resize(arms_.size());
        if (!has("events/AMT")) return;
        const std::uint64_t n = file_.axis_size("event");
        const auto reals = [&](const char* name) { return file_.reals(name, -1, 0, n); };
        const std::vector<std::string> arm = file_.texts("events/ARM", -1, 0, n);
        const std::vector<std::string> unit = file_.texts("events/AMT_unit", -1, 0, n);
        const std::vector<double> time = reals("events/TIME"), amount = reals("events/AMT"),
                                  duration = reals("events/DUR"), rate = reals("events/RATE"),
                                  interval = reals("events/II"), further = reals("events/ADDL");
        const std::vector<double> evid =
            has("events/EVID") ? reals("events/EVID") : std::vector<double>();
        for (std::size_t i = 0; i < n; ++i) {
            const auto at = std::find(arms_.begin(), arms_.end(), arm[i]);
            const bool is_dose = evid.empty() || evid[i] == 1.0; // of older files each row is one
            if (at == arms_.end() || !is_dose || !(amount[i] > 0.0)) continue;
            ProfileDose dose;
            dose.amount = amount_of(amount[i], unit[i]);
            dose.duration = duration[i];
            if (rate[i] > 0.0) dose.duration = amount[i] / rate[i];
            if (rate[i] < 0.0) dose.duration = pkpd::NcaResult::not_known;
            for (int k = 0; k <= static_cast<int>(further[i]); ++k) {
                dose.time = time[i] + k * interval[i];
                doses_[static_cast<std::size_t>(at - arms_.begin())].push_back(dose);
            }
        }
        for (std::vector<ProfileDose>& doses : doses_)
            join_equal_times(doses);
    }

    /// In the unit of the first amount that is a mass or a substance.
    double amount_of(double amount, const std::string& text) {
        const auto unit = sim::parse_unit(text);
        const bool is_amount =
            unit && !unit->is_dimensionless() && text.find('/') == std::string::npos;
        if (is_amount && !units_.dose) units_.dose = unit;
        if (!is_amount || unit->dimension != units_.dose->dimension) {
            note_amounts();
            return pkpd::NcaResult::not_known;
        }
        return amount * sim::conversion_factor(*unit, *units_.dose);
    }

    void note_amounts() {
        if (notes_.empty() && request_.dose.empty())
            notes_.push_back("dose by another quantity: its amount is not known (--dose)");
    }

    static void join_equal_times(std::vector<ProfileDose>& doses) {
        std::stable_sort(
            doses.begin(), doses.end(), [](const ProfileDose& a, const ProfileDose& b) {
                return a.time < b.time;
            });
        std::vector<ProfileDose> joined;
        for (const ProfileDose& dose : doses)
            if (!joined.empty() && joined.back().time == dose.time)
                joined.back().amount += dose.amount;
            else
                joined.push_back(dose);
        doses = std::move(joined);
    }

    void check_route(sim::DiagnosticList& diagnostics) const {
        if (request_.route) return;
        bool are_infusions = false, is_other = false;
        for (const std::vector<ProfileDose>& doses : doses_)
            for (const ProfileDose& dose : doses)
                (dose.duration != 0.0 ? are_infusions : is_other) = true;
        if (are_infusions && !is_other) return;
        OptionReader(diagnostics)
            .mistake("--route",
                     "",
                     "the file does not say how the doses were given",
                     "write --route oral, --route bolus or --route infusion");
    }

    /// A saved value at a dose is that after it (docs/decisions/event_order.md). What an error of
    /// integration put below 0 is 0.
    SubjectProfile profile_of(std::size_t arm,
                              const std::vector<double>& values,
                              const std::vector<double>& censored,
                              std::uint64_t row) const {
        SubjectProfile profile;
        profile.doses = doses_[arm];
        profile.notes = notes_;
        std::size_t n_before = 0;
        for (std::size_t t = 0; t < times_.numbers.size(); ++t) {
            const double value = values[row * times_.numbers.size() + t];
            while (n_before < profile.doses.size() &&
                   profile.doses[n_before].time <= times_.numbers[t])
                ++n_before;
            profile.time.push_back(times_.numbers[t]);
            profile.concentration.push_back(std::max(value, 0.0));
            profile.is_blq.push_back(value <= 0.0 ||
                                     censored[row * times_.numbers.size() + t] != 0.0);
            if (std::isnan(value)) profile.concentration.back() = value;
            profile.n_doses_before.push_back(n_before);
        }
        return profile;
    }

    io::ResultReader file_;
    const NcaRequest& request_;
    io::Variable output_;
    io::Axis times_;
    std::vector<std::string> arms_;
    std::vector<std::vector<ProfileDose>> doses_; ///< [n_arms]
    std::vector<std::string> notes_;              ///< of all profiles
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
