#pragma once

#include <gemel/io/fields.hpp>
#include <gemel/sim/diagnostic.hpp>

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Inhibitors of enzymes in classes of strength, `library/interactions/inhibitors.toml`.
namespace gemel::pkpd {

inline constexpr std::string_view inhibitor_class_names[] = {"strong", "moderate", "weak"};

/// Which drugs inhibit which enzymes, and what each class leaves of an activity score.
struct Inhibitors {
    std::string source, confidence, about;
    std::string factor_source, factor_confidence;
    std::array<double, 3> factors{}; ///< by class
    /// enzyme (a gene's name) → drug → class
    std::map<std::string, std::map<std::string, int>> enzymes;

    /// Enzymes that a drug inhibits, with its class; empty if it is in no list.
    std::map<std::string, int> of(const std::string& drug) const;
    std::vector<std::string> drugs() const; ///< sorted
};

/// @returns nullptr after mistakes, which are in diagnostics
std::shared_ptr<const Inhibitors> load_inhibitors(const std::filesystem::path& file,
                                                  sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
