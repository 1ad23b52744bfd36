#include "solve/points_of_lanes.hpp"

#include <algorithm>

namespace gemel::sim {

PointsOfLanes::PointsOfLanes(const LaneProgram& program,
                             const WorkspaceLayout& layout,
                             std::span<const Leaf> own,
                             const Kernel& kernel,
                             int width)
    : width_(width),
      layout_(layout),
      kernel_(kernel),
      workspace_(static_cast<std::size_t>(kernel.n_slots()) * static_cast<std::size_t>(width)) {
    for (const LaneProgram::Instruction& instruction : program.instructions)
        if (instruction.op == Op::leaf &&
            std::find(own.begin(), own.end(), instruction.leaf) == own.end())
            slots_.push_back(layout.slot(instruction.leaf));
}

void PointsOfLanes::run(int n_points, const int* lanes, const double* workspace) {
    for (const int slot : slots_) {
        double* to = workspace_.data() + slot * width_;
        const double* from = workspace + slot * width_;
        for (int p = 0; p < n_points; ++p)
            to[p] = from[lanes[p]];
    }
    kernel_.run(workspace_.data());
}

} // namespace gemel::sim
