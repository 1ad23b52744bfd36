#include "resources.hpp"

#include "cohort_columns.hpp"
#include "engine.hpp"
#include "provenance.hpp"
#include "statistic.hpp"
#include "study_sink.hpp"

#include <gemel/sim/parallel.hpp>

#include <unistd.h>

#include <algorithm>
#include <system_error>

namespace gemel::scenarios {

namespace {

/// Measured: a run of one subject.
constexpr double program_bytes = 32.0 * 1024 * 1024;

/// The numbers themselves while they are few; then pages of bins over some seven octaves, which is
/// ± 5 standard deviations of a log-normal number of CV 50 %.
double bytes_of_counters(std::uint64_t n_subjects) {
    constexpr double pages = 7.0 * 256.0 / 64.0;
    constexpr double page = 64.0 * 16.0 + 32.0;
    const auto exact = static_cast<double>(std::min(n_subjects, sim::Counters::exact_limit));
    return sizeof(sim::Counters) +
           (n_subjects > sim::Counters::exact_limit ? pages * page : 8.0 * exact);
}

std::size_t n_summarised_cells(const Study& study) {
    std::size_t selections = 1;
    for (const Grouping& grouping : groupings_of(study))
        selections += grouping.groups.size();
    std::size_t cells = selections * study.outcomes.size();
    for (const Save& save : written_saves(study))
        if (save.has_summary) cells += save.times.size();
    return cells * study.arms.size();
}

/// Columns of a block as it is drawn, solved and written, in doubles per subject.
double columns_in_flight(const Study& study) {
    const pkpd::Model& model = *study.model;
    double columns = 2.0 * static_cast<double>(model.inputs.size()); // drawn, and given to solvers
    columns += static_cast<double>(model.covariates.size() + model.parameters.size());
    columns += 4.0 * static_cast<double>(study.population.genotypes.size());
    columns += static_cast<double>(model.system.parameters.size() + 2 * study.outcomes.size()) + 8.0;
    for (const Save& save : written_saves(study))
        columns += static_cast<double>(save.times.size());
    return columns;
}

} // namespace

io::LayoutSize layout_of(const Study& study) {
    io::LayoutSize size;
    declare_results(study, size);
    declare_events(study, size);
    return size;
}

MemoryParts memory_of(const Study& study, int n_threads) {
    MemoryParts parts;
    parts.program = program_bytes;
    const auto subjects =
        static_cast<double>(std::min(block_size_of(study), study.population.size));
    parts.blocks = static_cast<double>(sim::workers(n_threads)) * subjects *
                   columns_in_flight(study) * sizeof(double);
    // Sums wait for their neighbours: about one node per doubling of the number of leaves.
    constexpr double nodes = 20.0;
    parts.summaries = static_cast<double>(n_summarised_cells(study)) *
                      (bytes_of_counters(study.population.size) + nodes * sizeof(sim::Moments));
    return parts;
}

double free_disk(const std::filesystem::path& output) {
    const std::filesystem::path folder = output.parent_path();
    std::error_code error;
    const auto space = std::filesystem::space(folder.empty() ? "." : folder, error);
    return error ? 0.0 : static_cast<double>(space.available);
}

double memory_of_machine() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long size = ::sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? static_cast<double>(pages) * static_cast<double>(size) : 0.0;
}

} // namespace gemel::scenarios
