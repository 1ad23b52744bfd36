#include "model_lowering.hpp"

#include "residual_reading.hpp"

#include <gemel/pkpd/dosing.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace gemel::pkpd {

namespace {

using sim::Expr;
using sim::LeafKind;
using sim::TypedExpr;

const sim::Unit no_unit{};

/// Doses "per kg" and "per m2" read these covariates, so that a model may declare them for that.
bool may_scale_doses(const std::string& covariate) {
    return covariate == "WT" || covariate == "BSA";
}

/// typical·exp(…) of a negative typical value looks plausible and is wrong. 0 may be meant: a map's
/// factor of a pathway that is missing.
bool has_one_sign(const Parameter& parameter) {
    const Variability* effects = parameter.law();
    return effects &&
           (effects->law == VariabilityLaw::lognormal || effects->law == VariabilityLaw::student ||
            effects->law == VariabilityLaw::boxcox);
}

/// More definitions in a chain than this are taken for a slip of whoever generated them.
constexpr std::size_t deepest_chain = 500;

/// The whole of an expression, for mistakes that are about all of it.
sim::SourceSpan whole(const sim::SourceText& text) {
    sim::SourceSpan span = text.start;
    const std::string first_line = text.text.substr(0, text.text.find('\n'));
    const auto is_start = [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; };
    span.length = std::max(1, static_cast<int>(std::ranges::count_if(first_line, is_start)));
    return span;
}

} // namespace

ModelLowering::ModelLowering(const ModelWords& words,
                             Model& model,
                             sim::DiagnosticList& diagnostics)
    : words_(words),
      model_(model),
      system_(model.system),
      diagnostics_(diagnostics) {}

void ModelLowering::run() {
    system_.time_unit = words_.time.unit;
    declare_names();
    mark_mentioned();
    add_inputs();
    add_states();
    enzymes_.add_amounts();
    check_needs();
    lower_rates();
    enzymes_.lower_amounts();
    for (const EquationWords& line : words_.lines)
        if (!line.equation.kind.empty() && line.equation.kind != "d/dt") lower_dose_property(line);
    lower_outputs();
    lower_rest();
    add_transits();
    add_last_dose();
    tell_unused();
}

void ModelLowering::declare_names() {
    const auto declare_all = [&](SymbolKind kind, const auto& rows) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            Symbol symbol;
            symbol.kind = kind;
            symbol.index = static_cast<int>(i);
            symbol.span = rows[i].span;
            symbols_.declare(rows[i].name, symbol, diagnostics_);
        }
    };
    declare_all(SymbolKind::parameter, words_.parameters);
    declare_all(SymbolKind::map, words_.maps);
    declare_all(SymbolKind::state, words_.states);
    for (std::size_t i = 0; i < words_.covariates.size(); ++i) {
        const CovariateWords& covariate = words_.covariates[i];
        Symbol symbol;
        symbol.kind = covariate.categories.empty() ? SymbolKind::covariate : SymbolKind::category;
        symbol.index = static_cast<int>(i);
        symbol.span = covariate.span;
        if (covariate.categories.empty()) symbols_.declare(covariate.name, symbol, diagnostics_);
        for (std::size_t k = 0; k < covariate.categories.size(); ++k) {
            symbol.category = static_cast<int>(k);
            symbols_.declare(covariate.name + "_" + covariate.categories[k], symbol, diagnostics_);
        }
    }
    declare_equations();
    enzymes_.declare();
}

void ModelLowering::declare_equations() {
    for (std::size_t i = 0; i < words_.lines.size(); ++i) {
        const sim::Equation& equation = words_.lines[i].equation;
        if (!equation.kind.empty()) continue;
        Symbol symbol;
        symbol.kind = SymbolKind::definition;
        symbol.index = static_cast<int>(i);
        symbol.span = equation.target_span;
        symbols_.declare(equation.target, symbol, diagnostics_);
    }
}

