#pragma once

#include "expr/functions.hpp"

#include <gemel/sim/equations.hpp>

#include <span>
#include <string>
#include <string_view>

/// Operations on expressions with units: each checks its operands' dimensions, converts where it
/// must, and tells mistakes at the operand they concern. Numbers are touched only where two units
/// of one dimension meet.
namespace gemel::sim {

struct Operand {
    TypedExpr typed;
    SourceSpan span;
};

/// "mg/L (a concentration)"; "mg/kg (a ratio)"; "a number without unit".
std::string describe(const Unit& unit);

class TypedMath {
public:
    explicit TypedMath(const ExpressionContext& context)
        : graph_(*context.graph),
          diagnostics_(*context.diagnostics) {}

    TypedExpr constant(double value, const Unit& unit) const;
    TypedExpr mistake() const; ///< after a mistake has been told
    TypedExpr mistake(const SourceSpan& span, std::string message, std::string help = {}) const;

    TypedExpr negate(const Operand& a) const;
    TypedExpr sum(Op op, const Operand& a, const Operand& b) const; ///< op: add or subtract
    TypedExpr multiply(const Operand& a, const Operand& b) const;
    TypedExpr divide(const Operand& a, const Operand& b) const;
    TypedExpr power(const Operand& base, const Operand& exponent) const;
    TypedExpr compare(std::string_view symbol, const Operand& a, const Operand& b) const;
    TypedExpr logic(Op op, const Operand& a, const Operand& b) const;
    TypedExpr logical_not(const Operand& a) const;
    TypedExpr choose(const Operand& condition, const Operand& yes, const Operand& no) const;
    TypedExpr call(const Function& function, std::span<const Operand> arguments) const;
    TypedExpr in_unit(const Operand& a, const Unit& unit) const;

    Expr scaled(const TypedExpr& typed, const Unit& unit) const;

private:
    /// Two operands in one unit: that of the first which is no literal 0.
    struct Aligned {
        Expr a, b;
        Unit unit;
        bool is_zero_literal = false;
    };
    std::optional<Aligned> align(const Operand& a, const Operand& b, std::string_view cannot) const;
    /// The bare number, or nothing after telling that `what` takes one.
    std::optional<Expr> plain(const Operand& a, const std::string& what) const;
    TypedExpr power_of_unit(const Operand& base, double exponent) const;
    TypedExpr bare(Expr e) const { return {e, Unit{}}; }

    ExpressionGraph& graph_;
    DiagnosticList& diagnostics_;
};

/// What may help somebody who has `is` where `wanted` should be; "" if nothing.
std::string advice_on_units(const Unit& is, const Unit& wanted);

} // namespace gemel::sim
