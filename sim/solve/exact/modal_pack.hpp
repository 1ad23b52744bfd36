#pragma once

#include "solve/exact/kernels.hpp"
#include "solve/exact/modal_parts.hpp"
#include "solve/workspace.hpp"

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

/// The closed forms of eight subjects side by side.
namespace gemel::sim::exact {

/// A state to be read out, and the column for it.
struct Read {
    int state = 0; ///< in a list sorted by part: of the part's depots, then of its block
    double* to = nullptr;
};

/// What rows of a state's samples are made of; see PartResponse.
struct Response {
    int part = 0, state = 0; ///< of the part
    int first = 0;           ///< of the part's terms in a start
    int n_terms = 0, n_points = 0;
    Workspace values, squares, room, more_room;
};

/// The way of a pack: columns, one after the other.
struct PackWay {
    std::span<const WayStep> steps;
    const double* doses = nullptr;   ///< [n_doses × n_modal]
    const double* sources = nullptr; ///< [n_sources × n_modal]
    double* z = nullptr;             ///< [n_modal] from the first step to the last
    double* starts = nullptr;        ///< [n_starts × n_start]
    double* squares = nullptr;       ///< one column, which grows by theirs
};

class ModalPack {
public:
    /// @param n_flows      lengths of time that are known together
    /// @param has_sources  constant inputs or infusions: then flows hold their areas
    ModalPack(const std::vector<ModalPart>& parts,
              int n_states,
              int n_flows,
              bool has_sources,
              const Kernels& kernels);

    /// Takes up eight subjects' matrices: entry[i·n_states + j] is a column, or null for 0.
    /// @returns lanes, as bits, that have no closed form
    unsigned solve(std::span<const double* const> entry);
    /// What lengths of time do, from number `first` on. @param taus  columns [n]
    void find_flows(const double* taus, int first, int n);

    int n_modal() const { return n_modal_; }
    /// z [n_modal] ← states [n_states], columns; null for 0
    void project(const double* const* states, double* z);
    /// z [n_modal] ← an amount in one state
    void project(int state, const double* amount, double* z) const;
    void march(const PackWay& way);
    /// What is read, sorted by part.
    std::vector<std::vector<Read>> by_part(std::span<const Read> reads) const;
    /// Reads at one point for each lane, `tau` (a column) after `z` under a source (null: 0).
    void read_at(const double* tau,
                 const double* z,
                 const double* source,
                 std::span<const std::vector<Read>> by_part);
    /// The same at eight points, of which number p is of lanes[p]: they stand in the columns read.
    void read_of(const int* lanes,
                 const double* tau,
                 const double* z,
                 const double* source,
                 std::span<const std::vector<Read>> by_part);

    /// Columns of a start: for each part its modal coordinates and, where there are, its sources.
    int n_start() const { return has_sources_ ? 2 * n_modal_ : n_modal_; }
    /// z [n_modal] ← a start
    void take_start(const double* start, double* z) const;
    /// Room for the response of a state at up to so many points.
    Response response(int state, int n_points) const;
    /// @param step    flow from point to point; −1 where one point is asked for
    /// @param factor  a column
    void respond(int step, const double* factor, Response& response) const;

    double fastest_rate(int lane) const; ///< largest |eigenvalue|
    double slowest_rate(int lane) const; ///< smallest that is not 0, or 0

private:
    struct Part {
        PartShape shape;
        std::vector<int> states; ///< depots, then the block
        int first = 0;           ///< of its modal coordinates
        PartModes modes;
        PartModes gathered; ///< of the lanes that points are of
        std::vector<PartFlow> flows;
        PartFlow flow_now; ///< of read_at()
        PartFlow nothing;  ///< after which nothing is left
    };
    /// A length of time after modal coordinates of a part, under its source (null: 0).
    struct Moment {
        const double *tau = nullptr, *z = nullptr, *source = nullptr;
    };
    void read(const Part& part,
              const PartModes& modes,
              const Moment& moment,
              std::span<const Read> reads);
    template <class Do>
    void each_rate(int lane, Do do_size) const;
    PartFlow new_flow(PartShape shape);
    double* columns(int n);

    int n_states_ = 0, n_modal_ = 0;
    bool has_sources_ = false;
    const Kernels& kernels_;
    std::vector<Part> parts_;
    std::vector<Workspace> storage_;
    std::vector<const double*> from_;        ///< for a part's columns
    Workspace room_, gathered_;              ///< [2 × n_modal]
    std::vector<std::pair<int, int>> place_; ///< [n_states] part, and which of its states
};

} // namespace gemel::sim::exact
