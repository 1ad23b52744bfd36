#include "covariate_law.hpp"
#include "estimate_scale.hpp"
#include "keys.hpp"
#include "names_of.hpp"
#include "table_cells.hpp"
#include "triangle.hpp"

#include <gemel/io/csv_table.hpp>
#include <gemel/pkpd/uncertainty.hpp>
#include <gemel/sim/distributions.hpp>
#include <gemel/sim/expression.hpp>
#include <gemel/sim/random.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace gemel::pkpd {
namespace {

using UncertaintyLaw = ParameterUncertainty::Law;

constexpr double percentage_slip = 10.0; ///< from here on a relative error is a percentage

/// "iiv.CL.var" → value of `{ iiv.CL.var = 0.2 }`, dots of TOML being tables.
void flatten(const io::TomlView& table,
             const std::string& prefix,
             std::vector<std::pair<std::string, std::pair<sim::SourceSpan, io::TomlView>>>& flat) {
    for (const auto& [name, value] : table.members())
        if (value.kind() == io::TomlKind::table)
            flatten(value, prefix + name + ".", flat);
        else
            flat.push_back({prefix + name, {value.key_span(), value}});
}

/// A table of draws as it stands in its file.
struct DrawsTable {
    io::CsvTable table;
    std::vector<std::size_t> columns; ///< [n_joint]
};

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
        read_->n_joint = read_->numbers.size();
        for (const UncertaintyWords::Omega& omega : words_.omega)
            read_omega(omega);
        return diagnostics_.size() == n_before ? read_ : nullptr;
    }

    const DrawsTable& draws() const { return draws_; }

