#pragma once

#include "solve/exact/modal_pack.hpp"
#include "solve/observer.hpp"
#include "solve/triggers.hpp"

#include <vector>

/// Shows the observer what a pack does between events, each lane in pieces of its own.
namespace gemel::sim::exact {

class PackView {
public:
    /// Of states that outputs use.
    PackView(const CompiledSystem& system, const ModalPack& modes);

    /// The lane has other rates now.
    void forget(int lane) { is_cut_[static_cast<std::size_t>(lane)] = 0; }
    /// A time without events for each masked lane: [from, to). Columns.
    struct Stretches {
        const double* from = nullptr;
        double *to = nullptr, *length = nullptr; ///< end where a trigger acts before
        const char* mask = nullptr;
    };
    /// They begin with `z` under a constant `source` (null: none). @param watch  null: nobody does
    void show(ModalPack& modes,
              const double* z,
              const double* source,
              const Stretches& stretches,
              DenseObserver& observer,
              TriggerWatch* watch);

private:
    void sample(const Stretches& stretches,
                DenseObserver& observer,
                const DenseObserver::Interpolate& interpolate);
    void begin_pieces(const ModalPack& modes, const Stretches& stretches);
    void show_pieces(const Stretches& stretches,
                     DenseObserver& observer,
                     TriggerWatch* watch,
                     const DenseObserver::Interpolate& interpolate);
    void cut(const ModalPack& modes, int lane, double length);
    bool next_piece(int lane, double from, double to);
    double share(int lane) const;
    double tau_at(int lane, double theta, double from) const;
    void states_at(ModalPack& modes,
                   const double* z,
                   const double* source,
                   const double* from,
                   const DenseObserver::Points& points,
                   double* states);

    std::vector<int> used_; ///< states
    Workspace columns_;     ///< [n_states]
    std::vector<std::vector<Read>> by_part_;

    std::vector<char> is_cut_;               ///< [pack]
    std::vector<double> length_;             ///< [pack] that the edges are for
    std::vector<std::vector<double>> edges_; ///< [pack]
    std::vector<std::size_t> next_;          ///< [pack] edge
    double piece_from_[pack] = {}, piece_to_[pack] = {};
    double piece_end_[pack] = {}; ///< where a trigger acts before its end
    char is_on_[pack] = {};
};

} // namespace gemel::sim::exact
