#include "standard_errors.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace gemel::learners {
namespace {

constexpr double at_bound = 1e-9;
constexpr double missing_error = std::numeric_limits<double>::quiet_NaN();

Eigen::Index in(std::size_t i) {
    return static_cast<Eigen::Index>(i);
}

/// C with one coordinate's change in place of Ω or Π.
Eigen::MatrixXd spread_over_effects(const FitData& data,
                                    const FitSubject& subject,
                                    const Eigen::MatrixXd& of_eta,
                                    const Eigen::MatrixXd& of_kappa) {
    const auto q = in(data.n_eta()), r = in(data.n_kappa());
    Eigen::MatrixXd all = Eigen::MatrixXd::Zero(in(subject.n_effects), in(subject.n_effects));
    all.topLeftCorner(q, q) = of_eta;
    for (std::size_t o = 0; r > 0 && o < subject.n_occasions; ++o)
        all.block(q + in(o)*r, q + in(o)*r, r, r) = of_kappa;
    return all;
}

} // namespace

Eigen::MatrixXd
linearised_information(FitEngine& engine, std::span<const double> at, const Modes& modes) {
    const FitData& data = engine.data;
    const FitScale& scale = engine.scale;
    const PopulationPoint point = scale.point(at);
    const auto n = in(scale.size());
    Eigen::MatrixXd information = Eigen::MatrixXd::Zero(n, n);
    const Eigen::MatrixXd no_eta = Eigen::MatrixXd::Zero(in(data.n_eta()), in(data.n_eta()));
    const Eigen::MatrixXd no_kappa = Eigen::MatrixXd::Zero(in(data.n_kappa()), in(data.n_kappa()));
    for (std::size_t s = 0; s < data.n_subjects(); ++s) {
        const FitSubject& subject = data.subjects[s];
        const SubjectPredictions& p = modes.predictions[s];
        const auto m = in(subject.measured.size()), b = in(subject.n_effects);
        if (m == 0 || !p.is_finite) continue;
        const Eigen::MatrixXd first = p.first.leftCols(b);
        Eigen::MatrixXd variance =
            first * spread_over_effects(data, subject, point.omega, point.pi) * first.transpose();
        std::vector<ErrorSd> sds;
        for (std::size_t j = 0; j < subject.measured.size(); ++j) {
            sds.push_back(error_sd(point.errors[subject.measured[j].place], p.f(in(j))));
            variance(in(j), in(j)) += sds[j].s * sds[j].s;
        }
        const Eigen::LLT<Eigen::MatrixXd> root(variance);
        if (root.info() != Eigen::Success) continue;
        Eigen::MatrixXd means = Eigen::MatrixXd::Zero(m, n), slope, of;
        std::vector<Eigen::MatrixXd> changes(scale.size()); // V⁻¹∂V
        engine.mu.slope(at, point, s, slope);
        for (std::size_t k = 0; k < engine.mu.mu().size(); ++k)
            means.col(in(engine.mu.mu()[k])) = first.leftCols(in(data.n_eta())) * slope.col(in(k));
        for (std::size_t k = 0; k < engine.mu.extra().size() && p.n_directions > p.n_effects; ++k)
            means.col(in(engine.mu.extra()[k])) = p.first.col(b + in(k));
        for (std::size_t k = 0; k < scale.size(); ++k) {
            const FitScale::Coordinate& c = scale.coordinates[k];
            if (c.kind == FitScale::Kind::theta) continue;
            Eigen::MatrixXd change = Eigen::MatrixXd::Zero(m, m);
            if (c.kind == FitScale::Kind::root) {
                const bool is_subject = scale.groups[c.group].level == pkpd::Level::subject;
                scale.change_of_covariance(k, at, of);
                change = first *
                         spread_over_effects(
                             data, subject, is_subject ? of : no_eta, is_subject ? no_kappa : of) *
                         first.transpose();
            } else {
                const double factor = c.transform == FitScale::Transform::logarithm
                                          ? from_scale(c.transform, at[k])
                                          : 1.0;
                for (std::size_t j = 0; j < subject.measured.size(); ++j)
                    if (subject.measured[j].place == c.output)
                        change(in(j), in(j)) =
                            2.0 * sds[j].s * sds[j].by[static_cast<int>(c.error)] * factor;
            }
            changes[k] = root.solve(change);
        }
        information.noalias() += means.transpose() * root.solve(means);
        for (std::size_t k = 0; k < scale.size(); ++k)
            for (std::size_t l = 0; l <= k && changes[k].size() > 0; ++l) {
                if (changes[l].size() == 0) continue;
                const double part = 0.5 * (changes[k].cwiseProduct(changes[l].transpose())).sum();
                information(in(k), in(l)) += part;
                if (l < k) information(in(l), in(k)) += part;
            }
    }
    return information;
}

std::vector<Eigen::Index> all_coordinates(const FitScale& scale) {
    std::vector<Eigen::Index> all(scale.size());
    std::iota(all.begin(), all.end(), Eigen::Index{0});
    return all;
}

