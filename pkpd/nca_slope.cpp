#include <gemel/pkpd/nca.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gemel::pkpd {

namespace {

/// Means and sums of squares about them, point by point, so that nothing cancels.
struct LineSums {
    double n = 0.0, mean_x = 0.0, mean_y = 0.0, xx = 0.0, xy = 0.0, yy = 0.0;

    void add(double x, double y) {
        n += 1.0;
        const double dx = x - mean_x, dy = y - mean_y;
        mean_x += dx / n;
        mean_y += dy / n;
        xx += dx * (x - mean_x);
        xy += dx * (y - mean_y);
        yy += dy * (y - mean_y);
    }
};

TerminalSlope line_of(const LineSums& sums, double first, double last) {
    TerminalSlope line;
    line.lambda_z = -sums.xy / sums.xx;
    line.intercept = sums.mean_y + line.lambda_z * sums.mean_x;
    line.corrxy = sums.xy / std::sqrt(sums.xx * sums.yy);
    line.r_squared = sums.xy * sums.xy / (sums.xx * sums.yy);
    if (sums.n > 2.0)
        line.adj_r_squared = 1.0 - (1.0 - line.r_squared) * (sums.n - 1.0) / (sums.n - 2.0);
    line.n_points = static_cast<std::size_t>(sums.n);
    line.first = first;
    line.last = last;
    return line;
}

void check_lengths(std::span<const double> time, std::span<const double> concentration) {
    if (time.size() != concentration.size())
        throw std::invalid_argument("a slope: time and concentration differ in length");
}

/// Lines from each start to the last point, the shortest first; those that do not fall left out.
std::vector<TerminalSlope> falling_lines(std::span<const double> time,
                                         std::span<const double> concentration,
                                         std::size_t least) {
    std::vector<TerminalSlope> lines;
    LineSums sums;
    for (std::size_t i = time.size(); i-- > 0;) {
        sums.add(time[i], std::log(concentration[i]));
        if (time.size() - i < std::max<std::size_t>(3, least)) continue;
        const TerminalSlope line = line_of(sums, time[i], time.back());
        if (line.lambda_z > 0.0) lines.push_back(line);
    }
    return lines;
}

} // namespace

TerminalSlope slope_of(std::span<const double> time, std::span<const double> concentration) {
    check_lengths(time, concentration);
    if (time.size() < 2) return {};
    LineSums sums;
    for (std::size_t i = 0; i < time.size(); ++i)
        sums.add(time[i], std::log(concentration[i]));
    return line_of(sums, time.front(), time.back());
}

TerminalSlope best_slope(std::span<const double> time,
                         std::span<const double> concentration,
                         std::size_t least,
                         double tie) {
    check_lengths(time, concentration);
    const std::vector<TerminalSlope> lines = falling_lines(time, concentration, least);
    if (lines.empty()) return {};
    double best = lines.front().adj_r_squared;
    for (const TerminalSlope& line : lines)
        best = std::max(best, line.adj_r_squared);
    const auto longest = std::find_if(lines.rbegin(), lines.rend(), [&](const TerminalSlope& line) {
        return best - line.adj_r_squared < tie;
    });
    return longest == lines.rend() ? TerminalSlope{} : *longest;
}

} // namespace gemel::pkpd
