#include "solve/exact/pack_solver.hpp"

#include "base/index.hpp"

#include <algorithm>
#include <limits>

namespace gemel::sim::exact {
namespace {

constexpr std::size_t stream_from = 2 << 20;  ///< bytes of a block's samples: beyond the caches
constexpr std::size_t most_in_rows = 1 << 15; ///< samples per subject that are gathered first

bool loads(const LaneProgram& program, LeafKind kind, int index = -1) {
    return std::any_of(
        program.instructions.begin(), program.instructions.end(), [&](const auto& instruction) {
            return instruction.op == Op::leaf && instruction.leaf.kind == kind &&
                   (index < 0 || instruction.leaf.index == index);
        });
}

/// Whether samples of a pack go to their place at once, not by way of rows that are whole.
bool goes_directly(int n_valid, int n_subjects, std::size_t n_times) {
    const bool is_small = index(n_subjects) * n_times * sizeof(double) < stream_from;
    return n_valid == pack && (is_small || n_times > most_in_rows);
}

} // namespace

bool MatrixShape::has_constants() const {
    return std::any_of(constants.begin(), constants.end(), [](int k) { return k >= 0; });
}

PackSolver::PackSolver(const CompiledSystem& system,
                       const ProgramSet& programs,
                       int matrix_program,
                       MatrixShape shape,
                       std::vector<ModalPart> parts,
                       const Kernels& kernels)
    : system_(system),
      programs_(programs),
      matrix_(programs.programs[index(matrix_program)]),
      shape_(std::move(shape)),
      modal_parts_(std::move(parts)),
      kernels_(kernels),
      matrix_kernel_(interpreter().compile(matrix_, programs.layout, pack)),
      matrix_workspace_(index(matrix_kernel_->n_slots()) * pack),
      n_running_(index(shape_.n_states)) {
    const std::size_t size = index(shape_.n_states) * pack;
    for (Workspace* columns : {&z_, &point_, &source_, &constant_, &infusion_, &states_})
        *columns = Workspace(size);
}

const std::vector<int>&
PackSolver::solve(const BlockProblem& problem, const BlockSetup& setup, BlockResult& result) {
    problem_ = &problem;
    setup_ = &setup;
    result_ = &result;
    others_.clear();
    take_plan(problem);
    for (int first = 0; first < problem.n_subjects; first += pack)
        solve_pack(first);
    return others_;
}

void PackSolver::take_plan(const BlockProblem& problem) {
    if (has_plan_ && timeline_ == *problem.timeline && sampled_ == problem.observation->sampled)
        return;
    timeline_ = *problem.timeline;
    sampled_ = problem.observation->sampled;
    plan_ = make_plan(system_, timeline_, sampled_);
    modes_ = std::make_unique<ModalPack>(modal_parts_,
                                         shape_.n_states,
                                         plan_.n_kept,
                                         plan_.has_infusions || shape_.has_constants(),
                                         kernels_);
    work_.clear();
    for (const Grid& grid : plan_.grids)
        work_.push_back(make_work(grid));
    has_plan_ = true;
}

PackSolver::GridWork PackSolver::make_work(const Grid& grid) const {
    constexpr int width = chunk * pack;
    const LaneProgram& outputs = programs_.programs[outputs_program];
    GridWork work;
    work.outputs = interpreter().compile(outputs, programs_.layout, width);
    work.workspace = Workspace(index(work.outputs->n_slots()) * width);
    std::vector<Expr> read;
    for (const int k : grid.sampled)
        read.push_back(system_.system.outputs[index(sampled_[index(k)].output)].value);
    work.states.assign(index(shape_.n_states), nullptr);
    for (const Leaf& leaf : system_.system.graph.leaves(read))
        if (leaf.kind == LeafKind::state)
            work.states[index(leaf.index)] =
                work.workspace.data() + programs_.layout.slot(leaf) * width;
    work.to = work.states;
    if (loads(outputs, LeafKind::time))
        work.time = work.workspace.data() + programs_.layout.slot({LeafKind::time, 0}) * width;
    return work;
}

void PackSolver::solve_pack(int first) {
    first_ = first;
    n_valid_ = std::min(pack, problem_->n_subjects - first);
    std::fill(finite_, finite_ + pack, 0.0);
    const unsigned bad = load_matrix();
    start();
    for (std::size_t k = 0; k < plan_.segments.size(); ++k) {
        const Segment& segment = plan_.segments[k];
        bool changes = k == 0;
        for (const SharedDose& dose : segment.doses) {
            give(dose);
            changes |= dose.kind != SharedDose::Kind::add;
        }
        if (changes) find_sources();
        for (std::size_t g = 0; g < work_.size(); ++g)
            sample(static_cast<int>(k), plan_.grids[g], work_[g]);
        if (segment.flow >= 0) {
            flow_on(segment.flow, z_.data());
            check_finite(z_.data(), modes_->n_modal());
        }
    }
    for (std::size_t g = 0; g < work_.size(); ++g) {
        flush(plan_.grids[g], work_[g]);
        write_rows(plan_.grids[g], work_[g]);
    }
    for (int l = 0; l < n_valid_; ++l)
        if (setup_->status[index(first_ + l)] == SolverStatus::ok &&
            ((bad >> l & 1U) != 0 || finite_[l] != 0.0))
            others_.push_back(first_ + l);
}

/// Input columns of a program, `copies` times one after the other; the last subject fills the pack.
void PackSolver::load(const LaneProgram& program, int copies, double* workspace) const {
    const int n_rows = setup_->n_rows;
    for (const LaneProgram::Instruction& instruction : program.instructions) {
        const Leaf leaf = instruction.leaf;
        if (instruction.op != Op::leaf ||
            (leaf.kind != LeafKind::input && leaf.kind != LeafKind::derived))
            continue;
        const double* from =
            (leaf.kind == LeafKind::input ? problem_->inputs.data() : setup_->derived.data()) +
            leaf.index * n_rows + first_;
        double* to = workspace + programs_.layout.slot(leaf) * copies * pack;
        for (int l = 0; l < pack; ++l)
            to[l] = from[std::min(l, n_valid_ - 1)];
        for (int i = 1; i < copies; ++i)
            std::copy_n(to, pack, to + i * pack);
    }
}

unsigned PackSolver::load_matrix() {
    double* workspace = matrix_workspace_.data();
    load(matrix_, 1, workspace);
    matrix_kernel_->run(workspace);
    const auto column = [&](int k) -> const double* {
        if (k < 0) return nullptr;
        const double* at = workspace + programs_.layout.slot({LeafKind::result, k}) * pack;
        check_finite(at, 1);
        return at;
    };
    entries_.clear();
    for (const int k : shape_.entries)
        entries_.push_back(column(k));
    constants_.clear();
    for (const int k : shape_.constants)
        constants_.push_back(column(k));
    return modes_->solve(entries_);
}

/// Initial values.
void PackSolver::start() {
    double* states = states_.data();
    columns_.clear();
    for (int i = 0; i < shape_.n_states; ++i) {
        const double* from = setup_->initial.data() + i * setup_->n_rows + first_;
        for (int l = 0; l < pack; ++l)
            states[i * pack + l] = from[std::min(l, n_valid_ - 1)];
        columns_.push_back(states + i * pack);
    }
    modes_->project(columns_.data(), z_.data());
    std::fill_n(infusion_.data(), index(shape_.n_states) * pack, 0.0);
    std::fill(n_running_.begin(), n_running_.end(), 0);
    for (GridWork& work : work_) {
        work.next_run = 0;
        work.n_points = work.n_done = 0;
        load(programs_.programs[outputs_program], chunk, work.workspace.data());
    }
}

/// As sim::shape() makes doses of records.
void PackSolver::give(const SharedDose& dose) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const Record& record = timeline_.records[index(dose.record)];
    const int n_rows = setup_->n_rows;
    alignas(Workspace::alignment) double amount[pack];
    for (int l = 0; l < pack; ++l) {
        const int subject = first_ + std::min(l, n_valid_ - 1);
        const double factor =
            record.amount_factor < 0
                ? 1.0
                : problem_->inputs[index(record.amount_factor * n_rows + subject)];
        const double part = setup_->bioavailability[index(dose.state * n_rows + subject)];
        amount[l] = record.amount * factor * part;
        if (!(part >= 0.0)) amount[l] = nan; // refused
    }
    check_finite(amount, 1);
    if (dose.kind == SharedDose::Kind::add) return modes_->add(dose.state, amount, z_.data());
    const double sign = dose.kind == SharedDose::Kind::rate_on ? 1.0 : -1.0;
    int& running = n_running_[index(dose.state)];
    running += dose.kind == SharedDose::Kind::rate_on ? 1 : -1;
    double* rate = infusion_.data() + dose.state * pack;
    for (int l = 0; l < pack; ++l) {
        const double own = dose.rate != 0.0 ? dose.rate : amount[l] / record.duration;
        rate[l] = running == 0 ? 0.0 : rate[l] + sign * own;
    }
}

