#include "marginal.hpp"

#include <gemel/sim/parallel.hpp>

#include <cmath>
#include <limits>

namespace gemel::learners {
namespace {

constexpr double no_value = std::numeric_limits<double>::infinity();
/// Of differences along tangents: second derivatives of exact solutions carry errors near 1e-8,
/// those of solutions by steps near 1e-5.
constexpr double tangent_step = 1e-3, noisy_tangent_step = 1e-2;

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
      conditional_(engine.data, engine.scale, engine.mu, modes_),
      linear_(engine.data, engine.scale, engine.mu, modes_),
      prior_(engine.data),
      by_subject_(engine.data.n_subjects()) {
    if (method != Method::fo && !is_analytic()) beside_.emplace(engine);
    if (method == Method::agq)
        quadrature_.rule = hermite_rule(nodes_for(engine.data.max_effects, n_nodes));
}

bool Marginal::is_analytic() const {
    return (method_ == Method::focei || method_ == Method::foce) && engine_.data.n_censored == 0;
}

Interaction Marginal::interaction() const {
    return method_ == Method::foce ? Interaction::at_typical : Interaction::full;
}

/// Of 2·l + log|C| + log|H|, the (2π) of effects and of the integral cancelling, log|H|; of
/// quadrature all that is more than 2·l + log|C| at the mode.
double Marginal::beyond_mode(std::size_t subject, const Modes& modes) {
    const SubjectMode& mode = modes.modes[subject];
    const bool is_observed = method_ == Method::laplace || method_ == Method::agq;
    if (!find_root(mode, is_observed, root_)) return no_value;
    return root_.log_determinant() + (method_ == Method::agq ? quadrature_of(subject, mode) : 0.0);
}

double Marginal::about_mode(std::size_t subject) {
    return 2.0 * modes_.modes[subject].value + prior_.log_determinant(subject) +
           beyond_mode(subject, modes_);
}

double Marginal::total(std::span<const double> at, bool with_gradient) {
    ++n_evaluations_;
    engine_.scale.set_point(at, point_);
    prior_.set(point_);
    if (!prior_.is_proper()) return no_value;
    if (method_ == Method::fo) {
        modes_.linearise(at, point_, with_gradient);
        linear_.begin(at, point_, prior_);
    } else {
        modes_.find(at, point_, interaction(), {}, with_gradient);
    }
    for (std::size_t s = 0; s < engine_.data.n_subjects(); ++s)
        by_subject_[s] = (method_ == Method::fo ? linear_.value(s) : about_mode(s)) +
                         2.0 * engine_.data.subjects[s].sum_log_values;
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
    const double value = total(at, true);
    gradients_.setZero(n, n_subjects);
    if (value == no_value) return value;
    if (method_ != Method::fo) conditional_.begin(at, point_, prior_, interaction());
    if (beside_) {
        set_tangents(at);
    } else {
        for (Eigen::Index s = 0; s < n_subjects; ++s) {
            const auto subject = static_cast<std::size_t>(s);
            double* of_subject = gradients_.data() + s * n;
            if (method_ == Method::fo)
                linear_.set_gradient(subject, of_subject);
            else
                conditional_.set(subject, of_subject);
        }
    }
    for (Eigen::Index s = 0; s < n_subjects; ++s)
        gradient += gradients_.col(s);
    return value;
}

/// Modes go with the place by their slopes: what is more than 2·l + log|C|, whose gradient is
/// known, by differences about modes that follow their tangents, b* ± h·db*/dψ. No search is needed
/// there.
void Marginal::set_tangents(std::span<const double> at) {
    const FitData& data = engine_.data;
    const double step = engine_.predictor.has_steps() ? noisy_tangent_step : tangent_step;
    Beside& beside = *beside_;
    for (std::size_t s = 0; s < data.n_subjects(); ++s)
        conditional_.set_parts(s, gradients_.data() + s * engine_.scale.size(), beside.slopes[s]);
    beside.at.assign(at.begin(), at.end());
    for (std::size_t k = 0; k < at.size(); ++k) {
        const bool is_plain = engine_.scale.coordinates[k].transform == FitScale::Transform::none;
        const double h = is_plain ? step * std::max(0.01, std::abs(at[k])) : step;
        for (const double sign : {1.0, -1.0}) {
            beside.at[k] = at[k] + sign * h;
            for (std::size_t s = 0; s < data.n_subjects(); ++s)
                for (std::size_t e = 0; e < data.subjects[s].n_effects; ++e)
                    beside.effects[s * data.max_effects + e] =
                        modes_.modes[s].effects(at_index(e)) +
                        sign * h * beside.slopes[s](at_index(e), at_index(k));
            engine_.scale.set_point(beside.at, point_);
            prior_.set(point_);
            beside.modes.place(beside.at, point_, interaction(), beside.effects);
            for (std::size_t s = 0; s < data.n_subjects(); ++s)
                gradients_(at_index(k), at_index(s)) +=
                    sign * beyond_mode(s, beside.modes) / (2.0 * h);
        }
        beside.at[k] = at[k];
    }
    engine_.scale.set_point(at, point_);
    prior_.set(point_);
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
void Marginal::set_nodes(std::size_t subject, const SubjectMode& mode) {
    const FitSubject& of = engine_.data.subjects[subject];
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

/// ∫ p(y, b) db with b = b* + L·x, L Lᵀ = H⁻¹: Σ_nodes w·exp(x²/2)·p(y, b)·(2π)^{n/2}·|L|; against
/// p(y, b*)·(2π)^{n/2}·|L|, −2·log. root_ is that of H.
double Marginal::quadrature_of(std::size_t subject, const SubjectMode& mode) {
    const FitData& data = engine_.data;
    const FitSubject& of = data.subjects[subject];
    const std::size_t d = data.max_effects;
    set_nodes(subject, mode);
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
    return -2.0 * (largest + std::log(sum) + mode.value);
}

} // namespace gemel::learners
