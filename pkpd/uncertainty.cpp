#include "covariate_law.hpp"
#include "keys.hpp"
#include "names_of.hpp"
#include "table_cells.hpp"
#include "triangle.hpp"

#include <gemel/io/csv_table.hpp>
#include <gemel/pkpd/uncertainty.hpp>
#include <gemel/sim/expression.hpp>
#include <gemel/sim/random.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::pkpd {
namespace {

using UncertaintyLaw = ParameterUncertainty::Law;

const Parameter& parameter_at(const Model& model, int index) {
    return model.parameters[static_cast<std::size_t>(index)];
}

/// What keeps a typical value from being one, or "".
std::string why_no_value(const Parameter& parameter, double value) {
    if (!std::isfinite(value)) return "which is no finite number";
    if (parameter.lower && value < *parameter.lower)
        return fmt::format("which is below the lower bound {:g}", *parameter.lower);
    if (parameter.upper && value > *parameter.upper)
        return fmt::format("which is above the upper bound {:g}", *parameter.upper);
    const Variability* effects = parameter.law();
    if (!effects || effects->law == VariabilityLaw::normal) return {};
    if (!(value > 0.0))
        return fmt::format("which is not above 0, as law \"{}\" needs it", name(effects->law));
    if (effects->law == VariabilityLaw::logit && !(value < 1.0))
        return "which is no fraction below 1";
    return {};
}

/// Reads one `[uncertainty]`.
class UncertaintyReader {
public:
    UncertaintyReader(const UncertaintyWords& words,
                      const Model& model,
                      const std::filesystem::path& study,
                      sim::DiagnosticList& diagnostics)
        : words_(words),
          model_(model),
          study_(study),
          diagnostics_(diagnostics) {}

    std::shared_ptr<ParameterUncertainty> read() {
        const std::size_t n_before = diagnostics_.size();
        read_ = std::make_shared<ParameterUncertainty>();
        read_->law = static_cast<UncertaintyLaw>(words_.law);
        if (words_.rse.is_set())
            read_rse();
        else if (!words_.draws.empty())
            read_draws();
        else if (words_.covariance.is_set())
            read_covariance();
        return diagnostics_.size() == n_before ? read_ : nullptr;
    }

private:
    /// Its index, or −1 after a mistake.
    int find(const std::string& name, const sim::SourceSpan& place) {
        const int index = model_.find_parameter(name);
        std::string why;
        if (index < 0)
            why = fmt::format("'{}' is no parameter of the model", name);
        else if (parameter_at(model_, index).is_computed)
            why = fmt::format("the value of '{}' is an expression", name);
        else if (std::ranges::count(read_->of, index) > 0)
            why = fmt::format("'{}' is named twice", name);
        else if (read_->law == UncertaintyLaw::lognormal && words_.draws.empty() &&
                 !(parameter_at(model_, index).value > 0.0))
            why = fmt::format("law \"lognormal\" needs a value of '{}' above 0", name);
        if (why.empty()) return index;
        diagnostics_.add(
            place, why, index < 0 ? sim::suggest(name, names_of(model_.parameters)) : "");
        return -1;
    }

    bool find_named() {
        const std::size_t n_before = diagnostics_.size();
        for (const std::string& name : words_.of)
            if (const int index = find(name, words_.of_span); index >= 0)
                read_->of.push_back(index);
        return diagnostics_.size() == n_before;
    }

    void read_covariance() {
        if (words_.of.empty()) {
            diagnostics_.add(words_.covariance.span(),
                             "whose covariance this is, is not said",
                             "write of = [\"CL\", \"V\"], in its order");
            return;
        }
        if (!find_named()) return;
        const std::size_t n = read_->of.size();
        const auto matrix = read_triangle(words_.covariance, n, true, "parameters", diagnostics_);
        if (!matrix) return;
        if (is_positive_semidefinite(*matrix, n))
            read_->covariance = *matrix;
        else
            diagnostics_.add(words_.covariance.span(),
                             "this covariance is not positive semidefinite: no parameters are "
                             "uncertain like that");
    }

