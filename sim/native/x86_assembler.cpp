#include "native/x86_assembler.hpp"

#include <cstring>

namespace gemel::sim {

void X86Assembler::word(std::int32_t value) {
    make_room();
    put_word(value);
}

void X86Assembler::put_word(std::int32_t value) {
    set_word(size_, value);
    size_ += sizeof value;
}

void X86Assembler::set_word(std::size_t at, std::int32_t value) {
    std::memcpy(&bytes_[at], &value, sizeof value);
}

void X86Assembler::pad_to(std::size_t alignment) {
    while (size_ % alignment != 0)
        byte(0xcc); // never run
}

void X86Assembler::vector(const VectorInstruction& instruction,
                          int reg,
                          int second,
                          const X86Operand& rm,
                          int immediate) {
    make_room();
    if (set_ == VectorSet::avx512)
        evex(instruction, reg, second, rm);
    else
        vex(instruction, reg, second, rm);
    if (immediate != no_immediate) put(static_cast<unsigned>(immediate));
}

/// Prefixes hold the high bits of register numbers, and the second operand, inverted.
void X86Assembler::vex(const VectorInstruction& instruction,
                       int reg,
                       int second,
                       const X86Operand& rm) {
    const unsigned r = static_cast<unsigned>(~reg) >> 3 & 1U;
    const unsigned b = rm.is_register() ? static_cast<unsigned>(~rm.number) >> 3 & 1U : 1U;
    const unsigned last =
        (static_cast<unsigned>(~second) & 15U) << 3 | 1U << 2 | instruction.prefix;
    if (instruction.map == 1 && !instruction.is_wide && b == 1U) {
        put(0xc5);
        put(r << 7 | last);
    } else {
        put(0xc4);
        put(r << 7 | 1U << 6 | b << 5 | instruction.map);
        put((instruction.is_wide ? 1U << 7 : 0U) | last);
    }
    put(instruction.opcode);
    place(reg, rm, 1);
}

void X86Assembler::evex(const VectorInstruction& instruction,
                        int reg,
                        int second,
                        const X86Operand& rm) {
    const auto high = [](int number, int bit) {
        return static_cast<unsigned>(~number) >> bit & 1U;
    };
    const unsigned b = rm.is_register() ? high(rm.number, 3) : 1U;
    const unsigned x = rm.is_register() ? high(rm.number, 4) : 1U;
    put(0x62);
    put(high(reg, 3) << 7 | x << 6 | b << 5 | high(reg, 4) << 4 | instruction.map);
    put(1U << 7 | (static_cast<unsigned>(~second) & 15U) << 3 | 1U << 2 | instruction.prefix);
    put(2U << 5 | (rm.is_one_number && !instruction.reads_one ? 1U << 4 : 0U) |
        high(second, 4) << 3);
    put(instruction.opcode);
    place(reg, rm, rm.is_one_number ? 8 : 64);
}

/// Short offsets count in what the instruction reads.
void X86Assembler::place(int reg, const X86Operand& rm, int scale) {
    const unsigned middle = (static_cast<unsigned>(reg) & 7U) << 3;
    if (rm.is_register()) return put(0xc0U | middle | (static_cast<unsigned>(rm.number) & 7U));
    const int steps = rm.offset / scale;
    const bool is_short = rm.offset % scale == 0 && steps >= -128 && steps <= 127;
    put((is_short ? 0x40U : 0x80U) | middle | static_cast<unsigned>(rm.base));
    if (is_short)
        put(static_cast<unsigned>(steps) & 0xffU);
    else
        put_word(rm.offset);
}

} // namespace gemel::sim
