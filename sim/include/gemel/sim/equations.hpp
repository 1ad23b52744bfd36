#pragma once

#include <gemel/sim/diagnostic.hpp>
#include <gemel/sim/ode_system.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

/// Reads the text of equations into expressions, with units checked and converted on the way.
///
/// Grammar of an expression: numbers (`2`, `1e-3`), numbers with unit (`70[kg]`), names, `t`,
/// + - * / ^ (right-associative, binds tighter than unary minus), parentheses, comparisons
/// (< <= > >= == !=), `and` `or` `not` (also && || !), `condition ? a : b`, and the functions of
/// docs/guide/models.md. `#` starts a comment.
///
/// Units: every expression carries a unit; sums and comparisons convert their right side to the
/// left side's unit; products and quotients combine; `exp`, `log` … take a number without unit;
/// `in(x, "mg/dL")` is the bare number of x in that unit; 0 fits every dimension.
namespace gemel::sim {

/// An expression and the unit its number is in.
struct TypedExpr {
    Expr expr;
    Unit unit;
    bool is_zero_literal = false; ///< a literal 0, which fits every dimension
    bool is_mistake = false;      ///< stands for text with a mistake already told: tell no more
};

/// A piece of a source text: where its first character stands in the file. `text` is a part of the
/// file's text, so that line breaks in it are line breaks in the file.
struct SourceText {
    std::string text;
    SourceSpan start;
};

/// What a name means, or nothing if unknown. Definitions resolve lazily: the resolver may itself
/// parse another equation.
using NameResolver = std::function<std::optional<TypedExpr>(const std::string& name)>;

struct ExpressionContext {
    ExpressionGraph* graph = nullptr;
    Unit time_unit; ///< of `t`; set `allows_time` false where t has no meaning
    bool allows_time = true;
    NameResolver resolve;
    std::vector<std::string> known_names; ///< for "did you mean"
    DiagnosticList* diagnostics = nullptr;
};

/// @returns after a mistake (which is in diagnostics) a literal 0 marked `is_mistake`
TypedExpr parse_expression(const SourceText& text, const ExpressionContext& context);

/// Brings an expression into a unit. A mistake names both sides: `what` is "d/dt(central)" or the
/// like, as in: "d/dt(central) is in mg/h (a mass per time), but this expression is in mg (an
/// amount)".
Expr convert(const TypedExpr& typed,
             const Unit& unit,
             const std::string& what,
             const SourceSpan& span,
             const ExpressionContext& context);

/// One line of an equations block: `kind(target) = text`, or `target = text` with kind "".
struct Equation {
    std::string kind; ///< "", "d/dt", "initial" (written `central(0) = …`), "F", "lag", "rate",
                      ///< "duration", "transits", "mtt"
    std::string target;
    SourceSpan target_span;
    SourceText expression;
};

/// Splits a block into its equations in the order of the text. An equation ends with its line or
/// with `;`; a line inside open parentheses, or ending in an operator, goes on. Mistakes: text that
/// is no equation, a target defined twice for one kind.
std::vector<Equation> split_equations(const SourceText& block, DiagnosticList& diagnostics);

/// The names an expression mentions, each once, in order, without `t` and functions; mistakes of
/// grammar are left for parsing.
std::vector<std::string> names_in(const SourceText& expression);

/// Whether the language has the name for itself: `t`, the functions, `and`, `or`, `not`, `in`.
bool is_reserved_name(std::string_view name);

} // namespace gemel::sim
