#include "flip_flop.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

namespace gemel::learners {
namespace {

using Chain = std::vector<Eigen::Index>;

Eigen::Index at_state(std::size_t i) {
    return static_cast<Eigen::Index>(i);
}

/// Of a typical patient: ∂rate_i/∂state_j where amounts are small, [n_states²].
Eigen::MatrixXd rate_matrix(const FitData& data, std::span<const double> theta) {
    const sim::OdeSystem& system = data.model().system;
    const std::size_t n = static_cast<std::size_t>(system.n_own_states());
    const double* base = data.base.data();
    constexpr double small = 1e-6;
    const auto rate = [&](std::size_t i, std::size_t moved) {
        return system.graph.evaluate(system.states[i].rate, [&](const sim::Leaf& leaf) {
            const auto index = static_cast<std::size_t>(leaf.index);
            if (leaf.kind == sim::LeafKind::state) return index == moved ? small : 0.0;
            if (leaf.kind != sim::LeafKind::input) return 0.0;
            const InputPlace& place = data.inputs[index];
            if (place.kind == InputPlace::Kind::theta) return theta[place.index];
            return place.kind == InputPlace::Kind::base ? base[index] : 0.0;
        });
    };
    Eigen::MatrixXd matrix(at_state(n), at_state(n));
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            matrix(at_state(i), at_state(j)) = (rate(i, j) - rate(i, n)) / small;
    return matrix;
}

/// Whether a measured output is made of it: it is where drug is measured, not where it comes from.
bool is_read_by_output(const FitData& data, Eigen::Index state) {
    const sim::OdeSystem& system = data.model().system;
    std::vector<sim::Expr> values;
    for (const int output : data.outputs)
        values.push_back(system.outputs[static_cast<std::size_t>(output)].value);
    return std::ranges::any_of(system.graph.leaves(values), [&](const sim::Leaf& leaf) {
        return leaf.kind == sim::LeafKind::state && leaf.index == state;
    });
}

std::vector<char> dosed_states(const FitData& data, Eigen::Index n) {
    std::vector<char> is_dosed(static_cast<std::size_t>(n), 0);
    for (const FitSubject& subject : data.subjects)
        for (const sim::Record& record : subject.timeline->records)
            if (record.state < n &&
                (record.kind == sim::RecordKind::add || record.kind == sim::RecordKind::infuse))
                is_dosed[static_cast<std::size_t>(record.state)] = 1;
    return is_dosed;
}

/// From a depot to where its drug goes.
Chain chain_from(const FitData& data, const Eigen::MatrixXd& matrix, Eigen::Index depot) {
    const auto next = [&](const Chain& chain) -> Eigen::Index {
        for (Eigen::Index i = 0; i < matrix.rows(); ++i)
            if (i != chain.back() && matrix(i, chain.back()) > 0.0 &&
                data.model().system.states[static_cast<std::size_t>(i)].takes_doses &&
                std::ranges::count(chain, i) == 0)
                return i;
        return -1;
    };
    Chain chain{depot};
    for (Eigen::Index i = next(chain); i >= 0; i = next(chain))
        chain.push_back(i);
    return chain;
}

/// The chain's states after which something flows back, or the last, are the body; drug that is
/// measured is in the body.
std::size_t first_of_body(const FitData& data, const Eigen::MatrixXd& matrix, const Chain& chain) {
    std::size_t first = chain.size() - 1;
    for (std::size_t k = first; k > 0; --k)
        for (std::size_t j = k; j < chain.size(); ++j)
            if (matrix(chain[k], chain[j]) > 0.0) first = k;
    for (std::size_t k = first - 1; k > 0 && first > 1; --k)
        if (is_read_by_output(data, chain[k])) first = k;
    return first;
}

/// The slowest rates of absorption and of the body that a depot feeds; none if it feeds none.
std::optional<FlipFlop>
rates_from(const FitData& data, const Eigen::MatrixXd& matrix, Eigen::Index depot) {
    // Nothing flows back into it, and it is a depot, not the body.
    for (Eigen::Index j = 0; j < matrix.rows(); ++j)
        if (j != depot && matrix(depot, j) != 0.0) return {};
    const Chain chain = chain_from(data, matrix, depot);
    if (chain.size() < 2) return {};
    const std::size_t first = first_of_body(data, matrix, chain);
    constexpr double none = std::numeric_limits<double>::infinity();
    FlipFlop rates{none, none};
    for (std::size_t k = 0; k < first; ++k)
        rates.absorption = std::min(rates.absorption, -matrix(chain[k], chain[k]));
    const Chain body(chain.begin() + static_cast<std::ptrdiff_t>(first), chain.end());
    const Eigen::MatrixXd of_body = matrix(body, body);
    for (const std::complex<double>& value : of_body.eigenvalues())
        rates.elimination = std::min(rates.elimination, -value.real());
    if (!(rates.elimination > 0.0) || !(rates.absorption > 0.0)) return {};
    return rates;
}

/// Of the first depot, whichever rate is the faster one; of one in flip-flop, if there is one.
std::optional<FlipFlop> typical_rates(const FitData& data, std::span<const double> theta) {
    const Eigen::MatrixXd matrix = rate_matrix(data, theta);
    if (!matrix.allFinite()) return {};
    const std::vector<char> is_dosed = dosed_states(data, matrix.rows());
    std::optional<FlipFlop> first;
    for (Eigen::Index depot = 0; depot < matrix.rows(); ++depot) {
        if (is_dosed[static_cast<std::size_t>(depot)] == 0 || is_read_by_output(data, depot))
            continue;
        const std::optional<FlipFlop> rates = rates_from(data, matrix, depot);
        if (!rates) continue;
        if (rates->absorption < rates->elimination) return rates;
        if (!first) first = rates;
    }
    return first;
}

/// How the logarithms of the two rates go with a coordinate.
FlipFlop elasticity(const FitData& data,
                    const FitScale::Coordinate& c,
                    double place,
                    std::vector<double>& theta) {
    constexpr double step = 1e-3;
    const double before = theta[c.parameter];
    FlipFlop rates[2];
    for (const int k : {0, 1}) {
        theta[c.parameter] = from_scale(c.transform, place + (k == 0 ? step : -step));
        rates[k] = typical_rates(data, theta).value_or(FlipFlop{1.0, 1.0});
    }
    theta[c.parameter] = before;
    return {std::log(rates[0].absorption / rates[1].absorption) / (2.0 * step),
            std::log(rates[0].elimination / rates[1].elimination) / (2.0 * step)};
}

} // namespace

std::optional<FlipFlop> find_flip_flop(const FitData& data, const PopulationPoint& point) {
    const std::optional<FlipFlop> rates = typical_rates(data, point.theta);
    return rates && rates->absorption < rates->elimination ? rates : std::nullopt;
}

/// For D·ka/(V·(ka − k))·(exp(−kt) − exp(−ka·t)), k = CL/V: ka and k change places where ka grows
/// and V grows by the same factor. With more compartments all volumes grow.
std::optional<std::vector<double>> with_rates_exchanged(const FitData& data,
                                                        const FitScale& scale,
                                                        std::span<const double> at,
                                                        std::span<const double> start) {
    const PopulationPoint point = scale.point(at);
    const std::optional<FlipFlop> rates = find_flip_flop(data, point);
    if (!rates) return {};
    const double by = std::log(rates->elimination / rates->absorption);
    constexpr double none = 1e-3;
    std::vector<double> place(start.begin(), start.end()), theta = point.theta;
    std::vector<std::size_t> volumes, eliminations;
    bool has_absorption = false;
    for (std::size_t k = 0; k < scale.size(); ++k) {
        const FitScale::Coordinate& c = scale.coordinates[k];
        if (c.kind != FitScale::Kind::theta) continue;
        place[k] = at[k];
        if (c.transform != FitScale::Transform::logarithm) continue;
        const FlipFlop of = elasticity(data, c, at[k], theta);
        if (of.absorption > 0.5 && std::abs(of.elimination) < none) {
            place[k] += by;
            has_absorption = true;
        } else if (std::abs(of.absorption) < none && std::abs(of.elimination) > none) {
            (of.elimination < 0.0 ? volumes : eliminations).push_back(k);
        }
    }
    const bool is_by_volume = !volumes.empty();
    for (const std::size_t k : is_by_volume ? volumes : eliminations)
        place[k] += is_by_volume ? by : -by;
    const bool is_moved = has_absorption && !(volumes.empty() && eliminations.empty());
    for (std::size_t k = 0; k < scale.size(); ++k)
        if (!is_moved || place[k] < scale.coordinates[k].lower ||
            place[k] > scale.coordinates[k].upper)
            return {};
    return place;
}

} // namespace gemel::learners
