#include "solve/triggers.hpp"

#include "base/index.hpp"
#include "solve/step_control.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gemel::sim {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();
/// Subintervals of a piece that are looked at: what holds for less than one of them is not seen.
constexpr int n_looks = 8;
constexpr int deepest = 20; ///< halvings of a piece on which a quartic does not fit the output
constexpr std::int64_t most_actions = 100'000; ///< of one subject in one arm
constexpr int most_guesses = 200;              ///< bisection alone would need 64

/// How far the comparison holds: above 0 it does.
double excess(const Trigger& trigger, double output) {
    return trigger.is_above ? output - trigger.threshold : trigger.threshold - output;
}

double look_time(double from, double to, int k) {
    return k == n_looks ? to : from + k * (1.0 / n_looks) * (to - from);
}

} // namespace

TriggerWatch::TriggerWatch(DenseObserver& observer, int width)
    : observer_(observer),
      width_(width),
      crossing_(index(width), never),
      which_(index(width), -1),
      time_(index(width)),
      value_(index(width)),
      mask_(index(width)) {}

bool TriggerWatch::begin(const BlockProblem& problem) {
    triggers_ = problem.timeline->triggers;
    guards_.assign(index(width_) * triggers_.size(), {});
    largest_.assign(guards_.size(), 0.0);
    return is_watching();
}

void TriggerWatch::load(int lane) {
    crossing_[index(lane)] = never;
    which_[index(lane)] = -1;
    for (std::size_t k = 0; k < triggers_.size(); ++k) {
        guard(lane, k) = {};
        largest_[index(lane) * triggers_.size() + k] = 0.0;
    }
}

void TriggerWatch::keep(int lane, Parking& parking) {
    parking(which_[index(lane)]);
    std::size_t n = triggers_.size();
    parking(n);
    for (std::size_t k = 0; k < std::min(n, triggers_.size()); ++k) {
        Guard& g = guard(lane, k);
        parking(g.has_begun);
        parking(g.is_armed);
        parking(g.n_acted);
        parking(g.excess);
        parking(g.acted_at);
        parking(largest_[index(lane) * triggers_.size() + k]);
    }
}

/// At this time, and on a piece that begins there.
bool TriggerWatch::is_live(const Trigger& trigger, const Guard& guard, double time) const {
    return trigger.from <= time && time < trigger.to && guard.n_acted < trigger.count &&
           time >= guard.acted_at + trigger.wait;
}

void TriggerWatch::scan(const double* from, const double* to, const char* mask, double resolve_to) {
    for (int lane = 0; lane < width_; ++lane)
        if (mask[lane]) crossing_[index(lane)] = never;
    const std::vector<Guard> before = guards_;
    for (std::size_t k = 0; k < triggers_.size(); ++k) {
        const bool uses_time = observer_.uses_time(triggers_[k].output);
        if (!uses_time && resolve_to == never) {
            scan_together(k, from, to, mask);
            continue;
        }
        for (int lane = 0; lane < width_; ++lane)
            if (mask[lane] && is_live(triggers_[k], guard(lane, k), from[lane]))
                scan_resolved(lane, k, from[lane], to[lane], uses_time ? 0.0 : resolve_to);
    }
    for (int lane = 0; lane < width_; ++lane)
        if (mask[lane] && crossing_[index(lane)] < never) rescan_others(lane, before, from[lane]);
}

/// What the other triggers saw after the first crossing does not come to pass.
void TriggerWatch::rescan_others(int lane, const std::vector<Guard>& before, double from) {
    const double until = crossing_[index(lane)];
    const int first = which_[index(lane)];
    for (std::size_t k = 0; k < triggers_.size(); ++k) {
        if (static_cast<int>(k) == first) continue;
        guard(lane, k) = before[index(lane) * triggers_.size() + k];
        if (is_live(triggers_[k], guard(lane, k), from)) scan_part(lane, k, from, until);
    }
    crossing_[index(lane)] = until;
    which_[index(lane)] = first;
}

/// All lanes at once: a piece is so smooth that looks at fixed places will do.
void TriggerWatch::scan_together(std::size_t trigger,
                                 const double* from,
                                 const double* to,
                                 const char* mask) {
    const Trigger& t = triggers_[trigger];
    int any = 0;
    for (int lane = 0; lane < width_; ++lane) {
        mask_[index(lane)] = mask[lane] && is_live(t, guard(lane, trigger), from[lane]);
        any |= mask_[index(lane)];
    }
    for (int k = 1; k <= n_looks && any; ++k) {
        for (int lane = 0; lane < width_; ++lane)
            time_[index(lane)] = look_time(from[lane], to[lane], k);
        observer_.evaluate(time_.data(), mask_.data());
        std::copy_n(observer_.output(t.output), width_, value_.begin());
        any = 0;
        for (int lane = 0; lane < width_; ++lane) {
            if (!mask_[index(lane)]) continue;
            mask_[index(lane)] = !pass(lane,
                                       trigger,
                                       look_time(from[lane], to[lane], k - 1),
                                       time_[index(lane)],
                                       excess(t, value_[index(lane)]));
            any |= mask_[index(lane)];
        }
    }
}

