#include "solve/exact_linear.hpp"

#include "solve/exact/lane_ways.hpp"
#include "solve/exact/pack_solver.hpp"
#include "solve/exact_linear_expm.hpp"
#include "solve/exact_linear_modes.hpp"
#include "solve/exact_pieces.hpp"
#include "solve/scalar_driver.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace gemel::sim {

namespace {

/// Entries a_ij that are not 0 by structure, row by row, then the constant terms b_i.
std::vector<ProgramSpec> matrix_program(CompiledSystem& compiled) {
    OdeSystem& system = compiled.system;
    ProgramSpec spec{"matrix", {}};
    const auto store = [&spec](Expr value) {
        const int index = static_cast<int>(spec.targets.size());
        spec.targets.push_back({{LeafKind::result, index}, value});
    };
    const int n = static_cast<int>(system.states.size());
    for (int i = 0; i < n; ++i)
        for (int j : compiled.structure.jacobian[i])
            store(system.graph.differentiate(system.states[i].rate, {LeafKind::state, j}));

    std::unordered_map<std::uint32_t, Expr> at_zero;
    for (int j = 0; j < n; ++j)
        at_zero[system.graph.leaf(LeafKind::state, j).id] = system.graph.constant(0.0);
    std::vector<Expr> rates;
    for (const State& state : system.states)
        rates.push_back(state.rate);
    for (Expr constant : system.graph.substitute(rates, at_zero))
        store(constant);
    return {spec};
}

class ExactLinear : public ScalarMethod {
public:
    ExactLinear(const CompiledSystem& system,
                const ProgramSet& programs,
                const std::optional<std::vector<ModalPart>>& parts)
        : structure_(system.structure),
          n_(static_cast<int>(system.system.states.size())),
          program_(programs.programs[n_common_programs], programs.layout),
          matrix_(static_cast<std::size_t>(n_ * n_)),
          constant_(static_cast<std::size_t>(n_)),
          source_(static_cast<std::size_t>(n_)) {
        if (parts) modes_.emplace(*parts, n_);
    }

    SolverStatus begin(const ScalarSubject& subject) override {
        program_.load(subject);
        program_.run();
        const double* value = program_.results();
        std::fill(matrix_.begin(), matrix_.end(), 0.0);
        bool is_finite = true;
        for (int i = 0; i < n_; ++i)
            for (int j : structure_.jacobian[i]) {
                is_finite = is_finite && std::isfinite(*value);
                matrix_[i * n_ + j] = *value++;
            }
        for (int i = 0; i < n_; ++i) {
            is_finite = is_finite && std::isfinite(*value);
            constant_[i] = *value++;
        }
        if (!is_finite) return SolverStatus::not_finite;
        is_modal_ = modes_ && modes_->set_matrix(matrix_.data());
        if (!is_modal_) exponential_.set_matrix(n_, matrix_.data());
        return SolverStatus::ok;
    }

    /// Rounding alone, with room for what it grows to.
    std::optional<double> relative_error() const override { return 1e-11; }

    SolverStatus advance(ScalarSegment& segment, const ShowPiece& show) override {
        for (int i = 0; i < n_; ++i)
            source_[i] = constant_[i] + segment.infusion[i];
        if (is_modal_)
            modes_->start(segment.states.data(), source_.data());
        else
            exponential_.start(segment.states.data(), source_.data());
        show_segment(segment, show);
        at(segment.to - segment.from, segment.states.data());
        return SolverStatus::ok;
    }

private:
    static constexpr int few_octaves = 60; ///< matrix exponentials are dear

    void show_segment(ScalarSegment& segment, const ShowPiece& show) {
        segment.taken = Taken::all;
        if (segment.is_watched) return show_pieces(segment, show);
        const double length = segment.to - segment.from;
        segment.taken = Taken::samples;
        const auto from_start = [&](double theta, double* y) { at(theta * length, y); };
        if (!show(segment.from, segment.to, from_start)) return;
        segment.taken = Taken::functionals;
        show_pieces(segment, show);
    }

    void show_pieces(ScalarSegment& segment, const ShowPiece& show) {
        const double length = segment.to - segment.from;
        if (is_modal_) {
            cut_pieces(length, modes_->fastest_rate(), modes_->slowest_rate(), edges_);
        } else {
            // Eigenvalues are not known and may be complex: the observer looks for itself.
            cut_octaves(length, exponential_.fastest_rate(), few_octaves, edges_);
            segment.resolve_to = first_piece / exponential_.fastest_rate();
        }
        double from = segment.from;
        for (std::size_t k = 1; k < edges_.size(); ++k) {
            const double to = k + 1 < edges_.size() ? segment.from + edges_[k] : segment.to;
            if (!(to > from)) continue;
            // Back from the rounded edges, so that τ belongs to the times the observer means.
            const double tau = from - segment.from, width = to - from;
            if (!show(from, to, [&](double theta, double* y) { at(tau + theta * width, y); }))
                return;
            from = to;
        }
    }

    void at(double tau, double* y) {
        if (is_modal_)
            modes_->at(tau, y);
        else
            exponential_.at(tau, y);
    }

