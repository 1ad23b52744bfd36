#pragma once

#include "solve/exact/pack_inputs.hpp"
#include "solve/observer.hpp"
#include "solve/workspace.hpp"

#include <memory>
#include <span>
#include <vector>

/// The matrices of eight subjects.
namespace gemel::sim::exact {

/// Where the entries of a system's matrix lie among a program's results.
struct MatrixShape {
    int n_states = 0;
    std::vector<int> entries;   ///< [n_states × n_states] number of the result; −1: 0
    std::vector<int> constants; ///< [n_states] likewise, of what enters without states
    bool has_constants() const;
};

class MatrixColumns {
public:
    MatrixColumns(const ProgramSet& programs, int matrix_program, const MatrixShape& shape);

    /// A pack's subjects, who have one row of inputs each.
    void load(const PackInputs& inputs);
    /// Row `row` of the block's inputs is in force in a lane.
    void load(int lane, const BlockProblem& problem, const BlockSetup& setup, int row);
    /// @returns lanes, as bits, with a number that is not finite
    unsigned run();
    /// Row by row [n_states × n_states]; null: 0. Valid for good.
    std::span<const double* const> entries() const { return entries_; }
    const double* constant(int state) const { return constants_[static_cast<std::size_t>(state)]; }

private:
    struct Fixed {
        Leaf leaf;
        double* column = nullptr;
    };
    std::unique_ptr<Kernel> kernel_;
    Workspace workspace_;
    std::vector<Fixed> fixed_;
    std::vector<const double*> entries_, constants_;
};

} // namespace gemel::sim::exact
