#include "endpoints/endpoint_recorder.hpp"
#include "engine.hpp"
#include "policies/policy_doses.hpp"
#include "resources.hpp"
#include "study_sink.hpp"
#include "summary.hpp"

#include <gemel/pkpd/input_files.hpp>
#include <gemel/scenarios/plan.hpp>
#include <gemel/sim/parallel.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <stdexcept>

namespace gemel::scenarios {

namespace {

constexpr std::uint64_t n_pilot_subjects = 32;
constexpr double least_timed_seconds = 0.4;
constexpr std::uint64_t most_timed = 65536;

/// Counts steps; draws and summarises as a run does, so that time is that of a run but for writing.
class PilotSink : public sim::Sink {
public:
    explicit PilotSink(const Study& study)
        : study_(study),
          outcomes_(study),
          curves_(study),
          endpoints_(study),
          arms(study.arms.size()) {}

    void draw(const sim::SubjectRange& range, std::span<double> inputs) {
        cohort_ = draw_cohort(study_, range);
        fill_inputs(study_, cohort_, inputs);
    }

    void write(int arm, const sim::SubjectRange&, const sim::BlockResult& result) override {
        const auto index = static_cast<std::size_t>(arm);
        const std::vector<double> outcomes = outcomes_of(study_, index, result);
        const SolvedBlock block{index, cohort_, result, outcomes};
        outcomes_.add(block);
        curves_.add(block);
        endpoints_.add(block);
        for (std::size_t s = 0; s < result.status.size(); ++s) {
            const std::uint64_t steps = result.n_steps[s] + std::uint64_t{result.n_rejected[s]};
            arms[index].mean_steps += static_cast<double>(steps); // a sum until the end
            arms[index].most_steps = std::max(arms[index].most_steps, steps);
            arms[index].n_failed += result.status[s] != sim::SolverStatus::ok;
        }
    }

private:
    const Study& study_;
    pkpd::CohortBlock cohort_;
    OutcomeSummary outcomes_;
    CurveSummary curves_;
    EndpointRecorder endpoints_;

public:
    std::vector<Plan::Arm> arms;
};

struct Timed {
    std::vector<Plan::Arm> arms;
    double seconds = 0.0;
};

/// What is asked of most subjects: curves of the first few only are not among it.
sim::RunRequest usual_request(const Study& study, const Engine& engine) {
    const std::vector<sim::RunRequest> requests = requests_of(study, engine, 1);
    return *std::max_element(requests.begin(), requests.end(), [](const auto& a, const auto& b) {
        return a.subjects.count < b.subjects.count;
    });
}

/// The first subjects on one thread.
Timed solve_first(const Study& study,
                  sim::RunRequest request,
                  std::uint64_t n_subjects,
                  sim::Monitor* monitor) {
    PilotSink sink(study);
    request.subjects = {0, 0, n_subjects};
    request.inputs = [&](const sim::SubjectRange& range, std::span<double> inputs) {
        sink.draw(range, inputs);
    };
    const auto start = std::chrono::steady_clock::now();
    sim::run(request, sink, monitor);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    for (Plan::Arm& arm : sink.arms)
        arm.mean_steps /= static_cast<double>(n_subjects);
    return {std::move(sink.arms), taken.count()};
}

/// Steps of a fixed number of subjects, then more and more subjects until the time is not noise.
void take_pilots(const Study& study,
                 const Execution& execution,
                 Plan& plan,
                 sim::Monitor* monitor) {
    const Engine engine = make_engine(study, execution);
    const sim::RunRequest request = usual_request(study, engine);
    const std::uint64_t all = study.population.size;
    plan.n_pilots = plan.n_timed = std::min(n_pilot_subjects, all);
    Timed timed = solve_first(study, request, plan.n_pilots, monitor);
    plan.arms = std::move(timed.arms);
    while (timed.seconds < least_timed_seconds && plan.n_timed < std::min(all, most_timed) &&
           (monitor == nullptr || !monitor->is_cancelled())) {
        plan.n_timed = std::min(4 * plan.n_timed, all);
        timed = solve_first(study, request, plan.n_timed, monitor);
    }
    const double n_trials = std::max(1u, study.n_replicates);
    plan.seconds = timed.seconds * n_trials * static_cast<double>(all) /
                   static_cast<double>(plan.n_timed) / plan.n_working;
}

/// "outcomes/AUC" and "outcomes/Cmax" are one group, "Cp" is its own.
std::vector<std::pair<std::string, double>> by_group(const io::LayoutSize& layout) {
    std::map<std::string, double> sums;
    for (const io::LayoutSize::Part& part : layout.parts())
        sums[part.path.substr(0, part.path.find('/'))] += part.bytes;
    std::vector<std::pair<std::string, double>> groups(sums.begin(), sums.end());
    std::stable_sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) {
        return a.second > b.second;
    });
    return groups;
}