void ModelLowering::mark_mentioned() {
    const auto mark_all = [&](const std::optional<sim::SourceText>& text, int scope) {
        if (!text) return;
        for (const std::string& word : sim::names_in(*text))
            if (Symbol* symbol = find(word, scope)) symbol->is_mentioned = true;
    };
    for (const EquationWords& line : words_.lines)
        mark_all(line.equation.expression, line.scope);
    for (const ParameterWords& words : words_.parameters) {
        mark_all(words.scale, words.scope);
        mark_all(words.expression, words.scope);
    }
    for (const OutputWords& words : words_.outputs)
        if (Symbol* symbol = symbols_.find(words.name)) symbol->is_mentioned = true;
    enzymes_.mark(mark_all);
}

Expr ModelLowering::add_input(const std::string& input, const sim::Unit& unit, InputSource source) {
    sim::Input entry;
    entry.name = input;
    entry.unit = unit;
    system_.inputs.push_back(entry);
    model_.inputs.push_back(source);
    return system_.graph.leaf(LeafKind::input, static_cast<int>(system_.inputs.size()) - 1);
}

void ModelLowering::add_inputs() {
    using Kind = InputSource::Kind;
    theta_.resize(words_.parameters.size());
    eta_.resize(words_.parameters.size());
    for (std::size_t i = 0; i < model_.parameters.size(); ++i) {
        const Parameter& parameter = model_.parameters[i];
        const int index = static_cast<int>(i);
        if (!parameter.is_computed)
            theta_[i] =
                add_input("theta/" + parameter.name, parameter.unit, {Kind::theta, index, 0});
        if (!parameter.law()) continue;
        const sim::Unit& unit =
            parameter.law()->law == VariabilityLaw::normal ? parameter.unit : no_unit;
        if (parameter.iiv)
            eta_[i] = add_input("eta/" + parameter.name, unit, {Kind::eta, index, 0});
        if (!parameter.iov) continue;
        const Expr kappa = add_input("iov/" + parameter.name, unit, {Kind::iov, index, 0});
        eta_[i] = parameter.iiv ? system_.graph.add(eta_[i], kappa) : kappa;
    }
    const auto finish =
        [&](const std::string& word, const sim::Unit& unit, bool is_known, Expr leaf) {
            Symbol* symbol = symbols_.find(word);
            if (!symbol) return; // its name is a mistake
            symbol->value = {leaf, unit, false};
            symbol->progress = is_known ? Symbol::Progress::done : Symbol::Progress::failed;
        };
    for (std::size_t i = 0; i < model_.covariates.size(); ++i) {
        const Covariate& covariate = model_.covariates[i];
        const int index = static_cast<int>(i);
        if (covariate.categories.empty())
            finish(covariate.name,
                   covariate.unit,
                   words_.covariates[i].unit.is_known,
                   add_input(
                       "covariate/" + covariate.name, covariate.unit, {Kind::covariate, index, 0}));
        for (std::size_t k = 0; k < covariate.categories.size(); ++k) {
            const std::string word = covariate.name + "_" + covariate.categories[k];
            finish(word,
                   no_unit,
                   true,
                   add_input(
                       "category/" + word, no_unit, {Kind::category, index, static_cast<int>(k)}));
        }
    }
    for (std::size_t i = 0; i < words_.maps.size(); ++i) {
        const MapWords& map = words_.maps[i];
        finish(map.name,
               map.unit.unit,
               map.unit.is_known,
               add_input("map/" + map.name, map.unit.unit, {Kind::map, static_cast<int>(i), 0}));
    }
}

const StateWords* ModelLowering::state_words(const std::string& word) const {
    const auto found = std::ranges::find(words_.states, word, &StateWords::name);
    return found == words_.states.end() ? nullptr : &*found;
}

/// The n-th d/dt line is compartment n.
void ModelLowering::add_states() {
    for (const EquationWords& line : words_.lines)
        if (line.equation.kind == "d/dt") add_state(line.equation);
    for (const StateWords& words : words_.states)
        if (std::ranges::count(system_.states, words.name, &sim::State::name) == 0) {
            diagnostics_.add(words.span,
                             fmt::format("the state '{}' has no equation", words.name),
                             fmt::format("write d/dt({}) = … in the equations", words.name));
            if (Symbol* symbol = symbols_.find(words.name))
                symbol->progress = Symbol::Progress::failed;
        }
}

