#include "solve/exact/pack_solver.hpp"

#include "base/index.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

namespace gemel::sim::exact {
namespace {

constexpr std::size_t stream_from = 4 << 20;  ///< bytes of a block's samples: beyond the caches
constexpr std::size_t most_in_rows = 1 << 15; ///< samples per subject that are gathered first

bool is_fixed(Leaf leaf) {
    return leaf.kind == LeafKind::input || leaf.kind == LeafKind::derived;
}

/// An output that is a state, or a state times what is fixed: then computing that is running the
/// program.
struct DirectOutput {
    Leaf state, factor; ///< factor of kind time: none
};

std::optional<DirectOutput> direct_output(const LaneProgram& program, int output) {
    const auto store =
        std::find_if(program.stores.begin(), program.stores.end(), [&](const auto& s) {
            return s.to == Leaf{LeafKind::result, output};
        });
    const auto leaf = [&](std::uint32_t value) {
        const LaneProgram::Instruction& from = program.instructions[value];
        return from.op == Op::leaf ? from.leaf : Leaf{LeafKind::time, 0};
    };
    const LaneProgram::Instruction& value = program.instructions[store->value];
    if (value.op == Op::leaf && value.leaf.kind == LeafKind::state)
        return DirectOutput{value.leaf, {}};
    if (value.op != Op::multiply) return std::nullopt;
    const Leaf a = leaf(value.a), b = leaf(value.b);
    if (a.kind == LeafKind::state && is_fixed(b)) return DirectOutput{a, b};
    if (b.kind == LeafKind::state && is_fixed(a)) return DirectOutput{b, a};
    return std::nullopt;
}

/// How samples of a pack get to their place: at once, or by way of rows that are whole, from which
/// whole cache lines go past the caches.
enum class Way { at_once, in_lines, at_the_end };
Way way(int n_valid, int n_subjects, std::size_t n_times) {
    if (n_valid < pack) return Way::at_the_end;
    const bool is_small = index(n_subjects) * n_times * sizeof(double) < stream_from;
    return is_small || n_times > most_in_rows ? Way::at_once : Way::in_lines;
}

} // namespace

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
      n_running_(index(shape_.n_states)),
      observer_(system, programs, pack) {
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
    begin_functionals();
    for (int first = 0; first < problem.n_subjects; first += pack)
        solve_pack(first);
    if (std::exchange(has_streamed_, false)) kernels_.end_stream();
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
    view_ = std::make_unique<PackView>(system_, *modes_);
    work_.clear();
    for (const Grid& grid : plan_.grids)
        work_.push_back(make_work(grid));
    has_plan_ = true;
}

PackSolver::GridWork PackSolver::make_work(const Grid& grid) const {
    GridWork work;
    if (!read_directly(grid, work)) read_by_program(grid, work);
    work.by_part = modes_->by_part(work.reads);
    return work;
}

bool PackSolver::read_directly(const Grid& grid, GridWork& work) const {
    std::vector<DirectOutput> outputs;
    for (const int k : grid.sampled) {
        const auto output =
            direct_output(programs_.programs[outputs_program], sampled_[index(k)].output);
        if (!output) return false;
        outputs.push_back(*output);
    }
    // A chunk of each output, then its factor.
    work.workspace = Workspace(outputs.size() * (chunk + 1) * pack);
    for (const DirectOutput& output : outputs) {
        double* to = work.workspace.data() + work.reads.size() * (chunk + 1) * pack;
        const bool has_factor = output.factor.kind != LeafKind::time;
        work.reads.push_back({output.state.index, has_factor ? to + chunk * pack : nullptr, to});
        work.factors.push_back(output.factor);
        work.values.push_back(to);
    }
    return true;
}

void PackSolver::read_by_program(const Grid& grid, GridWork& work) const {
    constexpr int width = chunk * pack;
    const LaneProgram& outputs = programs_.programs[outputs_program];
    work.outputs = interpreter().compile(outputs, programs_.layout, width);
    work.workspace = Workspace(index(work.outputs->n_slots()) * width);
    const auto columns = [&](Leaf leaf) {
        return work.workspace.data() + programs_.layout.slot(leaf) * width;
    };
    std::vector<Expr> read;
    for (const int k : grid.sampled) {
        const int output = sampled_[index(k)].output;
        read.push_back(system_.system.outputs[index(output)].value);
        work.values.push_back(columns({LeafKind::result, output}));
    }
    for (const Leaf& leaf : system_.system.graph.leaves(read)) {
        if (leaf.kind == LeafKind::state)
            work.reads.push_back({leaf.index, nullptr, columns(leaf)});
        if (leaf.kind == LeafKind::time) work.time = columns(leaf);
    }
}

void PackSolver::solve_pack(int first) {
    first_ = first;
    n_valid_ = std::min(pack, problem_->n_subjects - first);
    amounts_of_ = -1;
    std::fill(finite_, finite_ + pack, 0.0);
    prefetch_ends();
    const unsigned bad = load_matrix();
    start();
    for (int l = 0; l < pack; ++l) {
        const bool is_there = l < n_valid_ && setup_->status[index(first_ + l)] == SolverStatus::ok;
        is_good_[l] = is_there && (bad >> l & 1U) == 0;
        if (is_good_[l] != 0 && !functionals_.functionals.empty()) observer_.load(l, first_ + l);
    }
    for (int l = 0; l < pack; ++l)
        view_->forget(l);
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
        if (is_looked_at(segment)) look(segment);
        if (segment.flow >= 0) flow_on(segment.flow, z_.data(), z_.data());
    }
    check_finite(z_.data(), modes_->n_modal()); // what was not finite before is not now
    for (std::size_t g = 0; g < work_.size(); ++g) {
        flush(plan_.grids[g], work_[g]);
        write_rest(plan_.grids[g], work_[g]);
    }
    for (int l = 0; l < n_valid_; ++l)
        is_good_[l] = is_good_[l] != 0 && (bad >> l & 1U) == 0 && finite_[l] == 0.0;
    finish_functionals();
    for (int l = 0; l < n_valid_; ++l)
        if (setup_->status[index(first_ + l)] == SolverStatus::ok && is_good_[l] == 0)
            others_.push_back(first_ + l);
}

