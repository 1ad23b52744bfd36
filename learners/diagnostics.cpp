#include "diagnostics.hpp"

#include "npde.hpp"

#include <algorithm>
#include <cmath>

namespace gemel::learners {
namespace {

constexpr double not_available = std::numeric_limits<double>::quiet_NaN();

Eigen::Index row_of(std::size_t i) {
    return static_cast<Eigen::Index>(i);
}

/// What does not depend on the model's fit to it.
ObservationDiagnostics
diagnostics_of(const FitData& data, std::size_t subject, const Measurement& measured) {
    const double measured_at =
        data.setup().data->subjects[subject].observations[measured.observation].dv;
    ObservationDiagnostics diagnostics;
    diagnostics.subject = subject;
    diagnostics.observation = measured.observation;
    diagnostics.output = measured.output;
    diagnostics.time = measured.time;
    diagnostics.dv = measured_at;
    diagnostics.is_censored = measured.censoring != 0;
    return diagnostics;
}

double weighted_residual(const Measurement& measured, const ErrorLaw& law, double f) {
    const double residual = (measured.value - f) / law.sd(f);
    return measured.censoring == 0 && std::isfinite(residual) ? residual : not_available;
}

/// Variance–covariance of a subject's effects.
Eigen::MatrixXd
prior_covariance(const FitData& data, const PopulationPoint& point, std::size_t subject) {
    const FitSubject& of = data.subjects[subject];
    Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(row_of(of.n_effects), row_of(of.n_effects));
    const Eigen::Index q = point.omega.rows(), r = point.pi.rows();
    covariance.topLeftCorner(q, q) = point.omega;
    for (Eigen::Index at = q; r > 0 && at < covariance.rows(); at += r)
        covariance.block(at, at, r, r) = point.pi;
    return covariance;
}

/// V^(−½)·x of a symmetric V; NaN if it is not positive definite.
Eigen::VectorXd inverse_root_times(const Eigen::MatrixXd& variance, const Eigen::VectorXd& x) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(variance);
    if (eigen.info() != Eigen::Success || !(eigen.eigenvalues().minCoeff() > 0.0))
        return Eigen::VectorXd::Constant(x.size(), not_available);
    const Eigen::VectorXd scale = eigen.eigenvalues().cwiseSqrt().cwiseInverse();
    return eigen.eigenvectors() * (scale.asDiagonal() * (eigen.eigenvectors().transpose() * x));
}

/// With n, as NONMEM has it.
struct Spread {
    double n = 0.0, mean = 0.0, about_mean = 0.0;

    void add(double x) {
        n += 1.0;
        const double delta = x - mean;
        mean += delta / n;
        about_mean += delta * (x - mean);
    }
    double variance() const { return about_mean / n; }
    double mean_square() const { return about_mean / n + mean * mean; }
};

Shrinkage shrinkage_of(const std::string& name, double ratio) {
    return {name, 1.0 - std::sqrt(ratio), 1.0 - ratio};
}

Shrinkage eta_shrinkage(const FitData& data,
                        const PopulationPoint& point,
                        const Modes& modes,
                        std::size_t eta) {
    Spread spread;
    for (std::size_t s = 0; s < data.n_subjects(); ++s)
        if (!data.subjects[s].measured.empty()) spread.add(modes.modes[s].effects(row_of(eta)));
    return shrinkage_of("eta." + data.model().parameters[data.eta_parameters[eta]].name,
                        spread.variance() / point.omega(row_of(eta), row_of(eta)));
}

Shrinkage kappa_shrinkage(const FitData& data,
                          const PopulationPoint& point,
                          const Modes& modes,
                          std::size_t kappa) {
    Spread spread;
    for (std::size_t s = 0; s < data.n_subjects(); ++s)
        for (std::size_t e = data.n_eta() + kappa; e < data.subjects[s].n_effects;
             e += data.n_kappa())
            if (!modes.predictions[s].first.col(row_of(e)).isZero(0.0))
                spread.add(modes.modes[s].effects(row_of(e)));
    return shrinkage_of("kappa." + data.model().parameters[data.kappa_parameters[kappa]].name,
                        spread.variance() / point.pi(row_of(kappa), row_of(kappa)));
}

Shrinkage error_shrinkage(const FitData& data,
                          const std::vector<ObservationDiagnostics>& observations,
                          int output) {
    Spread spread;
    for (const ObservationDiagnostics& observation : observations)
        if (observation.output == output && !observation.is_censored) spread.add(observation.iwres);
    return shrinkage_of("epsilon." +
                            data.model().system.outputs[static_cast<std::size_t>(output)].name,
                        spread.mean_square());
}

} // namespace

