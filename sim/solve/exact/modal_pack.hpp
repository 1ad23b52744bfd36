#pragma once

#include "solve/exact/kernels.hpp"
#include "solve/exact/modal_parts.hpp"
#include "solve/workspace.hpp"

#include <cstddef>
#include <span>
#include <vector>

/// The closed forms of eight subjects side by side.
namespace gemel::sim::exact {

/// What one length of time does to all parts.
struct Flow {
    std::vector<PartFlow> parts;
};

class ModalPack {
public:
    /// @param has_sources  constant inputs or infusions: then flows hold their areas
    ModalPack(const std::vector<ModalPart>& parts,
              int n_states,
              int n_kept,
              bool has_sources,
              const Kernels& kernels);

    /// Takes up eight subjects' matrices: entry[i·n_states + j] is a column, or null for 0.
    /// @returns lanes, as bits, that have no closed form
    unsigned solve(std::span<const double* const> entry);
    const Flow& flow(double tau, int number);

    int n_modal() const { return n_modal_; }
    /// z [n_modal] ← states [n_states], columns; null for 0
    void project(const double* const* states, double* z);
    /// c [n_modal] of a flow under a source [n_modal]
    void constant(const Flow& flow, const double* source, double* c) const;
    /// to ← Φ from + c; c may be null, `to` may be `from`
    void apply(const Flow& flow, const double* c, const double* from, double* to) const;
    /// What is read, sorted by part.
    std::vector<std::vector<Read>> by_part(std::span<const Read> reads) const;
    /// Reads at points one step apart, from point number `place` of the columns on. `step` may be
    /// null for one point.
    void read(const Flow* step,
              const double* c,
              const double* from,
              int n_points,
              int place,
              std::span<const std::vector<Read>> by_part);
    /// Reads at one point for each lane, `tau` (a column) after `z` under a source (null: 0).
    void read_at(const double* tau,
                 const double* z,
                 const double* source,
                 std::span<const std::vector<Read>> by_part);
    double fastest_rate(int lane) const { return fastest_[lane]; } ///< largest |eigenvalue|
    double slowest_rate(int lane) const { return slowest_[lane]; } ///< smallest that is not 0, or 0
    /// z_j += amount in `state`
    void add(int state, const double* amount, double* z) const;

private:
    struct Part {
        PartShape shape;
        std::vector<int> states; ///< depots, then the block
        int first = 0;           ///< of its modal coordinates
        PartModes modes;
    };
    void note_rates(const double* rates, int n);
    PartFlow new_flow(PartShape shape, bool has_sources);
    double* columns(int n);
    PartRun part_run(std::size_t part,
                     const Flow& step,
                     const double* c,
                     const double* from,
                     double* to,
                     int n_points) const;

    int n_states_ = 0, n_modal_ = 0, n_kept_ = 0;
    const Kernels& kernels_;
    std::vector<Part> parts_;
    std::vector<Workspace> storage_;
    std::vector<Flow> flows_; ///< those kept, then one more
    std::vector<char> is_known_;
    std::vector<const double*> from_; ///< for a part's columns
    Workspace room_, room_c_;         ///< [n_modal]
    double fastest_[pack] = {}, slowest_[pack] = {};
    std::vector<std::pair<int, int>> place_; ///< [n_states] part, and which of its states
};

} // namespace gemel::sim::exact
