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
    bool is_minus_product = false, is_minus_addend = false; ///< of fma
    std::uint32_t a = 0, b = 0, c = 0;                      ///< values
    std::uint32_t result = 0;                               ///< value; not of a store
    std::uint64_t bits = 0;                                 ///< slot of a store, width of a shift
};

struct MachineFunction {
    std::vector<MachineValue> values;
    std::vector<MachineOp> ops;
};

MachineFunction select_operations(const PrimitiveFunction& function);

} // namespace gemel::sim
