#pragma once

#include "solve/exact/modal_pack.hpp"
#include "solve/exact/modal_parts.hpp"

#include <vector>

/// Closed forms of one subject: y' = A y + s, s constant. The same bits as in a pack. Theory
/// manual: exact.md.
namespace gemel::sim {

class LinearModes {
public:
    LinearModes(const std::vector<ModalPart>& parts,
                int n_states,
                const exact::Kernels& kernels = exact::kernel_sets().best());

    /// Takes up a subject's matrix, row-major [n_states × n_states].
    /// @returns false if a coupling runs in opposite senses (a_ij·a_ji < 0, or one of them 0), so
    ///          that the block cannot be made symmetric
    bool set_matrix(const double* a);

    void start(const double* y0, const double* source); ///< τ = 0
    void at(double tau, double* y);

    double fastest_rate() const { return pack_.fastest_rate(0); } ///< largest |eigenvalue|
    double slowest_rate() const { return pack_.slowest_rate(0); } ///< smallest that is not 0, or 0

private:
    const double* columns_of(const double* values, int n);

    int n_states_ = 0;
    exact::ModalPack pack_;
    Workspace columns_, z_, source_, y_;
    std::vector<const double*> entries_;
    std::vector<std::vector<exact::Read>> reads_;
    bool has_source_ = false;
};

} // namespace gemel::sim