    /// Independent of each other.
    void read_rse() {
        std::vector<double> variances;
        for (const auto& [name, value] : words_.rse.members()) {
            const auto rse = value.number();
            if (!rse || !(*rse >= 0.0) || !(*rse < slip)) {
                diagnostics_.add(
                    value.span(),
                    fmt::format("the relative standard error of {} is a fraction", name),
                    "for 12 % write 0.12");
                continue;
            }
            const int index = find(name, value.key_span());
            if (index < 0) continue;
            read_->of.push_back(index);
            const double sd = read_->law == UncertaintyLaw::lognormal
                                  ? log_sd_of_cv(*rse)
                                  : *rse * std::abs(parameter_at(model_, index).value);
            variances.push_back(sd * sd);
        }
        const std::size_t n = variances.size();
        if (words_.rse.kind() != io::TomlKind::table || words_.rse.members().empty())
            diagnostics_.add(words_.rse.span(),
                             "a table of relative standard errors is expected",
                             "as in { CL = 0.08, V = 0.12 }");
        read_->covariance.assign(n * n, 0.0);
        for (std::size_t i = 0; i < n; ++i)
            read_->covariance[i * n + i] = variances[i];
    }

    void read_draws() {
        const std::filesystem::path path = study_.parent_path() / words_.draws;
        std::error_code error;
        if (!std::filesystem::is_regular_file(path, error)) {
            diagnostics_.add(words_.draws_span,
                             fmt::format("there is no file '{}' beside the study", words_.draws));
            return;
        }
        const auto source = io::read_source(path, diagnostics_);
        if (!source) return;
        read_->path = path;
        read_->file = source;
        read_->file_name = "draws_" + path.stem().string() + "_csv";
        const io::CsvTable table = io::parse_csv(source, diagnostics_);
        read_->n_rows = table.rows.size();
        for (std::size_t column = 0; column < table.header.size(); ++column)
            read_column(table, column);
        for (const std::string& name : words_.of)
            if (std::ranges::count(read_->of, model_.find_parameter(name)) == 0)
                diagnostics_.add(words_.of_span,
                                 fmt::format("{} has no column '{}'", words_.draws, name));
    }

    /// Without `of` every column is a parameter's.
    void read_column(const io::CsvTable& table, std::size_t column) {
        const io::CsvCell& header = table.header[column];
        const auto [name, unit] = split_header(header.text);
        if (!words_.of.empty() && std::ranges::count(words_.of, name) == 0) return;
        const int index = find(name, header.span);
        if (index < 0) return;
        read_->of.push_back(index);
        const double factor = factor_of(parameter_at(model_, index), unit, header.span);
        for (const auto& row : table.rows) {
            const auto value = number_in(row[column].text);
            if (!value)
                diagnostics_.add(row[column].span,
                                 fmt::format("'{}' is no finite number", row[column].text));
            read_->draws.push_back(factor * value.value_or(0.0));
        }
    }

    double
    factor_of(const Parameter& parameter, const std::string& text, const sim::SourceSpan& place) {
        if (text.empty()) return 1.0;
        std::string why;
        const auto unit = sim::parse_unit(text, &why);
        if (unit && unit->dimension == parameter.unit.dimension)
            return sim::conversion_factor(*unit, parameter.unit);
        diagnostics_.add(
            place,
            unit ? fmt::format(
                       "the column is in {}, {} in {}", text, parameter.name, parameter.unit.text)
                 : fmt::format("\"{}\" is no unit: {}", text, why));
        return 1.0;
    }

    static constexpr double slip = 10.0; ///< from here on it is a percentage

    const UncertaintyWords& words_;
    const Model& model_;
    const std::filesystem::path& study_;
    sim::DiagnosticList& diagnostics_;
    std::shared_ptr<ParameterUncertainty> read_;
};

/// The first replicate that no patient could live in, and how many there are.
void check_replicates(const UncertaintyWords& words,
                      const Model& model,
                      const ParameterUncertainty& uncertainty,
                      std::uint64_t seed,
                      std::uint32_t n_replicates,
                      sim::DiagnosticList& diagnostics) {
    std::string first;
    std::uint32_t n_bad = 0;
    for (std::uint32_t r = 0; r < n_replicates; ++r) {
        const std::vector<double> values = typical_values(model, &uncertainty, seed, r);
        std::string why;
        for (int index : uncertainty.of) {
            const Parameter& parameter = parameter_at(model, index);
            const double value = values[static_cast<std::size_t>(index)];
            const std::string reason = why_no_value(parameter, value);
            if (why.empty() && !reason.empty())
                why = fmt::format("replicate {} has {} = {:.6g} {}, {}",
                                  r + 1,
                                  parameter.name,
                                  value,
                                  parameter.unit.text,
                                  reason);
        }
        n_bad += !why.empty();
        if (first.empty()) first = why;
    }
    if (n_bad > 1) first += fmt::format(" ({} of {} are like that)", n_bad, n_replicates);
    if (n_bad > 0)
        diagnostics.add(words.span,
                        first,
                        words.draws.empty()
                            ? "law = \"lognormal\" keeps values above 0, with a covariance of "
                              "logarithms or rse"
                            : "leave such rows out of the table");
}

} // namespace