private:
    /// Adds it to the numbers. @returns false after a mistake
    bool add(const std::string& name, const sim::SourceSpan& place) {
        const auto number = find_law_number(model_, name, place, diagnostics_);
        if (!number) return false;
        const bool is_known =
            std::ranges::count(read_->numbers, number->subject, &LawNumber::subject) > 0;
        const bool needs_sign = number->kind == LawNumber::Kind::typical &&
                                read_->law == UncertaintyLaw::lognormal && words_.draws.empty();
        std::string why;
        if (is_known)
            why = fmt::format("'{}' is named twice", name);
        else if (needs_sign && !(value_of(laws_, *number) > 0.0))
            why = fmt::format("law \"lognormal\" needs a value of '{}' above 0", name);
        if (!why.empty()) diagnostics_.add(place, why);
        if (why.empty()) read_->numbers.push_back(*number);
        return why.empty();
    }

    bool add_named() {
        const std::size_t n_before = diagnostics_.size();
        for (const std::string& name : words_.of)
            add(name, words_.of_span);
        return diagnostics_.size() == n_before;
    }

    void read_covariance() {
        if (words_.of.empty()) {
            diagnostics_.add(words_.covariance.span(),
                             "whose covariance this is, is not said",
                             "write of = [\"CL\", \"V\"], in its order");
            return;
        }
        if (!add_named()) return;
        const std::size_t n = read_->numbers.size();
        const auto matrix = read_triangle(words_.covariance, n, true, "parameters", diagnostics_);
        if (!matrix) return;
        if (is_positive_semidefinite(*matrix, n))
            set_covariance(*matrix);
        else
            diagnostics_.add(words_.covariance.span(),
                             "this covariance is not positive semidefinite: no parameters are "
                             "uncertain like that");
    }

    TypicalScale scale_of_typical() const {
        if (read_->law == UncertaintyLaw::normal) return {};
        if (read_->law == UncertaintyLaw::lognormal) return {.are_logarithms = true, .bounds = {}};
        return {.are_logarithms = false, .bounds = bounds_of_typical(model_)};
    }

    void set_covariance(const std::vector<double>& covariance) {
        auto scale = std::make_shared<EstimateScale>(laws_, read_->numbers, scale_of_typical());
        const std::vector<LawMistake> mistakes = scale->mistakes();
        for (const LawMistake& mistake : mistakes)
            diagnostics_.add(
                words_.span,
                fmt::format("{} {}", read_->numbers[mistake.number].name, mistake.why));
        if (!mistakes.empty()) return;
        read_->root = cholesky(scale->moved(covariance), read_->numbers.size());
        read_->scale = std::move(scale);
    }

    /// Independent of each other.
    void read_rse() {
        std::vector<double> variances;
        std::vector<std::pair<std::string, std::pair<sim::SourceSpan, io::TomlView>>> given;
        flatten(words_.rse, "", given);
        for (const auto& [name, place_and_value] : given) {
            const auto& [place, value] = place_and_value;
            const auto rse = value.number();
            if (!rse || !(*rse >= 0.0) || !(*rse < percentage_slip)) {
                diagnostics_.add(
                    value.span(),
                    fmt::format("the relative standard error of {} is a fraction", name),
                    "for 12 % write 0.12");
                continue;
            }
            if (!add(name, place)) continue;
            const LawNumber& number = read_->numbers.back();
            const bool is_of_logarithm =
                number.kind == LawNumber::Kind::typical && read_->law == UncertaintyLaw::lognormal;
            const double sd =
                is_of_logarithm ? log_sd_of_cv(*rse) : *rse * std::abs(value_of(laws_, number));
            variances.push_back(sd * sd);
        }
        const std::size_t n = variances.size();
        if (words_.rse.kind() != io::TomlKind::table || words_.rse.members().empty())
            diagnostics_.add(words_.rse.span(),
                             "a table of relative standard errors is expected",
                             "as in { CL = 0.08, V = 0.12 }");
        if (n != read_->numbers.size()) return;
        std::vector<double> covariance(n * n, 0.0);
        for (std::size_t i = 0; i < n; ++i)
            covariance[i * n + i] = variances[i];
        set_covariance(covariance);
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
        draws_.table = io::parse_csv(source, diagnostics_);
        read_->n_rows = draws_.table.rows.size();
        if (words_.columns.is_set())
            read_mapped_columns();
        else
            read_own_columns();
    }

    /// Columns are called like their numbers. Without `of` every column is one.
    void read_own_columns() {
        std::vector<std::string> found;
        for (std::size_t column = 0; column < draws_.table.header.size(); ++column) {
            const std::string name = split_header(draws_.table.header[column].text).name;
            if (!words_.of.empty() && std::ranges::count(words_.of, name) == 0) continue;
            found.push_back(name);
            read_column(name, column, draws_.table.header[column].span);
        }
        for (const std::string& name : words_.of)
            if (std::ranges::count(found, name) == 0)
                diagnostics_.add(words_.of_span,
                                 fmt::format("{} has no column '{}'", words_.draws, name));
    }

    /// `columns = { CL = "THETA1", iiv.CL.var = "OMEGA(1,1)" }`
    void read_mapped_columns() {
        std::vector<std::string> headers;
        for (const io::CsvCell& cell : draws_.table.header)
            headers.push_back(split_header(cell.text).name);
        std::vector<std::pair<std::string, std::pair<sim::SourceSpan, io::TomlView>>> given;
        flatten(words_.columns, "", given);
        for (const auto& [name, place_and_value] : given) {
            const auto& [place, value] = place_and_value;
            const auto header = value.text();
            const auto at = header ? std::ranges::find(headers, *header) : headers.end();
            if (!header)
                diagnostics_.add(value.span(), "the name of a column is expected", "\"THETA1\"");
            else if (at == headers.end())
                diagnostics_.add(value.span(),
                                 fmt::format("{} has no column '{}'", words_.draws, *header),
                                 sim::suggest(*header, headers));
            else
                read_column(name, static_cast<std::size_t>(at - headers.begin()), place);
        }
        if (given.empty())
            diagnostics_.add(words_.columns.span(),
                             "a table from our names to those of the file is expected",
                             "as in { CL = \"THETA1\", iiv.CL.var = \"OMEGA(1,1)\" }");
    }

    void read_column(const std::string& name, std::size_t column, const sim::SourceSpan& place) {
        if (!add(name, place)) return;
        const io::CsvCell& header = draws_.table.header[column];
        draws_.columns.push_back(column);
        const double factor =
            factor_of(read_->numbers.back(), split_header(header.text).unit, header.span);
        for (const auto& row : draws_.table.rows) {
            const auto value = number_in(row[column].text);
            if (!value)
                diagnostics_.add(row[column].span,
                                 fmt::format("'{}' is no finite number", row[column].text));
            read_->draws.push_back(factor * value.value_or(0.0));
        }
    }

    double
    factor_of(const LawNumber& number, const std::string& text, const sim::SourceSpan& place) {
        if (text.empty()) return 1.0;
        std::string why;
        const auto unit = sim::parse_unit(text, &why);
        if (unit && unit->dimension == number.unit.dimension)
            return sim::conversion_factor(*unit, number.unit);
        diagnostics_.add(
            place,
            unit ? fmt::format("the column is in {}, {} in {}", text, number.name, number.unit.text)
                 : fmt::format("\"{}\" is no unit: {}", text, why));
        return 1.0;
    }

    void read_omega(const UncertaintyWords::Omega& words) {
        const auto estimate = find_estimate(words);
        if (!estimate) return;
        const auto n = static_cast<double>(estimate->of.size());
        // The diagonal is inverse gamma: a CV of ε is one of shape 2 + 1/ε².
        const double df = words.rse > 0.0 ? 2.0 / (words.rse * words.rse) + n + 3.0 : words.df;
        if (!(df > n + 1.0)) {
            diagnostics_.add(words.span,
                             fmt::format("{:g} degrees of freedom say nothing of {:g} effect{}",
                                         df,
                                         n,
                                         n == 1.0 ? "" : "s"),
                             fmt::format("above {:g} they have a mean; or give rse, the relative "
                                         "standard error of the variances",
                                         n + 1.0));
            return;
        }
        add_names_of(*estimate, words.of_span);
        read_->groups.push_back({*estimate, df});
    }

    /// One [[omega]] of the model, or one effect that is in none.
    std::optional<OmegaBlock> find_estimate(const UncertaintyWords::Omega& words) {
        const char* kind = words.level == Level::subject ? "iiv" : "iov";
        std::vector<int> of;
        for (const std::string& name : words.of) {
            const auto number =
                find_law_number(model_,
                                fmt::format("{}.{}.{}", kind, name, reading_of(name, words.level)),
                                words.of_span,
                                diagnostics_);
            if (!number) return std::nullopt;
            of.push_back(number->first);
        }
        for (const OmegaBlock& block : model_.omega)
            if (block.level == words.level && std::ranges::is_permutation(block.of, of))
                return block;
        const bool is_in_group = std::ranges::any_of(model_.omega, [&](const OmegaBlock& block) {
            return block.level == words.level && std::ranges::any_of(of, [&](int p) {
                       return std::ranges::count(block.of, p) > 0;
                   });
        });
        if (of.size() == 1 && !is_in_group) {
            const double spread =
                laws_.effect(words.level, static_cast<std::size_t>(of[0]))->spread();
            return OmegaBlock{of, {spread * spread}, words.level};
        }
        diagnostics_.add(words.of_span,
                         "an inverse Wishart law is that of one [[omega]] of the model as a whole, "
                         "or of one effect that is in none");
        return std::nullopt;
    }

    /// What an element of Ω says: of law student the spread is a scale.
    const char* reading_of(const std::string& parameter, Level level) const {
        const int index = model_.find_parameter(parameter);
        if (index < 0) return "var";
        const auto& law = model_.parameters[static_cast<std::size_t>(index)].effect(level);
        return law && law->law == VariabilityLaw::student ? "scale" : "var";
    }

    void add_names_of(const OmegaBlock& block, const sim::SourceSpan& place) {
        const char* kind = block.level == Level::subject ? "iiv" : "iov";
        const auto name_of = [&](std::size_t i) -> const std::string& {
            return model_.parameters[static_cast<std::size_t>(block.of[i])].name;
        };
        bool has_scale = false;
        for (std::size_t i = 0; i < block.of.size(); ++i)
            has_scale =
                has_scale || std::string_view(reading_of(name_of(i), block.level)) == "scale";
        for (std::size_t i = 0; i < block.of.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j)
                add(fmt::format("{}.{}.{}.{}",
                                kind,
                                name_of(j),
                                name_of(i),
                                has_scale ? "correlation" : "covariance"),
                    place);
            add(fmt::format("{}.{}.{}", kind, name_of(i), reading_of(name_of(i), block.level)),
                place);
        }
    }

    const UncertaintyWords& words_;
    const Model& model_;
    const std::filesystem::path& study_;
    sim::DiagnosticList& diagnostics_;
    PopulationLaws laws_ = laws_of(model_);
    std::shared_ptr<ParameterUncertainty> read_;
    DrawsTable draws_;
};

