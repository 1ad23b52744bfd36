#pragma once

#include "solve/exact/grid_samples.hpp"
#include "solve/exact/matrix_columns.hpp"
#include "solve/exact/modal_pack.hpp"
#include "solve/exact/pack_view.hpp"
#include "solve/exact/plan.hpp"
#include "solve/observer.hpp"

#include <gemel/sim/solver.hpp>

#include <memory>
#include <vector>

/// Blocks whose subjects share their way through time, in packs of eight: from event to event in
/// modal coordinates, samples from the starts of runs. Theory manual: exact.md.
namespace gemel::sim::exact {

class PackSolver {
public:
    PackSolver(const CompiledSystem& system,
               const ProgramSet& programs,
               int matrix_program,
               MatrixShape shape,
               std::vector<ModalPart> parts,
               const Kernels& kernels);

    /// A problem that is_shared().
    ///
    /// @param result  sized; samples of subjects whose setup failed mean nothing
    /// @returns subjects, in order, that have to be solved another way
    const std::vector<int>&
    solve(const BlockProblem& problem, const BlockSetup& setup, BlockResult& result);

private:
    void solve_pack(int first);
    void start();
    void find_doses();
    void find_sources();
    void find_amounts(int record, int state);
    void change(const SharedDose& infusion);
    void find_source(double* source);
    void march(const Stretch& stretch, const Workspace& taus);
    void begin_functionals();
    void look(const Look& look);
    void finish_functionals();
    void check_finite(const double* columns, int n);

    const CompiledSystem& system_;
    const ProgramSet& programs_;
    MatrixColumns matrix_;
    MatrixShape shape_;
    std::vector<ModalPart> modal_parts_;
    const Kernels& kernels_;

    /// What was made for a timeline and an observation.
    struct Way {
        const Timeline* seen = nullptr; ///< where the timeline stood
        Timeline timeline;
        Observation observation;
        Plan plan;
        Workspace taus;                     ///< columns of the plan's flows
        std::vector<Workspace> taus_within; ///< of each stretch's
        std::unique_ptr<ModalPack> modes;
        std::unique_ptr<PackView> view;
        std::vector<GridSamples> samples;
        Workspace doses, sources, starts; ///< of the plan, [… × n_modal] or [… × n_start]
    };
    Way* find_way(const BlockProblem& problem);
    void make_way(const BlockProblem& problem, Way& way) const;
    /// Ways gone lately: who solves the same arms again and again plans each once.
    std::vector<std::unique_ptr<Way>> ways_;
    std::size_t next_way_ = 0; ///< that gives its place
    Way* way_ = nullptr;       ///< in hand

    const BlockProblem* problem_ = nullptr;
    const BlockSetup* setup_ = nullptr;
    BlockResult* result_ = nullptr;
    PackInputs inputs_;           ///< of the pack in hand
    Workspace z_, looked_from_;   ///< [n_modal]
    Workspace infusion_, states_; ///< [n_states]
    std::vector<const double*> columns_;
    std::vector<int> n_running_;                              ///< [n_states] infusions
    alignas(Workspace::alignment) double squares_[pack] = {}; ///< of the starts
    alignas(Workspace::alignment) double finite_[pack] = {}, amount_[pack] = {};

    // Functionals, which look at pieces of each lane's way.
    DenseObserver observer_;
    Observation functionals_;
    BlockProblem looked_at_;
    char is_good_[pack] = {};
    std::vector<int> others_;
};

} // namespace gemel::sim::exact
