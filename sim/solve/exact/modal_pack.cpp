#include "solve/exact/modal_pack.hpp"

#include "base/index.hpp"

#include <algorithm>
#include <cmath>

namespace gemel::sim::exact {

ModalPack::ModalPack(const std::vector<ModalPart>& parts,
                     int n_states,
                     int n_kept,
                     bool has_sources,
                     const Kernels& kernels)
    : n_states_(n_states),
      n_kept_(n_kept),
      kernels_(kernels),
      place_(index(n_states)) {
    for (const ModalPart& part : parts) {
        Part& own = parts_.emplace_back();
        own.shape = {static_cast<int>(part.depots.size()), static_cast<int>(part.block.size())};
        own.states = part.depots;
        own.states.insert(own.states.end(), part.block.begin(), part.block.end());
        for (std::size_t i = 0; i < own.states.size(); ++i)
            place_[index(own.states[i])] = {static_cast<int>(parts_.size()) - 1,
                                            static_cast<int>(i)};
        own.first = n_modal_;
        n_modal_ += own.shape.n_modal();
        const int d = own.shape.n_depots, m = own.shape.n_block;
        own.modes = {columns(d), columns(m), columns(m * m), columns(m * m), columns(m * d)};
    }
    room_ = Workspace(index(n_modal_) * pack);
    room_c_ = Workspace(index(n_modal_) * pack);
    flows_.resize(index(n_kept) + 1);
    is_known_.assign(index(n_kept) + 1, 0);
    for (Flow& flow : flows_)
        for (const Part& part : parts_)
            flow.parts.push_back(new_flow(part.shape, has_sources));
}

double* ModalPack::columns(int n) {
    storage_.emplace_back(index(n) * index(pack));
    return storage_.back().data();
}

PartFlow ModalPack::new_flow(PartShape shape, bool has_sources) {
    const int d = shape.n_depots, m = shape.n_block;
    PartFlow flow{columns(d), columns(m), columns(m * d)};
    if (has_sources) {
        flow.depot_area = columns(d);
        flow.mode_area = columns(m);
        flow.fed_area = columns(m * d);
    }
    return flow;
}

unsigned ModalPack::solve(std::span<const double* const> entry) {
    std::fill(is_known_.begin(), is_known_.end(), 0);
    unsigned bad = 0;
    for (const Part& part : parts_)
        bad |= kernels_.solve_part(part.shape,
                                   part.states.data() + part.shape.n_depots,
                                   part.states.data(),
                                   n_states_,
                                   entry.data(),
                                   part.modes,
                                   pack);
    std::fill(fastest_, fastest_ + pack, 0.0);
    std::fill(slowest_, slowest_ + pack, 0.0);
    for (const Part& part : parts_) {
        note_rates(part.modes.depot_rate, part.shape.n_depots);
        note_rates(part.modes.mode_rate, part.shape.n_block);
    }
    return bad;
}

void ModalPack::note_rates(const double* rates, int n) {
    for (int i = 0; i < n; ++i)
        for (int l = 0; l < pack; ++l) {
            const double size = std::fabs(rates[i * pack + l]);
            fastest_[l] = std::max(fastest_[l], size);
            if (size > 0.0) slowest_[l] = slowest_[l] > 0.0 ? std::min(slowest_[l], size) : size;
        }
}

const Flow& ModalPack::flow(double tau, int number) {
    const bool is_kept = number < n_kept_;
    const std::size_t slot = index(is_kept ? number : n_kept_);
    if (is_kept && is_known_[slot]) return flows_[slot];
    is_known_[slot] = 1;
    alignas(Workspace::alignment) double all[pack];
    std::fill(all, all + pack, tau);
    for (std::size_t p = 0; p < parts_.size(); ++p)
        kernels_.flow(parts_[p].shape, parts_[p].modes, all, flows_[slot].parts[p], pack);
    return flows_[slot];
}

void ModalPack::project(const double* const* states, double* z) {
    for (const Part& part : parts_) {
        from_.clear();
        for (const int state : part.states)
            from_.push_back(states[state]);
        kernels_.project(part.shape, part.modes, from_.data(), z + part.first * pack, pack);
    }
}

void ModalPack::constant(const Flow& flow, const double* source, double* c) const {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
        const int at = parts_[p].first * pack;
        kernels_.constant(parts_[p].shape, flow.parts[p], source + at, c + at, pack);
    }
}

void ModalPack::apply(const Flow& flow, const double* c, const double* from, double* to) const {
    for (std::size_t p = 0; p < parts_.size(); ++p)
        kernels_.run(part_run(p, flow, c, from, to, 1));
}

PartRun ModalPack::part_run(std::size_t p,
                            const Flow& step,
                            const double* c,
                            const double* from,
                            double* to,
                            int n_points) const {
    const int at = parts_[p].first * pack;
    return {.shape = parts_[p].shape,
            .step = step.parts[p],
            .constant = c == nullptr ? nullptr : c + at,
            .from = from + at,
            .to = to + at,
            .n_points = n_points};
}

std::vector<std::vector<Read>> ModalPack::by_part(std::span<const Read> reads) const {
    std::vector<std::vector<Read>> sorted(parts_.size());
    for (const Read& read : reads) {
        const auto [part, state] = place_[index(read.state)];
        sorted[index(part)].push_back({state, read.factor, read.to});
    }
    return sorted;
}

void ModalPack::read(const Flow* step,
                     const double* c,
                     const double* from,
                     int n_points,
                     int place,
                     std::span<const std::vector<Read>> by_part) {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
        if (by_part[p].empty()) continue;
        PartRun r =
            part_run(p, step != nullptr ? *step : flows_.back(), c, from, room_.data(), n_points);
        r.n_reads = static_cast<int>(by_part[p].size());
        r.reads = by_part[p].data();
        r.place = place;
        r.right = parts_[p].modes.right;
        kernels_.run(r);
    }
}

void ModalPack::read_at(const double* tau,
                        const double* z,
                        const double* source,
                        std::span<const std::vector<Read>> by_part) {
    const Flow& flow = flows_.back();
    double* now = room_.data();
    for (std::size_t p = 0; p < parts_.size(); ++p) {
        if (by_part[p].empty()) continue;
        const Part& part = parts_[p];
        const int at = part.first * pack;
        const double* c = nullptr;
        kernels_.flow(part.shape, part.modes, tau, flow.parts[p], pack);
        if (source != nullptr) {
            kernels_.constant(part.shape, flow.parts[p], source + at, room_c_.data() + at, pack);
            c = room_c_.data();
        }
        kernels_.run(part_run(p, flow, c, z, now, 1));
        PartRun r = part_run(p, flow, nullptr, now, room_c_.data(), 1);
        r.n_reads = static_cast<int>(by_part[p].size());
        r.reads = by_part[p].data();
        r.right = part.modes.right;
        kernels_.run(r);
    }
}

void ModalPack::add(int state, const double* amount, double* z) const {
    const auto [of, at] = place_[index(state)];
    const Part& part = parts_[index(of)];
    const int d = part.shape.n_depots, m = part.shape.n_block;
    double* own = z + part.first * pack;
    if (at < d) return kernels_.increase(own + at * pack, nullptr, amount);
    for (int j = 0; j < m; ++j)
        kernels_.increase(own + (d + j) * pack, part.modes.left + (j * m + at - d) * pack, amount);
}

} // namespace gemel::sim::exact
