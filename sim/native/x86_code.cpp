#include "native/x86_code.hpp"

#include "base/index.hpp"
#include "native/x86_order.hpp"
#include "native/x86_places.hpp"
#include "native/x86_selection.hpp"

#include <initializer_list>

namespace gemel::sim {
namespace {

constexpr VectorInstruction compare_reals{1, 1, 0xc2}, compare_bits{2, 1, 0x29};
constexpr VectorInstruction mask_to_lanes{2, 2, 0x38};  // AVX-512
constexpr VectorInstruction bitwise_choice{3, 1, 0x25}; // AVX-512: by a truth table of three bits
constexpr VectorInstruction blend{3, 1, 0x4b};          // AVX2
constexpr VectorInstruction square_root{1, 1, 0x51}, shift{1, 1, 0x73};
constexpr int less_quietly = 0x11, less_equal_quietly = 0x12, equal_quietly = 0x00;
constexpr int shift_left = 6, shift_right = 2;

VectorInstruction binary_instruction(Primitive op) {
    switch (op) {
    case Primitive::add:
        return {1, 1, 0x58};
    case Primitive::subtract:
        return {1, 1, 0x5c};
    case Primitive::multiply:
        return {1, 1, 0x59};
    case Primitive::divide:
        return {1, 1, 0x5e};
    case Primitive::bits_and:
        return {1, 1, 0xdb};
    case Primitive::bits_or:
        return {1, 1, 0xeb};
    case Primitive::bits_xor:
        return {1, 1, 0xef};
    case Primitive::bits_add:
        return {1, 1, 0xd4};
    default: // bits_subtract
        return {1, 1, 0xfb};
    }
}

bool operands_commute(Primitive op) {
    switch (op) {
    case Primitive::subtract:
    case Primitive::divide:
    case Primitive::bits_subtract:
    case Primitive::less:
    case Primitive::less_equal:
        return false;
    default:
        return true;
    }
}

/// The orders of a multiply-add's operands: what its result's register held before, the second and
/// the last operand.
enum class FusedForm : std::uint8_t {
    factor_addend_factor = 0x98, ///< "132"
    factor_factor_addend = 0xa8, ///< "213"
    addend_factor_factor = 0xb8  ///< "231"
};
VectorInstruction fused_instruction(FusedForm form, const MachineOp& op) {
    const int signs = (op.is_minus_product ? 4 : 0) + (op.is_minus_addend ? 2 : 0);
    return {2, 1, static_cast<std::uint8_t>(static_cast<int>(form) + signs), true};
}

/// Writes one function.
class X86FunctionWriter {
public:
    X86FunctionWriter(const MachineFunction& function,
                      const OperationOrder& order,
                      int n_layout_slots,
                      const LaneShape& shape,
                      X86Assembler& out,
                      ConstantPool& constants)
        : function_(function),
          order_(order),
          shape_(shape),
          out_(out),
          scratch_start_(n_layout_slots * shape.slot_bytes()),
          values_(function, order, n_layout_slots, shape, out, constants) {}

    /// @returns slots of the workspace that it needs
    int write() {
        enter();
        for (const std::uint32_t i : order_.ops) {
            values_.begin(function_.ops[i]);
            write(function_.ops[i]);
            values_.end();
        }
        leave();
        const int bytes = scratch_start_ + values_.n_scratch() * shape_.round_bytes();
        return (bytes + shape_.slot_bytes() - 1) / shape_.slot_bytes();
    }
    /// Where the distance of the constants is to be filled in.
    std::size_t constants_at() const { return constants_at_; }

private:
    void write(const MachineOp& op) {
        switch (op.op) {
        case Primitive::store:
            values_.bring(op.a);
            values_.store(op.a, static_cast<int>(op.bits));
            return values_.consume(op);
        case Primitive::fma:
            return write_fused(op);
        case Primitive::select:
            return shape_.set == VectorSet::avx512 ? write_bitwise_choice(op) : write_blend(op);
        case Primitive::square_root:
            return write_root(op);
        case Primitive::bits_shift_left:
            return write_shift(op, shift_left);
        case Primitive::bits_shift_right:
            return write_shift(op, shift_right);
        case Primitive::less:
            return write_compare(op, compare_reals, less_quietly);
        case Primitive::less_equal:
            return write_compare(op, compare_reals, less_equal_quietly);
        case Primitive::equal:
            return write_compare(op, compare_reals, equal_quietly);
        case Primitive::bits_equal:
            return write_compare(op, compare_bits, X86Assembler::no_immediate);
        default:
            return write_binary(op);
        }
    }

