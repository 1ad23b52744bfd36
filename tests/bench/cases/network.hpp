#pragma once

#include "baselines.hpp"

#include <cstdint>
#include <string>
#include <utility>

/// Synthetic networks of species that are made and broken down, turn into each other by
/// Michaelis-Menten kinetics and bind in pairs by mass action. Generator and seed are ours and
/// fixed: the network is a constant of the compiler, so that the hand-written rates are
/// straight-line code with every index known.
namespace gemel::bench {

/// SplitMix64 of Steele, Lea & Flood (2014), doi:10.1145/2660193.2660195.
class SplitMix {
public:
    constexpr explicit SplitMix(std::uint64_t seed) : state_(seed) {}
    constexpr std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    constexpr int below(int n) { return static_cast<int>(next() % static_cast<std::uint64_t>(n)); }
    /// Of a series that has three values in a decade.
    constexpr double rate() {
        constexpr double series[] = {0.05, 0.1, 0.2, 0.5, 1.0, 2.0};
        return series[below(6)];
    }

private:
    std::uint64_t state_;
};

struct Conversion {
    int from = 0, to = 0;
    double vmax = 0.0, km = 0.0;
};
struct Binding {
    int a = 0, b = 0, c = 0;
    double k = 0.0;
};

template <int n>
struct Network {
    static constexpr int n_conversions = n + n / 10, n_bindings = 3 * n / 4;
    std::array<double, n> made{}, broken{};
    std::array<Conversion, n_conversions> conversions{};
    std::array<Binding, n_bindings> bindings{};

    static constexpr int reach = 4; ///< neighbours that bind
    constexpr explicit Network(std::uint64_t seed) {
        SplitMix random(seed);
        for (int i = 0; i < n; ++i) {
            broken[at(i)] = random.rate();
            made[at(i)] = broken[at(i)];
        }
        for (int i = 0; i < n_conversions; ++i) {
            // A ring, and some steps to anywhere.
            const int from = i < n ? i : random.below(n);
            const int to = i < n ? (i + 1) % n : (from + n / 3 + random.below(n / 3)) % n;
            conversions[at(i)] = {from, to, 2.0 * random.rate(), 1.0 + random.below(4)};
        }
        for (int i = 0; i < n_bindings; ++i) {
            const int a = i * n / n_bindings, b = a + 1 + random.below(reach);
            bindings[at(i)] = {a, b % n, (b + 1 + random.below(2)) % n, 0.5 * random.rate()};
        }
    }
    static constexpr std::size_t at(int i) { return static_cast<std::size_t>(i); }
};

/// Calls f with the constants 0 … n − 1.
template <int n, class F>
constexpr void for_constants(F f) {
    [&]<int... i>(std::integer_sequence<int, i...>) {
        (f(std::integral_constant<int, i>()), ...);
    }
    (std::make_integer_sequence<int, n>());
}

/// The entries of ∂f/∂y that are not 0, by columns.
template <int n>
struct NetworkPattern {
    std::array<bool, std::size_t(n) * n> is_entry{}; ///< [column × row]
    std::array<sunindextype, n + 1> starts{};

    constexpr explicit NetworkPattern(const Network<n>& net) {
        for (int i = 0; i < n; ++i)
            mark(i, i);
        for (const Conversion& r : net.conversions)
            mark(r.to, r.from);
        for (const Binding& r : net.bindings)
            for (const int column : {r.a, r.b})
                for (const int row : {r.a, r.b, r.c})
                    mark(row, column);
        for (int column = 0; column < n; ++column) {
            starts[index(column + 1)] = starts[index(column)];
            for (int row = 0; row < n; ++row)
                starts[index(column + 1)] += is_entry[index(column * n + row)] ? 1 : 0;
        }
    }
    constexpr int n_entries() const { return static_cast<int>(starts[n]); }
    /// Where an entry stands among those of the matrix.
    constexpr int place(int row, int column) const {
        int place = static_cast<int>(starts[index(column)]);
        for (int i = 0; i < row; ++i)
            place += is_entry[index(column * n + i)] ? 1 : 0;
        return place;
    }

private:
    static constexpr std::size_t index(int i) { return static_cast<std::size_t>(i); }
    constexpr void mark(int row, int column) { is_entry[index(column * n + row)] = true; }
};

/// Inputs: factors of all made, conversions, bindings, and of Km.
template <int n, std::uint64_t seed>
struct NetworkModel {
    static constexpr Network<n> net{seed};
    static constexpr NetworkPattern<n> pattern{net};
    static constexpr int n_states = n, n_inputs = 4, n_outputs = 2;
    static constexpr int n_entries = pattern.n_entries();

    double making, conversion, binding, km;

    void load(const double* in) {
        making = in[0];
        conversion = in[1];
        binding = in[2];
        km = in[3];
    }
    void initial(double* y) const { std::fill_n(y, n, 1.0); }

