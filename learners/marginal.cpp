#include "marginal.hpp"

#include <gemel/sim/parallel.hpp>

#include <cmath>
#include <limits>

namespace gemel::learners {
namespace {

constexpr double no_value = std::numeric_limits<double>::infinity();

Eigen::Index at_index(std::size_t i) {
    return static_cast<Eigen::Index>(i);
}

/// A Hessian's root; where it is of no minimum, that of the expected one.
bool find_root(const SubjectMode& mode, bool is_observed, CholeskyRoot& root) {
    return (is_observed && root.factor(mode.observed)) || root.factor(mode.expected);
}

} // namespace

FitEngine::FitEngine(const FitSetup& setup, const FitExecution& with)
    : data(setup),
      scale(data),
      predictor(data, with),
      mu(data, scale, predictor),
      derivatives(data, scale, mu, predictor, with),
      execution(with) {}

SolverCount FitEngine::count() const {
    SolverCount sum = predictor.count();
    sum += derivatives.count();
    return sum;
}

Marginal::Marginal(FitEngine& engine, Method method, int n_nodes)
    : engine_(engine),
      method_(method),
      modes_(engine.data, engine.derivatives),
      focei_gradient_(engine.data, engine.scale, engine.mu, modes_),
      prior_(engine.data),
      by_subject_(engine.data.n_subjects()) {
    if (method == Method::agq)
        quadrature_.rule = hermite_rule(nodes_for(engine.data.max_effects, n_nodes));
}

bool Marginal::is_analytic() const {
    return method_ == Method::focei && engine_.data.n_censored == 0;
}

/// 2·l + log|C| + log|H|, the (2π) of effects and of the integral cancelling.
double Marginal::laplace_of(std::size_t subject) {
    const SubjectMode& mode = modes_.modes[subject];
    if (!find_root(mode, method_ == Method::laplace, root_)) return no_value;
    return 2.0 * mode.value + prior_.log_determinant(subject) + root_.log_determinant();
}

/// J·C·Jᵀ + diag(s₀²), its lower triangle.
void Marginal::set_linear_variance(std::size_t subject) {
    const FitSubject& of = engine_.data.subjects[subject];
    const Eigen::MatrixXd& first = modes_.predictions[subject].first;
    const std::size_t m = of.measured.size(), q = engine_.data.n_eta(), r = engine_.data.n_kappa();
    linear_.variance.resize(m * m);
    linear_.spread.resize(of.n_effects);
    for (std::size_t j = 0; j < m; ++j) {
        const auto spread = [&](const Eigen::MatrixXd& covariance, std::size_t begin) {
            const auto n = static_cast<std::size_t>(covariance.rows());
            for (std::size_t k = 0; k < n; ++k) {
                double sum = 0.0;
                for (std::size_t l = 0; l < n; ++l)
                    sum += covariance(at_index(l), at_index(k)) *
                           first(at_index(j), at_index(begin + l));
                linear_.spread[begin + k] = sum;
            }
        };
        spread(point_.omega, 0);
        for (std::size_t o = 0; r > 0 && o < of.n_occasions; ++o)
            spread(point_.pi, q + o * r);
        double* column = linear_.variance.data() + j * m;
        for (std::size_t i = j; i < m; ++i) {
            column[i] = 0.0;
            for (std::size_t k = 0; k < of.n_effects; ++k)
                column[i] += first(at_index(i), at_index(k)) * linear_.spread[k];
        }
        const double s = modes_.typical_sds[subject][j];
        column[j] += s * s;
    }
}

/// Of the model linearised at effects of 0: y ~ N(f₀, J·C·Jᵀ + diag(s₀²)).
double Marginal::linear_of(std::size_t subject) {
    const FitSubject& of = engine_.data.subjects[subject];
    const std::size_t m = of.measured.size();
    set_linear_variance(subject);
    if (!root_.factor(linear_.variance.data(), m)) return no_value;
    linear_.error.resize(m);
    for (std::size_t i = 0; i < m; ++i)
        linear_.error[i] = of.measured[i].value - modes_.predictions[subject].f(at_index(i));
    root_.solve_lower(linear_.error.data());
    double square = 0.0;
    for (const double e : linear_.error)
        square += e * e;
    return root_.log_determinant() + square;
}

double Marginal::total(std::span<const double> at, bool with_extra) {
    ++n_evaluations_;
    engine_.scale.set_point(at, point_);
    prior_.set(point_);
    if (!prior_.is_proper()) return no_value;
    if (method_ == Method::fo) {
        modes_.linearise(at, point_);
    } else {
        const bool is_typical = method_ == Method::foce;
        modes_.find(
            at, point_, is_typical ? Interaction::at_typical : Interaction::full, {}, with_extra);
    }
    for (std::size_t s = 0; s < engine_.data.n_subjects(); ++s) {
        by_subject_[s] = method_ == Method::fo    ? linear_of(s)
                         : method_ == Method::agq ? quadrature_of(s)
                                                  : laplace_of(s);
        by_subject_[s] += 2.0 * engine_.data.subjects[s].sum_log_values;
    }
    const double sum = sim::ordered_sum(by_subject_);
    return std::isfinite(sum) ? sum : no_value;
}

double Marginal::value(std::span<const double> at) {
    return total(at, false);
}

double Marginal::value(std::span<const double> at, Eigen::VectorXd& gradient) {
    const Eigen::Index n = at_index(engine_.scale.size()),
                       n_subjects = at_index(engine_.data.n_subjects());
    gradient.setZero(n);
    const double value = total(at, is_analytic());
    gradients_.setZero(n, n_subjects);
    if (value == no_value) return value;
    if (is_analytic()) {
        focei_gradient_.begin(at, prior_);
        for (Eigen::Index s = 0; s < n_subjects; ++s)
            focei_gradient_.set(static_cast<std::size_t>(s), at, point_, gradients_.data() + s * n);
    } else {
        set_differences(at);
    }
    for (Eigen::Index s = 0; s < n_subjects; ++s)
        gradient += gradients_.col(s);
    return value;
}

/// Central differences of the value, by which the last value is kept.
void Marginal::set_differences(std::span<const double> at) {
    constexpr double step = 1e-4;
    here_ = by_subject_;
    moved_.assign(at.begin(), at.end());
    for (std::size_t k = 0; k < at.size(); ++k) {
        const double h = step * std::max(1.0, std::abs(at[k]));
        moved_[k] = at[k] + h;
        total(moved_, false);
        for (std::size_t s = 0; s < by_subject_.size(); ++s)
            gradients_(at_index(k), at_index(s)) = by_subject_[s];
        moved_[k] = at[k] - h;
        total(moved_, false);
        for (std::size_t s = 0; s < by_subject_.size(); ++s) {
            double& change = gradients_(at_index(k), at_index(s));
            change = (change - by_subject_[s]) / (2.0 * h);
        }
        moved_[k] = at[k];
    }
    by_subject_ = here_;
}

int nodes_for(std::size_t n_effects, int asked) {
    if (asked > 0) return asked;
    return n_effects <= 2 ? 15 : n_effects == 3 ? 9 : n_effects == 4 ? 5 : 3;
}

HermiteRule hermite_rule(int n) {
    Eigen::MatrixXd jacobi = Eigen::MatrixXd::Zero(n, n);
    for (int i = 1; i < n; ++i)
        jacobi(i, i - 1) = jacobi(i - 1, i) = std::sqrt(static_cast<double>(i));
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solved(jacobi);
    HermiteRule rule;
    for (int i = 0; i < n; ++i) {
        rule.nodes.push_back(solved.eigenvalues()(i));
        rule.log_weights.push_back(2.0 * std::log(std::abs(solved.eigenvectors()(0, i))));
    }
    return rule;
}

/// The points of a grid about the mode, b* + L·x with L Lᵀ = H⁻¹.
void Marginal::set_nodes(std::size_t subject) {
    const FitSubject& of = engine_.data.subjects[subject];
    const SubjectMode& mode = modes_.modes[subject];
    const std::size_t d = engine_.data.max_effects, n_nodes = quadrature_.rule.nodes.size();
    std::size_t n = 1;
    for (std::size_t k = 0; k < of.n_effects; ++k)
        n *= n_nodes;
    quadrature_.subjects.assign(n, subject);
    quadrature_.first.resize(n);
    quadrature_.effects.assign(n * d, 0.0);
    quadrature_.log_weights.assign(n, 0.0);
    quadrature_.shift.resize(of.n_effects);
    for (std::size_t i = 0; i < n; ++i) {
        std::size_t rest = i;
        for (std::size_t k = 0; k < of.n_effects; ++k, rest /= n_nodes) {
            const double x = quadrature_.rule.nodes[rest % n_nodes];
            quadrature_.shift[k] = x;
            quadrature_.log_weights[i] +=
                quadrature_.rule.log_weights[rest % n_nodes] + 0.5 * x * x;
        }
        root_.solve_upper(quadrature_.shift.data()); // H = R·Rᵀ, so L = R⁻ᵀ
        for (std::size_t k = 0; k < of.n_effects; ++k)
            quadrature_.effects[i * d + k] = mode.effects(at_index(k)) + quadrature_.shift[k];
        quadrature_.first[i] = i * of.measured.size();
    }
}

/// ∫ p(y, b) db with b = b* + L·x, L Lᵀ = H⁻¹: Σ_nodes w·exp(x²/2)·p(y, b)·(2π)^{n/2}·|L|.
double Marginal::quadrature_of(std::size_t subject) {
    const FitData& data = engine_.data;
    const FitSubject& of = data.subjects[subject];
    const std::size_t d = data.max_effects;
    if (!find_root(modes_.modes[subject], true, root_)) return no_value;
    set_nodes(subject);
    const std::size_t n = quadrature_.subjects.size();
    quadrature_.values.resize(n * of.measured.size());
    engine_.predictor.predict(
        {quadrature_.subjects, point_.theta, quadrature_.effects, d, quadrature_.first},
        quadrature_.values);
    double largest = -no_value;
    quadrature_.log_terms.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
        double sum = 0.5 * prior_.square(subject, quadrature_.effects.data() + i * d);
        for (std::size_t j = 0; j < of.measured.size(); ++j) {
            const Measurement& measured = of.measured[j];
            const double f = quadrature_.values[quadrature_.first[i] + j];
            sum += loss(point_.errors[measured.place],
                        measured,
                        data.is_logarithmic[measured.place] != 0 ? std::log(f) : f);
        }
        quadrature_.log_terms[i] =
            std::isfinite(sum) ? quadrature_.log_weights[i] - sum : -no_value;
        largest = std::max(largest, quadrature_.log_terms[i]);
    }
    double sum = 0.0;
    for (const double term : quadrature_.log_terms)
        sum += std::exp(term - largest);
    return -2.0 * (largest + std::log(sum)) + prior_.log_determinant(subject) +
           root_.log_determinant();
}

} // namespace gemel::learners
