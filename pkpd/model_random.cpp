#include "model_random.hpp"

#include "covariate_law.hpp"
#include "keys.hpp"
#include "triangle.hpp"

#include <gemel/sim/distributions.hpp>
#include <gemel/sim/random.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::pkpd {

namespace {

constexpr const char* readings_help =
    "{ sd = 0.3 } the sd of the effect itself, { var = 0.09 } its variance, { cv = 0.307 } a "
    "log-normal's exact CV, or { cv_approx = 0.3 } where a paper means 100·sd by its %";

/// What `iiv` or `iov` says. Beside an iiv the law of iov is open only in its tails.
struct IivWords {
    const Variability* beside = nullptr; ///< the iiv beside which an iov stands
    io::TomlView sd;
    double var = 0.0, cv = 0.0, cv_approx = 0.0, scale = 0.0, lambda = 0.0, df = 0.0;
    int law = 0;
};

const std::vector<std::string> law_names{"lognormal", "normal", "logit", "boxcox", "student"};
const std::vector<std::string> readings{"sd", "var", "cv", "cv_approx", "scale"};

/// `key` goes with one law and is needed by it.
void check_shape(io::Fields& f, const char* key, bool is_taken, const char* law) {
    if (is_taken && !f.has(key) && !f.is_listing())
        f.mistake("law", fmt::format("law \"{}\" needs '{}'", law, key));
    if (!is_taken && f.has(key))
        f.mistake(key, fmt::format("only law \"{}\" takes '{}'", law, key));
}

/// Above it Student's t is a normal but for less than its quantiles' digits.
constexpr double most_df = 1e6;

void check_df(io::Fields& f, double df) {
    if (f.has("df") && df > most_df)
        f.mistake("df",
                  fmt::format("'df' is {:g}; Student's t is a normal above {:g}", df, most_df),
                  "write law = \"lognormal\", or fewer degrees of freedom");
}

/// Which readings go with a law: a CV is a log-normal's; an sd or variance is there from two
/// degrees of freedom on.
void check_readings(io::Fields& f, const IivWords& words, VariabilityLaw law) {
    for (const char* reading : {"cv", "cv_approx"})
        if (law != VariabilityLaw::lognormal && f.has(reading))
            f.mistake(reading,
                      fmt::format("'{}' is a reading of law \"lognormal\"", reading),
                      "give the sd or var of the effect");
    const bool is_student = law == VariabilityLaw::student;
    if (f.has("scale") && !is_student)
        f.mistake(
            "scale", "'scale' is a reading of law \"student\"", "give the sd or var of the effect");
    for (const char* reading : {"sd", "var"})
        if (is_student && f.has(reading) && f.has("df") && words.df > 0.0 && words.df <= 2.0)
            f.mistake(reading,
                      fmt::format("Student's t with df = {:g} has no {}", words.df, reading),
                      "give 'scale', what multiplies t, or a df above 2");
}

/// The scale effects add up on: that of logarithms is one, whatever the tails.
VariabilityLaw scale_of(VariabilityLaw law) {
    return law == VariabilityLaw::student ? VariabilityLaw::lognormal : law;
}

/// An iov beside an iiv enters by the law of that.
void enter_beside(io::Fields& f, IivWords& words) {
    const VariabilityLaw of_iiv = words.beside->law;
    if (!f.has("law")) words.law = static_cast<int>(scale_of(of_iiv));
    if (scale_of(static_cast<VariabilityLaw>(words.law)) != scale_of(of_iiv))
        f.mistake("law",
                  fmt::format("the effect of an occasion adds to that of iiv, which enters by law "
                              "\"{}\"",
                              name(of_iiv)),
                  "leave 'law' out of iov");
    if (f.has("lambda")) f.mistake("lambda", "'lambda' is that of iiv", "leave it out of iov");
    words.lambda = words.beside->lambda;
}

void describe_iiv(io::Fields& f, IivWords& words) {
    f.any(optional_key("sd", "sd of the random effect; with a unit for law normal", "0.3"),
          "number or quantity",
          [&](const io::TomlView& view) { words.sd = view; });
    f.number(not_negative(optional_key("var", "variance of the random effect", "0.09")), words.var);
    f.number(
        not_negative(optional_key("cv", "a log-normal's CV: sd = sqrt(log(1 + cv^2))", "0.307")),
        words.cv);
    f.number(not_negative(optional_key("cv_approx", "a CV that means the sd: sd = cv", "0.3")),
             words.cv_approx);
    f.number(
        not_negative(optional_key(
            "scale", "of law student: what multiplies t; sd = scale·sqrt(df/(df - 2))", "0.3")),
        words.scale);
    f.one_of(readings, true);
    f.choice(optional_key("law", "how the effect enters", "\"lognormal\""), law_names, words.law);
    f.number(optional_key("lambda", "shape of law boxcox", "0.5"), words.lambda);
    f.number(positive(optional_key("df", "degrees of freedom of law student", "5")), words.df);
    if (words.beside) enter_beside(f, words);
    const auto law = static_cast<VariabilityLaw>(words.law);
    if (!words.beside) check_shape(f, "lambda", law == VariabilityLaw::boxcox, "boxcox");
    check_shape(f, "df", law == VariabilityLaw::student, "student");
    check_df(f, words.df);
    check_readings(f, words, law);
}

/// sd and scale, of which the file gives one.
void complete(Variability& iiv, double given_scale) {
    if (iiv.law != VariabilityLaw::student) return;
    const double sd_of_t =
        iiv.df > 2.0 ? std::sqrt(iiv.df / (iiv.df - 2.0)) : std::numeric_limits<double>::infinity();
    if (iiv.reading == "scale") {
        iiv.scale = given_scale;
        iiv.sd = given_scale > 0.0 ? given_scale * sd_of_t : 0.0;
    } else {
        iiv.scale = iiv.sd / sd_of_t;
    }
}

/// A bare number is in the parameter's unit; a quantity is for law normal, whose effect has a unit.
std::optional<double> read_sd(const io::TomlView& view,
                              VariabilityLaw law,
                              const sim::Unit& unit,
                              sim::DiagnosticList& diagnostics) {
    const auto fail = [&](std::string message, std::string help = {}) {
        diagnostics.add(view.span(), std::move(message), std::move(help));
        return std::nullopt;
    };
    double sd = 0.0;
    if (const auto number = view.number()) {
        sd = *number;
    } else if (const auto text = view.text()) {
        std::string why;
        const auto quantity = sim::parse_quantity(*text, &why);
        if (!quantity) return fail(fmt::format("\"{}\" is no quantity: {}", *text, why));
        if (law != VariabilityLaw::normal)
            return fail("only law \"normal\" has an sd with a unit", "write a bare number");
        if (!(quantity->unit.dimension == unit.dimension))
            return fail(fmt::format("\"{}\" is {}; the parameter is {}",
                                    *text,
                                    quantity->unit.dimension.name(),
                                    unit.dimension.name()));
        sd = quantity->in(unit);
    } else {
        return fail(fmt::format("{} stands here; a number is expected", io::name(view.kind())));
    }
    if (!(sd >= 0.0) || !std::isfinite(sd)) return fail("an sd is a number that is not negative");
    return sd;
}

const char* key_of(Level level) {
    return level == Level::subject ? "iiv" : "iov";
}

std::vector<std::string> varying_parameters(const Model& model, Level level) {
    std::vector<std::string> names;
    for (const Parameter& parameter : model.parameters)
        if (parameter.effect(level)) names.push_back(parameter.name);
    return names;
}

/// Whether the file gives the parameter an effect of the level, right or wrong: a mistake in it is
/// told already.
bool is_written(const ModelWords& words, const std::string& name, Level level) {
    const auto found = std::ranges::find(words.parameters, name, &ParameterWords::name);
    return found != words.parameters.end() &&
           (level == Level::subject ? found->iiv : found->iov).is_set();
}

/// Why a parameter cannot join a group, or "".
std::string why_not_in_group(const std::string& name,
                             const std::vector<int>& group,
                             Level level,
                             const Model& model) {
    const int parameter = model.find_parameter(name);
    if (parameter < 0) return fmt::format("'{}' is no parameter", name);
    if (!model.parameters[static_cast<std::size_t>(parameter)].effect(level))
        return fmt::format("'{}' has no {}", name, key_of(level));
    if (std::ranges::count(group, parameter) > 0) return fmt::format("'{}' is named twice", name);
    for (const OmegaBlock& block : model.omega)
        if (block.level == level && std::ranges::count(block.of, parameter) > 0)
            return fmt::format("'{}' is already in another [[omega]]", name);
    return {};
}

std::optional<std::vector<int>> find_group(const OmegaWords& words,
                                           const ModelWords& all,
                                           const Model& model,
                                           sim::DiagnosticList& diagnostics) {
    std::vector<int> group;
    bool is_good = true;
    for (const std::string& name : words.of) {
        const std::string why = why_not_in_group(name, group, words.level, model);
        const int parameter = model.find_parameter(name);
        const bool is_told =
            parameter >= 0 && is_written(all, name, words.level) &&
            !model.parameters[static_cast<std::size_t>(parameter)].effect(words.level);
        if (!why.empty() && !is_told)
            diagnostics.add(
                words.of_span, why, sim::suggest(name, varying_parameters(model, words.level)));
        is_good = is_good && why.empty();
        group.push_back(parameter);
    }
    if (is_good && group.size() < 2) {
        diagnostics.add(words.of_span, "a correlation is between at least two parameters");
        is_good = false;
    }
    return is_good ? std::optional(group) : std::nullopt;
}

/// A covariance says the sds again; two that differ would leave open which holds.
void check_same_sd(const Parameter& parameter,
                   Level level,
                   double sd,
                   const sim::SourceSpan& span,
                   sim::DiagnosticList& diagnostics) {
    constexpr double published_digits = 1e-2;
    const double own = parameter.effect(level)->sd;
    if (std::abs(sd - own) > published_digits * sd)
        diagnostics.add(span,
                        fmt::format("this covariance gives {} an sd of {:.4g}, its {} gives {:.4g}",
                                    parameter.name,
                                    sd,
                                    key_of(level),
                                    own),
                        "make both say the same, or give 'correlation' instead");
}

/// The covariance of effects of law student is not that of their scores, which are drawn.
bool are_all_normal(const std::vector<int>& group,
                    const OmegaWords& words,
                    const Model& model,
                    sim::DiagnosticList& diagnostics) {
    bool is_good = true;
    for (int index : group) {
        const Parameter& parameter = model.parameters[static_cast<std::size_t>(index)];
        if (parameter.effect(words.level)->law != VariabilityLaw::student) continue;
        diagnostics.add(words.covariance.span(),
                        fmt::format("'{}' varies by law \"student\", which joins a group by its "
                                    "correlation",
                                    parameter.name),
                        "give 'correlation', that of the normal scores of the effects");
        is_good = false;
    }
    return is_good;
}

void add_block(const OmegaWords& words,
               const std::vector<int>& group,
               Model& model,
               sim::DiagnosticList& diagnostics) {
    const std::size_t n = group.size();
    const bool is_covariance = words.covariance.is_set();
    const io::TomlView& view = is_covariance ? words.covariance : words.correlation;
    if (!view.is_set() || (is_covariance && !are_all_normal(group, words, model, diagnostics)))
        return;
    auto matrix = read_triangle(view, n, is_covariance, "parameters", diagnostics);
    if (!matrix) return;
    if (!is_positive_semidefinite(*matrix, n)) {
        diagnostics.add(
            view.span(),
            fmt::format("this {} is not positive semidefinite: no patients vary like that",
                        is_covariance ? "covariance" : "correlation"));
        return;
    }
    const auto member = [&](std::size_t i) -> const Parameter& {
        return model.parameters[static_cast<std::size_t>(group[i])];
    };
    const auto spread = [&](std::size_t i) { return member(i).effect(words.level)->spread(); };
    for (std::size_t i = 0; i < n; ++i) {
        if (is_covariance)
            check_same_sd(
                member(i), words.level, std::sqrt((*matrix)[i * n + i]), view.span(), diagnostics);
        for (std::size_t j = 0; !is_covariance && j < n; ++j)
            (*matrix)[i * n + j] *= spread(i) * spread(j);
    }
    model.omega.push_back({group, std::move(*matrix), words.level});
}

/// On the scale of logarithms or logits an sd of 10 is a factor of 22,000 for every third patient.
void check_size(const io::TomlView& view,
                const Variability& iiv,
                sim::DiagnosticList& diagnostics) {
    constexpr double slip = 10.0;
    const auto given = view[iiv.reading].number();
    if (iiv.law == VariabilityLaw::normal || !given || *given < slip) return;
    diagnostics.add(view[iiv.reading].span(),
                    fmt::format("{} = {:g} is no {} but a percentage",
                                iiv.reading,
                                *given,
                                iiv.reading == "var"     ? "variance of logarithms"
                                : iiv.reading == "sd"    ? "sd of logarithms"
                                : iiv.reading == "scale" ? "scale of logarithms"
                                                         : "fraction"),
                    iiv.reading == "var" ? "for a CV of 30 % write cv = 0.30"
                                         : fmt::format("for 30 % write {} = 0.30", iiv.reading));
}

} // namespace