    /// The operands in the order of the instruction; the second may stay in memory.
    std::pair<std::uint32_t, std::uint32_t> placed_pair(const MachineOp& op) {
        std::uint32_t a = op.a, b = op.b;
        const bool is_b_better =
            values_.is_in_register(b) || (values_.is_last_use(a) && !values_.is_last_use(b));
        if (operands_commute(op.op) && !values_.is_in_register(a) && is_b_better) std::swap(a, b);
        values_.bring(a);
        values_.bring_if_worth(b);
        return {a, b};
    }

    /// One instruction for each part.
    void for_parts(const VectorInstruction& instruction,
                   int result,
                   int second,
                   const std::array<X86Operand, 2>& last,
                   int immediate = X86Assembler::no_immediate) {
        for (int part = 0; part < shape_.n_parts; ++part)
            out_.vector(instruction,
                        values_.number(result, part),
                        values_.number(second, part),
                        last[index(part)],
                        immediate);
    }

    void write_binary(const MachineOp& op) {
        const auto [a, b] = placed_pair(op);
        const int first = values_.group(a);
        const auto second = values_.operands(b);
        for_parts(binary_instruction(op.op), values_.result(op), first, second);
    }

    void write_root(const MachineOp& op) {
        values_.bring_if_worth(op.a);
        const auto from = values_.operands(op.a);
        const int result = values_.result(op);
        for (int part = 0; part < shape_.n_parts; ++part)
            out_.vector(square_root, values_.number(result, part), 0, from[index(part)]);
    }

    void write_shift(const MachineOp& op, int which) {
        values_.bring(op.a);
        const auto from = values_.operands(op.a);
        const int result = values_.result(op);
        for (int part = 0; part < shape_.n_parts; ++part)
            out_.vector(shift,
                        which,
                        values_.number(result, part),
                        from[index(part)],
                        static_cast<int>(op.bits));
    }

    /// AVX-512 leaves a mask of one bit a lane, which fills the lanes at once.
    void write_compare(const MachineOp& op, const VectorInstruction& instruction, int how) {
        const auto [a, b] = placed_pair(op);
        const int first = values_.group(a);
        const auto second = values_.operands(b);
        const int result = values_.result(op);
        if (shape_.set == VectorSet::avx2)
            return for_parts(instruction, result, first, second, how);
        for (int part = 0; part < shape_.n_parts; ++part) {
            const int mask = 1 + part;
            out_.vector(instruction, mask, values_.number(first, part), second[index(part)], how);
            out_.vector(
                mask_to_lanes, values_.number(result, part), 0, X86Operand::in_register(mask));
        }
    }

    void write_blend(const MachineOp& op) {
        values_.bring(op.a);
        values_.bring(op.c);
        values_.bring_if_worth(op.b);
        const int mask = values_.group(op.a), otherwise = values_.group(op.c);
        const auto chosen = values_.operands(op.b);
        const int result = values_.result(op);
        for (int part = 0; part < shape_.n_parts; ++part)
            out_.vector(blend,
                        values_.number(result, part),
                        values_.number(otherwise, part),
                        chosen[index(part)],
                        values_.number(mask, part) << 4);
    }

    /// An instruction whose result takes the place of operand d.
    void write_in_place(const MachineOp& op,
                        std::uint32_t d,
                        std::uint32_t second,
                        std::uint32_t last,
                        const VectorInstruction& instruction,
                        int immediate = X86Assembler::no_immediate) {
        values_.bring(second);
        values_.bring_if_worth(last);
        const int result = values_.overwritten(d);
        const int group = values_.group(second);
        const auto third = values_.operands(last);
        values_.consume(op);
        values_.put_result(op, result);
        for_parts(instruction, result, group, third, immediate);
    }

