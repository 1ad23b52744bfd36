#include "lanes/interpreter_plan.hpp"
#include "lanes/kernels.hpp"

#include <gemel/sim/lane_program.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace gemel::sim {
namespace {

/// A planned program with its handlers. Constants are the kernel's own; all else is in the
/// workspace.
class InterpretedKernel final : public Kernel {
public:
    InterpretedKernel(const Plan& plan, const KernelTable& table, int width)
        : constants_(plan.constants),
          n_slots_(plan.n_slots),
          width_(width) {
        for (const PlannedStep& step : plan.steps)
            steps_.push_back({handler(step, table),
                              resolve(step.a),
                              resolve(step.b),
                              resolve(step.c),
                              step.out * width});
    }

    int n_slots() const override { return n_slots_; }

    void run(double* workspace) const noexcept override {
        const double* const bases[] = {workspace, constants_.data()};
        for (const Step& step : steps_)
            step.handler(workspace + step.out,
                         bases[step.a.base] + step.a.offset,
                         bases[step.b.base] + step.b.offset,
                         bases[step.c.base] + step.c.offset,
                         width_);
    }

private:
    struct Address {
        int base = 0; ///< 0 workspace, 1 constants
        int offset = 0;
    };
    struct Step {
        Handler handler = nullptr;
        Address a, b, c;
        int out = 0;
    };

    Address resolve(const Place& place) const {
        return place.is_constant ? Address{1, place.index} : Address{0, place.index * width_};
    }

    Handler handler(const PlannedStep& step, const KernelTable& table) const {
        if (step.is_copy && width_ > 1) return step.a.is_constant ? table.fill : table.copy;
        if (step.is_copy) // one lane: a copy and a fill are the same
            return [](double* out, const double* a, const double*, const double*, int) noexcept {
                *out = *a;
            };
        const auto op = static_cast<int>(step.op);
        return width_ == 1 ? table.scalar[op] : table.lanes[op][step.constant_mask()];
    }

    std::vector<double> constants_;
    int n_slots_;
    int width_;
    std::vector<Step> steps_;
};

class Interpreter final : public Executor {
public:
    explicit Interpreter(const KernelTable* table) : table_(table) {}

    std::unique_ptr<Kernel>
    compile(const LaneProgram& program, const WorkspaceLayout& layout, int width) const override {
        if (width != 1 && (width <= 0 || width % 8 != 0))
            throw std::invalid_argument(
                fmt::format("Executor::compile: width {} is neither 1 nor a multiple of 8", width));
        const auto is_allowed = [&](Op op, unsigned constants) {
            return width == 1 || table_->lanes[static_cast<int>(op)][constants] != nullptr;
        };
        const Plan plan = make_plan(program, layout, is_allowed);
        return std::make_unique<InterpretedKernel>(plan, *table_, width);
    }

    bool is_available() const { return table_ != nullptr; }

private:
    const KernelTable* table_;
};

/// What is built and what the machine has.
bool has(InstructionSet set) {
#if defined(__x86_64__)
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd");
    if (set == InstructionSet::x86_64_v4) return v4 && x86_64_v4_kernels() != nullptr;
    if (set == InstructionSet::x86_64_v3) return v3 && x86_64_v3_kernels() != nullptr;
#endif
    return set == InstructionSet::baseline;
}

} // namespace

InstructionSet best_instruction_set() {
    static const InstructionSet best = [] {
        for (const InstructionSet set : {InstructionSet::x86_64_v4, InstructionSet::x86_64_v3})
            if (has(set)) return set;
        return InstructionSet::baseline;
    }();
    return best;
}

std::string_view name(InstructionSet set) {
    constexpr std::string_view names[] = {"baseline", "x86-64-v3", "x86-64-v4"};
    return names[static_cast<int>(set)];
}

const Executor& interpreter(InstructionSet set) {
    static const Interpreter baseline(&baseline_kernels());
    static const Interpreter x86_64_v3(x86_64_v3_kernels());
    static const Interpreter x86_64_v4(x86_64_v4_kernels());
    if (!has(set))
        throw std::invalid_argument("interpreter: this machine has not the instruction set");
    return set == InstructionSet::baseline    ? baseline
           : set == InstructionSet::x86_64_v3 ? x86_64_v3
                                              : x86_64_v4;
}

} // namespace gemel::sim
