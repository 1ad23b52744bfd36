#pragma once

#include <gemel/sim/lane_program.hpp>

#include <cstddef>
#include <cstdint>

/// The interpreter's kernels: one handler per operation and way of finding its operands, compiled
/// once per instruction set. Handlers call one another; what one computes stays in registers, the
/// accumulator, for the next. docs/decisions/interpreter.md.
namespace gemel::sim {

/// Where an operand is.
enum class OperandMode : unsigned char { column, number, accumulator };

/// Of operands a, b, c; those that an operation lacks are columns.
struct Modes {
    OperandMode a = OperandMode::column, b = OperandMode::column, c = OperandMode::column;
    static constexpr std::size_t count = 27;
    constexpr OperandMode operator[](int k) const { return k == 0 ? a : k == 1 ? b : c; }
    constexpr std::size_t index() const {
        return static_cast<std::size_t>(a) + 3 * static_cast<std::size_t>(b) +
               9 * static_cast<std::size_t>(c);
    }
    static constexpr Modes at(std::size_t index) {
        return {static_cast<OperandMode>(index % 3),
                static_cast<OperandMode>(index / 3 % 3),
                static_cast<OperandMode>(index / 9)};
    }
};

/// An operation as its handler reads it. The one before has read `columns` already, so that no
/// column waits for its address.
struct Step {
    using Handler = void (*)(); ///< of a type that its instruction set alone knows
    Handler handler = nullptr;
    std::uint64_t columns = 0; ///< the first operand that is a column, and the second << 32
    double numbers[2] = {};    ///< operands that are numbers
    std::uint32_t third = 0;   ///< operand that is a column
    std::uint32_t out = 0;     ///< unused by handlers that do not store
};

/// Lanes that a handler takes at once.
enum class Chunk { one_lane, eight_lanes, registers };

struct KernelSet {
    int lanes_of_registers; ///< lanes of Chunk::registers, a multiple of 8
    /// Of n steps alike, one after the other, of which the last may store. Null where there is
    /// none. Op::leaf copies a.
    Step::Handler (*handler)(Chunk chunk, Op op, Modes modes, bool stores, std::size_t n);
    Step::Handler (*stop)(Chunk chunk); ///< the last handler
    /// For chunk after chunk of `width` lanes, all steps.
    void (*run)(Chunk chunk, const Step* steps, double* workspace, int width);
};

const KernelSet& baseline_kernels();
/// Null when not built for x86-64.
const KernelSet* x86_64_v3_kernels();
const KernelSet* x86_64_v4_kernels();

} // namespace gemel::sim
