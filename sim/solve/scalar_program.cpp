#include "solve/scalar_program.hpp"

#include <algorithm>

namespace gemel::sim {

ScalarProgram::ScalarProgram(const LaneProgram& program, const WorkspaceLayout& layout)
    : layout_(layout),
      kernel_(interpreter().compile(program, layout, 1)),
      workspace_(static_cast<std::size_t>(kernel_->n_slots())) {}

void ScalarProgram::load(const ScalarSubject& subject) {
    set(LeafKind::input, subject.inputs);
    set(LeafKind::derived, subject.derived);
}

void ScalarProgram::set(LeafKind kind, std::span<const double> values) {
    const auto slots = static_cast<std::size_t>(layout_.counts[static_cast<std::size_t>(kind)]);
    std::copy_n(values.begin(),
                std::min(slots, values.size()),
                workspace_.data() + layout_.slot({kind, 0}));
}

} // namespace gemel::sim
