#include "conditional_draws.hpp"
#include "learners/problems.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

// Calls of the allocator are counted where the C library lets a program stand in its way and no
// sanitizer does so already.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

std::atomic<bool> is_counting{false};
std::atomic<long> n_allocations{0};

void count_allocation() {
    if (is_counting.load(std::memory_order_relaxed)) ++n_allocations;
}

} // namespace

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t n, std::size_t size);
void* __libc_realloc(void* of, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) noexcept {
    count_allocation();
    return __libc_malloc(size);
}

void* calloc(std::size_t n, std::size_t size) noexcept {
    count_allocation();
    return __libc_calloc(n, size);
}

void* realloc(void* of, std::size_t size) noexcept {
    count_allocation();
    return __libc_realloc(of, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    count_allocation();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void** to, std::size_t alignment, std::size_t size) noexcept {
    count_allocation();
    *to = __libc_memalign(alignment, size);
    return *to == nullptr ? ENOMEM : 0;
}

} // extern "C"

namespace gemel::learners {
namespace {

/// Calls of the allocator by values, with and without gradient, at places that are new.
long count_of(const FitSetup& setup, Method method) {
    FitEngine engine(setup, {1});
    Marginal marginal(engine, method);
    std::vector<double> at = engine.scale.start();
    Eigen::VectorXd gradient;
    double sum = marginal.value(at, gradient) + marginal.value(at);
    n_allocations = 0;
    is_counting = true;
    for (const double by : {0.05, -0.03}) {
        for (double& coordinate : at)
            coordinate += by;
        sum += marginal.value(at);
        sum += marginal.value(at, gradient);
    }
    is_counting = false;
    CHECK(std::isfinite(sum));
    return n_allocations;
}

/// The same of the likelihood by draws that stay where they are, which the last search of SAEM and
/// Louis' information evaluate.
long count_of_draws(const FitSetup& setup) {
    FitEngine engine(setup, {1});
    std::vector<char> is_direct(engine.scale.size(), 0);
    for (const std::size_t k : engine.mu.extra())
        is_direct[k] = 1;
    std::vector<double> at = engine.scale.start();
    Modes modes(engine.data, engine.derivatives);
    modes.find(at, engine.scale.fixed);
    ConditionalDraws draws(engine, 64, is_direct, 1);
    draws.draw(at, mixtures_of(proposals_at(engine.data, modes, engine.scale.fixed)), 0);
    Eigen::VectorXd gradient;
    double sum = draws.value(at, gradient) + draws.value(at);
    n_allocations = 0;
    is_counting = true;
    for (const double by : {0.05, -0.03}) {
        for (double& coordinate : at)
            coordinate += by;
        sum += draws.value(at);
        sum += draws.value(at, gradient);
    }
    is_counting = false;
    CHECK(std::isfinite(sum));
    return n_allocations;
}

void check_none(const FitSetup& setup, std::initializer_list<Method> methods) {
    for (const Method method : methods) {
        CAPTURE(name(method));
        CHECK(count_of(setup, method) == 0);
    }
}

constexpr std::initializer_list<Method> all_classical{
    Method::focei, Method::foce, Method::fo, Method::laplace, Method::agq};

TEST_CASE("allocations are counted") {
    n_allocations = 0;
    is_counting = true;
    const std::vector<double> by_new(1000, 1.0);
    const Eigen::VectorXd by_eigen = Eigen::VectorXd::Constant(1000, by_new.front());
    is_counting = false;
    CHECK(by_eigen.sum() == 1000.0);
    CHECK(n_allocations == 2);
}

TEST_CASE("objectives of closed forms allocate nothing") {
    check_none(theophylline(), all_classical);
    check_none(phenobarbital(true), {Method::focei, Method::foce, Method::fo});
}

TEST_CASE("objectives of correlated effects and of effects of occasions allocate nothing") {
    check_none(correlated(), {Method::focei, Method::laplace});
    check_none(two_occasions(), {Method::focei, Method::foce, Method::fo});
}

TEST_CASE("objectives of models that are solved by steps allocate nothing") {
    check_none(elimination_that_saturates(), {Method::focei, Method::fo});
}

TEST_CASE("objectives of doses with a lag allocate nothing") {
    check_none(warfarin_pk(R"(law = "additive", additive = 1)"), {Method::focei, Method::foce});
}

TEST_CASE("objectives of doses at steady state allocate nothing") {
    check_none(at_steady_state(theophylline()), {Method::focei, Method::fo});
    check_none(at_steady_state(elimination_that_saturates()), {Method::focei});
}

TEST_CASE("objectives of censored measurements allocate nothing") {
    check_none(with_limit(false), {Method::focei, Method::laplace});
}

TEST_CASE("the likelihood by draws allocates nothing") {
    CHECK(count_of_draws(theophylline()) == 0);
    CHECK(count_of_draws(
              theophylline(R"(law = "combined1", additive = 0.3, proportional = 0.1)",
                           R"({ value = 1.5, unit = "1/h" })",
                           "[[omega]]\nof = [\"V\", \"CL\"]\ncorrelation = [[0.4]]\n")) == 0);
    CHECK(count_of_draws(two_occasions()) == 0);
    CHECK(count_of_draws(elimination_that_saturates()) == 0);
    CHECK(count_of_draws(with_limit(false)) == 0);
}

} // namespace
} // namespace gemel::learners

#endif
