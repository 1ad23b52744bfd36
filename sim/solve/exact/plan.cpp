#include "solve/exact/plan.hpp"

#include "base/index.hpp"
#include "solve/expansion.hpp"
#include "solve/step_control.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace gemel::sim::exact {
namespace {

constexpr std::size_t most_kept = 128;       ///< flows per pack
constexpr std::size_t most_in_stretch = 256; ///< starts, and flows

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

/// From one event to the next.
struct Segment {
    double from = 0.0, to = 0.0;
    std::vector<SharedDose> doses; ///< at `from`
    double length() const { return to - from; }
};

/// Points of one segment, the first `offset` after its start, the others one step apart.
struct Run {
    std::size_t segment = 0;
    double offset = 0.0;
    int place = 0, n_points = 0;
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

/// The last has no length: the end.
std::vector<Segment> segments_of(const CompiledSystem& system, const Timeline& timeline) {
    std::vector<Segment> segments{{.from = timeline.start, .to = timeline.end, .doses = {}}};
    for (const Event& event : nominal_events(system, timeline)) {
        if (event.time > segments.back().from) {
            segments.back().to = event.time;
            segments.push_back({.from = event.time, .to = timeline.end, .doses = {}});
        }
        segments.back().doses.push_back(shared_dose(event, timeline));
    }
    if (segments.back().from < timeline.end)
        segments.push_back({.from = timeline.end, .to = timeline.end, .doses = {}});
    return segments;
}

/// Times closer to an event than a step can be come with it.
bool is_within(double time, const Segment& segment) {
    return time + least_step(time) < segment.to;
}

std::vector<Run>
runs_of(const std::vector<double>& times, bool is_regular, const std::vector<Segment>& segments) {
    const int longest = is_regular ? longest_run : 1;
    std::vector<Run> runs;
    std::size_t k = 0;
    for (std::size_t i = 0; i < times.size(); ++i) {
        const std::size_t before = k;
        while (k + 1 < segments.size() && !is_within(times[i], segments[k]))
            ++k;
        if (runs.empty() || k != before || runs.back().n_points == longest)
            runs.push_back({k, times[i] - segments[k].from, static_cast<int>(i), 0});
        ++runs.back().n_points;
    }
    return runs;
}

bool is_looked_at(const Segment& segment, const Functional& f) {
    if (f.kind == FunctionalKind::times_acted) return false;
    if (f.kind == FunctionalKind::value_before) return segment.from < f.to && f.to <= segment.to;
    return f.from < segment.to && segment.from < f.to;
}

/// Turns segments and runs into stretches.
class PlanMaker {
public:
    PlanMaker(const Observation& observation, bool has_constants, std::vector<Segment> segments)
        : observation_(observation),
          has_constants_(has_constants),
          segments_(std::move(segments)) {}

    Plan make() && {
        for (const Segment& segment : segments_)
            for (const SharedDose& dose : segment.doses)
                plan_.has_infusions |= dose.kind != SharedDose::Kind::add;
        make_grids();
        keep_flows();
        begin_stretch();
        for (std::size_t k = 0; k < segments_.size(); ++k)
            go_through(k);
        return std::move(plan_);
    }

private:
    void make_grids() {
        for (std::size_t k = 0; k < observation_.sampled.size(); ++k) {
            const std::vector<double>& times = observation_.sampled[k].times;
            auto grid = std::find_if(plan_.grids.begin(), plan_.grids.end(), [&](const Grid& g) {
                return g.times == times;
            });
            if (grid == plan_.grids.end())
                grid = plan_.grids.insert(grid, {.sampled = {}, .times = times});
            grid->sampled.push_back(static_cast<int>(k));
        }
        for (Grid& grid : plan_.grids) {
            steps_.push_back(regular_step(grid.times));
            runs_.push_back(runs_of(grid.times, steps_.back().has_value(), segments_));
            next_run_.push_back(0);
            for (const Run& run : runs_.back())
                grid.longest_run = std::max(grid.longest_run, run.n_points);
        }
    }

    void keep_flows() {
        std::map<double, int> n_uses;
        std::vector<double> order;
        const auto use = [&](double length, int n) {
            if (!(length > 0.0)) return;
            const auto [at, is_new] = n_uses.try_emplace(length, 0);
            if (is_new) order.push_back(length);
            at->second += n;
        };
        for (const Segment& segment : segments_)
            use(segment.length(), 1);
        for (std::size_t g = 0; g < runs_.size(); ++g) {
            if (plan_.grids[g].longest_run > 1) use(*steps_[g], 2); // by every pack
            for (const Run& run : runs_[g])
                use(run.offset, 1);
        }
        for (const double length : order)
            if (n_uses[length] > 1 && plan_.flows.size() < most_kept) {
                kept_[length] = static_cast<int>(plan_.flows.size());
                plan_.flows.push_back(length);
            }
        plan_.most_flows = static_cast<int>(plan_.flows.size());
        for (std::size_t g = 0; g < runs_.size(); ++g)
            if (plan_.grids[g].longest_run > 1) plan_.grids[g].step = kept_.at(*steps_[g]);
    }

