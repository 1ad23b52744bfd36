#include "engine.hpp"
#include "study_runs.hpp"

#include <gemel/scenarios/plan.hpp>

#include <doctest/doctest.h>

/// The solver of each arm: by its own regimen, from the model, and told.
namespace gemel::tests {

namespace {

std::vector<std::string> solvers(const scenarios::Study& study) {
    const sim::CompiledSystem system = sim::compile(study.model->system);
    std::vector<std::string> names;
    for (const sim::SolverChoice& choice : scenarios::solvers_of(study, system))
        names.emplace_back(choice.solver->name);
    return names;
}

} // namespace

TEST_CASE("each arm has the solver that its own regimen asks for") {
    // 500 mg kill the target at 2000 per hour: stiff. 0.01 mg leave it at 0.2 per hour.
    const scenarios::Study study = load("arms_differ.toml");
    const std::vector<std::string> names = solvers(study);
    CHECK(names[0] == "taylor9");
    CHECK(names[1].starts_with("rodas5p"));
    const std::string plan = scenarios::describe_plan(study);
    CHECK(plan.find("solver    trace: taylor9") != std::string::npos);
    CHECK(plan.find("solver    full: rodas5p") != std::string::npos);
    CHECK(plan.find("operations") != std::string::npos);
}

TEST_CASE("seed, size and other arms change no choice") {
    const std::vector<std::string> names = solvers(load("arms_differ.toml"));
    CHECK(solvers(load("arms_differ.toml", {"study.seed=99", "population.size=3"})) == names);
    scenarios::Study alone = load("arms_differ.toml");
    alone.arms.erase(alone.arms.begin());
    CHECK(solvers(alone) == std::vector<std::string>{names[1]});
}

TEST_CASE("results store which solver an arm had and why; named solvers hold for all arms") {
    const TemporaryFolder folder;
    const scenarios::Study study = load("arms_differ.toml");
    const std::vector<std::string> names = solvers(study);
    const scenarios::StudyReport report = run(study, folder / "a.h5");
    CHECK(report.n_failed == 0);
    CHECK(report.solver == names[0] + " (trace), " + names[1] + " (full)");
    CHECK(report.solver_why.find("pilot patients") != std::string::npos);

    const scenarios::Study named = load("arms_differ.toml", {"study.solver=rodas5p"});
    const scenarios::StudyReport other = run(named, folder / "b.h5");
    CHECK(other.solver == "rodas5p");
    // Oracle: the other method. 100·rtol: two solvers, each within 30·rtol.
    const io::ResultReader a(folder / "a.h5"), b(folder / "b.h5");
    const std::vector<double> auc = a.reals("outcomes/AUC", 0, 0, 40);
    const std::vector<double> expected = b.reals("outcomes/AUC", 0, 0, 40);
    for (std::size_t s = 0; s < auc.size(); ++s)
        CHECK(auc[s] == doctest::Approx(expected[s]).epsilon(1e-4));
}

} // namespace gemel::tests
