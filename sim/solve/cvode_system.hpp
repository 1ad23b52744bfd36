#pragma once

#include "solve/cvode_weights.hpp"
#include "solve/scalar_rates.hpp"
#include "solve/sundials.hpp"

#include <vector>

/// A system as SUNDIALS wants it: rates and the analytic Jacobian by lane programs of width 1, the
/// matrix dense or sparse. Nothing here throws into SUNDIALS or prints.
namespace gemel::sim {

/// What one step of CVODE may use of the tolerance. Steps of a multistep method lean on each other,
/// so their errors add up where those of one-step methods partly cancel, and there are ten times as
/// many: with step_part, a hundredth more, problems of the battery end at 20 times rtol.
inline constexpr double cvode_part = 0.01;

/// Where ∂f/∂y is not 0, column by column (KLU's order); the diagonal is always in it, because
/// Newton's matrix I − γJ needs it.
struct JacobianPattern {
    int n = 0;
    std::vector<int> starts; ///< [n + 1] of columns in `rows`
    std::vector<int> rows;   ///< [n_entries], rising within a column

    int n_entries() const { return static_cast<int>(rows.size()); }
    /// Whether the sparse LU pays. From 20 states with fewer than 3 in 10 entries it is the faster
    /// one, and at 300 states twenty times so; below, the two are alike.
    bool is_sparse() const {
        return n >= least_sparse && n_entries() < 0.3 * static_cast<double>(n) * n;
    }
    static constexpr int least_sparse = 20;
};
/// Of all states, or of the first n_states, which depend on no others.
JacobianPattern jacobian_pattern(const SystemStructure& structure);
JacobianPattern jacobian_pattern(const SystemStructure& structure, int n_states);

/// Entry k of the pattern, column by column.
void store(const JacobianPattern& pattern, const double* entries, SUNMatrix matrix);

/// Entry k of the pattern in result slot k.
ProgramSpec jacobian_program(CompiledSystem& system, const JacobianPattern& pattern);

/// A matrix of zeros with the pattern, dense or sparse as the pattern says, and the solver for it.
SunMatrix sun_matrix(const SunContext& context, const JacobianPattern& pattern);
SunLinearSolver sun_linear_solver(const SunContext& context, N_Vector y, SUNMatrix matrix);

/// Evaluates a subject's rates, Jacobian and error weights for SUNDIALS.
class CvodeSystem {
public:
    /// Of the first states of the system, as many as the pattern has.
    /// @param first  of its two programs in the set: scalar_rates_program(), jacobian_program()
    CvodeSystem(JacobianPattern pattern,
                const OdeSystem& system,
                const ProgramSet& programs,
                int first,
                double rtol);

    void load(const ScalarSubject& subject);
    void set_infusion(std::span<const double> infusion) { rates_.set_infusion(infusion); }
    const JacobianPattern& pattern() const { return pattern_; }
    int n_states() const { return pattern_.n; }
    CvodeWeights& weights() { return weights_; }
    const CvodeWeights& weights() const { return weights_; }

    /// @returns 0, or 1 if a number is not finite: SUNDIALS tries a shorter step then
    int rates(double time, N_Vector y, N_Vector dydt);
    int jacobian(double time, N_Vector y, SUNMatrix matrix);

    /// The functions SUNDIALS calls; `self` is a CvodeSystem*.
    static int rates_callback(double time, N_Vector y, N_Vector dydt, void* self);
    static int weights_callback(N_Vector y, N_Vector weights, void* self);
    static int jacobian_callback(double time,
                                 N_Vector y,
                                 N_Vector dydt,
                                 SUNMatrix matrix,
                                 void* self,
                                 N_Vector,
                                 N_Vector,
                                 N_Vector);

private:
    JacobianPattern pattern_;
    ScalarRates rates_;
    ScalarProgram jacobian_;
    CvodeWeights weights_;
};

} // namespace gemel::sim