void PackSolver::begin_functionals() {
    functionals_.functionals = problem_->observation->functionals;
    looked_at_ = *problem_;
    looked_at_.observation = &functionals_;
    if (!functionals_.functionals.empty()) observer_.begin(looked_at_, *setup_, *result_);
}

bool PackSolver::is_looked_at(const Segment& segment) const {
    return segment.from < segment.to &&
           std::any_of(functionals_.functionals.begin(),
                       functionals_.functionals.end(),
                       [&](const Functional& f) {
                           if (f.kind == FunctionalKind::times_acted) return false;
                           if (f.kind == FunctionalKind::value_before)
                               return segment.from < f.to && f.to <= segment.to;
                           return f.from < segment.to && segment.from < f.to;
                       });
}

void PackSolver::look(const Segment& segment) {
    double from[pack], to[pack];
    std::fill(from, from + pack, segment.from);
    std::fill(to, to + pack, segment.to);
    const double* source = has_source_ ? source_.data() : nullptr;
    view_->show(*modes_, z_.data(), source, from, to, is_good_, observer_);
}

/// Subjects with a functional that is not finite are solved alone.
void PackSolver::finish_functionals() {
    if (functionals_.functionals.empty()) return;
    for (int l = 0; l < n_valid_; ++l)
        if (is_good_[l] != 0)
            is_good_[l] =
                observer_.finish(l, timeline_.end, states_.data() + l, pack) == SolverStatus::ok;
}

/// What is fixed of the pack; the last subject fills it. The next pack's is fetched meanwhile.
void PackSolver::load(Leaf leaf, double* column) const {
    const double* from =
        (leaf.kind == LeafKind::input ? problem_->inputs.data() : setup_->derived.data()) +
        leaf.index * setup_->n_rows + first_;
    take(from, column);
}

void PackSolver::take(const double* from, double* column) const {
    __builtin_prefetch(from + 4 * pack);
    if (n_valid_ == pack) {
        std::copy_n(from, pack, column);
        return;
    }
    for (int l = 0; l < pack; ++l)
        column[l] = from[std::min(l, n_valid_ - 1)];
}