void ModelLowering::add_state(const sim::Equation& rate) {
    const StateWords* words = state_words(rate.target);
    if (!words) {
        std::vector<std::string> known;
        for (const StateWords& state : words_.states)
            known.push_back(state.name);
        diagnostics_.add(rate.target_span,
                         fmt::format("'{}' has an equation but no unit", rate.target),
                         fmt::format("add under [states]: {} = {{ unit = \"mg\" }}", rate.target));
        return;
    }
    const int index = static_cast<int>(system_.states.size());
    sim::State state;
    state.name = rate.target;
    state.unit = words->unit.unit;
    state.initial = system_.graph.constant(0.0);
    state.rate = system_.graph.constant(0.0);
    state.scale = words->scale;
    state.takes_doses = is_amount(state.unit.dimension);
    system_.states.push_back(state);
    const auto& molar_mass = words->molar_mass ? words->molar_mass : words_.molar_mass;
    model_.molar_mass.push_back(molar_mass ? molar_mass->value * molar_mass->unit.factor : 0.0);
    if (Symbol* symbol = symbols_.find(rate.target); symbol && symbol->kind == SymbolKind::state) {
        symbol->value = {system_.graph.leaf(LeafKind::state, index), state.unit, false};
        symbol->progress = words->unit.is_known ? Symbol::Progress::done : Symbol::Progress::failed;
    }
}

void ModelLowering::lower_rates() {
    for (const EquationWords& line : words_.lines)
        if (line.equation.kind == "d/dt") lower_rate(line);
}

void ModelLowering::lower_rate(const EquationWords& line) {
    const sim::Equation& equation = line.equation;
    const auto typed = parse(equation.expression, line.scope, true);
    const auto state = std::ranges::find(system_.states, equation.target, &sim::State::name);
    if (!typed || state == system_.states.end() || !words_.time.is_known ||
        !state_words(equation.target)->unit.is_known)
        return;
    const auto rate = convert(*typed,
                              state->unit / system_.time_unit,
                              fmt::format("d/dt({})", equation.target),
                              whole(equation.expression));
    if (rate) state->rate = *rate;
}

/// `x(0)`, `F(x)`, `lag(x)`, `rate(x)`, `duration(x)`: of inputs only.
void ModelLowering::lower_dose_property(const EquationWords& line) {
    const sim::Equation& equation = line.equation;
    const auto found = std::ranges::find(system_.states, equation.target, &sim::State::name);
    const std::string what = equation.kind == "initial"
                                 ? fmt::format("{}(0)", equation.target)
                                 : fmt::format("{}({})", equation.kind, equation.target);
    if (found == system_.states.end()) {
        if (!state_words(equation.target))
            diagnostics_.add(equation.target_span,
                             fmt::format("'{}' is no state", equation.target),
                             sim::suggest(equation.target, symbols_.names(SymbolKind::state)));
        return;
    }
    if (!state_words(equation.target)->unit.is_known || !words_.time.is_known) return;
    if (equation.kind != "initial" && !is_amount(found->unit.dimension)) {
        diagnostics_.add(equation.target_span,
                         fmt::format("{} is about doses, and '{}' in {} takes none",
                                     what,
                                     equation.target,
                                     found->unit.text));
        return;
    }
    const auto set = [&](Expr& to, const sim::Unit& unit) {
        if (const auto value = parse_constant(equation.expression, line.scope, unit, what))
            to = *value;
    };
    if (equation.kind == "initial") set(found->initial, found->unit);
    if (equation.kind == "F") set(found->bioavailability, no_unit);
    if (equation.kind == "lag") set(found->lag, system_.time_unit);
    if (equation.kind == "rate") set(found->modelled_rate, found->unit / system_.time_unit);
    if (equation.kind == "duration") set(found->modelled_duration, system_.time_unit);
    if (equation.kind == "transits" || equation.kind == "mtt") {
        Transit& transit = transits_[equation.target];
        transit.span = equation.target_span;
        if (equation.kind == "transits")
            set(transit.number, no_unit);
        else
            set(transit.mean_time, system_.time_unit);
    }
}

