#pragma once

#include <gemel/sim/equations.hpp>

#include <functional>
#include <string>

namespace gemel::sim {

/// The text of an expression with its names replaced, those that names_in() gives; all else, units
/// and functions and comments among it, stays as it stands.
std::string with_names(const SourceText& expression,
                       const std::function<std::string(const std::string&)>& name_of);

} // namespace gemel::sim
