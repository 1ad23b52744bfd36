#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

/// Small plots of characters. Plain ones are ASCII.
namespace gemel::scenarios {

/// A bar as long as `share` of `columns`, in eighths of a column; blanks fill the rest.
std::string bar(double share, std::size_t columns, bool is_plain);

/// One character per number, as high as its share of the largest.
std::string columns_plot(std::span<const double> heights, bool is_plain);

/// Where a number stands among [low, high] in so many cells.
std::size_t cell_of(double value, double low, double high, std::size_t n_cells);

/// A line with its band over time.
struct Band {
    std::span<const double> times;          ///< rising
    std::span<const double> low, mid, high; ///< [n_times]; NaN: nothing there
};
struct PlotSize {
    std::size_t columns = 60, rows = 8;
};
/// Rows from the top, with the axis of the numbers to the left and of the times below.
std::vector<std::string>
band_plot(const Band& band, double lowest, double highest, const PlotSize& size, bool is_plain);

} // namespace gemel::scenarios
