#include "solve/exact/modal_pack.hpp"

#include "base/index.hpp"

#include <algorithm>
#include <cmath>

namespace gemel::sim::exact {

ModalPack::ModalPack(const std::vector<ModalPart>& parts,
                     int n_states,
                     int n_flows,
                     bool has_sources,
                     const Kernels& kernels)
    : n_states_(n_states),
      has_sources_(has_sources),
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
        for (PartModes* modes : {&own.modes, &own.gathered})
            *modes = {columns(d), columns(m), columns(m * m), columns(m * m), columns(m * d)};
        for (int k = 0; k < n_flows; ++k)
            own.flows.push_back(new_flow(own.shape));
        own.flow_now = new_flow(own.shape);
        own.nothing = new_flow(own.shape);
    }
    room_ = Workspace(index(2 * n_modal_) * pack);
    gathered_ = Workspace(index(2 * n_modal_) * pack);
}

double* ModalPack::columns(int n) {
    storage_.emplace_back(index(n) * index(pack));
    return storage_.back().data();
}

PartFlow ModalPack::new_flow(PartShape shape) {
    const int d = shape.n_depots, m = shape.n_block;
    PartFlow flow{columns(d), columns(m), columns(m * d)};
    if (has_sources_) {
        flow.depot_area = columns(d);
        flow.mode_area = columns(m);
        flow.fed_area = columns(m * d);
    }
    return flow;
}

unsigned ModalPack::solve(std::span<const double* const> entry) {
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

template <class Do>
void ModalPack::each_rate(int lane, Do do_size) const {
    for (const Part& part : parts_) {
        for (int i = 0; i < part.shape.n_depots; ++i)
            do_size(std::fabs(part.modes.depot_rate[i * pack + lane]));
        for (int j = 0; j < part.shape.n_block; ++j)
            do_size(std::fabs(part.modes.mode_rate[j * pack + lane]));
    }
}

double ModalPack::fastest_rate(int lane) const {
    double fastest = 0.0;
    each_rate(lane, [&](double size) { fastest = std::max(fastest, size); });
    return fastest;
}

double ModalPack::slowest_rate(int lane) const {
    double slowest = 0.0;
    each_rate(lane, [&](double size) {
        if (size > 0.0) slowest = slowest > 0.0 ? std::min(slowest, size) : size;
    });
    return slowest;
}

void ModalPack::find_flows(const double* taus, int first, int n) {
    for (const Part& part : parts_)
        kernels_.flow(part.shape, part.modes, taus, part.flows.data() + first, n);
}

void ModalPack::project(const double* const* states, double* z) {
    for (const Part& part : parts_) {
        from_.clear();
        for (const int state : part.states)
            from_.push_back(states[state]);
        kernels_.project(part.shape, part.modes, from_.data(), z + part.first * pack, pack);
    }
}

void ModalPack::project(int state, const double* amount, double* z) const {
    std::fill_n(z, index(n_modal_) * pack, 0.0);
    const auto [of, at] = place_[index(state)];
    const Part& part = parts_[index(of)];
    const int d = part.shape.n_depots, m = part.shape.n_block;
    double* own = z + part.first * pack;
    if (at < d) {
        std::copy_n(amount, pack, own + at * pack);
        return;
    }
    for (int j = 0; j < m; ++j)
        for (int l = 0; l < pack; ++l)
            own[(d + j) * pack + l] = part.modes.left[(j * m + at - d) * pack + l] * amount[l];
}

void ModalPack::march(const PackWay& way) {
    for (const Part& part : parts_) {
        const std::ptrdiff_t at = part.first * pack;
        kernels_.march({.shape = part.shape,
                        .steps = way.steps.data(),
                        .n_steps = static_cast<int>(way.steps.size()),
                        .flows = part.flows.data(),
                        .doses = way.doses + at,
                        .sources = way.sources + at,
                        .size = n_modal_,
                        .z = way.z + at,
                        .starts = way.starts + (has_sources_ ? 2 * at : at),
                        .start_size = n_start(),
                        .has_sources = has_sources_,
                        .squares = way.squares,
                        .room = room_.data()});
    }
}

std::vector<std::vector<Read>> ModalPack::by_part(std::span<const Read> reads) const {
    std::vector<std::vector<Read>> sorted(parts_.size());
    for (const Read& read : reads) {
        const auto [part, state] = place_[index(read.state)];
        sorted[index(part)].push_back({state, read.to});
    }
    return sorted;
}

void ModalPack::read_at(const double* tau,
                        const double* z,
                        const double* source,
                        std::span<const std::vector<Read>> by_part) {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
        const Part& part = parts_[p];
        const int at = part.first * pack;
        const double* own = source == nullptr ? nullptr : source + at;
        if (!by_part[p].empty()) read(part, part.modes, {tau, z + at, own}, by_part[p]);
    }
}

