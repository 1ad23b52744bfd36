#include "simulated.hpp"

#include <gemel/sim/random.hpp>

#include <algorithm>
#include <cmath>

namespace gemel::learners {
namespace {

constexpr double no_limit = std::numeric_limits<double>::quiet_NaN();
constexpr double unlimited = std::numeric_limits<double>::infinity();

Eigen::MatrixXd lower_root(const Eigen::MatrixXd& covariance) {
    if (covariance.rows() == 0) return covariance;
    return covariance.llt().matrixL();
}

/// The widest limits of an output's censored values.
ValueLimits widest_limits(const FitData& data, std::size_t place) {
    double lower = unlimited, upper = -unlimited;
    for (const FitSubject& subject : data.subjects)
        for (const Measurement& measured : subject.measured) {
            if (measured.place != place) continue;
            if (measured.censoring > 0) lower = std::min(lower, measured.limit);
            if (measured.censoring < 0) upper = std::max(upper, measured.limit);
        }
    return {lower == unlimited ? -unlimited : lower, upper == -unlimited ? unlimited : upper};
}

} // namespace

DataSimulator::DataSimulator(FitEngine& engine,
                             PopulationPoint point,
                             std::uint64_t seed,
                             const std::string& purpose)
    : engine_(engine),
      point_(std::move(point)),
      seed_(seed),
      effects_purpose_(sim::purpose_number(purpose + ".effects")),
      error_purpose_(sim::purpose_number(purpose + ".error")),
      omega_root_(lower_root(point_.omega)),
      pi_root_(lower_root(point_.pi)) {}

void DataSimulator::draw_effects(std::size_t subject,
                                 std::uint32_t replicate,
                                 double* effects) const {
    const FitSubject& of = engine_.data.subjects[subject];
    sim::RandomStream stream({seed_, replicate, of.key}, effects_purpose_);
    Eigen::Map<Eigen::VectorXd> all(effects, static_cast<Eigen::Index>(of.n_effects));
    for (double& effect : all)
        effect = stream.normal();
    const Eigen::Index q = omega_root_.rows(), r = pi_root_.rows();
    all.head(q) = (omega_root_ * all.head(q)).eval();
    for (Eigen::Index at = q; r > 0 && at < all.size(); at += r)
        all.segment(at, r) = (pi_root_ * all.segment(at, r)).eval();
}

void DataSimulator::add_errors(std::size_t subject, std::uint32_t replicate, double* values) const {
    const FitSubject& of = engine_.data.subjects[subject];
    for (std::size_t i = 0; i < of.measured.size(); ++i) {
        const Measurement& measured = of.measured[i];
        const ErrorLaw& law = point_.errors[measured.place];
        const double f = law.is_logarithmic() ? std::log(values[i]) : values[i];
        sim::RandomStream stream({seed_, replicate, of.key},
                                 error_purpose_,
                                 static_cast<std::uint32_t>(measured.observation));
        values[i] = f + law.sd(f) * stream.normal();
    }
}

void DataSimulator::draw(const Range& range) {
    const FitData& data = engine_.data;
    range_ = range;
    subjects_.clear();
    first_.clear();
    const std::size_t stride = data.max_effects;
    effects_.assign(range.n_subjects * range.n_replicates * stride, 0.0);
    std::size_t n_values = 0;
    for (std::size_t s = range.first_subject; s < range.first_subject + range.n_subjects; ++s)
        for (std::uint32_t k = 0; k < range.n_replicates; ++k) {
            draw_effects(s, range.first_replicate + k, effects_.data() + subjects_.size() * stride);
            subjects_.push_back(s);
            first_.push_back(n_values);
            n_values += data.subjects[s].measured.size();
        }
    values_.resize(n_values);
    engine_.predictor.predict({subjects_, point_.theta, effects_, stride, first_}, values_);
    for (std::size_t t = 0; t < subjects_.size(); ++t)
        add_errors(subjects_[t],
                   range.first_replicate + static_cast<std::uint32_t>(t % range.n_replicates),
                   values_.data() + first_[t]);
}

std::span<const double> DataSimulator::values(std::size_t subject, std::uint32_t replicate) const {
    const std::size_t task = (subject - range_.first_subject) * range_.n_replicates +
                             (replicate - range_.first_replicate);
    return std::span(values_).subspan(first_[task], engine_.data.subjects[subject].measured.size());
}

std::vector<std::vector<ValueLimits>> limits_of(const FitData& data) {
    std::vector<ValueLimits> of_outputs;
    for (std::size_t place = 0; place < data.outputs.size(); ++place)
        of_outputs.push_back(widest_limits(data, place));
    std::vector<std::vector<ValueLimits>> limits;
    for (const FitSubject& subject : data.subjects) {
        limits.emplace_back();
        for (const Measurement& measured : subject.measured) {
            ValueLimits& own = limits.back().emplace_back(of_outputs[measured.place]);
            if (measured.censoring > 0) own.lower = measured.limit;
            if (measured.censoring < 0) own.upper = measured.limit;
            if (measured.censoring != 0) continue;
            own.lower = std::min(own.lower, measured.value);
            own.upper = std::max(own.upper, measured.value);
        }
    }
    return limits;
}

namespace {

/// In the output's unit.
void tell(const Measurement& measured,
          const ValueLimits& limits,
          bool is_logarithmic,
          double value,
          pkpd::DataObservation& observation) {
    const auto natural = [&](double x) { return is_logarithmic ? std::exp(x) : x; };
    observation.is_missing = std::isnan(value);
    observation.cens = value < limits.lower ? 1 : value > limits.upper ? -1 : 0;
    observation.dv = natural(std::clamp(value, limits.lower, limits.upper));
    if (observation.cens != measured.censoring) observation.other_limit = no_limit;
    observation.limit = observation.cens == 0 ? no_limit : observation.dv;
}

} // namespace

pkpd::DataSet
simulated_data(const FitData& data, const DataSimulator& simulator, std::uint32_t replicate) {
    pkpd::DataSet simulated = *data.setup().data;
    const std::vector<std::vector<ValueLimits>> limits = limits_of(data);
    for (std::size_t s = 0; s < data.n_subjects(); ++s) {
        const std::span<const double> values = simulator.values(s, replicate);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const Measurement& measured = data.subjects[s].measured[i];
            tell(measured,
                 limits[s][i],
                 data.is_logarithmic[measured.place] != 0,
                 values[i],
                 simulated.subjects[s].observations[measured.observation]);
        }
    }
    return simulated;
}

std::vector<std::vector<double>> typical_predictions(FitEngine& engine,
                                                     const PopulationPoint& point) {
    std::vector<std::size_t> subjects, first;
    std::size_t n_values = 0;
    for (std::size_t s = 0; s < engine.data.n_subjects(); ++s) {
        subjects.push_back(s);
        first.push_back(n_values);
        n_values += engine.data.subjects[s].measured.size();
    }
    const std::size_t stride = engine.data.max_effects;
    const std::vector<double> effects(subjects.size() * stride, 0.0);
    std::vector<double> values(n_values);
    engine.predictor.predict({subjects, point.theta, effects, stride, first}, values);
    std::vector<std::vector<double>> predictions;
    for (const std::size_t s : subjects) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(first[s]);
        const std::size_t n = engine.data.subjects[s].measured.size();
        predictions.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(n));
    }
    return predictions;
}

} // namespace gemel::learners
