#pragma once

#include "solve/exact/matrix_columns.hpp"
#include "solve/exact/modal_pack.hpp"
#include "solve/exact/pack_view.hpp"
#include "solve/exact/plan.hpp"
#include "solve/observer.hpp"

#include <gemel/sim/solver.hpp>

#include <memory>
#include <vector>

/// Blocks whose subjects share their way through time, in packs of eight: from event to event in
/// modal coordinates, samples by recursion where their grid is regular. Theory manual: exact.md.
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
    /// @param result  sized; samples of subjects whose setup failed are left as they are
    /// @returns subjects, in order, that have to be solved another way
    const std::vector<int>&
    solve(const BlockProblem& problem, const BlockSetup& setup, BlockResult& result);

private:
    static constexpr int chunk = longest_run; ///< points that go through the outputs together

    /// A grid's points on their way through the outputs.
    struct GridWork {
        std::unique_ptr<Kernel> outputs; ///< null: they are states, or states times a factor
        Workspace workspace;             ///< of `outputs`, or columns of states for a chunk
        std::vector<Read> reads;         ///< to a chunk
        std::vector<std::vector<Read>> by_part;
        std::vector<Leaf> factors;         ///< of the reads; kind time: none
        std::vector<const double*> values; ///< of each sampled output, columns of a chunk
        double* time = nullptr;            ///< columns; null: not needed
        std::size_t next_run = 0;
        int n_points = 0; ///< in the chunk
        int n_done = 0;   ///< before it
        Workspace rows;   ///< [sampled][pack][n_times]
        bool has_rows = false;
    };

    void take_plan(const BlockProblem& problem);
    GridWork make_work(const Grid& grid) const;
    bool read_directly(const Grid& grid, GridWork& work) const;
    void read_by_program(const Grid& grid, GridWork& work) const;
    void solve_pack(int first);
    void take(const double* from, double* column) const;
    void load(Leaf leaf, double* column) const;
    void load(const LaneProgram& program, int copies, double* workspace) const;
    void load_factors(GridWork& work);
    void find_amounts(int record, int state);
    unsigned load_matrix();
    void start();
    void give(const SharedDose& dose);
    void find_sources();
    const double* constant(const Flow& flow);
    void flow_on(int number, const double* from, double* to);
    void prefetch_ends() const;
    void sample(int segment, const Grid& grid, GridWork& work);
    void sample(const Grid& grid, GridWork& work, const Run& run);
    void flush(const Grid& grid, GridWork& work);
    void write_lines(const Grid& grid, GridWork& work, int before);
    void write_rest(const Grid& grid, GridWork& work);
    void begin_functionals();
    bool is_looked_at(const Segment& segment) const;
    void look(const Segment& segment);
    void finish_functionals();
    void check_finite(const double* columns, int n);

    const CompiledSystem& system_;
    const ProgramSet& programs_;
    const LaneProgram& matrix_;
    MatrixShape shape_;
    std::vector<ModalPart> modal_parts_;
    const Kernels& kernels_;
    std::unique_ptr<Kernel> matrix_kernel_;
    Workspace matrix_workspace_;

    // What the plan was made for.
    bool has_plan_ = false;
    Timeline timeline_;
    std::vector<SampledOutput> sampled_;
    Plan plan_;
    std::vector<GridWork> work_;
    std::unique_ptr<ModalPack> modes_;

    const BlockProblem* problem_ = nullptr;
    const BlockSetup* setup_ = nullptr;
    BlockResult* result_ = nullptr;
    int first_ = 0, n_valid_ = 0;             ///< of the pack in hand
    Workspace z_, point_, source_, constant_; ///< [n_modal]
    Workspace infusion_, states_;             ///< [n_states]
    std::vector<const double*> entries_, constants_, columns_;
    std::vector<int> n_running_; ///< [n_states] infusions
    bool has_source_ = false;
    alignas(Workspace::alignment) double finite_[pack] = {}, amount_[pack] = {};
    int amounts_of_ = -1; ///< record
    bool has_streamed_ = false;

    // Functionals, which look at pieces of each lane's way.
    DenseObserver observer_;
    std::unique_ptr<PackView> view_;
    Observation functionals_;
    BlockProblem looked_at_;
    char is_good_[pack] = {};
    std::vector<int> others_;
};

} // namespace gemel::sim::exact
