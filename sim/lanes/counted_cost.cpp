#include "lanes/counted_cost.hpp"

namespace gemel::sim {
namespace {

/// Rounded from times of the interpreter's kernels per lane, an addition being 1
/// (docs/decisions/counted_cost.md).
double cost(Op op) {
    switch (op) {
    case Op::constant:
    case Op::leaf:
        return 0.0;
    case Op::divide:
        return 2.0;
    case Op::square_root:
        return 4.0;
    case Op::exponential:
    case Op::logarithm:
    case Op::log1p:
    case Op::sine:
    case Op::cosine:
        return 12.0;
    case Op::expm1:
        return 15.0;
    case Op::hyperbolic_tangent:
        return 20.0;
    case Op::error_function:
        return 30.0;
    case Op::power:
        return 85.0;
    default:
        return 1.0;
    }
}

} // namespace

double counted_cost(const LaneProgram& program) {
    double sum = 0.0;
    for (const LaneProgram::Instruction& instruction : program.instructions)
        sum += cost(instruction.op);
    return sum;
}

} // namespace gemel::sim
