#include "model_enzymes.hpp"

#include "model_lowering.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace gemel::pkpd {

namespace {

using sim::Expr;
using sim::SourceText;
using sim::TypedExpr;

const sim::Unit without_unit{};

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Shares are written with a few digits.
constexpr double share_tolerance = 1e-6;

/// Share of an enzyme's activity that is left under an inhibitor of a class.
struct ClassFactor {
    const char* name;
    double left;
};
constexpr ClassFactor class_factors[] = {
    {"none", 1.0}, {"weak", 1.0}, {"moderate", 0.5}, {"strong", 0.0}};

const ClassFactor* find_class(const std::string& name) {
    const auto found = std::ranges::find(class_factors, name, &ClassFactor::name);
    return found == std::end(class_factors) ? nullptr : found;
}

/// "none 1, weak 1, moderate 0.5, strong 0"
std::string class_text() {
    std::string text;
    for (const ClassFactor& factor : class_factors)
        text += fmt::format("{}{} {:g}", text.empty() ? "" : ", ", factor.name, factor.left);
    return text;
}

const CovariateWords* find_covariate(const ModelWords& words, const std::string& name) {
    const auto found = std::ranges::find(words.covariates, name, &CovariateWords::name);
    return found == words.covariates.end() ? nullptr : &*found;
}

std::vector<std::string> enzyme_names(const ModelWords& words) {
    std::vector<std::string> names;
    for (const EnzymeWords& enzyme : words.enzymes)
        names.push_back(enzyme.name);
    return names;
}

} // namespace

void EnzymeLowering::declare() {
    const auto declare_one = [&](const std::string& name,
                                 SymbolKind kind,
                                 std::size_t index,
                                 const sim::SourceSpan& span) {
        Symbol symbol;
        symbol.kind = kind;
        symbol.index = static_cast<int>(index);
        symbol.span = span;
        whole_.symbols_.declare(name, symbol, whole_.diagnostics_);
    };
    const ModelWords& words = whole_.words_;
    for (std::size_t i = 0; i < words.enzymes.size(); ++i) {
        const EnzymeWords& enzyme = words.enzymes[i];
        declare_one(enzyme.name, SymbolKind::enzyme, i, enzyme.span);
        if (has_amount(enzyme.name))
            declare_one(amount_of(enzyme.name), SymbolKind::state, 0, enzyme.span);
    }
    for (std::size_t i = 0; i < words.clearances.size(); ++i) {
        const ClearanceWords& clearance = words.clearances[i];
        declare_one(clearance.name, SymbolKind::clearance, i, clearance.span);
        if (!clearance.first_pass.empty())
            declare_one(clearance.first_pass, SymbolKind::first_pass, i, clearance.first_pass_span);
    }
}

bool EnzymeLowering::has_amount(const std::string& enzyme) const {
    return std::ranges::any_of(whole_.words_.interactions, [&](const InteractionWords& row) {
        return row.enzyme == enzyme && row.changes_amount();
    });
}

void EnzymeLowering::mark(const Mark& mark_all) {
    for (const EnzymeWords& enzyme : whole_.words_.enzymes)
        for (const auto* text : {&enzyme.turnover, &enzyme.ontogeny})
            if (*text) mark_all((*text)->text, (*text)->scope);
    for (const InteractionWords& row : whole_.words_.interactions) {
        for (const auto* text : {&row.by, &row.Ki, &row.kinact, &row.KI, &row.Emax, &row.EC50})
            mark_all(*text, row.scope);
        mark_class(row);
    }
    for (const ClearanceWords& row : whole_.words_.clearances) {
        for (const auto* text :
             {&row.of, &row.renal, &row.kidney, &row.liver, &row.flow, &row.absorbed})
            mark_all(*text, row.scope);
        for (const ClearanceWords::Pathway& pathway : row.pathways) {
            mark_all(pathway.share, row.scope);
            mark_all(pathway.activity, row.scope);
            if (Symbol* symbol = whole_.symbols_.find(pathway.enzyme)) symbol->is_mentioned = true;
        }
    }
}

void EnzymeLowering::mark_class(const InteractionWords& interaction) {
    const CovariateWords* covariate = find_covariate(whole_.words_, interaction.inhibitor_class);
    if (!covariate) return;
    for (const std::string& category : covariate->categories)
        if (Symbol* symbol = whole_.symbols_.find(covariate->name + "_" + category))
            symbol->is_mentioned = true;
}

