#include "study_runs.hpp"

#include <doctest/doctest.h>

#include <cmath>

/// Studies whose subjects differ from occasion to occasion.
namespace gemel::tests {

namespace {

constexpr std::size_t n_weekly = 500;

std::string mistakes_of_occasions(std::vector<std::string> overrides,
                                  const char* study = "occasions.toml") {
    try {
        load(study, std::move(overrides));
        return {};
    } catch (const sim::InputError& error) {
        return error.diagnostics().render();
    }
}

} // namespace

TEST_CASE("each occasion has its own clearance and volume, by every kind of solver") {
    // Closed form: of a bolus D nothing is left after 168 h of a half-life of 0.7 h, so that the
    // area of a week is D/CL of its occasion; the level just after the dose is D/V. 1e-5 for the
    // solvers' tolerance of 1e-6, e^(-50) for what is left.
    for (const char* solver :
         {"auto", "rodas5p", "tsit5", "cvode", "odeint-dopri5", "exact-expm"}) {
        CAPTURE(solver);
        const TemporaryFolder folder;
        const auto study = load("occasions.toml", {std::string("study.solver=") + solver});
        run(study, folder / "x.h5");
        const io::ResultReader file(folder / "x.h5");
        const auto kappas = study.population.draw_occasions({0, 0, n_weekly}, 3);
        const pkpd::CohortBlock block = study.population.draw({0, 0, n_weekly});
        const char* const weeks[] = {"outcomes/first", "outcomes/second", "outcomes/third"};
        for (std::size_t q = 0; q < 3; ++q) {
            const auto area = file.reals(weeks[q], 0, 0, n_weekly);
            for (std::size_t s = 0; s < n_weekly; ++s) {
                const double clearance = 5.0 * std::exp(block.etas[s] + kappas[q * n_weekly + s]);
                CHECK(area[s] == doctest::Approx(100.0 / clearance).epsilon(1e-5));
            }
        }
        const auto peak = file.reals("outcomes/peak", 0, 0, n_weekly);
        for (std::size_t s = 0; s < n_weekly; ++s) // V is the second parameter, of occasion 1
            CHECK(peak[s] ==
                  doctest::Approx(100.0 / (5.0 * std::exp(kappas[(3 + 1) * n_weekly + s])))
                      .epsilon(1e-5));
    }
}

TEST_CASE("later occasions move nothing of the first, whatever the threads and lanes") {
    const TemporaryFolder folder;
    const auto report = run(load("occasions.toml"), folder / "three.h5");
    run(load("occasions.toml", {"study.occasions=[\"0 d\"]"}), folder / "one.h5");
    const auto again = run(load("occasions.toml"), folder / "again.h5", 3, 8);
    CHECK(again.results_sha256 == report.results_sha256);
    const io::ResultReader three(folder / "three.h5"), one(folder / "one.h5");
    CHECK(three.variable_digest("outcomes/first") == one.variable_digest("outcomes/first"));
    CHECK(three.variable_digest("parameters/CL") == one.variable_digest("parameters/CL"));
    CHECK(three.variable_digest("outcomes/second") != one.variable_digest("outcomes/second"));
    const auto every =
        run(load("occasions.toml", {"study.occasions={ every = \"7 d\" }"}), folder / "every.h5");
    CHECK(every.results_sha256 == report.results_sha256);
}

TEST_CASE("mistakes of occasions are told") {
    CHECK(mistakes_of_occasions({"study.occasions=[\"7 d\", \"14 d\"]"})
              .find("the first occasion begins at 0") != std::string::npos);
    CHECK(mistakes_of_occasions({"study.occasions=[\"0 d\", \"14 d\", \"7 d\"]"})
              .find("do not rise") != std::string::npos);
    CHECK(mistakes_of_occasions({"study.occasions=[\"0 d\", \"22 d\"]"})
              .find("not within the study") != std::string::npos);
    CHECK(mistakes_of_occasions({"study.occasions=[\"0 d\", \"7 kg\"]"}).find("a time") !=
          std::string::npos);
    CHECK(mistakes_of_occasions({"study.occasions={ every = \"0 d\" }"}).find("above 0") !=
          std::string::npos);
    CHECK(mistakes_of_occasions({"study.occasions=3"}).find("occasions") != std::string::npos);
    CHECK(mistakes_of_occasions({"study.occasions={ every = \"24 h\" }"}, "loading_dose.toml")
              .find("no parameter of the model has iov") != std::string::npos);
}

} // namespace gemel::tests
