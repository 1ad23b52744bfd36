#include "bootstrap.hpp"
#include "diagnostics.hpp"
#include "estimate.hpp"
#include "fit_checks.hpp"
#include "fit_warnings.hpp"
#include "flip_flop.hpp"
#include "importance_likelihood.hpp"
#include "standard_errors.hpp"
#include "vpc.hpp"

#include <gemel/learners/fit.hpp>
#include <gemel/sim/random.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <numbers>

namespace gemel::learners {
namespace {

/// Draws of each subject that the information is taken from: more for more effects, few where each
/// place takes steps anew.
int draws_of_information(const FitEngine& engine, const std::vector<char>& is_direct) {
    const bool is_costly = engine.predictor.has_steps() && std::ranges::count(is_direct, 1) > 0;
    const std::size_t n = is_costly ? 320 : 160 * engine.data.max_effects;
    return static_cast<int>(std::max<std::size_t>(320, n));
}

double cpu_seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

bool is_likelihood_exact(Method method) {
    return method == Method::saem || method == Method::agq;
}

/// From data to result, step by step.
class FitRun {
public:
    FitRun(const FitSetup& setup, const FitExecution& execution, FitMonitor* monitor)
        : setup_(setup),
          engine_(setup, execution),
          monitor_(monitor),
          before_(cpu_seconds()) {}

    FitResult run();

private:
    void estimate();
    void exchange_rates();
    std::vector<double> start(int number) const;
    std::string ids_of(const std::vector<std::size_t>& subjects) const;
    void find_modes();
    void find_individuals();
    void find_diagnostics();
    void find_likelihood();
    void find_uncertainty();
    void find_louis();
    void find_bootstrap();
    void add_uncertainty(const ScaleCovariance& on_scale, const char* method);
    ScaleCovariance invert(const Eigen::MatrixXd& information) const;
    void count();
    bool is_cancelled() const { return monitor_ != nullptr && monitor_->is_cancelled(); }
    void tell(const char* phase) const {
        if (monitor_ != nullptr)
            monitor_->advance({phase, 0, 0, std::numeric_limits<double>::quiet_NaN(), nullptr});
    }

