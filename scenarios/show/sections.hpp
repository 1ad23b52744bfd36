#pragma once

#include <gemel/io/result_file.hpp>
#include <gemel/scenarios/show.hpp>

#include <optional>
#include <string>
#include <vector>

/// The parts of what `show` prints; "" where the file has nothing of the kind.
namespace gemel::scenarios {

std::string show_contents(const io::ResultReader& file);
std::string show_endpoints(const io::ResultReader& file, const ShowOptions& options);
std::string show_outcomes(const io::ResultReader& file, const ShowOptions& options);
std::string show_curves(const io::ResultReader& file, const ShowOptions& options);

/// "name [unit]".
std::string with_unit(const std::string& name, const std::string& unit);
const io::Variable* find_variable(const std::vector<io::Variable>& all, const std::string& path);
/// The last part of a path.
std::string name_of(const io::Variable& variable);
/// Length of an axis that subjects are numbered by.
std::uint64_t n_subjects(const io::ResultReader& file, const std::string& axis);

/// Subjects read at once.
inline constexpr std::uint64_t show_step = 4096;

} // namespace gemel::scenarios
