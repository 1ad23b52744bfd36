#include "show/text_plot.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace gemel::scenarios {

TEST_CASE("a bar is as long as its share, in eighths") {
    CHECK(bar(0.5, 4, false) == "██  ");
    CHECK(bar(0.53125, 4, false) == "██▏ "); // 17 of 32 eighths
    CHECK(bar(1.0, 4, false) == "████");
    CHECK(bar(0.0, 4, false) == "    ");
    CHECK(bar(7.0, 2, false) == "██");
    CHECK(bar(std::numeric_limits<double>::quiet_NaN(), 2, false) == "  ");
    CHECK(bar(0.5, 4, true) == "##..");
}

TEST_CASE("a plot of columns shows the largest in full and the smallest at all") {
    CHECK(columns_plot(std::vector<double>{0.0, 1.0, 4.0, 8.0, 0.01}, false) == " ▁▄█▁");
    CHECK(columns_plot(std::vector<double>{0.0, 8.0}, true) == " #");
    CHECK(columns_plot(std::vector<double>{0.0, 0.0}, true) == "  ");
}

TEST_CASE("a band is drawn between its numbers, its line over it") {
    // Hand: rows of 0–1, 1–2, 2–3 from below; at the second time nothing is known.
    const std::vector<double> times{0.0, 1.0, 2.0};
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> low{0.0, nan, 1.5}, mid{1.5, nan, 2.9}, high{2.5, nan, 2.9};
    const auto rows = band_plot({times, low, mid, high}, 0.0, 3.0, {3, 3}, true);
    CHECK(rows == std::vector<std::string>{
                      "        3 |: *", "          |* :", "        0 |:", "           0 2"});
}

TEST_CASE("a number outside a range stands in its first or last cell") {
    CHECK(cell_of(-5.0, 0.0, 10.0, 5) == 0);
    CHECK(cell_of(10.0, 0.0, 10.0, 5) == 4);
    CHECK(cell_of(4.0, 0.0, 10.0, 5) == 2);
    CHECK(cell_of(3.0, 3.0, 3.0, 5) == 2); // no range: in the middle
}

} // namespace gemel::scenarios
