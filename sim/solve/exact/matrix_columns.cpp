#include "solve/exact/matrix_columns.hpp"

#include "base/index.hpp"

#include <algorithm>

namespace gemel::sim::exact {

bool MatrixShape::has_constants() const {
    return std::any_of(constants.begin(), constants.end(), [](int k) { return k >= 0; });
}

MatrixColumns::MatrixColumns(const ProgramSet& programs,
                             int matrix_program,
                             const MatrixShape& shape) {
    const LaneProgram& program = programs.programs[index(matrix_program)];
    kernel_ = interpreter().compile(program, programs.layout, pack);
    workspace_ = Workspace(index(kernel_->n_slots()) * pack);
    const auto column = [&](Leaf leaf) {
        return workspace_.data() + programs.layout.slot(leaf) * pack;
    };
    const auto result = [&](int k) -> const double* {
        return k < 0 ? nullptr : column({LeafKind::result, k});
    };
    for (const LaneProgram::Instruction& instruction : program.instructions)
        if (instruction.op == Op::leaf)
            fixed_.push_back({instruction.leaf, column(instruction.leaf)});
    for (const int k : shape.entries)
        entries_.push_back(result(k));
    for (const int k : shape.constants)
        constants_.push_back(result(k));
}

void MatrixColumns::load(const PackInputs& inputs) {
    for (const Fixed& fixed : fixed_)
        inputs.load(fixed.leaf, fixed.column);
}

void MatrixColumns::load(int lane, const BlockProblem& problem, const BlockSetup& setup, int row) {
    for (const Fixed& fixed : fixed_) {
        const std::size_t at = index(fixed.leaf.index * setup.n_rows + row);
        fixed.column[lane] =
            fixed.leaf.kind == LeafKind::input ? problem.inputs[at] : setup.derived[at];
    }
}

unsigned MatrixColumns::run() {
    kernel_->run(workspace_.data());
    double finite[pack] = {}; // NaN in lanes where a number is not
    for (const auto* columns : {&entries_, &constants_})
        for (const double* column : *columns)
            for (int l = 0; column != nullptr && l < pack; ++l)
                finite[l] += column[l] * 0.0;
    unsigned bad = 0;
    for (int l = 0; l < pack; ++l)
        bad |= finite[l] == 0.0 ? 0U : 1U << l;
    return bad;
}

} // namespace gemel::sim::exact