// Amounts.

void EnzymeLowering::add_amounts() {
    for (const EnzymeWords& enzyme : whole_.words_.enzymes) {
        if (!has_amount(enzyme.name)) continue;
        sim::State state;
        state.name = amount_of(enzyme.name);
        state.initial = whole_.system_.graph.constant(1.0);
        state.rate = whole_.system_.graph.constant(0.0);
        state.scale = 1.0;
        const int index = static_cast<int>(whole_.system_.states.size());
        whole_.system_.states.push_back(state);
        whole_.model_.molar_mass.push_back(0.0);
        Symbol* symbol = whole_.symbols_.find(state.name);
        if (!symbol || symbol->kind != SymbolKind::state) continue;
        symbol->value = {whole_.system_.graph.leaf(sim::LeafKind::state, index), state.unit, false};
        symbol->progress = Symbol::Progress::done;
    }
}

void EnzymeLowering::lower_amounts() {
    for (const InteractionWords& row : whole_.words_.interactions)
        is_known(row.enzyme, row.enzyme_span);
    for (const EnzymeWords& enzyme : whole_.words_.enzymes)
        if (has_amount(enzyme.name)) lower_amount(enzyme);
}

bool EnzymeLowering::is_known(const std::string& enzyme, const sim::SourceSpan& span) {
    const std::vector<std::string> names = enzyme_names(whole_.words_);
    if (std::ranges::count(names, enzyme) > 0) return true;
    if (enzyme.empty()) return false; // told already
    whole_.diagnostics_.add(span,
                            fmt::format("no file of this model declares the enzyme '{}'", enzyme),
                            names.empty() ? fmt::format("write [enzymes.{}]", enzyme)
                                          : sim::suggest(enzyme, names));
    return false;
}

/// dE/dt = kdeg · (1 + Σ Emax·I/(EC50 + I) − E) − E · Σ kinact·I/(KI + I)
void EnzymeLowering::lower_amount(const EnzymeWords& enzyme) {
    if (!enzyme.turnover) {
        whole_.diagnostics_.add(
            enzyme.span,
            fmt::format("something changes the amount of {0}, and how fast {0} is renewed is "
                        "not said",
                        enzyme.name),
            "write turnover = …, its rate of degradation such as \"0.0136[1/h]\" for a half-life "
            "of 51 h");
        return;
    }
    const auto turnover = whole_.parse_constant(enzyme.turnover->text,
                                                enzyme.turnover->scope,
                                                without_unit / whole_.system_.time_unit,
                                                fmt::format("the turnover of {}", enzyme.name));
    const auto made = synthesis(enzyme);
    const auto lost = inactivation(enzyme);
    const auto state =
        std::ranges::find(whole_.system_.states, amount_of(enzyme.name), &sim::State::name);
    if (!turnover || !made || !lost || state == whole_.system_.states.end()) return;
    sim::ExpressionGraph& g = whole_.system_.graph;
    const int index = static_cast<int>(state - whole_.system_.states.begin());
    const Expr amount = g.leaf(sim::LeafKind::state, index);
    state->rate =
        g.subtract(g.multiply(*turnover, g.subtract(*made, amount)), g.multiply(*lost, amount));
}

/// Relative to that without inducers.
std::optional<Expr> EnzymeLowering::synthesis(const EnzymeWords& enzyme) {
    sim::ExpressionGraph& g = whole_.system_.graph;
    Expr sum = g.constant(1.0);
    for (const InteractionWords& row : whole_.words_.interactions) {
        if (row.enzyme != enzyme.name || !row.Emax) continue;
        const auto largest = number(row.Emax, row.scope, "Emax", 0.0);
        const auto share = saturation(row, row.EC50, "EC50");
        if (!largest || !share) return std::nullopt;
        sum = g.add(sum, g.multiply(*largest, *share));
    }
    return sum;
}

/// A rate, per time of the model.
std::optional<Expr> EnzymeLowering::inactivation(const EnzymeWords& enzyme) {
    sim::ExpressionGraph& g = whole_.system_.graph;
    Expr sum = g.constant(0.0);
    for (const InteractionWords& row : whole_.words_.interactions) {
        if (row.enzyme != enzyme.name || !row.kinact) continue;
        const auto fastest = whole_.parse_constant(
            *row.kinact, row.scope, without_unit / whole_.system_.time_unit, "kinact");
        const auto share = saturation(row, row.KI, "K_I");
        if (!fastest || !share) return std::nullopt;
        sum = g.add(sum, g.multiply(*fastest, *share));
    }
    return sum;
}

