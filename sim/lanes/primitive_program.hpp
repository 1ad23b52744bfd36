#pragma once

#include "lanes/primitive_op.hpp"

#include <gemel/sim/lane_program.hpp>

#include <cstdint>
#include <vector>

/// A lane program down to primitives, as native code is made from it.
namespace gemel::sim {

/// Straight-line code: op i computes value i.
using PrimitiveFunction = std::vector<PrimitiveOp>;

/// Functions to be run one after the other on one workspace; values that one leaves for another go
/// through scratch slots behind the layout's.
struct PrimitiveProgram {
    std::vector<PrimitiveFunction> functions;
    int n_slots = 0; ///< the layout's, then scratch
};

/// How programs are cut. Compilers take more than proportional time for long functions, and make
/// worse code of them; short programs are better whole (measured: docs/decisions/native_code.md).
struct Cut {
    int uncut = 1500;  ///< operations of a program that stays one function
    int longest = 300; ///< operations of the functions of others, about
};

/// Expands every operation into primitives by running its one definition (expr/lane_operations.hpp)
/// on numbers that record; equal ones once, constants folded, what nobody stores left out. The same
/// bits as the interpreter, except that any NaN may stand for any other.
///
/// @throws std::invalid_argument for a leaf that the layout has no slot for, or a value used before
///         it is computed
PrimitiveProgram
expand(const LaneProgram& program, const WorkspaceLayout& layout, const Cut& cut = {});

enum class ValueKind { nothing, real, bits, mask };
ValueKind value_kind(Primitive op);
int n_operands(Primitive op);
/// Of values as bits, masks being 0 or 1. Not for loads and stores.
std::uint64_t apply(const PrimitiveOp& op, std::uint64_t a, std::uint64_t b, std::uint64_t c);

} // namespace gemel::sim
