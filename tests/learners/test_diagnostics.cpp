#include "diagnostics.hpp"
#include "learners/linear_toy.hpp"
#include "npde.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>

namespace gemel::learners {
namespace {

struct Diagnosed {
    explicit Diagnosed(const FitSetup& setup, std::span<const double> values = {})
        : engine(setup, {1}),
          at(values.empty() ? engine.scale.start() : engine.scale.place(values)),
          point(engine.scale.point(at)),
          modes(engine.data, engine.derivatives) {
        modes.find(at, point);
        observations = observe(engine, point, modes);
        shrunk = shrinkage(engine.data, point, modes, observations);
    }
    FitEngine engine;
    std::vector<double> at;
    PopulationPoint point;
    Modes modes;
    std::vector<ObservationDiagnostics> observations;
    std::vector<Shrinkage> shrunk;
};

struct Sample {
    double n = 0.0, mean = 0.0, variance = 0.0; ///< with n − 1
};
template <class Values>
Sample sample_of(const Values& values) {
    Sample sample;
    for (const double v : values) {
        sample.n += 1.0;
        sample.mean += v;
    }
    sample.mean /= sample.n;
    for (const double v : values)
        sample.variance += (v - sample.mean) * (v - sample.mean) / (sample.n - 1.0);
    return sample;
}

TEST_CASE("residuals of a linear model are those of its marginal law") {
    // Closed form: V = ω²·11' + σ²·I, whose inverse root is (I − 11'/n)/σ + 11'/n/√(σ² + nω²);
    // the mode of η is nω²/(nω² + σ²) times the mean residual.
    const FitSetup setup = linear_toy();
    const Diagnosed diagnosed(setup);
    const double theta = 5.0, omega = 1.0, sigma = 0.5;
    std::size_t at = 0;
    for (const FitSubject& subject : diagnosed.engine.data.subjects) {
        const auto n = static_cast<double>(subject.measured.size());
        double mean = 0.0;
        for (const Measurement& measured : subject.measured)
            mean += (measured.value - theta) / n;
        const double total = std::sqrt(sigma * sigma + n * omega * omega);
        const double eta = mean * n * omega * omega / (total * total);
        for (const Measurement& measured : subject.measured) {
            const ObservationDiagnostics& of = diagnosed.observations[at++];
            const double residual = measured.value - theta;
            CHECK(of.dv == measured.value);
            CHECK(of.pred == doctest::Approx(theta).epsilon(1e-12));
            // The mode is found to some 1e-8 of η's scale.
            CHECK(of.ipred == doctest::Approx(theta + eta).epsilon(1e-7));
            CHECK(of.iwres == doctest::Approx((residual - eta) / sigma).epsilon(1e-6));
            const double expected = (residual - mean) / sigma + mean / total;
            CHECK(of.cwres == doctest::Approx(expected).epsilon(1e-6));
        }
    }
    CHECK(at == diagnosed.observations.size());
}

TEST_CASE("npde are decorrelated by the root of the simulated covariance") {
    // Closed form: with the root of V the first score is r₁/√(ω² + σ²), and scores of a subject
    // have the squared length r'V⁻¹r. 1000 simulations leave an error of some 1/√1000 of each
    // score's scale, more in the tails.
    FitSetup setup = with_simulated(linear_toy(), 3);
    const Diagnosed diagnosed(setup);
    const double theta = 5.0, omega = 1.0, sigma = 0.5;
    std::size_t at = 0;
    for (const FitSubject& subject : diagnosed.engine.data.subjects) {
        const double first = (subject.measured[0].value - theta) / std::hypot(omega, sigma);
        const ObservationDiagnostics& of = diagnosed.observations[at];
        CHECK(of.npde == doctest::Approx(first).scale(1.0 + std::abs(first)).epsilon(0.15));
        at += subject.measured.size();
    }
    for (const ObservationDiagnostics& of : diagnosed.observations) {
        const double z = (of.dv - theta) / std::hypot(omega, sigma);
        const double share = 0.5 * std::erfc(-z / std::numbers::sqrt2);
        // Five binomial standard errors of 1000 simulations.
        CHECK(std::abs(of.pd - share) < 5.0 * std::sqrt(0.25 / 1000.0));
    }
}

TEST_CASE("npde of data from the model itself are standard normal") {
    // Three standard errors of mean and variance of n independent standard normal numbers.
    std::vector<double> all;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const FitSetup setup = with_simulated(linear_toy(), seed);
        FitEngine engine(setup, {1});
        std::vector<double> npde;
        for (const auto& subject : prediction_errors(engine, engine.scale.fixed, 17))
            for (const PredictionError& error : subject)
                npde.push_back(error.npde);
        const Sample sample = sample_of(npde);
        CHECK(std::abs(sample.mean) < 3.0 / std::sqrt(sample.n));
        CHECK(std::abs(sample.variance - 1.0) < 3.0 * std::sqrt(2.0 / sample.n));
        all.insert(all.end(), npde.begin(), npde.end());
    }
    const Sample sample = sample_of(all);
    CHECK(std::abs(sample.mean) < 3.0 / std::sqrt(sample.n));
    CHECK(std::abs(sample.variance - 1.0) < 3.0 * std::sqrt(2.0 / sample.n));
}

TEST_CASE("npde of censored data from the model itself are standard normal") {
    // A third of the values is below a limit; each is put at random among simulated ones there.
    std::vector<double> all, of_censored;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        FitSetup setup = with_simulated(linear_toy(), seed);
        pkpd::DataSet data = *setup.data;
        for (pkpd::DataSubject& subject : data.subjects)
            for (pkpd::DataObservation& observation : subject.observations)
                if (observation.dv < 4.5) {
                    observation.cens = 1;
                    observation.dv = observation.limit = 4.5;
                }
        setup.data = std::make_shared<const pkpd::DataSet>(data);
        FitEngine engine(setup, {1});
        const auto errors = prediction_errors(engine, engine.scale.fixed, 17);
        for (std::size_t s = 0; s < errors.size(); ++s)
            for (std::size_t i = 0; i < errors[s].size(); ++i) {
                all.push_back(errors[s][i].npde);
                if (engine.data.subjects[s].measured[i].censoring == 0) continue;
                // Φ((4.5 − 5)/√1.25) = 0.327
                CHECK(errors[s][i].pd < 0.327 + 5.0 * std::sqrt(0.25 / 1000.0));
                of_censored.push_back(errors[s][i].pd / 0.327);
            }
    }
    const Sample sample = sample_of(all), uniform = sample_of(of_censored);
    CHECK(std::abs(sample.mean) < 3.0 / std::sqrt(sample.n));
    CHECK(std::abs(sample.variance - 1.0) < 3.0 * std::sqrt(2.0 / sample.n));
    // Uniform: mean ½, variance 1/12.
    CHECK(std::abs(uniform.mean - 0.5) < 3.0 * std::sqrt(1.0 / 12.0 / uniform.n));
}

