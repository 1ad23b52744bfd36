#pragma once

#include "lanes/kernel_sets.hpp"

#include <cstddef>

/// Closed forms of linear systems for eight subjects side by side: the inner loops, compiled once
/// per instruction set. Same bits from each. Theory manual: exact.md.
namespace gemel::sim::exact {

inline constexpr int pack = 8; ///< subjects side by side; a column holds one number of each

/// A part that stands alone: a block of 1 to 3 states, and the depots that feed it.
struct PartShape {
    int n_depots = 0, n_block = 0;
    int n_modal() const { return n_depots + n_block; }
};

/// How a part decays, in its modal coordinates: amounts in depots, then amounts of modes.
/// Columns; [mode][…] row by row.
struct PartModes {
    double* depot_rate = nullptr; ///< [n_depots]
    double* mode_rate = nullptr;  ///< [n_block]
    double* left = nullptr;       ///< [mode][block state] amount of the mode per amount there
    double* right = nullptr;      ///< [mode][block state] amount there per amount of the mode
    double* feed = nullptr;       ///< [mode][depot]
};

/// What a stretch of time does to modal coordinates: z ← Φ z + c. Φ is triangular: depots decay and
/// feed the modes. Columns.
struct PartFlow {
    double* depot_decay = nullptr; ///< [n_depots]
    double* mode_decay = nullptr;  ///< [n_block]
    double* fed = nullptr;         ///< [mode][depot]
    // Integrals over the stretch, of constant sources; null where there are none:
    double* depot_area = nullptr; ///< [n_depots]
    double* mode_area = nullptr;  ///< [n_block]
    double* fed_area = nullptr;   ///< [mode][depot]
};

/// What a state is worth at points one step apart, times a factor, per amount in each modal
/// coordinate at the first of them; and per source, where there are any.
struct PartResponse {
    PartShape shape;
    const PartModes* modes = nullptr;
    const PartFlow* step = nullptr; ///< from point to point
    bool has_sources = false;
    int state = 0;                  ///< of a part's depots, then of its block
    const double* factor = nullptr; ///< a column
    int n_points = 0;               ///< a multiple of `pack`
    double* room = nullptr;         ///< columns [n_terms × pack]
    double* more_room = nullptr;    ///< columns [n_terms]
    double* to = nullptr;           ///< [lane][n_points / pack][n_terms][pack points]
    double* squares = nullptr;      ///< a column: their sum
};

/// One step of the way that all subjects go.
struct WayStep {
    enum class Kind {
        add,    ///< a dose
        source, ///< from now on; −1: none
        go_on,  ///< over a flow
        note,   ///< what is there, or a flow later, as a start
    };
    Kind kind = Kind::add;
    int number = 0; ///< of the dose, source or start
    int flow = -1;  ///< −1: at once
};

/// A part on its way.
struct PartWay {
    PartShape shape;
    const WayStep* steps = nullptr;
    int n_steps = 0;
    const PartFlow* flows = nullptr;
    const double *doses = nullptr, *sources = nullptr; ///< columns [n_modal]
    int size = 0;                                      ///< columns from one to the next
    double* z = nullptr;                               ///< [n_modal] where the part is
    double* starts = nullptr; ///< columns: modal coordinates and, where there are, sources
    int start_size = 0;       ///< columns from one to the next
    bool has_sources = false;
    double* squares = nullptr; ///< a column, which grows by those of starts
    double* room = nullptr;    ///< columns [2 × n_modal]
};

/// Points from one exact value to the next on a regular grid: so many steps' roundings add up.
inline constexpr int longest_run = 32;

/// Points of a row one step apart.
struct RowRun {
    int place = 0; ///< of the first point in the row
    int n_points = 0;
    int start = 0; ///< what is there at the first point
};

/// Rows of subjects: in each run, the responses of its points to its start.
struct Rows {
    const double* response = nullptr;
    int n_response_points = 0, n_terms = 0;
    const double* starts = nullptr; ///< columns [n_terms]
    int start_size = 0;             ///< columns from one to the next
    const double *response_squares = nullptr, *start_squares = nullptr; ///< columns: their sums
    const RowRun* runs = nullptr;                                       ///< one after the other
    int n_runs = 0;
    int n_points = 0;          ///< in all runs: nothing is written behind them
    double* to = nullptr;      ///< the first point of the first row
    std::ptrdiff_t stride = 0; ///< from row to row
    int n_lanes = 0;
    double* finite = nullptr; ///< a column, which becomes NaN where a number is not finite
};

struct Kernels {
    /// Eigenvalues and eigenvectors of a block, and what feeds it.
    ///
    /// @param entry  columns of the matrix, row by row [n_states × n_states]; null: 0
    /// @returns lanes, as bits, whose couplings have opposite senses
    unsigned (*solve_part)(PartShape shape,
                           const int* block,
                           const int* depots,
                           int n_states,
                           const double* const* entry,
                           const PartModes& modes,
                           int width);
    /// @param tau  columns [n_flows]
    void (*flow)(PartShape shape,
                 const PartModes& modes,
                 const double* tau,
                 const PartFlow* flows,
                 int n_flows);
    /// Modal coordinates of what is in states: columns of depots, then of the block; null: 0
    void (*project)(
        PartShape shape, const PartModes& modes, const double* const* states, double* z, int width);
    /// to ← Φ from + c under a constant source (null: 0), [n_modal]. What is 0 stays 0.
    void (*go_on)(PartShape shape,
                  const PartFlow& flow,
                  const double* source,
                  const double* from,
                  double* to);
    void (*march)(const PartWay& way);
    /// What is in a state, of a part's depots, then of its block.
    void (*read)(PartShape shape, const PartModes& modes, const double* z, int state, double* to);
    void (*respond)(const PartResponse& response);
    void (*write_rows)(const Rows& rows);
    /// `finite` becomes NaN where a number is not finite.
    void (*copy_row)(const double* from, int n, double* to, double* finite);
    /// A copy of whole cache lines past the caches; end_stream() before anybody reads them.
    void (*stream)(const double* from, double* to, std::size_t n);
    void (*end_stream)();
};

const Kernels& baseline_kernels();
/// Null when not built for x86-64.
const Kernels* x86_64_v3_kernels();
const Kernels* x86_64_v4_kernels();

/// All that this machine can run.
const KernelSets<Kernels>& kernel_sets();

} // namespace gemel::sim::exact
