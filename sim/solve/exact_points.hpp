#pragma once

#include "solve/workspace.hpp"

#include <gemel/sim/lane_program.hpp>

#include <memory>
#include <vector>

namespace gemel::sim {

/// Evaluates the program `exact` at points in time, any number per lane.
class ExactPoints {
public:
    ExactPoints(const LaneProgram& program,
                const WorkspaceLayout& layout,
                int width,
                const Executor& executor = interpreter());

    /// Point p is `times[p]` after the last event of lane `lanes[p]`, whose columns are those of
    /// `workspace`. At most `width` points.
    void evaluate(int n_points, const int* lanes, const double* times, const double* workspace);
    /// [n_points] of result k
    const double* values(int k) const;

private:
    int width_ = 0;
    WorkspaceLayout layout_;
    std::vector<int> slots_; ///< that the program reads, besides time
    std::unique_ptr<Kernel> kernel_;
    Workspace workspace_;
};

} // namespace gemel::sim
