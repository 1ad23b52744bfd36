#include "covariate_law.hpp"
#include "population_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::pkpd {
namespace {

using Law = CovariateDistribution::Law;

/// Reads the law of one covariate; what is wrong is reported at its own place.
class CovariateReader {
public:
    CovariateReader(const Covariate& covariate, sim::DiagnosticList& diagnostics)
        : covariate_(covariate),
          diagnostics_(diagnostics) {}

    std::optional<CovariateDistribution> read(const io::TomlView& view) const;

private:
    using Law_ = std::optional<CovariateDistribution>;

    std::nullopt_t mistake(const io::TomlView& view,
                           const std::string& message,
                           const std::string& help = {}) const {
        diagnostics_.add(view.span(), message, help);
        return std::nullopt;
    }
    bool is_categorical() const { return !covariate_.categories.empty(); }
    std::string example() const;

    std::optional<double> value(const io::TomlView& view) const;
    std::optional<double> bare(const io::TomlView& view) const;
    Law_ fixed(const io::TomlView& view) const;
    Law_ law(const io::TomlView& table) const;
    Law_ law_of(const std::string& word, const io::TomlView& body) const;
    Law_ normal(const io::TomlView& body) const;
    Law_ lognormal(const io::TomlView& body) const;
    Law_ uniform(const io::TomlView& body) const;
    Law_ categorical(const io::TomlView& body) const;
    Law_ truncated(CovariateDistribution law, const io::TomlView& within) const;
    bool has_keys(const io::TomlView& table, const std::vector<std::string>& known) const;
    std::optional<std::pair<double, double>> ends(const io::TomlView& view, const char* what) const;
    std::optional<double>
    positive(const io::TomlView& body, const char* key, std::optional<double> number) const;

    const Covariate& covariate_;
    sim::DiagnosticList& diagnostics_;
};

std::string CovariateReader::example() const {
    if (is_categorical()) return fmt::format("\"{}\"", covariate_.categories.front());
    const double reference = covariate_.reference.value_or(1.0);
    return covariate_.unit.is_dimensionless()
               ? fmt::format("{}", reference)
               : fmt::format("\"{} {}\"", reference, covariate_.unit.text);
}

/// A number in the covariate's unit, or a quantity converted to it.
std::optional<double> CovariateReader::value(const io::TomlView& view) const {
    std::optional<double> number = view.number();
    if (const std::optional<std::string> text = view.text()) {
        std::string why;
        const std::optional<sim::Quantity> quantity = sim::parse_quantity(*text, &why);
        if (!quantity)
            return mistake(view,
                           fmt::format("\"{}\" is not understood: {}", *text, why),
                           fmt::format("write {}", example()));
        if (!(quantity->unit.dimension == covariate_.unit.dimension))
            return mistake(view,
                           fmt::format("\"{}\" is {}, but the covariate {} is in {}",
                                       *text,
                                       quantity->unit.dimension.name(),
                                       covariate_.name,
                                       covariate_.unit.text),
                           fmt::format("write {}", example()));
        number = quantity->in(covariate_.unit);
    }
    if (!number)
        return mistake(view,
                       fmt::format("{} stands where a value of {} is expected",
                                   name(view.kind()),
                                   covariate_.name),
                       fmt::format("write {}", example()));
    if (!std::isfinite(*number)) return mistake(view, "a value must be finite");
    return number;
}

std::optional<double> CovariateReader::bare(const io::TomlView& view) const {
    const std::optional<double> number = view.number();
    if (!number || !std::isfinite(*number))
        return mistake(view, "a number without unit is expected");
    return number;
}

CovariateReader::Law_ CovariateReader::fixed(const io::TomlView& view) const {
    CovariateDistribution law;
    if (!is_categorical()) {
        const std::optional<double> number = value(view);
        law.location = number.value_or(0.0);
        return number ? Law_(law) : std::nullopt;
    }
    const std::string category = view.text().value_or("");
    const auto& categories = covariate_.categories;
    const auto found = std::find(categories.begin(), categories.end(), category);
    if (found == categories.end())
        return mistake(
            view,
            category.empty()
                ? fmt::format("{} is a covariate of categories, written as a text", covariate_.name)
                : fmt::format("{} has no category '{}'", covariate_.name, category),
            sim::suggest(category, categories));
    law.location = static_cast<double>(found - categories.begin());
    return law;
}

bool CovariateReader::has_keys(const io::TomlView& table,
                               const std::vector<std::string>& known) const {
    if (table.kind() != io::TomlKind::table) {
        mistake(table,
                fmt::format("{} stands where a table is expected", name(table.kind())),
                fmt::format("its keys are {}", fmt::join(known, ", ")));
        return false;
    }
    bool is_right = true;
    for (const auto& [key, member] : table.members())
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            diagnostics_.add(
                member.key_span(), fmt::format("unknown key '{}'", key), sim::suggest(key, known));
            is_right = false;
        }
    return is_right;
}

