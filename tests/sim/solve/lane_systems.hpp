#pragma once

#include <gemel/sim/random.hpp>
#include <gemel/sim/solver.hpp>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

/// Systems and runs that the tests of lane solvers share.
namespace lane_systems {

using namespace gemel::sim;

/// Writes systems as short as they are on paper.
struct Builder {
    OdeSystem system;

    Expr constant(double value) { return system.graph.constant(value); }
    Expr input(const char* name) {
        system.inputs.push_back({name, Unit{}, InputClass::per_subject});
        return system.graph.leaf(LeafKind::input, static_cast<int>(system.inputs.size()) - 1);
    }
    Expr state(int i) { return system.graph.leaf(LeafKind::state, i); }
    Expr time() { return system.graph.leaf(LeafKind::time); }
    Expr add(Expr a, Expr b) { return system.graph.add(a, b); }
    Expr sub(Expr a, Expr b) { return system.graph.subtract(a, b); }
    Expr mul(Expr a, Expr b) { return system.graph.multiply(a, b); }
    Expr div(Expr a, Expr b) { return system.graph.divide(a, b); }
    Expr neg(Expr a) { return system.graph.negate(a); }

    State& add_state(const char* name, Expr rate, Expr initial, bool takes_doses = false) {
        State s;
        s.name = name;
        s.rate = rate;
        s.initial = initial;
        s.takes_doses = takes_doses;
        system.states.push_back(s);
        return system.states.back();
    }
    void add_output(const char* name, Expr value) {
        system.outputs.push_back({name, Unit{}, "", value});
    }
    CompiledSystem compiled() { return compile(std::move(system)); }
};

/// depot' = −ka·depot, central' = ka·depot − CL/V·central, Cp = central/V. Inputs ka, CL, V.
inline CompiledSystem one_compartment() {
    Builder b;
    const Expr ka = b.input("ka"), cl = b.input("CL"), v = b.input("V");
    const Expr absorbed = b.mul(ka, b.state(0));
    b.add_state("depot", b.neg(absorbed), b.constant(0.0), true);
    b.add_state("central", b.sub(absorbed, b.mul(b.div(cl, v), b.state(1))), b.constant(0.0), true);
    b.add_output("Cp", b.div(b.state(1), v));
    b.system.parameters.push_back({"CL", Unit{}, "", cl});
    return b.compiled();
}

/// The above with an inhibited turnover: effect' = kout·(base·(1 − C/(IC50 + C)) − effect).
/// Inputs ka, CL, V, kout, base, IC50. Amounts may be counted in another unit: `factor` to the mg.
inline CompiledSystem turnover(double factor = 1.0) {
    Builder b;
    const Expr ka = b.input("ka"), cl = b.input("CL"), v = b.input("V");
    const Expr kout = b.input("kout"), base = b.input("base"), ic50 = b.input("IC50");
    const Expr absorbed = b.mul(ka, b.state(0));
    const Expr c = b.mul(b.div(b.state(1), v), b.constant(1.0 / factor));
    const Expr effect = b.div(c, b.add(ic50, c));
    const Expr in = b.mul(base, b.sub(b.constant(1.0), effect));
    b.add_state("depot", b.neg(absorbed), b.constant(0.0), true);
    b.add_state("central", b.sub(absorbed, b.mul(b.div(cl, v), b.state(1))), b.constant(0.0), true);
    b.add_state("effect", b.mul(kout, b.sub(in, b.state(2))), base);
    b.add_output("Cp", c);
    b.add_output("effect", b.state(2));
    return b.compiled();
}

/// A turnover subject's inputs with log-normal variability, sd 0.3.
inline std::vector<double> turnover_inputs(int n_subjects) {
    const double typical[] = {1.2, 0.3, 8.0, 0.05, 100.0, 1.5};
    std::vector<double> inputs;
    for (std::uint32_t i = 0; i < 6; ++i)
        for (int s = 0; s < n_subjects; ++s) {
            RandomStream random({7, 0, static_cast<std::uint64_t>(s)}, purpose_number("lanes"), i);
            inputs.push_back(typical[i] * std::exp(0.3 * random.normal()));
        }
    return inputs;
}

/// `amount` into state 0 every 24 h from time 0, `count` times.
inline Timeline daily(double amount, int count, double end) {
    Record r;
    r.amount = amount;
    r.interval = 24.0;
    r.count = count;
    return {{r}, end};
}

/// All outputs on a grid.
inline Observation on_grid(int n_outputs, double step, double end) {
    Observation observation;
    for (int k = 0; k < n_outputs; ++k) {
        observation.sampled.push_back({k, {}});
        for (int i = 0; i * step <= end; ++i)
            observation.sampled.back().times.push_back(i * step);
    }
    return observation;
}

inline BlockResult solve(const CompiledSystem& system,
                         const std::vector<double>& inputs,
                         const Timeline& timeline,
                         const Observation& observation,
                         SolverOptions options = {},
                         const char* solver = "rodas5p") {
    BlockProblem problem;
    const std::size_t n_inputs = system.system.inputs.size();
    problem.n_subjects = n_inputs == 0 ? 1 : static_cast<int>(inputs.size() / n_inputs);
    problem.inputs = inputs;
    problem.timeline = &timeline;
    problem.observation = &observation;
    BlockResult result;
    const auto prepared = find_solver(solver)->prepare(system, options);
    prepared->worker()->solve(problem, result);
    return result;
}

} // namespace lane_systems