/// Replicates that no patient could live in: the first of a kind is told, with how many there are.
class ReplicateCheck {
public:
    ReplicateCheck(const UncertaintyWords& words,
                   const Model& model,
                   const ParameterUncertainty& uncertainty,
                   const DrawsTable& draws)
        : words_(words),
          model_(model),
          uncertainty_(uncertainty),
          draws_(draws) {}

    void run(std::uint64_t seed, std::uint32_t n_replicates, sim::DiagnosticList& diagnostics) {
        for (std::uint32_t r = 0; r < n_replicates; ++r)
            look_at(r, uncertain_values(uncertainty_, seed, r));
        for (const auto& [number, kind] : kinds_)
            diagnostics.add(
                kind.place,
                kind.first + (kind.n == 1
                                  ? ""
                                  : fmt::format(" ({} of {} are like that)", kind.n, n_replicates)),
                words_.draws.empty() ? "law = \"lognormal\" keeps values above 0, with a "
                                       "covariance of logarithms or rse"
                                     : "leave such rows out of the table");
    }

private:
    struct Mistakes {
        sim::SourceSpan place;
        std::string first;
        std::size_t n = 0;
    };

    void look_at(std::uint32_t r, const std::vector<double>& values) {
        laws_ = estimates_;
        const std::vector<LawMistake> mistakes =
            set_values(model_, uncertainty_.numbers, values, laws_);
        for (const LawMistake& mistake : mistakes) {
            // Of a table every column has its own place; else the first tells of the replicate.
            const bool is_in_table = mistake.number < draws_.columns.size();
            Mistakes& kind = kinds_[is_in_table ? mistake.number : draws_.columns.size()];
            if (kind.n++ == 0) {
                const LawNumber& number = uncertainty_.numbers[mistake.number];
                kind.first = fmt::format("replicate {} has {} = {:.6g}{}, {}",
                                         r + 1,
                                         number.name,
                                         values[mistake.number],
                                         number.unit.text == "1" ? "" : " " + number.unit.text,
                                         mistake.why);
                kind.place = is_in_table ? draws_.table.rows[r][draws_.columns[mistake.number]].span
                                         : words_.span;
            }
            if (!is_in_table) break;
        }
    }

