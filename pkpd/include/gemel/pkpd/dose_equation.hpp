#pragma once

#include <gemel/pkpd/covariate_function.hpp>
#include <gemel/pkpd/model.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Doses that published equations give from covariates and genotypes. They are data,
/// `library/doses/*.toml`.
namespace gemel::pkpd {

/// A genotype's number in a dose equation.
struct DoseMap {
    GenotypeMap map;
    std::optional<double> not_known; ///< of a patient whose genotype is not known; none: needed
    /// An allele the table does not name counts as the gene's reference, as a test of the named
    /// alleles alone reads it; otherwise it has no number.
    bool reads_unnamed_as_reference = false;
    std::vector<char> is_named; ///< [n_alleles]
};

/// How a map's number came about.
enum class DoseMapBasis { table, unnamed_allele, otherwise, not_known };

struct DoseMapValue {
    double value = 0.0;
    DoseMapBasis basis = DoseMapBasis::table;
};

struct DoseEquation {
    std::string id; ///< file name without ending
    std::string name, drug, about, source;
    std::string confidence; ///< "seen", "derived" or "remembered"
    std::string seen;       ///< how its numbers were seen, in words
    std::filesystem::path path;
    std::shared_ptr<const sim::SourceFile> file;
    sim::Unit unit; ///< an amount, or an amount per time
    std::vector<Covariate> inputs;
    std::vector<DoseMap> maps;
    std::map<std::string, std::shared_ptr<const GeneTable>> genes; ///< of the maps
    std::optional<CovariateFunction> function;                     ///< of inputs, then maps

    struct Test {
        sim::SourceSpan span;
        std::vector<double> given; ///< [inputs] in their units, categories as index
        std::map<std::string, Diplotype> genotypes; ///< not named: not known
        double expect = 0.0;                        ///< in `unit`
        double within = 1e-6;                       ///< relative
    };
    std::vector<Test> tests;

    /// Whether the unit is an amount per time.
    bool is_rate() const;
    /// What a map makes of a genotype; nothing where it has no number for it.
    std::optional<DoseMapValue> map_value(std::size_t map,
                                          const std::optional<Diplotype>& diplotype) const;
    /// Doses of `count` patients, in `unit`.
    /// @param columns  [(n_inputs + n_maps) × count], inputs in their units, categories as index
    std::vector<double> doses(std::span<const double> columns, std::size_t count) const;
};

/// Reads an equation and runs its own tests. @returns nullptr after mistakes, which are in
/// diagnostics
std::shared_ptr<const DoseEquation> load_dose_equation(const std::filesystem::path& file,
                                                       const io::Library& library,
                                                       sim::DiagnosticList& diagnostics);

/// The keys of such a file, for the reference pages.
void describe_dose_equation_for_reference(io::Fields& fields);

} // namespace gemel::pkpd
