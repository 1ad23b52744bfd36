#include "importance_likelihood.hpp"
#include "learners/linear_toy.hpp"

#include <gemel/sim/random.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace gemel::learners {
namespace {

/// −2LL of the linear toy: y ~ N(θ, ω²·1·1ᵀ + σ²·I), in closed form.
double exact_of_toy(const FitSetup& setup, double level, double omega, double sigma) {
    double sum = 0.0;
    for (const FitSubject& subject : FitData(setup).subjects) {
        const double n = static_cast<double>(subject.measured.size());
        double total = 0.0, square = 0.0;
        for (const Measurement& measured : subject.measured) {
            const double e = measured.value - level;
            total += e;
            square += e * e;
        }
        const double v = sigma * sigma, w = omega * omega;
        sum += n * std::log(2.0 * std::numbers::pi) + (n - 1.0) * std::log(v) +
               std::log(v + n * w) + (square - w * total * total / (v + n * w)) / v;
    }
    return sum;
}

std::vector<ConditionalProposal> proposals_of_modes(FitEngine& engine) {
    const std::vector<double> at = engine.scale.start();
    Modes modes(engine.data, engine.derivatives);
    modes.find(at, engine.scale.fixed);
    return proposals_at(engine.data, modes, engine.scale.fixed);
}

ImportanceLikelihood
drawn(FitEngine& engine, const std::vector<ConditionalProposal>& proposals, std::uint64_t seed) {
    return importance_likelihood(engine,
                                 engine.scale.start(),
                                 mixtures_of(proposals),
                                 std::vector<char>(engine.scale.size(), 0),
                                 1000,
                                 seed);
}

} // namespace

TEST_SUITE_BEGIN("importance sampling");

TEST_CASE("the likelihood by draws is that of a closed form, within its error") {
    const FitSetup setup = with_simulated(linear_toy(), 5);
    FitEngine engine(setup, {1});
    const Likelihood found = drawn(engine, proposals_of_modes(engine), 1).likelihood;
    // Twice what was found, 0.016.
    CHECK(found.standard_error < 0.03);
    // Four errors: one in 16,000 by chance.
    CHECK(std::abs(found.minus_two_ll - exact_of_toy(setup, 5.0, 1.0, 0.5)) <
          4.0 * found.standard_error);
}

TEST_CASE("where proposals miss, subjects are drawn for anew, and the likelihood is the same") {
    const FitSetup setup = with_simulated(linear_toy(10.0), 5);
    FitEngine engine(setup, {1});
    std::vector<ConditionalProposal> proposals = proposals_of_modes(engine);
    for (std::size_t s = 0; s < 3; ++s) {
        proposals[s].centre.array() += 3.0; // the law's sd is 0.15, the population's 10
        proposals[s].root *= 0.5;
    }
    const ImportanceLikelihood found = drawn(engine, proposals, 1);
    CHECK(found.redrawn == std::vector<std::size_t>{0, 1, 2});
    // Three times that of good proposals at most.
    CHECK(found.likelihood.standard_error < 0.05);
    CHECK(std::abs(found.likelihood.minus_two_ll - exact_of_toy(setup, 5.0, 10.0, 0.5)) <
          4.0 * found.likelihood.standard_error);
    for (const double k_hat : found.likelihood.k_hat)
        CHECK(k_hat < 0.7);
}

TEST_CASE("the error that is told is that from seed to seed") {
    const FitSetup setup = theophylline();
    FitEngine engine(setup, {1});
    const std::vector<ConditionalProposal> proposals = proposals_of_modes(engine);
    constexpr int n = 24;
    double mean = 0.0, square = 0.0, told = 0.0;
    for (std::uint64_t seed = 1; seed <= n; ++seed) {
        const Likelihood found = drawn(engine, proposals, seed).likelihood;
        mean += found.minus_two_ll / n;
        square += found.minus_two_ll * found.minus_two_ll / n;
        told += found.standard_error * found.standard_error / n;
    }
    const double ratio = (square - mean * mean) * n / (n - 1) / told;
    // χ²/23 lies between 0.35 and 2.2 but for one case in a thousand.
    CHECK(ratio > 0.35);
    CHECK(ratio < 2.2);
}

TEST_CASE("normal laws follow draws that come in two groups") {
    constexpr std::size_t n = 4000;
    std::vector<double> effects, weights(n, 1.0 / n);
    sim::RandomStream random({1, 0, 0}, sim::purpose_number("test"));
    for (std::size_t d = 0; d < n; ++d) {
        const bool is_first = d % 10 < 3;
        effects.push_back((is_first ? -2.0 : 2.0) + 0.3 * random.normal());
        effects.push_back((is_first ? 1.0 : -1.0) + 0.3 * random.normal());
    }
    const ProposalMixture mixture = fit_mixture({effects.data(), 2, weights.data(), n}, 2);
    double left = 0.0, all = 0.0;
    for (const ProposalMixture::Part& part : mixture.parts) {
        all += part.share;
        const bool is_first = part.law.centre(0) < 0.0;
        left += is_first ? part.share : 0.0;
        // Within its group: three of its sds, 0.3.
        CHECK(std::abs(part.law.centre(0) - (is_first ? -2.0 : 2.0)) < 0.9);
        CHECK(std::abs(part.law.centre(1) - (is_first ? 1.0 : -1.0)) < 0.9);
    }
    CHECK(all == doctest::Approx(1.0));
    CHECK(left == doctest::Approx(0.3).epsilon(0.02));
}

TEST_SUITE_END();

} // namespace gemel::learners