    void begin_stretch() {
        Stretch& stretch = plan_.stretches.emplace_back();
        stretch.runs.resize(plan_.grids.size());
        n_starts_ = 0;
        started_.clear();
        if (source_ >= 0) step(WayStep::Kind::source, source_);
    }

    Stretch& stretch() { return plan_.stretches.back(); }

    void step(WayStep::Kind kind, int number, int flow = -1) {
        stretch().steps.push_back({kind, number, flow});
    }

    int flow(double length) {
        if (!(length > 0.0)) return -1;
        if (const auto at = kept_.find(length); at != kept_.end()) return at->second;
        stretch().flows.push_back(length);
        const int number = static_cast<int>(plan_.flows.size() + stretch().flows.size());
        plan_.most_flows = std::max(plan_.most_flows, number);
        return number - 1;
    }

    void go_through(std::size_t k) {
        const Segment& segment = segments_[k];
        started_.clear();
        give(segment.doses, k == 0);
        for (std::size_t g = 0; g < runs_.size(); ++g)
            while (next_run_[g] < runs_[g].size() && runs_[g][next_run_[g]].segment == k)
                add(g, runs_[g][next_run_[g]++]);
        const bool is_looked_at_ =
            segment.length() > 0.0 &&
            std::any_of(observation_.functionals.begin(),
                        observation_.functionals.end(),
                        [&](const Functional& f) { return is_looked_at(segment, f); });
        if (is_looked_at_) {
            const int at = start(0.0);
            stretch().looks.push_back({segment.from, segment.to, at, source_});
        }
        make_room();
        if (segment.length() > 0.0) step(WayStep::Kind::go_on, 0, flow(segment.length()));
    }

    void give(const std::vector<SharedDose>& doses, bool is_first) {
        Source next;
        for (const SharedDose& dose : doses) {
            if (dose.kind == SharedDose::Kind::add) {
                step(WayStep::Kind::add, bolus(dose));
                continue;
            }
            next.changes.push_back(dose);
            n_running_ += dose.kind == SharedDose::Kind::rate_on ? 1 : -1;
        }
        const bool begins = is_first && has_constants_;
        if (next.changes.empty() && !begins) return;
        plan_.sources.push_back(std::move(next));
        source_ =
            has_constants_ || n_running_ > 0 ? static_cast<int>(plan_.sources.size()) - 1 : -1;
        step(WayStep::Kind::source, source_);
    }

    int bolus(const SharedDose& dose) {
        const auto same =
            std::find_if(plan_.doses.begin(), plan_.doses.end(), [&](const SharedDose& known) {
                return known.record == dose.record && known.state == dose.state;
            });
        if (same != plan_.doses.end()) return static_cast<int>(same - plan_.doses.begin());
        plan_.doses.push_back(dose);
        return static_cast<int>(plan_.doses.size()) - 1;
    }

    void make_room() {
        if (n_starts_ >= static_cast<int>(most_in_stretch) ||
            stretch().flows.size() >= most_in_stretch)
            begin_stretch();
    }

    /// What is `offset` after the event before, once for all who want it.
    int start(double offset) {
        const auto same = std::find_if(
            started_.begin(), started_.end(), [&](const auto& s) { return s.first == offset; });
        if (same != started_.end()) return same->second;
        make_room();
        step(WayStep::Kind::note, n_starts_, flow(offset));
        started_.emplace_back(offset, n_starts_++);
        plan_.most_starts = std::max(plan_.most_starts, n_starts_);
        return n_starts_ - 1;
    }

    void add(std::size_t grid, const Run& run) {
        const int at = start(run.offset);
        stretch().runs[grid].push_back({run.place, run.n_points, at});
    }

    const Observation& observation_;
    bool has_constants_ = false;
    std::vector<Segment> segments_;
    std::vector<std::optional<double>> steps_; ///< of each grid
    std::vector<std::vector<Run>> runs_;
    std::vector<std::size_t> next_run_;
    std::map<double, int> kept_;
    Plan plan_;
    int n_starts_ = 0;
    std::vector<std::pair<double, int>> started_; ///< since the event before
    int source_ = -1;
    int n_running_ = 0; ///< infusions
};

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
               const Observation& observation,
               bool has_constants) {
    return PlanMaker(observation, has_constants, segments_of(system, timeline)).make();
}

} // namespace gemel::sim::exact
