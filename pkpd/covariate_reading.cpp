#include "covariate_reading.hpp"

#include "covariate_law.hpp"
#include "population_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::pkpd {
namespace {

using Law = CovariateDistribution::Law;
using Number = CovariateDistribution::Dependence::Number;

const std::vector<std::string> law_words{
    "normal", "lognormal", "uniform", "categorical", "lms", "derived"};

/// Reads the law of one covariate; what is wrong is reported at its own place.
class CovariateReader {
public:
    CovariateReader(std::size_t covariate,
                    const LawContext& context,
                    sim::DiagnosticList& diagnostics)
        : covariate_(context.names.at(covariate)),
          names_(context.names),
          units_(context.units),
          derived_(context.derived),
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

    std::optional<double> quantity(const io::TomlView& view, const Covariate& of) const;
    std::optional<double> value(const io::TomlView& view) const {
        return quantity(view, covariate_);
    }
    std::optional<double> bare(const io::TomlView& view) const;

    /// One number of a law, as the file calls it.
    struct Part {
        Number number;
        const char* key;
        bool has_unit;    ///< the covariate's; else a bare number
        bool is_positive; ///< must be above 0
    };
    /// Sets it: a constant, an expression of covariates, or a curve along one.
    bool set(CovariateDistribution& law, const Part& part, const io::TomlView& body) const;
    bool set_function(CovariateDistribution& law,
                      const Part& part,
                      std::optional<CovariateFunction> function) const;
    bool is_expression(const io::TomlView& view) const;
    std::optional<CovariateFunction> expression(const io::TomlView& view, bool has_unit) const;
    int curve_covariate(const io::TomlView& table, const std::vector<std::string>& keys) const;
    bool set_curve(CovariateDistribution& law,
                   const Part& part,
                   const io::TomlView& table,
                   const char* value_key,
                   std::size_t along) const;

    Law_ fixed(const io::TomlView& view) const;
    Law_ law(const io::TomlView& table) const;
    Law_ law_of(const std::string& word, const io::TomlView& body) const;
    Law_ normal(const io::TomlView& body) const;
    Law_ lognormal(const io::TomlView& body) const;
    Law_ uniform(const io::TomlView& body) const;
    Law_ categorical(const io::TomlView& body) const;
    Law_ lms(const io::TomlView& body) const;
    Law_ derived(const io::TomlView& name) const;
    Law_ truncated(CovariateDistribution law, const io::TomlView& within) const;
    bool has_keys(const io::TomlView& table, const std::vector<std::string>& known) const;
    std::optional<std::pair<double, double>> ends(const io::TomlView& view, const char* what) const;

