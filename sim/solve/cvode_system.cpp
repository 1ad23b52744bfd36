#include "solve/cvode_system.hpp"

#include "base/finite.hpp"
#include "base/index.hpp"
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

void store_dense(const JacobianPattern& pattern, const double* entries, SUNMatrix matrix) {
    SUNMatZero(matrix);
    for (int j = 0; j < pattern.n; ++j) {
        double* column = SUNDenseMatrix_Column(matrix, j);
        for (int k = pattern.starts[index(j)]; k < pattern.starts[index(j + 1)]; ++k)
            column[pattern.rows[index(k)]] = entries[k];
    }
}

void store_sparse(const JacobianPattern& pattern, const double* entries, SUNMatrix matrix) {
    std::copy(pattern.starts.begin(), pattern.starts.end(), SUNSparseMatrix_IndexPointers(matrix));
    std::copy(pattern.rows.begin(), pattern.rows.end(), SUNSparseMatrix_IndexValues(matrix));
    std::copy_n(entries, pattern.n_entries(), SUNSparseMatrix_Data(matrix));
}

} // namespace

void store(const JacobianPattern& pattern, const double* entries, SUNMatrix matrix) {
    if (SUNMatGetID(matrix) == SUNMATRIX_SPARSE)
        store_sparse(pattern, entries, matrix);
    else
        store_dense(pattern, entries, matrix);
}

JacobianPattern jacobian_pattern(const SystemStructure& structure) {
    return jacobian_pattern(structure, static_cast<int>(structure.jacobian.size()));
}

JacobianPattern jacobian_pattern(const SystemStructure& structure, int n_states) {
    JacobianPattern pattern;
    pattern.n = n_states;
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
    for (int i = 0; i < pattern.n; ++i)
        rows.push_back(state_gradient(graph, compiled.system.states[index(i)].rate));
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

CvodeSystem::CvodeSystem(JacobianPattern pattern,
                         const OdeSystem& system,
                         const ProgramSet& programs,
                         int first,
                         double rtol)
    : pattern_(std::move(pattern)),
      rates_(programs.programs[index(first)], programs.layout),
      jacobian_(programs.programs[index(first + 1)], programs.layout),
      weights_(rtol, system, pattern_.n) {}

void CvodeSystem::load(const ScalarSubject& subject) {
    rates_.load(subject);
    jacobian_.load(subject);
    weights_.load(subject.scale);
}

int CvodeSystem::rates(double time, N_Vector y, N_Vector dydt) {
    if (pattern_.n == 0) values(dydt)[0] = 0.0; // CVODE has no vectors of none
    rates_(time, values(y), values(dydt));
    return all_finite(values(dydt)) ? 0 : 1;
}

int CvodeSystem::jacobian(double time, N_Vector y, SUNMatrix matrix) {
    jacobian_.set_states(values(y));
    jacobian_.set_time(time);
    jacobian_.run();
    const double* entries = jacobian_.results();
    if (!all_finite({entries, index(pattern_.n_entries())})) return 1;
    store(pattern_, entries, matrix);
    return 0;
}

int CvodeSystem::rates_callback(double time, N_Vector y, N_Vector dydt, void* self) {
    return static_cast<CvodeSystem*>(self)->rates(time, y, dydt);
}

int CvodeSystem::weights_callback(N_Vector y, N_Vector weights, void* self) {
    static_cast<CvodeSystem*>(self)->weights_.write(values(y), values(weights));
    return 0;
}

int CvodeSystem::jacobian_callback(
    double time, N_Vector y, N_Vector, SUNMatrix matrix, void* self, N_Vector, N_Vector, N_Vector) {
    return static_cast<CvodeSystem*>(self)->jacobian(time, y, matrix);
}

} // namespace gemel::sim