std::string largest(const std::vector<std::pair<std::string, double>>& groups) {
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(groups.size(), 3); ++i)
        text += fmt::format(
            "{}{} {}", i == 0 ? "" : ", ", groups[i].first, bytes_text(groups[i].second));
    return text;
}

std::string n_of(std::size_t n, const std::string& what) {
    return fmt::format("{} {}{}", grouped(n), what, n == 1 ? "" : "s");
}

/// "14 dose times, 1 steady state, 1 reset"
std::string doses_text(const Study& study, const Arm& arm) {
    const pkpd::Regimen& regimen = regimen_of(study, arm);
    const bool is_dosed_by_data = study.data != nullptr && !study.data->ignores_doses;
    std::string text = n_of(regimen.dose_times.size(), "dose time");
    if (is_dosed_by_data && regimen.records.empty())
        text = "doses of the file";
    else if (is_dosed_by_data)
        text += " beside those of the file";
    const auto add = [&](const std::string& what, const auto& is_such) {
        const auto n = std::count_if(regimen.records.begin(), regimen.records.end(), is_such);
        if (n > 0) text += ", " + n_of(static_cast<std::size_t>(n), what);
    };
    add("steady state",
        [](const sim::Record& record) { return record.steady != sim::SteadyState::none; });
    const auto is = [](sim::RecordKind kind) {
        return [kind](const sim::Record& record) { return record.kind == kind; };
    };
    add("reset", is(sim::RecordKind::reset));
    add("set value", is(sim::RecordKind::set));
    add("multiplication", is(sim::RecordKind::multiply));
    add("switch off", is(sim::RecordKind::switch_off));
    add("switch on", is(sim::RecordKind::switch_on));
    add("stop", is(sim::RecordKind::discontinue));
    for (const PolicyUse& use : study.policy_uses)
        if (study.regimens[use.regimen].name == regimen.name)
            text += fmt::format(", by policy {}", use.policy);
    for (const pkpd::TriggerWords& trigger : regimen.trigger_words)
        text += fmt::format(", when {}", trigger.text);
    const bool cancels = regimen.pending.value_or(study.pending) == sim::PendingDoses::cancelled;
    return text + (cancels ? ", pending doses cancelled" : "");
}

std::string save_text(const Save& save) {
    std::string text = fmt::format("{}: {} times", save.output, grouped(save.times.size()));
    if (save.n_subjects > 0) text += fmt::format(" × {} subjects", grouped(save.n_subjects));
    return text + (save.has_summary ? ", summary over all subjects" : "");
}

