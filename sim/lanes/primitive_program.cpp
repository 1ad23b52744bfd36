#include "lanes/primitive_program.hpp"

#include "base/index.hpp"
#include "expr/lane_operations.hpp"
#include "lanes/recorded_number.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace gemel::sim {
namespace {

using lane::RecordedReal;

/// What is stored last to a slot.
struct SlotStore {
    int slot = 0;
    std::uint32_t value = 0;
};

/// A program as recorded values and what to store of them.
struct Recording {
    std::vector<PrimitiveOp> ops;
    std::vector<SlotStore> stores;
};

int checked_slot(const WorkspaceLayout& layout, Leaf leaf) {
    if (leaf.index < 0 || leaf.index >= layout.count(leaf.kind))
        throw std::invalid_argument(fmt::format(
            "Executor::compile: the layout has no slot for {} {}", name(leaf.kind), leaf.index));
    return layout.slot(leaf);
}

/// The one definition of every operation, run on recorded numbers.
RecordedReal operation(Op op, const RecordedReal& a, const RecordedReal& b, const RecordedReal& c) {
    switch (op) {
#define GEMEL_OPERATION(operation, expression)                                                     \
    case Op::operation:                                                                            \
        return expression;
        GEMEL_UNARY_OPERATIONS(GEMEL_OPERATION)
        GEMEL_BINARY_OPERATIONS(GEMEL_OPERATION)
        GEMEL_TERNARY_OPERATIONS(GEMEL_OPERATION)
#undef GEMEL_OPERATION
    default:
        return a;
    }
}

Recording record(const LaneProgram& program, const WorkspaceLayout& layout) {
    const std::size_t n = program.instructions.size();
    PrimitiveRecorder recorder(n + n / 2);
    std::vector<RecordedReal> values;
    values.reserve(n);
    const auto at = [&](std::uint32_t value) {
        if (value >= values.size())
            throw std::invalid_argument("Executor::compile: a value is used before it is computed");
        return values[value];
    };
    const auto of = [&](const PrimitiveOp& op) {
        return RecordedReal(recorder, recorder.record(op));
    };
    for (const LaneProgram::Instruction& i : program.instructions) {
        const int arity = n_operands(i.op);
        if (i.op == Op::constant)
            values.push_back(of({Primitive::real_constant, 0, 0, 0, lane::bits(i.value)}));
        else if (i.op == Op::leaf)
            values.push_back(of({Primitive::load,
                                 0,
                                 0,
                                 0,
                                 static_cast<std::uint64_t>(checked_slot(layout, i.leaf))}));
        else
            values.push_back(operation(
                i.op, at(i.a), arity > 1 ? at(i.b) : at(i.a), arity > 2 ? at(i.c) : at(i.a)));
    }
    Recording recording;
    std::vector<int> store_of(index(layout.n_slots()), -1);
    for (const LaneProgram::Store& store : program.stores) {
        const int slot = checked_slot(layout, store.to);
        int& place = store_of[index(slot)];
        if (place < 0) {
            place = static_cast<int>(recording.stores.size());
            recording.stores.push_back({});
        }
        recording.stores[index(place)] = {slot, at(store.value).in(recorder)};
    }
    recording.ops = std::move(recorder).take();
    return recording;
}

/// Cuts a recording into functions and writes them.
class Cutter {
public:
    Cutter(const Recording& recording, int n_layout_slots, const Cut& cut)
        : ops_(recording.ops),
          stores_(recording.stores),
          n_slots_(n_layout_slots),
          uses_(ops_.size()) {
        find_parts(cut);
        place_stores(n_layout_slots);
        find_last_uses();
    }

    PrimitiveProgram write() {
        for (int part = 0; part < n_parts_; ++part)
            write_part(part);
        return {std::move(functions_), n_slots_};
    }

private:
    static constexpr int nowhere = -1;
    /// What is known of a value.
    struct Use {
        int part = nowhere; ///< function that computes it; nowhere: a load, a constant, not needed
        int last_part = nowhere;  ///< that needs it
        int slot = nowhere;       ///< where later functions find it
        int written_in = nowhere; ///< function for which `as` holds
        std::uint32_t as = 0;     ///< its number there
    };
    struct PlacedStore {
        SlotStore store;
        int part = 0;
        std::uint32_t after = 0; ///< the op it follows; n_ops: at the end
    };

    Use& use(std::uint32_t value) { return uses_[value]; }
    bool is_computed(std::uint32_t value) const { return ops_[value].op > Primitive::load; }
    template <class Visit>
    void for_operands(const PrimitiveOp& op, const Visit& visit) const {
        const std::uint32_t operands[] = {op.a, op.b, op.c};
        for (int i = 0; i < n_operands(op.op); ++i)
            visit(operands[i]);
    }

