#pragma once

#include <gemel/io/result_file.hpp>
#include <gemel/scenarios/study.hpp>
#include <gemel/sim/run.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Who the subjects are: their columns in the result file, and what the summary splits them by.
namespace gemel::scenarios {

/// One way of splitting the subjects: by phenotype of a gene, or by ancestry.
struct Grouping {
    std::string name; ///< "CYP2C9 phenotype"
    std::vector<std::string> groups;
    std::vector<std::uint8_t> of; ///< [n_subjects]
};

/// How many subjects rest on a map's `otherwise`, and why.
struct Assumption {
    std::uint64_t not_in_table = 0;     ///< the diplotype, whose activity is known
    std::uint64_t unknown_function = 0; ///< of an allele: its activity is drawn
};

struct Cohort {
    std::vector<Grouping> groupings;
    std::vector<Assumption> assumptions; ///< [n_maps]
};

void declare_cohort(const Study& study, io::ResultFile& file);

/// Draws the whole population, block by block, and writes its columns. What is kept is a byte per
/// subject and grouping. @returns nothing if cancelled
std::optional<Cohort>
write_cohort(const Study& study, io::ResultFile& file, const sim::Monitor* monitor);

} // namespace gemel::scenarios
