#pragma once

#include "lanes/primitive_program.hpp"

#include <cstdint>
#include <vector>

/// Primitives as the operations of x86-64: signs go into multiply-adds, logic of masks is logic of
/// bits, and what only calls bits a number is nothing.
namespace gemel::sim {

struct MachineValue {
    enum class Kind : std::uint8_t { constant, slot, computed };
    Kind kind = Kind::computed;
    std::uint64_t bits = 0; ///< of a constant; a slot's number
};

/// Masks are all ones or 0 in each lane. Of primitives remain add … divide, fma, square_root,
/// comparisons, select, operations on bits, and store.
struct MachineOp {
    Primitive op = Primitive::add;
    std::uint8_t n_operands = 2;
    bool is_minus_product = false, is_minus_addend = false; ///< of fma
    std::uint32_t a = 0, b = 0, c = 0;                      ///< values
    std::uint32_t result = 0;                               ///< value; not of a store
    std::uint64_t bits = 0;                                 ///< slot of a store, width of a shift
};

struct MachineFunction {
    std::vector<MachineValue> values;
    std::vector<MachineOp> ops;
};

/// Visits an operation's operands, each once.
template <class Visit>
void for_operands(const MachineOp& op, const Visit& visit) {
    visit(op.a);
    if (op.n_operands > 1 && op.b != op.a) visit(op.b);
    if (op.n_operands > 2 && op.c != op.a && op.c != op.b) visit(op.c);
}

MachineFunction select_operations(const PrimitiveFunction& function);

} // namespace gemel::sim
