#pragma once

#include "base/index.hpp"
#include "native/x86_assembler.hpp"
#include "native/x86_order.hpp"
#include "native/x86_selection.hpp"

#include <array>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

/// Where values are while code is written: in registers, in the workspace, among the constants.
namespace gemel::sim {

/// How a function's lanes become vectors: `n_parts` of them side by side, one after the other
/// until all lanes are done. Two of AVX-512 hide each other's latency and still leave 16 pairs of
/// registers; AVX2 has 16 in all, so that there the order of operations alone hides it.
struct LaneShape {
    VectorSet set;
    int width, n_parts, n_rounds;

    LaneShape(VectorSet vectors, int lanes)
        : set(vectors),
          width(lanes),
          n_parts(vectors == VectorSet::avx512 && lanes >= 16 ? 2 : 1),
          n_rounds(lanes * 8 / vector_bytes(set) / n_parts) {}
    int slot_bytes() const { return width * 8; }
    int part_bytes() const { return vector_bytes(set); }
    int round_bytes() const { return n_parts * part_bytes(); }
};

/// Constants of all functions, each once, behind the code.
class ConstantPool {
public:
    explicit ConstantPool(VectorSet set) : bytes_each_(set == VectorSet::avx512 ? 8 : 32) {}

    /// From the base, which lies so far behind the first that short offsets reach both ways.
    static constexpr std::int32_t bias = 1024;
    std::int32_t offset(std::uint64_t bits);
    void write(X86Assembler& to) const;

private:
    int bytes_each_;
    std::unordered_map<std::uint64_t, int> number_of_;
    std::vector<std::uint64_t> all_;
};

/// The values of one function. Registers hold what is used next: when they run out, the value that
/// is needed farthest ahead is given up (Belady). A register here is a group of `n_parts` of the
/// machine's.
class PlacedValues {
public:
    PlacedValues(const MachineFunction& function,
                 const OperationOrder& order,
                 int n_layout_slots,
                 const LaneShape& shape,
                 X86Assembler& out,
                 ConstantPool& constants);

    /// Bases lie so many bytes behind where slots and scratch begin.
    static constexpr std::int32_t slots_bias = 8192, scratch_bias = 8192;
    int n_scratch() const { return n_scratch_; } ///< of `round_bytes` each

    // One operation after the other, in their order: begin, then what it needs, then consume or
    // result, end.
    void begin(const MachineOp& op);
    void end();
    /// Its operands are used. Where they are stays what it was until something else is placed.
    void consume(const MachineOp& op);
    /// Operands are used, and this is the register of what comes of them.
    int result(const MachineOp& op);
    void put_result(const MachineOp& op, int group);

    bool is_in_register(std::uint32_t v) const { return values_[v].group != nowhere; }
    bool is_last_use(std::uint32_t v) const { return values_[v].next + 1 == values_[v].end; }
    /// Until the end of the operation.
    void bring(std::uint32_t v);
    /// An operand that may stay in memory: into a register all the same if it is used again sooner
    /// than another that is in memory too.
    void bring_if_worth(std::uint32_t v);
    int group(std::uint32_t v) const { return values_[v].group; }
    int number(int group, int part) const { return group * shape_.n_parts + part; }
    /// By part.
    std::array<X86Operand, 2> operands(std::uint32_t v);

    /// Of operands one whose register a result may take: one that is not needed again, else one
    /// that comes from memory anyway, else the first.
    std::uint32_t to_overwrite(const std::array<std::uint32_t, 3>& candidates) const;
    /// Its group, or a copy's: nobody else needs it.
    int overwritten(std::uint32_t v);

    /// Stores a value that is in a register. What lay in the slot, if it is still needed, moves.
    void store(std::uint32_t v, int slot);

private:
    static constexpr std::uint32_t no_value = UINT32_MAX;
    static constexpr int nowhere = -1;
    struct Value {
        std::uint32_t next = 0, end = 0; ///< of its uses
        int group = nowhere;             ///< register
        int scratch = nowhere;           ///< place in scratch
        int slot = nowhere;              ///< of the layout that holds it now
    };

    void find_slots();
    bool is_constant(std::uint32_t v) const {
        return function_.values[v].kind == MachineValue::Kind::constant;
    }
    bool is_dead(std::uint32_t v) const { return values_[v].next == values_[v].end; }
    bool is_in_memory(std::uint32_t v) const {
        return is_constant(v) || values_[v].slot != nowhere || values_[v].scratch != nowhere;
    }
    std::uint32_t distance(std::uint32_t use) const { return order_.uses[use] - op_; }
    X86Operand slot_place(int slot, int part) const;
    X86Operand scratch_place(int scratch, int part) const;
    X86Operand place(std::uint32_t v, int part);

    int allocate();
    /// Of groups the one that is needed last; as if twice as far if giving it up costs no store.
    int farthest(std::uint64_t among) const;
    void note_whether_stored(std::uint32_t v);
    std::uint32_t distance_of(int group) const { return next_use_[index(group)] - op_; }
    void hold(int group, std::uint32_t v);
    void release(std::uint32_t v);
    void give_up(int group);
    void load(int group, std::uint32_t v);
    void pin(std::uint32_t v) { pinned_ |= std::uint64_t{1} << values_[v].group; }
    int new_scratch();
    void save_from(int slot);

    const MachineFunction& function_;
    const OperationOrder& order_;
    const LaneShape& shape_;
    X86Assembler& out_;
    ConstantPool& constants_;
    int n_groups_;
    std::vector<Value> values_;
    std::vector<std::uint32_t> holder_;     ///< value in each group
    std::vector<std::uint32_t> next_use_;   ///< of these: places in the order
    std::vector<std::uint32_t> in_slot_;    ///< values that lie in the layout's slots
    std::uint64_t all_, free_;              ///< groups, one bit each
    std::uint64_t pinned_ = 0, stored_ = 0; ///< until the end of the operation; in memory as well
    std::vector<int> free_scratch_, left_;  ///< places; those whose values died in this operation
    int n_scratch_ = 0;
    std::uint32_t op_ = 0; ///< place of the one in hand
};

} // namespace gemel::sim
