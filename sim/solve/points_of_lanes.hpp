#pragma once

#include "solve/workspace.hpp"

#include <gemel/sim/lane_program.hpp>

#include <vector>

namespace gemel::sim {

/// Runs a program at points that lie on lanes, any number per lane: gathers what it reads of each
/// point's lane.
class PointsOfLanes {
public:
    /// @param own  leaves that each point has for itself
    PointsOfLanes(const LaneProgram& program,
                  const WorkspaceLayout& layout,
                  std::span<const Leaf> own,
                  const Kernel& kernel,
                  int width);

    /// Of one of `own`, to be filled before run().
    double* own(Leaf leaf) { return workspace_.data() + layout_.slot(leaf) * width_; }
    /// Point p lies on lane lanes[p], whose columns are those of `workspace`. At most `width`
    /// points.
    void run(int n_points, const int* lanes, const double* workspace);
    /// [n_points]
    const double* result(Leaf leaf) const {
        return workspace_.data() + layout_.slot(leaf) * width_;
    }

private:
    int width_ = 0;
    WorkspaceLayout layout_;
    std::vector<int> slots_; ///< that the program reads of lanes
    const Kernel& kernel_;
    Workspace workspace_;
};

} // namespace gemel::sim
