#pragma once

#include "base/lane_math.hpp"
#include "lanes/primitive_op.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

/// Numbers that record what is done to them: lane_math.hpp's other kind of number.
namespace gemel::sim {

/// Primitives as they are recorded, each once.
class PrimitiveRecorder {
public:
    /// @param n_expected  ops, about: room that is there from the start
    explicit PrimitiveRecorder(std::size_t n_expected);
    /// The op's value; an equal one's if there is one, a constant's if all operands are constants.
    std::uint32_t record(PrimitiveOp op);
    /// All of them, in order.
    std::vector<PrimitiveOp> take() && { return std::move(ops_); }

private:
    bool is_constant(std::uint32_t value) const;
    PrimitiveOp simplified(const PrimitiveOp& op) const;
    PrimitiveOp equality(const PrimitiveOp& op) const;
    void grow_table();
    std::vector<PrimitiveOp> ops_;
    std::vector<std::uint32_t> table_; ///< their numbers by hash, open addressing, a power of two
};

namespace lane {

/// A value of a recorder, or a constant that no recorder has seen yet.
template <Primitive constant_op>
struct Recorded {
    PrimitiveRecorder* recorder = nullptr;
    std::uint32_t value = 0;
    std::uint64_t constant = 0;

    std::uint32_t in(PrimitiveRecorder& r) const {
        return recorder != nullptr ? value : r.record({constant_op, 0, 0, 0, constant});
    }
};

struct RecordedReal : Recorded<Primitive::real_constant> {
    RecordedReal(double x) { constant = bits(x); }
    RecordedReal(PrimitiveRecorder& r, std::uint32_t v) { recorder = &r, value = v; }
};
struct RecordedBits : Recorded<Primitive::bits_constant> {
    RecordedBits(std::uint64_t x) { constant = x; }
    RecordedBits(PrimitiveRecorder& r, std::uint32_t v) { recorder = &r, value = v; }
};
struct RecordedMask : Recorded<Primitive::mask_constant> {
    RecordedMask(PrimitiveRecorder& r, std::uint32_t v) { recorder = &r, value = v; }
};

/// One of the operands is not a constant yet to be seen: lane_math.hpp computes with those itself.
template <class Result, class A>
Result recorded(Primitive op, const A& a, std::uint64_t bits = 0) {
    PrimitiveRecorder& r = *a.recorder;
    return {r, r.record({op, a.in(r), 0, 0, bits})};
}
template <class Result, class A, class B>
Result recorded_pair(Primitive op, const A& a, const B& b) {
    PrimitiveRecorder& r = a.recorder != nullptr ? *a.recorder : *b.recorder;
    return {r, r.record({op, a.in(r), b.in(r), 0, 0})};
}

inline RecordedReal operator-(const RecordedReal& a) {
    return recorded<RecordedReal>(Primitive::negate, a);
}
inline RecordedMask operator!(const RecordedMask& a) {
    return recorded<RecordedMask>(Primitive::mask_not, a);
}
inline RecordedBits operator<<(const RecordedBits& a, int by) {
    return recorded<RecordedBits>(Primitive::bits_shift_left, a, static_cast<std::uint64_t>(by));
}
inline RecordedBits operator>>(const RecordedBits& a, int by) {
    return recorded<RecordedBits>(Primitive::bits_shift_right, a, static_cast<std::uint64_t>(by));
}

#define GEMEL_RECORD(Result, symbol, Operand, primitive)                                           \
    inline Result operator symbol(const Operand& a, const Operand& b) {                            \
        return recorded_pair<Result>(Primitive::primitive, a, b);                                  \
    }
GEMEL_RECORD(RecordedReal, +, RecordedReal, add)
GEMEL_RECORD(RecordedReal, -, RecordedReal, subtract)
GEMEL_RECORD(RecordedReal, *, RecordedReal, multiply)
GEMEL_RECORD(RecordedReal, /, RecordedReal, divide)
GEMEL_RECORD(RecordedMask, <, RecordedReal, less)
GEMEL_RECORD(RecordedMask, <=, RecordedReal, less_equal)
GEMEL_RECORD(RecordedMask, ==, RecordedReal, equal)
GEMEL_RECORD(RecordedMask, &, RecordedMask, mask_and)
GEMEL_RECORD(RecordedMask, |, RecordedMask, mask_or)
GEMEL_RECORD(RecordedBits, &, RecordedBits, bits_and)
GEMEL_RECORD(RecordedBits, |, RecordedBits, bits_or)
GEMEL_RECORD(RecordedBits, ^, RecordedBits, bits_xor)
GEMEL_RECORD(RecordedBits, +, RecordedBits, bits_add)
GEMEL_RECORD(RecordedBits, -, RecordedBits, bits_subtract)
GEMEL_RECORD(RecordedMask, ==, RecordedBits, bits_equal)
#undef GEMEL_RECORD
inline RecordedMask operator>(const RecordedReal& a, const RecordedReal& b) {
    return b < a;
}
inline RecordedMask operator!=(const RecordedReal& a, const RecordedReal& b) {
    return !(a == b);
}
inline RecordedMask operator!=(const RecordedBits& a, const RecordedBits& b) {
    return !(a == b);
}

inline RecordedBits bits(const RecordedReal& x) {
    return recorded<RecordedBits>(Primitive::bits_of, x);
}
inline RecordedReal from_bits(const RecordedBits& x) {
    return recorded<RecordedReal>(Primitive::real_of, x);
}
inline RecordedReal square_root(const RecordedReal& x) {
    return recorded<RecordedReal>(Primitive::square_root, x);
}
inline RecordedReal fma(const RecordedReal& a, const RecordedReal& b, const RecordedReal& c) {
    PrimitiveRecorder& r = a.recorder != nullptr   ? *a.recorder
                           : b.recorder != nullptr ? *b.recorder
                                                   : *c.recorder;
    return {r, r.record({Primitive::fma, a.in(r), b.in(r), c.in(r), 0})};
}
inline RecordedReal
choose(const RecordedMask& condition, const RecordedReal& if_true, const RecordedReal& if_false) {
    PrimitiveRecorder& r = *condition.recorder;
    return {r, r.record({Primitive::select, condition.in(r), if_true.in(r), if_false.in(r), 0})};
}

} // namespace lane
} // namespace gemel::sim