std::vector<double> typical_values(const Model& model,
                                   const ParameterUncertainty* uncertainty,
                                   std::uint64_t seed,
                                   std::uint32_t replicate) {
    std::vector<double> values;
    for (const Parameter& parameter : model.parameters)
        values.push_back(parameter.value);
    if (!uncertainty) return values;
    const std::size_t n = uncertainty->of.size();
    const auto value_of = [&](std::size_t i) -> double& {
        return values[static_cast<std::size_t>(uncertainty->of[i])];
    };
    if (!uncertainty->draws.empty()) {
        for (std::size_t i = 0; i < n; ++i)
            value_of(i) = uncertainty->draws[i * uncertainty->n_rows + replicate];
        return values;
    }
    std::vector<double> z;
    for (int index : uncertainty->of)
        z.push_back(
            sim::RandomStream({seed, replicate, 0},
                              sim::purpose_number("uncertainty/" + parameter_at(model, index).name))
                .normal());
    const std::vector<double> lower = cholesky(uncertainty->covariance, n);
    for (std::size_t i = 0; i < n; ++i) {
        double error = 0.0;
        for (std::size_t k = 0; k <= i; ++k)
            error += lower[i * n + k] * z[k];
        if (uncertainty->law == UncertaintyLaw::lognormal)
            value_of(i) *= sim::apply(sim::Op::exponential, error, 0.0, 0.0);
        else
            value_of(i) += error;
    }
    return values;
}

void describe_uncertainty(io::Fields& f, UncertaintyWords& words) {
    words.span = f.span();
    f.texts(optional_key("of",
                         "parameters in the order of covariance, or columns of draws",
                         "[\"CL\", \"V\"]"),
            words.of);
    words.of_span = f.span("of");
    f.any(
        optional_key("covariance",
                     "of typical values in their units (law lognormal: of their logarithms), rows "
                     "of the lower triangle with the diagonal",
                     "[[0.09], [0.02, 4]]"),
        "rows of numbers",
        [&](const io::TomlView& view) { words.covariance = view; });
    f.any(optional_key("rse",
                       "relative standard errors, independent of each other",
                       "{ CL = 0.08, V = 0.12 }"),
          "fractions by parameter",
          [&](const io::TomlView& view) { words.rse = view; });
    f.text(optional_key("draws",
                        "a CSV file beside the study, one row per replicate (bootstrap, posterior)",
                        "\"draws.csv\""),
           words.draws);
    words.draws_span = f.span("draws");
    f.one_of({"covariance", "rse", "draws"}, true);
    f.choice(optional_key("law", "of covariance and rse", "\"lognormal\""),
             {"normal", "lognormal"},
             words.law);
    if (f.has("draws") && f.has("law"))
        f.mistake("law", "draws are values already", "leave 'law' out");
    if (f.has("rse") && f.has("of"))
        f.mistake("of", "'rse' names its parameters itself", "leave 'of' out");
}

std::shared_ptr<const ParameterUncertainty> read_uncertainty(const UncertaintyWords& words,
                                                             const Model& model,
                                                             const std::filesystem::path& study,
                                                             std::uint64_t seed,
                                                             std::uint32_t n_replicates,
                                                             sim::DiagnosticList& diagnostics) {
    const auto read = UncertaintyReader(words, model, study, diagnostics).read();
    if (!read) return nullptr;
    if (!read->draws.empty() && read->n_rows < n_replicates) {
        diagnostics.add(
            words.draws_span,
            fmt::format(
                "{} has {} rows for {} replicates", words.draws, read->n_rows, n_replicates),
            fmt::format("write replicates = {} in [study], or give more rows", read->n_rows));
        return nullptr;
    }
    const std::size_t n_before = diagnostics.size();
    check_replicates(words, model, *read, seed, n_replicates, diagnostics);
    return diagnostics.size() == n_before ? read : nullptr;
}

} // namespace gemel::pkpd
