#include "simulated.hpp"

#include <gemel/sim/parallel.hpp>
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

void spread_normals(std::span<const double> normals,
                    std::size_t n,
                    std::size_t first,
                    const Eigen::MatrixXd& root,
                    double* effects,
                    std::size_t stride) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(root.rows()); ++i)
        for (std::size_t l = 0; l <= i; ++l) {
            const double share = root(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(l));
            const double* z = normals.data() + (first + l) * n;
            if (share == 0.0) continue;
            for (std::size_t k = 0; k < n; ++k)
                effects[k * stride + first + i] += share * z[k];
        }
}

namespace {

/// Columns of numbers of one subject: of each replicate, n_each of a replicate's own.
sim::RandomColumns replicate_columns(std::uint64_t seed,
                                     std::uint64_t key,
                                     const DataSimulator::Range& range,
                                     std::size_t n_each) {
    std::vector<std::uint32_t> places(range.n_replicates);
    for (std::uint32_t k = 0; k < range.n_replicates; ++k)
        places[k] = (range.first_replicate + k) * static_cast<std::uint32_t>(n_each);
    return {seed, 0, std::vector<std::uint64_t>(range.n_replicates, key), std::move(places)};
}

} // namespace

/// @param effects  [n_replicates × max_effects]
void DataSimulator::draw_effects(std::size_t subject, double* effects) const {
    const FitSubject& of = engine_.data.subjects[subject];
    const std::size_t n = range_.n_replicates, stride = engine_.data.max_effects;
    const sim::RandomColumns random = replicate_columns(seed_, of.key, range_, of.n_effects);
    std::vector<double> normals(of.n_effects * n);
    for (std::size_t e = 0; e < of.n_effects; ++e)
        random.normals(effects_purpose_, static_cast<std::uint32_t>(e), normals.data() + e * n);
    spread_normals(normals, n, 0, omega_root_, effects, stride);
    const auto q = static_cast<std::size_t>(omega_root_.rows()),
               r = static_cast<std::size_t>(pi_root_.rows());
    for (std::size_t first = q; r > 0 && first < of.n_effects; first += r)
        spread_normals(normals, n, first, pi_root_, effects, stride);
}

/// @param values  [n_replicates × n_measured]
void DataSimulator::add_errors(std::size_t subject, double* values) const {
    const FitSubject& of = engine_.data.subjects[subject];
    const std::size_t n = range_.n_replicates, n_measured = of.measured.size();
    const sim::RandomColumns random = replicate_columns(seed_, of.key, range_, n_measured);
    std::vector<double> normals(n);
    for (std::size_t i = 0; i < n_measured; ++i) {
        const ErrorLaw& law = point_.errors[of.measured[i].place];
        random.normals(error_purpose_, static_cast<std::uint32_t>(i), normals.data());
        for (std::size_t k = 0; k < n; ++k) {
            double& value = values[k * n_measured + i];
            const double f = law.is_logarithmic() ? std::log(value) : value;
            value = f + law.sd(f) * normals[k];
        }
    }
}

void DataSimulator::draw(const Range& range) {
    const FitData& data = engine_.data;
    range_ = range;
    subjects_.clear();
    first_.clear();
    const std::size_t stride = data.max_effects, n = range.n_replicates;
    effects_.assign(range.n_subjects * n * stride, 0.0);
    std::size_t n_values = 0;
    for (std::size_t s = range.first_subject; s < range.first_subject + range.n_subjects; ++s)
        for (std::size_t k = 0; k < n; ++k) {
            subjects_.push_back(s);
            first_.push_back(n_values);
            n_values += data.subjects[s].measured.size();
        }
    values_.resize(n_values);
    const auto each_subject = [&](const auto& act) {
        sim::parallel_for(
            range.n_subjects, engine_.execution.n_threads, [&](std::size_t i, int) { act(i); });
    };
    each_subject([&](std::size_t i) {
        draw_effects(range.first_subject + i, effects_.data() + i * n * stride);
    });
    engine_.predictor.predict({subjects_, point_.theta, effects_, stride, first_}, values_);
    each_subject([&](std::size_t i) {
        add_errors(range.first_subject + i, values_.data() + first_[i * n]);
    });
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
