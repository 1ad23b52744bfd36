#include "sim/solve/precise_linear.hpp"
#include "solve/exact_linear_expm.hpp"
#include "solve/exact_linear_modes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

using namespace gemel::sim;

namespace {

/// What analyse() would say of a matrix without accidental zeros.
SystemStructure structure_of(std::vector<std::vector<int>> jacobian,
                             std::vector<std::vector<int>> blocks) {
    SystemStructure structure;
    structure.is_linear = true;
    structure.jacobian = std::move(jacobian);
    structure.blocks = std::move(blocks);
    return structure;
}

/// Depot 0 into central 1, with one or two peripherals on it (mammillary).
SystemStructure oral(int n_peripherals) {
    if (n_peripherals == 0) return structure_of({{0}, {0, 1}}, {{0}, {1}});
    if (n_peripherals == 1) return structure_of({{0}, {0, 1, 2}, {1, 2}}, {{0}, {1, 2}});
    return structure_of({{0}, {0, 1, 2, 3}, {1, 2}, {1, 3}}, {{0}, {1, 2, 3}});
}

std::vector<double> oral_matrix(double ka, double k, std::vector<std::array<double, 2>> exchange) {
    const int n = 2 + static_cast<int>(exchange.size());
    std::vector<double> a(static_cast<std::size_t>(n * n), 0.0);
    a[0] = -ka;
    a[n] = ka;
    a[n + 1] = -k;
    for (int p = 0; p < n - 2; ++p) {
        a[n + 1] -= exchange[p][0];
        a[(2 + p) * n + 1] = exchange[p][0];
        a[n + 2 + p] = exchange[p][1];
        a[(2 + p) * n + 2 + p] = -exchange[p][1];
    }
    return a;
}

double relative_error(double value, double expected) {
    return expected == 0.0 ? std::fabs(value) : std::fabs(value / expected - 1.0);
}

/// Largest |error| / (|value| + 1e-3·largest of the amounts).
double error_of(const std::vector<double>& y, const std::vector<double>& expected) {
    double largest = 0.0, worst = 0.0;
    for (double x : expected)
        largest = std::max(largest, std::fabs(x));
    for (std::size_t i = 0; i < y.size(); ++i)
        worst = std::max(worst,
                         std::fabs(y[i] - expected[i]) / (std::fabs(expected[i]) + 1e-3 * largest));
    return worst;
}

/// Divided differences of e^{xτ} at a and b, and at a, b and 0: what a depot of rate b feeds into a
/// mode of rate a, from an amount and from a source.
struct Differences {
    alignas(64) double a[exact::pack], b[exact::pack], feed[exact::pack], tau[exact::pack],
        of_a[exact::pack], of_b[exact::pack], first[exact::pack], unused[3][exact::pack],
        second[exact::pack];

    Differences(double rate, double depot, double time) {
        std::fill(a, a + exact::pack, rate);
        std::fill(b, b + exact::pack, depot);
        std::fill(feed, feed + exact::pack, 1.0);
        std::fill(tau, tau + exact::pack, time);
        const exact::PartFlow flow{of_b, of_a, first, unused[0], unused[1], second};
        exact::kernel_sets().best().flow({1, 1}, {b, a, unused[2], unused[2], feed}, tau, &flow, 1);
    }
};
double exponential_difference(double a, double b, double tau) {
    return Differences(a, b, tau).first[0];
}
double exponential_difference_with_0(double a, double b, double tau) {
    return Differences(a, b, tau).second[0];
}

} // namespace

TEST_CASE("divided differences of the exponential are accurate at any distance of the rates") {
    // Oracle: the quotients in 100 digits; equal rates by their limits.
    // 4e-15: a few roundings of exp, expm1 and the products, |aτ| ≤ 40 adds 40 ulp·ε/2 in exp.
    const std::vector<double> rates{
        0.0, -1e-12, -1e-3, -0.3, -0.3000000001, -0.3001, -0.5, -1.0, -1.2, -7.0, -40.0, 0.5};
    for (double tau : {1e-6, 0.1, 1.0, 24.0})
        for (double a : rates)
            for (double b : rates) {
                if (std::fabs(a * tau) > 40.0 || std::fabs(b * tau) > 40.0) continue;
                const Precise ea = exp(Precise(a) * tau), eb = exp(Precise(b) * tau);
                const Precise expected = a == b ? ea * tau : (ea - eb) / (Precise(a) - b);
                CHECK(relative_error(exponential_difference(a, b, tau),
                                     static_cast<double>(expected)) < 1e-14);
                const Precise with_0 = b == 0.0 ? Precise(tau) : (eb - 1) / Precise(b);
                Precise second;
                if (a == b && b == 0.0)
                    second = Precise(tau) * tau / 2;
                else if (a == 0.0)
                    second = (Precise(tau) - with_0) / (0 - Precise(b));
                else
                    second = (expected - with_0) / Precise(a);
                CHECK(relative_error(exponential_difference_with_0(a, b, tau),
                                     static_cast<double>(second)) < 2e-14);
            }
}

