#include "error_law.hpp"
#include "learners/problems.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace gemel::learners {
namespace {

using Law = pkpd::ResidualError::Law;

const std::vector<ErrorLaw> laws{{Law::additive, 0.7},
                                 {Law::proportional, 0.0, 0.2},
                                 {Law::combined1, 0.3, 0.1},
                                 {Law::combined2, 0.3, 0.1},
                                 {Law::lognormal, 0.25},
                                 {Law::power, 0.0, 0.2, 0.8}};

Measurement measured_at(double value, int censoring = 0) {
    Measurement measured;
    measured.value = value;
    measured.censoring = censoring;
    measured.limit = value;
    measured.other_limit = std::numeric_limits<double>::quiet_NaN();
    return measured;
}

double& number(ErrorLaw& law, int k) {
    double* numbers[] = {&law.additive, &law.proportional, &law.exponent};
    return *numbers[k];
}

/// Central difference; its error is of the order 1e-10.
template <typename F>
double slope_of(const F& f, double at) {
    const double h = 1e-5 * std::max(1.0, std::abs(at));
    return (f(at + h) - f(at - h)) / (2.0 * h);
}

} // namespace

TEST_SUITE_BEGIN("error laws");

TEST_CASE("losses of a subject are the sum of each measurement's") {
    const FitData data(theophylline());
    std::vector<double> f;
    double sum = 0.0;
    for (const Measurement& measured : data.subjects[0].measured)
        f.push_back(0.9 * measured.value + 0.4);
    for (const ErrorLaw& law : laws) {
        if (law.is_logarithmic()) continue; // takes logarithms itself
        sum = 0.0;
        for (std::size_t i = 0; i < f.size(); ++i)
            sum += loss(law, data.subjects[0].measured[i], f[i]);
        CHECK(LossSum(data, {law})(data.subjects[0], f.data()) ==
              doctest::Approx(sum).epsilon(1e-13));
    }
}

TEST_CASE("derivatives of a loss are those of its differences") {
    for (const ErrorLaw& law : laws)
        for (const int censoring : {0, 1, -1}) {
            const Measurement measured = measured_at(2.1, censoring);
            const double f = 1.6;
            const LossTerm term = loss_term(law, measured, f);
            CHECK(term.loss == doctest::Approx(loss(law, measured, f)).epsilon(1e-14));
            CHECK(term.f ==
                  doctest::Approx(slope_of([&](double x) { return loss(law, measured, x); }, f))
                      .epsilon(1e-8));
            CHECK(term.ff ==
                  doctest::Approx(
                      slope_of([&](double x) { return loss_term(law, measured, x).f; }, f))
                      .epsilon(1e-8));
            double by[n_error_numbers];
            loss_by_error(law, measured, f, by);
            for (int k = 0; k < n_error_numbers; ++k) {
                CHECK(by[k] == doctest::Approx(term.by[k]).epsilon(1e-13));
                ErrorLaw moved = law;
                const auto at = [&](double x) {
                    number(moved, k) = x;
                    return loss(moved, measured, f);
                };
                if (number(moved, k) != 0.0 && !(k == 2 && law.law != Law::power) &&
                    !(k == 1 && law.law == Law::lognormal))
                    CHECK(by[k] == doctest::Approx(slope_of(at, number(moved, k))).epsilon(1e-7));
            }
        }
}

TEST_CASE("a value between two limits has its probability, also far in a tail") {
    // Oracle: log(Q(10) - Q(11)) and so on with Q(z) = erfc(z/√2)/2, by Python.
    const ErrorLaw law{Law::additive, 1.0};
    const auto between = [&](double low, double high) {
        Measurement measured = measured_at(low, -1);
        measured.other_limit = high;
        return loss(law, measured, 0.0);
    };
    CHECK(between(10.0, 11.0) == doctest::Approx(53.231310225583115).epsilon(1e-13));
    CHECK(between(-11.0, -10.0) == doctest::Approx(53.231310225583115).epsilon(1e-13));
    CHECK(between(10.0, 10.5) == doctest::Approx(53.236969371752494).epsilon(1e-13));
    CHECK(between(-1.0, 2.0) == doctest::Approx(0.20016629432446262).epsilon(1e-13));
}

TEST_SUITE_END();

} // namespace gemel::learners
