#include "show/text_plot.hpp"

#include <gemel/scenarios/text_table.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace gemel::scenarios {

namespace {

constexpr std::array eighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
constexpr std::array heights_of_block{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array heights_in_ascii{" ", ".", ".", ":", ":", "|", "|", "#", "#"};

/// The times nearest to the columns of a plot.
std::vector<std::size_t> nearest_times(std::span<const double> times, std::size_t columns) {
    std::vector<std::size_t> nearest;
    for (std::size_t c = 0; c < columns; ++c) {
        const double share =
            columns > 1 ? static_cast<double>(c) / static_cast<double>(columns - 1) : 0.0;
        const double time = times.front() + share * (times.back() - times.front());
        const auto above = std::lower_bound(times.begin(), times.end(), time);
        auto at = static_cast<std::size_t>(above - times.begin());
        if (at == times.size() || (at > 0 && time - times[at - 1] < times[at] - time)) --at;
        nearest.push_back(at);
    }
    return nearest;
}

} // namespace

std::string bar(double share, std::size_t columns, bool is_plain) {
    const double clamped = share == share ? std::clamp(share, 0.0, 1.0) : 0.0;
    const auto n = static_cast<std::size_t>(
        std::lround(clamped * static_cast<double>(columns) * (is_plain ? 1.0 : 8.0)));
    std::string text;
    if (is_plain) return text.append(n, '#').append(columns - n, '.');
    for (std::size_t i = 0; i < n / 8; ++i)
        text += "█";
    return padded(text + eighths[n % 8], columns);
}

std::string columns_plot(std::span<const double> heights, bool is_plain) {
    const double largest =
        heights.empty() ? 0.0 : *std::max_element(heights.begin(), heights.end());
    std::string text;
    for (const double height : heights) {
        // What is there at all is seen.
        const auto level =
            largest > 0.0 && height > 0.0
                ? std::max<std::size_t>(
                      1, static_cast<std::size_t>(std::lround(8.0 * height / largest)))
                : 0;
        text += is_plain ? heights_in_ascii[level] : heights_of_block[level];
    }
    return text;
}

std::size_t cell_of(double value, double low, double high, std::size_t n_cells) {
    if (!(high > low)) return n_cells / 2;
    const double share = std::clamp((value - low) / (high - low), 0.0, 1.0);
    return std::min(static_cast<std::size_t>(share * static_cast<double>(n_cells)), n_cells - 1);
}

std::vector<std::string>
band_plot(const Band& band, double lowest, double highest, const PlotSize& size, bool is_plain) {
    const std::string line = is_plain ? "*" : "●", shade = is_plain ? ":" : "░";
    std::vector<std::vector<std::string>> cells(size.rows,
                                                std::vector<std::string>(size.columns, " "));
    const std::vector<std::size_t> at = nearest_times(band.times, size.columns);
    for (std::size_t c = 0; c < size.columns; ++c) {
        const double low = band.low[at[c]], mid = band.mid[at[c]], high = band.high[at[c]];
        if (!(std::isfinite(low) && std::isfinite(mid) && std::isfinite(high))) continue;
        const std::size_t bottom = cell_of(low, lowest, highest, size.rows);
        const std::size_t top = cell_of(high, lowest, highest, size.rows);
        for (std::size_t r = bottom; r <= top; ++r)
            cells[size.rows - 1 - r][c] = shade;
        cells[size.rows - 1 - cell_of(mid, lowest, highest, size.rows)][c] = line;
    }
    constexpr std::size_t margin = 9;
    std::vector<std::string> rows;
    for (std::size_t r = 0; r < size.rows; ++r) {
        const std::string label = r == 0               ? number_text(highest)
                                  : r + 1 == size.rows ? number_text(lowest)
                                                       : "";
        std::string row = aligned_right(label, margin) + (is_plain ? " |" : " ┤");
        for (const std::string& cell : cells[r])
            row += cell;
        rows.push_back(row.substr(0, row.find_last_not_of(' ') + 1));
    }
    const std::string first = number_text(band.times.front());
    rows.push_back(std::string(margin + 2, ' ') + first +
                   aligned_right(number_text(band.times.back()),
                                 size.columns - std::min(size.columns, text_width(first))));
    return rows;
}

} // namespace gemel::scenarios
