#include <gemel/sim/parallel.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <stdexcept>
#include <vector>

using namespace gemel::sim;

TEST_CASE("every index is done once, for any number of threads") {
    for (int n_threads : {0, 1, 2, 3, 8}) {
        std::vector<std::atomic<int>> times_done(1000);
        parallel_for(times_done.size(), n_threads, [&](std::size_t i, int) { ++times_done[i]; });
        for (const auto& n : times_done)
            CHECK(n == 1);
    }
    parallel_for(0, 4, [](std::size_t, int) { FAIL("there is nothing to do"); });
}

TEST_CASE("no two tasks of one worker number run at the same time") {
    const int n_threads = 4;
    std::vector<std::atomic<int>> running(static_cast<std::size_t>(workers(n_threads)));
    std::atomic<bool> overlapped{false}, out_of_range{false};
    parallel_for(2000, n_threads, [&](std::size_t, int worker) {
        if (worker < 0 || worker >= n_threads) {
            out_of_range = true;
            return;
        }
        auto& mine = running[static_cast<std::size_t>(worker)];
        if (++mine != 1) overlapped = true;
        volatile double x = 1.0;
        for (int i = 0; i < 1000; ++i)
            x = x * 1.0000001;
        --mine;
    });
    CHECK_FALSE(overlapped);
    CHECK_FALSE(out_of_range);
}

TEST_CASE("an exception in a task is thrown to the caller and stops the rest") {
    for (int n_threads : {1, 3}) {
        std::atomic<int> n_done{0};
        CHECK_THROWS_WITH_AS(parallel_for(1000000,
                                          n_threads,
                                          [&](std::size_t i, int) {
                                              if (i == 10) throw std::runtime_error("broken");
                                              ++n_done;
                                          }),
                             "broken",
                             std::runtime_error);
        CHECK(n_done < 1000000 - 1);
    }
    CHECK_THROWS_AS(workers(-1), std::invalid_argument);
    CHECK(workers(0) >= 1);
    CHECK(workers(3) == 3);
}

TEST_CASE("the ordered sum is the fixed tree over leaves of 64") {
    // Independent: the tree written out by levels.
    std::vector<double> values;
    for (int i = 0; i < 1000; ++i)
        values.push_back(std::sin(i) * std::pow(10.0, i % 17));
    for (std::size_t n : {0u, 1u, 64u, 65u, 128u, 129u, 321u, 1000u}) {
        std::vector<double> level;
        for (std::size_t i = 0; i < n; i += 64) {
            double sum = 0.0;
            for (std::size_t j = i; j < std::min(i + 64, n); ++j)
                sum += values[j];
            level.push_back(sum);
        }
        while (level.size() > 1) {
            std::vector<double> next;
            for (std::size_t i = 0; i + 1 < level.size(); i += 2)
                next.push_back(level[i] + level[i + 1]);
            if (level.size() % 2) next.push_back(level.back());
            level = next;
        }
        CHECK(ordered_sum(std::span(values).first(n)) == (n ? level[0] : 0.0));
    }
}