/// I/(K + I)
std::optional<Expr> EnzymeLowering::saturation(const InteractionWords& interaction,
                                               const std::optional<SourceText>& half,
                                               const char* what) {
    if (!interaction.by || !half) return std::nullopt; // told while reading
    const auto level = whole_.parse(*interaction.by, interaction.scope, true);
    if (!level) return std::nullopt;
    const auto constant = whole_.parse_constant(*half, interaction.scope, level->unit, what);
    if (!constant) return std::nullopt;
    sim::ExpressionGraph& g = whole_.system_.graph;
    return g.divide(level->expr, g.add(*constant, level->expr));
}

// Activities.

std::optional<TypedExpr> EnzymeLowering::evaluate(const Symbol& symbol) {
    const auto index = static_cast<std::size_t>(symbol.index);
    if (symbol.kind == SymbolKind::enzyme) return activity(whole_.words_.enzymes[index]);
    const ClearanceWords& words = whole_.words_.clearances[index];
    return symbol.kind == SymbolKind::clearance ? clearance(words) : first_pass(words);
}

void EnzymeLowering::evaluate_all() {
    const auto evaluate_one = [&](const std::string& name, SymbolKind kind) {
        if (Symbol* symbol = whole_.symbols_.find(name); symbol && symbol->kind == kind)
            whole_.value_of(name, *symbol);
    };
    for (const EnzymeWords& enzyme : whole_.words_.enzymes)
        evaluate_one(enzyme.name, SymbolKind::enzyme);
    for (const ClearanceWords& words : whole_.words_.clearances) {
        check_shares(words);
        evaluate_one(words.name, SymbolKind::clearance);
        if (!words.first_pass.empty()) evaluate_one(words.first_pass, SymbolKind::first_pass);
    }
}

/// ontogeny · E · Π class factors / (1 + Σ I/Ki)
std::optional<TypedExpr> EnzymeLowering::activity(const EnzymeWords& enzyme) {
    sim::ExpressionGraph& g = whole_.system_.graph;
    Expr value = g.constant(1.0);
    if (enzyme.ontogeny) {
        const auto ontogeny = whole_.parse_constant(enzyme.ontogeny->text,
                                                    enzyme.ontogeny->scope,
                                                    without_unit,
                                                    fmt::format("the ontogeny of {}", enzyme.name));
        if (!ontogeny) return std::nullopt;
        value = *ontogeny;
    }
    if (has_amount(enzyme.name))
        value = g.multiply(value, whole_.symbols_.find(amount_of(enzyme.name))->value.expr);
    Expr competitors = g.constant(1.0);
    for (const InteractionWords& row : whole_.words_.interactions) {
        if (row.enzyme != enzyme.name) continue;
        const auto left = class_factor(row);
        const auto bound = competition(row);
        if (!left || !bound) return std::nullopt;
        value = g.multiply(value, *left);
        competitors = g.add(competitors, *bound);
    }
    return TypedExpr{g.divide(value, competitors), without_unit, false};
}

/// I/Ki; 0 where the interaction is none of this kind.
std::optional<Expr> EnzymeLowering::competition(const InteractionWords& interaction) {
    sim::ExpressionGraph& g = whole_.system_.graph;
    if (!interaction.Ki) return g.constant(0.0);
    if (!interaction.by) return std::nullopt; // told while reading
    const auto level = whole_.parse(*interaction.by, interaction.scope, true);
    if (!level) return std::nullopt;
    const auto constant =
        whole_.parse_constant(*interaction.Ki, interaction.scope, level->unit, "Ki");
    if (!constant) return std::nullopt;
    return g.divide(level->expr, *constant);
}

