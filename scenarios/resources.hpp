#pragma once

#include <gemel/io/result_file.hpp>
#include <gemel/scenarios/study.hpp>

#include <filesystem>

/// What a run takes of a machine, from its study alone, and what the machine has.
namespace gemel::scenarios {

/// The file's axes and variables, without the file.
io::LayoutSize layout_of(const Study& study);

struct MemoryParts {
    double program = 0.0;   ///< code, libraries and what HDF5 keeps
    double blocks = 0.0;    ///< in flight, one per thread
    double summaries = 0.0; ///< counters and sums: by arms, times and groups, not by subjects
    double total() const { return program + blocks + summaries; }
};
/// Of so many threads, those that find a block of subjects to work on.
int n_busy(const Study& study, int n_threads);
/// An estimate of the largest resident size.
MemoryParts memory_of(const Study& study, int n_threads);

double free_disk(const std::filesystem::path& output); ///< 0: not known
double memory_of_machine();                            ///< 0: not known

} // namespace gemel::scenarios