    /// Equal shares of what is needed, in order.
    void find_parts(const Cut& cut) {
        std::vector<char> is_needed(ops_.size(), 0);
        for (const SlotStore& store : stores_)
            is_needed[store.value] = 1;
        for (std::size_t i = ops_.size(); i-- > 0;)
            if (is_needed[i] != 0)
                for_operands(ops_[i], [&](std::uint32_t operand) { is_needed[operand] = 1; });
        for (std::uint32_t i = 0; i < ops_.size(); ++i)
            if (is_needed[i] != 0 && is_computed(i)) needed_.push_back(i);
        const auto n = static_cast<int>(needed_.size());
        n_parts_ = n <= cut.uncut ? 1 : (n + cut.longest - 1) / cut.longest;
        for (int i = 0; i < n; ++i)
            use(needed_[index(i)]).part =
                static_cast<int>(static_cast<std::int64_t>(i) * n_parts_ / n);
    }

    /// A slot is stored to where its value is computed, or behind the last load of what lay there:
    /// in that function, behind its first use of it (each function loads a slot once).
    void place_stores(int n_layout_slots) {
        const auto end = static_cast<std::uint32_t>(ops_.size());
        std::vector<int> load_part(index(n_layout_slots), nowhere);
        std::vector<std::uint32_t> load_at(index(n_layout_slots), 0);
        const auto note_load = [&](std::uint32_t value, int part, std::uint32_t at) {
            if (ops_[value].op != Primitive::load || load_part[ops_[value].bits] == part) return;
            load_part[ops_[value].bits] = part;
            load_at[ops_[value].bits] = at;
        };
        for (const std::uint32_t i : needed_)
            for_operands(ops_[i], [&](std::uint32_t a) { note_load(a, use(i).part, i); });
        for (const SlotStore& store : stores_)
            note_load(store.value, n_parts_ - 1, end);
        for (const SlotStore& store : stores_) {
            PlacedStore placed{store, n_parts_ - 1, end};
            const int last_load = load_part[index(store.slot)];
            if (is_computed(store.value)) {
                placed.part = std::max(use(store.value).part, last_load);
                placed.after = placed.part == use(store.value).part ? store.value : 0;
                if (last_load == placed.part)
                    placed.after = std::max(placed.after, load_at[index(store.slot)]);
            }
            placed_.push_back(placed);
        }
        std::stable_sort(placed_.begin(), placed_.end(), [](const auto& x, const auto& y) {
            return std::pair(x.part, x.after) < std::pair(y.part, y.after);
        });
    }

    void find_last_uses() {
        const auto note = [&](std::uint32_t value, int part) {
            use(value).last_part = std::max(use(value).last_part, part);
        };
        for (const std::uint32_t i : needed_)
            for_operands(ops_[i], [&](std::uint32_t operand) { note(operand, use(i).part); });
        for (const PlacedStore& placed : placed_) {
            note(placed.store.value, placed.part);
            Use& stored = use(placed.store.value);
            if (stored.part == placed.part) stored.slot = placed.store.slot;
        }
    }

    int new_scratch(int part, int last_part) {
        const auto free = std::find_if(
            scratch_.begin(), scratch_.end(), [&](const auto& s) { return s.second < part; });
        if (free == scratch_.end()) {
            scratch_.emplace_back(n_slots_, last_part);
            return n_slots_++;
        }
        free->second = last_part;
        return free->first;
    }

    std::uint32_t append(const PrimitiveOp& op) {
        functions_.back().push_back(op);
        return static_cast<std::uint32_t>(functions_.back().size() - 1);
    }

    /// Its number in the function being written; loaded first where another function left it.
    std::uint32_t value_in(std::uint32_t value, int part) {
        Use& u = use(value);
        if (u.written_in == part) return u.as;
        u.written_in = part;
        if (!is_computed(value)) return u.as = append(ops_[value]);
        const auto slot = static_cast<std::uint64_t>(u.slot);
        const ValueKind kind = value_kind(ops_[value].op);
        if (kind == ValueKind::real) return u.as = append({Primitive::load, 0, 0, 0, slot});
        u.as = append({Primitive::load_bits, 0, 0, 0, slot});
        if (kind == ValueKind::bits) return u.as;
        const std::uint32_t zero = append({Primitive::bits_constant, 0, 0, 0, 0});
        const std::uint32_t is_zero = append({Primitive::bits_equal, u.as, zero, 0, 0});
        return u.as = append({Primitive::mask_not, is_zero, 0, 0, 0});
    }

    void leave(std::uint32_t value, int part) {
        Use& u = use(value);
        if (u.last_part <= part || u.slot != nowhere) return;
        u.slot = new_scratch(part, u.last_part);
        const auto slot = static_cast<std::uint64_t>(u.slot);
        const ValueKind kind = value_kind(ops_[value].op);
        std::uint32_t as = u.as;
        if (kind == ValueKind::mask) as = append({Primitive::mask_to_bits, as, 0, 0, 0});
        append(
            {kind == ValueKind::real ? Primitive::store : Primitive::store_bits, as, 0, 0, slot});
    }

    void write_op(std::uint32_t value, int part) {
        PrimitiveOp op = ops_[value];
        std::uint32_t* operands[] = {&op.a, &op.b, &op.c};
        for (int i = 0; i < n_operands(op.op); ++i)
            *operands[i] = value_in(*operands[i], part);
        use(value).written_in = part;
        use(value).as = append(op);
        leave(value, part);
    }

