#include "recover.hpp"

#include "simulated.hpp"

#include <gemel/sim/parallel.hpp>
#include <gemel/sim/random.hpp>

#include <fmt/format.h>

#include <cmath>
#include <mutex>
#include <stdexcept>

namespace gemel::learners {
namespace {

using Transform = FitScale::Transform;
constexpr double none_known = std::numeric_limits<double>::quiet_NaN();

/// One data set's fit, or why there is none.
struct Refit {
    bool is_done = false;
    FitResult result;
    std::string failure;
};

/// Hears of data sets from many threads, and lets fits know that they are no longer wanted.
class RecoverMonitor : public FitMonitor {
public:
    RecoverMonitor(FitMonitor* to, int n) : to_(to), n_(n) {}
    void advance(const FitProgress&) override {}
    bool is_cancelled() const override {
        const std::scoped_lock lock(mutex_);
        return to_ != nullptr && to_->is_cancelled();
    }
    void count() {
        const std::scoped_lock lock(mutex_);
        ++n_done_;
        if (to_ == nullptr) return;
        FitProgress progress;
        progress.phase = "recovery";
        progress.step = n_done_;
        progress.n_steps = n_;
        to_->advance(progress);
    }

private:
    FitMonitor* to_;
    int n_, n_done_ = 0;
    mutable std::mutex mutex_;
};

FitSetup setup_of(const FitData& data, const DataSimulator& simulator, std::uint32_t replicate) {
    FitSetup setup = data.setup();
    setup.data = std::make_shared<const pkpd::DataSet>(simulated_data(data, simulator, replicate));
    setup.options.seed += 1 + replicate; // so that no data set shares its fit's draws with another
    setup.options.has_simulations = false;
    return setup;
}

Refit fit_one(const FitFunction& fit,
              const FitSetup& setup,
              const FitExecution& execution,
              RecoverMonitor& monitor) {
    Refit refit;
    try {
        refit.result = fit(setup, execution, &monitor);
        if (!refit.result.is_converged) refit.failure = refit.result.stop_reason;
    } catch (const std::invalid_argument& error) {
        refit.failure = error.what();
    }
    refit.is_done = !monitor.is_cancelled();
    monitor.count();
    return refit;
}

/// The sd of an estimate; NaN where the fit tells none.
double error_of(const FitResult& result, std::size_t number) {
    for (const Uncertainty& uncertainty : result.uncertainties) {
        if (!uncertainty.is_usable) continue;
        for (std::size_t k = 0; k < result.estimated.size(); ++k)
            if (result.estimated[k] == number)
                return std::sqrt(uncertainty.covariance(static_cast<Eigen::Index>(k),
                                                        static_cast<Eigen::Index>(k)));
    }
    return none_known;
}

RecoveredNumber
summarise_number(const FitSetup& setup, std::size_t number, const RecoverResult& recovered) {
    RecoveredNumber of;
    of.number = number;
    of.name = setup.numbers[number].law.name;
    of.truth = setup.numbers[number].start;
    const auto n = static_cast<double>(recovered.estimates.size());
    double square = 0.0, spread = 0.0;
    for (const std::vector<double>& values : recovered.estimates) {
        of.mean += values[number] / n;
        square += (values[number] - of.truth) * (values[number] - of.truth) / n;
    }
    for (const std::vector<double>& values : recovered.estimates)
        spread += (values[number] - of.mean) * (values[number] - of.mean);
    if (recovered.estimates.empty()) of.mean = square = none_known;
    of.bias = of.mean - of.truth;
    of.bias_error = n > 1.0 ? std::sqrt(spread / (n - 1.0) / n) : none_known;
    of.rmse = std::sqrt(square);
    const double size = of.truth == 0.0 ? none_known : std::abs(of.truth);
    of.relative_bias = of.bias / size;
    of.relative_rmse = of.rmse / size;
    return of;
}

void add_coverage(const std::vector<Refit>& refits, Transform transform, RecoveredNumber& of) {
    std::size_t n_held = 0;
    for (const Refit& refit : refits) {
        if (!refit.is_done || !refit.failure.empty()) continue;
        const double error = error_of(refit.result, of.number);
        if (!std::isfinite(error)) continue;
        ++of.n_intervals;
        n_held +=
            interval_holds(transform, refit.result.values[of.number], error, of.truth) ? 1 : 0;
    }
    of.coverage = of.n_intervals == 0
                      ? none_known
                      : static_cast<double>(n_held) / static_cast<double>(of.n_intervals);
}

RecoverResult collect(const FitEngine& engine, const std::vector<Refit>& refits) {
    RecoverResult recovered;
    for (std::size_t r = 0; r < refits.size(); ++r) {
        recovered.is_cancelled = recovered.is_cancelled || !refits[r].is_done;
        if (!refits[r].is_done) continue;
        ++recovered.n;
        if (refits[r].failure.empty())
            recovered.estimates.push_back(refits[r].result.values);
        else
            recovered.failures.push_back({static_cast<int>(r), refits[r].failure});
    }
    recovered.n_converged = static_cast<int>(recovered.estimates.size());
    const FitSetup& setup = engine.data.setup();
    const std::vector<Transform> scales = interval_scales(engine.data, engine.scale);
    for (std::size_t k = 0; k < setup.numbers.size(); ++k) {
        if (setup.numbers[k].is_fixed) continue;
        recovered.numbers.push_back(summarise_number(setup, k, recovered));
        add_coverage(refits, scales[k], recovered.numbers.back());
    }
    return recovered;
}

} // namespace

std::vector<Transform> interval_scales(const FitData& data, const FitScale& scale) {
    using Kind = pkpd::LawNumber::Kind;
    std::vector<Transform> transforms;
    for (const FitNumber& number : data.setup().numbers)
        transforms.push_back(number.law.kind == Kind::effect ? Transform::logarithm
                                                             : Transform::none);
    for (const FitScale::Coordinate& coordinate : scale.coordinates)
        if (coordinate.kind != FitScale::Kind::root)
            transforms[coordinate.number] = coordinate.transform;
    return transforms;
}

bool interval_holds(Transform transform, double estimate, double error, double truth) {
    const double slope = transform == Transform::logarithm ? 1.0 / estimate
                         : transform == Transform::logit   ? 1.0 / (estimate * (1.0 - estimate))
                                                           : 1.0;
    const double half = sim::normal_quantile(0.975) * error * slope;
    return std::abs(to_scale(transform, truth) - to_scale(transform, estimate)) <= half;
}

RecoverResult recover_with(const FitFunction& fit,
                           const FitSetup& setup,
                           const FitExecution& execution,
                           int n,
                           FitMonitor* monitor) {
    if (n < 1 || n > 65535)
        throw std::invalid_argument(
            fmt::format("{} data sets are asked for; a recovery takes 1 to 65535", n));
    FitEngine engine(setup, execution);
    DataSimulator simulator(engine, engine.scale.fixed, setup.options.seed, "fit/recover");
    RecoverMonitor counting(monitor, n);
    FitExecution of_one = execution;
    of_one.n_threads = 1;
    std::vector<Refit> refits(static_cast<std::size_t>(n));
    constexpr std::size_t at_once = 64; // bounds memory
    for (std::size_t first = 0; first < refits.size() && !counting.is_cancelled();
         first += at_once) {
        const std::size_t count = std::min(at_once, refits.size() - first);
        simulator.draw({0,
                        engine.data.n_subjects(),
                        static_cast<std::uint32_t>(first),
                        static_cast<std::uint32_t>(count)});
        sim::parallel_for(count, execution.n_threads, [&](std::size_t i, int) {
            if (counting.is_cancelled()) return;
            const auto replicate = static_cast<std::uint32_t>(first + i);
            refits[first + i] =
                fit_one(fit, setup_of(engine.data, simulator, replicate), of_one, counting);
        });
    }
    return collect(engine, refits);
}

RecoverResult
recover(const FitSetup& setup, const FitExecution& execution, int n, FitMonitor* monitor) {
    return recover_with(fit, setup, execution, n, monitor);
}

} // namespace gemel::learners