    const UncertaintyWords& words_;
    const Model& model_;
    const ParameterUncertainty& uncertainty_;
    const DrawsTable& draws_;
    PopulationLaws estimates_ = laws_of(model_), laws_;
    std::map<std::size_t, Mistakes> kinds_; ///< by the number they lie at
};

/// Draws of a replicate, number by number.
class ReplicateStream {
public:
    ReplicateStream(std::uint64_t seed, std::uint32_t replicate) : key_{seed, replicate, 0} {}
    sim::RandomStream of(const LawNumber& number) const {
        return {key_, sim::purpose_number("uncertainty/" + number.subject)};
    }

private:
    sim::RandomStream::Key key_;
};

/// Of the covariance: the estimates and their errors.
void draw_estimates(const ParameterUncertainty& uncertainty,
                    const ReplicateStream& stream,
                    std::vector<double>& values) {
    const std::size_t n = uncertainty.n_joint;
    std::vector<double> z, errors(n, 0.0);
    for (std::size_t i = 0; i < n; ++i)
        z.push_back(stream.of(uncertainty.numbers[i]).normal());
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t k = 0; k <= i; ++k)
            errors[i] += uncertainty.root[i * n + k] * z[k];
    values = uncertainty.scale->values_at(errors);
}

/// A⁻ᵀ of a lower triangular A, upper triangular.
std::vector<double> inverse_transposed(const std::vector<double>& lower, std::size_t n) {
    std::vector<double> inverse(n * n, 0.0); // of A, lower triangular
    for (std::size_t j = 0; j < n; ++j)
        for (std::size_t i = j; i < n; ++i) {
            double rest = i == j ? 1.0 : 0.0;
            for (std::size_t k = j; k < i; ++k)
                rest -= lower[i * n + k] * inverse[k * n + j];
            inverse[i * n + j] = rest / lower[i * n + i];
        }
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < i; ++j)
            std::swap(inverse[i * n + j], inverse[j * n + i]);
    return inverse;
}

