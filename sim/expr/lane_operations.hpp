#pragma once

#include "base/lane_math.hpp"

/// The one list of operations with their meaning on numbers a, b, c of any kind that lane_math.hpp
/// takes. Folding of constants, every kernel and native code are made from it, so they cannot
/// differ. Meaning in words: docs/reference/lane_program.md.
///
/// Each macro calls X(operation, expression); the operation is an enumerator of gemel::sim::Op.

#define GEMEL_UNARY_OPERATIONS(X)                                                                  \
    X(negate, -a)                                                                                  \
    X(absolute, ::gemel::sim::lane::absolute(a))                                                   \
    X(square_root, ::gemel::sim::lane::square_root(a))                                             \
    X(exponential, ::gemel::sim::lane_exp(a))                                                      \
    X(logarithm, ::gemel::sim::lane_log(a))                                                        \
    X(expm1, ::gemel::sim::lane_expm1(a))                                                          \
    X(log1p, ::gemel::sim::lane_log1p(a))                                                          \
    X(sine, ::gemel::sim::lane_sin(a))                                                             \
    X(cosine, ::gemel::sim::lane_cos(a))                                                           \
    X(hyperbolic_tangent, ::gemel::sim::lane_tanh(a))                                              \
    X(error_function, ::gemel::sim::lane_erf(a))                                                   \
    X(logical_not, ::gemel::sim::lane::choose(a == 0.0, 1.0, 0.0))                                 \
    X(rough_inverse_tenth_root, ::gemel::sim::lane_rough_inverse_tenth_root(a))

#define GEMEL_BINARY_OPERATIONS(X)                                                                 \
    X(add, a + b)                                                                                  \
    X(subtract, a - b)                                                                             \
    X(multiply, a* b)                                                                              \
    X(divide, a / b)                                                                               \
    X(power, ::gemel::sim::lane_pow(a, b))                                                         \
    X(minimum, ::gemel::sim::lane_min(a, b))                                                       \
    X(maximum, ::gemel::sim::lane_max(a, b))                                                       \
    X(less, ::gemel::sim::lane::choose(a < b, 1.0, 0.0))                                           \
    X(less_equal, ::gemel::sim::lane::choose(a <= b, 1.0, 0.0))                                    \
    X(equal, ::gemel::sim::lane::choose(a == b, 1.0, 0.0))                                         \
    X(logical_and, ::gemel::sim::lane::choose((a != 0.0) & (b != 0.0), 1.0, 0.0))                  \
    X(logical_or, ::gemel::sim::lane::choose((a != 0.0) | (b != 0.0), 1.0, 0.0))

#define GEMEL_TERNARY_OPERATIONS(X)                                                                \
    X(select, ::gemel::sim::lane::choose(a != 0.0, b, c))                                          \
    X(fused_multiply_add, ::gemel::sim::lane::fma(a, b, c))                                        \
    X(fused_negative_multiply_add, ::gemel::sim::lane::fma(-a, b, c))
