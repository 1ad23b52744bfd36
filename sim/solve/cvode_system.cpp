#include "solve/cvode_system.hpp"

#include "expr/gradient.hpp"

#include <sunlinsol/sunlinsol_dense.h>
#include <sunlinsol/sunlinsol_klu.h>
#include <sunmatrix/sunmatrix_dense.h>
#include <sunmatrix/sunmatrix_sparse.h>

#include <algorithm>
#include <cmath>
#include <new>

namespace gemel::sim {
namespace {

std::size_t index(int i) {
    return static_cast<std::size_t>(i);
}

bool all_finite(const double* values, int n) {
    return std::all_of(values, values + n, [](double x) { return std::isfinite(x); });
}

} // namespace

JacobianPattern jacobian_pattern(const SystemStructure& structure) {
    JacobianPattern pattern;
    pattern.n = static_cast<int>(structure.jacobian.size());
    std::vector<std::vector<int>> columns(index(pattern.n));
    for (int i = 0; i < pattern.n; ++i) {
        std::vector<int> row = structure.jacobian[index(i)];
        if (!std::binary_search(row.begin(), row.end(), i)) row.push_back(i);
        for (const int j : row)
            columns[index(j)].push_back(i);
    }
    pattern.starts.push_back(0);
    for (const std::vector<int>& column : columns) {
        pattern.rows.insert(pattern.rows.end(), column.begin(), column.end());
        pattern.starts.push_back(pattern.n_entries());
    }
    return pattern;
}

ProgramSpec jacobian_program(CompiledSystem& compiled, const JacobianPattern& pattern) {
    ExpressionGraph& graph = compiled.system.graph;
    std::vector<std::map<int, Expr>> rows;
    for (const State& state : compiled.system.states)
        rows.push_back(state_gradient(graph, state.rate));
    ProgramSpec spec{"jacobian", {}};
    for (int j = 0; j < pattern.n; ++j)
        for (int k = pattern.starts[index(j)]; k < pattern.starts[index(j + 1)]; ++k) {
            const std::map<int, Expr>& row = rows[index(pattern.rows[index(k)])];
            const auto found = row.find(j);
            spec.targets.push_back(
                {{LeafKind::result, k}, found != row.end() ? found->second : graph.constant(0.0)});
        }
    return spec;
}

SunMatrix sun_matrix(const SunContext& context, const JacobianPattern& pattern) {
    const int n = std::max(pattern.n, 1);
    SunMatrix matrix(pattern.is_sparse()
                         ? SUNSparseMatrix(n, n, pattern.n_entries(), CSC_MAT, context.get())
                         : SUNDenseMatrix(n, n, context.get()));
    if (matrix == nullptr) throw std::bad_alloc();
    return matrix;
}

SunLinearSolver sun_linear_solver(const SunContext& context, N_Vector y, SUNMatrix matrix) {
    const bool is_sparse = SUNMatGetID(matrix) == SUNMATRIX_SPARSE;
    SunLinearSolver solver(is_sparse ? SUNLinSol_KLU(y, matrix, context.get())
                                     : SUNLinSol_Dense(y, matrix, context.get()));
    if (solver == nullptr) throw std::bad_alloc();
    return solver;
}

CvodeSystem::CvodeSystem(const CompiledSystem& system, const ProgramSet& programs, int first)
    : pattern_(jacobian_pattern(system.structure)),
      rates_(system, programs.programs[index(first)], programs.layout),
      jacobian_(programs.programs[index(first + 1)], programs.layout) {}

void CvodeSystem::load(const ScalarSubject& subject) {
    rates_.load(subject);
    jacobian_.load(subject);
}

int CvodeSystem::rates(double time, N_Vector y, N_Vector dydt) {
    rates_(time, values(y), values(dydt));
    return all_finite(values(dydt).data(), pattern_.n) ? 0 : 1;
}

int CvodeSystem::jacobian(double time, N_Vector y, SUNMatrix matrix) {
    jacobian_.set_states(values(y));
    jacobian_.set_time(time);
    jacobian_.run();
    const double* entries = jacobian_.results();
    if (!all_finite(entries, pattern_.n_entries())) return 1;
    if (SUNMatGetID(matrix) == SUNMATRIX_SPARSE)
        store_sparse(entries, matrix);
    else
        store_dense(entries, matrix);
    return 0;
}

void CvodeSystem::store_dense(const double* entries, SUNMatrix matrix) const {
    SUNMatZero(matrix);
    for (int j = 0; j < pattern_.n; ++j) {
        double* column = SUNDenseMatrix_Column(matrix, j);
        for (int k = pattern_.starts[index(j)]; k < pattern_.starts[index(j + 1)]; ++k)
            column[pattern_.rows[index(k)]] = entries[k];
    }
}

void CvodeSystem::store_sparse(const double* entries, SUNMatrix matrix) const {
    std::copy(
        pattern_.starts.begin(), pattern_.starts.end(), SUNSparseMatrix_IndexPointers(matrix));
    std::copy(pattern_.rows.begin(), pattern_.rows.end(), SUNSparseMatrix_IndexValues(matrix));
    std::copy_n(entries, pattern_.n_entries(), SUNSparseMatrix_Data(matrix));
}

int CvodeSystem::rates_callback(double time, N_Vector y, N_Vector dydt, void* self) {
    return static_cast<CvodeSystem*>(self)->rates(time, y, dydt);
}

int CvodeSystem::jacobian_callback(
    double time, N_Vector y, N_Vector, SUNMatrix matrix, void* self, N_Vector, N_Vector, N_Vector) {
    return static_cast<CvodeSystem*>(self)->jacobian(time, y, matrix);
}

} // namespace gemel::sim