/// @returns whether it crosses in (before, time], at whose end it exceeds by `excess`
bool TriggerWatch::pass(int lane, std::size_t trigger, double before, double time, double excess) {
    Guard& g = guard(lane, trigger);
    if (!(excess > 0.0)) {
        g.is_armed = true;
        return false;
    }
    if (!g.is_armed) return false;
    const double crossing = locate(lane, triggers_[trigger], before, time);
    if (crossing < crossing_[index(lane)]) {
        crossing_[index(lane)] = crossing;
        which_[index(lane)] = static_cast<int>(trigger);
    }
    return true;
}

bool TriggerWatch::scan_part(int lane, std::size_t trigger, double from, double to) {
    for (int k = 1; k <= n_looks; ++k) {
        const double time = look_time(from, to, k);
        if (pass(lane,
                 trigger,
                 look_time(from, to, k - 1),
                 time,
                 excess_at(lane, triggers_[trigger], time)))
            return true;
    }
    return false;
}

/// From left to right, parts on which a quartic fits the output.
void TriggerWatch::scan_resolved(
    int lane, std::size_t trigger, double from, double to, double shortest) {
    struct Part {
        double from = 0.0, to = 0.0;
        int depth = 0;
    };
    double& largest = largest_[index(lane) * triggers_.size() + trigger];
    std::vector<Part> parts{{from, to, 0}};
    while (!parts.empty()) {
        const Part part = parts.back();
        parts.pop_back();
        const double middle = 0.5 * (part.from + part.to);
        const bool may_halve = part.depth < deepest && part.to - part.from > shortest &&
                               part.from < middle && middle < part.to;
        if (may_halve &&
            !observer_.is_resolved(triggers_[trigger].output, lane, part.from, part.to, largest)) {
            parts.push_back({middle, part.to, part.depth + 1});
            parts.push_back({part.from, middle, part.depth + 1});
        } else if (scan_part(lane, trigger, part.from, part.to)) {
            return;
        }
    }
}

double TriggerWatch::excess_at(int lane, const Trigger& trigger, double time) {
    return excess(trigger, observer_.output_at(lane, time, trigger.output));
}

/// Regula falsi with the Illinois rule, both ends drawn in to the smallest step. @returns the first
/// time known to lie beyond
double TriggerWatch::locate(int lane, const Trigger& trigger, double from, double to) {
    double left = from, right = to;
    double at_left = excess_at(lane, trigger, left), at_right = excess_at(lane, trigger, right);
    int kept = 0; // the end that stayed: −1 left, 1 right
    for (int n = 0; n < most_guesses; ++n) {
        const double nearest = least_step(right);
        if (!(right - left > nearest)) break;
        double guess = left - at_left * ((right - left) / (at_right - at_left));
        if (!(guess > left && guess < right)) guess = left + 0.5 * (right - left);
        guess = std::clamp(guess, left + 0.5 * nearest, right - 0.5 * nearest);
        if (!(guess > left && guess < right)) break;
        const double value = excess_at(lane, trigger, guess);
        if (value > 0.0) {
            right = guess;
            at_right = value;
            if (std::exchange(kept, -1) == -1) at_left *= 0.5;
        } else {
            left = guess;
            at_left = value;
            if (std::exchange(kept, 1) == 1) at_right *= 0.5;
        }
    }
    return right;
}

const Trigger*
TriggerWatch::due(int lane, double time, const double* states, std::ptrdiff_t stride) {
    observer_.evaluate_alone(lane, time, states, stride);
    const auto excess_of = [&](std::size_t k) {
        return excess(triggers_[k], observer_.point_output(triggers_[k].output)[0]);
    };
    if (const int which = std::exchange(which_[index(lane)], -1); which >= 0)
        return act(lane, index(which), time, excess_of(index(which)));
    for (std::size_t k = 0; k < triggers_.size(); ++k) {
        const Trigger& trigger = triggers_[k];
        Guard& g = guard(lane, k);
        const double by = excess_of(k);
        const bool holds = by > 0.0;
        if (g.acted_at == time) {
            // Once at a time; and what is left of the crossing's rounding is no change of sides.
            g.is_armed = !holds && by != g.excess;
            continue;
        }
        if (!is_live(trigger, g, time)) continue;
        const bool is_first_look = !std::exchange(g.has_begun, true);
        const bool goes_on = trigger.wait > 0.0 && g.n_acted > 0;
        if (holds && !is_first_look && (g.is_armed || goes_on)) return act(lane, k, time, by);
        if (!holds) g.is_armed = true;
    }
    return nullptr;
}

const Trigger* TriggerWatch::act(int lane, std::size_t trigger, double time, double excess) {
    Guard& g = guard(lane, trigger);
    ++g.n_acted;
    g.acted_at = time;
    g.excess = excess;
    g.is_armed = false;
    observer_.note_action(lane, static_cast<int>(trigger), time);
    return &triggers_[trigger];
}

bool TriggerWatch::is_chattering(int lane) const {
    std::int64_t n = 0;
    for (std::size_t k = 0; k < triggers_.size(); ++k)
        n += guards_[index(lane) * triggers_.size() + k].n_acted;
    return n > most_actions;
}

} // namespace gemel::sim