    const Covariate& covariate_;
    const CovariateNames& names_;
    const DeclaredUnits& units_;
    std::span<const std::shared_ptr<const DerivedCovariates>> derived_;
    sim::DiagnosticList& diagnostics_;
};

std::string CovariateReader::example() const {
    if (is_categorical()) return fmt::format("\"{}\"", covariate_.categories.front());
    const double reference = covariate_.reference.value_or(1.0);
    return covariate_.unit.is_dimensionless()
               ? fmt::format("{}", reference)
               : fmt::format("\"{} {}\"", reference, covariate_.unit.text);
}

/// A quantity converted to a covariate's unit; a bare number is in the unit this file declares for
/// it, or else in the covariate's own.
std::optional<double> CovariateReader::quantity(const io::TomlView& view,
                                                const Covariate& of) const {
    std::optional<double> number = view.number();
    if (const auto declared = units_.find(of.name); number && declared != units_.end())
        number = *number * sim::conversion_factor(declared->second, of.unit);
    if (const std::optional<std::string> text = view.text()) {
        std::string why;
        const std::optional<sim::Quantity> quantity = sim::parse_quantity(*text, &why);
        if (!quantity)
            return mistake(view,
                           fmt::format("\"{}\" is not understood: {}", *text, why),
                           fmt::format("write {}, or an expression of covariates", example()));
        if (!(quantity->unit.dimension == of.unit.dimension))
            return mistake(view,
                           fmt::format("\"{}\" is {}, but the covariate {} is in {}",
                                       *text,
                                       quantity->unit.dimension.name(),
                                       of.name,
                                       of.unit.text),
                           fmt::format("write {}", example()));
        number = quantity->in(of.unit);
    }
    if (!number)
        return mistake(
            view,
            fmt::format("{} stands where a value of {} is expected", name(view.kind()), of.name),
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
    if (!is_categorical() && is_expression(view)) {
        const Part whole{Number::location, "", true, false};
        return set_function(law, whole, expression(view, true)) ? Law_(law) : std::nullopt;
    }
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

bool CovariateReader::set(CovariateDistribution& law,
                          const Part& part,
                          const io::TomlView& body) const {
    const io::TomlView view = body[part.key];
    if (view.kind() == io::TomlKind::table) {
        const int along = curve_covariate(view, {"by", "at", "value"});
        return along >= 0 && set_curve(law, part, view, "value", static_cast<std::size_t>(along));
    }
    if (is_expression(view)) return set_function(law, part, expression(view, part.has_unit));
    const std::optional<double> number = part.has_unit ? value(view) : bare(view);
    if (!number) return false;
    if (part.is_positive && !(*number > 0.0)) {
        mistake(view, fmt::format("`{}` must be above 0", part.key));
        return false;
    }
    set_number(law, part.number, *number);
    return true;
}

bool CovariateReader::set_function(CovariateDistribution& law,
                                   const Part& part,
                                   std::optional<CovariateFunction> function) const {
    if (function) law.dependences.push_back({part.number, std::move(*function)});
    return function.has_value();
}

/// A text that is no quantity and mentions a covariate.
bool CovariateReader::is_expression(const io::TomlView& view) const {
    const std::optional<std::string> text = view.text();
    return text && !sim::parse_quantity(*text) && names_.are_in(*view.source_text());
}

std::optional<CovariateFunction> CovariateReader::expression(const io::TomlView& view,
                                                             bool has_unit) const {
    return names_.parse(*view.source_text(),
                        has_unit ? covariate_.unit : sim::Unit{},
                        fmt::format("the covariate {}", covariate_.name),
                        diagnostics_);
}

/// The covariate of `by`, with the keys of the table checked; −1 after a mistake.
int CovariateReader::curve_covariate(const io::TomlView& table,
                                     const std::vector<std::string>& keys) const {
    if (!has_keys(table, keys)) return -1;
    for (const std::string& key : keys)
        if (!table[key].is_set()) {
            mistake(
                table,
                fmt::format("a curve along a covariate needs `{}`", key),
                "as in { by = \"AGE\", at = [\"2 a\", \"3 a\"], value = [\"12 kg\", \"14 kg\"] }");
            return -1;
        }
    const std::string by = table["by"].text().value_or("");
    const int along = names_.find(by);
    if (along < 0) {
        mistake(table["by"],
                fmt::format("'{}' is no covariate of the population", by),
                sim::suggest(by, names_.names()));
    } else if (!names_.at(static_cast<std::size_t>(along)).categories.empty()) {
        mistake(table["by"],
                fmt::format("{} has categories; a curve goes along a number", by),
                "laws by category are told by strata");
        return -1;
    }
    return along;
}

bool CovariateReader::set_curve(CovariateDistribution& law,
                                const Part& part,
                                const io::TomlView& table,
                                const char* value_key,
                                std::size_t along) const {
    std::vector<double> at, values;
    for (const io::TomlView& element : table["at"].elements()) {
        const std::optional<double> knot = quantity(element, names_.at(along));
        if (!knot) return false;
        if (!at.empty() && !(at.back() < *knot)) {
            mistake(element, "the points of a curve must rise");
            return false;
        }
        at.push_back(*knot);
    }
    for (const io::TomlView& element : table[value_key].elements()) {
        const std::optional<double> number = part.has_unit ? value(element) : bare(element);
        if (!number) return false;
        if (part.is_positive && !(*number > 0.0)) {
            mistake(element, fmt::format("`{}` must be above 0", part.key));
            return false;
        }
        values.push_back(*number);
    }
    if (at.size() < 2 || at.size() != values.size()) {
        mistake(table[value_key],
                fmt::format("{} values for {} points of {}; one for each is expected, two at least",
                            values.size(),
                            at.size(),
                            names_.at(along).name));
        return false;
    }
    return set_function(
        law, part, CovariateFunction::curve(along, std::move(at), std::move(values)));
}

CovariateReader::Law_ CovariateReader::normal(const io::TomlView& body) const {
    if (!has_keys(body, {"mean", "sd"})) return std::nullopt;
    if (!body["mean"].is_set() || !body["sd"].is_set())
        return mistake(body, "a normal law needs `mean` and `sd`");
    CovariateDistribution law;
    law.law = Law::normal;
    const bool has_mean = set(law, {Number::location, "mean", true, false}, body);
    const bool has_sd = set(law, {Number::spread, "sd", true, true}, body);
    return has_mean && has_sd ? Law_(law) : std::nullopt;
}

CovariateReader::Law_ CovariateReader::lognormal(const io::TomlView& body) const {
    if (!has_keys(body, {"median", "sd", "cv"})) return std::nullopt;
    const bool by_sd = body["sd"].is_set();
    if (!body["median"].is_set() || by_sd == body["cv"].is_set())
        return mistake(body,
                       "a log-normal law needs `median` and one of `sd` and `cv`",
                       "`sd` is that of the natural logarithm, `cv` the coefficient of variation");
    CovariateDistribution law;
    law.law = Law::lognormal;
    const bool has_median = set(law, {Number::location, "median", true, true}, body);
    const bool has_spread = by_sd ? set(law, {Number::spread, "sd", false, true}, body)
                                  : set(law, {Number::cv, "cv", false, true}, body);
    return has_median && has_spread ? Law_(law) : std::nullopt;
}

/// L, M and S one by one, or all along one covariate: { by = "AGE", at = […], L = […], … }.
CovariateReader::Law_ CovariateReader::lms(const io::TomlView& body) const {
    const Part parts[] = {{Number::shape, "L", false, false},
                          {Number::location, "M", true, true},
                          {Number::spread, "S", false, true}};
    CovariateDistribution law;
    law.law = Law::lms;
    bool is_right = true;
    if (body["by"].is_set()) {
        const int along = curve_covariate(body, {"by", "at", "L", "M", "S"});
        if (along < 0) return std::nullopt;
        for (const Part& part : parts)
            if (!set_curve(law, part, body, part.key, static_cast<std::size_t>(along)))
                return std::nullopt;
        return law;
    }
    if (!has_keys(body, {"L", "M", "S"})) return std::nullopt;
    for (const Part& part : parts)
        if (!body[part.key].is_set())
            return mistake(body, "an LMS law needs `L`, `M` and `S`", "Cole & Green 1992");
    for (const Part& part : parts)
        is_right &= set(law, part, body);
    return is_right ? Law_(law) : std::nullopt;
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

/// The formula of that name in the library, met with the covariates of this population.
CovariateReader::Law_ CovariateReader::derived(const io::TomlView& view) const {
    const std::string word = view.text().value_or("");
    const DerivedCovariate* formula = nullptr;
    std::vector<std::string> known;
    for (const auto& file : derived_) {
        if (formula == nullptr) formula = file->find(word);
        for (const DerivedCovariate& row : file->rows)
            known.push_back(row.name);
    }
    if (formula == nullptr)
        return mistake(view,
                       fmt::format("the library derives no covariate '{}'", word),
                       sim::suggest(word, known));
    const std::vector<std::string> words = names_.known_words();
    std::vector<std::string> missing;
    for (const std::string& needed : sim::names_in(formula->formula))
        if (std::find(words.begin(), words.end(), needed) == words.end()) missing.push_back(needed);
    if (!missing.empty())
        return mistake(view,
                       fmt::format("{} needs {}, which the population does not give",
                                   word,
                                   fmt::join(missing, ", ")),
                       "give the covariates under these names; NAME_category is a category");
    CovariateDistribution law;
    const Part whole{Number::location, "", true, false};
    auto function = names_.parse(formula->formula,
                                 covariate_.unit,
                                 fmt::format("the covariate {} by {}", covariate_.name, word),
                                 diagnostics_);
    return set_function(law, whole, std::move(function)) ? Law_(law) : std::nullopt;
}

CovariateReader::Law_ CovariateReader::truncated(CovariateDistribution law,
                                                 const io::TomlView& within) const {
    if (law.law == Law::categorical) return mistake(within, "a law of categories has no `within`");
    const auto between = ends(within, "`within`");
    if (!between) return std::nullopt;
    law.lower = between->first;
    law.upper = between->second;
    if (law.dependences.empty() && !(mass_within(law) > 0.0))
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
                                        : "write normal, lognormal, uniform or lms");
    if (word == "normal") return normal(body);
    if (word == "lognormal") return lognormal(body);
    if (word == "lms") return lms(body);
    if (word == "derived") return derived(body);
    return word == "uniform" ? uniform(body) : categorical(body);
}

CovariateReader::Law_ CovariateReader::law(const io::TomlView& table) const {
    std::vector<std::string> known = law_words;
    known.insert(known.end(), {"within", "unit", "categories", "about"});
    if (!has_keys(table, known)) return std::nullopt;
    std::vector<std::string> given;
    for (const std::string& word : law_words)
        if (table[word].is_set()) given.push_back(word);
    if (given.size() != 1)
        return mistake(table,
                       fmt::format("{} needs exactly one law", covariate_.name),
                       fmt::format("one of {}", fmt::join(law_words, ", ")));
    const Law_ read = law_of(given.front(), table[given.front()]);
    const io::TomlView within = table["within"];
    if (read && within.is_set() && given.front() == "derived")
        return mistake(within, "a covariate that follows from others is not drawn within limits");
    return read && within.is_set() ? truncated(*read, within) : read;
}

std::optional<CovariateDistribution> CovariateReader::read(const io::TomlView& view) const {
    return view.kind() == io::TomlKind::table ? law(view) : fixed(view);
}

} // namespace

bool has_law(const io::TomlView& entry) {
    if (entry.kind() != io::TomlKind::table) return entry.is_set();
    for (const auto& [key, member] : entry.members())
        if (key != "unit" && key != "categories" && key != "about") return true;
    return false;
}

std::optional<CovariateDistribution> read_law(const io::TomlView& entry,
                                              std::size_t covariate,
                                              const LawContext& context,
                                              sim::DiagnosticList& diagnostics) {
    return CovariateReader(covariate, context, diagnostics).read(entry);
}

} // namespace gemel::pkpd
