#pragma once

#include "conditional_gradient.hpp"
#include "linear_model.hpp"
#include "modes.hpp"

#include <Eigen/Dense>

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace gemel::learners {

/// Everything an estimator needs, made once per fit.
struct FitEngine {
    FitEngine(const FitSetup& setup, const FitExecution& execution);

    FitData data;
    FitScale scale;
    Predictor predictor;
    MuReference mu;
    Derivatives derivatives;
    const FitExecution execution;

    SolverCount count() const;
};

/// Nodes for each effect, where none are asked for: fewer for more effects.
int nodes_for(std::size_t n_effects, int asked);

/// Nodes and logarithms of weights of Gauss–Hermite quadrature for ∫ f(x) exp(−x²/2) dx/√(2π), by
/// the eigenvalues of the Jacobi matrix (Golub & Welsch 1969, Math Comput 23:221–230).
struct HermiteRule {
    std::vector<double> nodes, log_weights;
};
HermiteRule hermite_rule(int n);

/// −2·log of the marginal likelihood without n·log 2π (NONMEM's OFV), by one of the classical
/// approximations. A function of the place alone: it keeps no memory of other places. After the
/// first values it allocates nothing on one thread. Theory manual: estimation.md.
class Marginal {
public:
    /// @param method  focei, foce, fo, laplace or agq
    Marginal(FitEngine& engine, Method method, int n_nodes = 0);

    double value(std::span<const double> at);
    /// The same with its gradient, [scale.size()]: of focei, foce and fo analytic from second
    /// derivatives of predictions; of laplace, agq and where measurements are censored, which take
    /// third ones, by central differences along the tangents of modes.
    double value(std::span<const double> at, Eigen::VectorXd& gradient);
    /// Of the last value: of each subject.
    const std::vector<double>& by_subject() const { return by_subject_; }
    /// Of the last gradient, [scale.size() × n_subjects].
    const Eigen::MatrixXd& gradients_by_subject() const { return gradients_; }
    Modes& modes() { return modes_; }
    std::int64_t n_evaluations() const { return n_evaluations_; }

private:
    bool is_analytic() const;
    Interaction interaction() const;
    double about_mode(std::size_t subject);
    double beyond_mode(std::size_t subject, const Modes& modes);
    double quadrature_of(std::size_t subject, const SubjectMode& mode);
    void set_nodes(std::size_t subject, const SubjectMode& mode);
    void set_tangents(std::span<const double> at);
    double total(std::span<const double> at, bool with_gradient);

    /// Places beside the one asked for.
    struct Beside {
        explicit Beside(FitEngine& engine)
            : modes(engine.data, engine.derivatives),
              slopes(engine.data.n_subjects()),
              effects(engine.data.n_subjects() * engine.data.max_effects) {}
        Modes modes;
        std::vector<Eigen::MatrixXd> slopes; ///< [n_subjects] of modes
        std::vector<double> effects, at;
    };
    struct Quadrature {
        HermiteRule rule;
        std::vector<std::size_t> subjects, first;   ///< [n_points]
        std::vector<double> effects, values, shift; ///< shift: [n_effects], of a point
        std::vector<double> log_weights, log_terms; ///< [n_points]
    };
    FitEngine& engine_;
    Method method_;
    Modes modes_;
    ConditionalGradient conditional_;
    LinearModel linear_;
    std::optional<Beside> beside_;
    PopulationPoint point_;
    EffectPrior prior_;
    CholeskyRoot root_;
    Quadrature quadrature_;
    std::vector<double> by_subject_;
    Eigen::MatrixXd gradients_;
    std::int64_t n_evaluations_ = 0;
};

} // namespace gemel::learners
