#pragma once

#include "lanes/kernel_sets.hpp"

#include <gemel/sim/expression.hpp>

#include <cstddef>
#include <cstdint>

/// Columns of numbers, of many subjects side by side: random numbers and operations, compiled once
/// per instruction set. The same bits from each, and from one subject at a time.
namespace gemel::sim::columns {

/// What is the same for all subjects of a column.
struct Address {
    std::uint64_t seed = 0;
    std::uint32_t replicate = 0, purpose = 0;
    std::uint32_t index = 0; ///< what is added to a subject's own
};

struct Kernels {
    /// @param indices  a subject's own, or null where all are 0
    void (*uniforms)(const Address& address,
                     const std::uint64_t* subjects,
                     const std::uint32_t* indices,
                     std::size_t n,
                     double* u);
    // In place:
    void (*normal_quantiles)(double* x, std::size_t n);
    void (*normal_probabilities)(double* x, std::size_t n);
    void (*exponential_quantiles)(double* x, std::size_t n); ///< −log x
    /// By Op: out may be one of the operands. Null for leaves and constants.
    void (*operations[n_ops])(
        double* out, const double* a, const double* b, const double* c, std::size_t n);
};

const Kernels& baseline_kernels();
/// Null when not built for x86-64.
const Kernels* x86_64_v3_kernels();
const Kernels* x86_64_v4_kernels();

/// All that this machine can run.
const KernelSets<Kernels>& kernel_sets();

} // namespace gemel::sim::columns