TEST_CASE("a value between two limits has a share between theirs") {
    FitSubject subject;
    subject.measured.resize(1);
    Measurement& measured = subject.measured[0];
    const Eigen::MatrixXd simulated = Eigen::RowVectorXd::LinSpaced(101, 0.0, 100.0);
    for (const bool is_below : {true, false}) {
        measured.censoring = is_below ? 1 : -1;
        measured.value = measured.limit = is_below ? 40.0 : 20.0;
        measured.other_limit = is_below ? 20.0 : 40.0;
        for (std::uint64_t seed = 1; seed <= 50; ++seed) {
            const double pd = prediction_errors(subject, {ValueLimits{}}, simulated, seed)[0].pd;
            CHECK(pd > 20.0 / 101.0);
            CHECK(pd < 41.0 / 101.0);
        }
        // Nothing was simulated there.
        measured.value = measured.limit = is_below ? -5.0 : 105.0;
        measured.other_limit = is_below ? -7.0 : 107.0;
        const double pd = prediction_errors(subject, {ValueLimits{}}, simulated, 1)[0].pd;
        CHECK(pd == doctest::Approx(is_below ? 0.5 / 101.0 : 100.5 / 101.0));
    }
}

TEST_CASE("shares of simulated values: ties count half, extremes are half a simulation off") {
    FitSubject subject;
    subject.measured.resize(1);
    const auto pd_of = [&](double value) {
        subject.measured[0].value = value;
        const Eigen::MatrixXd simulated = Eigen::RowVectorXd::LinSpaced(101, 0.0, 100.0);
        return prediction_errors(subject, {ValueLimits{}}, simulated, 1)[0].pd;
    };
    CHECK(pd_of(50.0) == doctest::Approx(50.5 / 101.0).epsilon(1e-15));
    CHECK(pd_of(50.5) == doctest::Approx(51.0 / 101.0).epsilon(1e-15));
    CHECK(pd_of(-1.0) == doctest::Approx(0.5 / 101.0).epsilon(1e-15));
    CHECK(pd_of(101.0) == doctest::Approx(100.5 / 101.0).epsilon(1e-15));
}