/// The last of all: their states stand behind the model's own.
void ModelLowering::add_transits() {
    for (const StateWords& words : words_.states)
        if (words.says_keeps_doses && !transits_.contains(words.name))
            diagnostics_.add(words.span,
                             fmt::format("'{}' keeps no doses", words.name),
                             fmt::format("transits({0}) = … and mtt({0}) = … let doses into it by "
                                         "way of transit compartments",
                                         words.name));
    if (!diagnostics_.empty()) return; // half a pair may be a mistake already told
    for (const auto& [name, transit] : transits_) {
        const auto state = std::ranges::find(system_.states, name, &sim::State::name);
        if (!transit.number.is_set() || !transit.mean_time.is_set()) {
            diagnostics_.add(transit.span,
                             fmt::format("transits({0}) and mtt({0}) come together", name),
                             "the number of transit compartments and the mean time through them");
        } else if (state->modelled_rate.is_set() || state->modelled_duration.is_set()) {
            diagnostics_.add(transit.span,
                             fmt::format("doses into '{}' come by way of transit compartments, "
                                         "which take no infusions",
                                         name),
                             fmt::format("take rate({0}) or duration({0}) out", name));
        } else {
            sim::add_transit(system_,
                             static_cast<int>(state - system_.states.begin()),
                             transit.number,
                             transit.mean_time,
                             static_cast<int>(state_words(name)->keeps_doses));
        }
    }
    model_.molar_mass.resize(system_.states.size(), 0.0);
}

void ModelLowering::lower_outputs() {
    for (const OutputWords& words : words_.outputs) {
        sim::NamedExpr output;
        output.name = words.name;
        output.unit = words.unit.unit;
        output.label = words.label.empty() ? words.name : words.label;
        output.value = system_.graph.constant(0.0);
        Symbol* symbol = symbols_.find(words.name);
        if (!symbol) {
            diagnostics_.add(words.span,
                             fmt::format("the output '{}' is not defined", words.name),
                             fmt::format("define it in the equations, as {} = …; {}",
                                         words.name,
                                         sim::suggest(words.name, symbols_.names())));
        } else if (const TypedExpr* value = value_of(words.name, *symbol);
                   value && words.unit.is_known) {
            const auto converted = convert(
                *value, words.unit.unit, fmt::format("the output {}", words.name), words.unit.span);
            if (converted) output.value = *converted;
        }
        system_.outputs.push_back(output);
        model_.residual_errors.push_back(
            read_residual_error(words, system_.time_unit, diagnostics_));
    }
}

/// Individual parameters are reported; definitions nobody mentions are checked all the same.
void ModelLowering::lower_rest() {
    for (const auto& [equation, scope] : words_.lines)
        if (Symbol* symbol = symbols_.find(equation.target);
            equation.kind.empty() && symbol && symbol->kind == SymbolKind::definition)
            value_of(equation.target, *symbol);
    enzymes_.evaluate_all();
    for (const Parameter& parameter : model_.parameters) {
        Symbol* symbol = symbols_.find(parameter.name);
        if (!symbol || symbol->kind != SymbolKind::parameter) continue;
        if (const TypedExpr* value = value_of(parameter.name, *symbol))
            system_.parameters.push_back({parameter.name,
                                          parameter.unit,
                                          parameter.about,
                                          value->expr,
                                          has_one_sign(parameter)});
    }
}

