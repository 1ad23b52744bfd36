#include "one_subject.hpp"

namespace gemel::tests {

TEST_CASE("time_above a threshold is the time an exponential takes to fall to it") {
    // Closed form: ln(C0/threshold)/k for one bolus of 100 mg, C0 = 2 mg/L.
    CHECK(outcome_of("time_above(Cp, 0.5[mg/L], 0[h], 48[h])",
                     R"({ dose = "100 mg", route = "iv" })") ==
          doctest::Approx(std::log(2.0 / 0.5) / k).epsilon(1e-9)); // root by bisection
}

TEST_CASE("time_above refuses a threshold of another dimension") {
    const std::string text = mistakes_of("time_above(Cp, 0.5[mg], last_interval)", four_boluses);
    CHECK(text.find("threshold of time_above") != std::string::npos);
}

} // namespace gemel::tests