std::optional<double> CovariateReader::positive(const io::TomlView& body,
                                                const char* key,
                                                std::optional<double> number) const {
    if (number && !(*number > 0.0))
        return mistake(body[key], fmt::format("`{}` must be above 0", key));
    return number;
}

CovariateReader::Law_ CovariateReader::normal(const io::TomlView& body) const {
    if (!has_keys(body, {"mean", "sd"})) return std::nullopt;
    if (!body["mean"].is_set() || !body["sd"].is_set())
        return mistake(body, "a normal law needs `mean` and `sd`");
    const std::optional<double> mean = value(body["mean"]);
    const std::optional<double> sd = positive(body, "sd", value(body["sd"]));
    if (!mean || !sd) return std::nullopt;
    CovariateDistribution law;
    law.law = Law::normal;
    law.location = *mean;
    law.spread = *sd;
    return law;
}

CovariateReader::Law_ CovariateReader::lognormal(const io::TomlView& body) const {
    if (!has_keys(body, {"median", "sd", "cv"})) return std::nullopt;
    const bool by_sd = body["sd"].is_set();
    if (!body["median"].is_set() || by_sd == body["cv"].is_set())
        return mistake(body,
                       "a log-normal law needs `median` and one of `sd` and `cv`",
                       "`sd` is that of the natural logarithm, `cv` the coefficient of variation");
    const char* const key = by_sd ? "sd" : "cv";
    const std::optional<double> median = positive(body, "median", value(body["median"]));
    const std::optional<double> spread = positive(body, key, bare(body[key]));
    if (!median || !spread) return std::nullopt;
    CovariateDistribution law;
    law.law = Law::lognormal;
    law.location = *median;
    law.spread = by_sd ? *spread : log_sd_of_cv(*spread);
    return law;
}

std::optional<std::pair<double, double>> CovariateReader::ends(const io::TomlView& view,
                                                               const char* what) const {
    const std::vector<io::TomlView> elements = view.elements();
    if (view.kind() != io::TomlKind::array || elements.size() != 2)
        return mistake(view,
                       fmt::format("{} is a list of two values, the lower and the upper end", what),
                       "as in [\"40 kg\", \"100 kg\"]");
    const std::optional<double> lower = value(elements[0]);
    const std::optional<double> upper = value(elements[1]);
    if (!lower || !upper) return std::nullopt;
    if (!(*lower < *upper))
        return mistake(view, fmt::format("the lower end of {} is not below the upper", what));
    return std::pair{*lower, *upper};
}

CovariateReader::Law_ CovariateReader::uniform(const io::TomlView& body) const {
    const auto between = ends(body, "`uniform`");
    if (!between) return std::nullopt;
    CovariateDistribution law;
    law.law = Law::uniform;
    law.location = between->first;
    law.spread = between->second;
    return law;
}

CovariateReader::Law_ CovariateReader::categorical(const io::TomlView& body) const {
    const auto given = read_probabilities(body, "probabilities", diagnostics_);
    if (given.empty()) return std::nullopt;
    CovariateDistribution law;
    law.law = Law::categorical;
    law.probabilities.assign(covariate_.categories.size(), 0.0);
    for (const auto& [category, probability] : given) {
        const auto& known = covariate_.categories;
        const auto found = std::find(known.begin(), known.end(), category);
        if (found != known.end())
            law.probabilities[static_cast<std::size_t>(found - known.begin())] = probability;
        else
            diagnostics_.add(body[category].key_span(),
                             fmt::format("{} has no category '{}'", covariate_.name, category),
                             sim::suggest(category, known));
    }
    return law;
}

CovariateReader::Law_ CovariateReader::truncated(CovariateDistribution law,
                                                 const io::TomlView& within) const {
    if (law.law == Law::categorical) return mistake(within, "a law of categories has no `within`");
    const auto between = ends(within, "`within`");
    if (!between) return std::nullopt;
    law.lower = between->first;
    law.upper = between->second;
    if (!(mass_within(law) > 0.0))
        return mistake(within, "the law gives no probability to this interval");
    return law;
}