TEST_CASE("divided differences survive rates beyond all measure") {
    // Limits: for k → ∞, (e^{−kaτ} − e^{−kτ})/(k − ka) → e^{−kaτ}/k, and with an infusion
    // (1 − e^{−kaτ})/(ka·k).
    const double k = 5e300, ka = 1.2, tau = 3.0;
    CHECK(relative_error(exponential_difference(-k, -ka, tau), std::exp(-ka * tau) / k) < 1e-15);
    CHECK(relative_error(exponential_difference_with_0(-k, -ka, tau),
                         (1.0 - std::exp(-ka * tau)) / ka / k) < 1e-15);
    CHECK(exponential_difference(0.0, 0.0, 1e300) == 1e300);
    CHECK(exponential_difference(-1.0, -1.0, 1e300) == 0.0);
}

TEST_CASE("the structures with closed forms are recognised, others are not") {
    CHECK(modal_parts(oral(0)));
    CHECK(modal_parts(oral(1)));
    CHECK(modal_parts(oral(2)));
    const auto parts = modal_parts(oral(2));
    REQUIRE(parts->size() == 1);
    CHECK(parts->front().depots == std::vector<int>{0});
    CHECK(parts->front().block == std::vector<int>{1, 2, 3});
    // Catenary 0 − 1 − 2, and two independent states.
    CHECK(modal_parts(structure_of({{0, 1}, {0, 1, 2}, {1, 2}}, {{0, 1, 2}})));
    CHECK(modal_parts(structure_of({{0}, {1}}, {{0}, {1}}))->size() == 2);
    // A ring of three, a one-way exchange, a chain of depots, four compartments.
    CHECK(!modal_parts(structure_of({{0, 1, 2}, {0, 1, 2}, {0, 1, 2}}, {{0, 1, 2}})));
    CHECK(!modal_parts(structure_of({{0, 2}, {0, 1}, {1, 2}}, {{0, 1, 2}})));
    CHECK(!modal_parts(structure_of({{0}, {0, 1}, {1, 2}}, {{0}, {1}, {2}})));
    CHECK(!modal_parts(structure_of({{0, 1}, {0, 1, 2}, {1, 2, 3}, {2, 3}}, {{0, 1, 2, 3}})));
    // A depot that feeds two parts.
    CHECK(!modal_parts(structure_of({{0}, {0, 1}, {0, 2}}, {{0}, {1}, {2}})));
}

TEST_CASE("closed forms agree with a hundred digits for one to three compartments") {
    // Oracle: precise_linear, 100 digits. Rates vary log-normally over four orders of magnitude, so
    // eigenvalues come close and far apart. 1e-12: rounding of the matrix entries times |λ|τ ≤
    // 100s.
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal;
    const auto rate = [&](double median) { return median * std::exp(1.2 * normal(random)); };
    for (int n_peripherals = 0; n_peripherals <= 2; ++n_peripherals)
        for (int repeat = 0; repeat < 60; ++repeat) {
            const int n = 2 + n_peripherals;
            std::vector<std::array<double, 2>> exchange;
            for (int p = 0; p < n_peripherals; ++p)
                exchange.push_back({rate(0.3), rate(0.05)});
            const double k = repeat % 7 == 0 ? 0.0 : rate(0.12);
            const double ka = repeat % 5 == 0 ? k : rate(1.2);
            const std::vector<double> a = oral_matrix(ka, k, exchange);
            std::vector<double> y0(static_cast<std::size_t>(n), 0.0), source = y0;
            y0[0] = 100.0;
            if (repeat % 2 == 0) source[0] = 3.0;
            if (repeat % 3 == 0) y0[1] = 40.0, source[n - 1] = 1.0;
            LinearModes modes(*modal_parts(oral(n_peripherals)), n);
            REQUIRE(modes.set_matrix(a.data()));
            modes.start(y0.data(), source.data());
            for (double tau : {0.0, 1e-3, 0.5, 6.0, 24.0, 200.0}) {
                std::vector<double> y(y0.size());
                modes.at(tau, y.data());
                CHECK(error_of(y, precise_linear(n, a, source, y0, tau)) < 1e-12);
            }
        }
}

