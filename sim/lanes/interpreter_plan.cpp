#include "lanes/interpreter_plan.hpp"

#include "base/index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

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
    double number = 0.0;    ///< of a constant
    int last_use = nowhere; ///< step that reads its slot last; the number of steps if stored at the
                            ///< end; nowhere: it needs no slot
    int wanted = nowhere;   ///< slot it is stored to first
};

class Planner {
public:
    using IsBuilt = std::function<bool(Op, Modes, bool)>;

    Planner(const LaneProgram& program, const WorkspaceLayout& layout, const IsBuilt& is_built)
        : layout_(layout),
          is_built_(is_built),
          n_layout_slots_(layout.n_slots()),
          slot_last_read_(index(n_layout_slots_), nowhere),
          n_stores_to_(index(n_layout_slots_), 0) {
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
                plan_.steps.push_back({Op::leaf,
                                       {OperandMode::column, at(store.value).slot},
                                       {},
                                       {},
                                       true,
                                       store.slot});
        return std::move(plan_);
    }

private:
    static constexpr int no_operand = -1;
    struct PendingStep {
        Op op = Op::leaf;
        int operands[3] = {no_operand, no_operand, no_operand};
        OperandMode modes[3] = {};
        int result = 0; ///< value
    };
    struct PendingStore {
        int slot = 0, value = 0;
    };

    Value& at(int value) { return values_[index(value)]; }
    int& last_read(int slot) { return slot_last_read_[index(slot)]; }

    int new_value(Value value) {
        values_.push_back(value);
        return static_cast<int>(values_.size()) - 1;
    }

    void add_instruction(const LaneProgram::Instruction& instruction) {
        if (instruction.op == Op::constant)
            result_of_.push_back(
                new_value({.source = Value::Source::constant, .number = instruction.value}));
        else if (instruction.op == Op::leaf)
            result_of_.push_back(new_value(
                {.source = Value::Source::load, .slot = slot_of(layout_, instruction.leaf)}));
        else
            result_of_.push_back(add_operation(instruction));
    }

    int add_operation(const LaneProgram::Instruction& instruction) {
        PendingStep step{.op = instruction.op};
        const std::uint32_t operands[] = {instruction.a, instruction.b, instruction.c};
        for (int i = 0; i < n_operands(instruction.op); ++i) {
            if (operands[i] >= result_of_.size())
                throw std::invalid_argument(
                    "Executor::compile: a value is used before it is computed");
            step.operands[i] = result_of_[operands[i]];
        }
        return add_step(step);
    }

    bool has_handler(const PendingStep& step) const {
        return is_built_(step.op, {step.modes[0], step.modes[1], step.modes[2]}, true);
    }

    /// Operands from the accumulator and numbers where there is a handler for that, else from
    /// columns.
    int add_step(PendingStep step) {
        const int before = steps_.empty() ? no_operand : steps_.back().result;
        for (int i = 0; i < 3; ++i)
            if (step.operands[i] != no_operand) step.modes[i] = mode_of(step.operands[i], before);
        if (!has_handler(step)) {
            for (int i = 0; i < 3; ++i)
                if (step.modes[i] == OperandMode::number) {
                    step.operands[i] = add_copy(step.operands[i]);
                    step.modes[i] = OperandMode::column;
                }
            // A copy, if one was added, has the accumulator now.
            const bool keeps = steps_.empty() || steps_.back().result == before;
            for (OperandMode& mode : step.modes)
                if (mode == OperandMode::accumulator && !(keeps && has_handler(step)))
                    mode = OperandMode::column;
        }
        step.result = new_value({});
        steps_.push_back(step);
        return step.result;
    }

    OperandMode mode_of(int operand, int before) {
        if (at(operand).source == Value::Source::constant) return OperandMode::number;
        return operand == before ? OperandMode::accumulator : OperandMode::column;
    }

    int add_copy(int value) {
        PendingStep step;
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
        ++n_stores_to_[index(slot)];
        if (at(value).wanted == nowhere) at(value).wanted = slot;
        stores_.push_back({slot, value});
    }

    void find_last_uses() {
        const int n = static_cast<int>(steps_.size());
        for (int i = 0; i < n; ++i) {
            const PendingStep& step = steps_[index(i)];
            for (int k = 0; k < 3; ++k) {
                const int operand = step.operands[k];
                if (operand == no_operand || step.modes[k] != OperandMode::column) continue;
                at(operand).last_use = i;
                if (at(operand).source == Value::Source::load) last_read(at(operand).slot) = i;
            }
            if (!is_built_(step.op, {step.modes[0], step.modes[1], step.modes[2]}, false))
                at(step.result).last_use = i; // stores in any case
        }
        for (const PendingStore& store : stores_)
            at(store.value).last_use = n;
    }

    /// A result goes straight to the slot it is stored to if no later step reads the old content.
    bool can_go_home(const Value& value, int step) {
        return value.wanted != nowhere && last_read(value.wanted) <= step &&
               n_stores_to_[index(value.wanted)] == 1;
    }

    int new_scratch() {
        if (free_.empty()) return plan_.n_slots++;
        const int slot = free_.back();
        free_.pop_back();
        return slot;
    }

    Place place_of(const PendingStep& step, int k) {
        const int operand = step.operands[k];
        if (operand == no_operand || step.modes[k] == OperandMode::accumulator)
            return {step.modes[k]};
        return {step.modes[k], std::max(at(operand).slot, 0), at(operand).number};
    }

    void release(int operand, int step) {
        if (operand == no_operand) return;
        Value& value = at(operand);
        if (value.source != Value::Source::step || value.slot < n_layout_slots_) return;
        if (value.last_use != step) return;
        free_.push_back(value.slot);
        value.last_use = nowhere; // once, though it may be an operand twice
    }

    void place(int i) {
        const PendingStep& step = steps_[index(i)];
        PlannedStep planned{step.op, place_of(step, 0), place_of(step, 1), place_of(step, 2)};
        for (const int operand : step.operands) // a result may take the place of its operand
            release(operand, i);
        Value& result = at(step.result);
        if (result.last_use != nowhere) {
            result.slot = can_go_home(result, i) ? result.wanted : new_scratch();
            planned.stores = true;
            planned.out = result.slot;
            release(step.result, i); // stored for nobody
        }
        plan_.steps.push_back(planned);
    }

    const WorkspaceLayout& layout_;
    const IsBuilt& is_built_;
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
               const std::function<bool(Op op, Modes modes, bool stores)>& is_built) {
    return Planner(program, layout, is_built).finish();
}

} // namespace gemel::sim
