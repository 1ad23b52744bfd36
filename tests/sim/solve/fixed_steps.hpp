#pragma once

#include "lane_systems.hpp"
#include "solve/observer.hpp"
#include "solve/step_program.hpp"

#include <doctest/doctest.h>

#include <cmath>

/// Observed orders of a method's step program by itself, without the engine.
namespace lane_systems {

class FixedSteps {
public:
    FixedSteps(CompiledSystem system, const StepMethod& method) : system_(std::move(system)) {
        layout_ = step_layout(system_, method);
        const ProgramSpec own[] = {method.build(system_, layout_, 1e-6), rates_program(system_)};
        set_ = lower_with_common(system_, own);
        step_ = interpreter().compile(set_.programs[n_common_programs], set_.layout, 1);
        rates_ = interpreter().compile(set_.programs[n_common_programs + 1], set_.layout, 1);
        workspace_ =
            Workspace(static_cast<std::size_t>(std::max(step_->n_slots(), rates_->n_slots())));
    }

    struct Errors {
        double ends = 0.0; ///< the largest at a step's end
        double dense = 0.0;
    };
    /// One state from y(0) = exact(0); errors at ends, and inside the first step, at `theta`.
    Errors
    errors(const std::function<double(double)>& exact, double end, int n_steps, double theta) {
        Errors errors;
        const double h = end / n_steps;
        at({LeafKind::state, 0}) = exact(0.0);
        at({LeafKind::step, 0}) = h;
        for (int i = 0; i < n_steps; ++i) {
            at({LeafKind::time, 0}) = i * h;
            take_step();
            if (i == 0) errors.dense = std::abs(dense(theta) - exact(theta * h));
            at({LeafKind::state, 0}) = at(layout_.end(0));
            const double error = std::abs(at({LeafKind::state, 0}) - exact((i + 1) * h));
            errors.ends = std::max(errors.ends, error);
        }
        return errors;
    }

private:
    double& at(Leaf leaf) { return workspace_.data()[set_.layout.slot(leaf)]; }

    void take_step() {
        if (layout_.method.is_explicit) {
            rates_->run(workspace_.data());
            at({LeafKind::rate, 0}) = at({LeafKind::result, 0});
        }
        step_->run(workspace_.data());
    }

    double dense(double t) {
        const double y0 = at({LeafKind::state, 0}), y1 = at(layout_.end(0));
        if (layout_.method.is_series) {
            double inner = 0.0;
            for (int r = layout_.method.n_dense_terms - 1; r >= 0; --r)
                inner = t * (at(layout_.dense(r, 0)) + inner);
            return y0 + inner;
        }
        const double k1 = at(layout_.dense(0, 0)), k2 = at(layout_.dense(1, 0));
        const double k3 = at(layout_.dense(2, 0));
        return (1 - t) * y0 + t * (y1 + (1 - t) * (k1 + t * (k2 + t * k3)));
    }

    CompiledSystem system_;
    StepLayout layout_;
    ProgramSet set_;
    std::unique_ptr<Kernel> step_, rates_;
    Workspace workspace_;
};

/// Halving steps must divide errors by 2^order. Within 0.3 of nominal, as observed orders are read.
/// Within one step, dense output of order 4 by 2^5, a series by 2^(order + 1).
inline void check_orders(CompiledSystem system,
                         const StepMethod& method,
                         const std::function<double(double)>& exact,
                         int n_steps,
                         double order = 5.0) {
    const double dense_order = method.is_series ? order + 1.0 : 5.0;
    FixedSteps steps(std::move(system), method);
    for (int count : {n_steps, 2 * n_steps}) {
        const auto coarse = steps.errors(exact, 2.0, count, 0.37);
        const auto fine = steps.errors(exact, 2.0, 2 * count, 0.37);
        CHECK(std::abs(std::log2(coarse.ends / fine.ends) - order) < 0.3);
        CHECK(std::log2(coarse.dense / fine.dense) > dense_order - 0.3);
    }
}

/// y' = r·y·(1 − y), y(0) = 1/10: y = 1/(1 + 9·exp(−r·t)).
inline void
check_autonomous_orders(const StepMethod& method, double r, int n_steps, double order = 5.0) {
    Builder b;
    const Expr y = b.state(0);
    b.add_state("y", b.mul(b.constant(r), b.mul(y, b.sub(b.constant(1.0), y))), b.constant(0.1));
    b.add_output("y", y);
    check_orders(
        b.compiled(),
        method,
        [r](double t) { return 1.0 / (1.0 + 9.0 * std::exp(-r * t)); },
        n_steps,
        order);
}

/// y' = a·cos(2t)·y, y(0) = 1: y = exp(a/2·sin 2t).
inline void check_non_autonomous_orders(const StepMethod& method, double a, int n_steps) {
    Builder b;
    const Expr c = b.system.graph.unary(Op::cosine, b.mul(b.constant(2.0), b.time()));
    b.add_state("y", b.mul(b.mul(b.constant(a), c), b.state(0)), b.constant(1.0));
    b.add_output("y", b.state(0));
    check_orders(
        b.compiled(),
        method,
        [a](double t) { return std::exp(0.5 * a * std::sin(2.0 * t)); },
        n_steps);
}

/// One subject of rate 1e5 for 100 h among calm ones: given up after the thousand steps from which
/// an explicit method is watched on, its neighbours' bits as without it.
inline void check_that_a_stiff_subject_is_given_up(const CompiledSystem& system,
                                                   const char* solver) {
    const Timeline timeline{{}, 100.0};
    const Observation observation = on_grid(1, 5.0, 100.0);
    const std::vector<double> calm{0.5, 1.0, 2.0, 3.0};
    std::vector<double> mixed = calm;
    mixed[1] = 1e5;
    const BlockResult expected = solve(system, calm, timeline, observation, {}, solver);
    const BlockResult result = solve(system, mixed, timeline, observation, {}, solver);
    CHECK(result.status[1] == SolverStatus::stiff);
    CHECK(result.n_steps[1] < 1100);
    const std::size_t n_times = observation.sampled[0].times.size();
    for (std::size_t s : {0U, 2U, 3U}) {
        CHECK(result.status[s] == SolverStatus::ok);
        for (std::size_t i = 0; i < n_times; ++i)
            CHECK(result.sampled[0][s * n_times + i] == expected.sampled[0][s * n_times + i]);
    }
}

} // namespace lane_systems
