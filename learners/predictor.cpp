#include "predictor.hpp"

#include <gemel/pkpd/pilot.hpp>
#include <gemel/sim/parallel.hpp>

#include <algorithm>
#include <ctime>
#include <functional>

namespace gemel::learners {
namespace {

constexpr std::size_t tasks_per_block = 64;
constexpr std::size_t most_tasks_of_arm = 512;
constexpr std::size_t least_tasks_of_arm = 3;
constexpr int n_fit_pilots = 16;
constexpr int jobs_per_timed = 8;

double thread_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Pilots receive what the subject with the most records does.
sim::Pilot pilot_of(const FitData& data, const sim::CompiledSystem& system) {
    sim::Pilot pilot{n_fit_pilots, pkpd::pilot_inputs(data.model(), n_fit_pilots), data.timeline};
    if (pilot.inputs.empty()) return pilot;
    pilot.inputs.resize(system.system.inputs.size() * n_fit_pilots, 0.0);
    const auto most = std::ranges::max_element(
        data.subjects, {}, [](const FitSubject& s) { return s.timeline->records.size(); });
    pilot.timeline.records = most->timeline->records;
    return pilot;
}

} // namespace

SolverCount& SolverCount::operator+=(const SolverCount& other) {
    n_solves += other.n_solves;
    n_failed += other.n_failed;
    seconds += other.seconds;
    return *this;
}

/// What one thread needs to solve a block.
struct Predictor::Worker {
    std::unique_ptr<sim::BlockSolver> solver;
    sim::BlockResult of_arm, of_block;
    std::vector<double> inputs; ///< [n_inputs × n_rows]
    std::vector<const sim::SubjectTimeline*> own;
    SolverCount count;
    std::uint64_t n_jobs = 0;
};

Predictor::Predictor(const FitData& data,
                     const FitExecution& execution,
                     const std::vector<int>& wrt)
    : data_(data),
      n_threads_(execution.n_threads),
      n_columns_(1 + wrt.size()) {
    const FitOptions& options = data.setup().options;
    sim::OdeSystem own = data.system();
    // Steps are those that derivatives need, too: where a state has decayed, the states alone allow
    // steps at which the derivatives of an explicit method grow without bound.
    system_ = std::make_unique<const sim::CompiledSystem>(sim::compile(
        wrt.empty() ? std::move(own)
                    : sim::with_sensitivities(std::move(own), wrt, sim::StepControl::all)));
    sim::SolverOptions of_solver;
    of_solver.rtol = options.rtol;
    of_solver.max_steps = options.max_steps;
    of_solver.executor = execution.executor;
    of_solver.native_code = execution.native_code;
    const sim::Pilot pilot = pilot_of(data, *system_);
    const sim::SolverChoice choice =
        options.solver.empty()
            ? sim::choose_solver(*system_, of_solver, pilot.inputs.empty() ? nullptr : &pilot)
            : sim::SolverChoice{sim::find_solver(options.solver), "named by the fit"};
    solver_ = sim::prepare(*choice.solver, *system_, of_solver);
    solver_name_ = std::string(choice.solver->name);
    reason_ = choice.why;
    has_steps_ = choice.solver->order != 0;
    for (const int output : data.outputs)
        observation_.own_outputs.push_back(output);
    for (std::size_t k = 0; k < wrt.size(); ++k)
        for (const int output : data.outputs)
            observation_.own_outputs.push_back(
                system_->system.sensitivities.output(output, static_cast<int>(k)));
    if (!has_steps_) make_arms();
    for (int w = 0; w < sim::workers(n_threads_); ++w)
        workers_.push_back(std::make_unique<Worker>());
}

Predictor::~Predictor() = default;

SolverCount Predictor::count() const {
    SolverCount sum;
    for (const auto& worker : workers_)
        sum += worker->count;
    return sum;
}

void Predictor::fill(const PredictionTasks& tasks,
                     std::size_t begin,
                     std::size_t end,
                     Worker& worker) const {
    std::size_t n_rows = 0;
    worker.own.clear();
    for (std::size_t t = begin; t < end; ++t) {
        const FitSubject& subject = data_.subjects[tasks.subjects[t]];
        worker.own.push_back(subject.timeline);
        n_rows += subject.n_rows;
    }
    worker.inputs.resize(data_.n_inputs() * n_rows);
    for (std::size_t i = 0; i < data_.n_inputs(); ++i)
        fill_column(tasks, begin, end, i, worker.inputs.data() + i * n_rows);
}

/// An input of all rows of tasks, subject by subject.
void Predictor::fill_column(const PredictionTasks& tasks,
                            std::size_t begin,
                            std::size_t end,
                            std::size_t input,
                            double* to) const {
    for (std::size_t t = begin; t < end;) {
        const FitSubject& subject = data_.subjects[tasks.subjects[t]];
        std::size_t last = t + 1;
        while (last < end && tasks.subjects[last] == tasks.subjects[t])
            ++last;
        const std::size_t n = (last - t) * subject.n_rows;
        for (std::size_t k = 0; k < subject.n_rows; ++k) {
            const auto [from, step] = source_of(tasks, t, input, subject, k);
            const double* value = from;
            for (std::size_t row = k; row < n; row += subject.n_rows, value += step)
                to[row] = *value;
        }
        to += n;
        t = last;
    }
}

/// Where a subject's task finds an input of a row, and how far it is to the next task's.
std::pair<const double*, std::size_t> Predictor::source_of(const PredictionTasks& tasks,
                                                           std::size_t task,
                                                           std::size_t input,
                                                           const FitSubject& subject,
                                                           std::size_t row) const {
    const InputPlace& place = data_.inputs[input];
    const double* effects = tasks.effects.data() + task * tasks.stride;
    if (place.kind == InputPlace::Kind::base)
        return {data_.base.data() + (subject.first_row + row) * data_.n_inputs() + input, 0};
    if (place.kind == InputPlace::Kind::eta) return {effects + place.index, tasks.stride};
    if (place.kind == InputPlace::Kind::kappa)
        return {effects + data_.n_eta() + subject.occasions[row] * data_.n_kappa() + place.index,
                tasks.stride};
    const std::size_t step = tasks.has_own_theta(data_.n_parameters()) ? data_.n_parameters() : 0;
    return {tasks.theta.data() + task * step + place.index, step};
}

namespace {

/// Whether all samples see what an arm's samples see: all that happens at their time or before.
bool sees_like_an_arm(const sim::SubjectTimeline& own) {
    return own.switches.empty() && std::ranges::all_of(own.samples, [&](const sim::OwnSample& s) {
               return s.n_before ==
                      static_cast<std::size_t>(std::ranges::count_if(
                          own.records, [&](const sim::Record& r) { return r.time <= s.time; }));
           });
}

} // namespace

void Predictor::make_arms() {
    for (const FitSubject& subject : data_.subjects) {
        OwnArm& arm = arms_.emplace_back();
        const sim::SubjectTimeline& own = *subject.timeline;
        if (!sees_like_an_arm(own) || subject.measured.empty()) continue;
        arm.is_usable = true;
        arm.timeline = data_.timeline;
        arm.timeline.records = own.records;
        arm.timeline.start = std::max(arm.timeline.start, own.begin);
        std::vector<double> times;
        for (const Measurement& measured : subject.measured)
            times.push_back(own.samples[measured.sample].time);
        std::ranges::sort(times);
        times.erase(std::ranges::unique(times).begin(), times.end());
        for (const Measurement& measured : subject.measured)
            arm.sampled.push_back(static_cast<std::size_t>(
                std::ranges::lower_bound(times, own.samples[measured.sample].time) -
                times.begin()));
        for (const int output : observation_.own_outputs)
            arm.observation.sampled.push_back({output, times});
        arm.timeline.end = times.back();
        if (!(arm.timeline.end > arm.timeline.start)) arm.timeline.end = data_.timeline.end;
    }
}

/// Runs of one subject's tasks, and what is left in blocks.
void Predictor::plan_jobs(const PredictionTasks& tasks) {
    jobs_.clear();
    const std::size_t n = tasks.subjects.size();
    for (std::size_t begin = 0; begin < n;) {
        std::size_t end = begin + 1;
        const std::size_t subject = tasks.subjects[begin];
        while (end < n && tasks.subjects[end] == subject && end - begin < most_tasks_of_arm)
            ++end;
        if (!arms_.empty() && arms_[subject].is_usable && end - begin >= least_tasks_of_arm) {
            jobs_.push_back({begin, end, true});
        } else {
            end = std::min(end, begin + tasks_per_block);
            Job* last = jobs_.empty() ? nullptr : &jobs_.back();
            if (last != nullptr && !last->has_arm && end - last->begin <= tasks_per_block)
                last->end = end;
            else
                jobs_.push_back({begin, end, false});
        }
        begin = end;
    }
}

void Predictor::take_arm_values(const Job& job,
                                const PredictionTasks& tasks,
                                const Worker& worker,
                                std::span<double> values) const {
    const std::size_t subject = tasks.subjects[job.begin], n_outputs = data_.outputs.size();
    const std::vector<Measurement>& measured = data_.subjects[subject].measured;
    const OwnArm& arm = arms_[subject];
    const std::size_t n_times = arm.observation.sampled.front().times.size();
    for (std::size_t c = 0; c < n_columns_; ++c)
        for (std::size_t m = 0; m < measured.size(); ++m) {
            const double* from =
                worker.of_arm.sampled[c * n_outputs + measured[m].place].data() + arm.sampled[m];
            double* to = values.data() + m * n_columns_ + c;
            for (std::size_t t = job.begin; t < job.end; ++t, from += n_times)
                to[tasks.first[t] * n_columns_] = *from;
        }
}

void Predictor::take_own_values(const Job& job,
                                const PredictionTasks& tasks,
                                const Worker& worker,
                                std::span<double> values) const {
    const std::size_t n_outputs = data_.outputs.size();
    for (std::size_t t = job.begin; t < job.end; ++t) {
        double* to = values.data() + tasks.first[t] * n_columns_;
        const std::size_t first = worker.of_block.own_first[t - job.begin];
        for (const Measurement& measured : data_.subjects[tasks.subjects[t]].measured)
            for (std::size_t c = 0; c < n_columns_; ++c)
                *to++ =
                    worker.of_block.own[c * n_outputs + measured.place][first + measured.sample];
    }
}

/// Room for a block of the subjects with the most samples.
void Predictor::make_ready(Worker& worker) const {
    worker.solver = solver_->worker();
    std::size_t most_samples = 0;
    for (const FitSubject& subject : data_.subjects)
        most_samples = std::max(most_samples, subject.timeline->samples.size());
    worker.of_block.own.resize(observation_.own_outputs.size());
    for (std::vector<double>& column : worker.of_block.own)
        column.reserve(tasks_per_block * most_samples);
}

void Predictor::solve_job(const Job& job,
                          const PredictionTasks& tasks,
                          std::span<double> values,
                          Worker& worker) const {
    if (!worker.solver) make_ready(worker);
    fill(tasks, job.begin, job.end, worker);
    const OwnArm* arm = job.has_arm ? &arms_[tasks.subjects[job.begin]] : nullptr;
    sim::BlockProblem problem;
    problem.n_subjects = static_cast<int>(job.end - job.begin);
    problem.inputs = worker.inputs;
    problem.timeline = arm != nullptr ? &arm->timeline : &data_.timeline;
    problem.observation = arm != nullptr ? &arm->observation : &observation_;
    if (arm == nullptr) problem.own = worker.own;
    // The clock of a thread costs as much as a short solve: every eighth is timed, for eight.
    const bool is_timed = worker.n_jobs++ % jobs_per_timed == 0;
    const double before = is_timed ? thread_seconds() : 0.0;
    sim::BlockResult& result = arm != nullptr ? worker.of_arm : worker.of_block;
    worker.solver->solve(problem, result);
    if (is_timed) worker.count.seconds += jobs_per_timed * (thread_seconds() - before);
    worker.count.n_solves += problem.n_subjects;
    for (const sim::SolverStatus status : result.status)
        worker.count.n_failed += status == sim::SolverStatus::ok ? 0 : 1;
    if (arm != nullptr)
        take_arm_values(job, tasks, worker, values);
    else
        take_own_values(job, tasks, worker, values);
}

void Predictor::predict(const PredictionTasks& tasks, std::span<double> values) {
    plan_jobs(tasks);
    const auto solve = [&](std::size_t job, int worker) {
        solve_job(jobs_[job], tasks, values, *workers_[static_cast<std::size_t>(worker)]);
    };
    if (n_threads_ == 1 || jobs_.size() == 1)
        for (std::size_t job = 0; job < jobs_.size(); ++job)
            solve(job, 0);
    else
        sim::parallel_for(jobs_.size(), n_threads_, std::ref(solve)); // a copy would be on the heap
}

std::vector<double> Predictor::individual_parameters(std::size_t subject,
                                                     std::span<const double> theta,
                                                     std::span<const double> effects) {
    std::vector<double> all(data_.max_effects, 0.0);
    std::ranges::copy(effects, all.begin());
    const std::size_t subjects[] = {subject}, first[] = {0};
    std::vector<double> values(data_.subjects[subject].measured.size() * n_columns_);
    predict({subjects, theta, all, data_.max_effects, first}, values);
    return workers_.front()->of_block.parameters;
}

} // namespace gemel::learners