    const FitSetup& setup_;
    FitEngine engine_;
    FitMonitor* monitor_;
    double before_ = 0.0;
    Estimate best_;
    PopulationPoint point_;
    std::unique_ptr<Modes> modes_;
    std::vector<char> is_direct_; ///< of draws: typical values that are not mu-referenced
    std::optional<ImportanceLikelihood> drawn_;
    std::vector<Eigen::Index> told_; ///< coordinates that the linearised model tells of
    ScaleCovariance on_scale_;       ///< of the estimates
    FitResult result_;
};

/// The first is the file's; others are spread about it, typical values by half a logarithm.
std::vector<double> FitRun::start(int number) const {
    std::vector<double> at = engine_.scale.start();
    if (number == 0) return at;
    for (std::size_t k = 0; k < at.size(); ++k) {
        const FitScale::Coordinate& c = engine_.scale.coordinates[k];
        if (c.kind != FitScale::Kind::theta) continue;
        sim::RandomStream stream({setup_.options.seed, static_cast<std::uint32_t>(number), 0},
                                 sim::purpose_number("fit/start"),
                                 static_cast<std::uint32_t>(k));
        const double spread =
            c.transform == FitScale::Transform::none ? 0.5 * std::max(std::abs(at[k]), 0.1) : 0.5;
        at[k] = std::clamp(at[k] + spread * stream.normal(), c.lower, c.upper);
    }
    return at;
}

namespace {

bool is_better(const Estimate& one, const Estimate& other) {
    if (one.is_converged != other.is_converged) return one.is_converged;
    return one.objective < other.objective;
}

} // namespace

/// A search that ended in flip-flop is made once more, from the two rates exchanged.
void FitRun::exchange_rates() {
    if (is_cancelled() || setup_.options.method == Method::fo) return;
    const std::optional<std::vector<double>> place =
        with_rates_exchanged(engine_.data, engine_.scale, best_.at, engine_.scale.start());
    if (!place) return;
    Estimate found =
        estimator(setup_.options.method).run(engine_, *place, setup_.options.seed, monitor_);
    const double gain = best_.objective - found.objective;
    if (!is_better(found, best_)) {
        result_.notes.push_back(fmt::format(
            "flip-flop: the search with the rates of absorption and elimination exchanged ended "
            "{:.2f} above, and is not told",
            -gain));
        return;
    }
    best_ = std::move(found);
    result_.warnings.push_back(
        {fmt::format("flip-flop kinetics: the search from the file's starts ended where absorption "
                     "is slower than elimination; with the two rates exchanged it ended {:.2f} "
                     "below, and that is told",
                     gain),
         "start absorption above elimination"});
}

void FitRun::estimate() {
    const Estimator& by = estimator(setup_.options.method);
    for (int number = 0; number < std::max(1, setup_.options.n_starts); ++number) {
        const std::uint64_t seed =
            setup_.options.seed + static_cast<std::uint64_t>(number) * 0x9e3779b97f4a7c15ULL;
        Estimate found = by.run(engine_, start(number), seed, monitor_);
        if (setup_.options.n_starts > 1)
            result_.notes.push_back(fmt::format("start {}: objective {:.3f}, {}",
                                                number + 1,
                                                found.objective,
                                                found.is_converged ? "converged" : found.reason));
        if (number == 0 || is_better(found, best_)) best_ = std::move(found);
        if (is_cancelled()) break;
    }
    exchange_rates();
    point_ = engine_.scale.point(best_.at);
    result_.is_converged = best_.is_converged;
    result_.stop_reason = best_.reason;
    result_.objective_name = std::string(by.objective);
    result_.notes.insert(result_.notes.end(), best_.notes.begin(), best_.notes.end());
    for (const std::vector<double>& place : best_.trace)
        result_.trace.push_back(engine_.scale.values(engine_.scale.point(place)));
    result_.values = engine_.scale.values(point_);
    for (std::size_t i = 0; i < setup_.numbers.size(); ++i)
        if (!setup_.numbers[i].is_fixed) result_.estimated.push_back(i);
}

std::string FitRun::ids_of(const std::vector<std::size_t>& subjects) const {
    std::string ids;
    for (const std::size_t s : subjects)
        ids += (ids.empty() ? "" : ", ") + setup_.data->subjects[s].id;
    return ids;
}

void FitRun::find_modes() {
    tell("individual estimates");
    modes_ = std::make_unique<Modes>(engine_.data, engine_.derivatives);
    modes_->find(best_.at, point_, Interaction::full, {}, true);
    std::vector<std::size_t> early;
    for (std::size_t s = 0; s < engine_.data.n_subjects(); ++s)
        if (!modes_->modes[s].is_converged && modes_->modes[s].effects.size() > 0)
            early.push_back(s);
    if (!early.empty())
        result_.notes.push_back(
            fmt::format("the search for individual estimates ended early in: {}", ids_of(early)));
}

void FitRun::find_individuals() {
    const FitData& data = engine_.data;
    const auto name = [&](std::size_t effect) {
        return data.model().parameters[data.parameter_of_effect(effect)].name;
    };
    for (std::size_t e = 0; e < data.max_effects; ++e)
        result_.effect_names.push_back(
            e < data.n_eta()
                ? "eta." + name(e)
                : fmt::format("kappa.{}.{}", name(e), 1 + (e - data.n_eta()) / data.n_kappa()));
    for (std::size_t s = 0; s < data.n_subjects(); ++s) {
        const SubjectMode& mode = modes_->modes[s];
        IndividualEstimate& individual = result_.individuals.emplace_back();
        individual.mode.assign(mode.effects.data(), mode.effects.data() + mode.effects.size());
        const auto invert = [&](const Eigen::MatrixXd& hessian) -> Eigen::MatrixXd {
            const Eigen::LLT<Eigen::MatrixXd> root(hessian);
            if (root.info() != Eigen::Success) return {};
            return root.solve(Eigen::MatrixXd::Identity(hessian.rows(), hessian.cols()));
        };
        individual.covariance_expected = invert(mode.expected);
        individual.covariance_observed = invert(mode.observed);
        individual.parameters =
            engine_.predictor.individual_parameters(s, point_.theta, individual.mode);
        if (!drawn_) continue;
        const ConditionalMoments& moments = drawn_->moments[s];
        individual.mean.assign(moments.mean.data(), moments.mean.data() + moments.mean.size());
        for (Eigen::Index e = 0; e < moments.mean.size(); ++e)
            individual.sd.push_back(std::sqrt(moments.covariance(e, e)));
    }
}

/// By draws about the modes, and about what chains saw.
void FitRun::find_likelihood() {
    const FitData& data = engine_.data;
    const double n_values = static_cast<double>(data.n_measured - data.n_censored);
    const double constant = n_values * std::log(2.0 * std::numbers::pi);
    result_.objective = best_.objective;
    if (setup_.options.n_draws <= 0) return;
    tell("likelihood");
    is_direct_ = direct_coordinates(engine_, best_.at);
    std::vector<ProposalMixture> mixtures = mixtures_of(proposals_at(data, *modes_, point_));
    if (!best_.moments.empty())
        mixtures = halves_of(mixtures, mixtures_of(proposals_of(best_.moments)));
    drawn_ = importance_likelihood(engine_,
                                   best_.at,
                                   std::move(mixtures),
                                   is_direct_,
                                   setup_.options.n_draws,
                                   setup_.options.seed);
    result_.likelihoods.push_back(drawn_->likelihood);
    if (!drawn_->redrawn.empty())
        result_.notes.push_back(
            fmt::format("the likelihood of {} took more draws, from mixtures of normal laws: {}",
                        drawn_->redrawn.size() == 1 ? "a subject" : "some subjects",
                        ids_of(drawn_->redrawn)));
    if (setup_.options.method == Method::saem)
        result_.objective = result_.likelihoods.front().minus_two_ll - constant;
}

void FitRun::add_uncertainty(const ScaleCovariance& on_scale, const char* method) {
    Uncertainty uncertainty = uncertainty_of(engine_, best_.at, on_scale, method);
    if (uncertainty.is_usable && on_scale_.of.rows() == 0) on_scale_ = on_scale;
    result_.uncertainties.push_back(std::move(uncertainty));
}

ScaleCovariance FitRun::invert(const Eigen::MatrixXd& information) const {
    return inverse_information(
        information,
        told_coordinates(engine_.scale, best_.at, information, flat_information, told_));
}

/// Second derivatives vary less from draw to draw than the likelihood itself: few draws do.
void FitRun::find_louis() {
    ConditionalDraws few(
        engine_,
        std::min(draws_of_information(engine_, is_direct_), setup_.options.n_draws),
        is_direct_,
        setup_.options.seed);
    few.draw(best_.at, mixtures_of(drawn_->proposals), 10);
    const ScaleCovariance inverse = invert(0.5 * few.hessian(best_.at));
    Eigen::VectorXd gradient;
    few.value(best_.at, gradient);
    add_uncertainty(inverse, "observed information (Louis)");
    add_uncertainty(sandwich(inverse, few.gradients_by_subject()), "sandwich");
}

/// Refits of resampled subjects, from the estimates.
void FitRun::find_bootstrap() {
    if (setup_.options.n_bootstrap <= 0) return;
    tell("bootstrap");
    FitSetup from = setup_;
    from.options.n_bootstrap = 0;
    from.options.n_starts = 1;
    from.options.n_draws = 0;
    for (std::size_t i = 0; i < from.numbers.size(); ++i)
        if (!from.numbers[i].is_fixed) from.numbers[i].start = result_.values[i];
    const Bootstrap found =
        bootstrap(from,
                  engine_.execution,
                  setup_.options.n_bootstrap,
                  [&](const FitSetup& resampled) -> std::optional<std::vector<double>> {
                      // Who comes twice may leave nobody with an output.
                      if (FitData(resampled).outputs != engine_.data.outputs) return std::nullopt;
                      FitExecution alone = engine_.execution;
                      alone.n_threads = 1;
                      FitEngine engine(resampled, alone);
                      const Estimate estimate =
                          estimator(resampled.options.method)
                              .run(engine, engine.scale.start(), resampled.options.seed, nullptr);
                      if (!estimate.is_converged) return std::nullopt;
                      return engine.scale.values(engine.scale.point(estimate.at));
                  });
    Uncertainty uncertainty;
    uncertainty.method = "bootstrap";
    uncertainty.covariance = found.covariance;
    uncertainty.is_usable = found.covariance.rows() > 0 && found.covariance.allFinite() &&
                            found.covariance.llt().info() == Eigen::Success;
    if (!uncertainty.is_usable)
        uncertainty.why_not =
            "too few refits, or numbers that never moved: their covariance has no inverse";
    result_.uncertainties.push_back(std::move(uncertainty));
    result_.notes.push_back(fmt::format("bootstrap: {} of {} refits converged",
                                        found.estimates.size(),
                                        setup_.options.n_bootstrap));
}

/// Of what the estimator maximised: the exact likelihood's information by the draws, or that of
/// the approximation; then the sandwich, and the linearised model's.
void FitRun::find_uncertainty() {
    tell("standard errors");
    const Eigen::MatrixXd linearised = linearised_information(engine_, best_.at, *modes_);
    // Information by draws has the errors of its draws, where there is none at all, too; that of
    // the linearised model is without them, but errs where modes are not like the laws around them.
    told_ = told_coordinates(engine_.scale,
                             best_.at,
                             linearised,
                             0.01 * flat_information,
                             all_coordinates(engine_.scale));
    if (is_likelihood_exact(setup_.options.method)) {
        if (drawn_) find_louis();
    } else {
        Marginal marginal(engine_, setup_.options.method, setup_.options.n_nodes);
        const ScaleCovariance inverse = invert(0.5 * hessian(marginal, best_.at));
        Eigen::VectorXd gradient;
        marginal.value(best_.at, gradient);
        add_uncertainty(inverse, "observed information");
        add_uncertainty(sandwich(inverse, marginal.gradients_by_subject()), "sandwich");
    }
    add_uncertainty(invert(linearised), "linearised");
    std::ranges::stable_partition(result_.uncertainties,
                                  [](const Uncertainty& u) { return u.is_usable; });
}

void FitRun::find_diagnostics() {
    tell("diagnosis");
    result_.observations = observe(engine_, point_, *modes_);
    result_.shrinkage = shrinkage(engine_.data, point_, *modes_, result_.observations);
    if (!setup_.options.has_simulations) return;
    VpcOptions options;
    options.has_corrected = true;
    options.seed = setup_.options.seed;
    result_.vpc = vpc(engine_, point_, options);
}

void FitRun::count() {
    const SolverCount count = engine_.count();
    result_.n_solves = count.n_solves;
    result_.solver_seconds = count.seconds;
    result_.total_seconds = cpu_seconds() - before_;
}

FitResult FitRun::run() {
    check_start(engine_);
    result_.notes.push_back(
        fmt::format("solver {}: {}", engine_.predictor.solver(), engine_.predictor.reason()));
    if (const std::string mu = engine_.mu.text(); !mu.empty()) result_.notes.push_back(mu);
    estimate();
    if (is_cancelled()) {
        count();
        return std::move(result_);
    }
    find_modes();
    find_likelihood();
    find_uncertainty();
    find_bootstrap();
    find_individuals();
    find_diagnostics();
    const std::vector<FitWarning> found = find_warnings(engine_, best_.at, result_, on_scale_);
    result_.warnings.insert(result_.warnings.end(), found.begin(), found.end());
    count();
    return std::move(result_);
}

} // namespace

FitResult fit(const FitSetup& setup, const FitExecution& execution, FitMonitor* monitor) {
    check_before(setup);
    return FitRun(setup, execution, monitor).run();
}

} // namespace gemel::learners
