#pragma once

#include <gemel/io/result_file.hpp>
#include <gemel/scenarios/study.hpp>
#include <gemel/sim/run.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

/// Who the subjects are: their columns in the result file, and what the summary splits them by.
namespace gemel::scenarios {

/// One way of splitting the subjects: by phenotype of a gene, or by ancestry.
struct Grouping {
    std::string name; ///< "CYP2C9 phenotype"
    std::vector<std::string> groups;
    /// The group of each subject of a block, [n_subjects].
    std::function<std::span<const std::uint8_t>(const pkpd::CohortBlock&)> codes;
};
std::vector<Grouping> groupings_of(const Study& study);

/// How many subjects rest on a map's `otherwise`, and why.
struct Assumption {
    std::uint64_t not_in_table = 0;     ///< the diplotype, whose activity is known
    std::uint64_t unknown_function = 0; ///< of an allele: its activity is drawn
    std::uint64_t lower_bound = 0;      ///< of the score: the map is asked at the bound

    Assumption& operator+=(const Assumption& other) {
        not_in_table += other.not_in_table;
        unknown_function += other.unknown_function;
        lower_bound += other.lower_bound;
        return *this;
    }
};

/// @param assumptions  [n_maps], those of the block are added
void count_assumptions(const Study& study,
                       const pkpd::CohortBlock& block,
                       std::vector<Assumption>& assumptions);

void declare_cohort(const Study& study, io::Layout& file);
void write_cohort(const Study& study, const pkpd::CohortBlock& block, io::ResultFile& file);

} // namespace gemel::scenarios
