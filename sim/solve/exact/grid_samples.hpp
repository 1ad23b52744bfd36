#pragma once

#include "solve/exact/line_writer.hpp"
#include "solve/exact/modal_pack.hpp"
#include "solve/exact/pack_inputs.hpp"
#include "solve/exact/plan.hpp"

#include <memory>
#include <span>
#include <vector>

/// Samples of outputs that share a grid: rows of subjects, from the starts of runs. Theory manual:
/// exact.md.
namespace gemel::sim::exact {

/// What a pack has brought from its way.
struct Starts {
    const double* columns = nullptr; ///< [n_starts × n_start]
    const double* squares = nullptr; ///< a column: their sum
    int size = 0;                    ///< n_start
};

class GridSamples {
public:
    /// All must outlive this, but for `modes`.
    GridSamples(const CompiledSystem& system,
                const ProgramSet& programs,
                const Grid& grid,
                std::span<const SampledOutput> sampled,
                bool is_whole,
                const ModalPack& modes,
                const Kernels& kernels);

    void begin_block(const BlockProblem& problem, BlockResult& result);
    /// @param modes   of this pack
    /// @param finite  a column, which becomes NaN where a sample is not finite
    void begin_pack(const PackInputs& inputs, const ModalPack& modes, double* finite);
    /// The grid's runs of one stretch.
    void write(std::span<const RowRun> runs, const Starts& starts);
    void end_block();

private:
    /// A state that is read: an output itself, by a factor, or what the outputs program needs.
    struct StateRead {
        Response response;
        Leaf factor;             ///< kind time: none
        Workspace factor_column; ///< of this pack
    };
    struct DirectOutput {
        StateRead read;
        int sampled = 0; ///< of the observation
        LineWriter writer;
    };
    /// Outputs that are more than a state by a factor: eight rows of a chunk of points go through
    /// the outputs program together.
    struct OutputProgram {
        struct Fixed {
            Leaf leaf;
            double* to = nullptr;
        };
        struct State {
            StateRead read;
            double* to = nullptr;
        };
        struct Value {
            const double* from = nullptr;
            int sampled = 0;
        };
        std::unique_ptr<Kernel> kernel;
        Workspace workspace;
        std::vector<Fixed> fixed;
        std::vector<State> states;
        double* time = nullptr; ///< null: not needed
        std::vector<Value> values;
        void load(const PackInputs& inputs);
    };

    void read_by_program(std::span<const int> sampled,
                         std::span<const SampledOutput> all,
                         const ModalPack& modes);
    StateRead read(Leaf state, Leaf factor, const ModalPack& modes) const;
    void respond(StateRead& read, const ModalPack& modes) const;
    void write_direct(DirectOutput& output, std::span<const RowRun> runs, const Starts& starts);
    void write_chunk(std::span<const RowRun> runs, const Starts& starts);
    Rows rows(const StateRead& read, std::span<const RowRun> runs, const Starts& starts) const;
    double* place(int sampled) const;

    const CompiledSystem& system_;
    const ProgramSet& programs_;
    const Grid& grid_;
    const Kernels& kernels_;
    bool is_whole_ = false; ///< the grid lies in one stretch
    std::vector<DirectOutput> direct_;
    std::unique_ptr<OutputProgram> program_; ///< null: all outputs are direct

    BlockResult* result_ = nullptr;
    bool is_streamed_ = false; ///< direct outputs leave through their writers
    PackInputs inputs_;
    double* finite_ = nullptr;
};

} // namespace gemel::sim::exact