void ModelLowering::tell_unused() {
    const auto tell = [&](const std::string& word, const sim::SourceSpan& span, const char* kind) {
        diagnostics_.add(span,
                         fmt::format("the {} '{}' is never used", kind, word),
                         "use it in an equation or a scale, or take it out");
    };
    const auto is_unused = [&](const std::string& word) {
        const Symbol* symbol = symbols_.find(word);
        return symbol && !symbol->is_mentioned;
    };
    enzymes_.tell_unused(tell);
    // a used file has been checked by itself; here some of its lines may have been replaced
    for (const ParameterWords& words : words_.parameters)
        if (words.scope == 0 && is_unused(words.name)) tell(words.name, words.span, "parameter");
    for (const MapWords& words : words_.maps)
        if (words.scope == 0 && is_unused(words.name)) tell(words.name, words.span, "map");
    for (const CovariateWords& words : words_.covariates) {
        if (words.scope != 0) continue;
        const bool is_number = words.categories.empty();
        const bool all_unused =
            is_number ? is_unused(words.name)
                      : std::ranges::all_of(words.categories, [&](const std::string& category) {
                            return is_unused(words.name + "_" + category);
                        });
        if (all_unused && !may_scale_doses(words.name))
            tell(words.name, words.span, words.is_mixture ? "mixture" : "covariate");
    }
}

void ModelLowering::check_needs() {
    for (const NeedWords& need : words_.needs)
        if (!is_met(need)) bad_needs_.emplace(need.scope, need.name);
}

/// A need of a used file is a matter of the file that uses it: told where that one names it.
bool ModelLowering::is_met(const NeedWords& need) {
    const Scope& scope = words_.scopes[static_cast<std::size_t>(need.scope)];
    const bool is_used = scope.user >= 0;
    const sim::SourceSpan& place = is_used ? scope.used_at : need.span;
    const std::string what =
        is_used ? fmt::format("the '{}' of {}", need.name, scope.file.filename().string())
                : fmt::format("'{}'", need.name);
    Symbol* symbol = find(need.name, need.scope);
    if (!symbol) {
        diagnostics_.add(place,
                         fmt::format("nothing gives {}, which is needed in {} ({})",
                                     what,
                                     need.unit.unit.text,
                                     need.unit.unit.dimension.name()),
                         fmt::format("use a model that has {0}, such as "
                                     "\"library:one_compartment_iv\" for a plasma concentration, "
                                     "define {0} in the equations, or say what else it is by "
                                     "with = {{ {0} = \"…\" }}",
                                     need.name));
        return false;
    }
    const TypedExpr* value = value_of(need.name, *symbol);
    if (!value || !need.unit.is_known) return false;
    const bool is_of_kind = value->unit.dimension == need.unit.unit.dimension;
    if (!is_of_kind)
        diagnostics_.add(place,
                         fmt::format("{} is in {} ({}), where {} ({}) is needed",
                                     what,
                                     value->unit.text,
                                     value->unit.dimension.name(),
                                     need.unit.unit.text,
                                     need.unit.unit.dimension.name()),
                         "define a quantity of the kind needed and name it by with = { … }");
    return is_of_kind;
}

const TypedExpr* ModelLowering::value_of(const std::string& word, Symbol& symbol) {
    if (symbol.is_ambiguous) return nullptr;
    if (symbol.progress == Symbol::Progress::under_way) {
        tell_cycle(word);
        symbol.progress = Symbol::Progress::failed;
    }
    if (symbol.progress == Symbol::Progress::waiting && under_way_.size() >= deepest_chain) {
        tell_depth(word, symbol);
        symbol.progress = Symbol::Progress::failed;
    }
    if (symbol.progress == Symbol::Progress::waiting) {
        symbol.progress = Symbol::Progress::under_way;
        under_way_.push_back(word);
        const auto value = evaluate(symbol);
        under_way_.pop_back();
        const bool is_good = value && symbol.progress != Symbol::Progress::failed;
        if (value) symbol.value = *value;
        symbol.progress = is_good ? Symbol::Progress::done : Symbol::Progress::failed;
    }
    return symbol.progress == Symbol::Progress::done ? &symbol.value : nullptr;
}

std::optional<TypedExpr> ModelLowering::evaluate(const Symbol& symbol) {
    if (symbol.kind == SymbolKind::parameter) return individual_parameter(symbol.index);
    if (symbol.kind == SymbolKind::definition) {
        const EquationWords& line = words_.lines[static_cast<std::size_t>(symbol.index)];
        return parse(line.equation.expression, line.scope, true);
    }
    if (symbol.kind == SymbolKind::enzyme || symbol.kind == SymbolKind::clearance ||
        symbol.kind == SymbolKind::first_pass)
        return enzymes_.evaluate(symbol);
    return std::nullopt; // states, covariates and maps have their leaves from the start
}

