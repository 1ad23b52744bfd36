#pragma once

#include "base/lane_math.hpp"
#include "native/x86_assembler.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>

namespace gemel::sim::testing {

/// What the manual says of code, byte by byte: for instruction sets that this machine lacks. Knows
/// what the engine's own code is made of, and refuses all else.
class X86Evaluator {
public:
    X86Evaluator(std::span<const unsigned char> code, VectorSet set)
        : code_(code),
          set_(set),
          n_lanes_(vector_bytes(set) / 8) {}

    /// @param workspace  of a kernel's slots
    void run(std::size_t entry, std::span<double> workspace) {
        workspace_ = workspace;
        at_ = entry;
        while (step()) {
        }
    }

private:
    using Vector = std::array<std::uint64_t, 8>;
    static constexpr std::int64_t workspace_address = std::int64_t{1} << 40;

    /// A prefix with its opcode, and what ModRM says.
    struct Decoded {
        unsigned map = 0, prefix = 0, opcode = 0;
        bool is_wide = false, is_broadcast = false, is_memory = false;
        int reg = 0, second = 0, rm = 0;
        std::int64_t address = 0;
    };

    unsigned byte() { return code_[at_++]; }
    std::int32_t word() {
        std::int32_t value = 0;
        std::memcpy(&value, code_.data() + at_, sizeof value);
        at_ += sizeof value;
        return value;
    }
    [[noreturn]] static void refuse() { throw std::runtime_error("an unknown instruction"); }
    void expect(unsigned value) {
        if (byte() != value) refuse();
    }

    /// @returns false at the end
    bool step() {
        switch (byte()) {
        case 0xc3:
            return false;
        case 0x48:
            whole_numbers();
            return true;
        case 0xbe:
            rounds_ = word();
            return true;
        case 0xff: {
            for (const unsigned next : {0xceU, 0x0fU, 0x85U})
                expect(next);
            const std::int32_t distance = word();
            if (--rounds_ != 0) at_ += static_cast<std::size_t>(std::int64_t{distance});
            return true;
        }
        case 0xc5:
            short_form();
            return true;
        case 0xc4:
            vector(long_form());
            return true;
        case 0x62:
            vector(wide_form());
            return true;
        default:
            refuse();
        }
    }

    void whole_numbers() {
        const unsigned opcode = byte(), operands = byte();
        const std::int64_t distance = word();
        if (opcode == 0x8d && operands == 0x05) // rip
            base_[0] = static_cast<std::int64_t>(at_) + distance;
        else if (opcode == 0x8d && (operands == 0x8f || operands == 0x97)) // rdi
            base_[operands >> 3 & 7U] = workspace_address + distance;
        else if (opcode == 0x81 && operands == 0xc1)
            base_[1] += distance;
        else
            refuse();
    }

    void short_form() {
        const unsigned p = byte();
        if (p == 0xf8 && code_[at_] == 0x77) { // vzeroupper
            ++at_;
            return;
        }
        Decoded d{.map = 1, .prefix = p & 3U};
        d.second = static_cast<int>(~p >> 3 & 15U);
        d.opcode = byte();
        operands(d, ~p >> 7 & 1U, 0, 0, 1);
        vector(d);
    }
    Decoded long_form() {
        const unsigned p = byte(), q = byte();
        Decoded d{.map = p & 31U, .prefix = q & 3U};
        d.is_wide = (q >> 7 & 1U) != 0;
        d.second = static_cast<int>(~q >> 3 & 15U);
        if (set_ != VectorSet::avx2 || (q >> 2 & 1U) == 0) refuse();
        d.opcode = byte();
        operands(d, ~p >> 7 & 1U, ~p >> 5 & 1U, 0, 1);
        return d;
    }
    Decoded wide_form() {
        const unsigned p = byte(), q = byte(), r = byte();
        Decoded d{.map = p & 7U, .prefix = q & 3U};
        d.is_wide = (q >> 7 & 1U) != 0;
        d.is_broadcast = (r >> 4 & 1U) != 0;
        d.second = static_cast<int>((~q >> 3 & 15U) | (~r >> 3 & 1U) << 4);
        if (set_ != VectorSet::avx512 || (r >> 5 & 3U) != 2 || !d.is_wide) refuse();
        d.opcode = byte();
        const bool reads_one = d.is_broadcast || (d.map == 2 && d.opcode == 0x19);
        operands(d,
                 (~p >> 7 & 1U) | (~p >> 4 & 1U) << 1,
                 ~p >> 5 & 1U,
                 ~p >> 6 & 1U,
                 reads_one ? 8 : 64);
        d.is_broadcast = reads_one;
        return d;
    }

