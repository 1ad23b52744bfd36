#include "native/x86_places.hpp"

#include "base/index.hpp"

#include <algorithm>
#include <bit>

namespace gemel::sim {
namespace {

constexpr VectorInstruction move_in{1, 1, 0x28}, move_out{1, 1, 0x29};
constexpr VectorInstruction broadcast_in{2, 1, 0x19, false, true}; // AVX-512

} // namespace

std::int32_t ConstantPool::offset(std::uint64_t bits) {
    const auto [found, is_new] = number_of_.try_emplace(bits, static_cast<int>(all_.size()));
    if (is_new) all_.push_back(bits);
    return found->second * bytes_each_ - bias;
}

void ConstantPool::write(X86Assembler& to) const {
    for (const std::uint64_t bits : all_)
        for (int i = 0; i < bytes_each_; i += 8) {
            to.word(static_cast<std::int32_t>(bits & 0xffffffffU));
            to.word(static_cast<std::int32_t>(bits >> 32));
        }
}

PlacedValues::PlacedValues(const MachineFunction& function,
                           const OperationOrder& order,
                           int n_layout_slots,
                           const LaneShape& shape,
                           X86Assembler& out,
                           ConstantPool& constants)
    : function_(function),
      order_(order),
      shape_(shape),
      out_(out),
      constants_(constants),
      n_groups_(n_vector_registers(shape.set) / shape.n_parts),
      values_(function.values.size()),
      holder_(index(n_groups_), no_value),
      next_use_(index(n_groups_)),
      in_slot_(index(n_layout_slots), no_value),
      all_((std::uint64_t{1} << n_groups_) - 1),
      free_(all_) {
    for (std::uint32_t v = 0; v < values_.size(); ++v)
        values_[v].next = order.first_use[v], values_[v].end = order.first_use[v + 1];
    find_slots();
}

void PlacedValues::find_slots() {
    for (std::uint32_t v = 0; v < values_.size(); ++v) {
        if (function_.values[v].kind != MachineValue::Kind::slot) continue;
        values_[v].slot = static_cast<int>(function_.values[v].bits);
        in_slot_[index(values_[v].slot)] = v;
    }
}

void PlacedValues::begin(const MachineOp& op) {
    for_operands(op, [&](std::uint32_t v) {
        if (is_in_register(v)) pin(v);
    });
}

void PlacedValues::end() {
    ++op_;
    pinned_ = 0;
    free_scratch_.insert(free_scratch_.end(), left_.begin(), left_.end());
    left_.clear();
}

void PlacedValues::consume(const MachineOp& op) {
    for_operands(op, [&](std::uint32_t v) {
        Value& value = values_[v];
        ++value.next;
        if (!is_dead(v)) {
            if (is_in_register(v)) next_use_[index(value.group)] = order_.uses[value.next];
            return;
        }
        if (is_in_register(v)) release(v);
        if (value.scratch != nowhere) left_.push_back(value.scratch);
    });
}

int PlacedValues::result(const MachineOp& op) {
    consume(op);
    const int group = allocate();
    put_result(op, group);
    return group;
}

void PlacedValues::put_result(const MachineOp& op, int group) {
    if (!is_dead(op.result)) hold(group, op.result);
}

void PlacedValues::bring(std::uint32_t v) {
    if (!is_in_register(v)) {
        const int group = allocate();
        load(group, v);
        hold(group, v);
    }
    pin(v);
}

void PlacedValues::bring_if_worth(std::uint32_t v) {
    if (is_in_register(v) || is_last_use(v)) return;
    if (free_ == 0) {
        const std::uint64_t others = stored_ & ~pinned_;
        if (others == 0) return;
        const int group = farthest(others);
        if (distance_of(group) <= distance(values_[v].next + 1)) return;
        release(holder_[index(group)]);
    }
    bring(v);
}

std::array<X86Operand, 2> PlacedValues::operands(std::uint32_t v) {
    const auto of_part = [&](int part) {
        return is_in_register(v) ? X86Operand::in_register(number(values_[v].group, part))
                                 : place(v, part);
    };
    return {of_part(0), of_part(shape_.n_parts - 1)};
}

std::uint32_t PlacedValues::to_overwrite(const std::array<std::uint32_t, 3>& candidates) const {
    for (const std::uint32_t v : candidates)
        if (is_in_register(v) && is_last_use(v)) return v;
    for (const std::uint32_t v : candidates)
        if (!is_in_register(v)) return v;
    return candidates[0];
}

int PlacedValues::overwritten(std::uint32_t v) {
    if (is_in_register(v) && is_last_use(v)) return values_[v].group;
    const int group = allocate();
    if (is_in_register(v))
        for (int part = 0; part < shape_.n_parts; ++part)
            out_.vector(move_in,
                        number(group, part),
                        0,
                        X86Operand::in_register(number(values_[v].group, part)));
    else
        load(group, v);
    return group;
}

void PlacedValues::store(std::uint32_t v, int slot) {
    save_from(slot);
    for (int part = 0; part < shape_.n_parts; ++part)
        out_.vector(move_out, number(values_[v].group, part), 0, slot_place(slot, part));
    if (is_last_use(v) || is_in_memory(v)) return;
    values_[v].slot = slot;
    in_slot_[index(slot)] = v;
    note_whether_stored(v);
}

void PlacedValues::save_from(int slot) {
    const std::uint32_t v = std::exchange(in_slot_[index(slot)], no_value);
    if (v == no_value) return;
    if (!is_dead(v)) bring(v);
    values_[v].slot = nowhere;
    if (!is_dead(v)) note_whether_stored(v);
}

X86Operand PlacedValues::slot_place(int slot, int part) const {
    return {
        nowhere, Base::slots, slot * shape_.slot_bytes() + part * shape_.part_bytes() - slots_bias};
}

X86Operand PlacedValues::scratch_place(int scratch, int part) const {
    return {nowhere,
            Base::scratch,
            scratch * shape_.round_bytes() + part * shape_.part_bytes() - scratch_bias};
}

X86Operand PlacedValues::place(std::uint32_t v, int part) {
    const Value& value = values_[v];
    if (is_constant(v))
        return {nowhere,
                Base::constants,
                constants_.offset(function_.values[v].bits),
                shape_.set == VectorSet::avx512};
    return value.slot != nowhere ? slot_place(value.slot, part)
                                 : scratch_place(value.scratch, part);
}

int PlacedValues::allocate() {
    if (free_ != 0) return std::countr_zero(free_);
    const int group = farthest(~pinned_ & all_);
    give_up(group);
    return group;
}

int PlacedValues::farthest(std::uint64_t among) const {
    std::uint64_t most = 0; // distance, then group
    for (; among != 0; among &= among - 1) {
        const int group = std::countr_zero(among);
        const std::uint64_t is_stored = stored_ >> group & 1U;
        most = std::max(most, std::uint64_t{distance_of(group)} << is_stored << 8 | index(group));
    }
    return static_cast<int>(most & 0xffU);
}

void PlacedValues::hold(int group, std::uint32_t v) {
    holder_[index(group)] = v;
    next_use_[index(group)] = order_.uses[values_[v].next];
    values_[v].group = group;
    free_ &= ~(std::uint64_t{1} << group);
    note_whether_stored(v);
}

void PlacedValues::note_whether_stored(std::uint32_t v) {
    const std::uint64_t bit = std::uint64_t{1} << values_[v].group;
    stored_ = is_in_memory(v) ? stored_ | bit : stored_ & ~bit;
}

void PlacedValues::release(std::uint32_t v) {
    free_ |= std::uint64_t{1} << values_[v].group;
    stored_ &= ~(std::uint64_t{1} << values_[v].group);
    values_[v].group = nowhere;
}

void PlacedValues::give_up(int group) {
    const std::uint32_t v = holder_[index(group)];
    if (!is_in_memory(v)) {
        values_[v].scratch = new_scratch();
        for (int part = 0; part < shape_.n_parts; ++part)
            out_.vector(move_out, number(group, part), 0, scratch_place(values_[v].scratch, part));
    }
    release(v);
}

void PlacedValues::load(int group, std::uint32_t v) {
    const VectorInstruction& how =
        is_constant(v) && shape_.set == VectorSet::avx512 ? broadcast_in : move_in;
    for (int part = 0; part < shape_.n_parts; ++part)
        out_.vector(how, number(group, part), 0, place(v, part));
}

int PlacedValues::new_scratch() {
    if (free_scratch_.empty()) return n_scratch_++;
    const int scratch = free_scratch_.back();
    free_scratch_.pop_back();
    return scratch;
}

} // namespace gemel::sim
