#pragma once

#include "solve/workspace.hpp"

#include <gemel/sim/lane_program.hpp>

#include <cstddef>
#include <vector>

namespace gemel::sim {

/// Runs a program at points that lie on lanes, any number per lane: what it reads of each point's
/// lane is gathered first, so that the lane may go on.
class PointsOfLanes {
public:
    /// @param own  leaves that each point has for itself
    PointsOfLanes(const LaneProgram& program,
                  const WorkspaceLayout& layout,
                  std::span<const Leaf> own,
                  const Kernel& kernel,
                  int width);

    /// Of one of `own`, [width], to be filled before run().
    double* own(Leaf leaf) { return workspace_.data() + layout_.slot(leaf) * width_; }
    /// Points first … first + n − 1, of `width`, lie on a lane, whose columns are those of
    /// `workspace`.
    void gather(int first, int n, int lane, const double* workspace);
    void run() { kernel_.run(workspace_.data()); }
    /// [width]
    const double* result(Leaf leaf) const {
        return workspace_.data() + layout_.slot(leaf) * width_;
    }

private:
    int width_ = 0;
    WorkspaceLayout layout_;
    std::vector<std::ptrdiff_t> columns_; ///< that the program reads of lanes, in workspaces
    const Kernel& kernel_;
    Workspace workspace_;
};

} // namespace gemel::sim
