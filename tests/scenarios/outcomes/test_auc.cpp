#include "one_subject.hpp"

namespace gemel::tests {

TEST_CASE("auc over the last interval is the integral of the superposed exponentials") {
    // Closed form: C just after dose 4 is D/V·(1 − r⁴)/(1 − r) with r = exp(−12k); the integral
    // over the interval is that · (1 − r)/k.
    const double r = std::exp(-12.0 * k);
    const double expected = 100.0 / volume * (1.0 - std::pow(r, 4)) / k;
    CHECK(outcome_of("auc(Cp, last_interval)", four_boluses) ==
          doctest::Approx(expected).epsilon(1e-12)); // rounding only
}

TEST_CASE("auc over the first interval and over times agree where they are the same") {
    // Closed form: D/V/k·(1 − exp(−12k)).
    const double expected = 100.0 / volume / k * (1.0 - std::exp(-12.0 * k));
    CHECK(outcome_of("auc(Cp, first_interval)", four_boluses) ==
          doctest::Approx(expected).epsilon(1e-12));
    CHECK(outcome_of("auc(Cp, 0[h], 0.5[d])", four_boluses) ==
          doctest::Approx(expected).epsilon(1e-12));
}

TEST_CASE("auc without a window is a mistake that offers the windows") {
    const std::string text = mistakes_of("auc(Cp)", four_boluses);
    CHECK(text.find("auc names its window") != std::string::npos);
    CHECK(text.find("last_interval") != std::string::npos);
}

} // namespace gemel::tests
