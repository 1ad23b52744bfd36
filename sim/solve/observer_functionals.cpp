#include "base/index.hpp"
#include "solve/observer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

/// Functionals on dense output (docs/decisions/functionals.md). Every lane goes through the same
/// fixed numbers of iterations under a mask, so its bits depend on its own solution alone.
namespace gemel::sim {
namespace {

/// Gauss–Legendre on [0, 1], five points: exact for polynomials up to degree 9.
constexpr int n_gauss = 5;
constexpr double gauss_node[n_gauss] = {0.046910077030668003601186560850,
                                        0.230765344947158454481842789650,
                                        0.5,
                                        0.769234655052841545518157210350,
                                        0.953089922969331996398813439150};
constexpr double gauss_weight[n_gauss] = {0.118463442528094543757132020360,
                                          0.239314335249683234020645757417,
                                          0.284444444444444444444444444444,
                                          0.239314335249683234020645757417,
                                          0.118463442528094543757132020360};
constexpr int n_peak_nodes = 5;       ///< a Rodas5P piece is a quartic: five nodes determine it
constexpr int n_peak_iterations = 10; ///< parabolic steps from a bracket of a quarter piece
constexpr int n_above_parts = 8;      ///< subintervals looked at for crossings
constexpr int n_crossing_iterations = 10;
/// A part is resolved when a quartic misses it by less than this part of its range: of a wave, some
/// 1.3 radians, where five Gauss points err by 1e-11 …
constexpr double resolved = 1e-4;
constexpr double unseen = 1e-10;     ///< … or by less than this part of the largest value so far
constexpr int max_depth = 20;        ///< a jump is located to 2⁻²⁰ of its piece
constexpr int max_parts = 1'000'000; ///< per subject, window and output: bounds the cost of noise
constexpr double golden = 0.38196601125010515180;

/// The Gauss points and the points where the quartic through them is tested, with its weights.
constexpr int n_test_points = n_gauss + 6;
struct TestPoints {
    double at[n_test_points] = {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1303, 0.3719, 0.6283, 0.8652, 1.0};
    double weight[n_test_points - n_gauss][n_gauss];