/// What is fixed of a program, `copies` times one after the other.
void PackSolver::load(const LaneProgram& program, int copies, double* workspace) const {
    for (const LaneProgram::Instruction& instruction : program.instructions) {
        if (instruction.op != Op::leaf || !is_fixed(instruction.leaf)) continue;
        double* to = workspace + programs_.layout.slot(instruction.leaf) * copies * pack;
        load(instruction.leaf, to);
        for (int i = 1; i < copies; ++i)
            std::copy_n(to, pack, to + i * pack);
    }
}

void PackSolver::load_factors(GridWork& work) {
    if (work.outputs)
        return load(programs_.programs[outputs_program], chunk, work.workspace.data());
    for (std::size_t i = 0; i < work.factors.size(); ++i)
        if (work.reads[i].factor != nullptr) load(work.factors[i], work.reads[i].to + chunk * pack);
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
        take(setup_->initial.data() + i * setup_->n_rows + first_, states + i * pack);
        columns_.push_back(states + i * pack);
    }
    modes_->project(columns_.data(), z_.data());
    std::fill_n(infusion_.data(), index(shape_.n_states) * pack, 0.0);
    std::fill(n_running_.begin(), n_running_.end(), 0);
    for (GridWork& work : work_) {
        work.next_run = 0;
        work.n_points = work.n_done = 0;
        load_factors(work);
    }
}

/// Amounts of a record that reach its state, as sim::shape() makes them.
void PackSolver::find_amounts(int number, int state) {
    if (number == amounts_of_) return;
    amounts_of_ = number;
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const Record& record = timeline_.records[index(number)];
    alignas(Workspace::alignment) double part[pack], factor[pack];
    take(setup_->bioavailability.data() + state * setup_->n_rows + first_, part);
    std::fill(factor, factor + pack, 1.0);
    if (record.amount_factor >= 0) load({LeafKind::input, record.amount_factor}, factor);
    for (int l = 0; l < pack; ++l)
        amount_[l] = part[l] >= 0.0 ? record.amount * factor[l] * part[l] : nan; // refused
    check_finite(amount_, 1);
}

