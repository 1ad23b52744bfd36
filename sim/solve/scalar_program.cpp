#include "solve/scalar_program.hpp"

#include "base/index.hpp"

#include <algorithm>

namespace gemel::sim {

void gather(std::span<const double> columns, int n_subjects, int subject, std::vector<double>& to) {
    to.resize(columns.size() / index(n_subjects));
    for (std::size_t i = 0; i < to.size(); ++i)
        to[i] = columns[i * index(n_subjects) + index(subject)];
}

ScalarProgram::ScalarProgram(const LaneProgram& program, const WorkspaceLayout& layout)
    : layout_(layout),
      kernel_(interpreter().compile(program, layout, 1)),
      workspace_(static_cast<std::size_t>(kernel_->n_slots())) {}

void ScalarProgram::load(const ScalarSubject& subject) {
    set(LeafKind::input, subject.inputs);
    set(LeafKind::derived, subject.derived);
}

void ScalarProgram::set(LeafKind kind, std::span<const double> values) {
    const auto slots = index(layout_.count(kind));
    std::copy_n(values.begin(),
                std::min(slots, values.size()),
                workspace_.data() + layout_.slot({kind, 0}));
}

} // namespace gemel::sim
