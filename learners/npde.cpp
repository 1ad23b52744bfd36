#include "npde.hpp"

#include <gemel/sim/parallel.hpp>
#include <gemel/sim/random.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gemel::learners {
namespace {

constexpr std::uint32_t n_simulations = 1000;
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// The columns without NaN.
Eigen::MatrixXd finite_columns(const Eigen::MatrixXd& simulated) {
    std::vector<Eigen::Index> finite;
    for (Eigen::Index k = 0; k < simulated.cols(); ++k)
        if (simulated.col(k).allFinite()) finite.push_back(k);
    return simulated(Eigen::all, finite);
}

double clipped(double share, Eigen::Index n) {
    const double least = 0.5 / static_cast<double>(n);
    return std::clamp(share, least, 1.0 - least);
}

double share_below(const Eigen::MatrixXd& simulated, Eigen::Index row, double value) {
    double n = 0.0;
    for (Eigen::Index k = 0; k < simulated.cols(); ++k)
        n += simulated(row, k) < value ? 1.0 : simulated(row, k) == value ? 0.5 : 0.0;
    return clipped(n / static_cast<double>(simulated.cols()), simulated.cols());
}

/// Numbers of one measurement's censoring: of its own place, and of simulated ones.
sim::RandomStream censoring_numbers(const FitSubject& subject,
                                    const Measurement& measured,
                                    std::uint64_t seed,
                                    const char* purpose) {
    return {{seed, 0, subject.key},
            sim::purpose_number(purpose),
            static_cast<std::uint32_t>(measured.observation) * 2 * n_simulations};
}

/// A value beyond a limit, and not beyond the other one if there is one, by a share u of the
/// simulated ones there; the limit if there is none.
double place_beyond(const Eigen::MatrixXd& simulated,
                    Eigen::Index row,
                    const Measurement& measured,
                    double u) {
    const bool is_below = measured.censoring > 0;
    const double limit = measured.limit, other = measured.other_limit;
    std::vector<double> beyond;
    for (Eigen::Index k = 0; k < simulated.cols(); ++k) {
        const double value = simulated(row, k);
        const bool is_too_far = is_below ? value < other : value > other; // NaN: never
        if ((is_below ? value < limit : value > limit) && !is_too_far) beyond.push_back(value);
    }
    if (beyond.empty()) return limit;
    std::ranges::sort(beyond);
    return beyond[static_cast<std::size_t>(u * static_cast<double>(beyond.size()))];
}

/// Simulated values beyond a limit change places at random: what is left of them is that they are
/// beyond.
void shuffle_beyond(Eigen::MatrixXd& simulated,
                    Eigen::Index row,
                    const ValueLimits& limits,
                    sim::RandomStream& numbers) {
    for (const bool is_below : {true, false}) {
        std::vector<Eigen::Index> beyond;
        for (Eigen::Index k = 0; k < simulated.cols(); ++k)
            if (is_below ? simulated(row, k) < limits.lower : simulated(row, k) > limits.upper)
                beyond.push_back(k);
        for (std::size_t left = beyond.size(); left > 1; --left) {
            const auto other =
                static_cast<std::size_t>(numbers.uniform() * static_cast<double>(left));
            std::swap(simulated(row, beyond[left - 1]), simulated(row, beyond[other]));
        }
    }
}

/// The measured values, and the simulated ones as if they were censored alike.
Eigen::VectorXd place_censored(const FitSubject& subject,
                               const std::vector<ValueLimits>& limits,
                               std::uint64_t seed,
                               Eigen::MatrixXd& simulated) {
    Eigen::VectorXd values(simulated.rows());
    for (std::size_t i = 0; i < subject.measured.size(); ++i) {
        const Measurement& measured = subject.measured[i];
        const auto row = static_cast<Eigen::Index>(i);
        values(row) = measured.value;
        if (measured.censoring != 0)
            values(row) = place_beyond(
                simulated,
                row,
                measured,
                censoring_numbers(subject, measured, seed, "fit/npde.censored").uniform());
        sim::RandomStream numbers = censoring_numbers(subject, measured, seed, "fit/npde.shuffle");
        shuffle_beyond(simulated, row, limits[i], numbers);
    }
    return values;
}

/// L⁻¹(x − mean) with the root of the simulated covariance; false if it has none.
bool decorrelate(Eigen::VectorXd& values, Eigen::MatrixXd& simulated) {
    const Eigen::VectorXd mean = simulated.rowwise().mean();
    simulated.colwise() -= mean;
    const Eigen::MatrixXd covariance =
        simulated * simulated.transpose() / static_cast<double>(simulated.cols() - 1);
    const Eigen::LLT<Eigen::MatrixXd> root(covariance);
    if (root.info() != Eigen::Success) return false;
    root.matrixL().solveInPlace(simulated);
    values = root.matrixL().solve(values - mean);
    return true;
}

} // namespace

std::vector<PredictionError> prediction_errors(const FitSubject& subject,
                                               const std::vector<ValueLimits>& limits,
                                               Eigen::MatrixXd simulated,
                                               std::uint64_t seed) {
    std::vector<PredictionError> errors(subject.measured.size(), {unknown, unknown});
    const Eigen::Index n = simulated.cols();
    simulated = finite_columns(simulated);
    if (errors.empty() || 2 * simulated.cols() < n) return errors;
    Eigen::VectorXd values = place_censored(subject, limits, seed, simulated);
    for (std::size_t i = 0; i < errors.size(); ++i)
        errors[i].pd = share_below(
            simulated, static_cast<Eigen::Index>(i), values(static_cast<Eigen::Index>(i)));
    if (!decorrelate(values, simulated)) return errors;
    for (std::size_t i = 0; i < errors.size(); ++i)
        errors[i].npde = sim::normal_quantile(share_below(
            simulated, static_cast<Eigen::Index>(i), values(static_cast<Eigen::Index>(i))));
    return errors;
}

std::vector<std::vector<PredictionError>>
prediction_errors(FitEngine& engine, const PopulationPoint& point, std::uint64_t seed) {
    const FitData& data = engine.data;
    DataSimulator simulator(engine, point, seed, "fit/npde");
    const std::vector<std::vector<ValueLimits>> limits = limits_of(data);
    std::vector<std::vector<PredictionError>> errors(data.n_subjects());
    constexpr std::size_t subjects_at_once = 32; // bounds memory
    for (std::size_t first = 0; first < data.n_subjects(); first += subjects_at_once) {
        const std::size_t n = std::min(subjects_at_once, data.n_subjects() - first);
        simulator.draw({first, n, 0, n_simulations});
        sim::parallel_for(n, engine.execution.n_threads, [&](std::size_t i, int) {
            const FitSubject& subject = data.subjects[first + i];
            if (subject.measured.empty()) return;
            const Eigen::Map<const Eigen::MatrixXd> simulated(
                simulator.values(first + i, 0).data(),
                static_cast<Eigen::Index>(subject.measured.size()),
                n_simulations);
            errors[first + i] = prediction_errors(subject, limits[first + i], simulated, seed);
        });
    }
    return errors;
}

} // namespace gemel::learners
