#pragma once

#include "solve/rosenbrock_tableau.hpp"

#include <gemel/sim/lane_program.hpp>
#include <gemel/sim/ode_system.hpp>

#include <vector>

namespace gemel::sim {

/// Where a step program leaves its results. It reads states, time, step, infusions and scales.
struct StepLayout {
    int n_states = 0;
    std::vector<int> dense_states; ///< states that outputs use: only these get dense output

    int n_dense() const { return static_cast<int>(dense_states.size()); }
    Leaf end(int state) const { return {LeafKind::result, state}; }
    /// K_{r+1} of dense_states[k]
    Leaf dense(int r, int k) const { return {LeafKind::result, n_states + r * n_dense() + k}; }
    /// The squared error in units of the tolerance: at most 1 is good enough.
    Leaf error() const { return dense(RosenbrockTableau::n_dense, 0); }
    /// error^(−1/10)
    Leaf factor() const { return {LeafKind::result, error().index + 1}; }
    /// Not 0 where the linear systems were not solved well.
    Leaf is_singular() const { return {LeafKind::result, error().index + 2}; }
};

StepLayout step_layout(const CompiledSystem& system);

/// One whole step of a Rosenbrock method as one straight-line program: all stages, symbolic
/// Jacobian and LU, error norm and dense output.
///
/// Derivatives of states share the LU of the states and take no part in its guards.
/// Error norm: mean over states of (e_i / (step_part·rtol·(0.01·scale_i + max(|y0_i|, |y1_i|))))²;
/// with derivatives of states that count, the largest of this and of the same over each input's.
ProgramSpec rosenbrock_step(CompiledSystem& system,
                            const RosenbrockTableau& tableau,
                            const StepLayout& layout,
                            double rtol);

/// The rates at a lane's state and time with infusions: result slot i is dy_i/dt.
ProgramSpec rates_program(CompiledSystem& system);

} // namespace gemel::sim