std::vector<Eigen::Index> told_coordinates(const FitScale& scale,
                                           std::span<const double> at,
                                           const Eigen::MatrixXd& information,
                                           double least_information,
                                           const std::vector<Eigen::Index>& among) {
    std::vector<Eigen::Index> told;
    for (const Eigen::Index k : among) {
        const auto i = static_cast<std::size_t>(k);
        const FitScale::Coordinate& c = scale.coordinates[i];
        const bool is_free = at[i] > c.lower + at_bound && at[i] < c.upper - at_bound;
        const bool has_units =
            c.kind != FitScale::Kind::root && c.transform == FitScale::Transform::none;
        if (is_free && (has_units || information(k, k) > least_information)) told.push_back(k);
    }
    return told;
}

ScaleCovariance inverse_information(const Eigen::MatrixXd& information,
                                    std::vector<Eigen::Index> told) {
    ScaleCovariance found{std::move(told), {}};
    if (found.told.empty() || !information.allFinite()) return found;
    const Eigen::MatrixXd of_told = information(found.told, found.told);
    // Scaled to a unit diagonal, so that the judgement of singularity has no units.
    const Eigen::VectorXd scale = of_told.diagonal().cwiseMax(0.0).cwiseSqrt();
    if (!(scale.minCoeff() > 0.0)) return found;
    const Eigen::MatrixXd unit =
        scale.cwiseInverse().asDiagonal() * of_told * scale.cwiseInverse().asDiagonal();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solved(unit);
    if (solved.info() != Eigen::Success || solved.eigenvalues()(0) < 1e-10) return found;
    const Eigen::MatrixXd inverse = solved.eigenvectors() *
                                    solved.eigenvalues().cwiseInverse().asDiagonal() *
                                    solved.eigenvectors().transpose();
    found.of = scale.cwiseInverse().asDiagonal() * inverse * scale.cwiseInverse().asDiagonal();
    return found;
}

ScaleCovariance sandwich(const ScaleCovariance& inverse, const Eigen::MatrixXd& gradients) {
    if (inverse.of.rows() == 0) return inverse;
    const Eigen::MatrixXd of_told = gradients(inverse.told, Eigen::all);
    return {inverse.told, inverse.of * (0.25 * of_told * of_told.transpose()) * inverse.of};
}

Eigen::MatrixXd hessian(Marginal& marginal, std::span<const double> at) {
    const auto n = in(at.size());
    Eigen::MatrixXd hessian(n, n);
    std::vector<double> moved(at.begin(), at.end());
    Eigen::VectorXd up, down;
    constexpr double step = 1e-3;
    for (std::size_t k = 0; k < at.size(); ++k) {
        const double h = step * std::clamp(std::abs(at[k]), 0.1, 1.0);
        moved[k] = at[k] + h;
        marginal.value(moved, up);
        moved[k] = at[k] - h;
        marginal.value(moved, down);
        moved[k] = at[k];
        hessian.col(in(k)) = (up - down) / (2.0 * h);
    }
    return 0.5 * (hessian + hessian.transpose());
}

namespace {

/// Condition number of a covariance's correlation; +∞ where it is not positive definite.
double condition_of(const Eigen::MatrixXd& covariance) {
    const Eigen::VectorXd sds = covariance.diagonal().cwiseSqrt();
    const Eigen::MatrixXd correlation =
        sds.cwiseInverse().asDiagonal() * covariance * sds.cwiseInverse().asDiagonal();
    const Eigen::VectorXd values =
        Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(correlation).eigenvalues();
    return values(0) > 0.0 ? values(values.size() - 1) / values(0)
                           : std::numeric_limits<double>::infinity();
}

} // namespace

Uncertainty uncertainty_of(const FitEngine& engine,
                           std::span<const double> at,
                           const ScaleCovariance& on_scale,
                           std::string method) {
    Uncertainty result;
    result.method = std::move(method);
    if (on_scale.of.rows() == 0 || !on_scale.of.allFinite() ||
        !(on_scale.of.diagonal().minCoeff() > 0.0))
        return result;
    const Eigen::MatrixXd jacobian = engine.scale.jacobian(at);
    std::vector<Eigen::Index> estimated;
    const std::vector<FitNumber>& numbers = engine.data.setup().numbers;
    for (std::size_t i = 0; i < numbers.size(); ++i)
        if (!numbers[i].is_fixed) estimated.push_back(in(i));
    const Eigen::MatrixXd rows = jacobian(estimated, on_scale.told);
    result.covariance = rows * on_scale.of * rows.transpose();
    result.condition_number = condition_of(on_scale.of);
    result.is_usable = result.covariance.allFinite() && std::isfinite(result.condition_number);
    for (std::size_t k = 0; k < engine.scale.size(); ++k) {
        if (std::ranges::count(on_scale.told, in(k)) > 0) continue;
        result.held.push_back(engine.scale.name(k));
        for (std::size_t i = 0; i < estimated.size(); ++i) {
            if (jacobian(estimated[i], in(k)) == 0.0) continue;
            result.covariance.row(in(i)).setConstant(missing_error);
            result.covariance.col(in(i)).setConstant(missing_error);
        }
    }
    return result;
}

} // namespace gemel::learners
