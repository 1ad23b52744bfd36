#include "lanes/recorded_number.hpp"

#include "lanes/primitive_program.hpp"

#include <bit>
#include <utility>

namespace gemel::sim {
namespace {

bool commutes(Primitive op) {
    switch (op) {
    case Primitive::add:
    case Primitive::multiply:
    case Primitive::equal:
    case Primitive::mask_and:
    case Primitive::mask_or:
    case Primitive::bits_and:
    case Primitive::bits_or:
    case Primitive::bits_xor:
    case Primitive::bits_add:
    case Primitive::bits_equal:
        return true;
    default:
        return false;
    }
}

Primitive constant_of(ValueKind kind) {
    return kind == ValueKind::real   ? Primitive::real_constant
           : kind == ValueKind::bits ? Primitive::bits_constant
                                     : Primitive::mask_constant;
}

std::size_t hash_of(const PrimitiveOp& op) {
    std::uint64_t h = op.bits + 0x9e3779b97f4a7c15U * static_cast<std::uint64_t>(op.op);
    for (const std::uint64_t part : {op.a, op.b, op.c})
        h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9U + part;
    return static_cast<std::size_t>(h ^ (h >> 32));
}

constexpr std::uint32_t no_op = UINT32_MAX;

} // namespace

PrimitiveRecorder::PrimitiveRecorder(std::size_t n_expected)
    : table_(std::bit_ceil(2 * n_expected + 2), no_op) {
    ops_.reserve(n_expected);
}

void PrimitiveRecorder::grow_table() {
    table_.assign(2 * table_.size(), no_op);
    const std::size_t mask = table_.size() - 1;
    for (std::uint32_t i = 0; i < ops_.size(); ++i) {
        std::size_t at = hash_of(ops_[i]) & mask;
        while (table_[at] != no_op)
            at = (at + 1) & mask;
        table_[at] = i;
    }
}

bool PrimitiveRecorder::is_constant(std::uint32_t value) const {
    return ops_[value].op <= Primitive::mask_constant;
}

/// A constant where all operands are, what a constant mask leaves of it, or the mask that a choice
/// of constants was made by. Nothing else changes anything: not even x + 0 is x.
PrimitiveOp PrimitiveRecorder::simplified(const PrimitiveOp& op) const {
    const int n = n_operands(op.op);
    const std::uint32_t operands[] = {op.a, op.b, op.c};
    std::uint64_t values[3] = {};
    bool all_constant = n > 0;
    for (int i = 0; i < n; ++i) {
        all_constant = all_constant && is_constant(operands[i]);
        values[i] = ops_[operands[i]].bits;
    }
    if (all_constant)
        return {
            constant_of(value_kind(op.op)), 0, 0, 0, apply(op, values[0], values[1], values[2])};
    if (op.op == Primitive::select && is_constant(op.a)) return ops_[values[0] != 0 ? op.b : op.c];
    if (op.op == Primitive::select && op.b == op.c) return ops_[op.b];
    if (op.op == Primitive::mask_not && ops_[op.a].op == Primitive::mask_not)
        return ops_[ops_[op.a].a];
    if (op.op == Primitive::equal) return equality(op);
    if (op.op != Primitive::mask_and && op.op != Primitive::mask_or) return op;
    const std::uint64_t decides = op.op == Primitive::mask_or ? 1 : 0;
    if (is_constant(op.a)) return ops_[values[0] == decides ? op.a : op.b];
    if (is_constant(op.b)) return ops_[values[1] == decides ? op.b : op.a];
    return op;
}

/// Of a choice between two constants and a constant, as comparisons and logic leave them: the mask
/// itself.
PrimitiveOp PrimitiveRecorder::equality(const PrimitiveOp& op) const {
    const bool is_first = is_constant(op.b);
    const PrimitiveOp& chosen = ops_[is_first ? op.a : op.b];
    const std::uint32_t other = is_first ? op.b : op.a;
    if (chosen.op != Primitive::select || !is_constant(other) || !is_constant(chosen.b) ||
        !is_constant(chosen.c))
        return op;
    const auto is_equal = [&](std::uint32_t value) {
        return lane::from_bits(ops_[value].bits) == lane::from_bits(ops_[other].bits);
    };
    const bool if_true = is_equal(chosen.b), if_false = is_equal(chosen.c);
    if (if_true == if_false) return {Primitive::mask_constant, 0, 0, 0, if_true ? 1U : 0U};
    if (if_true) return ops_[chosen.a];
    const PrimitiveOp& mask = ops_[chosen.a];
    return mask.op == Primitive::mask_not ? ops_[mask.a]
                                          : PrimitiveOp{Primitive::mask_not, chosen.a, 0, 0, 0};
}

std::uint32_t PrimitiveRecorder::record(PrimitiveOp op) {
    if (commutes(op.op) && op.a > op.b) std::swap(op.a, op.b);
    op = simplified(op);
    if (2 * (ops_.size() + 1) > table_.size()) grow_table();
    const std::size_t mask = table_.size() - 1;
    std::size_t at = hash_of(op) & mask;
    for (; table_[at] != no_op; at = (at + 1) & mask)
        if (ops_[table_[at]] == op) return table_[at];
    table_[at] = static_cast<std::uint32_t>(ops_.size());
    ops_.push_back(op);
    return table_[at];
}

} // namespace gemel::sim
