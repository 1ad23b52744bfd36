#pragma once

#include <gemel/sim/solver.hpp>

#include <memory>
#include <span>
#include <vector>

/// Derivatives of one subject's outputs by inputs from CVODES: forward, and adjoint for the
/// gradient of one number by many inputs. Independent of with_sensitivities(), whose rules at doses
/// they share. Theory manual: sensitivities.md.
namespace gemel::sim {

struct SubjectProblem {
    std::span<const double> inputs; ///< [n_inputs]
    const Timeline* timeline = nullptr;
    std::span<const SampledOutput> sampled;
};

struct SubjectSensitivities {
    SolverStatus status = SolverStatus::ok;  ///< anything but ok: all numbers are NaN
    std::vector<std::vector<double>> values; ///< [n_sampled][n_times]
    std::vector<std::vector<std::vector<double>>> derivatives; ///< [n_wrt][n_sampled][n_times]
};

/// G, a number made of sampled values y: Σ w·y, or Σ w·(y − observed)².
struct Objective {
    enum class Law { weighted_sum, weighted_squares };
    Law law = Law::weighted_sum;
    std::vector<std::vector<double>> weights;  ///< [n_sampled][n_times]
    std::vector<std::vector<double>> observed; ///< the same; weighted_squares only
};

struct SubjectGradient {
    SolverStatus status = SolverStatus::ok; ///< anything but ok: all numbers are NaN
    double value = 0.0;                     ///< G
    std::vector<double> gradient;           ///< ∂G/∂wrt, [n_wrt]
};

/// A system made ready. Has its own workspace: one per thread.
class CvodesSensitivities {
public:
    /// @param wrt  inputs
    /// @throws std::invalid_argument as with_sensitivities(), for no inputs, or for an rtol outside
    /// (0, 1)
    CvodesSensitivities(const OdeSystem& system,
                        const std::vector<int>& wrt,
                        const SolverOptions& options = {});
    ~CvodesSensitivities();
    CvodesSensitivities(CvodesSensitivities&&) noexcept;
    CvodesSensitivities& operator=(CvodesSensitivities&&) noexcept;

    /// S' = J S + ∂f/∂θ beside the states, solved after each of their steps with the same matrix.
    /// @throws std::invalid_argument for records, outputs or times that mean nothing
    SubjectSensitivities forward(const SubjectProblem& problem);

    /// λ' = −Jᵀλ backwards in time, over states kept at events and at steps between them. Its cost
    /// hardly grows with n_wrt.
    /// @throws std::invalid_argument as forward(), if the objective's shape is not that of
    ///         `sampled`, or for a system with transits
    SubjectGradient adjoint(const SubjectProblem& problem, const Objective& objective);

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

} // namespace gemel::sim