/// What enters at a constant rate: of the equations, and by infusions.
void PackSolver::find_sources() {
    has_source_ = shape_.has_constants() ||
                  std::any_of(n_running_.begin(), n_running_.end(), [](int n) { return n > 0; });
    if (!has_source_) return;
    for (int i = 0; i < shape_.n_states; ++i)
        for (int l = 0; l < pack; ++l)
            states_.data()[i * pack + l] =
                (constants_[index(i)] != nullptr ? constants_[index(i)][l] : 0.0) +
                infusion_.data()[i * pack + l];
    modes_->project(columns_.data(), source_.data());
}

/// c of a flow in the segment in hand; null: 0.
const double* PackSolver::constant(const Flow& flow) {
    if (!has_source_) return nullptr;
    modes_->constant(flow, source_.data(), constant_.data());
    return constant_.data();
}

void PackSolver::flow_on(int number, double* z) {
    const Flow& flow = modes_->flow(plan_.flows[index(number)], number);
    modes_->apply(flow, constant(flow), z);
}

void PackSolver::sample(int segment, const Grid& grid, GridWork& work) {
    for (; work.next_run < grid.runs.size() && grid.runs[work.next_run].segment == segment;
         ++work.next_run)
        sample(grid, work, grid.runs[work.next_run]);
}

