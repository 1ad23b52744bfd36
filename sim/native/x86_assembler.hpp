#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

/// Vector instructions of x86-64 as bytes: as many as primitives need.
namespace gemel::sim {

/// AVX2 with FMA, whose vectors are 4 doubles in 16 registers; or AVX-512, 8 in 32.
enum class VectorSet { avx2, avx512 };

constexpr int vector_bytes(VectorSet set) {
    return set == VectorSet::avx512 ? 64 : 32;
}
constexpr int n_vector_registers(VectorSet set) {
    return set == VectorSet::avx512 ? 32 : 16;
}

/// General registers that addresses count from.
enum class Base : std::uint8_t { constants = 0, slots = 1, scratch = 2 };

/// A vector register, or a place in memory.
struct X86Operand {
    int number = -1;            ///< of a register; −1: in memory
    Base base = Base::slots;    ///< of a place
    std::int32_t offset = 0;    ///< from the base, in bytes
    bool is_one_number = false; ///< eight bytes that stand for every lane (AVX-512)

    static X86Operand in_register(int number) { return {number, Base::slots, 0, false}; }
    bool is_register() const { return number >= 0; }
};

/// An instruction as the manuals tabulate it; AVX-512's is the same with its prefix and W1.
struct VectorInstruction {
    std::uint8_t map = 1;    ///< of opcodes: 1 is 0F, 2 is 0F38, 3 is 0F3A
    std::uint8_t prefix = 1; ///< none, 66, F3, F2
    std::uint8_t opcode = 0;
    bool is_wide = false;   ///< W1 in AVX2's form
    bool reads_one = false; ///< eight bytes in any case: a broadcast
};

/// Bytes as they are written.
class X86Assembler {
public:
    explicit X86Assembler(VectorSet set) : set_(set) {}

    static constexpr int no_immediate = -1;
    /// `reg` is mostly the result, `second` and `rm` the operands; `rm` alone may be in memory.
    void vector(const VectorInstruction& instruction,
                int reg,
                int second,
                const X86Operand& rm,
                int immediate = no_immediate);
    void byte(unsigned value) {
        make_room();
        put(value);
    }
    void word(std::int32_t value);
    void set_word(std::size_t at, std::int32_t value);
    void pad_to(std::size_t alignment);

    std::size_t size() const { return size_; }
    std::vector<unsigned char> take() {
        bytes_.resize(size_);
        return std::move(bytes_);
    }

private:
    void vex(const VectorInstruction& instruction, int reg, int second, const X86Operand& rm);
    void evex(const VectorInstruction& instruction, int reg, int second, const X86Operand& rm);
    void place(int reg, const X86Operand& rm, int scale);

    static constexpr std::size_t longest = 16; ///< of any instruction
    void make_room() {
        if (bytes_.size() < size_ + longest) bytes_.resize(2 * (size_ + longest));
    }
    void put(unsigned value) { bytes_[size_++] = static_cast<unsigned char>(value); }
    void put_word(std::int32_t value);

    VectorSet set_;
    std::vector<unsigned char> bytes_; ///< with room behind them
    std::size_t size_ = 0;
};

} // namespace gemel::sim
