#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

/// weighted.toml: patients carry weights, 0 among them, and some of them fail.
namespace gemel::tests {

inline constexpr std::uint64_t n_weighted = 300;

/// Sums over subjects with a value, by hand: Σw, Σw², Σwx, and how many there are.
struct PlainSums {
    double weight = 0.0, squares = 0.0, product = 0.0, n = 0.0, n_missing = 0.0;
    double mean() const { return product / weight; }
    double kish() const { return weight * weight / squares; }
};

inline PlainSums plain_sums(
    const std::vector<double>& values,
    const std::vector<double>& weights,
    const std::function<bool(std::size_t)>& is_in = [](std::size_t) { return true; }) {
    PlainSums sums;
    for (std::size_t s = 0; s < values.size(); ++s) {
        if (!is_in(s)) continue;
        if (std::isnan(values[s])) {
            ++sums.n_missing;
            continue;
        }
        ++sums.n;
        sums.weight += weights[s];
        sums.squares += weights[s] * weights[s];
        sums.product += weights[s] * values[s];
    }
    return sums;
}

} // namespace gemel::tests