/// 1 less what the classes take away, each a category that is 1 or 0.
std::optional<Expr> EnzymeLowering::class_factor(const InteractionWords& interaction) {
    sim::ExpressionGraph& g = whole_.system_.graph;
    Expr left = g.constant(1.0);
    if (interaction.inhibitor_class.empty()) return left;
    const CovariateWords* covariate = find_covariate(whole_.words_, interaction.inhibitor_class);
    const bool is_good = covariate && !covariate->categories.empty() &&
                         std::ranges::all_of(covariate->categories, find_class);
    if (!is_good) {
        whole_.diagnostics_.add(
            interaction.class_span,
            covariate
                ? fmt::format("'{}' has categories other than none, weak, moderate, strong",
                              interaction.inhibitor_class)
                : fmt::format("'{}' is no covariate of this model", interaction.inhibitor_class),
            fmt::format("declare [covariates] {} = {{ categories = [\"none\", \"weak\", "
                        "\"moderate\", \"strong\"], reference = \"none\" }}",
                        covariate ? interaction.inhibitor_class
                                  : interaction.enzyme + "_inhibitor"));
        return std::nullopt;
    }
    for (const std::string& category : covariate->categories) {
        Symbol* symbol = whole_.symbols_.find(covariate->name + "_" + category);
        const TypedExpr* is_taken =
            symbol ? whole_.value_of(covariate->name + "_" + category, *symbol) : nullptr;
        if (!is_taken) return std::nullopt;
        const double taken = 1.0 - find_class(category)->left;
        left = g.subtract(left, g.multiply(g.constant(taken), is_taken->expr));
    }
    whole_.model_.notes.push_back(
        fmt::format("{} under an inhibitor by its class ({}): {} of the activity. Class factors "
                    "stand for a concentration that is not simulated",
                    interaction.enzyme,
                    interaction.inhibitor_class,
                    class_text()));
    return left;
}

// Clearances.

/// What a clearance and its first pass are made of.
struct EnzymeLowering::Liver {
    Expr relative;   ///< x, intrinsic clearance relative to the reference's
    Expr systemic;   ///< hepatic and renal clearance together
    Expr first_pass; ///< share that the liver lets pass; of an apparent clearance relative
    sim::Unit unit;
};

std::optional<Expr> EnzymeLowering::number(const std::optional<SourceText>& text,
                                           int scope,
                                           const std::string& what,
                                           double absent) {
    if (!text) return whole_.system_.graph.constant(absent);
    return whole_.parse_constant(*text, scope, without_unit, what);
}

/// The pathway's genotype and the enzyme's state.
std::optional<Expr> EnzymeLowering::pathway_activity(const ClearanceWords& words,
                                                     const ClearanceWords::Pathway& pathway) {
    if (!is_known(pathway.enzyme, pathway.span)) return std::nullopt;
    Symbol* symbol = whole_.symbols_.find(pathway.enzyme);
    const TypedExpr* enzyme = symbol ? whole_.value_of(pathway.enzyme, *symbol) : nullptr;
    const auto genotype = number(
        pathway.activity, words.scope, fmt::format("the activity of {}", pathway.enzyme), 1.0);
    if (!enzyme || !genotype) return std::nullopt;
    return whole_.system_.graph.multiply(*genotype, enzyme->expr);
}

/// x = (Σ share·activity + rest) / (1 − renal) · liver, the rest being what no pathway names.
std::optional<Expr> EnzymeLowering::relative_intrinsic(const ClearanceWords& words, Expr renal) {
    sim::ExpressionGraph& g = whole_.system_.graph;
    const Expr metabolised = g.subtract(g.constant(1.0), renal);
    Expr rest = metabolised;
    Expr sum = g.constant(0.0);
    bool is_good = true;
    for (const ClearanceWords::Pathway& pathway : words.pathways) {
        const auto share =
            number(pathway.share, words.scope, fmt::format("the share of {}", pathway.enzyme), 0.0);
        const auto active = pathway_activity(words, pathway);
        is_good = is_good && share && active;
        if (!is_good) continue;
        sum = g.add(sum, g.multiply(*share, *active));
        rest = g.subtract(rest, *share);
    }
    const auto function = number(words.liver, words.scope, "liver", 1.0);
    if (!is_good || !function) return std::nullopt;
    return g.multiply(g.divide(g.add(sum, rest), metabolised), *function);
}