    void write_fused(const MachineOp& op) {
        const std::uint32_t d = values_.to_overwrite({op.c, op.a, op.b});
        FusedForm form = FusedForm::addend_factor_factor;
        std::uint32_t second = op.a, last = op.b;
        if (d != op.c) {
            form = FusedForm::factor_factor_addend;
            second = d == op.a ? op.b : op.a;
            last = op.c;
        }
        if (!values_.is_in_register(second) && values_.is_in_register(last)) {
            std::swap(second, last);
            if (d != op.c) form = FusedForm::factor_addend_factor;
        }
        write_in_place(op, d, second, last, fused_instruction(form, op));
    }

    /// Truth tables by the result's register before, the second and the last operand.
    void write_bitwise_choice(const MachineOp& op) {
        const std::uint32_t d = values_.to_overwrite({op.a, op.b, op.c});
        if (d == op.a)
            write_in_place(op, d, op.b, op.c, bitwise_choice, 0xca); // d ? second : last
        else if (d == op.b)
            write_in_place(op, d, op.a, op.c, bitwise_choice, 0xe2); // second ? d : last
        else
            write_in_place(op, d, op.a, op.b, bitwise_choice, 0xb8); // second ? last : d
    }

    /// The bases are rax, rcx and rdx; esi counts rounds.
    void enter() {
        bytes({0x48, 0x8d, 0x05}); // lea rax, [rip + …]
        constants_at_ = out_.size();
        out_.word(0);
        bytes({0x48, 0x8d, 0x8f}); // lea rcx, [rdi + …]
        out_.word(PlacedValues::slots_bias);
        bytes({0x48, 0x8d, 0x97}); // lea rdx, [rdi + …]
        out_.word(scratch_start_ + PlacedValues::scratch_bias);
        bytes({0xbe}); // mov esi, …
        out_.word(shape_.n_rounds);
        round_at_ = out_.size();
    }
    void leave() {
        if (shape_.n_rounds > 1) {
            bytes({0x48, 0x81, 0xc1}); // add rcx, …
            out_.word(shape_.round_bytes());
            bytes({0xff, 0xce, 0x0f, 0x85}); // dec esi; jnz …
            const auto end = static_cast<std::int32_t>(out_.size() + 4);
            out_.word(static_cast<std::int32_t>(round_at_) - end);
        }
        bytes({0xc5, 0xf8, 0x77, 0xc3}); // vzeroupper; ret
    }
    void bytes(std::initializer_list<unsigned> all) {
        for (const unsigned byte : all)
            out_.byte(byte);
    }

    const MachineFunction& function_;
    const OperationOrder& order_;
    const LaneShape& shape_;
    X86Assembler& out_;
    std::int32_t scratch_start_;
    PlacedValues values_;
    std::size_t constants_at_ = 0, round_at_ = 0;
};

} // namespace

X86Code x86_code(std::span<const PrimitiveProgram> programs, int width, VectorSet set) {
    X86Assembler out(set);
    ConstantPool constants(set);
    const LaneShape shape(set, width);
    X86Code code;
    std::vector<std::size_t> constants_at;
    for (const PrimitiveProgram& program : programs) {
        const MachineFunction function = select_operations(program.functions.front());
        const OperationOrder order = order_operations(function, shape.n_parts);
        X86FunctionWriter writer(function, order, program.n_slots, shape, out, constants);
        out.pad_to(32);
        code.image.entries.push_back(out.size());
        code.n_slots.push_back(writer.write());
        constants_at.push_back(writer.constants_at());
    }
    out.pad_to(64);
    const auto base = static_cast<std::int32_t>(out.size()) + ConstantPool::bias;
    for (const std::size_t at : constants_at)
        out.set_word(at, base - static_cast<std::int32_t>(at + 4));
    constants.write(out);
    code.image.bytes = out.take();
    return code;
}

} // namespace gemel::sim
