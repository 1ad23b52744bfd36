#include <gemel/io/result_file.hpp>
#include <gemel/learners/fit_results.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <ctime>
#include <functional>
#include <limits>
#include <numeric>

namespace gemel::learners {

namespace {

constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view fit_layout = "gemel-fit/1";

/// "observed information (Louis)" → "observed_information_Louis"
std::string path_name(const std::string& method) {
    std::string name;
    for (const unsigned char c : method)
        if (std::isalnum(c) != 0)
            name += static_cast<char>(c);
        else if (!name.empty() && name.back() != '_')
            name += '_';
    while (name.ends_with('_'))
        name.pop_back();
    return name;
}

/// Declares everything first and writes it afterwards, as a result file wants it.
class FitFile {
public:
    FitFile(const FitSetup& setup, const FitResult& result, const std::filesystem::path& path)
        : setup_(setup),
          model_(*setup.model),
          result_(result),
          file_(path) {}

    void write(const FitOrigin& origin) {
        add_axes();
        add_estimates();
        add_uncertainties();
        add_likelihoods();
        add_individuals();
        add_observations();
        add_shrinkage();
        add_predictive_checks();
        add_trace();
        add_words();
        for (const auto& write : writes_)
            write();
        write_provenance(origin);
        file_.finish();
    }

private:
    using Texts = std::vector<std::string>;
    using Axes = std::vector<std::string>;

    std::size_t n_subjects() const { return setup_.data->subjects.size(); }

    void add_axis(const std::string& name, const std::string& about, const Texts& labels) {
        if (!labels.empty())
            file_.add(io::Axis{.name = name, .long_name = about, .units = "1", .labels = labels});
    }
    void add_count(const std::string& name, const std::string& about, std::size_t n) {
        if (n > 0) file_.add(io::Axis{.name = name, .long_name = about, .units = "1", .count = n});
    }

    /// A variable with its values; by subject where that is its first axis.
    template <class Values>
    void add(const std::string& path,
             io::ValueType type,
             const Axes& axes,
             const std::string& unit,
             const std::string& about,
             Values values) {
        file_.add(io::Variable{path, type, axes, unit, about, {}, {}});
        const bool is_by_subject = !axes.empty() && axes.front() == "subject";
        writes_.push_back([this, path, is_by_subject, values = std::move(values)] {
            if constexpr (std::is_same_v<Values, Texts>) {
                if (is_by_subject)
                    file_.write(path, -1, 0, values);
                else
                    file_.write_all(path, values);
            } else {
                const std::span<const typename Values::value_type> span(values);
                if (is_by_subject)
                    file_.write(path, -1, 0, span);
                else
                    file_.write_all(path, span);
            }
        });
    }
    void add_reals(const std::string& path,
                   const Axes& axes,
                   const std::string& unit,
                   const std::string& about,
                   std::vector<double> values) {
        add(path, io::ValueType::real, axes, unit, about, std::move(values));
    }
    void add_integers(const std::string& path,
                      const Axes& axes,
                      const std::string& about,
                      std::vector<std::int64_t> values) {
        add(path, io::ValueType::integer, axes, "1", about, std::move(values));
    }
    void
    add_texts(const std::string& path, const Axes& axes, const std::string& about, Texts values) {
        add(path, io::ValueType::text, axes, "1", about, std::move(values));
    }

    Texts names_of_numbers() const {
        Texts names;
        for (const FitNumber& number : setup_.numbers)
            names.push_back(number.law.name);
        return names;
    }

    void add_axes() {
        Texts estimated;
        for (const std::size_t number : result_.estimated)
            estimated.push_back(setup_.numbers[number].law.name);
        add_axis("number", "numbers of the model's laws", names_of_numbers());
        add_axis("estimated", "numbers that were estimated", estimated);
        add_axis("estimated_of", "numbers that were estimated", estimated);
        add_count("subject", "number of the subject", n_subjects());
        add_axis("effect", "random effects", result_.effect_names);
        add_axis("effect_of", "random effects", result_.effect_names);
    }