TEST_CASE(
    "a subject whose exchange vanishes is two systems, one with opposite couplings is refused") {
    LinearModes modes(*modal_parts(structure_of({{0, 1}, {0, 1, 2}, {1, 2}}, {{0, 1, 2}})), 3);
    // 0 alone, 1 and 2 exchange. Oracle: precise_linear.
    const std::vector<double> a{-0.5, 0.0, 0.0, 0.0, -0.7, 0.2, 0.0, 0.6, -0.2};
    REQUIRE(modes.set_matrix(a.data()));
    const std::vector<double> y0{1.0, 2.0, 3.0}, source{0.0, 0.5, 0.0};
    modes.start(y0.data(), source.data());
    std::vector<double> y(3);
    modes.at(2.5, y.data());
    CHECK(error_of(y, precise_linear(3, a, source, y0, 2.5)) < 1e-14);

    const std::vector<double> opposite{-0.5, -0.3, 0.0, 0.3, -0.7, 0.2, 0.0, 0.6, -0.2};
    CHECK(!modes.set_matrix(opposite.data()));
    const std::vector<double> one_way{-0.5, 0.0, 0.0, 0.3, -0.7, 0.2, 0.0, 0.6, -0.2};
    CHECK(!modes.set_matrix(one_way.data()));
}

TEST_CASE("a volume of 1e-300 gives the flip-flop limit") {
    // C → ka·A_depot/CL as V → 0: with CL/V = 5e300 the error of the limit is of order ka·V/CL.
    const double ka = 1.2, clearance = 5.0, volume = 1e-300;
    for (bool has_peripheral : {false, true}) {
        LinearModes modes(*modal_parts(oral(has_peripheral)), has_peripheral ? 3 : 2);
        std::vector<std::array<double, 2>> exchange;
        if (has_peripheral) exchange.push_back({2.0 / volume, 0.1});
        const std::vector<double> a = oral_matrix(ka, clearance / volume, exchange);
        REQUIRE(modes.set_matrix(a.data()));
        std::vector<double> y0{100.0, 0.0, 0.0}, source{0.0, 0.0, 0.0}, y(3);
        modes.start(y0.data(), source.data());
        for (double tau : {0.1, 1.0, 24.0}) {
            modes.at(tau, y.data());
            CHECK(y[0] == doctest::Approx(100.0 * std::exp(-ka * tau)).epsilon(1e-14));
            if (!has_peripheral)
                CHECK(y[1] / volume == doctest::Approx(ka * y[0] / clearance).epsilon(1e-13));
            else
                CHECK(y[1] / volume ==
                      doctest::Approx((ka * y[0] + 0.1 * y[2]) / (clearance + 2.0)).epsilon(1e-12));
        }
    }
}

TEST_CASE("matrix exponentials agree with a hundred digits, infusions of any size included") {
    // Oracle: precise_linear. A ring of five states with one-way flow: complex eigenvalues.
    const int n = 5;
    std::vector<double> a(25, 0.0);
    for (int i = 0; i < n; ++i) {
        a[i * n + i] = -(0.5 + 0.3 * i);
        a[(i + 1) % n * n + i] = 0.4 + 0.3 * i;
    }
    for (double size : {0.0, 1.0, 1e9}) {
        const std::vector<double> y0{1.0, 0.0, 2.0, 0.0, 0.0}, source{size, 0.0, 0.0, 0.0, 0.1};
        ExponentialPropagator propagator;
        propagator.set_matrix(n, a.data());
        propagator.start(y0.data(), source.data());
        for (double tau : {1e-6, 0.3, 5.0, 50.0}) {
            std::vector<double> y(5);
            propagator.at(tau, y.data());
            CHECK(error_of(y, precise_linear(n, a, source, y0, tau)) < 1e-12);
        }
    }
}
