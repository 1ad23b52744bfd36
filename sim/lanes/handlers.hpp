#pragma once

#include "expr/lane_operations.hpp"
#include "lanes/kernels.hpp"
#include "lanes/lane_vector.hpp"

#include <array>
#include <atomic>
#include <utility>

/// The one source of the kernels. Included by one source per instruction set; everything has
/// internal linkage or vectors of the set in its name, so that the linker cannot merge code made
/// for different machines.
namespace gemel::sim {
namespace {

#define GEMEL_OPERATION(operation, expression)                                                     \
    struct Do_##operation {                                                                        \
        template <class R>                                                                         \
        GEMEL_LANE static R                                                                        \
        run([[maybe_unused]] R a, [[maybe_unused]] R b, [[maybe_unused]] R c) {                    \
            return expression;                                                                     \
        }                                                                                          \
    };
GEMEL_UNARY_OPERATIONS(GEMEL_OPERATION)
GEMEL_BINARY_OPERATIONS(GEMEL_OPERATION)
GEMEL_TERNARY_OPERATIONS(GEMEL_OPERATION)
#undef GEMEL_OPERATION
struct Do_copy {
    template <class R>
    GEMEL_LANE static R run(R a, R, R) {
        return a;
    }
};

/// Operations of dozens of instructions loop over a chunk instead of being unrolled; they take
/// columns, or the accumulator where it is their only operand, and store their result.
template <class Do>
constexpr bool is_long = false;
#define GEMEL_LONG(operation)                                                                      \
    template <>                                                                                    \
    constexpr bool is_long<Do_##operation> = true;
GEMEL_LONG(exponential)
GEMEL_LONG(logarithm)
GEMEL_LONG(expm1)
GEMEL_LONG(log1p)
GEMEL_LONG(sine)
GEMEL_LONG(cosine)
GEMEL_LONG(hyperbolic_tangent)
GEMEL_LONG(error_function)
GEMEL_LONG(power)
#undef GEMEL_LONG

/// Whether there is a handler. Numbers that none takes are copied to a column first.
template <class Do, int arity>
constexpr bool is_built(Modes modes, bool stores) {
    const OperandMode all[] = {modes.a, modes.b, modes.c};
    int n_numbers = 0, n_accumulators = 0;
    for (int i = 0; i < 3; ++i) {
        n_numbers += all[i] == OperandMode::number ? 1 : 0;
        n_accumulators += all[i] == OperandMode::accumulator ? 1 : 0;
        if (i >= arity && all[i] != OperandMode::column) return false;
    }
    if (std::is_same_v<Do, Do_copy>) return stores;
    if (is_long<Do>) return stores && n_numbers == 0 && (n_accumulators == 0 || arity == 1);
    return n_numbers < arity && n_accumulators < 3;
}

template <class Number>
constexpr int lanes_of = lane::lanes_of_vector;
template <>
constexpr int lanes_of<lane::Vectors> = 2 * lane::lanes_of_vector;
template <>
constexpr int lanes_of<double> = 1;

template <class Number>
GEMEL_LANE Number load(const double* from) {
    Number x;
    std::memcpy(&x, __builtin_assume_aligned(from, sizeof x), sizeof x);
    return x;
}
template <class Number>
GEMEL_LANE void store(double* to, Number x) {
    std::memcpy(__builtin_assume_aligned(to, sizeof x), &x, sizeof x);
}

/// Operand k of those with these modes.
template <class Number, Modes modes, int k>
struct Source {
    static constexpr OperandMode mode = modes[k];
    /// How many before it are found alike.
    static constexpr int rank = (k > 0 && modes.a == mode) + (k > 1 && modes.b == mode);

