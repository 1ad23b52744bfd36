#pragma once

#include <gemel/io/result_file.hpp>
#include <gemel/scenarios/show.hpp>

#include <optional>
#include <string>
#include <vector>

/// The parts of what `show` prints; "" where the file has nothing of the kind.
namespace gemel::scenarios {

std::string show_contents(const io::ResultReader& file);
std::string show_replicated_endpoints(io::ResultReader& file);
std::string show_endpoints(const io::ResultReader& file, const ShowOptions& options);
std::string show_outcomes(const io::ResultReader& file, const ShowOptions& options);
std::string show_curves(const io::ResultReader& file, const ShowOptions& options);

/// "name [unit]".
std::string with_unit(const std::string& name, const std::string& unit);
const io::Variable* find_variable(const std::vector<io::Variable>& all, const std::string& path);
/// The last part of a path.
std::string name_of(const io::Variable& variable);

/// Whether subjects of the file carry weights.
bool has_weights(const io::ResultReader& file);

/// What subjects of a file count.
class SubjectWeights {
public:
    explicit SubjectWeights(const io::ResultReader& file)
        : file_(file),
          is_weighted_(has_weights(file)) {}
    /// Of subjects [first, first + count); 1 where the file has no weights.
    std::vector<double> of(std::uint64_t first, std::uint64_t count) const;

private:
    const io::ResultReader& file_;
    bool is_weighted_;
};

/// Subjects read at once.
inline constexpr std::uint64_t show_step = 4096;

} // namespace gemel::scenarios
