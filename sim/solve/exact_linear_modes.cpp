#include "solve/exact_linear_modes.hpp"

#include "base/index.hpp"

#include <algorithm>

namespace gemel::sim {

using exact::pack;

LinearModes::LinearModes(const std::vector<ModalPart>& parts,
                         int n_states,
                         const exact::Kernels& kernels)
    : n_states_(n_states),
      pack_(parts, n_states, 0, true, kernels),
      columns_(index(n_states * n_states) * pack),
      z_(index(n_states) * pack),
      source_(index(n_states) * pack),
      y_(index(n_states) * pack) {
    std::vector<exact::Read> reads;
    for (int i = 0; i < n_states; ++i)
        reads.push_back({i, y_.data() + i * pack});
    reads_ = pack_.by_part(reads);
}

/// Each number in all lanes, so that idle ones do as the subject does.
const double* LinearModes::columns_of(const double* values, int n) {
    entries_.clear();
    for (int i = 0; i < n; ++i) {
        double* column = columns_.data() + i * pack;
        std::fill_n(column, pack, values[i]);
        entries_.push_back(column);
    }
    return columns_.data();
}

bool LinearModes::set_matrix(const double* a) {
    columns_of(a, n_states_ * n_states_);
    return pack_.solve(entries_) == 0;
}

void LinearModes::start(const double* y0, const double* source) {
    columns_of(y0, n_states_);
    pack_.project(entries_.data(), z_.data());
    has_source_ = std::any_of(source, source + n_states_, [](double s) { return s != 0.0; });
    columns_of(source, n_states_);
    pack_.project(entries_.data(), source_.data());
}

void LinearModes::at(double tau, double* y) {
    alignas(Workspace::alignment) double all[pack];
    std::fill(all, all + pack, tau);
    pack_.read_at(all, z_.data(), has_source_ ? source_.data() : nullptr, reads_);
    for (int i = 0; i < n_states_; ++i)
        y[i] = y_.data()[i * pack];
}

} // namespace gemel::sim