std::vector<double> conditional_residuals(const FitData& data,
                                          const PopulationPoint& point,
                                          const Modes& modes,
                                          std::size_t subject) {
    const FitSubject& of = data.subjects[subject];
    const SubjectPredictions& predicted = modes.predictions[subject];
    std::vector<Eigen::Index> values;
    for (std::size_t i = 0; i < of.measured.size(); ++i)
        if (of.measured[i].censoring == 0) values.push_back(row_of(i));
    const Eigen::MatrixXd slopes =
        predicted.first.leftCols(row_of(of.n_effects))(values, Eigen::all);
    Eigen::MatrixXd variance = slopes * prior_covariance(data, point, subject) * slopes.transpose();
    Eigen::VectorXd difference = slopes * modes.modes[subject].effects;
    for (std::size_t k = 0; k < values.size(); ++k) {
        const Measurement& measured = of.measured[static_cast<std::size_t>(values[k])];
        const double f = predicted.f(values[k]), s = point.errors[measured.place].sd(f);
        difference(row_of(k)) += measured.value - f;
        variance(row_of(k), row_of(k)) += s * s;
    }
    std::vector<double> residuals(of.measured.size(), not_available);
    if (values.empty() || !variance.allFinite() || !difference.allFinite()) return residuals;
    const Eigen::VectorXd weighted = inverse_root_times(variance, difference);
    for (std::size_t k = 0; k < values.size(); ++k)
        residuals[static_cast<std::size_t>(values[k])] = weighted(row_of(k));
    return residuals;
}

std::vector<ObservationDiagnostics>
observe(FitEngine& engine, const PopulationPoint& point, const Modes& modes) {
    const FitData& data = engine.data;
    const FitOptions& options = data.setup().options;
    const std::vector<std::vector<double>> typical = typical_predictions(engine, point);
    std::vector<std::vector<PredictionError>> errors;
    if (options.has_simulations) errors = prediction_errors(engine, point, options.seed);
    std::vector<ObservationDiagnostics> observations;
    for (std::size_t s = 0; s < data.n_subjects(); ++s) {
        const std::vector<double> residuals = conditional_residuals(data, point, modes, s);
        for (std::size_t i = 0; i < data.subjects[s].measured.size(); ++i) {
            const Measurement& measured = data.subjects[s].measured[i];
            const ErrorLaw& law = point.errors[measured.place];
            const double f = modes.predictions[s].f(row_of(i));
            ObservationDiagnostics observation = diagnostics_of(data, s, measured);
            observation.pred = typical[s][i];
            observation.ipred = law.is_logarithmic() ? std::exp(f) : f;
            observation.iwres = weighted_residual(measured, law, f);
            observation.cwres = residuals[i];
            observation.pd = errors.empty() ? not_available : errors[s][i].pd;
            observation.npde = errors.empty() ? not_available : errors[s][i].npde;
            observations.push_back(observation);
        }
    }
    return observations;
}

std::vector<Shrinkage> shrinkage(const FitData& data,
                                 const PopulationPoint& point,
                                 const Modes& modes,
                                 const std::vector<ObservationDiagnostics>& observations) {
    std::vector<Shrinkage> all;
    for (std::size_t eta = 0; eta < data.n_eta(); ++eta)
        all.push_back(eta_shrinkage(data, point, modes, eta));
    for (std::size_t kappa = 0; kappa < data.n_kappa(); ++kappa)
        all.push_back(kappa_shrinkage(data, point, modes, kappa));
    for (const int output : data.outputs)
        all.push_back(error_shrinkage(data, observations, output));
    return all;
}

} // namespace gemel::learners
