#include "one_subject.hpp"

namespace gemel::tests {

TEST_CASE("tmax of an oral dose is ln(ka/k)/(ka − k)") {
    // Closed form of the Bateman curve.
    CHECK(outcome_of("tmax(Cp, 0[h], 24[h])", R"({ dose = "100 mg" })") ==
          doctest::Approx(std::log(ka / k) / (ka - k)).epsilon(1e-6)); // flat top
}

TEST_CASE("tmax counts from the start of its window") {
    // A bolus at 36 h is highest at once, so 0 h after the window opens with it.
    CHECK(std::abs(outcome_of("tmax(Cp, last_interval)", four_boluses)) < 1e-9);
}

} // namespace gemel::tests
