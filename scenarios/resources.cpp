#include "resources.hpp"

#include "cohort_columns.hpp"
#include "endpoints/endpoint_recorder.hpp"
#include "engine.hpp"
#include "provenance.hpp"
#include "statistic.hpp"
#include "study_sink.hpp"

#include <gemel/sim/parallel.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

namespace gemel::scenarios {

namespace {

/// Measured: a run of one subject.
constexpr double program_bytes = 32.0 * 1024 * 1024;

/// Sums wait for their neighbours: about one node per doubling of the number of leaves.
constexpr double n_nodes = 20.0;

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

/// What endpoints keep per arm and stratum. A stratum's subjects are in no other: few strata of a
/// population can have more than its counters keep as they are.
double bytes_of_endpoints(const Study& study) {
    const EndpointRecorder recorder(study);
    const std::uint64_t n = study.population.size;
    double bytes = 0.0;
    for (const EndpointRecorder::Extent& extent : recorder.extents()) {
        const auto cells = static_cast<double>(extent.n_cells);
        bytes += cells * (extent.cell_bytes + n_nodes * extent.moments_bytes);
        if (!extent.has_counters) continue;
        const std::uint64_t n_full =
            std::min(extent.n_strata, n / (sim::Counters::exact_limit + 1));
        const std::uint64_t n_few = extent.n_strata - n_full;
        const double of_stratum =
            static_cast<double>(n_full) * bytes_of_counters(n) +
            (n_few > 0 ? static_cast<double>(n_few) * bytes_of_counters(n / n_few) : 0.0);
        bytes += of_stratum * static_cast<double>(extent.n_cells / extent.n_strata);
    }
    return bytes;
}

/// Columns of a block as it is drawn, solved and written, in doubles per subject.
double columns_in_flight(const Study& study) {
    const pkpd::Model& model = *study.model;
    const double n_rows = study.population.n_occasions;
    double columns =
        (1.0 + n_rows) * static_cast<double>(model.inputs.size()); // drawn, and given to solvers
    if (study.population.n_occasions > 1) // of all rows while they are drawn
        columns +=
            n_rows * static_cast<double>(2 * model.inputs.size() + 2 * model.parameters.size());
    columns += static_cast<double>(model.covariates.size() + model.parameters.size());
    columns += 4.0 * static_cast<double>(study.population.genotypes.size());
    columns +=
        static_cast<double>(model.system.parameters.size() + 2 * study.outcomes.size()) + 8.0;
    if (!study.endpoints.empty()) // a pair waits for its last arm
        columns += static_cast<double>(study.arms.size() * study.outcomes.size());
    for (const Save& save : written_saves(study))
        columns += static_cast<double>(save.times.size());
    for (const Samples& samples : study.samples) // of the model, and measured
        columns += 2.0 * static_cast<double>(samples.times.size());
    return columns;
}

} // namespace

io::LayoutSize layout_of(const Study& study) {
    io::LayoutSize size;
    declare_results(study, size);
    declare_events(study, size);
    return size;
}

int n_busy(const Study& study, int n_threads) {
    const std::uint64_t size = block_size_of(study);
    const std::uint64_t n_blocks =
        std::max<std::uint64_t>(1, (study.population.size + size - 1) / size);
    return static_cast<int>(
        std::min<std::uint64_t>(static_cast<std::uint64_t>(n_threads), n_blocks));
}

MemoryParts memory_of(const Study& study, int n_threads) {
    MemoryParts parts;
    parts.program = program_bytes;
    const auto subjects =
        static_cast<double>(std::min(block_size_of(study), study.population.size));
    parts.blocks = static_cast<double>(n_busy(study, sim::workers(n_threads))) * subjects *
                   columns_in_flight(study) * sizeof(double);
    parts.summaries =
        static_cast<double>(n_summarised_cells(study)) *
            (bytes_of_counters(study.population.size) + n_nodes * sizeof(sim::Moments)) +
        bytes_of_endpoints(study);
    return parts;
}

double free_disk(const std::filesystem::path& output) {
    const std::filesystem::path folder = output.parent_path();
    std::error_code error;
    const auto space = std::filesystem::space(folder.empty() ? "." : folder, error);
    if (error) return 0.0;
    struct stat part {}; // of an interrupted run: gone on from or thrown away
    const bool has_part = ::stat((output.string() + ".part").c_str(), &part) == 0;
    return static_cast<double>(space.available) +
           (has_part ? 512.0 * static_cast<double>(part.st_blocks) : 0.0);
}

double memory_of_machine() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long size = ::sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? static_cast<double>(pages) * static_cast<double>(size) : 0.0;
}

} // namespace gemel::scenarios
