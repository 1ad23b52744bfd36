#pragma once

#include <gemel/sim/expression.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Straight-line programs that advance many subjects side by side, one per SIMD lane.
namespace gemel::sim {

/// Where each leaf lives in a workspace: slot-major, `width` doubles per slot.
struct WorkspaceLayout {
    std::array<int, n_leaf_kinds> counts{}; ///< slots per LeafKind

    /// Grows to hold leaves that no program mentions but a solver writes, before compiling.
    void make_room(LeafKind kind, int count);

    int n_slots() const;
    int slot(Leaf leaf) const;
    int count(LeafKind kind) const { return counts[static_cast<std::size_t>(kind)]; }
};

/// One SSA program: instruction i computes value i; then values are stored. Loads see the workspace
/// as it was before any store. Position-independent data without pointers: can be written as text.
struct LaneProgram {
    struct Instruction {
        Op op = Op::constant;
        std::uint32_t a = 0, b = 0, c = 0; ///< operand values; unused ones are 0
        double value = 0.0;                ///< of a constant
        Leaf leaf;                         ///< of a load
        bool operator==(const Instruction&) const = default;
    };
    struct Store {
        Leaf to;
        std::uint32_t value = 0;
        bool operator==(const Store&) const = default;
    };
    std::string name;
    std::vector<Instruction> instructions;
    std::vector<Store> stores;

    /// Operations that compute: without loads, constants and stores.
    int n_operations() const;
    bool operator==(const LaneProgram&) const = default;
};

/// The text form, first line `gemel-lane-program/1`; numbers as hexadecimal floats, so that reading
/// gives the same bits. Grammar and semantics: docs/reference/lane_program.md.
std::string to_text(const LaneProgram& program);
/// @throws std::invalid_argument naming the line that is not understood
LaneProgram lane_program_from_text(std::string_view text);

/// What to compute and where to store it.
struct ProgramSpec {
    std::string name;
    struct Target {
        Leaf to;
        Expr value;
    };
    std::vector<Target> targets;
};

/// Programs that share a workspace. `prepare` computes the `derived` slots, everything that depends
/// on inputs alone, once per subject; the others load them.
struct ProgramSet {
    LaneProgram prepare;
    std::vector<LaneProgram> programs; ///< in the order of the specs
    WorkspaceLayout layout; ///< large enough for all of them; time, step and tolerance always
};

/// Lowers expressions: hoists what depends on inputs only into `prepare`, divides by hoisted values
/// by multiplying with their hoisted reciprocal, forms fused multiply-adds by shape alone (never by
/// how often a product is used, so that adding a target changes no other target's bits).
ProgramSet lower(ExpressionGraph& graph, std::span<const ProgramSpec> specs);

/// A program bound to a width, ready to run.
class Kernel {
public:
    virtual ~Kernel() = default;
    /// Slots of `width` doubles that `run` needs: the layout's first, scratch behind.
    virtual int n_slots() const = 0;
    /// @param workspace  [n_slots() × width], 64-byte aligned
    virtual void run(double* workspace) const noexcept = 0;
};

/// Turns programs into kernels. All executors give the same bits.
class Executor {
public:
    virtual ~Executor() = default;
    /// @param width  lanes, a positive multiple of 8, or 1 for scalar solvers
    /// @throws std::invalid_argument for another width, or a leaf that the layout has no slot for
    virtual std::unique_ptr<Kernel>
    compile(const LaneProgram& program, const WorkspaceLayout& layout, int width) const = 0;
};

/// Instruction sets the interpreter's kernels are compiled for. Same bits from each.
enum class InstructionSet { baseline, x86_64_v3, x86_64_v4 };
InstructionSet best_instruction_set();     ///< of this machine
std::string_view name(InstructionSet set); ///< "baseline", "x86-64-v3", "x86-64-v4"
/// The width at which an operation costs least per lane: a column fits in registers.
int best_width(InstructionSet set = best_instruction_set());
/// @throws std::invalid_argument if this machine lacks the set
const Executor& interpreter(InstructionSet set = best_instruction_set());

} // namespace gemel::sim
