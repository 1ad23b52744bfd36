#include <gemel/sim/lane_program.hpp>

#include <algorithm>
#include <numeric>

namespace gemel::sim {

int WorkspaceLayout::n_slots() const {
    return std::accumulate(counts.begin(), counts.end(), 0);
}

int WorkspaceLayout::slot(Leaf leaf) const {
    const auto kind = static_cast<std::ptrdiff_t>(leaf.kind);
    return std::accumulate(counts.begin(), counts.begin() + kind, leaf.index);
}

void WorkspaceLayout::make_room(LeafKind kind, int count) {
    int& present = counts[static_cast<std::size_t>(kind)];
    present = std::max(present, count);
}

int LaneProgram::n_operations() const {
    return static_cast<int>(
        std::count_if(instructions.begin(), instructions.end(), [](const Instruction& instruction) {
            return instruction.op != Op::constant && instruction.op != Op::leaf;
        }));
}

} // namespace gemel::sim
