#pragma once

#include <gemel/pkpd/genotype_call.hpp>
#include <gemel/pkpd/population.hpp>

/// Files of called genotypes that a population takes its subjects' from.
namespace gemel::pkpd {

/// `file` and `missing` are all that stands in the table of a gene.
bool check_called_keys(const io::TomlView& table, sim::DiagnosticList& diagnostics);

/// Reads each file once, for all genes of the population's model.
class CallFiles {
public:
    CallFiles(const PopulationPlace& place,
              Population& population,
              sim::DiagnosticList& diagnostics)
        : place_(place),
          population_(population),
          diagnostics_(diagnostics) {}

    /// The calls of a gene for the population's subjects: by their IDs where they are those of a
    /// data file, in the order of the file's subjects otherwise.
    /// @param may_be_missing  it is said what then
    /// @returns nullptr after a mistake
    std::shared_ptr<const CalledGenotypes>
    read(const io::TomlView& file, const GeneTable& gene, bool may_be_missing);

private:
    const GenotypeCalls* calls_of(const io::TomlView& file);

    const PopulationPlace& place_;
    Population& population_;
    sim::DiagnosticList& diagnostics_;
    std::map<std::filesystem::path, std::optional<GenotypeCalls>> read_;
};

} // namespace gemel::pkpd
