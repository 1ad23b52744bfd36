#include "solve/points_of_lanes.hpp"

#include <algorithm>
#include <cstring>

namespace gemel::sim {
namespace {

/// At to[0], to[1], to[second] and to[second + 1].
void store_twice(double value, double* to, std::ptrdiff_t second) {
    const double both[] = {value, value};
    std::memcpy(to, both, sizeof both);
    std::memcpy(to + second, both, sizeof both);
}

} // namespace

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
            columns_.push_back(std::ptrdiff_t{layout.slot(instruction.leaf)} * width);
}

void PointsOfLanes::gather(int first, int n, int lane, const double* workspace) {
    const double* from = workspace + lane;
    double* to = workspace_.data() + first;
    if (n == 1) {
        for (const std::ptrdiff_t column : columns_)
            to[column] = from[column];
        return;
    }
    // Four at a time, some of them twice.
    const int last = n < 4 ? 0 : n - 4, second = n < 4 ? n - 2 : 2;
    for (int p = 0; p < n; p += 4)
        for (const std::ptrdiff_t column : columns_)
            store_twice(from[column], to + column + std::min(p, last), second);
}

} // namespace gemel::sim
