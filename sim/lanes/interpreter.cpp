#include "lanes/interpreter_plan.hpp"
#include "lanes/kernels.hpp"

#include <gemel/sim/lane_program.hpp>

#include <fmt/format.h>

#include <span>
#include <stdexcept>

namespace gemel::sim {
namespace {

/// A planned program with its handlers. All it works on is in the workspace.
class InterpretedKernel final : public Kernel {
public:
    InterpretedKernel(const Plan& plan, const KernelSet& set, Chunk chunk, int width)
        : set_(set),
          chunk_(chunk),
          n_slots_(plan.n_slots),
          width_(width) {
        steps_.reserve(plan.steps.size() + 1);
        for (std::size_t i = 0; i < plan.steps.size(); ++i) {
            steps_.push_back(resolved(plan.steps[i]));
            steps_.back().handler = handler(std::span(plan.steps).subspan(i));
        }
        steps_.push_back({set.stop(chunk)});
    }

    int n_slots() const override { return n_slots_; }
    void run(double* workspace) const noexcept override {
        set_.run(chunk_, steps_.data(), workspace, width_);
    }

private:
    /// Of as many steps as one handler takes.
    Step::Handler handler(std::span<const PlannedStep> steps) const {
        const PlannedStep& first = steps.front();
        std::size_t n = 1;
        while (n < steps.size() && steps[n].op == first.op && !steps[n - 1].stores &&
               steps[n].modes().index() == first.modes().index())
            ++n;
        for (; n > 1; --n)
            if (const auto found =
                    set_.handler(chunk_, first.op, first.modes(), steps[n - 1].stores, n))
                return found;
        return set_.handler(chunk_, first.op, first.modes(), first.stores, 1);
    }
    Step resolved(const PlannedStep& step) const {
        Step made;
        std::uint32_t columns[3] = {};
        int n_columns = 0, n_numbers = 0;
        for (const Place& place : {step.a, step.b, step.c}) {
            if (place.mode == OperandMode::column) columns[n_columns++] = column(place.slot);
            if (place.mode == OperandMode::number) made.numbers[n_numbers++] = place.number;
        }
        made.columns = columns[0] | std::uint64_t{columns[1]} << 32;
        made.third = columns[2];
        made.out = column(step.out);
        return made;
    }
    std::uint32_t column(int slot) const { return static_cast<std::uint32_t>(slot * width_); }

    const KernelSet& set_;
    Chunk chunk_;
    int n_slots_;
    int width_;
    std::vector<Step> steps_;
};

class Interpreter final : public Executor {
public:
    explicit Interpreter(const KernelSet& set) : set_(set) {}

    std::unique_ptr<Kernel>
    compile(const LaneProgram& program, const WorkspaceLayout& layout, int width) const override {
        if (width != 1 && (width <= 0 || width % 8 != 0))
            throw std::invalid_argument(
                fmt::format("Executor::compile: width {} is neither 1 nor a multiple of 8", width));
        const Chunk chunk = width == 1                             ? Chunk::one_lane
                            : width % set_.lanes_of_registers == 0 ? Chunk::registers
                                                                   : Chunk::eight_lanes;
        const auto is_built = [&](Op op, Modes modes, bool stores) {
            return set_.handler(chunk, op, modes, stores, 1) != nullptr;
        };
        const Plan plan = make_plan(program, layout, is_built);
        return std::make_unique<InterpretedKernel>(plan, set_, chunk, width);
    }

private:
    const KernelSet& set_;
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

const KernelSet& kernels(InstructionSet set) {
    if (!has(set))
        throw std::invalid_argument("interpreter: this machine has not the instruction set");
    return set == InstructionSet::baseline    ? baseline_kernels()
           : set == InstructionSet::x86_64_v3 ? *x86_64_v3_kernels()
                                              : *x86_64_v4_kernels();
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

int best_width(InstructionSet set) {
    return kernels(set).lanes_of_registers;
}

const Executor& interpreter(InstructionSet set) {
    const KernelSet& asked = kernels(set);
    if (set == InstructionSet::baseline) {
        static const Interpreter baseline(asked);
        return baseline;
    }
    if (set == InstructionSet::x86_64_v3) {
        static const Interpreter x86_64_v3(asked);
        return x86_64_v3;
    }
    static const Interpreter x86_64_v4(asked);
    return x86_64_v4;
}

} // namespace gemel::sim
