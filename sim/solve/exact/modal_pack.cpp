#include "solve/exact/modal_pack.hpp"

#include "base/index.hpp"

#include <algorithm>

namespace gemel::sim::exact {

ModalPack::ModalPack(const std::vector<ModalPart>& parts,
                     int n_states,
                     int n_kept,
                     bool has_sources,
                     const Kernels& kernels)
    : n_states_(n_states),
      n_kept_(n_kept),
      kernels_(kernels) {
    for (const ModalPart& part : parts) {
        Part& own = parts_.emplace_back();
        own.shape = {static_cast<int>(part.depots.size()), static_cast<int>(part.block.size())};
        own.states = part.depots;
        own.states.insert(own.states.end(), part.block.begin(), part.block.end());
        own.first = n_modal_;
        n_modal_ += own.shape.n_modal();
        const int d = own.shape.n_depots, m = own.shape.n_block;
        own.modes = {columns(d), columns(m), columns(m * m), columns(m * m), columns(m * d)};
    }
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
    return bad;
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

const Flow& ModalPack::flow_at(const double* tau) {
    for (std::size_t p = 0; p < parts_.size(); ++p)
        kernels_.flow(parts_[p].shape, parts_[p].modes, tau, flows_.back().parts[p], pack);
    return flows_.back();
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

void ModalPack::apply(const Flow& flow, const double* c, double* z) const {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
        const int at = parts_[p].first * pack;
        kernels_.apply(
            parts_[p].shape, flow.parts[p], c == nullptr ? nullptr : c + at, z + at, pack);
    }
}

void ModalPack::run(const Flow* step, const double* c, double* z, int n_points, double* const* to) {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
        const Part& part = parts_[p];
        read_.clear();
        to_.clear();
        for (std::size_t i = 0; i < part.states.size(); ++i)
            if (double* column = to[part.states[i]]; column != nullptr) {
                read_.push_back(static_cast<int>(i));
                to_.push_back(column);
            }
        if (read_.empty()) continue; // nobody goes on from its z
        kernels_.run({.shape = part.shape,
                      .step = step != nullptr ? step->parts[p] : flows_.back().parts[p],
                      .constant = c == nullptr ? nullptr : c + part.first * pack,
                      .z = z + part.first * pack,
                      .n_points = n_points,
                      .n_read = static_cast<int>(read_.size()),
                      .read = read_.data(),
                      .right = part.modes.right,
                      .to = to_.data()});
    }
}

void ModalPack::add(int state, const double* amount, double* z) const {
    for (const Part& part : parts_) {
        const auto found = std::find(part.states.begin(), part.states.end(), state);
        if (found == part.states.end()) continue;
        const int at = static_cast<int>(found - part.states.begin());
        const int d = part.shape.n_depots, m = part.shape.n_block;
        double* own = z + part.first * pack;
        if (at < d) {
            for (int l = 0; l < pack; ++l)
                own[at * pack + l] += amount[l];
            return;
        }
        for (int j = 0; j < m; ++j) {
            const double* left = part.modes.left + (j * m + at - d) * pack;
            for (int l = 0; l < pack; ++l)
                own[(d + j) * pack + l] += left[l] * amount[l];
        }
        return;
    }
}

} // namespace gemel::sim::exact
