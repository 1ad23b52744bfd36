#pragma once

#include "base/normal_lanes.hpp"
#include "base/philox.hpp"
#include "columns/kernels.hpp"
#include "columns/words.hpp"
#include "expr/lane_operations.hpp"

#include <gemel/sim/random.hpp>

/// The one source of the kernels. Included by one source per instruction set; everything has
/// internal linkage, so that the linker cannot merge code made for different machines.
namespace gemel::sim::columns {
namespace {

constexpr std::size_t chunk = 64; ///< numbers; a whole number of vectors of every set

constexpr std::size_t rest_of(std::size_t n, std::size_t first) {
    return n - first < chunk ? n - first : chunk;
}
template <class T, class U>
GEMEL_LANE void copy(const T* from, std::size_t n, U* to) {
    for (std::size_t i = 0; i < n; ++i)
        to[i] = from[i];
}

/// Chunk after chunk of a column; of the last one what is not the column's are halves.
template <class Do>
GEMEL_LANE void each_chunk(double* column, std::size_t n, Do do_chunk) {
    alignas(64) double x[chunk];
    for (std::size_t first = 0; first < n; first += chunk) {
        const std::size_t m = rest_of(n, first);
        copy(column + first, m, x);
        for (std::size_t i = m; i < chunk; ++i)
            x[i] = 0.5;
        do_chunk(x);
        copy(x, m, column + first);
    }
}

template <class Do>
GEMEL_LANE void each_number(double* column, std::size_t n, Do do_number) {
    each_chunk(column, n, [=](double* x) {
#pragma GCC ivdep
        for (std::size_t i = 0; i < chunk; ++i)
            x[i] = do_number(x[i]);
    });
}

// ---- Philox4x32 of a chunk (docs/theory/random.md).

struct PhiloxCounter {
    Words c0, c1, c2, c3;
};

GEMEL_LANE void do_round(PhiloxCounter& c, Words key_0, Words key_1) {
    const Words a = product(c.c0, all(philox_multipliers[0]));
    const Words b = product(c.c2, all(philox_multipliers[1]));
    c = {(b >> 32) ^ c.c1 ^ key_0, b, (a >> 32) ^ c.c3 ^ key_1, a};
}

/// (k + ½)·2⁻⁵², k from the first two words; k + 2^52 has k for its fraction.
GEMEL_LANE void store_uniforms(const PhiloxCounter& c, double* u) {
    std::uint64_t words[n_words];
    const Words bits = ((c.c1 << 32) | (c.c0 & 0xffffffffU)) >> 12 | 0x4330000000000000U;
    std::memcpy(words, &bits, sizeof words);
#pragma GCC ivdep
    for (std::size_t i = 0; i < n_words; ++i)
        u[i] = ((lane::from_bits(words[i]) - 0x1p52) + 0.5) * 0x1p-52;
}

/// @param subjects, indices  [chunk]
GEMEL_LANE void chunk_of_uniforms(const Address& address,
                                  const std::uint64_t* subjects,
                                  const std::uint64_t* indices,
                                  double* u) {
    constexpr std::size_t n_side_by_side = 4; // rounds of one counter wait for each other
    for (std::size_t first = 0; first < chunk; first += n_side_by_side * n_words) {
        PhiloxCounter c[n_side_by_side];
        for (std::size_t k = 0; k < n_side_by_side; ++k) {
            const Words subject = load(subjects + first + k * n_words);
            c[k] = {subject,
                    (subject >> 32) | all(address.replicate << 16),
                    all(address.purpose),
                    load(indices + first + k * n_words)};
        }
        auto key_0 = static_cast<std::uint32_t>(address.seed);
        auto key_1 = static_cast<std::uint32_t>(address.seed >> 32);
        for (int round = 0; round < n_philox_rounds; ++round) {
            for (PhiloxCounter& counter : c)
                do_round(counter, all(key_0), all(key_1));
            key_0 += philox_key_steps[0];
            key_1 += philox_key_steps[1];
        }
        for (std::size_t k = 0; k < n_side_by_side; ++k)
            store_uniforms(c[k], u + first + k * n_words);
    }
}

void uniforms(const Address& address,
              const std::uint64_t* subjects,
              const std::uint32_t* indices,
              std::size_t n,
              double* u) {
    std::uint64_t subject[chunk] = {}, index[chunk];
    for (std::uint64_t& each : index)
        each = address.index;
    double numbers[chunk];
    for (std::size_t first = 0; first < n; first += chunk) {
        const std::size_t m = rest_of(n, first);
        copy(subjects + first, m, subject);
        for (std::size_t i = 0; indices != nullptr && i < m; ++i)
            index[i] = indices[first + i] + address.index;
        chunk_of_uniforms(address, subject, index, numbers);
        copy(numbers, m, u + first);
    }
}

// ---- Quantiles and probabilities.

/// r = √(−ln of the tail) of a chunk. @returns whether any is above 5, or no number
GEMEL_LANE bool tail_roots(const double* p, double* r) {
    std::uint64_t signs = 0;
#pragma GCC ivdep
    for (std::size_t i = 0; i < chunk; ++i) {
        const double tail = lane::choose(p[i] < 0.5, p[i], 1.0 - p[i]);
        r[i] = lane::square_root(-lane_log(tail));
        signs |= lane::bits(lane::choose(r[i] <= 5.0, 1.0, -1.0));
    }
    return (signs >> 63) != 0;
}

/// In two loops: one number's operations wait for each other, and one loop would be too long to
/// run ahead in.
void normal_quantiles(double* column, std::size_t n) {
    each_chunk(column, n, [](double* p) {
        alignas(64) double root[chunk];
        if (tail_roots(p, root)) {
            for (std::size_t i = 0; i < chunk; ++i)
                p[i] = normal_quantile(p[i]);
            return;
        }
#pragma GCC ivdep
        for (std::size_t i = 0; i < chunk; ++i) {
            const double q = p[i] - 0.5;
            const auto near = lane::quantile_near_half(q), tail = lane::quantile_in_tail(root[i]);
            const bool is_near = lane::is_near_half(q);
            const double top = lane::choose(is_near, near.top, tail.top);
            const double bottom = lane::choose(is_near, near.bottom, tail.bottom);
            p[i] = lane::with_sign_of(top / bottom, q);
        }
    });
}

void normal_probabilities(double* column, std::size_t n) {
    each_number(column, n, [](double z) { return lane::lane_normal_probability(z); });
}

void exponential_quantiles(double* column, std::size_t n) {
    each_number(column, n, [](double u) { return -lane_log(u); });
}

// ---- Operations.

#define GEMEL_OPERATION(operation, expression)                                                     \
    struct Do_##operation {                                                                        \
        GEMEL_LANE static double                                                                   \
        run([[maybe_unused]] double a, [[maybe_unused]] double b, [[maybe_unused]] double c) {     \
            return expression;                                                                     \
        }                                                                                          \
    };
GEMEL_UNARY_OPERATIONS(GEMEL_OPERATION)
GEMEL_BINARY_OPERATIONS(GEMEL_OPERATION)
GEMEL_TERNARY_OPERATIONS(GEMEL_OPERATION)
#undef GEMEL_OPERATION

template <class Do, int arity>
void over_columns(double* out, const double* a, const double* b, const double* c, std::size_t n) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < n; ++i)
        out[i] = Do::run(a[i], arity > 1 ? b[i] : 0.0, arity > 2 ? c[i] : 0.0);
}

constexpr Kernels make_kernels() {
    Kernels kernels{uniforms, normal_quantiles, normal_probabilities, exponential_quantiles, {}};
#define GEMEL_OPERATION(operation, expression)                                                     \
    kernels.operations[static_cast<int>(Op::operation)] = over_columns<Do_##operation, 1>;
    GEMEL_UNARY_OPERATIONS(GEMEL_OPERATION)
#undef GEMEL_OPERATION
#define GEMEL_OPERATION(operation, expression)                                                     \
    kernels.operations[static_cast<int>(Op::operation)] = over_columns<Do_##operation, 2>;
    GEMEL_BINARY_OPERATIONS(GEMEL_OPERATION)
#undef GEMEL_OPERATION
#define GEMEL_OPERATION(operation, expression)                                                     \
    kernels.operations[static_cast<int>(Op::operation)] = over_columns<Do_##operation, 3>;
    GEMEL_TERNARY_OPERATIONS(GEMEL_OPERATION)
#undef GEMEL_OPERATION
    return kernels;
}

constexpr Kernels kernels_of_this_set = make_kernels();

} // namespace
} // namespace gemel::sim::columns
