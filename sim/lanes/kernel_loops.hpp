#pragma once

#include "lanes/kernels.hpp"
#include "expr/lane_operations.hpp"

/// The one source of the kernels. Included by one source per instruction set; everything has
/// internal linkage, so that the linker cannot merge code made for different machines.
namespace gemel::sim {
namespace {

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

/// One operand: a number for all lanes, or a column.
template <bool is_constant>
struct Operand {
    const double* at;
    double number;
    GEMEL_LANE explicit Operand(const double* pointer) : at(pointer), number(0.0) {
        if constexpr (is_constant) number = *pointer;
    }
    GEMEL_LANE double operator[](int lane) const { return is_constant ? number : at[lane]; }
};

/// For widths that are multiples of 8, so that no rest remains behind whole vectors. Operands that
/// an operation lacks are never read.
template <class Do, unsigned constants, int arity>
void over_lanes(
    double* out, const double* a, const double* b, const double* c, int width) noexcept {
    const Operand<(constants & 1U) != 0> x(a);
    const Operand<(constants & 2U) != 0> y(arity > 1 ? b : a);
    const Operand<(constants & 4U) != 0> z(arity > 2 ? c : a);
    const int n_lanes = 8 * (static_cast<unsigned>(width) / 8U);
#pragma GCC ivdep
    for (int lane = 0; lane < n_lanes; ++lane)
        out[lane] = Do::run(x[lane], y[lane], z[lane]);
}

template <class Do, int arity>
void on_one(double* out, const double* a, const double* b, const double* c, int) noexcept {
    *out = Do::run(*a, arity > 1 ? *b : 0.0, arity > 2 ? *c : 0.0);
}

struct Do_copy {
    GEMEL_LANE static double run(double a, double, double) { return a; }
};

/// Constant operands without a variant are filled into a column first: rare, or dear anyway.
template <class Do>
constexpr bool has_constant_variants = true;
template <>
constexpr bool has_constant_variants<Do_power> = false;
template <>
constexpr bool has_constant_variants<Do_equal> = false;
template <>
constexpr bool has_constant_variants<Do_logical_and> = false;
template <>
constexpr bool has_constant_variants<Do_logical_or> = false;

template <class Do, int arity, unsigned constants>
constexpr void add_variants(Handler* handlers) {
    handlers[constants] = over_lanes<Do, constants, arity>;
    constexpr unsigned all = (1U << arity) - 1U;
    if constexpr (arity > 1 && has_constant_variants<Do> && constants + 1 < all)
        add_variants<Do, arity, constants + 1>(handlers);
}

template <class Do, int arity>
constexpr void add_operation(KernelTable& table, Op op) {
    add_variants<Do, arity, 0>(table.lanes[static_cast<int>(op)]);
    table.scalar[static_cast<int>(op)] = on_one<Do, arity>;
}

constexpr KernelTable make_table() {
    KernelTable table;
#define GEMEL_OPERATION(operation, expression)                                                     \
    add_operation<Do_##operation, 1>(table, Op::operation);
    GEMEL_UNARY_OPERATIONS(GEMEL_OPERATION)
#undef GEMEL_OPERATION
#define GEMEL_OPERATION(operation, expression)                                                     \
    add_operation<Do_##operation, 2>(table, Op::operation);
    GEMEL_BINARY_OPERATIONS(GEMEL_OPERATION)
#undef GEMEL_OPERATION
#define GEMEL_OPERATION(operation, expression)                                                     \
    add_operation<Do_##operation, 3>(table, Op::operation);
    GEMEL_TERNARY_OPERATIONS(GEMEL_OPERATION)
#undef GEMEL_OPERATION
    table.copy = over_lanes<Do_copy, 0, 1>;
    table.fill = over_lanes<Do_copy, 1, 1>;
    return table;
}

constexpr KernelTable table_of_this_set = make_table();

} // namespace
} // namespace gemel::sim
