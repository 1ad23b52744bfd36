#pragma once

#include "lanes/kernels.hpp"

#include <gemel/sim/lane_program.hpp>

#include <functional>
#include <vector>

/// Where every value of a program lives while it is interpreted.
namespace gemel::sim {

/// Where a step finds an operand: a slot of the workspace, a number, or what the step before left
/// in the accumulator.
struct Place {
    OperandMode mode = OperandMode::column;
    int slot = 0;
    double number = 0.0;
};

struct PlannedStep {
    Op op = Op::leaf; ///< Op::leaf copies a
    Place a, b, c;
    bool stores = false;
    int out = 0; ///< slot, if it stores

    Modes modes() const { return {a.mode, b.mode, c.mode}; }
};

struct Plan {
    std::vector<PlannedStep> steps;
    int n_slots = 0; ///< the layout's, then scratch
};

/// Every step leaves its result in the accumulator; it is stored as well where a step other than
/// the next, or the program's end, asks for it. Loads are read where they lie, results are stored
/// where the program wants them if no later step still reads what lay there, everything else shares
/// scratch by liveness.
///
/// @param is_built  whether there is a handler
Plan make_plan(const LaneProgram& program,
               const WorkspaceLayout& layout,
               const std::function<bool(Op op, Modes modes, bool stores)>& is_built);

} // namespace gemel::sim