CovariateReader::Law_ CovariateReader::law_of(const std::string& word,
                                              const io::TomlView& body) const {
    if ((word == "categorical") != is_categorical())
        return mistake(body,
                       is_categorical() ? fmt::format("{} has categories: {}",
                                                      covariate_.name,
                                                      fmt::join(covariate_.categories, ", "))
                                        : fmt::format("{} is a number in {}, not a category",
                                                      covariate_.name,
                                                      covariate_.unit.text),
                       is_categorical() ? "write { categorical = { … } } with their probabilities"
                                        : "write normal, lognormal or uniform");
    if (word == "normal") return normal(body);
    if (word == "lognormal") return lognormal(body);
    return word == "uniform" ? uniform(body) : categorical(body);
}

CovariateReader::Law_ CovariateReader::law(const io::TomlView& table) const {
    const std::vector<std::string> words{"normal", "lognormal", "uniform", "categorical"};
    std::vector<std::string> known = words;
    known.push_back("within");
    if (!has_keys(table, known)) return std::nullopt;
    std::vector<std::string> given;
    for (const std::string& word : words)
        if (table[word].is_set()) given.push_back(word);
    if (given.size() != 1)
        return mistake(table,
                       fmt::format("{} needs exactly one law", covariate_.name),
                       "one of normal, lognormal, uniform, categorical");
    const Law_ read = law_of(given.front(), table[given.front()]);
    const io::TomlView within = table["within"];
    return read && within.is_set() ? truncated(*read, within) : read;
}

std::optional<CovariateDistribution> CovariateReader::read(const io::TomlView& view) const {
    return view.kind() == io::TomlKind::table ? law(view) : fixed(view);
}

std::string example_law(const Covariate& covariate) {
    if (!covariate.categories.empty())
        return fmt::format("{} = \"{}\"", covariate.name, covariate.categories.front());
    return fmt::format("{} = {{ lognormal = {{ median = \"{} {}\", sd = 0.2 }} }}",
                       covariate.name,
                       covariate.reference.value_or(1.0),
                       covariate.unit.text);
}

} // namespace

std::vector<std::pair<std::string, double>> read_probabilities(const io::TomlView& table,
                                                               const std::string& what,
                                                               sim::DiagnosticList& diagnostics) {
    std::vector<std::pair<std::string, double>> given;
    if (table.kind() != io::TomlKind::table || table.members().empty()) {
        diagnostics.add(table.span(), fmt::format("a table of {} is expected", what));
        return {};
    }
    double sum = 0.0;
    for (const auto& [key, member] : table.members()) {
        const std::optional<double> number = member.number();
        if (!number || !(*number >= 0.0 && *number <= 1.0)) {
            diagnostics.add(member.span(),
                            fmt::format("the probability of {} must be a number from 0 to 1", key));
            return {};
        }
        sum += *number;
        given.emplace_back(key, *number);
    }
    // Published frequencies are rounded; what is left within 1e-6 is shared out in proportion.
    if (std::abs(sum - 1.0) > 1e-6) {
        diagnostics.add(
            table.span(),
            fmt::format("the {} sum to {:.8g}; 1 is expected", what, sum),
            fmt::format("{:.6g} is {}", std::abs(1.0 - sum), sum < 1.0 ? "missing" : "too much"));
        return {};
    }
    return given;
}

std::vector<CovariateDistribution> read_covariates(const io::TomlView& covariates,
                                                   const sim::SourceSpan& place,
                                                   const Model& model,
                                                   sim::DiagnosticList& diagnostics) {
    std::vector<CovariateDistribution> laws(model.covariates.size());
    std::vector<std::string> known;
    for (const Covariate& covariate : model.covariates)
        known.push_back(covariate.name);
    if (covariates.is_set() && covariates.kind() != io::TomlKind::table) {
        diagnostics.add(covariates.span(), "`covariates` is a table, one entry per covariate");
        return laws;
    }
    if (covariates.is_set())
        for (const auto& [name, member] : covariates.members())
            if (std::find(known.begin(), known.end(), name) == known.end())
                diagnostics.add(member.key_span(),
                                fmt::format("the model {} has no covariate '{}'", model.id, name),
                                sim::suggest(name, known));
    for (std::size_t c = 0; c < laws.size(); ++c) {
        const Covariate& covariate = model.covariates[c];
        const io::TomlView view = covariates.is_set() ? covariates[covariate.name] : io::TomlView();
        if (!view.is_set()) {
            diagnostics.add(place,
                            fmt::format("the model {} needs the covariate {}, which the population "
                                        "does not give",
                                        model.id,
                                        covariate.name),
                            fmt::format("in covariates: {}", example_law(covariate)));
            continue;
        }
        if (const auto law = CovariateReader(covariate, diagnostics).read(view)) laws[c] = *law;
    }
    return laws;
}

} // namespace gemel::pkpd