namespace {

/// to[i][l] ← from[i][lanes[l]], columns
void gather(const double* from, int n_columns, const int* lanes, double* to) {
    for (int i = 0; i < n_columns; ++i)
        for (int l = 0; l < pack; ++l)
            to[i * pack + l] = from[i * pack + lanes[l]];
}

} // namespace

void ModalPack::read_of(const int* lanes,
                        const double* tau,
                        const double* z,
                        const double* source,
                        std::span<const std::vector<Read>> by_part) {
    double *own_z = gathered_.data(), *own_source = own_z + n_modal_ * pack;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
        if (by_part[p].empty()) continue;
        const Part& part = parts_[p];
        const int at = part.first * pack, d = part.shape.n_depots, m = part.shape.n_block;
        gather(part.modes.depot_rate, d, lanes, part.gathered.depot_rate);
        gather(part.modes.mode_rate, m, lanes, part.gathered.mode_rate);
        gather(part.modes.right, m * m, lanes, part.gathered.right);
        gather(part.modes.feed, m * d, lanes, part.gathered.feed);
        gather(z + at, d + m, lanes, own_z);
        if (source != nullptr) gather(source + at, d + m, lanes, own_source);
        read(part,
             part.gathered,
             {tau, own_z, source == nullptr ? nullptr : own_source},
             by_part[p]);
    }
}

void ModalPack::read(const Part& part,
                     const PartModes& modes,
                     const Moment& moment,
                     std::span<const Read> reads) {
    double* now = room_.data();
    PartFlow flow = part.flow_now;
    if (moment.source == nullptr) flow.depot_area = flow.mode_area = flow.fed_area = nullptr;
    kernels_.flow(part.shape, modes, moment.tau, &flow, 1);
    kernels_.go_on(part.shape, flow, moment.source, moment.z, now);
    for (const Read& read : reads)
        kernels_.read(part.shape, modes, now, read.state, read.to);
}

void ModalPack::take_start(const double* start, double* z) const {
    const int copies = has_sources_ ? 2 : 1;
    for (const Part& part : parts_)
        std::copy_n(start + copies * part.first * pack,
                    index(part.shape.n_modal()) * pack,
                    z + part.first * pack);
}

Response ModalPack::response(int state, int n_points) const {
    const auto [part, at] = place_[index(state)];
    const int copies = has_sources_ ? 2 : 1;
    const int n_terms = copies * parts_[index(part)].shape.n_modal();
    const int n_whole = (n_points + pack - 1) / pack * pack;
    return {.part = part,
            .state = at,
            .first = copies * parts_[index(part)].first,
            .n_terms = n_terms,
            .n_points = n_whole,
            .values = Workspace(index(n_terms * n_whole) * pack),
            .squares = Workspace(pack),
            .room = Workspace(index(n_terms) * pack * pack),
            .more_room = Workspace(index(n_terms) * pack)};
}

void ModalPack::respond(int step, const double* factor, Response& response) const {
    const Part& part = parts_[index(response.part)];
    kernels_.respond({.shape = part.shape,
                      .modes = &part.modes,
                      .step = step >= 0 ? &part.flows[index(step)] : &part.nothing,
                      .has_sources = has_sources_,
                      .state = response.state,
                      .factor = factor,
                      .n_points = response.n_points,
                      .room = response.room.data(),
                      .more_room = response.more_room.data(),
                      .to = response.values.data(),
                      .squares = response.squares.data()});
}

} // namespace gemel::sim::exact
