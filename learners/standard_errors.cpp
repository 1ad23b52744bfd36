#include "standard_errors.hpp"

#include <cmath>

namespace gemel::learners {
namespace {

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

Eigen::MatrixXd inverse_information(const Eigen::MatrixXd& information) {
    if (!information.allFinite() || information.rows() == 0) return {};
    // Scaled to a unit diagonal, so that the judgement of singularity has no units.
    const Eigen::VectorXd scale = information.diagonal().cwiseMax(0.0).cwiseSqrt();
    if (!(scale.minCoeff() > 0.0)) return {};
    const Eigen::MatrixXd unit =
        scale.cwiseInverse().asDiagonal() * information * scale.cwiseInverse().asDiagonal();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solved(unit);
    if (solved.info() != Eigen::Success || solved.eigenvalues()(0) < 1e-10) return {};
    const Eigen::MatrixXd inverse = solved.eigenvectors() *
                                    solved.eigenvalues().cwiseInverse().asDiagonal() *
                                    solved.eigenvectors().transpose();
    return scale.cwiseInverse().asDiagonal() * inverse * scale.cwiseInverse().asDiagonal();
}

Eigen::MatrixXd sandwich(const Eigen::MatrixXd& inverse, const Eigen::MatrixXd& gradients) {
    if (inverse.rows() == 0) return {};
    return inverse * (0.25 * gradients * gradients.transpose()) * inverse;
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

Uncertainty uncertainty_of(const FitEngine& engine,
                           std::span<const double> at,
                           const Eigen::MatrixXd& on_scale,
                           std::string method) {
    Uncertainty result;
    result.method = std::move(method);
    if (on_scale.rows() == 0 || !on_scale.allFinite() || !(on_scale.diagonal().minCoeff() > 0.0))
        return result;
    const Eigen::MatrixXd jacobian = engine.scale.jacobian(at);
    std::vector<Eigen::Index> estimated;
    const std::vector<FitNumber>& numbers = engine.data.setup().numbers;
    for (std::size_t i = 0; i < numbers.size(); ++i)
        if (!numbers[i].is_fixed) estimated.push_back(in(i));
    const Eigen::MatrixXd rows = jacobian(estimated, Eigen::all);
    result.covariance = rows * on_scale * rows.transpose();
    const Eigen::VectorXd sds = on_scale.diagonal().cwiseSqrt();
    const Eigen::MatrixXd correlation =
        sds.cwiseInverse().asDiagonal() * on_scale * sds.cwiseInverse().asDiagonal();
    const Eigen::VectorXd values =
        Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(correlation).eigenvalues();
    result.condition_number = values(values.size() - 1) / values(0);
    result.is_usable = result.covariance.allFinite() && values(0) > 0.0;
    return result;
}

} // namespace gemel::learners