    void add_estimates() {
        std::vector<double> start, lower, upper, interval_lower, interval_upper;
        std::vector<std::int64_t> is_fixed;
        Texts units, abouts;
        const std::vector<double> errors = standard_errors(setup_, result_);
        for (std::size_t k = 0; k < setup_.numbers.size(); ++k) {
            const FitNumber& number = setup_.numbers[k];
            start.push_back(number.start);
            lower.push_back(number.lower);
            upper.push_back(number.upper);
            is_fixed.push_back(number.is_fixed ? 1 : 0);
            units.push_back(number.law.unit.text);
            abouts.push_back(number.law.about);
            const ConfidenceInterval interval =
                interval_of(number, model_, result_.values[k], errors[k]);
            interval_lower.push_back(interval.lower);
            interval_upper.push_back(interval.upper);
        }
        const Axes axes{"number"};
        const auto reals =
            [&](const char* name, const char* about, const std::vector<double>& values) {
                add_reals(std::string("estimates/") + name,
                          axes,
                          "1",
                          std::string(about) + ", in the unit of estimates/unit",
                          values);
            };
        add_texts("estimates/unit", axes, "units of the numbers", units);
        add_texts("estimates/about", axes, "what the numbers are", abouts);
        reals("value", "estimates", result_.values);
        reals("standard_error", "standard errors", errors);
        reals("interval_lower", "lower end of the 95 % interval", interval_lower);
        reals("interval_upper", "upper end of the 95 % interval", interval_upper);
        reals("start", "where the search began", start);
        reals("lower", "lower bounds", lower);
        reals("upper", "upper bounds", upper);
        add_integers("estimates/is_fixed", axes, "1: not estimated", is_fixed);
    }

    static std::vector<double> cells(const Eigen::MatrixXd& matrix, std::size_t n) {
        std::vector<double> values(n * n, no_number);
        const auto size = static_cast<Eigen::Index>(n);
        if (matrix.rows() != size || matrix.cols() != size) return values;
        for (Eigen::Index i = 0; i < size; ++i)
            for (Eigen::Index j = 0; j < size; ++j)
                values[static_cast<std::size_t>(i * size + j)] = matrix(i, j);
        return values;
    }

    void add_uncertainties() {
        const std::size_t n = result_.estimated.size();
        if (n == 0) return;
        for (const Uncertainty& uncertainty : result_.uncertainties) {
            const std::string path = "covariance/" + path_name(uncertainty.method);
            add_reals(path,
                      {"estimated", "estimated_of"},
                      "1",
                      "covariance of the estimates, " + uncertainty.method,
                      cells(uncertainty.covariance, n));
            add_reals(path + "_condition_number",
                      {},
                      "1",
                      "condition number of their correlation",
                      {uncertainty.condition_number});
        }
    }

    void add_likelihoods() {
        if (std::isfinite(result_.objective))
            add_reals("likelihood/objective", {}, "1", result_.objective_name, {result_.objective});
        for (const Likelihood& likelihood : result_.likelihoods) {
            const std::string path = "likelihood/" + path_name(likelihood.method) + "/";
            const std::string about = ", " + likelihood.method;
            add_reals(path + "minus_two_ll",
                      {},
                      "1",
                      "-2 log-likelihood with n log 2π" + about,
                      {likelihood.minus_two_ll});
            add_reals(path + "standard_error",
                      {},
                      "1",
                      "Monte Carlo error of it" + about,
                      {likelihood.standard_error});
            const auto by_subject = [&](const char* name, const char* what, const auto& values) {
                if (values.size() == n_subjects())
                    add_reals(path + name, {"subject"}, "1", what + about, values);
            };
            by_subject("by_subject", "-2 log-likelihood of each subject", likelihood.by_subject);
            by_subject("by_subject_error",
                       "Monte Carlo error of each subject's",
                       likelihood.standard_errors);
            by_subject("k_hat", "Pareto tail of the weights", likelihood.k_hat);
            by_subject("effective_draws", "effective number of draws", likelihood.effective_draws);
        }
        const InformationCriteria criteria = criteria_of(setup_, result_);
        add_reals("likelihood/aic", {}, "1", "AIC", {criteria.aic});
        add_reals("likelihood/bic", {}, "1", "BIC, n = subjects", {criteria.bic});
        add_reals("likelihood/bicc", {}, "1", "corrected BIC", {criteria.bicc});
    }