    void operands(Decoded& d, unsigned high_reg, unsigned high_rm, unsigned higher_rm, int scale) {
        const unsigned m = byte(), mode = m >> 6, low = m & 7U;
        d.reg = static_cast<int>((m >> 3 & 7U) | high_reg << 3);
        d.is_memory = mode != 3;
        d.rm = static_cast<int>(low | high_rm << 3 | higher_rm << 4);
        if (!d.is_memory) return;
        if (low > 2 || mode == 0) refuse();
        const std::int64_t offset =
            mode == 1 ? std::int64_t{static_cast<signed char>(byte())} * scale : word();
        d.address = base_[low] + offset;
    }

    double* in_workspace(std::int64_t address) {
        const std::int64_t offset = address - workspace_address;
        if (offset < 0 || offset % (8 * n_lanes_) != 0 ||
            offset / 8 + n_lanes_ > static_cast<std::int64_t>(workspace_.size()))
            throw std::runtime_error("an access beside the workspace");
        return workspace_.data() + offset / 8;
    }
    Vector last(const Decoded& d) {
        if (!d.is_memory) return registers_[static_cast<std::size_t>(d.rm)];
        Vector v{};
        const auto bytes = static_cast<std::size_t>(8 * n_lanes_);
        if (d.address >= workspace_address / 2) {
            std::memcpy(v.data(), in_workspace(d.address), bytes);
        } else if (d.is_broadcast) {
            std::memcpy(v.data(), &code_[static_cast<std::size_t>(d.address)], 8);
            v.fill(v[0]);
        } else {
            std::memcpy(v.data(), &code_[static_cast<std::size_t>(d.address)], bytes);
        }
        return v;
    }
    Vector& result(const Decoded& d) { return registers_[static_cast<std::size_t>(d.reg)]; }

    template <class Each>
    void each(const Decoded& d, const Each& make) {
        const Vector a = registers_[static_cast<std::size_t>(d.second)], b = last(d);
        Vector made{};
        for (std::size_t i = 0; i < static_cast<std::size_t>(n_lanes_); ++i)
            made[i] = make(a[i], b[i], result(d)[i]);
        result(d) = made;
    }
    template <class Each>
    void each_real(const Decoded& d, const Each& make) {
        each(d, [&](std::uint64_t a, std::uint64_t b, std::uint64_t) {
            return lane::bits(make(lane::from_bits(a), lane::from_bits(b)));
        });
    }
    /// AVX-512 leaves one bit a lane in a mask register, AVX2 all bits of the lane.
    template <class Each>
    void compare(const Decoded& d, const Each& is_so) {
        const Vector a = registers_[static_cast<std::size_t>(d.second)], b = last(d);
        Vector& to =
            set_ == VectorSet::avx512 ? masks_[static_cast<std::size_t>(d.reg)] : result(d);
        for (std::size_t i = 0; i < static_cast<std::size_t>(n_lanes_); ++i)
            to[i] = is_so(a[i], b[i]) ? ~std::uint64_t{0} : 0;
    }