    TestPoints() {
        std::copy_n(gauss_node, n_gauss, at);
        for (int c = n_gauss; c < n_test_points; ++c)
            for (int j = 0; j < n_gauss; ++j) {
                double product = 1.0;
                for (int i = 0; i < n_gauss; ++i)
                    if (i != j) product *= (at[c] - at[i]) / (at[j] - at[i]);
                weight[c - n_gauss][j] = product;
            }
    }
};

} // namespace

void DenseObserver::collect_functionals() {
    windows_.clear();
    lone_windows_.clear();
    left_limits_.clear();
    n_peaks_ = 0;
    const auto& functionals = problem_->observation->functionals;
    for (std::size_t k = 0; k < functionals.size(); ++k) {
        const Functional& f = functionals[k];
        const int id = static_cast<int>(k);
        if (f.kind == FunctionalKind::value_before) {
            auto limit = std::find_if(left_limits_.begin(),
                                      left_limits_.end(),
                                      [&](const LeftLimit& l) { return l.time == f.to; });
            if (limit == left_limits_.end()) limit = left_limits_.insert(limit, {f.to, {}});
            limit->functionals.push_back(id);
            continue;
        }
        if (f.kind == FunctionalKind::times_acted) continue;
        Window& lone = window(lone_windows_, f.from, f.to, f.output);
        lone.slot = static_cast<int>(&lone - lone_windows_.data());
        // A lone window has one output, hence two peaks, of it and of its negative: the window's
        // slot is that of the pair.
        add(lone, f, id, lone.slot);
        if (!uses_time_[index(f.output)]) add(window(windows_, f.from, f.to, -1), f, id, lone.slot);
    }
    n_peaks_ = 2 * static_cast<int>(lone_windows_.size());
    std::stable_sort(left_limits_.begin(), left_limits_.end(), [](const auto& a, const auto& b) {
        return a.time < b.time;
    });
    const auto lanes = index(width_);
    std::size_t n_nodes = 0;
    for (const auto* windows : {&windows_, &lone_windows_})
        for (const Window& w : *windows)
            n_nodes = std::max({n_nodes,
                                w.integrals.size(),
                                w.peaks.size() * n_peak_nodes,
                                w.above.size() * (n_above_parts + 1)});
    nodes_.assign(n_nodes * lanes, 0.0);
    total_.assign(functionals.size() * lanes, 0.0);
    best_value_.assign(index(n_peaks_) * lanes, 0.0);
    best_time_.assign(index(n_peaks_) * lanes, 0.0);
    largest_.assign(lone_windows_.size() * lanes, 0.0);
    n_parts_.assign(lone_windows_.size() * lanes, 0);
}

DenseObserver::Window&
DenseObserver::window(std::vector<Window>& windows, double from, double to, int output) {
    for (Window& w : windows)
        if (w.from == from && w.to == to && w.output == output) return w;
    Window& added = windows.emplace_back();
    added.from = from;
    added.to = to;
    added.output = output;
    return added;
}

void DenseObserver::add(Window& w, const Functional& f, int id, int peak_slot) {
    if (f.kind == FunctionalKind::integral) w.integrals.push_back(id);
    if (f.kind == FunctionalKind::time_above) w.above.push_back(id);
    const bool is_value = f.kind == FunctionalKind::maximum || f.kind == FunctionalKind::minimum;
    const bool is_time =
        f.kind == FunctionalKind::time_of_maximum || f.kind == FunctionalKind::time_of_minimum;
    if (!is_value && !is_time) return;
    const bool is_low =
        f.kind == FunctionalKind::minimum || f.kind == FunctionalKind::time_of_minimum;
    const double sign = is_low ? -1.0 : 1.0;
    auto peak = std::find_if(w.peaks.begin(), w.peaks.end(), [&](const Peak& p) {
        return p.output == f.output && p.sign == sign;
    });
    if (peak == w.peaks.end())
        peak = w.peaks.insert(peak, {f.output, sign, 2 * peak_slot + (is_low ? 1 : 0), {}, {}});
    (is_value ? peak->values : peak->times).push_back(id);
}

void DenseObserver::take_left_limits(const double* from, const double* to, const char* mask) {
    for (const LeftLimit& limit : left_limits_) {
        int any = 0;
        for (int lane = 0; lane < width_; ++lane) {
            const bool is_in = mask[lane] && from[lane] < limit.time && limit.time <= to[lane];
            mask_[index(lane)] = is_in;
            any |= is_in;
        }
        if (!any) continue;
        std::fill(time_.begin(), time_.end(), limit.time);
        evaluate(time_.data(), mask_.data());
        for (int f : limit.functionals)
            for (int lane = 0; lane < width_; ++lane)
                if (mask_[index(lane)])
                    total_[index(f * width_ + lane)] = output(functional(f).output)[lane];
    }
}

/// Sets begin_, end_ and active_ to the overlap of the lanes' pieces, or a part of them, with a
/// window.
bool DenseObserver::overlap(const Window& w, const char* mask, int part, int n_parts) {
    const auto boundary = [&](int lane, int k) {
        return k == 0         ? from_[lane]
               : k == n_parts ? to_[lane]
                              : from_[lane] + (to_[lane] - from_[lane]) * k / n_parts;
    };
    int any = 0;
    for (int lane = 0; lane < width_; ++lane) {
        begin_[index(lane)] = std::max(boundary(lane, part), w.from);
        end_[index(lane)] = std::min(boundary(lane, part + 1), w.to);
        active_[index(lane)] =
            static_cast<char>((mask[lane] != 0) & (begin_[index(lane)] < end_[index(lane)]));
        any |= active_[index(lane)];
    }
    return any != 0;
}

void DenseObserver::take(const Window& w) {
    if (!w.integrals.empty()) integrate(w);
    if (!w.peaks.empty()) find_peaks(w);
    if (!w.above.empty()) measure_above(w);
}

/// Takes a window part by part, each lane its own parts from left to right.
void DenseObserver::take_resolved(const Window& w, double shortest) {
    for (int lane = 0; lane < width_; ++lane) {
        pending_[index(lane)].clear();
        if (active_[index(lane)])
            pending_[index(lane)].push_back({begin_[index(lane)], end_[index(lane)], 0});
    }
    while (true) {
        int any = 0;
        for (int lane = 0; lane < width_; ++lane) {
            active_[index(lane)] = next_part(w, lane, shortest);
            any |= active_[index(lane)];
        }
        if (!any) return;
        take(w);
    }
}

/// Bisects until the first part is resolved: it becomes begin_ and end_.
bool DenseObserver::next_part(const Window& w, int lane, double shortest) {
    std::vector<Part>& pending = pending_[index(lane)];
    if (pending.empty()) return false;
    int& n_parts = n_parts_[index(w.slot * width_ + lane)];
    while (true) {
        const Part part = pending.back();
        pending.pop_back();
        const double middle = 0.5 * (part.begin + part.end);
        const bool may_halve = part.depth < max_depth && n_parts < max_parts &&
                               part.end - part.begin > shortest && part.begin < middle &&
                               middle < part.end;
        if (!may_halve ||
            is_resolved(
                w.output, lane, part.begin, part.end, largest_[index(w.slot * width_ + lane)])) {
            begin_[index(lane)] = part.begin;
            end_[index(lane)] = part.end;
            return true;
        }
        ++n_parts;
        pending.push_back({middle, part.end, part.depth + 1});
        pending.push_back({part.begin, middle, part.depth + 1});
    }
}

/// At six points between the five Gauss points, none of them at a simple fraction: so no period
/// fits them all.
bool DenseObserver::is_resolved(int output, int lane, double begin, double end, double& largest) {
    static const TestPoints test;
    double y[n_test_points];
    for (int first = 0; first < n_test_points; first += width_) {
        const int n = std::min(width_, n_test_points - first);
        for (int p = 0; p < n; ++p) {
            const double at = test.at[first + p];
            const double t = at == 1.0 ? end : begin + at * (end - begin);
            point_lane_[index(p)] = lane;
            theta_[index(p)] = (t - from_[lane]) / (to_[lane] - from_[lane]);
            point_time_[index(p)] = t;
        }
        evaluate_points(n);
        std::copy_n(point_output(output), n, y + first);
    }
    double low = y[0], high = y[0], deviation = 0.0;
    for (double value : y) {
        if (!std::isfinite(value)) return true; // no part would be: the functionals will say so
        low = std::min(low, value);
        high = std::max(high, value);
        largest = std::max(largest, std::abs(value));
    }
    for (int c = n_gauss; c < n_test_points; ++c) {
        double quartic = 0.0;
        for (int j = 0; j < n_gauss; ++j)
            quartic += test.weight[c - n_gauss][j] * y[j];
        deviation = std::max(deviation, std::abs(y[c] - quartic));
    }
    return deviation <= resolved * (high - low) + unseen * largest;
}

void DenseObserver::integrate(const Window& w) {
    std::fill_n(nodes_.begin(), w.integrals.size() * index(width_), 0.0);
    for (int k = 0; k < n_gauss; ++k) {
        for (int lane = 0; lane < width_; ++lane)
            time_[index(lane)] =
                begin_[index(lane)] + gauss_node[k] * (end_[index(lane)] - begin_[index(lane)]);
        evaluate(time_.data(), active_.data());
        for (std::size_t i = 0; i < w.integrals.size(); ++i) {
            const double* y = output(functional(w.integrals[i]).output);
            double* sum = nodes_.data() + i * index(width_);
            for (int lane = 0; lane < width_; ++lane)
                sum[lane] += gauss_weight[k] * y[lane];
        }
    }
    for (std::size_t i = 0; i < w.integrals.size(); ++i)
        for (int lane = 0; lane < width_; ++lane)
            if (active_[index(lane)])
                total_[index(w.integrals[i] * width_ + lane)] +=
                    nodes_[i * index(width_) + index(lane)] *
                    (end_[index(lane)] - begin_[index(lane)]);
}

void DenseObserver::find_peaks(const Window& w) {
    for (int k = 0; k < n_peak_nodes; ++k) {
        const double part = k / (n_peak_nodes - 1.0);
        for (int lane = 0; lane < width_; ++lane)
            time_[index(lane)] =
                k == n_peak_nodes - 1
                    ? end_[index(lane)]
                    : begin_[index(lane)] + part * (end_[index(lane)] - begin_[index(lane)]);
        evaluate(time_.data(), active_.data());
        for (std::size_t p = 0; p < w.peaks.size(); ++p)
            std::transform(output(w.peaks[p].output),
                           output(w.peaks[p].output) + width_,
                           nodes_.begin() + static_cast<std::ptrdiff_t>(
                                                (p * n_peak_nodes + index(k)) * index(width_)),
                           [sign = w.peaks[p].sign](double value) { return sign * value; });
    }
    for (std::size_t p = 0; p < w.peaks.size(); ++p) {
        int any = 0;
        for (int lane = 0; lane < width_; ++lane) {
            mask_[index(lane)] =
                active_[index(lane)] && open_bracket(w.peaks[p], static_cast<int>(p), lane);
            any |= mask_[index(lane)];
        }
        if (any) refine_peak(w.peaks[p]);
    }
}

/// Takes the best node of the piece; tells whether a maximum that beats the best so far may lie
/// between nodes, and brackets it with three points.
bool DenseObserver::open_bracket(const Peak& peak, int peak_index, int lane) {
    double y[n_peak_nodes];
    int best = 0;
    for (int k = 0; k < n_peak_nodes; ++k) {
        y[k] = nodes_[index((peak_index * n_peak_nodes + k) * width_ + lane)];
        if (y[k] > y[best]) best = k;
        if (!std::isfinite(y[k])) is_bad_[index(lane)] = 1;
    }
    const double a = begin_[index(lane)], b = end_[index(lane)];
    const auto time = [&](int k) {
        return k == n_peak_nodes - 1 ? b : a + k / (n_peak_nodes - 1.0) * (b - a);
    };
    double& best_value = best_value_[index(peak.slot * width_ + lane)];
    if (y[best] > best_value) {
        best_value = y[best];
        best_time_[index(peak.slot * width_ + lane)] = time(best);
    }
    // At an end, the slope (one-sided, four points, per node distance) tells whether y rises
    // inwards.
    double room = 0.0;
    if (best == 0)
        room = (-11.0 * y[0] + 18.0 * y[1] - 9.0 * y[2] + 2.0 * y[3]) / 6.0;
    else if (best == 4)
        room = -(11.0 * y[4] - 18.0 * y[3] + 9.0 * y[2] - 2.0 * y[1]) / 6.0;
    else
        room = y[best] - std::min(y[best - 1], y[best + 1]);
    if (!(room > 0.0) || y[best] + room <= best_value) return false;
    const int middle = std::clamp(best, 1, n_peak_nodes - 2);
    for (int k = 0; k < 3; ++k) {
        bracket_time_[index(k * width_ + lane)] = time(middle - 1 + k);
        bracket_value_[index(k * width_ + lane)] = y[middle - 1 + k];
    }
    return true;
}

namespace {

/// Where to look next between three points: the vertex of their parabola if it lies inside and is
/// not a point we have, otherwise the golden section of the longer side.
double next_probe(const double* t, const double* y) {
    const double left = (t[1] - t[0]) * (y[1] - y[2]);
    const double right = (t[2] - t[1]) * (y[1] - y[0]);
    const double curvature = 2.0 * (left + right);
    const double vertex = t[1] + ((t[2] - t[1]) * right - (t[1] - t[0]) * left) / curvature;
    const double near = 1e-9 * (t[2] - t[0]);
    if (curvature > 0.0 && vertex > t[0] + near && vertex < t[2] - near &&
        std::abs(vertex - t[1]) > near)
        return vertex;
    return t[1] - t[0] > t[2] - t[1] ? t[1] - golden * (t[1] - t[0])
                                     : t[1] + golden * (t[2] - t[1]);
}

} // namespace

void DenseObserver::refine_peak(const Peak& peak) {
    for (int n = 0; n < n_peak_iterations; ++n) {
        for (int lane = 0; lane < width_; ++lane) {
            double t[3], y[3];
            for (int k = 0; k < 3; ++k) {
                t[k] = bracket_time_[index(k * width_ + lane)];
                y[k] = bracket_value_[index(k * width_ + lane)];
            }
            time_[index(lane)] = next_probe(t, y);
        }
        evaluate(time_.data(), mask_.data());
        const double* y = output(peak.output);
        for (int lane = 0; lane < width_; ++lane) {
            if (!mask_[index(lane)]) continue;
            const double value = peak.sign * y[lane];
            probe_peak(lane, value);
            const std::size_t slot = index(peak.slot * width_ + lane);
            if (value > best_value_[slot]) {
                best_value_[slot] = value;
                best_time_[slot] = time_[index(lane)];
            }
        }
    }
}

/// Four points in order of time, of which the best and its neighbours go on.
void DenseObserver::probe_peak(int lane, double value) {
    double t[4], y[4];
    int n = 0;
    bool is_in = false;
    for (int k = 0; k < 3; ++k) {
        const double time = bracket_time_[index(k * width_ + lane)];
        if (!is_in && time_[index(lane)] < time) {
            t[n] = time_[index(lane)];
            y[n++] = value;
            is_in = true;
        }
        t[n] = time;
        y[n++] = bracket_value_[index(k * width_ + lane)];
    }
    if (!is_in) return;
    const int best = static_cast<int>(std::max_element(y, y + 4) - y);
    const int first = std::clamp(best - 1, 0, 1);
    for (int k = 0; k < 3; ++k) {
        bracket_time_[index(k * width_ + lane)] = t[first + k];
        bracket_value_[index(k * width_ + lane)] = y[first + k];
    }
}

void DenseObserver::measure_above(const Window& w) {
    for (int k = 0; k <= n_above_parts; ++k) {
        for (int lane = 0; lane < width_; ++lane)
            time_[index(lane)] =
                k == n_above_parts
                    ? end_[index(lane)]
                    : begin_[index(lane)] +
                          k * (1.0 / n_above_parts) * (end_[index(lane)] - begin_[index(lane)]);
        evaluate(time_.data(), active_.data());
        for (std::size_t f = 0; f < w.above.size(); ++f) {
            const Functional& above = functional(w.above[f]);
            double* g = nodes_.data() + (f * (n_above_parts + 1) + index(k)) * index(width_);
            for (int lane = 0; lane < width_; ++lane)
                g[lane] = output(above.output)[lane] - above.threshold;
        }
    }
    for (std::size_t f = 0; f < w.above.size(); ++f)
        add_above(static_cast<int>(f), w);
}

/// Whole subintervals above count fully; those that cross are cut where they cross.
void DenseObserver::add_above(int which, const Window& w) {
    const double* g = nodes_.data() + index(which * (n_above_parts + 1) * width_);
    double* total = total_.data() + index(w.above[index(which)] * width_);
    for (int lane = 0; lane < width_; ++lane) {
        if (!active_[index(lane)]) continue;
        const double part = (end_[index(lane)] - begin_[index(lane)]) * (1.0 / n_above_parts);
        for (int k = 0; k < n_above_parts; ++k)
            if (g[k * width_ + lane] > 0.0 && g[(k + 1) * width_ + lane] > 0.0) total[lane] += part;
        for (int k = 0; k <= n_above_parts; ++k)
            if (!std::isfinite(g[k * width_ + lane])) is_bad_[index(lane)] = 1;
    }
    std::fill(crossing_.begin(), crossing_.end(), 0);
    while (next_crossing(g))
        locate_crossing(functional(w.above[index(which)]), total);
}

/// Moves every lane to its next subinterval with a crossing; false if no lane has one left.
bool DenseObserver::next_crossing(const double* g) {
    int any = 0;
    for (int lane = 0; lane < width_; ++lane) {
        mask_[index(lane)] = 0;
        int& k = crossing_[index(lane)];
        while (active_[index(lane)] && k < n_above_parts && !mask_[index(lane)]) {
            const double left = g[k * width_ + lane], right = g[(k + 1) * width_ + lane];
            mask_[index(lane)] = (left > 0.0) != (right > 0.0);
            const double step = (end_[index(lane)] - begin_[index(lane)]) * (1.0 / n_above_parts);
            bracket_time_[index(lane)] = begin_[index(lane)] + k * step;
            bracket_time_[index(width_ + lane)] = bracket_time_[index(lane)] + step;
            bracket_value_[index(lane)] = left;
            bracket_value_[index(width_ + lane)] = right;
            ++k;
        }
        any |= mask_[index(lane)];
    }
    return any != 0;
}

/// Regula falsi with the Illinois rule: an end that stays twice has its value halved. Remains a
/// bracket, and is superlinear where the output is smooth.
void DenseObserver::locate_crossing(const Functional& above, double* total) {
    double* left = bracket_time_.data();
    double* right = left + width_;
    double* g_left = bracket_value_.data();
    double* g_right = g_left + width_;
    for (int lane = 0; lane < width_; ++lane) {
        part_begin_[index(lane)] = left[lane];
        part_end_[index(lane)] = right[lane];
        rises_[index(lane)] = g_right[lane] > 0.0;
        kept_[index(lane)] = -1;
    }
    for (int n = 0; n < n_crossing_iterations; ++n) {
        for (int lane = 0; lane < width_; ++lane)
            time_[index(lane)] = left[lane] - g_left[lane] * ((right[lane] - left[lane]) /
                                                              (g_right[lane] - g_left[lane]));
        evaluate(time_.data(), mask_.data());
        for (int lane = 0; lane < width_; ++lane) {
            if (!mask_[index(lane)]) continue;
            const double g = output(above.output)[lane] - above.threshold;
            const bool is_right = (g > 0.0) == (rises_[index(lane)] != 0);
            (is_right ? right : left)[lane] = time_[index(lane)];
            (is_right ? g_right : g_left)[lane] = g;
            if (kept_[index(lane)] == is_right) (is_right ? g_left : g_right)[lane] *= 0.5;
            kept_[index(lane)] = is_right;
        }
    }
    for (int lane = 0; lane < width_; ++lane)
        if (mask_[index(lane)])
            total[lane] += rises_[index(lane)] ? part_end_[index(lane)] - time_[index(lane)]
                                               : time_[index(lane)] - part_begin_[index(lane)];
}

} // namespace gemel::sim
