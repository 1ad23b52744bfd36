#pragma once

#include <gemel/sim/lane_program.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

/// The meaning of programs, one number at a time: the oracle of executors.
namespace gemel::sim::testing {

/// Same bits; NaN is NaN whatever its payload and sign, which no executor promises.
inline bool is_same(double a, double b) {
    return (std::isnan(a) && std::isnan(b)) ||
           std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

/// Runs a program on one lane of a workspace [n_slots × width].
inline void run_reference(const LaneProgram& program,
                          const WorkspaceLayout& layout,
                          std::vector<double>& workspace,
                          int width,
                          int lane) {
    const auto at = [&](Leaf leaf) -> double& {
        return workspace[static_cast<std::size_t>(layout.slot(leaf) * width + lane)];
    };
    std::vector<double> values;
    for (const LaneProgram::Instruction& i : program.instructions) {
        const auto operand = [&](std::uint32_t v) { return v < values.size() ? values[v] : 0.0; };
        if (i.op == Op::constant)
            values.push_back(i.value);
        else if (i.op == Op::leaf)
            values.push_back(at(i.leaf));
        else
            values.push_back(apply(i.op, operand(i.a), operand(i.b), operand(i.c)));
    }
    for (const LaneProgram::Store& store : program.stores)
        at(store.to) = values[store.value];
}

/// Room for a kernel, aligned to 64 bytes.
class Workspace {
public:
    Workspace(int n_slots, int width) : numbers_(static_cast<std::size_t>(n_slots * width) + 8) {}
    double* data() {
        const auto address = reinterpret_cast<std::uintptr_t>(numbers_.data());
        return numbers_.data() + (64 - address % 64) % 64 / sizeof(double);
    }

private:
    std::vector<double> numbers_;
};

} // namespace gemel::sim::testing
