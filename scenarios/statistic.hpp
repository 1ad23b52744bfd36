#pragma once

#include <gemel/io/result_file.hpp>
#include <gemel/sim/counters.hpp>
#include <gemel/sim/moments.hpp>
#include <gemel/sim/ordered_tree.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

/// Numbers over subjects in bounded memory: the same bits whatever the order of blocks.
namespace gemel::scenarios {

/// The quantiles of every summary in the file.
inline constexpr double summary_quantiles[] = {0.05, 0.25, 0.5, 0.75, 0.95};

/// Mean and squares about it of one leaf of subjects; NaN is left out.
/// @param weights  as many as values, or none: each counts 1
sim::Moments leaf_moments(std::span<const double> values, std::span<const double> weights = {});

/// Cells that are summed side by side: one per time.
struct MomentColumn {
    std::vector<sim::Moments> cells;
    MomentColumn& operator+=(const MomentColumn& right);

    template <class Archive>
    void archive(Archive& a) {
        a(cells);
    }
};

/// Cells [n_cells] of numbers over subjects: quantiles, means and spreads of each. Several threads
/// may add at once: each has some cells to itself for a while.
class CellStatistics {
public:
    explicit CellStatistics(std::size_t n_cells);

    /// Subjects [first, first + count) of the population, `first` a multiple of 64: value of a
    /// subject and cell at s · subject_stride + cell · cell_stride. Every subject comes once.
    struct Values {
        const double* data = nullptr;
        std::size_t count = 0;
        std::size_t subject_stride = 1;
        std::size_t cell_stride = 1;
        std::span<const double> weights = {}; ///< [count], or none: each counts 1
    };
    void add(std::uint64_t first, const Values& values);

    const std::vector<sim::Counters>& counters() const { return counters_; }
    std::vector<sim::Moments> moments() const; ///< [n_cells]

    template <class Archive>
    void archive(Archive& a) {
        a(counters_, moments_);
    }

private:
    /// Cells that are counted under one lock.
    struct Stripe {
        std::size_t first = 0, end = 0;
        std::unique_ptr<std::mutex> lock = std::make_unique<std::mutex>();
    };
    void add_cells(const Stripe& stripe, const Values& values, std::vector<MomentColumn>& leaves);

    std::vector<Stripe> stripes_;
    std::vector<sim::Counters> counters_;
    std::unique_ptr<std::mutex> moments_lock_ = std::make_unique<std::mutex>();
    sim::OrderedTree<MomentColumn> moments_;
};

} // namespace gemel::scenarios
