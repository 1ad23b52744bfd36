#pragma once

#include "engine.hpp"
#include "solved_block.hpp"
#include "statistic.hpp"
#include "summary.hpp"

#include <gemel/io/result_file.hpp>

#include <vector>

/// The group `summary` of a file: quantiles, mean, sd and number over subjects, by arm.
namespace gemel::scenarios {

/// Curves over subjects at every saved time, for `[save] OUTPUT.summary`.
class CurveSummary {
public:
    explicit CurveSummary(const Study& study);
    void add(const SolvedBlock& block);
    void write(io::ResultFile& file) const; ///< after the last block

    template <class Archive>
    void archive(Archive& a) {
        for (Curve& curve : curves_)
            for (CellStatistics& arm : curve.arms)
                a(arm);
    }

private:
    struct Curve {
        std::string output;
        std::size_t sampled = 0; ///< in Observation::sampled
        std::size_t n_times = 0;
        std::vector<CellStatistics> arms; ///< cells are times
    };
    std::vector<Curve> curves_;
};

/// Axis `quantile`, and what is summarised of curves and, where subjects are not written, of
/// outcomes and failures.
void declare_summaries(const Study& study, io::Layout& file);

/// Outcomes and failures over subjects, where subjects are not written.
void write_summaries(const Study& study,
                     const OutcomeSummary& outcomes,
                     const FailureSummary& failures,
                     io::ResultFile& file);

} // namespace gemel::scenarios