    void rates(const double* y, double* dydt) const {
        for (int i = 0; i < n; ++i)
            dydt[i] = making * net.made[index(i)] - net.broken[index(i)] * y[i];
        for_constants<Network<n>::n_conversions>([&](auto r) {
            constexpr Conversion c = net.conversions[index(r)];
            const double flux = conversion * c.vmax * y[c.from] / (km * c.km + y[c.from]);
            dydt[c.from] -= flux;
            dydt[c.to] += flux;
        });
        for_constants<Network<n>::n_bindings>([&](auto r) {
            constexpr Binding b = net.bindings[index(r)];
            const double flux = binding * b.k * y[b.a] * y[b.b];
            dydt[b.a] -= flux;
            dydt[b.b] -= flux;
            dydt[b.c] += flux;
        });
    }

    void jacobian(const double* y, double* columns) const {
        derivatives(
            y, [columns](auto row, auto column) -> double& { return columns[column * n + row]; });
    }
    void sparse_jacobian(const double* y, double* values) const {
        std::fill_n(values, n_entries, 0.0);
        derivatives(y, [values](auto row, auto column) -> double& {
            constexpr int place = pattern.place(row, column);
            return values[place];
        });
    }
    const sunindextype* column_starts() const { return pattern.starts.data(); }
    const sunindextype* rows() const {
        static const std::array<sunindextype, n_entries> rows = [] {
            std::array<sunindextype, n_entries> found{};
            for (int column = 0, next = 0; column < n; ++column)
                for (int row = 0; row < n; ++row)
                    if (pattern.is_entry[index(column * n + row)]) found[index(next++)] = row;
            return found;
        }();
        return rows.data();
    }
    void outputs(const double* y, double* out) const {
        out[0] = y[0];
        out[1] = y[n / 2];
    }

private:
    static constexpr std::size_t index(int i) { return static_cast<std::size_t>(i); }
    template <int i>
    using Constant = std::integral_constant<int, i>;

    /// @param at  at(row, column) is the entry, 0 before
    template <class At>
    void derivatives(const double* y, At at) const {
        for_constants<n>([&](auto i) { at(i, i) = -net.broken[index(i)]; });
        for_constants<Network<n>::n_conversions>([&](auto r) {
            constexpr Conversion c = net.conversions[index(r)];
            const double by = 1.0 / (km * c.km + y[c.from]);
            const double slope = conversion * c.vmax * km * c.km * by * by;
            at(Constant<c.from>(), Constant<c.from>()) -= slope;
            at(Constant<c.to>(), Constant<c.from>()) += slope;
        });
        for_constants<Network<n>::n_bindings>([&](auto r) {
            constexpr Binding b = net.bindings[index(r)];
            const double by_a = binding * b.k * y[b.b], by_b = binding * b.k * y[b.a];
            at(Constant<b.a>(), Constant<b.a>()) -= by_a;
            at(Constant<b.b>(), Constant<b.a>()) -= by_a;
            at(Constant<b.c>(), Constant<b.a>()) += by_a;
            at(Constant<b.a>(), Constant<b.b>()) -= by_b;
            at(Constant<b.b>(), Constant<b.b>()) -= by_b;
            at(Constant<b.c>(), Constant<b.b>()) += by_b;
        });
    }
};

template <int n, std::uint64_t seed>
sim::Problem network_problem() {
    constexpr Network<n> net{seed};
    sim::Problem p("S" + std::to_string(n), 60.0);
    const sim::Term making = p.input("making", 1.0, 0.3),
                    conversion = p.input("conversion", 1.0, 0.3),
                    binding = p.input("binding", 1.0, 0.3), km = p.input("Km", 1.0, 0.3);
    std::vector<sim::Term> y, rate;
    for (std::size_t i = 0; i < n; ++i) {
        y.push_back(p.state("y" + std::to_string(i), p.number(1.0)));
        rate.push_back(net.made[i] * making - net.broken[i] * y[i]);
    }
    const auto move = [&](int i, sim::Term flux, bool adds) {
        sim::Term& r = rate[static_cast<std::size_t>(i)];
        r = adds ? r + flux : r - flux;
    };
    for (const Conversion& c : net.conversions) {
        const sim::Term from = y[static_cast<std::size_t>(c.from)];
        const sim::Term flux = c.vmax * conversion * from / (c.km * km + from);
        move(c.from, flux, false);
        move(c.to, flux, true);
    }
    for (const Binding& b : net.bindings) {
        const sim::Term flux =
            b.k * binding * y[static_cast<std::size_t>(b.a)] * y[static_cast<std::size_t>(b.b)];
        move(b.a, flux, false);
        move(b.b, flux, false);
        move(b.c, flux, true);
    }
    for (std::size_t i = 0; i < n; ++i)
        p.rate(y[i], rate[i]);
    p.output("first", y[0]);
    p.output("far", y[n / 2]);
    p.bolus(y[0], 2.0);
    p.bolus(y[n / 2], 2.0);
    p.sample(60);
    scale_by_one(p);
    return p;
}

template <int n, std::uint64_t seed>
Case network_case(const char* name, const char* about) {
    Case made = case_of<NetworkModel<n, seed>>(name, about, network_problem<n, seed>);
    made.cvode_klu = solve_cvode<NetworkModel<n, seed>, true>;
    return made;
}

} // namespace gemel::bench