    /// [n_subjects × n], what a subject does not have is missing.
    std::vector<double> padded(std::size_t n,
                               const std::vector<double> IndividualEstimate::*member) const {
        std::vector<double> values;
        for (const IndividualEstimate& individual : result_.individuals) {
            std::vector<double> row = individual.*member;
            row.resize(n, no_number);
            values.insert(values.end(), row.begin(), row.end());
        }
        return values;
    }

    std::vector<double> covariances(const Eigen::MatrixXd IndividualEstimate::*member) const {
        const std::size_t n = result_.effect_names.size();
        std::vector<double> values;
        for (const IndividualEstimate& individual : result_.individuals) {
            const Eigen::MatrixXd& matrix = individual.*member;
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t j = 0; j < n; ++j) {
                    const auto row = static_cast<Eigen::Index>(i);
                    const auto column = static_cast<Eigen::Index>(j);
                    values.push_back(row < matrix.rows() && column < matrix.cols()
                                         ? matrix(row, column)
                                         : no_number);
                }
        }
        return values;
    }

    void add_individuals() {
        Texts ids;
        for (const pkpd::DataSubject& subject : setup_.data->subjects)
            ids.push_back(subject.id);
        add_texts("individuals/ID", {"subject"}, "as in the data file", ids);
        if (result_.individuals.size() != n_subjects()) return;
        const std::size_t n = result_.effect_names.size();
        const Axes by_effect{"subject", "effect"}, square{"subject", "effect", "effect_of"};
        const auto has = [&](const auto& member) {
            return std::ranges::any_of(result_.individuals, [&](const IndividualEstimate& one) {
                return !(one.*member).empty();
            });
        };
        if (n > 0) {
            add_reals("individuals/mode",
                      by_effect,
                      "1",
                      "effects where they are most probable (MAP)",
                      padded(n, &IndividualEstimate::mode));
            add_reals("individuals/covariance_expected",
                      square,
                      "1",
                      "of the effects: inverse of Ω⁻¹ and the expected information",
                      covariances(&IndividualEstimate::covariance_expected));
            add_reals("individuals/covariance_observed",
                      square,
                      "1",
                      "of the effects: inverse of the Hessian",
                      covariances(&IndividualEstimate::covariance_observed));
        }
        if (n > 0 && has(&IndividualEstimate::mean)) {
            add_reals("individuals/mean",
                      by_effect,
                      "1",
                      "mean of the effects, given the data",
                      padded(n, &IndividualEstimate::mean));
            add_reals("individuals/sd",
                      by_effect,
                      "1",
                      "sd of the effects, given the data",
                      padded(n, &IndividualEstimate::sd));
        }
        add_parameters();
    }

    void add_parameters() {
        const std::size_t n = model_.system.parameters.size();
        const std::vector<double> values = padded(n, &IndividualEstimate::parameters);
        for (std::size_t p = 0; p < n; ++p) {
            std::vector<double> column;
            for (std::size_t s = 0; s < n_subjects(); ++s)
                column.push_back(values[s * n + p]);
            const sim::NamedExpr& parameter = model_.system.parameters[p];
            add_reals("parameters/" + parameter.name,
                      {"subject"},
                      parameter.unit.text,
                      parameter.label.empty() ? "individual " + parameter.name : parameter.label,
                      column);
        }
    }

    void add_observations() {
        for (std::size_t output = 0; output < model_.system.outputs.size(); ++output) {
            std::vector<const ObservationDiagnostics*> rows;
            for (const ObservationDiagnostics& row : result_.observations)
                if (row.output == static_cast<int>(output)) rows.push_back(&row);
            if (!rows.empty()) add_table_of(model_.system.outputs[output], rows);
        }
    }

