#pragma once

#include "sim/solve/problems.hpp"

#include <string>
#include <vector>

/// Large systems for tests of solvers.
namespace gemel::sim {

/// A body of n saturable organs: a ring of flows forwards and backwards, and from every tenth organ
/// to a far one; the first organ is dosed and eliminates. Rates spread over two decades.
inline Problem organ_network(int n, double end) {
    Problem p("network of " + std::to_string(n), end);
    const Term q = p.input("Q", 1.0, 0.3), km = p.input("Km", 5.0, 0.3);
    std::vector<Term> organs;
    for (int i = 0; i < n; ++i)
        organs.push_back(p.dosed_state("organ" + std::to_string(i)));
    std::vector<Term> rates(static_cast<std::size_t>(n), p.number(0.0));
    const auto flow = [&](int from, int to, double speed) {
        const auto source = static_cast<std::size_t>(from % n);
        const auto target = static_cast<std::size_t>(to % n);
        const Term flux = speed * q * organs[source] / (km + organs[source]);
        rates[source] = rates[source] - flux;
        rates[target] = rates[target] + flux;
    };
    for (int i = 0; i < n; ++i) {
        flow(i, i + 1, 1.0 + 20.0 * (i % 7));
        flow(i + 1, i, 0.5 + 10.0 * (i % 5));
        if (i % 10 == 0) flow(i, i + n / 2 + 3, 4.0);
    }
    rates[0] = rates[0] - 0.3 * organs[0];
    for (int i = 0; i < n; ++i)
        p.rate(organs[static_cast<std::size_t>(i)], rates[static_cast<std::size_t>(i)]);
    p.output("first", organs[0]);
    p.output("far", organs[static_cast<std::size_t>(n / 2)]);
    p.bolus(organs[0], 100.0, 0.0, end / 2.0, 2);
    p.sample(20);
    return p;
}

/// n levels that each drive all others: a dense Jacobian. Σ_j w_ij·y_j/(1 + y_j) in and y_i out.
inline Problem dense_network(int n, double end) {
    Problem p("dense network of " + std::to_string(n), end);
    const Term k = p.input("k", 1.0, 0.3);
    std::vector<Term> levels, drives;
    for (int i = 0; i < n; ++i) {
        levels.push_back(p.state("level" + std::to_string(i), p.number(1.0 + 0.01 * i)));
        drives.push_back(levels.back() / (1.0 + levels.back()));
    }
    for (int i = 0; i < n; ++i) {
        Term in = p.number(0.0);
        for (int j = 0; j < n; ++j)
            in =
                in + (0.5 + (7 * i + 3 * j) % 11) / (5.0 * n) * drives[static_cast<std::size_t>(j)];
        p.rate(levels[static_cast<std::size_t>(i)], k * (in - levels[static_cast<std::size_t>(i)]));
    }
    p.output("first", levels.front());
    p.output("last", levels.back());
    p.sample(10);
    return p;
}

} // namespace gemel::sim
