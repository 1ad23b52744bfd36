#include "solve/exact_points.hpp"

#include <algorithm>

namespace gemel::sim {

ExactPoints::ExactPoints(const LaneProgram& program,
                         const WorkspaceLayout& layout,
                         int width,
                         const Executor& executor)
    : width_(width),
      layout_(layout),
      kernel_(executor.compile(program, layout, width)),
      workspace_(static_cast<std::size_t>(kernel_->n_slots()) * static_cast<std::size_t>(width)) {
    for (const LaneProgram::Instruction& instruction : program.instructions)
        if (instruction.op == Op::leaf && instruction.leaf.kind != LeafKind::time)
            slots_.push_back(layout.slot(instruction.leaf));
}

void ExactPoints::evaluate(int n_points,
                           const int* lanes,
                           const double* times,
                           const double* workspace) {
    double* own = workspace_.data();
    std::copy_n(times, n_points, own + layout_.slot({LeafKind::time, 0}) * width_);
    for (int slot : slots_)
        for (int p = 0; p < n_points; ++p)
            own[slot * width_ + p] = workspace[slot * width_ + lanes[p]];
    kernel_->run(own);
}

const double* ExactPoints::values(int k) const {
    return workspace_.data() + layout_.slot({LeafKind::result, k}) * width_;
}

} // namespace gemel::sim
