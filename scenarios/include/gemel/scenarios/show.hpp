#pragma once

#include <filesystem>
#include <string>

/// A result file as tables and small plots of text.
namespace gemel::scenarios {

enum class ShowWhat { all, contents, endpoints, outcomes, curves };

struct ShowOptions {
    ShowWhat what = ShowWhat::all;
    std::string by; ///< splits outcomes: "ancestry", "SEX", "CYP2D6.phenotype", "CYP2D6.diplotype"
    std::size_t width = 100; ///< columns of the terminal; plots of curves take 40 to 400
    bool is_plain = false;   ///< plots of ASCII characters only
};

/// Subjects count by their weight, where they have one. Reads subjects in stretches; the memory it
/// takes does not grow with their number.
/// @throws std::runtime_error if the file is no result file, or has nothing to split by
std::string show(const std::filesystem::path& results, const ShowOptions& options);

} // namespace gemel::scenarios