TEST_CASE("shrinkage of a linear model has a closed form") {
    // η̂ = nω²/(nω² + σ²)·(mean residual): sd(η̂) by the sample's sd of the means.
    const FitSetup setup = with_simulated(linear_toy(0.25), 5);
    const Diagnosed diagnosed(setup);
    std::vector<double> means;
    double mean_square = 0.0;
    for (const FitSubject& subject : diagnosed.engine.data.subjects) {
        double mean = 0.0;
        for (const Measurement& measured : subject.measured)
            mean += measured.value / static_cast<double>(subject.measured.size());
        means.push_back(mean);
    }
    const double n = 11.0, square = 0.0625, part = n * square / (n * square + 0.25);
    const double ratio = part * part * sample_of(means).variance * (11.0 / 12.0) / square;
    REQUIRE(diagnosed.shrunk.size() == 2);
    CHECK(diagnosed.shrunk[0].name == "eta.base");
    CHECK(diagnosed.shrunk[0].var == doctest::Approx(1.0 - ratio).epsilon(1e-6));
    CHECK(diagnosed.shrunk[0].sd == doctest::Approx(1.0 - std::sqrt(ratio)).epsilon(1e-6));
    for (const ObservationDiagnostics& of : diagnosed.observations)
        mean_square += of.iwres * of.iwres / 132.0;
    CHECK(diagnosed.shrunk[1].name == "epsilon.Cp");
    CHECK(diagnosed.shrunk[1].sd == doctest::Approx(1.0 - std::sqrt(mean_square)).epsilon(1e-10));
}

TEST_CASE("shrinkage of effects of occasions is pooled over those that are observed") {
    // y = θ + κ + ε, no η: of each occasion κ̂ = nω²/(nω² + σ²)·(its mean residual). The third
    // occasion is never observed, and its κ̂ of 0 says nothing.
    const auto path = pkpd::temporary_path("occasions.csv");
    std::vector<double> means;
    {
        std::ofstream file(path);
        file << "ID,TIME,AMT,DV,EVID,OCC\n";
        for (int subject = 1; subject <= 5; ++subject)
            for (int occasion = 1; occasion <= 3; ++occasion) {
                file << subject << "," << 10 * occasion << ",1,.,1," << occasion << "\n";
                if (occasion == 3) continue;
                const double level = 5.0 + 0.7 * ((3 * subject + occasion) % 4 - 1.5);
                for (const int i : {-1, 1})
                    file << subject << "," << 10 * occasion + 2 + i << ",0," << level + 0.1 * i
                         << ",0," << occasion << "\n";
                means.push_back(level);
            }
    }
    pkpd::DataWords words = data_words(path.filename().string());
    words.folder = path.parent_path();
    words.occasion = "OCC";
    const FitSetup setup = make_setup(R"toml(gemel = "model/1"
[model]
name = "a level that differs by occasion"
source = "textbook"
time = "h"
equations = '''
d/dt(depot) = -k * depot
Cp = base
'''
[routes.oral]
into = "depot"
default = true
[parameters]
k = { value = 1, unit = "1/h" }
base = { value = 5, unit = "mg/L", iov = { law = "normal", sd = 1 } }
[states]
depot = { unit = "mg" }
[outputs]
Cp = { unit = "mg/L", error = { law = "additive", additive = 0.5 } }
)toml",
                                      words);
    std::filesystem::remove(path);
    const Diagnosed diagnosed(setup);
    const Sample sample = sample_of(means);
    const double part = 2.0 / (2.0 + 0.25),
                 variance = sample.variance * (sample.n - 1.0) / sample.n;
    REQUIRE(diagnosed.shrunk.size() == 2);
    CHECK(diagnosed.shrunk[0].name == "kappa.base");
    CHECK(diagnosed.shrunk[0].var == doctest::Approx(1.0 - part * part * variance).epsilon(1e-6));
}