/// Once: what lies deeper is as deep.
void ModelLowering::tell_depth(const std::string& word, const Symbol& symbol) {
    if (!is_depth_told_)
        diagnostics_.add(symbol.span,
                         fmt::format("'{}' is used by '{}' through more than {} other definitions",
                                     word,
                                     under_way_.front(),
                                     deepest_chain),
                         "shorten the chain: write what a definition is without the ones between");
    is_depth_told_ = true;
}

void ModelLowering::tell_cycle(const std::string& word) {
    std::string circle;
    const auto first = std::ranges::find(under_way_, word);
    for (auto i = first; i != under_way_.end(); ++i)
        circle += *i + " → ";
    diagnostics_.add(symbols_.find(word)->span,
                     fmt::format("'{}' is defined by itself: {}{}", word, circle, word),
                     "a quantity that feeds back on itself in time is a state: write d/dt(…)");
}

/// With η the sum of all levels: P = typical·exp(η), typical + η, logit⁻¹(logit typical + η),
/// typical·exp(((exp η)^λ − 1)/λ).
Expr ModelLowering::with_effect(int index, Expr typical) {
    const Parameter& parameter = model_.parameters[static_cast<std::size_t>(index)];
    if (!parameter.law()) return typical;
    sim::ExpressionGraph& g = system_.graph;
    const Expr eta = eta_[static_cast<std::size_t>(index)];
    const Expr one = g.constant(1.0);
    const auto exp = [&](Expr x) { return g.unary(sim::Op::exponential, x); };
    switch (parameter.law()->law) {
    case VariabilityLaw::lognormal:
    case VariabilityLaw::student:
        return g.multiply(typical, exp(eta));
    case VariabilityLaw::normal:
        return g.add(typical, eta);
    case VariabilityLaw::logit: {
        // 1/(1 + (1 − p)/p · exp(−η)): the logit and its inverse in one
        const Expr odds_against = g.divide(g.subtract(one, typical), typical);
        return g.divide(one, g.add(one, g.multiply(odds_against, exp(g.negate(eta)))));
    }
    case VariabilityLaw::boxcox:
        break;
    }
    const double lambda = parameter.law()->lambda;
    if (lambda == 0.0) return g.multiply(typical, exp(eta)); // the limit
    const Expr power = g.unary(sim::Op::expm1, g.multiply(g.constant(lambda), eta));
    return g.multiply(typical, exp(g.divide(power, g.constant(lambda))));
}

std::optional<TypedExpr> ModelLowering::typical_value(int index) {
    const ParameterWords& words = words_.parameters[static_cast<std::size_t>(index)];
    if (!words.unit.is_known) return std::nullopt;
    if (!words.expression) {
        if (!words.value) return std::nullopt;
        return TypedExpr{theta_[static_cast<std::size_t>(index)], words.unit.unit, false};
    }
    const auto value = parse_constant(*words.expression,
                                      words.scope,
                                      words.unit.unit,
                                      fmt::format("the value of {}", words.name));
    if (!value) return std::nullopt;
    return TypedExpr{*value, words.unit.unit, false};
}

std::optional<TypedExpr> ModelLowering::individual_parameter(int index) {
    const ParameterWords& words = words_.parameters[static_cast<std::size_t>(index)];
    auto typical = typical_value(index);
    if (words.scale) {
        const auto scale = parse_constant(
            *words.scale, words.scope, no_unit, fmt::format("the scale of {}", words.name));
        if (!scale || !typical) return std::nullopt;
        typical->expr = system_.graph.multiply(typical->expr, *scale);
    }
    if (!typical) return std::nullopt;
    return TypedExpr{with_effect(index, typical->expr), words.unit.unit, false};
}

/// What a word in a file's text means.
Symbol* ModelLowering::find(const std::string& word, int scope) {
    const auto name = words_.in_whole(word, scope);
    return name ? symbols_.find(*name) : nullptr;
}

