#pragma once

#include <gemel/sim/ode_system.hpp>

#include <optional>
#include <vector>

namespace gemel::sim {

/// A part of a system that stands alone: one strongly connected block of 1 to 3 states whose
/// couplings form a tree, and any number of single states that feed it (depots).
struct ModalPart {
    std::vector<int> block;
    std::vector<int> depots;
};

/// The parts of a system, or nothing if it is not made of such parts.
std::optional<std::vector<ModalPart>> modal_parts(const SystemStructure& structure);

} // namespace gemel::sim