    void vector(const Decoded& d) {
        switch (d.map << 16 | d.prefix << 8 | d.opcode) {
        case 0x10128:
        case 0x20119:
            result(d) = last(d);
            return;
        case 0x10129:
            std::memcpy(in_workspace(d.address), result(d).data(), std::size_t(8 * n_lanes_));
            return;
        case 0x10158:
            return each_real(d, [](double a, double b) { return a + b; });
        case 0x1015c:
            return each_real(d, [](double a, double b) { return a - b; });
        case 0x10159:
            return each_real(d, [](double a, double b) { return a * b; });
        case 0x1015e:
            return each_real(d, [](double a, double b) { return a / b; });
        case 0x10151:
            return each_real(d, [](double, double b) { return lane::square_root(b); });
        case 0x101db:
            return each(d, [](auto a, auto b, auto) { return a & b; });
        case 0x101eb:
            return each(d, [](auto a, auto b, auto) { return a | b; });
        case 0x101ef:
            return each(d, [](auto a, auto b, auto) { return a ^ b; });
        case 0x101d4:
            return each(d, [](auto a, auto b, auto) { return a + b; });
        case 0x101fb:
            return each(d, [](auto a, auto b, auto) { return a - b; });
        case 0x10173:
            return shift(d, byte());
        case 0x101c2:
            return compare_reals(d, byte());
        case 0x20129:
            return compare(d, [](auto a, auto b) { return a == b; });
        case 0x20238:
            result(d) = masks_[static_cast<std::size_t>(d.rm)];
            return;
        case 0x30125:
            return choose_bits(d, byte());
        case 0x3014b:
            return blend(d, byte() >> 4);
        default:
            fused(d);
        }
    }
    void shift(const Decoded& d, unsigned by) {
        const Vector from = last(d);
        Vector& to = registers_[static_cast<std::size_t>(d.second)];
        const unsigned which = static_cast<unsigned>(d.reg) & 7U;
        if (which != 6 && which != 2) refuse();
        for (std::size_t i = 0; i < from.size(); ++i)
            to[i] = which == 6 ? from[i] << by : from[i] >> by;
    }
    void compare_reals(const Decoded& d, unsigned how) {
        compare(d, [how](std::uint64_t x, std::uint64_t y) {
            const double a = lane::from_bits(x), b = lane::from_bits(y);
            return how == 0x11   ? a < b
                   : how == 0x12 ? a <= b
                   : how == 0    ? a == b
                                 : throw std::runtime_error("an unknown comparison");
        });
    }
    void choose_bits(const Decoded& d, unsigned table) {
        each(d, [table](std::uint64_t a, std::uint64_t b, std::uint64_t before) {
            std::uint64_t made = 0;
            for (unsigned row = 0; row < 8; ++row)
                if ((table >> row & 1U) != 0)
                    made |= ((row & 4U) != 0 ? before : ~before) & ((row & 2U) != 0 ? a : ~a) &
                            ((row & 1U) != 0 ? b : ~b);
            return made;
        });
    }
    void blend(const Decoded& d, unsigned mask) {
        const Vector chosen_by = registers_[mask];
        std::size_t i = 0;
        each(d, [&](std::uint64_t a, std::uint64_t b, std::uint64_t) {
            return chosen_by[i++] >> 63 != 0 ? b : a;
        });
    }
    /// 98 … BF: the order of operands, then the signs.
    void fused(const Decoded& d) {
        const unsigned signs = d.opcode & 15U, order = d.opcode >> 4;
        if (d.map != 2 || d.prefix != 1 || !d.is_wide || order < 9 || order > 11 || signs < 8 ||
            (signs & 1U) != 0)
            refuse();
        each(d, [&](std::uint64_t second, std::uint64_t third, std::uint64_t first) {
            const double x = lane::from_bits(first), y = lane::from_bits(second);
            const double z = lane::from_bits(third);
            const double a = order == 11 ? y : x, b = order == 10 ? y : z;
            const double c = order == 9 ? y : order == 10 ? z : x;
            return lane::bits(lane::fma((signs & 4U) != 0 ? -a : a, b, (signs & 2U) != 0 ? -c : c));
        });
    }

    std::span<const unsigned char> code_;
    VectorSet set_;
    int n_lanes_;
    std::span<double> workspace_;
    std::size_t at_ = 0;
    std::int64_t base_[3] = {};
    std::int32_t rounds_ = 0;
    std::array<Vector, 32> registers_{};
    std::array<Vector, 8> masks_{};
};

} // namespace gemel::sim::testing
