#include "lanes/interpreter_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <unordered_map>

namespace gemel::sim {
namespace {

constexpr int nowhere = -1;

int slot_of(const WorkspaceLayout& layout, Leaf leaf) {
    const auto kind = static_cast<std::size_t>(leaf.kind);
    if (leaf.index < 0 || leaf.index >= layout.counts[kind])
        throw std::invalid_argument(fmt::format(
            "Executor::compile: the layout has no slot for {} {}", name(leaf.kind), leaf.index));
    return layout.slot(leaf);
}

/// A value while planning: a load, a constant, or the result of a step.
struct Value {
    enum class Source { load, constant, step } source = Source::step;
    int slot = nowhere;     ///< of a load; of a step's result once it is placed
    int constant = nowhere; ///< index
    int last_use = -1;      ///< step that reads it last; the number of steps if stored at the end
    int wanted = nowhere;   ///< slot it is stored to first
};

class Planner {
public:
    Planner(const LaneProgram& program,
            const WorkspaceLayout& layout,
            const std::function<bool(Op, unsigned)>& is_allowed)
        : layout_(layout),
          is_allowed_(is_allowed),
          n_layout_slots_(layout.n_slots()),
          slot_last_read_(static_cast<std::size_t>(n_layout_slots_), -1),
          n_stores_to_(static_cast<std::size_t>(n_layout_slots_), 0) {
        plan_.n_slots = n_layout_slots_;
        for (const LaneProgram::Instruction& instruction : program.instructions)
            add_instruction(instruction);
        for (const LaneProgram::Store& store : program.stores)
            add_store(store);
    }

    Plan finish() {
        find_last_uses();
        for (int i = 0; i < static_cast<int>(steps_.size()); ++i)
            place(i);
        for (const PendingStore& store : stores_)
            if (at(store.value).slot != store.slot)
                plan_.steps.push_back(
                    {Op::constant, true, {false, at(store.value).slot}, {}, {}, store.slot});
        return std::move(plan_);
    }

private:
    static constexpr int no_operand = -1;
    struct PendingStep {
        Op op = Op::constant;
        bool is_copy = false;
        int operands[3] = {no_operand, no_operand, no_operand};
        int result = 0; ///< value
    };
    struct PendingStore {
        int slot = 0, value = 0;
    };

    Value& at(int value) { return values_[static_cast<std::size_t>(value)]; }
    int& last_read(int slot) { return slot_last_read_[static_cast<std::size_t>(slot)]; }

    int new_value(Value value) {
        values_.push_back(value);
        return static_cast<int>(values_.size()) - 1;
    }
    int add_step(PendingStep step) {
        step.result = new_value({});
        steps_.push_back(step);
        return step.result;
    }

    int new_constant(double value) {
        plan_.constants.push_back(value);
        Value added;
        added.source = Value::Source::constant;
        added.constant = static_cast<int>(plan_.constants.size()) - 1;
        return new_value(added);
    }
    int new_load(Leaf leaf) {
        Value added;
        added.source = Value::Source::load;
        added.slot = slot_of(layout_, leaf);
        return new_value(added);
    }

    void add_instruction(const LaneProgram::Instruction& instruction) {
        if (instruction.op == Op::constant)
            result_of_.push_back(new_constant(instruction.value));
        else if (instruction.op == Op::leaf)
            result_of_.push_back(new_load(instruction.leaf));
        else
            result_of_.push_back(add_operation(instruction));
    }

    int add_operation(const LaneProgram::Instruction& instruction) {
        PendingStep step;
        step.op = instruction.op;
        unsigned constants = 0;
        const std::uint32_t operands[] = {instruction.a, instruction.b, instruction.c};
        const int n = n_operands(instruction.op);
        for (int i = 0; i < n; ++i) {
            if (operands[i] >= result_of_.size())
                throw std::invalid_argument(
                    "Executor::compile: a value is used before it is computed");
            step.operands[i] = result_of_[operands[i]];
            if (at(step.operands[i]).source == Value::Source::constant) constants |= 1U << i;
        }
        if (!is_allowed_(step.op, constants))
            for (int i = 0; i < n; ++i)
                if ((constants >> i & 1U) != 0) step.operands[i] = add_copy(step.operands[i]);
        return add_step(step);
    }

