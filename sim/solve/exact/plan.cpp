#include "solve/exact/plan.hpp"

#include "base/index.hpp"
#include "solve/expansion.hpp"
#include "solve/step_control.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace gemel::sim::exact {
namespace {

constexpr int most_kept = 128; ///< flows per pack

bool is_number(const CompiledSystem& system, Expr value, double number) {
    return !value.is_set() || system.system.graph.is_constant(value, number);
}

/// When a dose comes and how long it takes is the same for all.
bool is_shared(const CompiledSystem& system, const Record& record) {
    if (record.kind != RecordKind::add && record.kind != RecordKind::infuse) return false;
    if (record.steady != SteadyState::none) return false;
    const State& state = system.system.states[index(record.state)];
    if (!is_number(system, state.lag, 0.0)) return false;
    if (record.kind == RecordKind::add || record.rate == 0.0) return true;
    return record.rate > 0.0 && record.amount_factor < 0 &&
           is_number(system, state.bioavailability, 1.0);
}

/// Lengths of time, each once, with how often they are needed.
class Flows {
public:
    int number(double length) {
        if (!(length > 0.0)) return -1;
        const auto [at, is_new] = numbers_.try_emplace(std::bit_cast<std::uint64_t>(length),
                                                       static_cast<int>(n_uses_.size()));
        if (is_new) {
            lengths_.push_back(length);
            n_uses_.push_back(0);
        }
        ++n_uses_[index(at->second)];
        return at->second;
    }

    /// Those needed often come first. @returns the new number of each
    std::vector<int> arrange(Plan& plan) const {
        std::vector<int> order(n_uses_.size()), now(n_uses_.size());
        std::iota(order.begin(), order.end(), 0);
        const auto often = std::stable_partition(
            order.begin(), order.end(), [&](int flow) { return n_uses_[index(flow)] > 1; });
        plan.n_kept = std::min(most_kept, static_cast<int>(often - order.begin()));
        for (std::size_t i = 0; i < order.size(); ++i) {
            now[index(order[i])] = static_cast<int>(i);
            plan.flows.push_back(lengths_[index(order[i])]);
        }
        return now;
    }

private:
    std::map<std::uint64_t, int> numbers_;
    std::vector<double> lengths_;
    std::vector<int> n_uses_;
};

std::vector<Event> nominal_events(const CompiledSystem& system, const Timeline& timeline) {
    const std::vector<double> ones(system.system.inputs.size(), 1.0);
    Expansion expansion;
    expand({.timeline = &timeline, .inputs = ones.data()}, expansion);
    return expansion.events;
}

SharedDose shared_dose(const Event& event, const Timeline& timeline) {
    const Record& record = timeline.records[index(event.record)];
    const SharedDose::Kind kind = event.kind == EventKind::add       ? SharedDose::Kind::add
                                  : event.kind == EventKind::rate_on ? SharedDose::Kind::rate_on
                                                                     : SharedDose::Kind::rate_off;
    return {kind, event.state, event.record, record.rate > 0.0 ? event.value : 0.0};
}

void make_segments(const CompiledSystem& system,
                   const Timeline& timeline,
                   Flows& flows,
                   Plan& plan) {
    plan.segments.push_back({.from = timeline.start, .to = timeline.end, .doses = {}});
    for (const Event& event : nominal_events(system, timeline)) {
        if (event.time > plan.segments.back().from) {
            plan.segments.back().to = event.time;
            plan.segments.push_back({.from = event.time, .to = timeline.end, .doses = {}});
        }
        plan.segments.back().doses.push_back(shared_dose(event, timeline));
        plan.has_infusions |= event.kind != EventKind::add;
    }
    if (plan.segments.back().from < timeline.end)
        plan.segments.push_back({.from = timeline.end, .to = timeline.end, .doses = {}});
    for (Segment& segment : plan.segments)
        segment.flow = flows.number(segment.to - segment.from);
}

/// Times closer to an event than a step can be come with it.
bool is_within(double time, const Segment& segment) {
    return time < segment.to - least_step(segment.to);
}

void make_runs(const Plan& plan, Flows& flows, Grid& grid) {
    const std::optional<double> step = regular_step(grid.times);
    const int longest = step ? longest_run : 1;
    std::size_t k = 0;
    for (const double time : grid.times) {
        const std::size_t before = k;
        while (k + 1 < plan.segments.size() && !is_within(time, plan.segments[k]))
            ++k;
        if (grid.runs.empty() || k != before || grid.runs.back().n_points == longest)
            grid.runs.push_back(
                {static_cast<int>(k), flows.number(time - plan.segments[k].from), 0});
        ++grid.runs.back().n_points;
    }
    const bool steps = std::any_of(
        grid.runs.begin(), grid.runs.end(), [](const Run& run) { return run.n_points > 1; });
    // Needed by every pack, so it counts twice.
    if (step && steps) grid.step = std::max(flows.number(*step), flows.number(*step));
}

} // namespace

std::optional<double> regular_step(std::span<const double> times) {
    constexpr double rounding = 4.0 * 0x1p-53;
    if (times.size() < 3) return std::nullopt;
    const double first = times.front(), last = times.back();
    const double step = (last - first) / static_cast<double>(times.size() - 1);
    const double near = rounding * std::max(std::abs(first), std::abs(last));
    for (std::size_t i = 0; i < times.size(); ++i)
        if (std::abs(times[i] - std::fma(static_cast<double>(i), step, first)) > near)
            return std::nullopt;
    return step;
}

bool is_shared(const CompiledSystem& system, const BlockProblem& problem) {
    const OdeSystem& ode = system.system;
    const bool is_plain = problem.own.empty() && problem.resume.empty() &&
                          problem.timeline->triggers.empty() &&
                          problem.park_at > problem.timeline->end;
    const bool is_plain_system = !ode.sensitivities.is_set() && ode.n_kept_states == 0 &&
                                 ode.last_dose_state < 0 && system.model_times.empty();
    const auto& records = problem.timeline->records;
    return is_plain && is_plain_system &&
           std::all_of(records.begin(), records.end(), [&](const Record& record) {
               return is_shared(system, record);
           });
}

Plan make_plan(const CompiledSystem& system,
               const Timeline& timeline,
               std::span<const SampledOutput> sampled) {
    Plan plan;
    Flows flows;
    make_segments(system, timeline, flows, plan);
    for (std::size_t k = 0; k < sampled.size(); ++k) {
        const std::vector<double>& times = sampled[k].times;
        const auto same = std::find_if(plan.grids.begin(), plan.grids.end(), [&](const Grid& grid) {
            return grid.times == times;
        });
        Grid& grid = same != plan.grids.end() ? *same : plan.grids.emplace_back();
        grid.sampled.push_back(static_cast<int>(k));
        grid.times = times;
    }
    for (Grid& grid : plan.grids)
        make_runs(plan, flows, grid);
    const std::vector<int> now = flows.arrange(plan);
    const auto renumber = [&](int& flow) { flow = flow < 0 ? -1 : now[index(flow)]; };
    for (Segment& segment : plan.segments)
        renumber(segment.flow);
    for (Grid& grid : plan.grids) {
        renumber(grid.step);
        for (Run& run : grid.runs)
            renumber(run.offset);
    }
    return plan;
}

} // namespace gemel::sim::exact