sim::ExpressionContext ModelLowering::context(int scope, bool allows_time) {
    sim::ExpressionContext context;
    context.graph = &system_.graph;
    context.time_unit = system_.time_unit;
    context.allows_time = allows_time;
    context.known_names = symbols_.names();
    context.diagnostics = &diagnostics_;
    context.resolve =
        [this, scope, allows_time](const std::string& word) -> std::optional<TypedExpr> {
        Symbol* symbol = find(word, scope);
        if (!symbol && word == "tad" && allows_time) return time_since_dose();
        const TypedExpr* value = symbol ? value_of(word, *symbol) : nullptr;
        return value ? std::optional(*value) : std::nullopt;
    };
    return context;
}

/// The time since a dose last came. Its state is added when all others are known.
TypedExpr ModelLowering::time_since_dose() {
    mentions_last_dose_ = true;
    sim::ExpressionGraph& graph = system_.graph;
    return {
        graph.subtract(graph.leaf(LeafKind::time), graph.leaf(LeafKind::state, unknown_last_dose)),
        system_.time_unit,
        false};
}

void ModelLowering::add_last_dose() {
    if (!mentions_last_dose_ || !diagnostics_.empty()) return;
    sim::ExpressionGraph& graph = system_.graph;
    const Expr unknown = graph.leaf(LeafKind::state, unknown_last_dose);
    const int number = sim::add_last_dose(system_);
    const std::unordered_map<std::uint32_t, Expr> with{
        {unknown.id, graph.leaf(LeafKind::state, number)}};
    for (sim::State& state : system_.states)
        state.rate = graph.substitute(std::vector{state.rate}, with)[0];
    for (sim::NamedExpr& output : system_.outputs)
        output.value = graph.substitute(std::vector{output.value}, with)[0];
    model_.molar_mass.resize(system_.states.size(), 0.0);
}

/// Names are worked out first: one with a mistake ends it here, where its unit would only be
/// guessed.
std::optional<TypedExpr>
ModelLowering::parse(const sim::SourceText& text, int scope, bool allows_time) {
    bool is_good = true;
    for (const std::string& word : sim::names_in(text)) {
        Symbol* symbol = find(word, scope);
        if (bad_needs_.contains({scope, word}) || (symbol && !value_of(word, *symbol)))
            is_good = false;
    }
    if (!is_good) return std::nullopt;
    const std::size_t n_before = diagnostics_.size();
    const TypedExpr typed = sim::parse_expression(text, context(scope, allows_time));
    return diagnostics_.size() == n_before ? std::optional(typed) : std::nullopt;
}

std::optional<Expr> ModelLowering::convert(const TypedExpr& typed,
                                           const sim::Unit& unit,
                                           const std::string& what,
                                           const sim::SourceSpan& span) {
    const std::size_t n_before = diagnostics_.size();
    const Expr expr = sim::convert(typed, unit, what, span, context(0, true));
    return diagnostics_.size() == n_before ? std::optional(expr) : std::nullopt;
}

std::optional<Expr> ModelLowering::parse_constant(const sim::SourceText& text,
                                                  int scope,
                                                  const sim::Unit& unit,
                                                  const std::string& what) {
    const auto typed = parse(text, scope, false);
    if (!typed) return std::nullopt;
    const Expr all[] = {typed->expr};
    for (const sim::Leaf& leaf : system_.graph.leaves(all)) {
        if (leaf.kind == LeafKind::input) continue;
        const std::string on =
            leaf.kind == LeafKind::state && leaf.index == unknown_last_dose
                ? std::string("the time since a dose (tad)")
            : leaf.kind == LeafKind::state
                ? fmt::format("the state '{}'",
                              system_.states[static_cast<std::size_t>(leaf.index)].name)
                : "time";
        diagnostics_.add(whole(text),
                         fmt::format("{} depends on {}", what, on),
                         "it holds for a patient as a whole: use parameters, covariates and maps");
        return std::nullopt;
    }
    return convert(*typed, unit, what, whole(text));
}

} // namespace gemel::pkpd