std::string samples_text(const Study& study, const Samples& samples) {
    const auto index = static_cast<std::size_t>(study.model->find_output(samples.output));
    const std::string text =
        fmt::format("{}: {} times, with error", samples.output, grouped(samples.times.size()));
    const pkpd::QuantificationLimits& limits = samples.limits;
    const std::string& of_output = study.model->system.outputs[index].unit.text;
    const std::string unit = of_output == "1" ? "" : " " + of_output;
    if (limits.has_lower() && limits.has_upper())
        return fmt::format(
            "{}; quantified from {:g} to {:g}{}", text, limits.lower, limits.upper, unit);
    if (limits.has_lower())
        return fmt::format("{}; quantified from {:g}{} on", text, limits.lower, unit);
    if (limits.has_upper())
        return fmt::format("{}; quantified up to {:g}{}", text, limits.upper, unit);
    return text;
}

std::string duration_text(double seconds) {
    if (seconds < 1.0) return "under 1 s";
    if (seconds < 120.0) return fmt::format("{:.0f} s", seconds);
    if (seconds < 7200.0) return fmt::format("{:.0f} min", seconds / 60.0);
    if (seconds < 172800.0) return fmt::format("{:.1f} h", seconds / 3600.0);
    return fmt::format("{:.3g} days", seconds / 86400.0);
}

std::string steps_text(const Plan& plan, const Study& study, std::size_t arm) {
    const Plan::Arm& counted = plan.arms[arm];
    std::string text = fmt::format("steps     {}: ", study.arms[arm].name);
    if (counted.most_steps == 0)
        text += "none, solved exactly between doses";
    else
        text += fmt::format("{:.0f} per subject on average, {} at most",
                            counted.mean_steps,
                            grouped(counted.most_steps));
    if (counted.n_failed > 0) text += fmt::format(", {} failed", grouped(counted.n_failed));
    return fmt::format("{} (the first {} subjects)\n", text, plan.n_pilots);
}

/// "2 threads", "8 threads, of which 2 can work at once".
std::string threads_text(const Plan& plan) {
    std::string text = fmt::format("{} thread{}", plan.n_threads, plan.n_threads == 1 ? "" : "s");
    if (plan.n_working < plan.n_threads)
        text += fmt::format(", of which {} can work at once", plan.n_working);
    return text;
}

std::string warnings(const Plan& plan) {
    std::string text;
    if (!plan.has_room())
        text += fmt::format("warning: the file needs {} and the disk has {} free; `gemel run` will "
                            "refuse\n",
                            bytes_text(plan.disk_bytes),
                            bytes_text(plan.disk_free));
    if (!plan.has_memory())
        text += fmt::format("warning: about {} of memory are needed and this machine has {}; "
                            "`gemel run` will refuse\n",
                            bytes_text(plan.memory_bytes),
                            bytes_text(plan.memory_of_machine));
    return text;
}

Plan resources_of(const Study& study, const PlanOptions& options) {
    Plan plan;
    plan.n_threads = sim::workers(options.n_threads);
    plan.n_working = std::min({plan.n_threads, sim::workers(0), n_busy(study, plan.n_threads)});
    plan.memory_bytes = memory_of(study, options.n_threads).total();
    plan.memory_of_machine =
        options.memory_of_machine > 0.0 ? options.memory_of_machine : memory_of_machine();
    const io::LayoutSize layout = layout_of(study);
    plan.disk_bytes = layout.bytes();
    for (const InputFile& input : study.inputs)
        plan.disk_bytes += static_cast<double>(input.text.size()); // kept in provenance
    plan.disk_parts = by_group(layout);
    plan.disk_free = free_disk(options.output);
    return plan;
}

} // namespace

bool Plan::has_room() const {
    return disk_free == 0.0 || disk_bytes <= disk_free;
}

bool Plan::has_memory() const {
    return memory_of_machine == 0.0 || memory_bytes <= memory_of_machine;
}

Plan make_plan(const Study& study, const PlanOptions& options, sim::Monitor* monitor) {
    Plan plan = resources_of(study, options);
    if (plan.has_memory()) take_pilots(study, options.execution, plan, monitor);
    return plan;
}

