#include <gemel/sim/ode_system.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <stdexcept>

using namespace gemel::sim;

namespace {

/// Turnover with inhibition: dR/dt = kin·(1 − C/(IC50 + C)) − kout·R, R(0) = kin/kout, output log
/// R.
OdeSystem small_turnover() {
    OdeSystem system;
    ExpressionGraph& g = system.graph;
    const Expr kin = g.leaf(LeafKind::input, 0), kout = g.leaf(LeafKind::input, 1);
    const Expr ic50 = g.leaf(LeafKind::input, 2), level = g.leaf(LeafKind::input, 3);
    const Expr response = g.leaf(LeafKind::state, 0);
    for (const char* name : {"kin", "kout", "IC50", "C"})
        system.inputs.push_back({name, {}, InputClass::per_subject});
    State state;
    state.name = "R";
    const Expr effect = g.subtract(g.constant(1.0), g.divide(level, g.add(ic50, level)));
    state.rate = g.subtract(g.multiply(kin, effect), g.multiply(kout, response));
    state.initial = g.divide(kin, kout);
    system.states.push_back(state);
    system.outputs.push_back(
        {"log_R", {}, "", g.add(g.unary(Op::logarithm, response), g.multiply(ic50, ic50))});
    return system;
}

} // namespace

TEST_CASE("derivatives by inputs agree with central differences") {
    // Independent method; h = 1e-4 gives about h² = 1e-8 relative.
    const CompiledSystem compiled = compile(small_turnover(), {0, 1, 2, 3});
    const ExpressionGraph& g = compiled.system.graph;
    const std::array<double, 4> at{1.3, 0.2, 2.5, 1.7};
    const auto value = [&](Expr e, int shifted, double shift) {
        return g.evaluate(e, [&](Leaf leaf) {
            if (leaf.kind == LeafKind::state) return 4.0;
            return at[static_cast<std::size_t>(leaf.index)] + (leaf.index == shifted ? shift : 0.0);
        });
    };
    const auto check = [&](Expr derivative, Expr e, int input) {
        const double h = 1e-4;
        const double expected = (value(e, input, h) - value(e, input, -h)) / (2 * h);
        CHECK(value(derivative, -1, 0.0) == doctest::Approx(expected).epsilon(1e-6));
    };
    for (int i = 0; i < 4; ++i) {
        const auto row = static_cast<std::size_t>(i);
        check(compiled.rate_derivatives[row][0], compiled.system.states[0].rate, i);
        check(compiled.initial_derivatives[row][0], compiled.system.states[0].initial, i);
        check(compiled.output_derivatives[row][0], compiled.system.outputs[0].value, i);
    }
    CHECK(compiled.structure.is_linear);
    CHECK(compile(small_turnover()).rate_derivatives.empty());
}

TEST_CASE("compiling refuses inputs and states that are not there") {
    CHECK_THROWS_AS(compile(small_turnover(), {4}), std::invalid_argument);
    OdeSystem unfinished = small_turnover();
    unfinished.states[0].rate = {};
    CHECK_THROWS_AS(compile(std::move(unfinished)), std::invalid_argument);
}
