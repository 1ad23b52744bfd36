#pragma once

#include <gemel/sim/expression.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The one table of the functions that equations may call.
namespace gemel::sim {

/// What a function asks of the units of its arguments and gives as the unit of its value.
enum class UnitRule {
    plain, ///< numbers without unit, and so is the value
    keeps, ///< any unit; all arguments in the first one's, and so is the value
    halves ///< any unit; the value is in its square root
};

struct Function {
    std::string_view name;
    int n_arguments_min;
    int n_arguments_max;
    UnitRule rule;
    Expr (*build)(ExpressionGraph& graph, std::span<const Expr> arguments);
    std::string_view about; ///< one line for the documentation
};

std::span<const Function> functions();
const Function* find_function(std::string_view name);
std::vector<std::string> function_names();

/// What to write instead of a function that other languages have, or "".
std::string_view advice_for_foreign_function(std::string_view name);

} // namespace gemel::sim