    void write_stores(int part, std::uint32_t up_to) {
        for (; next_store_ < placed_.size() && placed_[next_store_].part == part &&
               placed_[next_store_].after <= up_to;
             ++next_store_) {
            const SlotStore& store = placed_[next_store_].store;
            append({Primitive::store,
                    value_in(store.value, part),
                    0,
                    0,
                    static_cast<std::uint64_t>(store.slot)});
        }
    }

    void write_part(int part) {
        functions_.emplace_back();
        const auto end = static_cast<std::uint32_t>(ops_.size());
        // What is stored at the end may be loads: of slots that stores on the way must not touch.
        for (; next_ < needed_.size() && use(needed_[next_]).part == part; ++next_) {
            write_op(needed_[next_], part);
            write_stores(part, needed_[next_]);
        }
        for (std::size_t i = next_store_; i < placed_.size() && placed_[i].part == part; ++i)
            value_in(placed_[i].store.value, part);
        write_stores(part, end);
    }

    const std::vector<PrimitiveOp>& ops_;
    const std::vector<SlotStore>& stores_;
    int n_slots_;
    int n_parts_ = 1;
    std::vector<Use> uses_;
    std::vector<std::uint32_t> needed_;        ///< values that are computed
    std::vector<PlacedStore> placed_;          ///< in order
    std::vector<std::pair<int, int>> scratch_; ///< slot, function that needs it last
    std::size_t next_ = 0, next_store_ = 0;
    std::vector<PrimitiveFunction> functions_;
};

} // namespace

PrimitiveProgram expand(const LaneProgram& program, const WorkspaceLayout& layout, const Cut& cut) {
    const Recording recording = record(program, layout);
    return Cutter(recording, layout.n_slots(), cut).write();
}

ValueKind value_kind(Primitive op) {
    switch (op) {
    case Primitive::store:
    case Primitive::store_bits:
        return ValueKind::nothing;
    case Primitive::mask_constant:
    case Primitive::less:
    case Primitive::less_equal:
    case Primitive::equal:
    case Primitive::mask_and:
    case Primitive::mask_or:
    case Primitive::mask_not:
    case Primitive::bits_equal:
        return ValueKind::mask;
    case Primitive::real_constant:
    case Primitive::load:
    case Primitive::add:
    case Primitive::subtract:
    case Primitive::multiply:
    case Primitive::divide:
    case Primitive::negate:
    case Primitive::fma:
    case Primitive::square_root:
    case Primitive::select:
    case Primitive::real_of:
        return ValueKind::real;
    default:
        return ValueKind::bits;
    }
}

int n_operands(Primitive op) {
    switch (op) {
    case Primitive::real_constant:
    case Primitive::bits_constant:
    case Primitive::mask_constant:
    case Primitive::load:
    case Primitive::load_bits:
        return 0;
    case Primitive::store:
    case Primitive::store_bits:
    case Primitive::negate:
    case Primitive::square_root:
    case Primitive::mask_not:
    case Primitive::bits_of:
    case Primitive::real_of:
    case Primitive::bits_shift_left:
    case Primitive::bits_shift_right:
    case Primitive::mask_to_bits:
        return 1;
    case Primitive::fma:
    case Primitive::select:
        return 3;
    default:
        return 2;
    }
}

std::uint64_t apply(const PrimitiveOp& op, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    const auto real = [](std::uint64_t x) { return lane::from_bits(x); };
    switch (op.op) {
    case Primitive::add:
        return lane::bits(real(a) + real(b));
    case Primitive::subtract:
        return lane::bits(real(a) - real(b));
    case Primitive::multiply:
        return lane::bits(real(a) * real(b));
    case Primitive::divide:
        return lane::bits(real(a) / real(b));
    case Primitive::negate:
        return a ^ 0x8000000000000000U;
    case Primitive::fma:
        return lane::bits(lane::fma(real(a), real(b), real(c)));
    case Primitive::square_root:
        return lane::bits(lane::square_root(real(a)));
    case Primitive::less:
        return real(a) < real(b) ? 1 : 0;
    case Primitive::less_equal:
        return real(a) <= real(b) ? 1 : 0;
    case Primitive::equal:
        return real(a) == real(b) ? 1 : 0;
    case Primitive::mask_and:
    case Primitive::bits_and:
        return a & b;
    case Primitive::mask_or:
    case Primitive::bits_or:
        return a | b;
    case Primitive::mask_not:
        return a ^ 1U;
    case Primitive::select:
        return a != 0 ? b : c;
    case Primitive::bits_of:
    case Primitive::real_of:
        return a;
    case Primitive::bits_xor:
        return a ^ b;
    case Primitive::bits_add:
        return a + b;
    case Primitive::bits_subtract:
        return a - b;
    case Primitive::bits_shift_left:
        return a << op.bits;
    case Primitive::bits_shift_right:
        return a >> op.bits;
    case Primitive::bits_equal:
        return a == b ? 1 : 0;
    case Primitive::mask_to_bits:
        return a != 0 ? ~std::uint64_t{0} : 0;
    default:
        return op.bits;
    }
}

} // namespace gemel::sim
