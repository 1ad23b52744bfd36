#include "library.hpp"
#include "reference_file.hpp"

#include <gemel/pkpd/dosing.hpp>
#include <gemel/sim/solver.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

/// A trajectory beside this test: first column the time in the model's unit, then outputs by name.
struct Reference {
    std::vector<std::string> outputs;
    std::vector<double> times;
    std::vector<std::vector<double>> values; ///< [n_outputs][n_times]
};

Reference read_reference(const std::string& name, std::vector<std::string> outputs) {
    Reference reference;
    reference.outputs = std::move(outputs);
    reference.values.resize(reference.outputs.size());
    for (const auto& row : reference_rows(name)) {
        REQUIRE(row.size() == reference.outputs.size() + 1);
        reference.times.push_back(std::stod(row[0]));
        for (std::size_t k = 0; k < reference.outputs.size(); ++k)
            reference.values[k].push_back(std::stod(row[k + 1]));
    }
    return reference;
}

/// The outputs of a typical patient under the doses of one of the model's own tests; none where the
/// solver calls the system stiff.
std::vector<std::vector<double>> run(const Model& model,
                                     const ModelTest& test,
                                     const std::vector<std::string>& outputs,
                                     const std::vector<double>& times,
                                     const sim::Solver& solver,
                                     double rtol) {
    const sim::CompiledSystem compiled = sim::compile(model.system);
    sim::Observation observation;
    for (const std::string& output : outputs)
        observation.sampled.push_back({model.find_output(output), times});
    sim::Timeline timeline;
    timeline.end = times.back();
    sim::DiagnosticList diagnostics;
    timeline.records = plan_doses("test", *test.doses, model, timeline.end, diagnostics).records;
    const std::vector<double> inputs =
        typical_inputs(model, {test.genotypes, test.covariates, test.parameters});
    sim::SolverOptions options;
    options.rtol = rtol;
    sim::BlockResult result;
    solver.prepare(compiled, options)
        ->worker()
        ->solve({1, inputs, &timeline, &observation}, result);
    // An explicit method may say that the system is stiff for it; runs then hand the subject over.
    if (!solver.is_stiff && result.status[0] == sim::SolverStatus::stiff) return {};
    CHECK(result.status[0] == sim::SolverStatus::ok);
    return result.sampled;
}

/// Largest difference, each output on the scale of its own largest value; infinite where there is
/// no number.
double distance(const std::vector<std::vector<double>>& a,
                const std::vector<std::vector<double>>& b) {
    double largest = 0.0;
    for (std::size_t k = 0; k < a.size(); ++k) {
        const double scale =
            std::abs(*std::ranges::max_element(b[k], {}, [](double x) { return std::abs(x); }));
        for (std::size_t i = 0; i < a[k].size(); ++i) {
            const double difference = std::abs(a[k][i] - b[k][i]) / scale;
            largest = std::isfinite(difference) ? std::max(largest, difference)
                                                : std::numeric_limits<double>::infinity();
        }
    }
    return largest;
}

struct Case {
    std::string model;
    std::vector<std::string> outputs;
    std::size_t n_cases; ///< reference_MODEL_1.csv …, doses of the model's tests in their order
};

const std::vector<Case> cases{
    {"tmdd_full", {"C", "target", "complex"}, 3},
    {"tmdd_qss", {"C", "target", "complex"}, 3},
    {"pbpk_15_organs", {"Cp", "C_liver", "C_brain", "in_body"}, 3},
    {"pbpk_15_organs_saturable", {"Cp", "C_liver", "C_brain", "in_body"}, 2},
};

} // namespace

TEST_CASE("every applicable solver follows the reference trajectories") {
    // Oracle: Taylor series and matrix exponentials in 40 digits
    // (tools/mechanistic_model_numbers.py), 17 printed, agreeing with another implicit method to
    // 1e-12. At rtol 1e-12 the exact methods err by rounding, one-step methods by a few tolerances;
    // measured 1e-15 to 2e-12. A multistep method adds up more local errors; measured up to 7e-12.
    for (const Case& c : cases) {
        const auto model = library_model(c.model);
        const sim::CompiledSystem compiled = sim::compile(model->system);
        for (std::size_t i = 0; i < c.n_cases; ++i) {
            const Reference reference = read_reference(
                "reference_" + c.model + "_" + std::to_string(i + 1) + ".csv", c.outputs);
            int n_judged = 0;
            for (const sim::Solver& solver : sim::solvers()) {
                if (!solver.applies(compiled)) continue;
                INFO(c.model, " ", i + 1, " by ", solver.name);
                const auto values =
                    run(*model, model->tests[i], c.outputs, reference.times, solver, 1e-12);
                if (values.empty()) continue;
                ++n_judged;
                const double bound = solver.has_variable_order ? 1e-10 : 1e-11;
                CHECK(distance(values, reference.values) < bound);
            }
            CHECK(n_judged >= 3); // rodas5p, cvode and one more at least
        }
    }
}

TEST_CASE("full target-mediated disposition tends to its quasi-steady state") {
    // Invariant: with binding faster by s at the same KSS = (koff + kint)/kon, the quasi-steady
    // state is the limit and the distance shrinks as 1/s (singular perturbation of first order).
    const auto full = library_model("tmdd_full");
    const auto qss = library_model("tmdd_qss");
    const std::vector<std::string> outputs{"C", "target", "complex"};
    const std::vector<double> times{1.0, 4.0, 7.0, 14.0, 28.0};
    const sim::Solver& solver = *sim::find_solver("rodas5p");
    const auto limit = run(*qss, qss->tests[0], outputs, times, solver, 1e-10);
    std::vector<double> distances;
    for (double s : {10.0, 100.0, 1000.0}) {
        ModelTest test = full->tests[0];
        const double kon = 8.0 * s, kint = 0.2, KSS = 0.325;
        test.parameters = {{"kon", kon}, {"koff", KSS * kon - kint}};
        distances.push_back(distance(run(*full, test, outputs, times, solver, 1e-10), limit));
    }
    CHECK(distances[0] < 5e-3);
    CHECK(distances[0] / distances[1] == doctest::Approx(10.0).epsilon(0.1));
    CHECK(distances[1] / distances[2] == doctest::Approx(10.0).epsilon(0.02));
}

TEST_CASE("target-mediated disposition is linear where the target is saturated") {
    // Closed form: with all target bound, the complex does not depend on the drug; the difference
    // of two profiles then is that of the linear model, so that doses D + d and D at D >> target
    // differ by d times the profile per dose without target.
    const auto model = library_model("tmdd_qss");
    const sim::Solver& solver = *sim::find_solver("rodas5p");
    const std::vector<double> times{1.0, 4.0, 10.0};
    const auto profile = [&](double initial_target, double scale) {
        ModelTest test = model->tests[1]; // 300 mg into the vein
        test.parameters = {{"R0", initial_target},
                           {"V1", 3.0 / scale},
                           {"V2", 2.5 / scale},
                           {"CL", 0.2 / scale},
                           {"Q", 0.5 / scale}};
        return run(*model, test, {"C"}, times, solver, 1e-10)[0];
    };
    // Volumes and clearances smaller by `scale` are a dose larger by it.
    const auto high = profile(4.0, 100.0), higher = profile(4.0, 101.0);
    const auto linear = profile(1e-12, 1.0);
    for (std::size_t i = 0; i < times.size(); ++i)
        CHECK(std::abs((higher[i] - high[i]) / linear[i] - 1.0) < 1e-5);
}
