#include "solve/exact/pack_solver.hpp"

#include "base/index.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace gemel::sim::exact {
namespace {

/// A column of each.
Workspace columns_of(const std::vector<double>& lengths) {
    Workspace columns(lengths.size() * pack);
    for (std::size_t k = 0; k < lengths.size(); ++k)
        std::fill_n(columns.data() + k * pack, pack, lengths[k]);
    return columns;
}

constexpr std::size_t most_ways = 1024;

bool lies_in_one_stretch(const Plan& plan, std::size_t grid) {
    return std::count_if(plan.stretches.begin(), plan.stretches.end(), [&](const Stretch& s) {
               return !s.runs[grid].empty();
           }) <= 1;
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
      matrix_(programs, matrix_program, shape),
      shape_(std::move(shape)),
      modal_parts_(std::move(parts)),
      kernels_(kernels),
      n_running_(index(shape_.n_states)),
      observer_(system, programs, pack) {
    const std::size_t size = index(shape_.n_states) * pack;
    for (Workspace* columns : {&z_, &looked_from_, &infusion_, &states_})
        *columns = Workspace(size);
}

const std::vector<int>&
PackSolver::solve(const BlockProblem& problem, const BlockSetup& setup, BlockResult& result) {
    problem_ = &problem;
    setup_ = &setup;
    result_ = &result;
    others_.clear();
    way_ = find_way(problem);
    begin_functionals();
    for (GridSamples& samples : way_->samples)
        samples.begin_block(problem, result);
    for (int first = 0; first < problem.n_subjects; first += pack)
        solve_pack(first);
    for (GridSamples& samples : way_->samples)
        samples.end_block();
    return others_;
}

PackSolver::Way* PackSolver::find_way(const BlockProblem& problem) {
    const Observation& observation = *problem.observation;
    const auto is_of = [&](const Way& way) {
        return way.timeline == *problem.timeline &&
               way.observation.sampled == observation.sampled &&
               way.observation.functionals == observation.functionals;
    };
    if (way_ != nullptr && is_of(*way_)) return way_;
    for (const auto& way : ways_)
        if (way->seen == problem.timeline && is_of(*way)) return way.get();
    if (ways_.size() < most_ways) ways_.push_back(std::make_unique<Way>());
    Way& way = *ways_[ways_.size() < most_ways ? ways_.size() - 1 : next_way_++ % most_ways];
    make_way(problem, way);
    return &way;
}

void PackSolver::make_way(const BlockProblem& problem, Way& way) const {
    way.seen = problem.timeline;
    way.timeline = *problem.timeline;
    way.observation = *problem.observation;
    way.plan = make_plan(system_, way.timeline, way.observation, shape_.has_constants());
    way.modes = std::make_unique<ModalPack>(modal_parts_,
                                            shape_.n_states,
                                            way.plan.most_flows,
                                            way.plan.has_infusions || shape_.has_constants(),
                                            kernels_);
    way.view = std::make_unique<PackView>(system_, *way.modes);
    way.taus = columns_of(way.plan.flows);
    way.taus_within.clear();
    for (const Stretch& stretch : way.plan.stretches)
        way.taus_within.push_back(columns_of(stretch.flows));
    const std::size_t size = index(way.modes->n_modal()) * pack;
    way.doses = Workspace(way.plan.doses.size() * size);
    way.sources = Workspace(way.plan.sources.size() * size);
    way.starts = Workspace(index(way.plan.most_starts * way.modes->n_start()) * pack);
    way.samples.clear();
    for (std::size_t g = 0; g < way.plan.grids.size(); ++g)
        way.samples.emplace_back(system_,
                                 programs_,
                                 way.plan.grids[g],
                                 way.observation.sampled,
                                 lies_in_one_stretch(way.plan, g),
                                 *way.modes,
                                 kernels_);
}

void PackSolver::solve_pack(int first) {
    inputs_ = {problem_, setup_, first, std::min(pack, problem_->n_subjects - first)};
    std::fill(finite_, finite_ + pack, 0.0);
    matrix_.load(inputs_);
    const unsigned bad = matrix_.run() | way_->modes->solve(matrix_.entries());
    for (int l = 0; l < pack; ++l) {
        const bool is_there =
            l < inputs_.n_valid && setup_->status[index(first + l)] == SolverStatus::ok;
        is_good_[l] = is_there && (bad >> l & 1U) == 0;
        if (is_good_[l] != 0 && !functionals_.functionals.empty()) observer_.load(l, first + l);
        way_->view->forget(l);
    }
    start();
    for (std::size_t k = 0; k < way_->plan.stretches.size(); ++k)
        march(way_->plan.stretches[k], way_->taus_within[k]);
    check_finite(z_.data(), way_->modes->n_modal()); // what was not finite before is not now
    for (int l = 0; l < inputs_.n_valid; ++l)
        is_good_[l] = is_good_[l] != 0 && finite_[l] == 0.0;
    finish_functionals();
    for (int l = 0; l < inputs_.n_valid; ++l)
        if (setup_->status[index(first + l)] == SolverStatus::ok && is_good_[l] == 0)
            others_.push_back(first + l);
}

void PackSolver::march(const Stretch& stretch, const Workspace& taus) {
    std::fill(squares_, squares_ + pack, 0.0);
    way_->modes->find_flows(taus.data(),
                            static_cast<int>(way_->plan.flows.size()),
                            static_cast<int>(stretch.flows.size()));
    way_->modes->march({.steps = stretch.steps,
                        .doses = way_->doses.data(),
                        .sources = way_->sources.data(),
                        .z = z_.data(),
                        .starts = way_->starts.data(),
                        .squares = squares_});
    for (const Look& piece : stretch.looks)
        look(piece);
    for (std::size_t g = 0; g < way_->samples.size(); ++g)
        way_->samples[g].write(stretch.runs[g],
                               {way_->starts.data(), squares_, way_->modes->n_start()});
}

void PackSolver::begin_functionals() {
    functionals_.functionals = way_->observation.functionals;
    looked_at_ = *problem_;
    looked_at_.observation = &functionals_;
    if (!functionals_.functionals.empty()) observer_.begin(looked_at_, *setup_, *result_);
}

void PackSolver::look(const Look& look) {
    double from[pack], to[pack], length[pack];
    std::fill(from, from + pack, look.from);
    std::fill(to, to + pack, look.to);
    way_->modes->take_start(way_->starts.data() + look.start * way_->modes->n_start() * pack,
                            looked_from_.data());
    const double* source = look.source < 0
                               ? nullptr
                               : way_->sources.data() + look.source * way_->modes->n_modal() * pack;
    const PackView::Stretches stretches{from, to, length, is_good_};
    way_->view->show(*way_->modes, looked_from_.data(), source, stretches, observer_, nullptr);
}

/// Subjects with a functional that is not finite are solved alone.
void PackSolver::finish_functionals() {
    if (functionals_.functionals.empty()) return;
    for (int l = 0; l < inputs_.n_valid; ++l)
        if (is_good_[l] != 0)
            is_good_[l] = observer_.finish(l, way_->timeline.end, states_.data() + l, pack) ==
                          SolverStatus::ok;
}

/// All that is needed on the way.
void PackSolver::start() {
    double* states = states_.data();
    columns_.clear();
    for (int i = 0; i < shape_.n_states; ++i) {
        inputs_.take(setup_->initial.data() + i * setup_->n_rows, states + i * pack);
        columns_.push_back(states + i * pack);
    }
    way_->modes->project(columns_.data(), z_.data());
    way_->modes->find_flows(way_->taus.data(), 0, static_cast<int>(way_->plan.flows.size()));
    find_doses();
    find_sources();
    for (GridSamples& samples : way_->samples)
        samples.begin_pack(inputs_, *way_->modes, finite_);
}

void PackSolver::find_doses() {
    for (std::size_t k = 0; k < way_->plan.doses.size(); ++k) {
        const SharedDose& dose = way_->plan.doses[k];
        find_amounts(dose.record, dose.state);
        way_->modes->project(
            dose.state, amount_, way_->doses.data() + k * index(way_->modes->n_modal()) * pack);
    }
}

void PackSolver::find_sources() {
    std::fill_n(infusion_.data(), index(shape_.n_states) * pack, 0.0);
    std::fill(n_running_.begin(), n_running_.end(), 0);
    for (std::size_t k = 0; k < way_->plan.sources.size(); ++k) {
        for (const SharedDose& infusion : way_->plan.sources[k].changes)
            change(infusion);
        find_source(way_->sources.data() + k * index(way_->modes->n_modal()) * pack);
    }
}

/// Amounts of a record that reach its state, as sim::shape() makes them.
void PackSolver::find_amounts(int number, int state) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const Record& record = way_->timeline.records[index(number)];
    alignas(Workspace::alignment) double part[pack], factor[pack];
    inputs_.take(setup_->bioavailability.data() + state * setup_->n_rows, part);
    std::fill(factor, factor + pack, 1.0);
    if (record.amount_factor >= 0) inputs_.load({LeafKind::input, record.amount_factor}, factor);
    for (int l = 0; l < pack; ++l)
        amount_[l] = part[l] >= 0.0 ? record.amount * factor[l] * part[l] : nan; // refused
    check_finite(amount_, 1);
}

void PackSolver::change(const SharedDose& infusion) {
    find_amounts(infusion.record, infusion.state);
    const double duration = way_->timeline.records[index(infusion.record)].duration;
    const double sign = infusion.kind == SharedDose::Kind::rate_on ? 1.0 : -1.0;
    int& running = n_running_[index(infusion.state)];
    running += infusion.kind == SharedDose::Kind::rate_on ? 1 : -1;
    double* rate = infusion_.data() + infusion.state * pack;
    for (int l = 0; l < pack; ++l) {
        const double own = infusion.rate != 0.0 ? infusion.rate : amount_[l] / duration;
        rate[l] = running == 0 ? 0.0 : rate[l] + sign * own;
    }
}

/// What enters at a constant rate: of the equations, and by infusions.
void PackSolver::find_source(double* source) {
    for (int i = 0; i < shape_.n_states; ++i)
        for (int l = 0; l < pack; ++l)
            states_.data()[i * pack + l] =
                (matrix_.constant(i) != nullptr ? matrix_.constant(i)[l] : 0.0) +
                infusion_.data()[i * pack + l];
    way_->modes->project(columns_.data(), source);
}

/// `finite_` becomes NaN where a number of these columns is not finite.
void PackSolver::check_finite(const double* columns, int n) {
    for (int i = 0; i < n; ++i)
        for (int l = 0; l < pack; ++l)
            finite_[l] += columns[i * pack + l] * 0.0;
}

} // namespace gemel::sim::exact
