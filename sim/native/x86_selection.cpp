#include "native/x86_selection.hpp"

#include "base/index.hpp"

#include <unordered_map>
#include <utility>

namespace gemel::sim {
namespace {

constexpr std::uint64_t sign_bit_of_doubles = 0x8000000000000000U, all_ones = ~std::uint64_t{0};

class Selector {
public:
    explicit Selector(const PrimitiveFunction& function)
        : from_(function),
          value_of_(function.size(), no_value) {
        made_.values.reserve(function.size());
        made_.ops.reserve(function.size());
        for (std::uint32_t i = 0; i < from_.size(); ++i)
            select(i);
    }
    MachineFunction take() { return std::move(made_); }

private:
    static constexpr std::uint32_t no_value = UINT32_MAX;

    std::uint32_t add_value(MachineValue::Kind kind, std::uint64_t bits = 0) {
        made_.values.push_back({kind, bits});
        return static_cast<std::uint32_t>(made_.values.size() - 1);
    }
    std::uint32_t constant(std::uint64_t bits) {
        const auto [found, is_new] = constants_.try_emplace(bits, 0);
        if (is_new) found->second = add_value(MachineValue::Kind::constant, bits);
        return found->second;
    }
    std::uint32_t append(MachineOp op) {
        op.result = add_value(MachineValue::Kind::computed);
        made_.ops.push_back(op);
        return op.result;
    }
    std::uint32_t append(Primitive op, std::uint32_t a, std::uint32_t b) {
        MachineOp made;
        made.op = op, made.a = a, made.b = b;
        return append(made);
    }

    /// Of a primitive; changes of sign and of masks are made where they are first asked for.
    std::uint32_t value(std::uint32_t i) {
        if (value_of_[i] != no_value) return value_of_[i];
        const std::uint64_t flipped =
            from_[i].op == Primitive::negate ? sign_bit_of_doubles : all_ones;
        return value_of_[i] = append(Primitive::bits_xor, value(from_[i].a), constant(flipped));
    }
    /// What is negated an odd number of times.
    bool strip_signs(std::uint32_t& i) const {
        bool is_minus = false;
        for (; from_[i].op == Primitive::negate; i = from_[i].a)
            is_minus = !is_minus;
        return is_minus;
    }

    void select(std::uint32_t i) {
        const PrimitiveOp& op = from_[i];
        switch (op.op) {
        case Primitive::real_constant:
        case Primitive::bits_constant:
            value_of_[i] = constant(op.bits);
            return;
        case Primitive::mask_constant:
            value_of_[i] = constant(op.bits != 0 ? all_ones : 0);
            return;
        case Primitive::load:
        case Primitive::load_bits:
            value_of_[i] = add_value(MachineValue::Kind::slot, op.bits);
            return;
        case Primitive::bits_of:
        case Primitive::real_of:
        case Primitive::mask_to_bits:
            value_of_[i] = value(op.a);
            return;
        case Primitive::negate:
        case Primitive::mask_not:
            return;
        case Primitive::mask_and:
            value_of_[i] = append(Primitive::bits_and, value(op.a), value(op.b));
            return;
        case Primitive::mask_or:
            value_of_[i] = append(Primitive::bits_or, value(op.a), value(op.b));
            return;
        case Primitive::fma:
            return select_fma(i);
        case Primitive::select:
            return select_choice(i);
        default:
            return select_same(i);
        }
    }

    void select_fma(std::uint32_t i) {
        PrimitiveOp op = from_[i];
        MachineOp made;
        made.op = Primitive::fma;
        made.n_operands = 3;
        made.is_minus_product = strip_signs(op.a) != strip_signs(op.b);
        made.is_minus_addend = strip_signs(op.c);
        made.a = value(op.a), made.b = value(op.b), made.c = value(op.c);
        value_of_[i] = append(made);
    }

    void select_choice(std::uint32_t i) {
        PrimitiveOp op = from_[i];
        if (from_[op.a].op == Primitive::mask_not) {
            op.a = from_[op.a].a;
            std::swap(op.b, op.c);
        }
        MachineOp made;
        made.op = Primitive::select;
        made.n_operands = 3;
        made.a = value(op.a), made.b = value(op.b), made.c = value(op.c);
        value_of_[i] = append(made);
    }

    void select_same(std::uint32_t i) {
        const PrimitiveOp& op = from_[i];
        MachineOp made;
        made.op = op.op == Primitive::store_bits ? Primitive::store : op.op;
        made.bits = op.bits;
        made.a = value(op.a);
        made.n_operands = static_cast<std::uint8_t>(n_operands(op.op));
        if (made.n_operands > 1) made.b = value(op.b);
        if (made.op == Primitive::store)
            made_.ops.push_back(made);
        else
            value_of_[i] = append(made);
    }

    const PrimitiveFunction& from_;
    std::vector<std::uint32_t> value_of_; ///< by primitive
    std::unordered_map<std::uint64_t, std::uint32_t> constants_;
    MachineFunction made_;
};

} // namespace

MachineFunction select_operations(const PrimitiveFunction& function) {
    return Selector(function).take();
}

} // namespace gemel::sim
