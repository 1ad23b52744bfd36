#pragma once

#include <gemel/sim/lane_program.hpp>

#include <cstddef>

/// The interpreter's kernels: one handler per operation and way of finding its operands, compiled
/// once per instruction set. Handlers call one another; what one computes stays in registers, the
/// accumulator, for the next. docs/decisions/interpreter.md.
namespace gemel::sim {

/// Where an operand is.
enum class Mode : unsigned char { column, number, accumulator };

/// Of operands a, b, c; those that an operation lacks are columns.
struct Modes {
    Mode a = Mode::column, b = Mode::column, c = Mode::column;
    static constexpr std::size_t count = 27;
    constexpr std::size_t index() const {
        return static_cast<std::size_t>(a) + 3 * static_cast<std::size_t>(b) +
               9 * static_cast<std::size_t>(c);
    }
    static constexpr Modes at(std::size_t index) {
        return {static_cast<Mode>(index % 3),
                static_cast<Mode>(index / 3 % 3),
                static_cast<Mode>(index / 9)};
    }
};

/// An operation as its handler reads it.
struct Step {
    union Operand {
        std::ptrdiff_t column; ///< of the first lane, in the workspace
        double number;
    };
    using Handler = void (*)(); ///< of a type that its instruction set alone knows
    Handler handler = nullptr;
    Operand a{0}, b{0}, c{0};
    std::ptrdiff_t out = 0; ///< column; unused by handlers that do not store
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
