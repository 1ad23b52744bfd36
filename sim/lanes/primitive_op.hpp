#pragma once

#include <cstdint>

/// What native code is made of: the operations that every machine has, on reals, bits (64-bit
/// integers) and masks. Plain data; its numbers are part of the plug-in's interface
/// (native/plug_in.hpp), so new ones go to the end.
namespace gemel::sim {

enum class Primitive : std::uint32_t {
    real_constant, ///< whose bits are `bits`
    bits_constant,
    mask_constant,    ///< `bits` is 0 or 1
    load,             ///< the real in slot `bits`
    store,            ///< real a to slot `bits`; has no value
    store_bits,       ///< bits a
    load_bits,        ///< as store_bits left them
    add,              ///< a + b; reals, as all up to square_root
    subtract,         ///< a − b
    multiply,         ///< a·b
    divide,           ///< a/b
    negate,           ///< the sign bit flipped
    fma,              ///< a·b + c, rounded once
    square_root,      ///< rounded correctly
    less,             ///< a < b as a mask; false with a NaN, as the next two
    less_equal,       ///< a ≤ b
    equal,            ///< a = b
    mask_and,         ///< of masks
    mask_or,          ///< of masks
    mask_not,         ///< of a mask
    select,           ///< real b where mask a, else real c
    bits_of,          ///< of a real
    real_of,          ///< of bits
    bits_and,         ///< bits, as all that follow
    bits_or,          ///< a | b
    bits_xor,         ///< a ^ b
    bits_add,         ///< modulo 2^64
    bits_subtract,    ///< modulo 2^64
    bits_shift_left,  ///< by `bits`
    bits_shift_right, ///< by `bits`, zeros coming in
    bits_equal,       ///< as a mask
    mask_to_bits,     ///< all ones where the mask, else 0
};

struct PrimitiveOp {
    Primitive op = Primitive::real_constant;
    std::uint32_t a = 0, b = 0, c = 0; ///< earlier ops of the same function; unused ones are 0
    std::uint64_t bits = 0;
    bool operator==(const PrimitiveOp&) const = default;
};

} // namespace gemel::sim
