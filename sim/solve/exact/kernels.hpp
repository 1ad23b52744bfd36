#pragma once

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

/// A state to be read out: of a part's depots, then of its block.
struct Read {
    int state = 0;
    const double* factor = nullptr; ///< a column; null: the state itself
    double* to = nullptr;           ///< columns, one per point
};

/// Points one step apart, read out; or, where nothing is read, one step.
struct PartRun {
    PartShape shape;
    PartFlow step;
    const double* constant = nullptr; ///< [n_modal] c of the step, or null
    const double* from = nullptr;     ///< [n_modal] at the first point
    double* to = nullptr; ///< [n_modal] one step after `from`; of a run that reads: room
    int n_points = 0;
    int n_reads = 0;
    const Read* reads = nullptr;
    int place = 0;                 ///< of the first point in the columns
    const double* right = nullptr; ///< of the modes
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
    /// @param tau  a column
    void (*flow)(PartShape shape,
                 const PartModes& modes,
                 const double* tau,
                 const PartFlow& flow,
                 int width);
    /// c of a flow under a constant source. [n_modal]
    void (*constant)(
        PartShape shape, const PartFlow& flow, const double* source, double* c, int width);
    /// Modal coordinates of what is in states, and back. `states`: columns of depots, then of the
    /// block
    void (*project)(
        PartShape shape, const PartModes& modes, const double* const* states, double* z, int width);
    /// z += by·amount, columns; `by` null: 1
    void (*increase)(double* z, const double* by, const double* amount);
    void (*run)(const PartRun& run);
    /// to[lane·stride + i] ← columns[i·pack + lane]. `finite` (a column) becomes NaN where a number
    /// is not finite.
    void (*transpose)(
        const double* columns, int n, double* to, std::ptrdiff_t stride, double* finite);
    /// A copy of whole cache lines past the caches; end_stream() before anybody reads them.
    void (*stream)(const double* from, double* to, std::size_t n);
    void (*end_stream)();
};

const Kernels& baseline_kernels();
/// Null when not built for x86-64.
const Kernels* x86_64_v3_kernels();
const Kernels* x86_64_v4_kernels();

/// All that this machine can run, the best one last.
struct KernelSets {
    const Kernels* sets[3] = {};
    int count = 0;
    const Kernels& best() const { return *sets[count - 1]; }
};
const KernelSets& kernel_sets();

} // namespace gemel::sim::exact
