#include "native/x86_order.hpp"

#include "base/index.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace gemel::sim {
namespace {

/// So many operations one may overtake; none are looked at while enough are at hand.
constexpr std::size_t window = 512, enough = 24;
/// The first by priority is the one with the least sum of its place in the original order, less
/// the cycles that all takes which depends on it, and of values: one if it makes one, less those
/// that nobody else needs. The weights are measured (docs/decisions/own_code.md); twice or half of
/// one changes little.
constexpr int per_place = 1, per_cycle = 2, per_value = 64;

/// In cycles, from the issue of an operation to that of what uses it.
int latency(Primitive op) {
    switch (op) {
    case Primitive::add:
    case Primitive::subtract:
        return 3;
    case Primitive::multiply:
        return 4;
    case Primitive::fma:
        return 5;
    case Primitive::divide:
        return 13;
    case Primitive::square_root:
        return 16;
    default:
        return 1;
    }
}
/// So many cycles the machine hides by itself, by what it has fetched ahead.
constexpr int hidden_latency = 2;
/// From one division to the next.
constexpr int division_interval = 8;

class ListScheduler {
public:
    ListScheduler(const MachineFunction& function, int n_parts)
        : function_(function),
          n_parts_(n_parts),
          values_(function.values.size()),
          ops_(function.ops.size()) {
        due_.fill(none);
        count_uses();
        list_users();
        let_stores_wait();
        find_priorities();
    }

    OperationOrder take() {
        order_.ops.reserve(ops_.size());
        while (order_.ops.size() < ops_.size()) {
            look_ahead();
            issue(next());
        }
        return std::move(order_);
    }

private:
    static constexpr std::uint32_t none = UINT32_MAX;
    static constexpr int n_due = 64; ///< more cycles than any operation takes
    struct Value {
        std::uint32_t n_left = 0;   ///< users to come
        std::uint32_t next = 0;     ///< place in the list of uses
        std::uint32_t store = none; ///< that waits until this value of its slot is used
        int height = 0;             ///< cycles until all that depends on it is done
        bool is_computed = false;
    };
    struct Op {
        std::uint32_t n_missing = 0;   ///< operands that are not computed yet, and such
        int ready = 0;                 ///< cycle in which the last of them is
        int priority = 0;              ///< least first
        std::uint32_t next_due = none; ///< of those that are due in the same cycle
    };

    void count_uses() {
        for (std::size_t v = 0; v < values_.size(); ++v)
            values_[v].is_computed = function_.values[v].kind == MachineValue::Kind::computed;
        for (std::uint32_t i = 0; i < ops_.size(); ++i)
            for_operands(function_.ops[i], [&](std::uint32_t v) {
                ++values_[v].n_left;
                if (values_[v].is_computed) ++ops_[i].n_missing;
            });
    }

    /// Until a value is made the list of its uses holds who waits for it.
    void list_users() {
        std::uint32_t total = 0;
        order_.first_use.reserve(values_.size() + 1);
        for (Value& value : values_) {
            value.next = total;
            order_.first_use.push_back(total);
            total += value.n_left;
        }
        order_.first_use.push_back(total);
        order_.uses.resize(total);
        for (std::uint32_t i = 0; i < ops_.size(); ++i)
            for_operands(function_.ops[i],
                         [&](std::uint32_t v) { order_.uses[values_[v].next++] = i; });
    }

    /// What lies in a slot is used before something else is stored there, where it was so.
    void let_stores_wait() {
        std::vector<std::uint32_t> in_slot;
        for (std::uint32_t v = 0; v < values_.size(); ++v) {
            if (function_.values[v].kind != MachineValue::Kind::slot) continue;
            const auto slot = static_cast<std::size_t>(function_.values[v].bits);
            if (slot >= in_slot.size()) in_slot.resize(slot + 1, none);
            in_slot[slot] = v;
        }
        for (std::uint32_t i = 0; i < ops_.size(); ++i) {
            const MachineOp& op = function_.ops[i];
            if (op.op != Primitive::store || op.bits >= in_slot.size()) continue;
            const std::uint32_t v = in_slot[static_cast<std::size_t>(op.bits)];
            if (v == none || values_[v].n_left == 0) continue;
            if (order_.uses[order_.first_use[v + 1] - 1] >= i) continue;
            values_[v].store = i;
            ++ops_[i].n_missing;
        }
    }

