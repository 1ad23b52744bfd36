#pragma once

#include "solve/dose_events.hpp"
#include "solve/exact/matrix_columns.hpp"
#include "solve/exact/modal_pack.hpp"
#include "solve/exact/pack_view.hpp"
#include "solve/observer.hpp"
#include "solve/parking.hpp"
#include "solve/passage.hpp"
#include "solve/triggers.hpp"

#include <gemel/sim/solver.hpp>

#include <vector>

/// Eight subjects side by side, each on its own way: with events of its own, watched by triggers or
/// parked, from event to event by closed forms. The same bits as ScalarDriver gives, one subject at
/// a time. Theory manual: exact.md.
namespace gemel::sim::exact {

class LaneWays : private StateCarrier {
public:
    LaneWays(const CompiledSystem& system,
             const ProgramSet& programs,
             int matrix_program,
             const MatrixShape& shape,
             const std::vector<ModalPart>& parts,
             const Kernels& kernels);

    /// Both must outlive the solve; `result` is reset.
    /// @returns subjects, in order, that have to be solved another way
    const std::vector<int>&
    solve(const BlockProblem& problem, const BlockSetup& setup, BlockResult& result);

private:
    /// A subject's way through time.
    struct Way {
        SubjectEvents events;
        std::size_t next = 0; ///< event
        double time = 0.0, to = 0.0, end = 0.0;
        bool is_on = false;
        SolverStatus status = SolverStatus::ok;
    };

    void carry(std::span<Passage> passages) override;
    double relative_error() const override { return 1e-11; } // as one by one
    void take(int lane, int subject);
    void begin(int lane, double time, double end, const double* states, std::ptrdiff_t stride);
    void load(int lane);
    void park(int lane);
    SolverStatus resume(int lane, const ParkedSubject& parked);
    SolverStatus keep(int lane, Parking& parking);
    void keep(Workspace& columns, int lane, Parking& parking);
    bool is_watching() const { return watch_.is_watching() && !is_carrying_; }
    void march();
    bool happen(int lane);
    SolverStatus happen_until_now(int lane);
    void happen(int lane, const Event& event);
    void advance();
    double* column(Workspace& columns, int i) const { return columns.data() + i * pack; }

    const CompiledSystem& system_;
    int n_states_ = 0;
    MatrixColumns matrix_;
    ModalPack modes_;
    DenseObserver observer_;
    PackView view_;
    DoseEvents doses_;
    TriggerWatch watch_;
    bool is_carrying_ = false; ///< passages, which nobody observes

    const BlockProblem* problem_ = nullptr;
    const BlockSetup* setup_ = nullptr;
    BlockResult* result_ = nullptr;
    Way ways_[pack];
    unsigned has_new_row_ = 0;               ///< lanes, as bits
    Workspace y_, infusion_, source_states_; ///< [n_states]
    Workspace z_, source_;                   ///< [n_modal]
    Workspace reached_;                      ///< [n_states]
    std::vector<int> running_;               ///< [n_states × pack] infusions
    std::vector<const double*> y_columns_, source_columns_;
    std::vector<std::vector<Read>> reads_;
    std::vector<int> others_;
};

} // namespace gemel::sim::exact