void PackSolver::give(const SharedDose& dose) {
    find_amounts(dose.record, dose.state);
    if (dose.kind == SharedDose::Kind::add) return modes_->add(dose.state, amount_, z_.data());
    const double duration = timeline_.records[index(dose.record)].duration;
    const double sign = dose.kind == SharedDose::Kind::rate_on ? 1.0 : -1.0;
    int& running = n_running_[index(dose.state)];
    running += dose.kind == SharedDose::Kind::rate_on ? 1 : -1;
    double* rate = infusion_.data() + dose.state * pack;
    for (int l = 0; l < pack; ++l) {
        const double own = dose.rate != 0.0 ? dose.rate : amount_[l] / duration;
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

void PackSolver::flow_on(int number, const double* from, double* to) {
    const Flow& flow = modes_->flow(plan_.flows[index(number)], number);
    modes_->apply(flow, constant(flow), from, to);
}

void PackSolver::sample(int segment, const Grid& grid, GridWork& work) {
    for (; work.next_run < grid.runs.size() && grid.runs[work.next_run].segment == segment;
         ++work.next_run)
        sample(grid, work, grid.runs[work.next_run]);
}

void PackSolver::sample(const Grid& grid, GridWork& work, const Run& run) {
    const double* from = z_.data();
    double* point = point_.data();
    if (run.offset >= 0) {
        flow_on(run.offset, from, point);
        from = point;
    }
    const Flow* step = nullptr;
    const double* c = nullptr;
    if (run.n_points > 1) {
        step = &modes_->flow(plan_.flows[index(grid.step)], grid.step);
        c = constant(*step);
    }
    if (work.n_points + run.n_points > chunk) flush(grid, work);
    modes_->read(step, c, from, run.n_points, work.n_points, work.by_part);
    work.n_points += run.n_points;
}

/// Outputs of a chunk's points, and on to the next chunk.
void PackSolver::flush(const Grid& grid, GridWork& work) {
    if (work.n_points == 0) return;
    if (work.time != nullptr)
        for (int i = 0; i < work.n_points; ++i)
            std::fill_n(work.time + i * pack, pack, grid.times[index(work.n_done + i)]);
    if (work.outputs) work.outputs->run(work.workspace.data());
    const std::size_t n_times = grid.times.size();
    const Way by = way(n_valid_, problem_->n_subjects, n_times);
    if (by != Way::at_once && !work.has_rows) {
        work.rows = Workspace(grid.sampled.size() * n_times * pack);
        work.has_rows = true;
    }
    for (std::size_t i = 0; i < grid.sampled.size(); ++i) {
        double* rows = by == Way::at_once ? result_->sampled[index(grid.sampled[i])].data() +
                                                index(first_) * n_times
                                          : work.rows.data() + i * n_times * pack;
        kernels_.transpose(work.values[i],
                           work.n_points,
                           rows + work.n_done,
                           static_cast<std::ptrdiff_t>(n_times),
                           finite_);
    }
    work.n_done += work.n_points;
    if (by == Way::in_lines) write_lines(grid, work, work.n_done - work.n_points);
    work.n_points = 0;
}

/// Cache lines of the pack's place that have become whole, of samples from number `before` on.
void PackSolver::write_lines(const Grid& grid, GridWork& work, int before) {
    const auto n_times = static_cast<std::ptrdiff_t>(grid.times.size());
    const bool is_last = work.n_done == n_times;
    for (std::size_t i = 0; i < grid.sampled.size(); ++i) {
        const double* from =
            work.rows.data() + index(static_cast<std::ptrdiff_t>(i) * n_times * pack);
        double* to = result_->sampled[index(grid.sampled[i])].data() + first_ * n_times;
        const auto phase = static_cast<std::ptrdiff_t>(reinterpret_cast<std::uintptr_t>(to) /
                                                       sizeof(double) % pack);
        const auto line_before = [&](std::ptrdiff_t at) { return at - (at + phase) % pack; };
        const auto line_after = [&](std::ptrdiff_t at) { return line_before(at + pack - 1); };
        for (int lane = 0; lane < pack; ++lane) {
            const std::ptrdiff_t row = lane * n_times;
            const std::ptrdiff_t begin = std::max(line_after(row), line_before(row + before));
            const std::ptrdiff_t end = is_last && lane + 1 < pack ? line_after(row + n_times)
                                                                  : line_before(row + work.n_done);
            if (begin < end) kernels_.stream(from + begin, to + begin, index(end - begin));
        }
        if (!is_last) continue;
        // The first and the last line are shared with other packs.
        const std::ptrdiff_t head = line_after(0), tail = line_before(pack * n_times);
        std::copy(from, from + head, to);
        std::copy(from + tail, from + pack * n_times, to + tail);
        has_streamed_ = true;
    }
}

/// The pack's first and last lines, which are shared with other packs: lines past the caches would
/// wait for them.
void PackSolver::prefetch_ends() const {
    for (const Grid& grid : plan_.grids) {
        const std::size_t n_times = grid.times.size();
        if (way(n_valid_, problem_->n_subjects, n_times) != Way::in_lines) continue;
        for (const int k : grid.sampled) {
            const double* to = result_->sampled[index(k)].data() + index(first_) * n_times;
            __builtin_prefetch(to, 1);
            __builtin_prefetch(to + pack * n_times - 1, 1);
        }
    }
}

void PackSolver::write_rest(const Grid& grid, GridWork& work) {
    const std::size_t n_times = grid.times.size();
    if (way(n_valid_, problem_->n_subjects, n_times) != Way::at_the_end) return;
    for (std::size_t i = 0; i < grid.sampled.size(); ++i)
        std::copy_n(work.rows.data() + i * n_times * pack,
                    index(n_valid_) * n_times,
                    result_->sampled[index(grid.sampled[i])].data() + index(first_) * n_times);
}

/// `finite_` becomes NaN where a number of these columns is not finite.
void PackSolver::check_finite(const double* columns, int n) {
    for (int i = 0; i < n; ++i)
        for (int l = 0; l < pack; ++l)
            finite_[l] += columns[i * pack + l] * 0.0;
}

} // namespace gemel::sim::exact
