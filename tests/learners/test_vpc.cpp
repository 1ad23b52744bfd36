#include "learners/linear_toy.hpp"
#include "vpc.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace gemel::learners {
namespace {

constexpr double beyond_all = std::numeric_limits<double>::infinity();

std::vector<VpcBin> vpc_of(const FitSetup& setup, const VpcOptions& options = {}) {
    FitEngine engine(setup, {1});
    return vpc(engine, engine.scale.fixed, options);
}

TEST_CASE("quantiles are of type 7 and infinite beside an infinite number") {
    // Hyndman & Fan's type 7: the k-th of n numbers is the quantile of (k − 1)/(n − 1).
    const std::vector<double> numbers{1.0, 2.0, 4.0, 8.0, 16.0};
    CHECK(sorted_quantile(numbers, 0.0) == 1.0);
    CHECK(sorted_quantile(numbers, 0.5) == 4.0);
    CHECK(sorted_quantile(numbers, 0.625) == 6.0);
    CHECK(sorted_quantile(numbers, 1.0) == 16.0);
    const std::vector<double> censored{-beyond_all, -beyond_all, 3.0, beyond_all};
    CHECK(sorted_quantile(censored, 0.2) == -beyond_all);
    CHECK(sorted_quantile(censored, 0.5) == -beyond_all);
    CHECK(sorted_quantile(censored, 0.9) == beyond_all);
    CHECK(std::isnan(sorted_quantile({}, 0.5)));
}

TEST_CASE("bins of equal counts never part equal times") {
    const std::vector<double> spread{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    CHECK(equal_count_edges(spread, 5) == std::vector<double>{0, 1.5, 3.5, 5.5, 7.5, 9});
    CHECK(equal_count_edges(spread, 1) == std::vector<double>{0, 9});
    const std::vector<double> nominal{0, 0, 0, 1, 1, 1, 2, 2, 2};
    CHECK(equal_count_edges(nominal, 3) == std::vector<double>{0, 0.5, 1.5, 2});
    CHECK(equal_count_edges(nominal, 9) == std::vector<double>{0, 0.5, 1.5, 2});
    const std::vector<double> uneven{0, 0, 0, 0, 0, 0, 1, 2, 3, 4};
    CHECK(equal_count_edges(uneven, 5) == std::vector<double>{0, 0.5, 2.5, 4});
}

TEST_CASE("a predictive check of a linear model has the percentiles of its law") {
    // Closed form: every measurement is N(5, 1 + 0.25). A bin of 132 values, eleven of a subject
    // together, has a median whose sd is some √(1/12 + 0.25/132) = 0.29; over 500 replicates the
    // median of medians has a twentieth of that as error.
    VpcOptions options;
    options.n_bins = 1;
    const std::vector<VpcBin> bins = vpc_of(linear_toy(), options);
    REQUIRE(bins.size() == 1);
    CHECK(bins[0].n == 132);
    CHECK(bins[0].from == 0.0);
    CHECK(bins[0].observed_censored == 0.0);
    CHECK(std::abs(bins[0].simulated[1].median - 5.0) < 5.0 * 0.29 / std::sqrt(500.0) * 1.25);
    // The band of the median: ± 1.645 of that sd, itself known to some 10 % of 500 replicates.
    const double width = bins[0].simulated[1].high - bins[0].simulated[1].low;
    CHECK(width == doctest::Approx(2.0 * 1.645 * 0.29).epsilon(0.2));
    // Outer percentiles are symmetric about the median.
    CHECK(bins[0].simulated[0].median + bins[0].simulated[2].median ==
          doctest::Approx(10.0).epsilon(0.02));
}

TEST_CASE("bands of a predictive check hold data from the model itself nine times in ten") {
    // 40 data sets, binomial with p = 0.9: three standard errors; and no band holds everything.
    VpcOptions options;
    options.n_bins = 1;
    options.n_replicates = 300;
    int n_held[n_vpc_probabilities] = {};
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        const std::vector<VpcBin> bins = vpc_of(with_simulated(linear_toy(), seed), options);
        for (std::size_t p = 0; p < n_vpc_probabilities; ++p) {
            const double observed = bins[0].observed[p];
            n_held[p] +=
                observed >= bins[0].simulated[p].low && observed <= bins[0].simulated[p].high;
        }
    }
    int n_all = 0;
    for (const int n : n_held) {
        CHECK(n >= 36.0 - 3.0 * std::sqrt(40.0 * 0.09));
        n_all += n;
    }
    CHECK(n_all < 3 * 40);
}

TEST_CASE("bins may be told, and what lies outside is left out") {
    VpcOptions options;
    options.edges = {0.0, 2.0, 12.0};
    options.n_replicates = 20;
    const FitSetup setup = theophylline();
    const std::vector<VpcBin> bins = vpc_of(setup, options);
    REQUIRE(bins.size() == 2);
    std::size_t n_first = 0, n_second = 0;
    for (const auto& subject : setup.data->subjects)
        for (const auto& observation : subject.observations) {
            n_first += observation.time < 2.0 ? 1 : 0;
            n_second += observation.time >= 2.0 && observation.time <= 12.0 ? 1 : 0;
        }
    CHECK(bins[0].n == n_first);
    CHECK(bins[1].n == n_second);
    CHECK(bins[1].to == 12.0);
    options.edges = {1.0, 1.0};
    CHECK_THROWS_AS(vpc_of(setup, options), std::invalid_argument);
}

TEST_CASE("censored values take their place in the order") {
    // 4.5 of N(5, 1.25): a third is below. The 5th percentile is not available, the median is.
    FitSetup setup = linear_toy();
    setup = with_simulated(setup, 2);
    pkpd::DataSet data = *setup.data;
    std::size_t n_below = 0;
    for (pkpd::DataSubject& subject : data.subjects)
        for (pkpd::DataObservation& observation : subject.observations)
            if (observation.dv < 4.5) {
                observation.cens = 1;
                observation.dv = observation.limit = 4.5;
                ++n_below;
            }
    setup.data = std::make_shared<const pkpd::DataSet>(data);
    VpcOptions options;
    options.n_bins = 1;
    const std::vector<VpcBin> bins = vpc_of(setup, options);
    CHECK(bins[0].observed_censored ==
          doctest::Approx(static_cast<double>(n_below) / 132.0).epsilon(1e-15));
    CHECK(std::isnan(bins[0].observed[0]));
    CHECK(std::isnan(bins[0].simulated[0].median));
    CHECK(std::isfinite(bins[0].observed[1]));
    // Φ((4.5 − 5)/√1.25) = 0.327, with a sd of some 0.09 of twelve subjects, over 500 replicates.
    CHECK(std::abs(bins[0].simulated_censored.median - 0.327) <
          5.0 * 0.09 * 1.25 / std::sqrt(500.0));
}

TEST_CASE("prediction correction takes out what the typical prediction explains") {
    // Without variability between subjects and with a small proportional error, corrected values
    // of a bin are all its median prediction (1 % error: percentiles within 2 % of each other).
    VpcOptions options;
    options.n_replicates = 50;
    options.edges = {0.5, 24.0};
    options.has_corrected = true;
    FitSetup setup = theophylline(R"(law = "proportional", proportional = 0.01)");
    for (FitNumber& number : setup.numbers)
        if (number.law.kind == pkpd::LawNumber::Kind::effect) number.start = 1e-4;
    const std::vector<VpcBin> bins = vpc_of(setup, options);
    REQUIRE(bins.size() == 2);
    CHECK(!bins[0].is_corrected);
    CHECK(bins[1].is_corrected);
    CHECK(bins[1].n == bins[0].n);
    const VpcBand *plain = bins[0].simulated, *band = bins[1].simulated;
    CHECK(band[0].median == doctest::Approx(band[1].median * (1.0 - 0.01645)).epsilon(0.002));
    CHECK(band[2].median == doctest::Approx(band[1].median * (1.0 + 0.01645)).epsilon(0.002));
    CHECK(plain[2].median > 2.0 * plain[0].median);
    options.has_plain = false;
    const std::vector<VpcBin> alone = vpc_of(setup, options);
    REQUIRE(alone.size() == 1);
    CHECK(alone[0].simulated[1].median == band[1].median);
}

TEST_CASE("bits of a predictive check do not depend on the number of threads") {
    const FitSetup setup = theophylline();
    VpcOptions options;
    options.n_replicates = 100;
    const auto run = [&](int n_threads) {
        FitEngine engine(setup, {n_threads});
        return vpc(engine, engine.scale.fixed, options);
    };
    const std::vector<VpcBin> one = run(1), three = run(3);
    REQUIRE(one.size() == three.size());
    for (std::size_t b = 0; b < one.size(); ++b)
        for (std::size_t p = 0; p < n_vpc_probabilities; ++p) {
            CHECK(one[b].simulated[p].low == three[b].simulated[p].low);
            CHECK(one[b].simulated[p].high == three[b].simulated[p].high);
        }
}

} // namespace
} // namespace gemel::learners