    const SystemStructure& structure_;
    int n_ = 0;
    ScalarProgram program_;
    std::vector<double> matrix_, constant_, source_, edges_;
    std::optional<LinearModes> modes_;
    ExponentialPropagator exponential_;
    bool is_modal_ = false;
};

ScalarPrepared prepare_subjects(const CompiledSystem& system,
                                const SolverOptions& options,
                                const std::optional<std::vector<ModalPart>>& parts) {
    return {
        system, options, matrix_program, [parts](const CompiledSystem& s, const ProgramSet& set) {
            return std::make_unique<ExactLinear>(s, set, parts);
        }};
}

/// Which results of the matrix program are not 0 for every subject.
exact::MatrixShape matrix_shape(const CompiledSystem& system, const LaneProgram& program) {
    const SystemStructure& structure = system.structure;
    exact::MatrixShape shape;
    const int n = shape.n_states = static_cast<int>(system.system.states.size());
    shape.entries.assign(static_cast<std::size_t>(n * n), -1);
    int next = 0;
    for (int i = 0; i < n; ++i)
        for (int j : structure.jacobian[i])
            shape.entries[i * n + j] = next++;
    for (int i = 0; i < n; ++i, ++next) {
        const LaneProgram::Store& store = program.stores[static_cast<std::size_t>(next)];
        const LaneProgram::Instruction& from = program.instructions[store.value];
        const bool is_zero = from.op == Op::constant && from.value == 0.0;
        shape.constants.push_back(is_zero ? -1 : next);
    }
    return shape;
}

/// Side by side, where subjects share their way, or each on its own; one by one, where their
/// numbers have no closed form.
class ClosedForm : public BlockSolver {
public:
    ClosedForm(const ScalarPrepared& prepared,
               const std::vector<ModalPart>& parts,
               const exact::Kernels& kernels)
        : system_(prepared.system()),
          subjects_(prepared.subject_worker()),
          setup_programs_(system_,
                          prepared.programs(),
                          prepared.options().width > 0 ? prepared.options().width : 32),
          few_setup_programs_(system_, prepared.programs(), few),
          packs_(system_,
                 prepared.programs(),
                 n_common_programs,
                 matrix_shape(system_, prepared.programs().programs[n_common_programs]),
                 parts,
                 kernels),
          ways_(system_,
                prepared.programs(),
                n_common_programs,
                matrix_shape(system_, prepared.programs().programs[n_common_programs]),
                parts,
                kernels) {}

    void solve(const BlockProblem& problem, BlockResult& result) override {
        const bool is_shared = exact::is_shared(system_, problem);
        (problem.n_subjects <= few ? few_setup_programs_ : setup_programs_).run(problem, setup_);
        const std::vector<int>& others =
            is_shared ? solve_packs(problem, result) : solve_ways(problem, result);
        if (others.empty()) return;
        subjects_->begin(problem, result);
        for (const int subject : others)
            subjects_->solve_subject(subject);
    }

private:
    const std::vector<int>& solve_ways(const BlockProblem& problem, BlockResult& result) {
        result.reset(system_, problem);
        return ways_.solve(problem, setup_, result);
    }

    const std::vector<int>& solve_packs(const BlockProblem& problem, BlockResult& result) {
        result.resize(system_, problem);
        result.status = setup_.status;
        result.parameters = setup_.parameters;
        std::fill(result.stopped_at.begin(), result.stopped_at.end(), problem.timeline->end);
        const std::vector<int>& others = packs_.solve(problem, setup_, result);
        for (int subject = 0; subject < problem.n_subjects; ++subject)
            if (setup_.status[subject] != SolverStatus::ok) forget(problem, subject, result);
        return others;
    }

    void forget(const BlockProblem& problem, int subject, BlockResult& result) const {
        for (std::size_t k = 0; k < result.sampled.size(); ++k) {
            const std::size_t n = problem.observation->sampled[k].times.size();
            std::fill_n(result.sampled[k].begin() + subject * static_cast<std::ptrdiff_t>(n),
                        n,
                        std::numeric_limits<double>::quiet_NaN());
        }
        result.stopped_at[subject] = 0.0;
    }

    const CompiledSystem& system_;
    std::unique_ptr<SubjectSolver> subjects_;
    static constexpr int few = 8;
    SetupPrograms setup_programs_, few_setup_programs_; ///< of these, none waits for empty lanes
    BlockSetup setup_;
    exact::PackSolver packs_;
    exact::LaneWays ways_;
};

class ClosedFormPrepared : public PreparedSolver {
public:
    ClosedFormPrepared(const CompiledSystem& system,
                       const SolverOptions& options,
                       const exact::Kernels& kernels)
        : parts_(*modal_parts(system.structure)),
          prepared_(prepare_subjects(system, options, parts_)),
          kernels_(kernels) {}

    std::unique_ptr<BlockSolver> worker() const override {
        return std::make_unique<ClosedForm>(prepared_, parts_, kernels_);
    }

private:
    std::vector<ModalPart> parts_;
    ScalarPrepared prepared_;
    const exact::Kernels& kernels_;
};

} // namespace

bool closed_form_applies(const CompiledSystem& system) {
    return system.structure.is_linear && modal_parts(system.structure).has_value();
}

std::unique_ptr<PreparedSolver> prepare_closed_form(const CompiledSystem& system,
                                                    const SolverOptions& options) {
    return prepare_closed_form(system, options, exact::kernel_sets().best());
}

std::unique_ptr<PreparedSolver> prepare_closed_form(const CompiledSystem& system,
                                                    const SolverOptions& options,
                                                    const exact::Kernels& kernels) {
    return std::make_unique<ClosedFormPrepared>(system, options, kernels);
}

std::unique_ptr<PreparedSolver> prepare_closed_form_one_by_one(const CompiledSystem& system,
                                                               const SolverOptions& options) {
    return std::make_unique<ScalarPrepared>(
        prepare_subjects(system, options, modal_parts(system.structure)));
}

bool expm_applies(const CompiledSystem& system) {
    return system.structure.is_linear &&
           static_cast<int>(system.system.states.size()) <= max_expm_states;
}

std::unique_ptr<PreparedSolver> prepare_expm(const CompiledSystem& system,
                                             const SolverOptions& options) {
    return std::make_unique<ScalarPrepared>(prepare_subjects(system, options, std::nullopt));
}

} // namespace gemel::sim