    void add_table_of(const sim::NamedExpr& output,
                      const std::vector<const ObservationDiagnostics*>& rows) {
        const std::string axis = "observation_" + output.name;
        const std::string path = "observations/" + output.name + "/";
        add_count(axis, "observations of " + output.name, rows.size());
        const auto column = [&](const char* name,
                                const std::string& unit,
                                const char* about,
                                double ObservationDiagnostics::*member) {
            std::vector<double> values;
            for (const ObservationDiagnostics* row : rows)
                values.push_back(row->*member);
            add_reals(path + name, {axis}, unit, about, values);
        };
        Texts ids;
        std::vector<std::int64_t> subjects, lines, censored;
        for (const ObservationDiagnostics* row : rows) {
            const pkpd::DataSubject& subject = setup_.data->subjects[row->subject];
            ids.push_back(subject.id);
            subjects.push_back(static_cast<std::int64_t>(row->subject) + 1);
            lines.push_back(setup_.data->lines[subject.observations[row->observation].row]);
            censored.push_back(row->is_censored ? 1 : 0);
        }
        add_texts(path + "ID", {axis}, "as in the data file", ids);
        add_integers(path + "subject", {axis}, "number of the subject", subjects);
        add_integers(path + "line", {axis}, "of the data file", lines);
        column("time", model_.system.time_unit.text, "time", &ObservationDiagnostics::time);
        column("dv",
               output.unit.text,
               "observed; a limit where censored",
               &ObservationDiagnostics::dv);
        add_integers(path + "censored", {axis}, "1: beyond a limit", censored);
        column("pred", output.unit.text, "prediction, effects 0", &ObservationDiagnostics::pred);
        column("ipred", output.unit.text, "prediction at the mode", &ObservationDiagnostics::ipred);
        column("iwres", "1", "individual weighted residual", &ObservationDiagnostics::iwres);
        column("cwres", "1", "conditional weighted residual", &ObservationDiagnostics::cwres);
        column("npde",
               "1",
               "prediction distribution error, decorrelated",
               &ObservationDiagnostics::npde);
        column("pd", "1", "prediction discrepancy", &ObservationDiagnostics::pd);
    }

    void add_shrinkage() {
        Texts names;
        std::vector<double> sd, var;
        for (const Shrinkage& one : result_.shrinkage) {
            names.push_back(one.name);
            sd.push_back(one.sd);
            var.push_back(one.var);
        }
        if (names.empty()) return;
        add_axis("shrunk", "effects and errors", names);
        add_reals("shrinkage/sd", {"shrunk"}, "1", "1 − sd of the modes / ω", sd);
        add_reals("shrinkage/var", {"shrunk"}, "1", "1 − variance of the modes / ω²", var);
    }

    void add_predictive_checks() {
        if (result_.vpc.empty()) return;
        add_axis("percentile", "of measurements", {"5", "50", "95"});
        for (std::size_t output = 0; output < model_.system.outputs.size(); ++output)
            for (const bool is_corrected : {false, true}) {
                std::vector<const VpcBin*> bins;
                for (const VpcBin& bin : result_.vpc)
                    if (bin.output == static_cast<int>(output) && bin.is_corrected == is_corrected)
                        bins.push_back(&bin);
                if (!bins.empty())
                    add_bins(model_.system.outputs[output],
                             is_corrected ? "vpc_corrected" : "vpc",
                             bins);
            }
    }

    void add_bins(const sim::NamedExpr& output,
                  const std::string& group,
                  const std::vector<const VpcBin*>& bins) {
        const std::string axis = group + "_bin_" + output.name;
        const std::string path = group + "/" + output.name + "/";
        add_count(axis, "bins of " + output.name + " by time", bins.size());
        const auto column =
            [&](const char* name, const std::string& unit, const char* about, auto get) {
                std::vector<double> values;
                for (const VpcBin* bin : bins)
                    values.push_back(get(*bin));
                add_reals(path + name, {axis}, unit, about, values);
            };
        const auto table = [&](const char* name, const char* about, auto get) {
            std::vector<double> values;
            for (const VpcBin* bin : bins)
                for (std::size_t p = 0; p < n_vpc_probabilities; ++p)
                    values.push_back(get(*bin, p));
            add_reals(path + name, {axis, "percentile"}, output.unit.text, about, values);
        };
        const std::string& time = model_.system.time_unit.text;
        column("from", time, "where the bin begins", [](const VpcBin& b) { return b.from; });
        column("to", time, "where it ends", [](const VpcBin& b) { return b.to; });
        column("time", time, "median time", [](const VpcBin& b) { return b.time; });
        std::vector<std::int64_t> counts;
        for (const VpcBin* bin : bins)
            counts.push_back(static_cast<std::int64_t>(bin->n));
        add_integers(path + "n", {axis}, "measurements, censored ones too", counts);
        table("observed", "percentiles observed", [](const VpcBin& b, std::size_t p) {
            return b.observed[p];
        });
        table("low",
              "simulated percentiles: 5 % of data sets are below",
              [](const VpcBin& b, std::size_t p) { return b.simulated[p].low; });
        table("median",
              "simulated percentiles: median over data sets",
              [](const VpcBin& b, std::size_t p) { return b.simulated[p].median; });
        table("high",
              "simulated percentiles: 5 % of data sets are above",
              [](const VpcBin& b, std::size_t p) { return b.simulated[p].high; });
        column("censored_observed", "1", "share below limits, observed", [](const VpcBin& b) {
            return b.observed_censored;
        });
        column("censored_low",
               "1",
               "share below limits: 5 % of data sets are below",
               [](const VpcBin& b) { return b.simulated_censored.low; });
        column("censored_median",
               "1",
               "share below limits: median over data sets",
               [](const VpcBin& b) { return b.simulated_censored.median; });
        column("censored_high",
               "1",
               "share below limits: 5 % of data sets are above",
               [](const VpcBin& b) { return b.simulated_censored.high; });
    }