std::string render(const Plan& plan, const Study& study) {
    std::string text = describe_plan(study);
    for (std::size_t arm = 0; arm < plan.arms.size(); ++arm)
        text += steps_text(plan, study, arm);
    text += fmt::format("memory    about {} at most, whatever the number of subjects (estimate)\n",
                        bytes_text(plan.memory_bytes));
    text += fmt::format("disk      {} ({}); {} free\n",
                        bytes_text(plan.disk_bytes),
                        largest(plan.disk_parts),
                        plan.disk_free > 0.0 ? bytes_text(plan.disk_free) : "unknown");
    if (plan.n_timed > 0)
        text += fmt::format("time      about {} on {} (estimate, from {} subjects solved here just "
                            "now; writing not counted)\n",
                            duration_text(plan.seconds),
                            threads_text(plan),
                            grouped(plan.n_timed));
    return text + warnings(plan);
}

std::vector<std::string> notes_on(const Study& study) {
    std::vector<std::string> notes = study.model->notes;
    if (study.data == nullptr) return notes;
    notes.insert(notes.end(), study.data->notes.begin(), study.data->notes.end());
    if (!(study.data->last_time > 0.0))
        notes.push_back(fmt::format("the last time of the file is {0:g} {2}; the study goes on "
                                    "until {1:g} {2}",
                                    study.data->last_time,
                                    study.duration,
                                    study.model->system.time_unit.text));
    return notes;
}

std::string describe_plan(const Study& study) {
    const sim::CompiledSystem system = sim::compile(system_of(study));
    std::string text = fmt::format("model     {} ({} states)\n",
                                   study.model->name.empty() ? study.model->id : study.model->name,
                                   study.model->system.states.size());
    text += fmt::format("subjects  {}\n", grouped(study.population.size));
    if (study.data != nullptr) text += pkpd::describe_data_set(*study.data, *study.model);
    for (const std::string& note : notes_on(study))
        text += fmt::format("note      {}\n", note);
    for (const Arm& arm : study.arms)
        text +=
            fmt::format("arm       {}: {}, {}\n", arm.name, arm.regimen, doses_text(study, arm));
    if (study.occasions.size() > 1)
        text += fmt::format("occasions {}\n", grouped(study.occasions.size()));
    if (study.start < 0.0)
        text += fmt::format("begins    at {:g} {}, in every arm\n",
                            study.start,
                            study.model->system.time_unit.text);
    if (study.n_replicates > 0)
        text += fmt::format("repeated  {} replicates{}\n",
                            grouped(study.n_replicates),
                            study.population.uncertainty ? ", with other values each" : "");
    text += fmt::format("solves    {}\n", grouped(n_solves(study)));
    for (const SolverRow& row : solver_rows(study, solvers_of(study, system)))
        text += fmt::format("solver    {}{} ({})\n",
                            row.arms.empty() ? "" : row.arms + ": ",
                            row.solver->name,
                            row.why);
    for (const Save& save : written_saves(study))
        text += fmt::format("save      {}\n", save_text(save));
    for (const Samples& samples : study.samples)
        text += fmt::format("samples   {}\n", samples_text(study, samples));
    text += fmt::format("file      numbers of every subject {}\n",
                        study.writes_subjects ? "written" : "not written, summaries only");
    return text;
}

void require_room(const Study& study, const PlanOptions& options) {
    const Plan plan = resources_of(study, options);
    if (!plan.has_room())
        throw std::runtime_error(fmt::format(
            "{} needs {} on disk ({}), and {} are free there; fewer subjects or saved times need "
            "less, and so does [save] subjects = \"none\"",
            options.output.string(),
            bytes_text(plan.disk_bytes),
            largest(plan.disk_parts),
            bytes_text(plan.disk_free)));
    if (!plan.has_memory())
        throw std::runtime_error(
            fmt::format("this study needs about {} of memory, and the machine has {}; fewer saved "
                        "times, arms or threads need less",
                        bytes_text(plan.memory_bytes),
                        bytes_text(plan.memory_of_machine)));
}

} // namespace gemel::scenarios