    int add_copy(int value) {
        PendingStep step;
        step.is_copy = true;
        step.operands[0] = value;
        return add_step(step);
    }

    /// What is stored must be a step's result: a load that is stored is copied, since its slot may
    /// be stored to as well.
    void add_store(const LaneProgram::Store& store) {
        if (store.value >= result_of_.size())
            throw std::invalid_argument("Executor::compile: a value is stored but never computed");
        int value = result_of_[store.value];
        if (at(value).source != Value::Source::step) value = add_copy(value);
        const int slot = slot_of(layout_, store.to);
        ++n_stores_to_[static_cast<std::size_t>(slot)];
        if (at(value).wanted == nowhere) at(value).wanted = slot;
        stores_.push_back({slot, value});
    }

    void find_last_uses() {
        const int n = static_cast<int>(steps_.size());
        for (int i = 0; i < n; ++i)
            for (const int operand : steps_[static_cast<std::size_t>(i)].operands) {
                if (operand == no_operand) continue;
                at(operand).last_use = i;
                if (at(operand).source == Value::Source::load) last_read(at(operand).slot) = i;
            }
        for (const PendingStore& store : stores_)
            at(store.value).last_use = n;
    }

    /// A result goes straight to the slot it is stored to if no later step reads the old content.
    bool can_go_home(const Value& value, int step) {
        return value.wanted != nowhere && last_read(value.wanted) <= step &&
               n_stores_to_[static_cast<std::size_t>(value.wanted)] == 1;
    }

    int new_scratch() {
        if (free_.empty()) return plan_.n_slots++;
        const int slot = free_.back();
        free_.pop_back();
        return slot;
    }

    Place place_of(int operand) {
        if (operand == no_operand) return {false, 0};
        const Value& value = at(operand);
        return value.source == Value::Source::constant ? Place{true, value.constant}
                                                       : Place{false, value.slot};
    }

    void release(int operand, int step) {
        if (operand == no_operand) return;
        const Value& value = at(operand);
        const bool is_scratch =
            value.source == Value::Source::step && value.slot >= n_layout_slots_;
        if (is_scratch && value.last_use == step &&
            std::find(free_.begin(), free_.end(), value.slot) == free_.end())
            free_.push_back(value.slot);
    }

    void place(int i) {
        const PendingStep& step = steps_[static_cast<std::size_t>(i)];
        PlannedStep planned;
        planned.op = step.op;
        planned.is_copy = step.is_copy;
        planned.a = place_of(step.operands[0]);
        planned.b = place_of(step.operands[1]);
        planned.c = place_of(step.operands[2]);
        for (const int operand : step.operands) // a result may take the place of its operand
            release(operand, i);
        Value& result = at(step.result);
        result.slot = can_go_home(result, i) ? result.wanted : new_scratch();
        planned.out = result.slot;
        if (result.last_use < i) // computed for nobody
            release(step.result, result.last_use);
        plan_.steps.push_back(planned);
    }

    const WorkspaceLayout& layout_;
    const std::function<bool(Op, unsigned)>& is_allowed_;
    int n_layout_slots_;
    Plan plan_;
    std::vector<Value> values_;
    std::vector<int> result_of_; ///< value of each instruction
    std::vector<PendingStep> steps_;
    std::vector<PendingStore> stores_;
    std::vector<int> slot_last_read_;
    std::vector<int> n_stores_to_;
    std::vector<int> free_;
};

} // namespace

Plan make_plan(const LaneProgram& program,
               const WorkspaceLayout& layout,
               const std::function<bool(Op op, unsigned constants)>& is_allowed) {
    return Planner(program, layout, is_allowed).finish();
}

} // namespace gemel::sim