/// Ω⁻¹ is of law Wishart(ν, (νΩ̂)⁻¹). With νΩ̂ = L·Lᵀ and Bartlett's W = A·Aᵀ of law
/// Wishart(ν, 1), Ω = (L·A⁻ᵀ)·(L·A⁻ᵀ)ᵀ; A[i][i]² is χ² with ν − i degrees of freedom, what is
/// below the diagonal is normal.
/// @param numbers  the lower triangle, row after row
std::vector<double> draw_omega(const ParameterUncertainty::Wishart& group,
                               std::span<const LawNumber> numbers,
                               const ReplicateStream& stream) {
    const std::size_t n = group.estimate.of.size();
    std::vector<double> scale = group.estimate.covariance, a(n * n, 0.0), m(n * n, 0.0);
    for (double& cell : scale)
        cell *= group.df;
    for (std::size_t i = 0, at = 0; i < n; ++i)
        for (std::size_t j = 0; j <= i; ++j, ++at) {
            sim::RandomStream own = stream.of(numbers[at]);
            const double half_df = 0.5 * (group.df - static_cast<double>(i));
            a[i * n + j] = i == j ? std::sqrt(2.0 * sim::gamma_quantile(half_df, own.uniform()))
                                  : own.normal();
        }
    const std::vector<double> lower = cholesky(scale, n), inverse = inverse_transposed(a, n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            for (std::size_t k = 0; k <= std::min(i, j); ++k)
                m[i * n + j] += lower[i * n + k] * inverse[k * n + j];
    return times_transposed(m, n);
}

/// An element of Ω as its number is read.
double element_as_read(const std::vector<double>& omega,
                       std::size_t n,
                       std::size_t i,
                       std::size_t j,
                       LawNumber::Reading reading) {
    const double element = omega[i * n + j];
    if (reading == LawNumber::Reading::scale) return std::sqrt(element);
    if (reading != LawNumber::Reading::correlation || element == 0.0) return element;
    return element / std::sqrt(omega[i * n + i] * omega[j * n + j]);
}

void draw_groups(const ParameterUncertainty& uncertainty,
                 const ReplicateStream& stream,
                 std::vector<double>& values) {
    std::size_t first = uncertainty.n_joint;
    for (const ParameterUncertainty::Wishart& group : uncertainty.groups) {
        const std::size_t n = group.estimate.of.size(), n_numbers = n * (n + 1) / 2;
        const auto numbers = std::span(uncertainty.numbers).subspan(first, n_numbers);
        const std::vector<double> omega = draw_omega(group, numbers, stream);
        for (std::size_t i = 0, at = 0; i < n; ++i)
            for (std::size_t j = 0; j <= i; ++j, ++at)
                values.push_back(element_as_read(omega, n, i, j, numbers[at].reading));
        first += n_numbers;
    }
}

void describe_omega_uncertainty(io::Fields& f, UncertaintyWords::Omega& words) {
    words.span = f.span();
    f.texts(required_key("of",
                         "parameters of one [[omega]] of the model, or one that is in none",
                         "[\"CL\", \"V\"]"),
            words.of);
    words.of_span = f.span("of");
    int level = 0;
    f.choice(optional_key("level", "of the effects: of iiv or of iov", "\"subject\""),
             {"subject", "occasion"},
             level);
    words.level = static_cast<Level>(level);
    f.number(positive(optional_key("df", "degrees of freedom", "60")), words.df);
    f.number(positive(optional_key(
                 "rse", "instead: the relative standard error of the variances", "0.2")),
             words.rse);
    f.one_of({"df", "rse"}, true);
    if (f.has("rse") && words.rse >= percentage_slip)
        f.mistake("rse", "a relative standard error is a fraction", "for 20 % write 0.20");
}

} // namespace

std::vector<double> uncertain_values(const ParameterUncertainty& uncertainty,
                                     std::uint64_t seed,
                                     std::uint32_t replicate) {
    const ReplicateStream stream(seed, replicate);
    std::vector<double> values;
    if (uncertainty.scale)
        draw_estimates(uncertainty, stream, values);
    else
        for (std::size_t i = 0; i < uncertainty.n_joint; ++i)
            values.push_back(uncertainty.draws[i * uncertainty.n_rows + replicate]);
    draw_groups(uncertainty, stream, values);
    return values;
}

