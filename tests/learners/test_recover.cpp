#include "bootstrap.hpp"
#include "learners/linear_toy.hpp"
#include "recover.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace gemel::learners {
namespace {

/// The mean of all measurements for `base`, with the error that the model says; other numbers stay.
/// Exact for balanced data of the linear toy.
FitResult mean_of_all(const FitSetup& setup, const FitExecution&, FitMonitor*) {
    FitResult result;
    double sum = 0.0, n = 0.0;
    for (const pkpd::DataSubject& subject : setup.data->subjects)
        for (const pkpd::DataObservation& observation : subject.observations) {
            sum += observation.dv;
            n += 1.0;
        }
    Uncertainty uncertainty;
    uncertainty.method = "known";
    uncertainty.is_usable = true;
    uncertainty.covariance = Eigen::MatrixXd::Constant(1, 1, 1.0 / 12.0 + 0.25 / 132.0);
    for (std::size_t k = 0; k < setup.numbers.size(); ++k) {
        result.values.push_back(setup.numbers[k].start);
        if (setup.numbers[k].law.name != "base") continue;
        result.estimated.push_back(k);
        result.values.back() = sum / n;
    }
    result.uncertainties.push_back(uncertainty);
    result.is_converged = true;
    return result;
}

FitSetup only_base() {
    FitSetup setup = linear_toy();
    for (const char* name : {"k", "iiv.base.sd", "error.Cp.additive"})
        fix(setup, name);
    return setup;
}

TEST_CASE("recovery of a mean has the bias, error and coverage of theory") {
    // Closed form: the mean of all is N(5, 1/12 + 0.25/132). Of 400 data sets: bias within four
    // standard errors, RMSE within four of its own, √(1/800); coverage 95 % within four binomial
    // ones.
    const RecoverResult recovered = recover_with(mean_of_all, only_base(), {1}, 400, nullptr);
    const double sd = std::sqrt(1.0 / 12.0 + 0.25 / 132.0);
    CHECK(recovered.n == 400);
    CHECK(recovered.n_converged == 400);
    REQUIRE(recovered.numbers.size() == 1);
    const RecoveredNumber& base = recovered.numbers[0];
    CHECK(base.name == "base");
    CHECK(base.truth == 5.0);
    CHECK(std::abs(base.bias) < 4.0 * sd / 20.0);
    CHECK(base.bias == doctest::Approx(base.mean - 5.0).epsilon(1e-12));
    CHECK(base.bias_error == doctest::Approx(sd / 20.0).epsilon(4.0 * std::sqrt(1.0 / 800.0)));
    CHECK(base.rmse == doctest::Approx(sd).epsilon(4.0 * std::sqrt(1.0 / 800.0)));
    CHECK(base.relative_rmse == doctest::Approx(base.rmse / 5.0).epsilon(1e-12));
    CHECK(base.n_intervals == 400);
    CHECK(std::abs(base.coverage - 0.95) < 4.0 * std::sqrt(0.95 * 0.05 / 400.0));
}

TEST_CASE("recovery tells failures apart, and depends on no number of threads") {
    const auto fails_sometimes =
        [](const FitSetup& setup, const FitExecution& execution, FitMonitor* monitor) {
            FitResult result = mean_of_all(setup, execution, monitor);
            const double value = result.values[result.estimated[0]];
            if (value > 5.2) throw std::invalid_argument("too much");
            if (value < 4.8) {
                result.is_converged = false;
                result.stop_reason = "too little";
            }
            return result;
        };
    const RecoverResult one = recover_with(fails_sometimes, only_base(), {1}, 70, nullptr);
    const RecoverResult three = recover_with(fails_sometimes, only_base(), {3}, 70, nullptr);
    CHECK(one.n == 70);
    CHECK(one.n_converged + static_cast<int>(one.failures.size()) == 70);
    CHECK(one.n_converged > 0);
    REQUIRE(one.failures.size() == three.failures.size());
    for (std::size_t f = 0; f < one.failures.size(); ++f) {
        CHECK(one.failures[f].data_set == three.failures[f].data_set);
        const bool is_known =
            one.failures[f].reason == "too much" || one.failures[f].reason == "too little";
        CHECK(is_known);
    }
    CHECK(one.estimates == three.estimates);
}

TEST_CASE("a recovery that is cancelled tells what it has") {
    struct Impatient : FitMonitor {
        void advance(const FitProgress& progress) override { step = progress.step; }
        bool is_cancelled() const override { return step >= 3; }
        std::int64_t step = 0;
    };
    Impatient monitor;
    const RecoverResult recovered = recover_with(mean_of_all, only_base(), {1}, 10, &monitor);
    CHECK(recovered.is_cancelled);
    CHECK(recovered.n == 3);
    CHECK_THROWS_AS(recover_with(mean_of_all, only_base(), {1}, 0, nullptr), std::invalid_argument);
}

TEST_CASE("intervals are made on the scale of the number") {
    // 2·exp(±1.96·0.1) = [1.644, 2.433]; 2 ± 1.96·0.2 = [1.608, 2.392].
    using Transform = FitScale::Transform;
    CHECK(interval_holds(Transform::logarithm, 2.0, 0.2, 2.43));
    CHECK(!interval_holds(Transform::logarithm, 2.0, 0.2, 1.64));
    CHECK(!interval_holds(Transform::none, 2.0, 0.2, 2.43));
    CHECK(interval_holds(Transform::none, 2.0, 0.2, 1.62));
    // logit(0.5) ± 1.96·0.05/0.25: from 0.4033 to 0.5967.
    CHECK(interval_holds(Transform::logit, 0.5, 0.05, 0.596));
    CHECK(!interval_holds(Transform::logit, 0.5, 0.05, 0.597));
}

TEST_CASE("simulated data keep the design and the limits of quantification") {
    FitSetup setup = linear_toy();
    pkpd::DataSet data = *setup.data;
    data.subjects[0].observations[0].cens = 1;
    data.subjects[0].observations[0].dv = data.subjects[0].observations[0].limit = 4.5;
    setup.data = std::make_shared<const pkpd::DataSet>(data);
    const FitSetup simulated = with_simulated(setup, 4);
    std::size_t n_censored = 0;
    for (std::size_t s = 0; s < data.subjects.size(); ++s)
        for (std::size_t i = 0; i < data.subjects[s].observations.size(); ++i) {
            const auto& was = data.subjects[s].observations[i];
            const auto& is = simulated.data->subjects[s].observations[i];
            CHECK(is.time == was.time);
            CHECK(is.output == was.output);
            if (is.cens != 0) CHECK(is.dv == is.limit);
            if (is.cens == 0) CHECK(std::isnan(is.limit));
            n_censored += is.cens != 0 ? 1 : 0;
            if (is.cens == 0 && was.dv > 4.5) CHECK(is.dv >= 4.5);
        }
    CHECK(n_censored > 0);
}

TEST_CASE("resampled subjects bring their rows, and repeated ones have numbers of their own") {
    const FitSetup setup = phenobarbital(true);
    const FitSetup resampled = with_subjects(setup, {3, 0, 3});
    const FitData of_all(setup), of_three(resampled);
    REQUIRE(of_three.n_subjects() == 3);
    CHECK(of_three.subjects[0].key == of_all.subjects[3].key);
    CHECK(of_three.subjects[2].key != of_three.subjects[0].key);
    CHECK(resampled.data->subjects[2].id == resampled.data->subjects[0].id + " (2)");
    const std::size_t from[] = {3, 0, 3};
    for (std::size_t s = 0; s < 3; ++s) {
        const FitSubject &was = of_all.subjects[from[s]], &is = of_three.subjects[s];
        REQUIRE(is.measured.size() == was.measured.size());
        CHECK(is.measured.front().value == was.measured.front().value);
        REQUIRE(is.n_rows == was.n_rows);
        for (std::size_t k = 0; k < is.n_rows * of_all.n_inputs(); ++k)
            CHECK(of_three.base[is.first_row * of_all.n_inputs() + k] ==
                  of_all.base[was.first_row * of_all.n_inputs() + k]);
    }
}

TEST_CASE("the marginal likelihood of resampled subjects is the sum of theirs") {
    const FitSetup setup = theophylline();
    const FitSetup resampled = with_subjects(setup, {5, 5, 2});
    FitEngine of_all(setup, {1}), of_three(resampled, {1});
    Marginal all(of_all, Method::focei), three(of_three, Method::focei);
    const std::vector<double> at = of_all.scale.start();
    all.value(at);
    const double value = three.value(at);
    CHECK(value == doctest::Approx(2.0 * all.by_subject()[5] + all.by_subject()[2]).epsilon(1e-12));
}

TEST_CASE("the bootstrap of a mean has its variance") {
    // Closed form: with balanced subjects the bootstrap variance of the mean of all is that of the
    // subjects' means over n, with n in the denominator twice; 1000 replicates tell it to some
    // √(2/1000), here four times that.
    const FitSetup setup = only_base();
    const auto refit = [](const FitSetup& resampled) -> std::optional<std::vector<double>> {
        return mean_of_all(resampled, {}, nullptr).values;
    };
    const Bootstrap result = bootstrap(setup, {1}, 1000, refit);
    double mean = 0.0, square = 0.0;
    std::vector<double> means;
    for (const pkpd::DataSubject& subject : setup.data->subjects) {
        means.push_back(0.0);
        for (const pkpd::DataObservation& observation : subject.observations)
            means.back() += observation.dv / static_cast<double>(subject.observations.size());
        mean += means.back() / 12.0;
    }
    for (const double m : means)
        square += (m - mean) * (m - mean) / 144.0;
    REQUIRE(result.covariance.rows() == 1);
    CHECK(result.n_failed == 0);
    CHECK(result.covariance(0, 0) ==
          doctest::Approx(square).epsilon(4.0 * std::sqrt(2.0 / 1000.0)));
}

TEST_CASE("a fit tells residuals, shrinkage and predictive checks, or leaves simulations out") {
    FitSetup setup = theophylline();
    setup.options.method = Method::focei;
    setup.options.n_draws = 0;
    const FitResult full = fit(setup, {1});
    CHECK(full.observations.size() == 132);
    CHECK(full.shrinkage.size() == 4);
    // Ten bins; without the one of time 0, where no prediction can be corrected.
    CHECK(full.vpc.size() == 10 + 9);
    for (const ObservationDiagnostics& of : full.observations)
        CHECK(std::isfinite(of.npde));
    setup.options.has_simulations = false;
    const FitResult quick = fit(setup, {1});
    CHECK(quick.vpc.empty());
    CHECK(std::isnan(quick.observations[0].npde));
    CHECK(quick.observations[0].cwres == full.observations[0].cwres);
}

TEST_CASE("FOCEI recovers what theophylline-like data were simulated with" *
          doctest::test_suite("slow")) {
    // Twelve subjects tell typical values of V and CL to a few percent: the bias over 40 data sets
    // lies within four Monte Carlo errors and the 2 % that linearisation may cost. Coverage is
    // binomial, three standard errors below 95 %, and 8 % less for sds of twelve subjects known
    // to their asymptotic error alone.
    FitSetup setup = theophylline();
    setup.options.method = Method::focei;
    setup.options.n_draws = 0;
    const RecoverResult recovered = recover(setup, {}, 40);
    CHECK(recovered.n_converged >= 38);
    for (const RecoveredNumber& number : recovered.numbers) {
        CAPTURE(number.name);
        if (number.name == "V" || number.name == "CL")
            CHECK(std::abs(number.bias) < 4.0 * number.bias_error + 0.02 * number.truth);
        CHECK(number.n_intervals >= 36);
        CHECK(number.coverage > 0.95 - 3.0 * std::sqrt(0.95 * 0.05 / 40.0) - 0.08);
    }
}

} // namespace
} // namespace gemel::learners
