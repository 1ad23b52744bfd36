#pragma once

#include "solve/exact_part.hpp"

#include <gemel/sim/lane_program.hpp>
#include <gemel/sim/ode_system.hpp>

#include <functional>
#include <vector>

/// What the lane engine and the methods it drives agree on: one whole step is one straight-line
/// program, and these are the places of its results.
namespace gemel::sim {

/// Terms of the dense output of methods by stages.
inline constexpr int n_stage_terms = 3;

/// What a step program takes for the time at its start and for its length.
struct StepClock {
    Expr time, step;
};

struct StepLayout;

/// A method as the engine sees it.
struct StepMethod {
    bool is_explicit = false; ///< it solves no equations
    bool splits = false; ///< exact_part() is solved by its closed form; `time` counts from events
    int error_order = 5; ///< the error that is estimated grows with this power of the step: 5, 10
    /// Dense output is y0 + θ (K_1 + θ (K_2 + …)); else, of methods by stages,
    /// (1−θ) y0 + θ (y1 + (1−θ) (K_1 + θ (K_2 + θ K_3))).
    bool is_series = false;
    int n_dense_terms = n_stage_terms;
    double step_part = 0.0; ///< of the tolerance, for one step (error_scale.hpp)
    /// The bare step, built in the system's own graph for a relative tolerance.
    ProgramSpec (*build)(CompiledSystem& system, const StepLayout& layout, double rtol) = nullptr;
};

/// Where a step program leaves its results. It reads states, time, step, infusions and scales; an
/// explicit one also the rates at the start.
struct StepLayout {
    int n_states = 0;
    std::vector<int> stepped; ///< states the method advances
    ExactPart exact;          ///< the others: the step only evaluates them
    int n_own = 0;        ///< stepped ones without derivatives, which follow in groups of as many
    int n_kept = 0;       ///< the last of those: doses kept, which have no errors
    int n_controlled = 0; ///< stepped ones, the first, whose errors count
    std::vector<int> dense_states; ///< stepped states that outputs use: these get dense output
    std::vector<int> exact_dense;  ///< exact states that outputs use, as places in `exact`
    StepMethod method;
    StepClock clock; ///< leaves, or what controlled_layout() makes of them

    /// Where a state is among the stepped ones; −1: it is exact.
    int place(int state) const;

    int n_dense() const { return static_cast<int>(dense_states.size()); }
    Leaf end(int state) const { return {LeafKind::result, state}; }
    /// K_{r+1} of dense_states[k]
    Leaf dense(int r, int k) const { return {LeafKind::result, n_states + r * n_dense() + k}; }
    /// The squared error in units of the tolerance: at most 1 is good enough.
    Leaf error() const { return dense(method.n_dense_terms, 0); }
    /// Implicit methods: not 0 where the linear systems were not solved well.
    Leaf is_singular() const { return {LeafKind::result, error().index + 1}; }
    /// Explicit methods: not 0 where the step is as long as stability allows (edge_program()).
    Leaf is_at_the_edge() const { return {LeafKind::result, error().index + 1}; }
    /// Explicit methods: the rate at the end, with which the next step starts.
    Leaf end_rate(int state) const { return {LeafKind::result, error().index + 2 + state}; }

    // Of the step with its control (controlled_step.hpp):
    /// dense_states[k] at the start
    Leaf begin(int k) const { return {LeafKind::result, error().index + 2 + n_states + k}; }
    Leaf from() const { return begin(n_dense()); } ///< the time then
    Leaf verdict() const { return {LeafKind::result, from().index + 1}; }
    /// Not 0 where the engine is to look at the lane.
    Leaf attention() const { return {LeafKind::result, from().index + 2}; }
    /// Output k of `look`.
    Leaf output(int k) const { return {LeafKind::result, from().index + 3 + k}; }
};

/// States that outputs use, sorted.
std::vector<int> states_of_outputs(const CompiledSystem& system);

StepLayout step_layout(CompiledSystem& system, const StepMethod& method);

/// There is an exact part, a rest, and no rate that asks for the time itself.
bool can_split(const CompiledSystem& system);

/// dy_i/dt of the stepped states, exact ones in them by their closed form.
class SteppedRates {
public:
    SteppedRates(CompiledSystem& system, const StepLayout& layout);

    /// As functions of states and of the leaf `time`: to be differentiated.
    const std::vector<Expr>& formulas() const { return rates_; }
    bool use_time() const { return uses_time_; }
    /// Formulas at the step's own time.
    std::vector<Expr> at_start(const std::vector<Expr>& formulas) const;
    /// At stepped states `argument`, a part c of the step later.
    std::vector<Expr> at(const std::vector<Expr>& argument, double c) const;

private:
    ExpressionGraph& graph_;
    const StepLayout& layout_;
    std::vector<Expr> rates_;
    bool uses_time_ = false;
};

/// dy_i/dt with infusions.
std::vector<Expr> rates_with_infusions(CompiledSystem& system);

/// Exact states at the end of the step: the next event starts from them.
void add_exact_targets(ProgramSpec& spec, ExpressionGraph& graph, const StepLayout& layout);

/// The rates at a lane's state and time with infusions: result slot i is dy_i/dt.
ProgramSpec rates_program(CompiledSystem& system);

/// What a component's error is measured by: max(|y0|, |y1|) + 0.01·scale, never 0.
Expr error_size(ExpressionGraph& graph, int state, Expr start, Expr end);

/// Mean over states of (part_i / (step_part·rtol))², part_i = e_i/error_size; with parts of
/// derivatives, the largest of this and of the same over each input's.
void add_error_target(ProgramSpec& spec,
                      ExpressionGraph& graph,
                      const StepLayout& layout,
                      const std::vector<Expr>& parts,
                      double rtol);

} // namespace gemel::sim