    void find_priorities() {
        for (auto i = static_cast<std::uint32_t>(ops_.size()); i-- > 0;) {
            const MachineOp& op = function_.ops[i];
            const bool is_store = op.op == Primitive::store;
            const int height = latency(op.op) + (is_store ? 0 : values_[op.result].height);
            int n_new = is_store ? 0 : 1;
            for_operands(op, [&](std::uint32_t v) {
                Value& value = values_[v];
                value.height = std::max(value.height, height);
                value.next = order_.first_use[v];
                if (value.n_left == 1 && value.is_computed) --n_new;
            });
            ops_[i].priority =
                per_place * static_cast<int>(i) - per_cycle * height + per_value * n_new;
        }
    }

    void look_ahead() {
        const std::size_t end = std::min(ops_.size(), order_.ops.size() + window);
        for (; entered_ < end && available_.size() + n_waiting_ < enough; ++entered_)
            if (ops_[entered_].n_missing == 0) wait(entered_);
    }

    /// Of operations whose operands are there by now the first by priority; time goes on to when
    /// there is one.
    std::uint32_t next() {
        make_available(now_);
        while (available_.empty())
            make_available(++now_);
        std::uint64_t least = available_[0];
        std::size_t best = 0;
        for (std::size_t k = 1; k < available_.size(); ++k) { // without branches
            const std::uint64_t other = available_[k];
            best = other < least ? k : best;
            least = other < least ? other : least;
        }
        available_[best] = available_.back();
        available_.pop_back();
        return static_cast<std::uint32_t>(least);
    }

    void make_available(int until) {
        for (; checked_ <= until; ++checked_) {
            std::uint32_t& first = due_[index(checked_ % n_due)];
            for (; first != none; first = ops_[first].next_due, --n_waiting_)
                available_.push_back(candidate(first));
        }
    }
    /// A number in the order of priority, whose low half is the operation.
    std::uint64_t candidate(std::uint32_t op) const {
        constexpr std::int64_t above_any = std::int64_t{1} << 31; // no negative numbers
        return static_cast<std::uint64_t>(ops_[op].priority + above_any) << 32 | op;
    }

    void issue(std::uint32_t i) {
        const MachineOp& op = function_.ops[i];
        if (op.op == Primitive::divide) {
            now_ = std::max(now_, divider_free_);
            divider_free_ = now_ + division_interval * n_parts_;
        }
        for_operands(op, [&](std::uint32_t v) { use(values_[v]); });
        if (op.op != Primitive::store) make(op.result, now_ + latency(op.op));
        order_.ops.push_back(i);
        now_ += n_parts_;
    }

    void use(Value& value) {
        order_.uses[value.next++] = static_cast<std::uint32_t>(order_.ops.size());
        if (--value.n_left == 0 && value.store != none) satisfy(value.store);
    }

    void make(std::uint32_t v, int ready) {
        for (std::uint32_t use = order_.first_use[v]; use < order_.first_use[v + 1]; ++use) {
            const std::uint32_t user = order_.uses[use];
            ops_[user].ready = std::max(ops_[user].ready, ready);
            satisfy(user);
        }
    }

    void satisfy(std::uint32_t op) {
        if (--ops_[op].n_missing == 0 && op < entered_) wait(op);
    }
    void wait(std::uint32_t op) {
        const int due = std::max(ops_[op].ready - hidden_latency, checked_);
        ops_[op].next_due = std::exchange(due_[index(due % n_due)], op);
        ++n_waiting_;
    }

    const MachineFunction& function_;
    int n_parts_;
    std::vector<Value> values_;
    std::vector<Op> ops_;
    OperationOrder order_;
    std::array<std::uint32_t, n_due> due_;         ///< first op by cycle
    std::size_t n_waiting_ = 0;                    ///< of these
    std::vector<std::uint64_t> available_;         ///< by `candidate`
    std::uint32_t entered_ = 0;                    ///< ops that the window has reached
    int now_ = 0, checked_ = 0, divider_free_ = 0; ///< cycles
};

} // namespace

OperationOrder order_operations(const MachineFunction& function, int n_parts) {
    return ListScheduler(function, n_parts).take();
}

} // namespace gemel::sim
