#include "expr/typed_math.hpp"

#include <fmt/format.h>

#include <cmath>

namespace gemel::sim {
namespace {

bool is_one(const Unit& unit) {
    return unit.text == "1";
}

bool any_mistake(std::initializer_list<const Operand*> operands) {
    for (const Operand* operand : operands)
        if (operand->typed.is_mistake) return true;
    return false;
}

} // namespace

std::string describe(const Unit& unit) {
    if (is_one(unit)) return "a number without unit";
    return fmt::format(
        "{} ({})", unit.text, unit.is_dimensionless() ? "a ratio" : unit.dimension.name());
}

std::string advice_on_units(const Unit& is, const Unit& wanted) {
    const Dimension ratio = is.dimension / wanted.dimension;
    const Dimension molar_mass{{1, 0, 0, -1}};
    if (ratio == molar_mass || ratio == molar_mass.power(-1.0))
        return "masses and amounts of substance convert with a molar mass: divide or multiply by a "
               "quantity in g/mol";
    const Dimension percent{{0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
    if (ratio == percent || ratio == percent.power(-1.0))
        return "for the fraction of x in % write x / 100[%]; 60 % is 60[%] beside a "
               "percentage, 0.6 beside a number";
    if (is_one(is))
        return fmt::format("a number takes its unit in brackets, as in 70[{}]", wanted.text);
    if (is_one(wanted))
        return fmt::format("divide by a quantity of the same kind, such as 1[{}]", is.text);
    return {};
}

TypedExpr TypedMath::constant(double value, const Unit& unit) const {
    return {graph_.constant(value), unit, value == 0.0 && is_one(unit)};
}

TypedExpr TypedMath::mistake() const {
    return {graph_.constant(0.0), Unit{}, true, true};
}

TypedExpr TypedMath::mistake(const SourceSpan& span, std::string message, std::string help) const {
    diagnostics_.add(span, std::move(message), std::move(help));
    return mistake();
}

Expr TypedMath::scaled(const TypedExpr& typed, const Unit& unit) const {
    const double factor = typed.is_zero_literal ? 1.0 : conversion_factor(typed.unit, unit);
    return factor == 1.0 ? typed.expr : graph_.multiply(graph_.constant(factor), typed.expr);
}

TypedExpr TypedMath::negate(const Operand& a) const {
    TypedExpr result = a.typed;
    result.expr = graph_.negate(a.typed.expr);
    return result;
}

std::optional<TypedMath::Aligned>
TypedMath::align(const Operand& a, const Operand& b, std::string_view cannot) const {
    if (a.typed.is_zero_literal)
        return Aligned{a.typed.expr, b.typed.expr, b.typed.unit, b.typed.is_zero_literal};
    if (!b.typed.is_zero_literal && !(a.typed.unit.dimension == b.typed.unit.dimension)) {
        // A bare number beside a quantity is the one to correct, on whichever side it stands.
        const bool blame_a = is_one(a.typed.unit);
        diagnostics_.add(blame_a ? a.span : b.span,
                         fmt::format("{}: the left side is {}, the right side {}",
                                     cannot,
                                     describe(a.typed.unit),
                                     describe(b.typed.unit)),
                         blame_a ? advice_on_units(a.typed.unit, b.typed.unit)
                                 : advice_on_units(b.typed.unit, a.typed.unit));
        return std::nullopt;
    }
    return Aligned{a.typed.expr, scaled(b.typed, a.typed.unit), a.typed.unit, false};
}

TypedExpr TypedMath::sum(Op op, const Operand& a, const Operand& b) const {
    if (any_mistake({&a, &b})) return mistake();
    const auto both =
        align(a, b, op == Op::add ? "these cannot be added" : "these cannot be subtracted");
    if (!both) return mistake();
    return {graph_.binary(op, both->a, both->b), both->unit, both->is_zero_literal};
}

TypedExpr TypedMath::multiply(const Operand& a, const Operand& b) const {
    if (any_mistake({&a, &b})) return mistake();
    const bool is_zero = a.typed.is_zero_literal || b.typed.is_zero_literal;
    const Unit unit = is_zero                ? Unit{}
                      : is_one(a.typed.unit) ? b.typed.unit
                      : is_one(b.typed.unit) ? a.typed.unit
                                             : a.typed.unit * b.typed.unit;
    return {graph_.multiply(a.typed.expr, b.typed.expr), unit, is_zero};
}

TypedExpr TypedMath::divide(const Operand& a, const Operand& b) const {
    if (any_mistake({&a, &b})) return mistake();
    if (b.typed.is_zero_literal) return mistake(b.span, "this divides by 0");
    const bool is_zero = a.typed.is_zero_literal;
    const Unit unit = is_zero                ? Unit{}
                      : is_one(b.typed.unit) ? a.typed.unit
                                             : a.typed.unit / b.typed.unit;
    return {graph_.divide(a.typed.expr, b.typed.expr), unit, is_zero};
}

std::optional<Expr> TypedMath::plain(const Operand& a, const std::string& what) const {
    if (a.typed.unit.is_dimensionless()) return scaled(a.typed, Unit{});
    diagnostics_.add(
        a.span,
        fmt::format("{} a number without unit, but this is in {}", what, describe(a.typed.unit)),
        advice_on_units(a.typed.unit, Unit{}));
    return std::nullopt;
}

TypedExpr TypedMath::power(const Operand& base, const Operand& exponent) const {
    if (any_mistake({&base, &exponent})) return mistake();
    const auto to = plain(exponent, "an exponent is");
    if (!to) return mistake();
    if (base.typed.unit.is_dimensionless())
        return bare(graph_.power(scaled(base.typed, Unit{}), *to));
    if (graph_.is_constant(*to))
        return power_of_unit({base.typed, base.span}, graph_.node(*to).value);
    return mistake(
        base.span,
        fmt::format("a quantity in {} has a power whose exponent is no literal number, so "
                    "that its unit is not known",
                    describe(base.typed.unit)),
        "divide by a reference first, as in (C/EC50)^gamma");
}

TypedExpr TypedMath::power_of_unit(const Operand& base, double exponent) const {
    constexpr double largest = 100.0;
    if (!(std::fabs(exponent) <= largest))
        return mistake(base.span,
                       fmt::format("a quantity in {} cannot have the power {}",
                                   describe(base.typed.unit),
                                   exponent));
    return {graph_.power(base.typed.expr, graph_.constant(exponent)),
            gemel::sim::power(base.typed.unit, exponent)};
}

TypedExpr TypedMath::compare(std::string_view symbol, const Operand& a, const Operand& b) const {
    if (any_mistake({&a, &b})) return mistake();
    const auto both = align(a, b, "these cannot be compared");
    if (!both) return mistake();
    if (symbol == "<") return bare(graph_.binary(Op::less, both->a, both->b));
    if (symbol == "<=") return bare(graph_.binary(Op::less_equal, both->a, both->b));
    if (symbol == ">") return bare(graph_.binary(Op::less, both->b, both->a));
    if (symbol == ">=") return bare(graph_.binary(Op::less_equal, both->b, both->a));
    const Expr equal = graph_.binary(Op::equal, both->a, both->b);
    return bare(symbol == "==" ? equal : graph_.unary(Op::logical_not, equal));
}

TypedExpr TypedMath::logic(Op op, const Operand& a, const Operand& b) const {
    if (any_mistake({&a, &b})) return mistake();
    const std::string what = op == Op::logical_and ? "'and' takes" : "'or' takes";
    const auto x = plain(a, what);
    const auto y = plain(b, what);
    return x && y ? bare(graph_.binary(op, *x, *y)) : mistake();
}

TypedExpr TypedMath::logical_not(const Operand& a) const {
    if (any_mistake({&a})) return mistake();
    const auto x = plain(a, "'not' takes");
    return x ? bare(graph_.unary(Op::logical_not, *x)) : mistake();
}

TypedExpr TypedMath::choose(const Operand& condition, const Operand& yes, const Operand& no) const {
    if (any_mistake({&condition, &yes, &no})) return mistake();
    const auto question = plain(condition, "a condition is");
    const auto both = align(yes, no, "a choice has one dimension");
    if (!question || !both) return mistake();
    return {graph_.select(*question, both->a, both->b), both->unit, both->is_zero_literal};
}

TypedExpr TypedMath::call(const Function& function, std::span<const Operand> arguments) const {
    for (const Operand& argument : arguments)
        if (argument.typed.is_mistake) return mistake();
    std::vector<Expr> values;
    if (function.rule == UnitRule::plain) {
        for (const Operand& argument : arguments)
            if (const auto value = plain(argument, fmt::format("{} takes", function.name)))
                values.push_back(*value);
        return values.size() == arguments.size() ? bare(function.build(graph_, values)) : mistake();
    }
    Operand first = arguments[0];
    for (const Operand& argument : arguments) // the first that is no literal 0 gives the unit
        if (first.typed.is_zero_literal) first = argument;
    const std::string cannot = fmt::format("{} takes arguments of one dimension", function.name);
    for (const Operand& argument : arguments) {
        const auto both = align(first, argument, cannot);
        if (!both) return mistake();
        values.push_back(both->b);
    }
    const Unit unit = function.rule == UnitRule::halves ? gemel::sim::power(first.typed.unit, 0.5)
                                                        : first.typed.unit;
    return {function.build(graph_, values), unit, first.typed.is_zero_literal};
}

TypedExpr TypedMath::in_unit(const Operand& a, const Unit& unit) const {
    if (any_mistake({&a})) return mistake();
    if (!a.typed.is_zero_literal && !(a.typed.unit.dimension == unit.dimension))
        return mistake(a.span,
                       fmt::format("this is in {} and has no number in {}",
                                   describe(a.typed.unit),
                                   describe(unit)),
                       advice_on_units(a.typed.unit, unit));
    return bare(scaled(a.typed, unit));
}

Expr convert(const TypedExpr& typed,
             const Unit& unit,
             const std::string& what,
             const SourceSpan& span,
             const ExpressionContext& context) {
    const TypedMath math(context);
    if (typed.is_mistake || typed.is_zero_literal || typed.unit.dimension == unit.dimension)
        return math.scaled(typed, unit);
    const bool is_number = typed.unit.text == "1";
    return math
        .mistake(span,
                 fmt::format("{} is {}{}, but this expression is {}{}",
                             what,
                             is_one(unit) ? "" : "in ",
                             describe(unit),
                             is_number ? "" : "in ",
                             describe(typed.unit)),
                 advice_on_units(typed.unit, unit))
        .expr;
}

} // namespace gemel::sim