void PackSolver::sample(const Grid& grid, GridWork& work, const Run& run) {
    double* point = point_.data();
    std::copy_n(z_.data(), index(modes_->n_modal()) * pack, point);
    if (run.offset >= 0) flow_on(run.offset, point);
    const Flow* step = nullptr;
    const double* c = nullptr;
    if (run.n_points > 1) {
        step = &modes_->flow(plan_.flows[index(grid.step)], grid.step);
        c = constant(*step);
    }
    for (int left = run.n_points; left > 0;) {
        const int n = std::min(left, chunk - work.n_points);
        for (std::size_t i = 0; i < work.to.size(); ++i)
            if (work.states[i] != nullptr) work.to[i] = work.states[i] + work.n_points * pack;
        modes_->run(step, c, point, n, work.to.data());
        work.n_points += n;
        left -= n;
        if (work.n_points == chunk) flush(grid, work);
    }
}

/// Outputs of a chunk's points, and on to the next chunk.
void PackSolver::flush(const Grid& grid, GridWork& work) {
    if (work.n_points == 0) return;
    if (work.time != nullptr)
        for (int i = 0; i < work.n_points; ++i)
            std::fill_n(work.time + i * pack, pack, grid.times[index(work.n_done + i)]);
    work.outputs->run(work.workspace.data());
    const std::size_t n_times = grid.times.size();
    const bool is_direct = goes_directly(n_valid_, problem_->n_subjects, n_times);
    if (!is_direct && !work.has_rows) {
        work.rows = Workspace(grid.sampled.size() * n_times * pack);
        work.has_rows = true;
    }
    for (std::size_t i = 0; i < grid.sampled.size(); ++i) {
        const int k = grid.sampled[i];
        double* rows = is_direct ? result_->sampled[index(k)].data() + index(first_) * n_times
                                 : work.rows.data() + i * n_times * pack;
        kernels_.transpose(
            work.workspace.data() +
                programs_.layout.slot({LeafKind::result, sampled_[index(k)].output}) * chunk * pack,
            work.n_points,
            rows + work.n_done,
            static_cast<std::ptrdiff_t>(n_times),
            finite_);
    }
    work.n_done += work.n_points;
    work.n_points = 0;
}

void PackSolver::write_rows(const Grid& grid, GridWork& work) {
    const std::size_t n_times = grid.times.size();
    if (goes_directly(n_valid_, problem_->n_subjects, n_times)) return;
    for (std::size_t i = 0; i < grid.sampled.size(); ++i) {
        const double* from = work.rows.data() + i * n_times * pack;
        double* to = result_->sampled[index(grid.sampled[i])].data() + index(first_) * n_times;
        const std::size_t n = index(n_valid_) * n_times;
        if (index(problem_->n_subjects) * n_times * sizeof(double) < stream_from)
            std::copy_n(from, n, to);
        else
            kernels_.stream(from, to, n);
    }
}

/// `finite_` becomes NaN where a number of these columns is not finite.
void PackSolver::check_finite(const double* columns, int n) {
    for (int i = 0; i < n; ++i)
        for (int l = 0; l < pack; ++l)
            finite_[l] += columns[i * pack + l] * 0.0;
}

} // namespace gemel::sim::exact