std::string_view name(VariabilityLaw law) {
    return law_names[static_cast<std::size_t>(law)];
}

/// The probability of the lower tail, which has all its digits; signs by symmetry.
double Variability::effect(double z) const {
    if (law != VariabilityLaw::student) return sd * z;
    const double t = sim::student_quantile(df, sim::normal_probability(-std::abs(z)));
    return std::copysign(scale * t, z);
}

std::optional<Variability> read_iov(const io::TomlView& view,
                                    const Variability* iiv,
                                    const sim::Unit& unit,
                                    sim::DiagnosticList& diagnostics) {
    if (const auto number = view.number()) {
        diagnostics.add(view.span(),
                        fmt::format("a bare {:g} may mean several things", *number),
                        fmt::format("say which: {}", readings_help));
        return std::nullopt;
    }
    if (view.kind() != io::TomlKind::table) {
        diagnostics.add(view.span(),
                        fmt::format("{} stands here; a table is expected", io::name(view.kind())),
                        fmt::format("write {}", readings_help));
        return std::nullopt;
    }
    const std::size_t n_before = diagnostics.size();
    IivWords words;
    words.beside = iiv;
    io::read_fields(view, diagnostics, [&](io::Fields& f) { describe_iiv(f, words); });
    Variability result;
    result.law = static_cast<VariabilityLaw>(words.law);
    result.lambda = words.lambda;
    result.df = words.df;
    for (const std::string& reading : readings)
        if (view[reading].is_set()) result.reading = reading;
    if (words.sd.is_set())
        result.sd = read_sd(words.sd, result.law, unit, diagnostics).value_or(0.0);
    else if (result.reading == "var")
        result.sd = std::sqrt(words.var);
    else if (result.reading == "cv")
        result.sd = log_sd_of_cv(words.cv); // no libm: the sd is part of what is drawn
    else
        result.sd = words.cv_approx;
    complete(result, words.scale);
    if (diagnostics.size() == n_before) check_size(view, result, diagnostics);
    return diagnostics.size() == n_before ? std::optional(result) : std::nullopt;
}

std::optional<Variability>
read_iiv(const io::TomlView& view, const sim::Unit& unit, sim::DiagnosticList& diagnostics) {
    return read_iov(view, nullptr, unit, diagnostics);
}

void describe_iiv_for_reference(io::Fields& fields) {
    IivWords words;
    describe_iiv(fields, words);
}

void describe_iov_for_reference(io::Fields& fields) {
    describe_iiv_for_reference(fields);
}

void read_omega(const ModelWords& words, Model& model, sim::DiagnosticList& diagnostics) {
    for (const OmegaWords& omega : words.omega)
        if (const auto group = find_group(omega, words, model, diagnostics))
            add_block(omega, *group, model, diagnostics);
}

} // namespace gemel::pkpd
