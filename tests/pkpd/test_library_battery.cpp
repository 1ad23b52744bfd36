#include "library.hpp"

#include <gemel/pkpd/dosing.hpp>
#include <gemel/sim/solver.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

struct Errors {
    double rms = 0.0, maximum = 0.0;
};

/// The doses of one of a model's tests, watched everywhere on 40 times.
struct Case {
    sim::Timeline timeline;
    sim::Observation observation;
    std::vector<double> inputs;
};

Case case_of(const Model& model, const ModelTest& test) {
    constexpr int n_times = 40;
    Case made;
    sim::DiagnosticList diagnostics;
    made.timeline.end = test.at.back();
    made.timeline.records =
        plan_doses("test", *test.doses, model, made.timeline.end, diagnostics).records;
    std::vector<double> times;
    for (int i = 1; i <= n_times; ++i)
        times.push_back(made.timeline.end * i / n_times);
    for (std::size_t k = 0; k < model.system.outputs.size(); ++k)
        made.observation.sampled.push_back({static_cast<int>(k), times});
    made.inputs = typical_inputs(model, {test.genotypes, test.covariates, test.parameters});
    return made;
}

/// A model's solvers, each prepared once for each accuracy.
class Solvers {
public:
    explicit Solvers(const Model& model) : system_(sim::compile(model.system)) {}

    const sim::CompiledSystem& system() const { return system_; }

    sim::BlockResult solve(const sim::Solver& solver, const Case& given, double rtol) {
        std::unique_ptr<sim::PreparedSolver>& prepared = prepared_[{solver.name, rtol}];
        sim::SolverOptions options;
        options.rtol = rtol;
        if (!prepared) prepared = solver.prepare(system_, options);
        sim::BlockResult result;
        prepared->worker()->solve({1, given.inputs, &given.timeline, &given.observation}, result);
        return result;
    }

private:
    sim::CompiledSystem system_;
    std::map<std::pair<std::string_view, double>, std::unique_ptr<sim::PreparedSolver>> prepared_;
};

/// |y − ref| / (|ref| + `floor`·max of the profile). What never rises above 1e-20 counts as 0.
Errors errors_of(const sim::BlockResult& result, const sim::BlockResult& reference, double floor) {
    Errors errors;
    double count = 0.0;
    for (std::size_t k = 0; k < reference.sampled.size(); ++k) {
        double largest = 1e-20;
        for (double value : reference.sampled[k])
            largest = std::max(largest, std::abs(value));
        for (std::size_t i = 0; i < reference.sampled[k].size(); ++i) {
            const double ref = reference.sampled[k][i];
            const double error =
                std::abs(result.sampled[k][i] - ref) / (std::abs(ref) + floor * largest);
            errors.rms += error * error;
            errors.maximum = std::isfinite(error) ? std::max(errors.maximum, error)
                                                  : std::numeric_limits<double>::infinity();
            count += 1.0;
        }
    }
    errors.rms = std::sqrt(errors.rms / std::max(count, 1.0));
    return errors;
}

/// What solvers are judged by: solvers that share no code with each other.
struct References {
    const sim::Solver* rodas = sim::find_solver("rodas5p");
    const sim::Solver* odeint = sim::find_solver("odeint-fehlberg78");
    sim::BlockResult by_rodas, by_odeint;
    std::uint32_t n_steps = 0; ///< of rodas5p at 1e-6

    References(Solvers& solvers, const Case& given)
        : by_rodas(solvers.solve(*rodas, given, 1e-11)),
          by_odeint(solvers.solve(*odeint, given, 1e-11)),
          n_steps(solvers.solve(*rodas, given, 1e-6).n_steps[0]) {}

    /// The first that is not the one in question.
    const sim::BlockResult& reference_for(const sim::Solver& solver) const {
        return &solver == rodas ? by_odeint : by_rodas;
    }
};

/// Whether a method unfit for stiff systems met one, so that stability and not accuracy sets its
/// steps: they are many beside those of rodas5p, or hardly more for a hundredth of the tolerance
/// (2.5 times as many were those of a method of order 5 that follows it).
bool is_at_its_edge(const sim::Solver& solver,
                    Solvers& solvers,
                    const Case& given,
                    std::uint32_t n_steps,
                    std::uint32_t n_of_rodas) {
    if (solver.order == 0 || solver.is_stiff) return false;
    const std::uint32_t n_coarse = solvers.solve(solver, given, 1e-4).n_steps[0];
    return n_steps > 2 * n_of_rodas || n_steps < 2 * n_coarse;
}

/// @returns whether there was something to judge: no method has to solve what is too stiff for it
bool check(const sim::Solver& solver,
           Solvers& solvers,
           const Case& given,
           const References& references) {
    constexpr double rtol = 1e-6;
    const sim::BlockResult& reference = references.reference_for(solver);
    if (reference.status[0] != sim::SolverStatus::ok) return false; // too stiff for it
    const sim::BlockResult result = solvers.solve(solver, given, rtol);
    if (result.status[0] == sim::SolverStatus::stiff) return false; // and hands over in runs
    CHECK(result.status[0] == sim::SolverStatus::ok);
    const bool at_edge =
        is_at_its_edge(solver, solvers, given, result.n_steps[0], references.n_steps);
    const Errors errors = errors_of(result, reference, at_edge ? 1.0 : 1e-3);
    const double bar = solver.is_reference || solver.has_variable_order ? 10.0 * rtol : rtol;
    CHECK(errors.rms <= 2.0 * bar);
    CHECK(errors.maximum <= 30.0 * bar);
    return true;
}

} // namespace

TEST_SUITE("slow") {
    TEST_CASE("every solver agrees on every model of the library") {
        // Oracle: another solver at rtol 1e-11, with the doses, covariates and genotypes of each
        // model's own tests. The bar is that of the solver suite, 2·rtol in the mean of squares and
        // 30·rtol at most, ten times that for Odeint and CVODE, whose local control promises less
        // (measured: dopri5 3.4·rtol). Explicit methods on stiff systems make the errors of their
        // edge of stability, which do not shrink with the values: those are judged against the
        // largest value of the profile.
        int n_cases = 0;
        std::map<std::string, int> n_judged;
        for (const std::string& name : library().names("models")) {
            const auto model = library_model(name);
            Solvers solvers(*model);
            for (const ModelTest& test : model->tests) {
                if (test.at.back() == 0.0) continue; // about the start alone
                ++n_cases;
                const Case given = case_of(*model, test);
                const References references(solvers, given);
                for (const sim::Solver& solver : sim::solvers()) {
                    if (!solver.applies(solvers.system())) continue;
                    INFO(name, " line ", test.span.line, " by ", solver.name);
                    n_judged[std::string(solver.name)] +=
                        check(solver, solvers, given, references) ? 1 : 0;
                }
            }
        }
        CHECK(n_cases > 100);
        for (const char* solver : {"rodas5p", "cvode", "odeint-dopri5", "odeint-fehlberg78"})
            CHECK(n_judged[solver] == n_cases);
        for (const char* solver : {"exact-closed-form",
                                   "exact-expm",
                                   "tsit5",
                                   "taylor9",
                                   "rodas5p-split",
                                   "tsit5-split"})
            CHECK(n_judged[solver] > 0);
    }
}