    const double* column = nullptr;
    Number number = 0.0;
    GEMEL_LANE Source(const Step& step, std::uint64_t columns, const double* lanes) {
        if constexpr (mode == OperandMode::number) number = step.numbers[rank];
        if constexpr (mode == OperandMode::column)
            column = lanes + (rank == 0   ? static_cast<std::uint32_t>(columns)
                              : rank == 1 ? columns >> 32
                                          : step.third);
    }
    GEMEL_LANE Number at(std::size_t vector, Number accumulator) const {
        if constexpr (mode == OperandMode::number) return number;
        if constexpr (mode == OperandMode::column)
            return load<Number>(column + vector * lanes_of<Number>);
        return accumulator;
    }
};

/// Tail calls, so that a program of any length needs no stack. Built with optimisation in every
/// preset and without sanitizers (sim/CMakeLists.txt).
#if __has_cpp_attribute(gnu::musttail)
#define GEMEL_TAIL_CALL [[gnu::musttail]] return
#elif __has_cpp_attribute(clang::musttail)
#define GEMEL_TAIL_CALL [[clang::musttail]] return
#else
#define GEMEL_TAIL_CALL return
#endif

/// Handlers for a chunk of lanes whose accumulator is passed on in registers, one per vector.
template <class Number, class Vectors>
struct Handlers;
template <class Number, std::size_t... vector>
struct Handlers<Number, std::index_sequence<vector...>> {
    static constexpr int n_lanes = sizeof...(vector) * lanes_of<Number>;
    static constexpr std::size_t longest_chain = 8;
    static constexpr Modes chain_modes{
        OperandMode::number, OperandMode::column, OperandMode::accumulator};
    template <std::size_t>
    using Register = Number;
    using Handler = void (*)(const Step*,
                             double*,
                             std::uint64_t columns,
                             Register<vector>...) noexcept;

    template <class Do, Modes modes>
    GEMEL_LANE static void compute(const Step& step,
                                   std::uint64_t columns,
                                   const double* lanes,
                                   Register<vector>&... accumulator) {
        const Source<Number, modes, 0> a(step, columns, lanes);
        const Source<Number, modes, 1> b(step, columns, lanes);
        const Source<Number, modes, 2> c(step, columns, lanes);
        ((accumulator = Do::run(
              a.at(vector, accumulator), b.at(vector, accumulator), c.at(vector, accumulator))),
         ...);
    }

    /// So many steps alike, of which the last may store.
    template <class Do, Modes modes, bool stores, std::size_t... number>
    static void handle(const Step* step,
                       double* lanes,
                       std::uint64_t columns,
                       Register<vector>... accumulator) noexcept {
        const auto next = reinterpret_cast<Handler>(step[sizeof...(number)].handler);
        std::uint64_t next_columns = 0;
        ((next_columns = step[number + 1].columns,
          std::atomic_signal_fence(std::memory_order_acquire), // read before the columns
          compute<Do, modes>(step[number], columns, lanes, accumulator...),
          columns = next_columns),
         ...);
        step += sizeof...(number);
        double* const out = lanes + step[-1].out;
        if constexpr (stores) (store(out + vector * lanes_of<Number>, accumulator), ...);
        GEMEL_TAIL_CALL next(step, lanes, columns, accumulator...);
    }

    template <class Do, Modes modes>
    static void loop(const Step* step,
                     double* lanes,
                     std::uint64_t columns,
                     Register<vector>... accumulator) noexcept {
        double* const out = lanes + step->out;
        const double* a = lanes + static_cast<std::uint32_t>(columns);
        const double* const b = lanes + (columns >> 32);
        if constexpr (modes.a == OperandMode::accumulator) {
            (store(out + vector * lanes_of<Number>, accumulator), ...);
            a = out;
        }
        using Wide = std::conditional_t<sizeof...(vector) % 2 == 0, lane::Vectors, Number>;
        for (int lane = 0; lane < n_lanes; lane += lanes_of<Wide>)
            store(out + lane, Do::run(load<Wide>(a + lane), load<Wide>(b + lane), Wide(0.0)));
        ((accumulator = load<Number>(out + vector * lanes_of<Number>)), ...);
        const auto next = reinterpret_cast<Handler>((++step)->handler);
        GEMEL_TAIL_CALL next(step, lanes, step->columns, accumulator...);
    }

    static void stop(const Step*, double*, std::uint64_t, Register<vector>...) noexcept {
        lane::leave_vectors();
    }

    static void run(const Step* steps, double* workspace, int width) {
        for (int lane = 0; lane < width; lane += n_lanes)
            reinterpret_cast<Handler>(steps->handler)(
                steps, workspace + lane, steps->columns, Register<vector>(0.0)...);
    }

