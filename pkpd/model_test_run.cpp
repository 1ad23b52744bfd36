#include "model_tests.hpp"

#include <gemel/pkpd/dosing.hpp>
#include <gemel/pkpd/model.hpp>
#include <gemel/sim/solver.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gemel::pkpd {

namespace {

/// Values of one output against what the test expects; a profile's zeros are to be zero on its
/// scale.
std::string compare(const Model& model,
                    const ModelTest& test,
                    const std::string& output,
                    const std::vector<double>& expected,
                    const std::vector<double>& values) {
    constexpr double zero_of_profile = 1e-9;
    double largest = 0.0;
    for (double value : expected)
        largest = std::max(largest, std::abs(value));
    const auto index = static_cast<std::size_t>(model.find_output(output));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double size = std::max(std::abs(expected[i]), zero_of_profile * largest);
        if (std::abs(values[i] - expected[i]) <= test.within * size) continue;
        return fmt::format("{} at {:g} {} is {:.10g} {}, expected {:.10g} within {:g}",
                           output,
                           test.at[i],
                           model.system.time_unit.text,
                           values[i],
                           model.system.outputs[index].unit.text,
                           expected[i],
                           test.within);
    }
    return {};
}

sim::Observation watch(const Model& model, const ModelTest& test) {
    sim::Observation observation;
    for (const auto& [output, values] : test.expect)
        observation.sampled.push_back({model.find_output(output), test.at});
    return observation;
}

Regimen regimen_of(const Model& model, const ModelTest& test) {
    sim::DiagnosticList diagnostics; // the doses were checked when the model was loaded
    return plan_doses("test", *test.doses, model, test.at.back(), diagnostics);
}

} // namespace

sim::BlockResult solve_typical(const Model& model,
                               const ModelTest& test,
                               const sim::Observation& observation,
                               const std::string& solver,
                               double rtol) {
    const Regimen regimen = regimen_of(model, test);
    const sim::Timeline timeline{.records = regimen.records,
                                 .end = test.at.back(),
                                 .start = regimen.first_time,
                                 .triggers = regimen.triggers};
    const sim::CompiledSystem compiled =
        sim::compile(sim::with_switches(model.system, switched_states(regimen)));
    const sim::Solver* chosen =
        solver.empty() ? sim::choose_solver(compiled).solver : sim::find_solver(solver);
    if (!chosen) throw std::invalid_argument(fmt::format("no solver '{}'", solver));
    if (!chosen->applies(compiled))
        throw std::invalid_argument(fmt::format("{} cannot solve this model", chosen->name));
    const std::vector<double> inputs =
        typical_inputs(model, {test.genotypes, test.covariates, test.parameters});
    sim::SolverOptions options;
    options.rtol = rtol;
    sim::BlockResult result;
    chosen->prepare(compiled, options)
        ->worker()
        ->solve({1, inputs, &timeline, &observation, {}}, result);
    return result;
}

std::string
run_model_test(const Model& model, const ModelTest& test, const std::string& solver, double rtol) {
    const sim::BlockResult result = solve_typical(model, test, watch(model, test), solver, rtol);
    if (result.status[0] != sim::SolverStatus::ok)
        return fmt::format("the solver ended with {} at {:g} {}",
                           sim::name(result.status[0]),
                           result.stopped_at[0],
                           model.system.time_unit.text);
    std::size_t row = 0;
    for (const auto& [output, expected] : test.expect)
        if (const std::string problem =
                compare(model, test, output, expected, result.sampled[row++]);
            !problem.empty())
            return problem;
    return {};
}

} // namespace gemel::pkpd
