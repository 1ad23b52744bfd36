#include "expr/lane_operations.hpp"

#include <gemel/sim/expression.hpp>

namespace gemel::sim {

double apply(Op op, double a, double b, double c) {
    switch (op) {
#define GEMEL_OPERATION(operation, expression)                                                     \
    case Op::operation:                                                                            \
        return expression;
        GEMEL_UNARY_OPERATIONS(GEMEL_OPERATION)
        GEMEL_BINARY_OPERATIONS(GEMEL_OPERATION)
        GEMEL_TERNARY_OPERATIONS(GEMEL_OPERATION)
#undef GEMEL_OPERATION
    case Op::constant:
    case Op::leaf:
        break;
    }
    return lane::nan;
}

int n_operands(Op op) {
    switch (op) {
#define GEMEL_OPERATION(operation, expression) case Op::operation:
        GEMEL_UNARY_OPERATIONS(GEMEL_OPERATION)
        return 1;
        GEMEL_BINARY_OPERATIONS(GEMEL_OPERATION)
        return 2;
        GEMEL_TERNARY_OPERATIONS(GEMEL_OPERATION)
        return 3;
#undef GEMEL_OPERATION
    case Op::constant:
    case Op::leaf:
        break;
    }
    return 0;
}

std::string_view name(Op op) {
    switch (op) {
#define GEMEL_OPERATION(operation, expression)                                                     \
    case Op::operation:                                                                            \
        return #operation;
        GEMEL_UNARY_OPERATIONS(GEMEL_OPERATION)
        GEMEL_BINARY_OPERATIONS(GEMEL_OPERATION)
        GEMEL_TERNARY_OPERATIONS(GEMEL_OPERATION)
#undef GEMEL_OPERATION
    case Op::constant:
        return "constant";
    case Op::leaf:
        break;
    }
    return "leaf";
}

} // namespace gemel::sim
