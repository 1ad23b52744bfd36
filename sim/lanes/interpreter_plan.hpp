#pragma once

#include <gemel/sim/lane_program.hpp>

#include <functional>
#include <vector>

/// Where every value of a program lives while it is interpreted.
namespace gemel::sim {

/// A slot of the workspace, or one of the plan's constants.
struct Place {
    bool is_constant = false;
    int index = 0;
};

struct PlannedStep {
    Op op = Op::constant;
    bool is_copy = false; ///< out = a, instead of an operation
    Place a, b, c;
    int out = 0; ///< slot

    unsigned constant_mask() const {
        return (a.is_constant ? 1U : 0U) | (b.is_constant ? 2U : 0U) | (c.is_constant ? 4U : 0U);
    }
};

struct Plan {
    std::vector<PlannedStep> steps;
    std::vector<double> constants;
    int n_slots = 0; ///< the layout's, then scratch
};

/// Assigns slots: loads are read where they lie, results are computed where they will be stored if
/// no later step still reads what lay there, everything else shares scratch by liveness.
///
/// @param is_allowed  whether an operation takes constants at the operands of the mask; if not,
/// they
///                    are copied to scratch first
Plan make_plan(const LaneProgram& program,
               const WorkspaceLayout& layout,
               const std::function<bool(Op op, unsigned constants)>& is_allowed);

} // namespace gemel::sim
