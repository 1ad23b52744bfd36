#include "predictor.hpp"

#include <gemel/pkpd/pilot.hpp>
#include <gemel/sim/parallel.hpp>

#include <algorithm>
#include <ctime>

namespace gemel::learners {
namespace {

constexpr std::size_t tasks_per_block = 64;
constexpr int n_fit_pilots = 16;

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
    sim::BlockResult result;
    std::vector<double> inputs; ///< [n_inputs × n_rows]
    std::vector<const sim::SubjectTimeline*> own;
    SolverCount count;
};

Predictor::Predictor(const FitData& data,
                     const FitExecution& execution,
                     const std::vector<int>& wrt)
    : data_(data),
      n_threads_(execution.n_threads),
      n_columns_(1 + wrt.size()) {
    const FitOptions& options = data.setup().options;
    sim::OdeSystem own = data.system();
    // Derivatives are those of the computed solution, with its steps held: what a search for the
    // best parameters wants, and values keep their bits.
    system_ = std::make_unique<const sim::CompiledSystem>(sim::compile(
        wrt.empty() ? std::move(own)
                    : sim::with_sensitivities(std::move(own), wrt, sim::StepControl::own_states)));
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
    const bool has_own_theta = tasks.has_own_theta(data_.n_parameters());
    std::size_t row = 0;
    for (std::size_t t = begin; t < end; ++t) {
        const FitSubject& subject = data_.subjects[tasks.subjects[t]];
        const double* theta = tasks.theta.data() + (has_own_theta ? t * data_.n_parameters() : 0);
        const double* effects = tasks.effects.data() + t * tasks.stride;
        for (std::size_t k = 0; k < subject.n_rows; ++k, ++row) {
            const double* base = data_.base.data() + (subject.first_row + k) * data_.n_inputs();
            const double* kappas = effects + data_.n_eta() + subject.occasions[k] * data_.n_kappa();
            double* to = worker.inputs.data() + row;
            for (std::size_t i = 0; i < data_.n_inputs(); ++i, to += n_rows) {
                const InputPlace& place = data_.inputs[i];
                *to = place.kind == InputPlace::Kind::base    ? base[i]
                      : place.kind == InputPlace::Kind::theta ? theta[place.index]
                      : place.kind == InputPlace::Kind::eta   ? effects[place.index]
                                                              : kappas[place.index];
            }
        }
    }
}

void Predictor::solve_block(const PredictionTasks& tasks,
                            std::size_t begin,
                            std::size_t end,
                            std::span<double> values,
                            Worker& worker) const {
    fill(tasks, begin, end, worker);
    if (!worker.solver) worker.solver = solver_->worker();
    sim::BlockProblem problem;
    problem.n_subjects = static_cast<int>(end - begin);
    problem.inputs = worker.inputs;
    problem.timeline = &data_.timeline;
    problem.observation = &observation_;
    problem.own = worker.own;
    const double before = thread_seconds();
    worker.solver->solve(problem, worker.result);
    worker.count.seconds += thread_seconds() - before;
    worker.count.n_solves += problem.n_subjects;
    for (const sim::SolverStatus status : worker.result.status)
        worker.count.n_failed += status == sim::SolverStatus::ok ? 0 : 1;
    const std::size_t n_outputs = data_.outputs.size();
    for (std::size_t t = begin; t < end; ++t) {
        double* to = values.data() + tasks.first[t] * n_columns_;
        const std::size_t first = worker.result.own_first[t - begin];
        for (const Measurement& measured : data_.subjects[tasks.subjects[t]].measured)
            for (std::size_t c = 0; c < n_columns_; ++c)
                *to++ = worker.result.own[c * n_outputs + measured.place][first + measured.sample];
    }
}

void Predictor::predict(const PredictionTasks& tasks, std::span<double> values) {
    const std::size_t n = tasks.subjects.size();
    const std::size_t n_blocks = (n + tasks_per_block - 1) / tasks_per_block;
    const auto solve = [&](std::size_t block, int worker) {
        const std::size_t begin = block * tasks_per_block;
        solve_block(tasks,
                    begin,
                    std::min(begin + tasks_per_block, n),
                    values,
                    *workers_[static_cast<std::size_t>(worker)]);
    };
    if (n_threads_ == 1 || n_blocks == 1)
        for (std::size_t block = 0; block < n_blocks; ++block)
            solve(block, 0);
    else
        sim::parallel_for(n_blocks, n_threads_, solve);
}

} // namespace gemel::learners
