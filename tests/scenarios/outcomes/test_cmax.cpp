#include "one_subject.hpp"

namespace gemel::tests {

TEST_CASE("cmax of an oral dose is the top of the Bateman curve") {
    // Closed form: tmax = ln(ka/k)/(ka − k); C = D·ka/(V·(ka − k))·(e^(−k·t) − e^(−ka·t)).
    const double t = std::log(ka / k) / (ka - k);
    const double expected =
        100.0 * ka / (volume * (ka - k)) * (std::exp(-k * t) - std::exp(-ka * t));
    CHECK(outcome_of("cmax(Cp, 0[h], 24[h])", R"({ dose = "100 mg" })") ==
          doctest::Approx(expected).epsilon(1e-9)); // flat top: second order in the error of tmax
}

TEST_CASE("cmax after a bolus is the value just after the dose") {
    // Closed form: superposition at the fourth dose.
    const double r = std::exp(-12.0 * k);
    const double expected = 100.0 / volume * (1.0 - std::pow(r, 4)) / (1.0 - r);
    CHECK(outcome_of("cmax(Cp, last_interval)", four_boluses) ==
          doctest::Approx(expected).epsilon(1e-12));
}

TEST_CASE("a window beyond the study says which duration would do") {
    const std::string text = mistakes_of("cmax(Cp, 24[h], 72[h])", four_boluses);
    CHECK(text.find("duration = \"72 h\"") != std::string::npos);
}

} // namespace gemel::tests
