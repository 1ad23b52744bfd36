#include "solve/exact/pack_view.hpp"

#include "base/index.hpp"
#include "solve/exact_pieces.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

namespace gemel::sim::exact {

PackView::PackView(const CompiledSystem& system, const ModalPack& modes)
    : columns_(system.system.states.size() * pack),
      is_cut_(pack),
      length_(pack),
      edges_(pack),
      next_(pack) {
    std::vector<Expr> outputs;
    for (const NamedExpr& output : system.system.outputs)
        outputs.push_back(output.value);
    std::vector<Read> reads;
    for (const Leaf& leaf : system.system.graph.leaves(outputs))
        if (leaf.kind == LeafKind::state) {
            used_.push_back(leaf.index);
            reads.push_back({leaf.index, columns_.data() + leaf.index * pack});
        }
    by_part_ = modes.by_part(reads);
}

void PackView::show(ModalPack& modes,
                    const double* z,
                    const double* source,
                    const Stretches& stretches,
                    DenseObserver& observer,
                    TriggerWatch* watch) {
    const auto find_states = [&](const DenseObserver::Points& points, double* states) {
        states_at(modes, z, source, stretches.from, points, states);
    };
    const DenseObserver::Interpolate interpolate = std::ref(find_states); // nothing on the heap
    if (watch == nullptr) {
        sample(stretches, observer, interpolate);
        if (!observer.has_functionals()) return;
    }
    begin_pieces(modes, stretches);
    show_pieces(stretches, observer, watch, interpolate);
}

/// Samples need no pieces: unless a trigger may act, they are taken of all the time at once.
void PackView::sample(const Stretches& stretches,
                      DenseObserver& observer,
                      const DenseObserver::Interpolate& interpolate) {
    std::copy_n(stretches.from, pack, piece_from_);
    std::copy_n(stretches.to, pack, piece_to_);
    std::copy_n(stretches.to, pack, piece_end_);
    observer.sample(piece_from_, piece_to_, stretches.mask, interpolate);
}

void PackView::begin_pieces(const ModalPack& modes, const Stretches& stretches) {
    for (int l = 0; l < pack; ++l) {
        if (!stretches.mask[l]) continue;
        cut(modes, l, stretches.to[l] - stretches.from[l]);
        next_[index(l)] = 1;
        piece_to_[l] = stretches.from[l];
    }
}

void PackView::show_pieces(const Stretches& stretches,
                           DenseObserver& observer,
                           TriggerWatch* watch,
                           const DenseObserver::Interpolate& interpolate) {
    const auto [from, to, length, mask] = stretches;
    while (true) {
        int any = 0;
        for (int l = 0; l < pack; ++l) {
            is_on_[l] = mask[l] != 0 && next_piece(l, from[l], to[l]);
            any |= is_on_[l];
        }
        if (!any) return;
        std::copy_n(piece_to_, pack, piece_end_);
        observer.look_at(piece_from_, piece_to_, interpolate);
        if (watch == nullptr) {
            observer.take_functionals(is_on_);
            continue;
        }
        watch->scan(piece_from_, piece_to_, is_on_);
        for (int l = 0; l < pack; ++l)
            if (is_on_[l]) piece_end_[l] = std::fmin(piece_to_[l], watch->crossing(l));
        observer.piece(piece_from_, piece_end_, is_on_, interpolate);
        for (int l = 0; l < pack; ++l) {
            if (!is_on_[l] || !(piece_end_[l] < piece_to_[l])) continue;
            next_[index(l)] = edges_[index(l)].size();
            to[l] = piece_end_[l];
            length[l] = piece_from_[l] - from[l] + share(l) * (piece_to_[l] - piece_from_[l]);
        }
    }
}

/// What is left of a piece where a trigger acts.
double PackView::share(int lane) const {
    return (piece_end_[lane] - piece_from_[lane]) / (piece_to_[lane] - piece_from_[lane]);
}

void PackView::cut(const ModalPack& modes, int lane, double length) {
    const std::size_t l = index(lane);
    if (is_cut_[l] && length_[l] == length) return;
    cut_pieces(length, modes.fastest_rate(lane), modes.slowest_rate(lane), edges_[l]);
    is_cut_[l] = 1;
    length_[l] = length;
}

/// Pieces too short for the clock are left out.
bool PackView::next_piece(int lane, double from, double to) {
    const std::vector<double>& edges = edges_[index(lane)];
    std::size_t& next = next_[index(lane)];
    piece_from_[lane] = piece_to_[lane];
    while (next < edges.size()) {
        piece_to_[lane] = next + 1 < edges.size() ? from + edges[next] : to;
        ++next;
        if (piece_to_[lane] > piece_from_[lane]) return true;
    }
    return false;
}

/// Points of one lane each are evaluated where the lanes are; otherwise what they need is gathered.
void PackView::states_at(ModalPack& modes,
                         const double* z,
                         const double* source,
                         const double* from,
                         const DenseObserver::Points& points,
                         double* states) {
    alignas(Workspace::alignment) double tau[pack] = {};
    int lanes[pack] = {};
    unsigned taken = 0;
    const int n = points.n_points;
    for (int p = 0; p < n; ++p)
        taken |= 1U << points.lanes[p];
    const bool are_apart = std::popcount(taken) == n;
    for (int p = 0; p < n; ++p) {
        const int l = points.lanes[p];
        lanes[p] = l;
        tau[are_apart ? l : p] = tau_at(l, points.theta[p], from[l]);
    }
    if (are_apart)
        modes.read_at(tau, z, source, by_part_);
    else
        modes.read_of(lanes, tau, z, source, by_part_);
    for (const int state : used_)
        for (int p = 0; p < n; ++p)
            states[state * pack + p] = columns_.data()[state * pack + (are_apart ? lanes[p] : p)];
}

/// A point of the piece in hand, from the start of the time without events.
double PackView::tau_at(int lane, double theta, double from) const {
    const double width = piece_to_[lane] - piece_from_[lane];
    const bool is_whole = !(piece_end_[lane] < piece_to_[lane]);
    return piece_from_[lane] - from + (is_whole ? theta : theta * share(lane)) * width;
}

} // namespace gemel::sim::exact
