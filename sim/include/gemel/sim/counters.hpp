#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace gemel::sim {

/// A weight in 64.64 fixed point: sums are exact, and so the same in any order.
struct FixedWeight {
    std::uint64_t whole = 0;
    std::uint64_t fraction = 0; ///< of 2^64

    /// @param weight  finite, in [0, 2^64); what lies below 2^-64 is cut off
    static FixedWeight of(double weight);
    FixedWeight& operator+=(const FixedWeight& other);
    double value() const;
};

/// The distribution of many numbers in little memory, for quantiles: integer counters in
/// logarithmic bins. What it tells depends on the numbers and their weights alone, never on their
/// order or on how they were split and merged.
///
/// Up to `exact_limit` numbers are kept themselves. Beyond, each octave has 256 bins: a quantile is
/// then off by less than 1/256 (0.39 %) of itself, and exact where its bins hold one value each.
/// Between order statistics of different sign the error is relative to the larger of the two;
/// numbers below 2^-1022 are told apart to 2^-1030.
///
/// NaN is counted apart and is in no quantile; ±inf are numbers at the ends.
class Counters {
public:
    static constexpr std::uint64_t exact_limit = 2048;

    /// @param weight  as FixedWeight::of takes it; the sum of all stays below 2^64
    void add(double value, double weight = 1.0);
    void add(std::span<const double> values); ///< each of weight 1
    void merge(const Counters& other);

    std::uint64_t n() const { return n_; } ///< numbers, NaN left out
    std::uint64_t n_nan() const { return n_nan_; }
    bool is_exact() const { return n_ <= exact_limit; }
    double min() const; ///< NaN if there is no number
    double max() const;
    double weight() const { return weight_.value(); } ///< of all numbers; n() if all weights are 1

    /// The quantile of type 7 of Hyndman and Fan (1996), doi:10.1080/00031305.1996.10473566: linear
    /// between order statistics, the k-th of n at (k − 1)/(n − 1). With weights the k-th stands at
    /// (m_k − m_1)/(m_n − m_1), m_k the weight before it and half its own: the same if all weights
    /// are equal.
    /// @param p  in [0, 1]
    /// @returns NaN if there is no number, or no weight
    double quantile(double p) const;

    /// Standard error of `quantile(p)` over repeated draws of all numbers: half the distance of the
    /// quantiles at p ± √(p(1 − p)/n), Woodruff (1952), doi:10.1080/01621459.1952.10483443.
    /// @param effective_n  (Σw)²/Σw² of Kish where there are weights, else n()
    /// @returns NaN with fewer than two numbers, at p = 0 and 1, and where one of the two lies
    /// outside [0, 1]
    double quantile_error(double p, double effective_n) const;

    template <class Archive>
    void archive(Archive& a) {
        a(n_, n_nan_, min_, max_, weight_, values_, weights_, pages_);
    }

private:
    static constexpr std::size_t page_size = 64;
    struct Bin {
        std::uint64_t count = 0;
        double only = 0.0; ///< the one value in it; NaN once there are two
    };
    /// Bins next to each other.
    struct Page {
        std::int32_t number = 0;
        std::array<Bin, page_size> bins{};
        std::unique_ptr<std::array<FixedWeight, page_size>> weights; ///< where any weight is not 1

        template <class Archive>
        void archive(Archive& a) {
            a(number, bins, weights);
        }
    };
    struct Run;

    struct Place {
        std::int32_t page = 0;
        std::size_t bin = 0;
    };
    static Place place_of(double value);
    Page& page(std::int32_t number);
    void keep(double value, double weight);
    void count(double value, double weight);
    void count_each(std::span<const double> values);
    static void count(Page& to, std::size_t bin, const Bin& add, const FixedWeight& weight);
    void count_all(const Counters& other);
    void spill();
    std::vector<Run> runs() const;
    std::vector<Run> kept_runs() const;

    std::uint64_t n_ = 0, n_nan_ = 0;
    double min_ = 0.0, max_ = 0.0;
    FixedWeight weight_;
    std::vector<double> values_;               ///< while exact
    std::vector<double> weights_;              ///< of values_; empty while all are 1
    std::vector<std::unique_ptr<Page>> pages_; ///< afterwards, in order of number
};

} // namespace gemel::sim
