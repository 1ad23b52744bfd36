#include "solve/fallback.hpp"

#include <gemel/sim/lane_program.hpp>
#include <gemel/sim/solver.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace gemel::sim {
namespace {

void validate(const SampledOutput& sampled, int n_outputs, double start, double end) {
    if (sampled.output < 0 || sampled.output >= n_outputs)
        throw std::invalid_argument(
            fmt::format("observation: there is no output {}", sampled.output));
    double last = -std::numeric_limits<double>::infinity();
    for (double time : sampled.times) {
        if (!(time >= start && time <= end && time > last))
            throw std::invalid_argument(
                fmt::format("observation: sample times must increase within [{}, {}], got {}",
                            start,
                            end,
                            time));
        last = time;
    }
}

void validate(const Functional& f, int n_outputs, const Timeline& timeline) {
    const double start = timeline.start, end = timeline.end;
    const bool is_of_trigger = f.kind == FunctionalKind::times_acted;
    const int n = is_of_trigger ? static_cast<int>(timeline.triggers.size()) : n_outputs;
    const bool is_there = f.output >= 0 && f.output < n;
    if (!is_there && !(is_of_trigger && f.output == -1))
        throw std::invalid_argument(fmt::format(
            "observation: there is no {} {}", is_of_trigger ? "trigger" : "output", f.output));
    const bool is_window =
        f.kind == FunctionalKind::value_before || (f.from >= start && f.from < f.to);
    if (!is_window || !(f.to >= start && f.to <= end))
        throw std::invalid_argument(
            fmt::format("observation: the window [{}, {}] is empty or leaves [{}, {}]",
                        f.from,
                        f.to,
                        start,
                        end));
}

void validate(const Trigger& trigger, const OdeSystem& system) {
    if (trigger.output < 0 || trigger.output >= static_cast<int>(system.outputs.size()))
        throw std::invalid_argument(fmt::format(
            "timeline: a trigger looks at output {}, which there is not", trigger.output));
    const bool is_dose =
        trigger.record.kind == RecordKind::add || trigger.record.kind == RecordKind::infuse;
    if (is_dose && system.states[static_cast<std::size_t>(trigger.record.state)].n_kept > 0)
        throw std::invalid_argument(fmt::format(
            "timeline: a trigger gives a dose into state {}, which has transit compartments",
            trigger.record.state));
}

} // namespace

void validate(const Observation& observation,
              const CompiledSystem& system,
              const Timeline& timeline) {
    const int n_outputs = static_cast<int>(system.system.outputs.size());
    for (const SampledOutput& sampled : observation.sampled)
        validate(sampled, n_outputs, timeline.start, timeline.end);
    for (const Functional& f : observation.functionals)
        validate(f, n_outputs, timeline);
    for (const Trigger& trigger : timeline.triggers)
        validate(trigger, system.system);
    for (const int output : observation.own_outputs)
        if (output < 0 || output >= n_outputs)
            throw std::invalid_argument(fmt::format("observation: there is no output {}", output));
}

std::string_view name(SolverStatus status) {
    const auto code = static_cast<std::size_t>(status);
    return code < std::size(solver_status_names) ? solver_status_names[code] : "unknown";
}

std::unique_ptr<PreparedSolver>
prepare(const Solver& solver, const CompiledSystem& system, const SolverOptions& options) {
    std::unique_ptr<PreparedSolver> prepared = solver.prepare(system, options);
    if (!solver.falls_back || !options.falls_back) return prepared;
    return with_fallback(std::move(prepared), system, options);
}

void BlockResult::reset(const CompiledSystem& system, const BlockProblem& problem) {
    resize(system, problem);
    for (std::vector<double>& values : sampled)
        std::fill(values.begin(), values.end(), std::numeric_limits<double>::quiet_NaN());
}

void BlockResult::resize(const CompiledSystem& system, const BlockProblem& problem) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const auto n = static_cast<std::size_t>(problem.n_subjects);
    const Observation& observation = *problem.observation;
    sampled.resize(observation.sampled.size());
    for (std::size_t k = 0; k < sampled.size(); ++k)
        sampled[k].resize(n * observation.sampled[k].times.size());
    functionals.assign(n * observation.functionals.size(), nan);
    own_first.assign(problem.own.empty() ? 0 : n + 1, 0);
    for (std::size_t s = 0; s < problem.own.size(); ++s)
        own_first[s + 1] = own_first[s] + problem.own[s]->samples.size();
    own.resize(observation.own_outputs.size());
    for (std::vector<double>& column : own)
        column.assign(own_first.empty() ? 0 : own_first.back(), nan);
    parameters.assign(n * system.system.parameters.size(), nan);
    status.assign(n, SolverStatus::ok);
    stopped_at.assign(n, 0.0);
    n_steps.assign(n, 0);
    n_rejected.assign(n, 0);
    fell_back.assign(n, 0);
    parked.assign(problem.park_at <= problem.timeline->end ? n : 0, {});
}

int lanes_for(int n_subjects) {
    return n_subjects <= 8 ? 8 : best_width();
}

} // namespace gemel::sim
