#include "one_subject.hpp"

namespace gemel::tests {

TEST_CASE("trough is the value just before the dose after the last interval") {
    // Closed form: D/V·r·(1 − r⁴)/(1 − r) at 48 h.
    const double r = std::exp(-12.0 * k);
    const double expected = 100.0 / volume * r * (1.0 - std::pow(r, 4)) / (1.0 - r);
    CHECK(outcome_of("trough(Cp)", four_boluses) == doctest::Approx(expected).epsilon(1e-12));
}

TEST_CASE("trough at the time of a dose is the value before it") {
    // Closed form: one dose, 12 h later.
    CHECK(outcome_of("trough(Cp, 12[h])", four_boluses) ==
          doctest::Approx(100.0 / volume * std::exp(-12.0 * k)).epsilon(1e-12));
}

TEST_CASE("a comparison gives 1 or 0") {
    CHECK(outcome_of("trough(Cp) >= 0.1[mg/L]", four_boluses) == 1.0);
    CHECK(outcome_of("trough(Cp) < 100[ug/L]", four_boluses) == 0.0);
}

TEST_CASE("trough after a dose that is not repeated is a mistake that says so") {
    const std::string text = mistakes_of("trough(Cp)", R"({ dose = "100 mg" })");
    CHECK(text.find("not repeated") != std::string::npos);
}

} // namespace gemel::tests
