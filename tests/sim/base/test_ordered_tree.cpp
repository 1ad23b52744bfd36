#include <gemel/sim/moments.hpp>
#include <gemel/sim/ordered_tree.hpp>
#include <gemel/sim/parallel.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <random>
#include <span>
#include <vector>

using namespace gemel::sim;

namespace {

std::vector<double> rough_values(std::size_t n) {
    std::vector<double> values;
    for (std::size_t i = 0; i < n; ++i)
        values.push_back(std::sin(static_cast<double>(i)) *
                         std::pow(10.0, static_cast<int>(i % 17)));
    return values;
}

std::span<const double> leaf_of(std::span<const double> values, std::size_t leaf) {
    return values.subspan(leaf * 64, std::min<std::size_t>(64, values.size() - leaf * 64));
}

std::size_t n_leaves(std::size_t n) {
    return (n + 63) / 64;
}

Moments moments_of(std::span<const double> values) {
    Moments moments;
    for (double value : values)
        moments.add(value);
    return moments;
}

bool are_same(const Moments& a, const Moments& b) {
    return a.n == b.n && a.weight == b.weight && a.weight_squares == b.weight_squares &&
           a.mean == b.mean && a.m2 == b.m2 && a.m3 == b.m3 && a.m4 == b.m4;
}

} // namespace

TEST_CASE("the ordered tree gives the bits of the ordered sum in any order of leaves") {
    std::mt19937 shuffle_by(1);
    for (std::size_t n : {1u, 63u, 64u, 65u, 448u, 449u, 4096u, 10'000u, 100'003u}) {
        const std::vector<double> values = rough_values(n);
        std::vector<std::size_t> order(n_leaves(n));
        std::iota(order.begin(), order.end(), std::size_t{0});
        for (int kind = 0; kind < 4; ++kind) {
            if (kind == 1) std::reverse(order.begin(), order.end());
            if (kind >= 2) std::shuffle(order.begin(), order.end(), shuffle_by);
            OrderedTree<double> tree;
            for (std::size_t leaf : order)
                tree.add(leaf, ordered_sum(leaf_of(values, leaf)));
            CHECK(tree.total() == ordered_sum(values));
            CHECK(tree.n_waiting() <= 17); // one per bit of the number of leaves
        }
    }
    CHECK(!OrderedTree<double>().total());
}

TEST_CASE("an ordered tree keeps what waits, not what came") {
    // In order, or nearly: at most one node per level besides the blocks that wait.
    constexpr std::size_t n = 1 << 16, apart = 8;
    OrderedTree<double> tree;
    std::size_t most = 0;
    for (std::size_t first = 0; first < n; first += apart)
        for (std::size_t back = apart; back-- > 0;) {
            tree.add(first + back, 1.0);
            most = std::max(most, tree.n_waiting());
        }
    CHECK(tree.total() == static_cast<double>(n));
    CHECK(most <= 16 + apart);
}

TEST_CASE("an ordered tree merges from ranges of subjects") {
    const std::vector<double> values = rough_values(50'000);
    const std::size_t leaves = n_leaves(values.size());
    for (std::size_t shard : {1u, 3u, 100u, 500u}) {
        std::vector<OrderedTree<double>> trees(leaves / shard + 1);
        for (std::size_t leaf = 0; leaf < leaves; ++leaf)
            trees[leaf / shard].add(leaf, ordered_sum(leaf_of(values, leaf)));
        OrderedTree<double> whole;
        for (auto tree = trees.rbegin(); tree != trees.rend(); ++tree)
            whole.merge(*tree);
        CHECK(whole.total() == ordered_sum(values));
    }
}

TEST_CASE("many threads leave the same bits in an ordered tree") {
    const std::vector<double> values = rough_values(200'000);
    const auto run = [&](int n_threads) {
        OrderedTree<Moments> tree;
        std::mutex mutex;
        parallel_for(n_leaves(values.size()), n_threads, [&](std::size_t leaf, int) {
            const Moments moments = moments_of(leaf_of(values, leaf));
            const std::lock_guard lock(mutex);
            tree.add(leaf, moments);
        });
        return tree.total().value();
    };
    const Moments one = run(1);
    for (int n_threads : {2, 5, 16})
        CHECK(are_same(run(n_threads), one));
}

TEST_CASE("moments agree with two passes in long double") {
    // Far from zero, where sums of squares would lose twelve digits.
    std::vector<double> values, weights;
    for (int i = 0; i < 10'000; ++i) {
        values.push_back(1e6 + std::sin(i) + 0.3 * std::cos(7 * i) * std::cos(7 * i));
        weights.push_back(0.5 + std::abs(std::sin(3 * i)));
    }
    for (bool is_weighted : {false, true}) {
        const auto weight_of = [&](std::size_t i) { return is_weighted ? weights[i] : 1.0; };
        long double sum = 0, weight = 0, squares = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            weight += weight_of(i);
            squares += static_cast<long double>(weight_of(i)) * weight_of(i);
            sum += static_cast<long double>(weight_of(i)) * values[i];
        }
        const long double mean = sum / weight;
        long double m2 = 0, m3 = 0, m4 = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const long double d = values[i] - mean;
            m2 += weight_of(i) * d * d;
            m3 += weight_of(i) * d * d * d;
            m4 += weight_of(i) * d * d * d * d;
        }
        OrderedTree<Moments> tree;
        for (std::size_t leaf = 0; leaf < n_leaves(values.size()); ++leaf) {
            Moments moments;
            for (std::size_t i = leaf * 64; i < std::min(leaf * 64 + 64, values.size()); ++i)
                moments.add(values[i], weight_of(i));
            tree.add(leaf, moments);
        }
        const Moments all = tree.total().value();
        CHECK(all.n == values.size());
        CHECK(all.mean == doctest::Approx(static_cast<double>(mean)).epsilon(1e-15));
        // The mean is rounded to 1e-10: d of order 1 is then good to that
        CHECK(all.m2 == doctest::Approx(static_cast<double>(m2)).epsilon(1e-10));
        CHECK(all.m3 == doctest::Approx(static_cast<double>(m3)).epsilon(1e-8));
        CHECK(all.m4 == doctest::Approx(static_cast<double>(m4)).epsilon(1e-9));
        CHECK(all.effective_n() ==
              doctest::Approx(static_cast<double>(weight * weight / squares)).epsilon(1e-13));
    }
}

TEST_CASE("moments of few numbers") {
    Moments moments;
    CHECK(std::isnan(moments.variance()));
    moments.add(2.0);
    CHECK(std::isnan(moments.variance()));
    moments.add(4.0);
    moments.add(9.0);
    CHECK(moments.mean == 5.0);
    CHECK(moments.variance() == doctest::Approx(13.0).epsilon(1e-15)); // (9 + 1 + 16)/2
    CHECK(moments.m3 == doctest::Approx(36.0).epsilon(1e-15));         // −27 − 1 + 64
    CHECK(moments.m4 == doctest::Approx(338.0).epsilon(1e-15));        // 81 + 1 + 256
    moments.add(1e9, 0.0);                                             // no weight, no part
    CHECK(moments.mean == 5.0);
    CHECK(moments.n == 4);
}
