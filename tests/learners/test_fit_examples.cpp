#include "pkpd/loaded.hpp"

#include <gemel/learners/fit_file.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <string>

namespace gemel::learners {
namespace {

FitSetup example(const std::string& name) {
    return load_fit(std::filesystem::path(GEMEL_SOURCE_DIR) / "examples" / name, pkpd::library());
}

TEST_CASE("the examples' fits by FOCEI end where their READMEs say") {
    // NONMEM and nlmixr2: OFV 116.803, 586.276, 730.895; an independent program: -2LL -176.79.
    const double two_pi = 2.0 * std::numbers::pi;
    // Within 0.005, beside half of the last digit that is printed.
    struct Published {
        const char* name;
        double objective, half_digit;
    };
    const Published all[] = {{"theophylline/focei.toml", 116.803, 5e-4},
                             {"phenobarbital/fit.toml", 586.276, 5e-4},
                             {"phenobarbital/without_covariates.toml", 730.895, 5e-4},
                             {"indomethacin/fit.toml", -176.79 - 66.0 * std::log(two_pi), 5e-3}};
    for (const auto& [name, objective, half_digit] : all) {
        CAPTURE(name);
        FitSetup setup = example(name);
        setup.options.n_draws = 0;
        const FitResult result = fit(setup, {1});
        CHECK(result.is_converged);
        CHECK(std::abs(result.objective - objective) < 0.005 + half_digit);
    }
}

TEST_CASE("the examples' fits by SAEM are good as they stand") {
    for (const char* name :
         {"theophylline/fit.toml", "warfarin_pkpd/fit.toml", "warfarin_pkpd/pk.toml"}) {
        CAPTURE(name);
        FitSetup setup = example(name);
        // A few iterations are enough to see that it runs; the slow suite sees where it ends.
        setup.options.n_exploration = 3;
        setup.options.n_smoothing = 2;
        setup.options.n_draws = 0;
        CHECK(fit(setup, {}).values.size() == setup.numbers.size());
    }
}

} // namespace
} // namespace gemel::learners