    using Table = std::array<std::array<Handler, 2 * Modes::count>, n_ops>;

    template <class Do, int arity, Modes modes, bool stores>
    static constexpr void add(Table& table, Op op) {
        if constexpr (is_built<Do, arity>(modes, stores)) {
            Handler& entry = table[static_cast<std::size_t>(op)][2 * modes.index() + stores];
            if constexpr (is_long<Do>)
                entry = loop<Do, modes>;
            else
                entry = handle<Do, modes, stores, 0>;
        }
    }
    template <class Do, int arity>
    static constexpr void add_all(Table& table, Op op) {
        [&]<std::size_t... i>(std::index_sequence<i...>) {
            ((add<Do, arity, Modes::at(i), false>(table, op),
              add<Do, arity, Modes::at(i), true>(table, op)),
             ...);
        }
        (std::make_index_sequence<Modes::count>());
    }
    static constexpr Table make_table() {
        Table table{};
        add_all<Do_copy, 1>(table, Op::leaf);
#define GEMEL_OPERATION(operation, expression) add_all<Do_##operation, 1>(table, Op::operation);
        GEMEL_UNARY_OPERATIONS(GEMEL_OPERATION)
#undef GEMEL_OPERATION
#define GEMEL_OPERATION(operation, expression) add_all<Do_##operation, 2>(table, Op::operation);
        GEMEL_BINARY_OPERATIONS(GEMEL_OPERATION)
#undef GEMEL_OPERATION
#define GEMEL_OPERATION(operation, expression) add_all<Do_##operation, 3>(table, Op::operation);
        GEMEL_TERNARY_OPERATIONS(GEMEL_OPERATION)
#undef GEMEL_OPERATION
        return table;
    }

    /// Chains of n multiply-adds of a number and a column: linear combinations, most of a step.
    template <bool stores>
    static constexpr auto chains() {
        std::array<Handler, longest_chain + 1> table{};
        const auto add = [&]<std::size_t... number>(std::index_sequence<number...>) {
            table[sizeof...(number)] =
                handle<Do_fused_multiply_add, chain_modes, stores, number...>;
        };
        [&]<std::size_t... n>(std::index_sequence<n...>) {
            (add(std::make_index_sequence<n + 2>()), ...);
        }
        (std::make_index_sequence<longest_chain - 1>());
        return table;
    }

    static Step::Handler handler(Op op, Modes modes, bool stores, std::size_t n) {
        static constexpr Table table = make_table();
        static constexpr auto open = chains<false>(), closed = chains<true>();
        if (n > 1 && (n > longest_chain || op != Op::fused_multiply_add ||
                      modes.index() != chain_modes.index()))
            return nullptr;
        return reinterpret_cast<Step::Handler>(
            n > 1 ? (stores ? closed : open)[n]
                  : table[static_cast<std::size_t>(op)][2 * modes.index() + stores]);
    }
    static Step::Handler stop_handler() {
        return reinterpret_cast<Step::Handler>(&stop);
    }
};

using OneLane = Handlers<double, std::make_index_sequence<1>>;
using EightLanes = Handlers<lane::Vector, std::make_index_sequence<8 / lane::lanes_of_vector>>;
using Registers = Handlers<lane::Vector, std::make_index_sequence<8>>; // all that calls pass on

template <class Result, class Do>
Result with(Chunk chunk, Do call) {
    return chunk == Chunk::one_lane      ? call(OneLane{})
           : chunk == Chunk::eight_lanes ? call(EightLanes{})
                                         : call(Registers{});
}

constexpr KernelSet kernels_of_this_set{
    Registers::n_lanes,
    [](Chunk chunk, Op op, Modes modes, bool stores, std::size_t n) {
        return with<Step::Handler>(chunk,
                                   [=](auto set) { return set.handler(op, modes, stores, n); });
    },
    [](Chunk chunk) {
        return with<Step::Handler>(chunk, [](auto set) { return set.stop_handler(); });
    },
    [](Chunk chunk, const Step* steps, double* workspace, int width) {
        with<void>(chunk, [=](auto set) { set.run(steps, workspace, width); });
    }};

} // namespace
} // namespace gemel::sim
