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

double log_determinant(const Eigen::LLT<Eigen::MatrixXd>& root) {
    double sum = 0.0;
    for (Eigen::Index i = 0; i < root.matrixLLT().rows(); ++i)
        sum += 2.0 * std::log(root.matrixLLT()(i, i));
    return sum;
}

/// A Hessian's root; where it is of no minimum, that of the expected one.
Eigen::LLT<Eigen::MatrixXd> root_at(const SubjectMode& mode, bool is_observed) {
    Eigen::LLT<Eigen::MatrixXd> root(is_observed ? mode.observed : mode.expected);
    if (root.info() != Eigen::Success) root.compute(mode.expected);
    return root;
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
      n_nodes_(n_nodes),
      modes_(engine.data, engine.derivatives),
      by_subject_(engine.data.n_subjects()) {}

bool Marginal::is_analytic() const {
    return method_ == Method::focei && engine_.data.n_censored == 0;
}

/// 2·l + log|C| + log|H|, the (2π) of effects and of the integral cancelling.
double Marginal::laplace_of(std::size_t subject, const EffectPrior& prior) const {
    const SubjectMode& mode = modes_.modes[subject];
    const Eigen::LLT<Eigen::MatrixXd> root = root_at(mode, method_ == Method::laplace);
    if (root.info() != Eigen::Success) return no_value;
    return 2.0 * mode.value + prior.log_determinant(subject) + log_determinant(root);
}

/// Of the model linearised at effects of 0: y ~ N(f₀, J·C·Jᵀ + diag(s₀²)), by the mode of that
/// linear model: l at b = −H⁻¹g.
double Marginal::linear_of(std::size_t subject, const PopulationPoint& point) const {
    const FitSubject& of = engine_.data.subjects[subject];
    const SubjectPredictions& predicted = modes_.predictions[subject];
    const auto m = at_index(of.measured.size());
    Eigen::MatrixXd covariance =
        Eigen::MatrixXd::Zero(at_index(of.n_effects), at_index(of.n_effects));
    const auto q = at_index(engine_.data.n_eta()), r = at_index(engine_.data.n_kappa());
    covariance.topLeftCorner(q, q) = point.omega;
    for (std::size_t o = 0; r > 0 && o < of.n_occasions; ++o)
        covariance.block(q + at_index(o) * r, q + at_index(o) * r, r, r) = point.pi;
    const Eigen::MatrixXd first = predicted.first.leftCols(at_index(of.n_effects));
    Eigen::MatrixXd variance = first * covariance * first.transpose();
    Eigen::VectorXd error(m);
    for (std::size_t i = 0; i < of.measured.size(); ++i) {
        const double s = modes_.typical_sds[subject][i];
        variance(at_index(i), at_index(i)) += s * s;
        error(at_index(i)) = of.measured[i].value - predicted.f(at_index(i));
    }
    const Eigen::LLT<Eigen::MatrixXd> root(variance);
    if (root.info() != Eigen::Success) return no_value;
    return log_determinant(root) + error.dot(root.solve(error));
}

double Marginal::total(std::span<const double> at, bool with_extra) {
    ++n_evaluations_;
    engine_.scale.set_point(at, point_);
    const EffectPrior prior(engine_.data, point_);
    if (!prior.is_proper()) return no_value;
    if (method_ == Method::fo) {
        modes_.linearise(at, point_);
    } else {
        const bool is_typical = method_ == Method::foce;
        modes_.find(
            at, point_, is_typical ? Interaction::at_typical : Interaction::full, {}, with_extra);
    }
    for (std::size_t s = 0; s < engine_.data.n_subjects(); ++s)
        by_subject_[s] = method_ == Method::fo ? linear_of(s, point_) : laplace_of(s, prior);
    if (method_ == Method::agq) add_quadrature(point_, prior);
    for (std::size_t s = 0; s < engine_.data.n_subjects(); ++s)
        by_subject_[s] += 2.0 * engine_.data.subjects[s].sum_log_values;
    const double sum = sim::ordered_sum(by_subject_);
    return std::isfinite(sum) ? sum : no_value;
}

double Marginal::value(std::span<const double> at) {
    return total(at, false);
}

double Marginal::value(std::span<const double> at, Eigen::VectorXd& gradient) {
    const std::size_t n = engine_.scale.size();
    gradient.setZero(at_index(n));
    if (is_analytic()) {
        const double value = total(at, true);
        gradients_.setZero(at_index(n), at_index(engine_.data.n_subjects()));
        if (value == no_value) return value;
        const EffectPrior prior(engine_.data, point_);
        for (std::size_t s = 0; s < engine_.data.n_subjects(); ++s)
            gradient_of(s, at, point_, prior);
        gradient = gradients_.rowwise().sum();
        return value;
    }
    constexpr double step = 1e-4;
    const double value = total(at, false);
    gradients_.setZero(at_index(n), at_index(engine_.data.n_subjects()));
    if (value == no_value) return value;
    const std::vector<double> here = by_subject_;
    std::vector<double> moved(at.begin(), at.end());
    for (std::size_t k = 0; k < n; ++k) {
        const double h = step * std::max(1.0, std::abs(at[k]));
        moved[k] = at[k] + h;
        total(moved, false);
        for (std::size_t s = 0; s < by_subject_.size(); ++s)
            gradients_(at_index(k), at_index(s)) = by_subject_[s];
        moved[k] = at[k] - h;
        total(moved, false);
        for (std::size_t s = 0; s < by_subject_.size(); ++s) {
            double& change = gradients_(at_index(k), at_index(s));
            change = (change - by_subject_[s]) / (2.0 * h);
        }
        moved[k] = at[k];
    }
    by_subject_ = here;
    gradient = gradients_.rowwise().sum();
    return value;
}

/// With l(b, ψ) = −log p(y, b), b* its mode, H = Σ w·f'f'ᵀ + C⁻¹ and L = ∂²l/∂b² the full Hessian,
///   dO/dψ = 2 ∂l/∂ψ + ∂log|C|/∂ψ + tr(H⁻¹ ∂H/∂ψ) − cᵀ L⁻¹ ∂²l/∂b∂ψ,  c_k = tr(H⁻¹ ∂H/∂b_k),
/// since db*/dψ = −L⁻¹ ∂²l/∂b∂ψ (Almquist et al. 2015, J Pharmacokinet Pharmacodyn 42:191–209).
void Marginal::gradient_of(std::size_t subject,
                           std::span<const double> at,
                           const PopulationPoint& point,
                           const EffectPrior& prior) {
    const FitData& data = engine_.data;
    const FitSubject& of = data.subjects[subject];
    const SubjectPredictions& p = modes_.predictions[subject];
    const SubjectMode& mode = modes_.modes[subject];
    const auto b = at_index(of.n_effects), m = at_index(of.measured.size()),
               n = at_index(p.n_directions);
    const Eigen::MatrixXd inverse = root_at(mode, false).solve(Eigen::MatrixXd::Identity(b, b));
    // ∂H/∂(direction l) and ∂²l/∂b∂(direction l): directions are effects, then extra parameters.
    Eigen::MatrixXd mixed = Eigen::MatrixXd::Zero(b, n);
    Eigen::VectorXd trace = Eigen::VectorXd::Zero(n), slope = Eigen::VectorXd::Zero(n);
    Eigen::VectorXd half(b), curve(b);
    for (Eigen::Index j = 0; j < m; ++j) {
        const LossTerm& term = mode.terms[static_cast<std::size_t>(j)];
        half.noalias() = inverse * p.first.row(j).head(b).transpose();
        const double spread = p.first.row(j).head(b).dot(half);
        for (Eigen::Index l = 0; l < n; ++l) {
            for (Eigen::Index k = 0; k < b; ++k) {
                curve(k) = p.second(j, k * n + l);
                mixed(k, l) += term.ff * p.first(j, k) * p.first(j, l) + term.f * curve(k);
            }
            slope(l) += term.f * p.first(j, l);
            trace(l) += term.info_f * p.first(j, l) * spread + 2.0 * term.info * curve.dot(half);
        }
    }
    Eigen::MatrixXd observed = mode.observed;
    const Eigen::LLT<Eigen::MatrixXd> full(observed);
    const Eigen::VectorXd pull = full.info() == Eigen::Success
                                     ? Eigen::VectorXd(full.solve(trace.head(b)))
                                     : Eigen::VectorXd(observed.ldlt().solve(trace.head(b)));
    auto gradient = gradients_.col(at_index(subject));
    const auto of_direction = [&](Eigen::Index l) {
        return 2.0 * slope(l) + trace(l) - pull.dot(mixed.col(l));
    };
    Eigen::MatrixXd of_mu;
    engine_.mu.slope(at, point, subject, of_mu);
    for (std::size_t k = 0; k < engine_.mu.mu().size(); ++k) {
        double sum = 0.0;
        for (Eigen::Index e = 0; e < of_mu.rows(); ++e)
            sum += of_mu(e, at_index(k)) * of_direction(e);
        gradient(at_index(engine_.mu.mu()[k])) = sum;
    }
    for (std::size_t k = 0; k < engine_.mu.extra().size(); ++k)
        gradient(at_index(engine_.mu.extra()[k])) = of_direction(b + at_index(k));
    const auto q = at_index(data.n_eta()), r = at_index(data.n_kappa());
    for (std::size_t k = 0; k < engine_.scale.size(); ++k) {
        const FitScale::Coordinate& c = engine_.scale.coordinates[k];
        if (c.kind == FitScale::Kind::root) {
            // dC⁻¹ = −C⁻¹ dC C⁻¹
            const Eigen::MatrixXd change = engine_.scale.change_of_covariance(k, point);
            const bool is_subject = engine_.scale.groups[c.group].level == pkpd::Level::subject;
            const Eigen::MatrixXd& precision =
                is_subject ? prior.omega_inverse() : prior.pi_inverse();
            const Eigen::MatrixXd of_precision = -precision * change * precision;
            const double of_determinant = (precision * change).trace();
            const Eigen::Index width = is_subject ? q : r;
            const std::size_t n_blocks = is_subject ? 1 : of.n_occasions;
            double sum = 0.0;
            for (std::size_t o = 0; o < n_blocks; ++o) {
                const Eigen::Index first = is_subject ? 0 : q + at_index(o) * r;
                const Eigen::VectorXd effects = mode.effects.segment(first, width);
                const Eigen::VectorXd moved = of_precision * effects;
                sum += effects.dot(moved) + of_determinant +
                       (inverse.block(first, first, width, width) * of_precision).trace() -
                       pull.segment(first, width).dot(moved);
            }
            gradient(at_index(k)) = sum;
        } else if (c.kind == FitScale::Kind::error) {
            const auto number = static_cast<std::size_t>(c.error);
            const double factor = c.transform == FitScale::Transform::logarithm
                                      ? from_scale(c.transform, at[k])
                                      : 1.0;
            double sum = 0.0;
            for (Eigen::Index j = 0; j < m; ++j) {
                if (of.measured[static_cast<std::size_t>(j)].place != c.output) continue;
                const LossTerm& term = mode.terms[static_cast<std::size_t>(j)];
                half.noalias() = inverse * p.first.row(j).head(b).transpose();
                sum += 2.0 * term.by[number] +
                       term.info_by[number] * p.first.row(j).head(b).dot(half) -
                       term.f_by[number] * pull.dot(p.first.row(j).head(b));
            }
            gradient(at_index(k)) = factor * sum;
        }
    }
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

/// ∫ p(y, b) db with b = b* + L·x, L Lᵀ = H⁻¹: Σ_nodes w·exp(x²/2)·p(y, b)·(2π)^{n/2}·|L|.
void Marginal::add_quadrature(const PopulationPoint& point, const EffectPrior& prior) {
    const FitData& data = engine_.data;
    const std::size_t d = data.max_effects;
    n_nodes_ = nodes_for(d, n_nodes_);
    const HermiteRule rule = hermite_rule(n_nodes_);
    for (std::size_t s = 0; s < data.n_subjects(); ++s) {
        const FitSubject& of = data.subjects[s];
        const SubjectMode& mode = modes_.modes[s];
        const auto b = at_index(of.n_effects);
        const Eigen::LLT<Eigen::MatrixXd> root = root_at(mode, true);
        std::size_t n = 1;
        for (std::size_t k = 0; k < of.n_effects; ++k)
            n *= static_cast<std::size_t>(n_nodes_);
        std::vector<std::size_t> subjects(n, s), first(n);
        std::vector<double> effects(n * d, 0.0), log_weight(n, 0.0), values(n * of.measured.size());
        for (std::size_t i = 0; i < n; ++i) {
            Eigen::VectorXd x(b);
            std::size_t rest = i;
            for (Eigen::Index k = 0; k < b; ++k, rest /= static_cast<std::size_t>(n_nodes_)) {
                const std::size_t node = rest % static_cast<std::size_t>(n_nodes_);
                x(k) = rule.nodes[node];
                log_weight[i] += rule.log_weights[node] + 0.5 * x(k) * x(k);
            }
            // H = R·Rᵀ, so L = R⁻ᵀ.
            const Eigen::VectorXd effect = mode.effects + root.matrixU().solve(x);
            std::copy_n(effect.data(), b, effects.data() + i * d);
            first[i] = i * of.measured.size();
        }
        engine_.predictor.predict({subjects, point.theta, effects, d, first}, values);
        double largest = -no_value;
        std::vector<double> log_terms(n);
        for (std::size_t i = 0; i < n; ++i) {
            double sum = 0.5 * prior.square(s, effects.data() + i * d);
            for (std::size_t j = 0; j < of.measured.size(); ++j) {
                const Measurement& measured = of.measured[j];
                const double f = values[first[i] + j];
                sum += loss(point.errors[measured.place],
                            measured,
                            data.is_logarithmic[measured.place] != 0 ? std::log(f) : f);
            }
            log_terms[i] = std::isfinite(sum) ? log_weight[i] - sum : -no_value;
            largest = std::max(largest, log_terms[i]);
        }
        double sum = 0.0;
        for (const double term : log_terms)
            sum += std::exp(term - largest);
        by_subject_[s] =
            -2.0 * (largest + std::log(sum)) + prior.log_determinant(s) + log_determinant(root);
    }
}

} // namespace gemel::learners