/// The well-stirred liver: with E0 the reference's extraction, hepatic clearance becomes
/// CL0·x/(1 − E0 + E0·x), and the share that passes (1 − E0)/(1 − E0 + E0·x).
std::optional<EnzymeLowering::Liver> EnzymeLowering::liver(const ClearanceWords& words) {
    using Declared = ClearanceWords::Declared;
    sim::ExpressionGraph& g = whole_.system_.graph;
    if (!words.of) return std::nullopt; // told while reading
    const auto declared = whole_.parse(*words.of, words.scope, false);
    if (!declared) return std::nullopt;
    const auto renal = number(words.renal, words.scope, "renal", 0.0);
    const auto kidney = number(words.kidney, words.scope, "kidney", 1.0);
    if (!renal || !kidney) return std::nullopt;
    const auto x = relative_intrinsic(words, *renal);
    if (!x) return std::nullopt;
    const Expr one = g.constant(1.0);
    const Expr hepatic = g.multiply(declared->expr, g.subtract(one, *renal));
    const Expr by_kidney = g.multiply(g.multiply(declared->expr, *renal), *kidney);
    if (!words.flow)
        return Liver{*x, g.add(g.multiply(hepatic, *x), by_kidney), one, declared->unit};
    const auto flow =
        whole_.parse_constant(*words.flow, words.scope, declared->unit, "the flow of the liver");
    const auto absorbed = number(words.absorbed, words.scope, "absorbed", 1.0);
    if (!flow || !absorbed) return std::nullopt;
    if (words.declared == Declared::intrinsic) {
        const Expr intrinsic = g.multiply(declared->expr, *x);
        const Expr passes = g.divide(*flow, g.add(*flow, intrinsic));
        return Liver{*x, g.multiply(intrinsic, passes), passes, declared->unit};
    }
    // CL/F = CLint/absorbed where the liver alone clears: E0 = k/(1 + k), k = CL/F·absorbed/flow
    const Expr ratio = g.divide(hepatic, *flow);
    const Expr k = g.multiply(ratio, *absorbed);
    // a clearance above the flow of the liver is no liver's: the patient is told as invalid
    const Expr possible =
        g.select(g.binary(sim::Op::less, ratio, one), ratio, g.constant(not_a_number));
    const Expr extraction =
        words.declared == Declared::systemic ? possible : g.divide(k, g.add(one, k));
    const Expr passing = g.subtract(one, extraction);
    const Expr divisor = g.add(passing, g.multiply(extraction, *x));
    const Expr cleared = g.divide(g.multiply(hepatic, *x), divisor);
    return Liver{*x,
                 g.add(cleared, by_kidney),
                 g.divide(words.declared == Declared::systemic ? passing : one, divisor),
                 declared->unit};
}

std::optional<TypedExpr> EnzymeLowering::clearance(const ClearanceWords& words) {
    const auto found = liver(words);
    return found ? std::optional(TypedExpr{found->systemic, found->unit, false}) : std::nullopt;
}

std::optional<TypedExpr> EnzymeLowering::first_pass(const ClearanceWords& words) {
    const auto found = liver(words);
    return found ? std::optional(TypedExpr{found->first_pass, without_unit, false}) : std::nullopt;
}

/// A bare number, or a parameter's typical value; nothing for what is worked out.
std::optional<double> EnzymeLowering::known_value(const std::optional<SourceText>& text,
                                                  int scope) {
    if (!text) return 0.0;
    if (const auto literal = sim::parse_quantity(text->text)) return literal->value;
    const Symbol* symbol = whole_.find(text->text, scope);
    if (!symbol || symbol->kind != SymbolKind::parameter) return std::nullopt;
    return whole_.words_.parameters[static_cast<std::size_t>(symbol->index)].value;
}

void EnzymeLowering::check_shares(const ClearanceWords& words) {
    auto sum = known_value(words.renal, words.scope);
    for (const ClearanceWords::Pathway& pathway : words.pathways) {
        const auto share = known_value(pathway.share, words.scope);
        if (sum && share) *sum += *share;
        if (!share) sum.reset();
    }
    if (sum && *sum > 1.0 + share_tolerance)
        whole_.diagnostics_.add(
            words.span,
            fmt::format("the shares of {} sum to {:g}, which is more than 1", words.name, *sum),
            "what no pathway names is the rest of the clearance");
}

void EnzymeLowering::tell_unused(const Tell& tell) {
    const auto is_unused = [&](const std::string& name) {
        const Symbol* symbol = whole_.symbols_.find(name);
        return symbol && !symbol->is_mentioned;
    };
    for (const EnzymeWords& enzyme : whole_.words_.enzymes) {
        const bool is_acted_on =
            std::ranges::count(whole_.words_.interactions, enzyme.name, &InteractionWords::enzyme) >
            0;
        if (enzyme.scope == 0 && !is_acted_on && is_unused(enzyme.name))
            tell(enzyme.name, enzyme.span, "enzyme");
    }
    for (const ClearanceWords& words : whole_.words_.clearances)
        if (words.scope == 0 && is_unused(words.name)) tell(words.name, words.span, "clearance");
}

} // namespace gemel::pkpd
