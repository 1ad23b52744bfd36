#pragma once

#include "solved_block.hpp"

#include <gemel/scenarios/study.hpp>
#include <gemel/sim/ordered_tree.hpp>

#include <cstdint>
#include <map>
#include <vector>

namespace gemel::scenarios {

/// Gathers what endpoints are made of, block by block in any order; what it keeps does not grow
/// with the number of subjects, and its bits depend on no order. Not safe for several threads at
/// once.
class EndpointRecorder {
public:
    explicit EndpointRecorder(const Study& study);
    /// Every block once per arm.
    void add(const SolvedBlock& block);
    /// After the last block, [arm × stratum].
    std::vector<Sample> samples(std::size_t endpoint) const;

    /// What is kept of one quantity by one stratification, for estimates of memory.
    struct Extent {
        std::uint64_t n_strata = 0, n_cells = 0;
        bool has_counters = false;
        double cell_bytes = 0.0;    ///< of a cell, counters not filled
        double moments_bytes = 0.0; ///< of a cell in one node of sums
    };
    std::vector<Extent> extents() const;

    template <class Archive>
    void archive(Archive& a) {
        for (Series& series : series_)
            a(series.cells, series.moments);
        a(pending_);
    }

private:
    /// Moments of all cells, [arm × stratum], joined leaf by leaf.
    struct Column {
        std::vector<sim::Moments> values, logs;
        Column& operator+=(const Column& right);

        template <class Archive>
        void archive(Archive& a) {
            a(values, logs);
        }
    };
    /// What needs no order.
    struct Cell {
        std::uint64_t n = 0, n_missing = 0, n_not_positive = 0;
        sim::FixedWeight weight, hits;
        sim::Counters counters;

        template <class Archive>
        void archive(Archive& a) {
            a(n, n_missing, n_not_positive, weight, hits, counters);
        }
    };
    /// One quantity by one stratification; endpoints share it.
    struct Series {
        Quantity quantity;
        std::size_t stratification = 0;
        bool needs_logs = false, needs_counters = false;
        std::vector<Cell> cells; ///< [arm × stratum]
        sim::OrderedTree<Column> moments;
    };
    /// Arms of a block that came; a paired endpoint needs all.
    struct Pending {
        std::vector<std::vector<double>> outcomes; ///< [arm][outcome × subject]
        std::size_t n_arms = 0;

        template <class Archive>
        void archive(Archive& a) {
            a(outcomes, n_arms);
        }
    };

    std::size_t n_strata(const Series& series) const;
    void add_block(const Pending& pending, const pkpd::CohortBlock& cohort);
    void add_series(Series& series,
                    const Pending& pending,
                    const pkpd::CohortBlock& cohort,
                    const std::vector<std::uint32_t>& codes);
    void add_number(Series& series, std::size_t cell, double value, double weight, Column& leaf);

    const Study& study_;
    std::vector<Series> series_;
    std::vector<std::size_t> series_of_; ///< [endpoint]
    std::map<std::uint64_t, Pending> pending_;
};

} // namespace gemel::scenarios