std::optional<PopulationLaws> laws_of_replicate(const Model& model,
                                                const ParameterUncertainty* uncertainty,
                                                std::uint64_t seed,
                                                std::uint32_t replicate) {
    if (!uncertainty) return std::nullopt;
    PopulationLaws laws = laws_of(model);
    set_values(model,
               uncertainty->numbers,
               uncertain_values(*uncertainty, seed, replicate),
               laws); // mistakes were told at load
    return laws;
}

void describe_uncertainty(io::Fields& f, UncertaintyWords& words) {
    words.span = f.span();
    f.texts(optional_key("of",
                         "typical values, variances … in the order of covariance, or columns of "
                         "draws: see the guide for their names",
                         "[\"CL\", \"iiv.CL.var\"]"),
            words.of);
    words.of_span = f.span("of");
    f.any(
        optional_key("covariance",
                     "of the estimates in their units (law lognormal: of the logarithms of typical "
                     "values), rows of the lower triangle with the diagonal",
                     "[[0.09], [0.02, 4]]"),
        "rows of numbers",
        [&](const io::TomlView& view) { words.covariance = view; });
    f.any(optional_key("rse",
                       "relative standard errors, independent of each other",
                       "{ CL = 0.08, iiv.CL.var = 0.2 }"),
          "fractions by name",
          [&](const io::TomlView& view) { words.rse = view; });
    f.text(optional_key("draws",
                        "a CSV file beside the study, one row per replicate (bootstrap, posterior)",
                        "\"draws.csv\""),
           words.draws);
    words.draws_span = f.span("draws");
    f.any(optional_key("columns",
                       "of draws, where the file calls them otherwise",
                       "{ CL = \"THETA1\", iiv.CL.var = \"OMEGA(1,1)\" }"),
          "headers by name",
          [&](const io::TomlView& view) { words.columns = view; });
    f.list(optional_key("omega", "effects whose covariance is of an inverse Wishart law", ""),
           [&](io::Fields& g) { describe_omega_uncertainty(g, words.omega.emplace_back()); });
    if (f.is_listing()) words.omega.clear();
    int from = -1;
    f.choice(optional_key("from",
                          "the model's own uncertainty, as a calibration writes it; alone in its "
                          "table",
                          "\"model\""),
             {"model"},
             from);
    words.is_of_model = from == 0;
    f.one_of({"from", "covariance", "rse", "draws"}, !f.has("omega"));
    f.choice(optional_key("law",
                          "of typical values, for covariance and rse; normal. bounded: within the "
                          "bounds of the model",
                          "\"lognormal\""),
             {"normal", "lognormal", "bounded"},
             words.law);
    for (const char* key : {"of", "law", "columns", "omega"})
        if (f.has("from") && f.has(key))
            f.mistake(
                key, fmt::format("the model says itself what is uncertain; '{}' is left out", key));
    if (f.has("draws") && f.has("law"))
        f.mistake("law", "draws are values already", "leave 'law' out");
    if (f.has("rse") && f.has("of"))
        f.mistake("of", "'rse' names its parameters itself", "leave 'of' out");
    if (f.has("columns") && !f.has("draws"))
        f.mistake("columns", "columns are those of 'draws'", "leave 'columns' out");
    if (f.has("columns") && f.has("of"))
        f.mistake("of", "'columns' names its parameters itself", "leave 'of' out");
}

std::shared_ptr<const ParameterUncertainty> read_uncertainty(const UncertaintyWords& words,
                                                             const Model& model,
                                                             const std::filesystem::path& study,
                                                             std::uint64_t seed,
                                                             std::uint32_t n_replicates,
                                                             sim::DiagnosticList& diagnostics) {
    UncertaintyReader reader(words, model, study, diagnostics);
    const auto read = reader.read();
    if (!read) return nullptr;
    if (!words.draws.empty() && read->n_rows < n_replicates) {
        diagnostics.add(
            words.draws_span,
            fmt::format(
                "{} has {} rows for {} replicates", words.draws, read->n_rows, n_replicates),
            read->n_rows == 0
                ? "below its header a table has one row of values per replicate"
                : fmt::format("write replicates = {} in [study], or give more rows", read->n_rows));
        return nullptr;
    }
    const std::size_t n_before = diagnostics.size();
    ReplicateCheck(words, model, *read, reader.draws()).run(seed, n_replicates, diagnostics);
    return diagnostics.size() == n_before ? read : nullptr;
}

} // namespace gemel::pkpd