    void add_trace() {
        if (result_.trace.empty()) return;
        std::vector<double> values;
        for (const std::vector<double>& iteration : result_.trace)
            values.insert(values.end(), iteration.begin(), iteration.end());
        if (values.size() != result_.trace.size() * setup_.numbers.size()) return;
        add_count("iteration", "iterations", result_.trace.size());
        add_reals("trace/value",
                  {"iteration", "number"},
                  "1",
                  "numbers as they went, in the unit of estimates/unit",
                  values);
    }

    void add_words() {
        Texts what, help;
        for (const FitWarning& warning : result_.warnings) {
            what.push_back(warning.what);
            help.push_back(warning.help);
        }
        add_count("warning", "warnings", what.size());
        if (!what.empty()) {
            add_texts("warnings/what", {"warning"}, "what is to be known", what);
            add_texts("warnings/help", {"warning"}, "what can be done", help);
        }
        add_count("note", "notes", result_.notes.size());
        if (!result_.notes.empty())
            add_texts("notes/what", {"note"}, "what was done", result_.notes);
    }

    void write_provenance(const FitOrigin& origin) {
        file_.attribute("layout", std::string(fit_layout));
        file_.attribute("layout_note",
                        "Axes are in C order: (subject, effect). R and MATLAB show them reversed.");
        file_.attribute("title", setup_.about.empty() ? setup_.name : setup_.about);
        file_.attribute("source", "gemel " + origin.version);
        file_.attribute("method", std::string(name(setup_.options.method)));
        file_.attribute("is_converged", std::int64_t{result_.is_converged});
        file_.attribute("stop_reason", result_.stop_reason);
        file_.provenance("version", origin.version);
        file_.provenance("command", origin.command);
        file_.provenance("created_utc",
                         fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))));
        file_.provenance("seed", std::to_string(setup_.options.seed));
        file_.provenance("rng", "philox4x32-10");
        file_.provenance("rtol", fmt::format("{}", setup_.options.rtol));
        file_.provenance("tier", "same build and CPU class");
        file_.provenance("n_solves", std::to_string(result_.n_solves));
        file_.provenance("solver_seconds", fmt::format("{:.3f}", result_.solver_seconds));
        file_.provenance("total_seconds", fmt::format("{:.3f}", result_.total_seconds));
        std::string overrides;
        for (const std::string& assignment : setup_.overrides)
            overrides += assignment + "\n";
        if (!overrides.empty()) file_.provenance_text("overrides", overrides);
        for (const pkpd::InputFile& input : setup_.inputs)
            file_.provenance_text(input.name, input.text);
    }

    const FitSetup& setup_;
    const pkpd::Model& model_;
    const FitResult& result_;
    io::ResultFile file_;
    std::vector<std::function<void()>> writes_;
};

} // namespace

void write_fit_file(const FitSetup& setup,
                    const FitResult& result,
                    const FitOrigin& origin,
                    const std::filesystem::path& path) {
    FitFile(setup, result, path).write(origin);
}

} // namespace gemel::learners