TEST_CASE("shrinkage of phenobarbital is NONMEM's") {
    // NONMEM's FOCEI estimates of the covariate model and its shrinkage of etas of V and CL, 13.6 %
    // and 47.6 %, and of epsilon, 21.2 % (pharmpy's example pheno, printed to 0.1 %).
    const FitSetup setup = phenobarbital(true);
    std::vector<double> values;
    for (const FitNumber& number : setup.numbers) {
        const std::string& name = number.law.name;
        values.push_back(name == "CL"          ? 0.00469555
                         : name == "V"         ? 0.984258
                         : name == "b1"        ? 0.15892
                         : name == "iiv.CL.sd" ? 0.17132
                         : name == "iiv.V.sd"  ? 0.16705
                                               : 0.11507);
    }
    const Diagnosed diagnosed(setup, values);
    const auto shrunk = [&](const std::string& name) {
        for (const Shrinkage& of : diagnosed.shrunk)
            if (of.name == name) return 100.0 * of.sd;
        return 0.0;
    };
    CHECK(std::abs(shrunk("eta.V") - 13.6) < 0.05); // the digits printed
    CHECK(std::abs(shrunk("eta.CL") - 47.6) < 0.05);
    CHECK(std::abs(shrunk("epsilon.Cp") - 21.2) < 0.05);
}

TEST_CASE("a lognormal error has residuals of logarithms and predictions of values") {
    // Closed form at the mode: log f with slope 1/f, one effect; as for the linear model, V is
    // (ω/f)²·11' + σ²·I.
    const FitSetup setup = with_simulated(linear_toy(0.5, R"(law = "lognormal", sd = 0.3)"), 2);
    const Diagnosed diagnosed(setup);
    const double theta = 5.0, omega = 0.5, sigma = 0.3;
    std::size_t at = 0;
    for (const FitSubject& subject : diagnosed.engine.data.subjects) {
        const double f = diagnosed.observations[at].ipred;
        const auto n = static_cast<double>(subject.measured.size());
        const double expected = std::log(f) - (f - theta) / f;
        double mean = 0.0;
        for (const Measurement& measured : subject.measured)
            mean += (measured.value - expected) / n;
        const double total = std::sqrt(sigma * sigma + n * omega * omega / (f * f));
        for (const Measurement& measured : subject.measured) {
            const ObservationDiagnostics& of = diagnosed.observations[at++];
            CHECK(of.dv == doctest::Approx(std::exp(measured.value)).epsilon(1e-12));
            CHECK(of.pred == doctest::Approx(theta).epsilon(1e-12));
            CHECK(of.iwres ==
                  doctest::Approx((std::log(of.dv) - std::log(f)) / sigma).epsilon(1e-9));
            const double cwres = (measured.value - expected - mean) / sigma + mean / total;
            // Slopes are differences, good to some 1e-9.
            CHECK(of.cwres == doctest::Approx(cwres).epsilon(1e-6));
        }
    }
}

TEST_CASE("censored measurements have no residuals") {
    FitSetup setup = linear_toy();
    pkpd::DataSet data = *setup.data;
    pkpd::DataObservation& first = data.subjects[0].observations[0];
    first.cens = 1;
    first.dv = first.limit = 2.0;
    setup.data = std::make_shared<const pkpd::DataSet>(data);
    const Diagnosed diagnosed(setup);
    const ObservationDiagnostics& of = diagnosed.observations[0];
    CHECK(of.is_censored);
    CHECK(of.dv == 2.0);
    CHECK(std::isnan(of.iwres));
    CHECK(std::isnan(of.cwres));
    CHECK(std::isfinite(of.npde));
    for (std::size_t i = 1; i < diagnosed.observations.size(); ++i)
        CHECK(std::isfinite(diagnosed.observations[i].cwres));
}

} // namespace
} // namespace gemel::learners
