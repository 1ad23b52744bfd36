#pragma once

#include <gemel/pkpd/model.hpp>
#include <gemel/sim/random.hpp>
#include <gemel/sim/run.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The recipe virtual patients are drawn from, and the columns that are drawn.
namespace gemel::pkpd {

/// Distribution of a covariate, in the covariate's unit.
struct CovariateDistribution {
    enum class Law { fixed, normal, lognormal, uniform, categorical };
    Law law = Law::fixed;
    double location = 0.0; ///< fixed: value; normal: mean; lognormal: median; uniform: lower end
    double spread = 0.0;   ///< normal: sd; lognormal: sd of the log; uniform: upper end
    std::vector<double> probabilities;  ///< [n_categories]
    std::optional<double> lower, upper; ///< truncation: drawn from the law within these
};

struct GenotypeDistribution {
    enum class Kind { fixed, alleles, diplotypes, ancestry };
    Kind kind = Kind::fixed;
    std::string gene;
    std::shared_ptr<const GeneTable> table;
    Diplotype diplotype;                                  ///< fixed
    std::vector<double> allele_frequencies;               ///< alleles: Hardy–Weinberg
    std::vector<std::pair<Diplotype, double>> diplotypes; ///< diplotypes: as given
};

/// What a subject's columns are: filled by Population::draw for a range of subjects.
struct CohortBlock {
    sim::SubjectRange range;
    std::vector<double> inputs;         ///< [n_inputs × count] for the solver
    std::vector<double> covariates;     ///< [n_covariates × count], categories as index
    std::vector<std::uint8_t> ancestry; ///< [count] index into Population::groups; empty if none
    struct Gene {
        std::vector<Diplotype> diplotype; ///< [count]
        std::vector<double> score;        ///< [count] NaN where not known
        std::vector<std::uint8_t> phenotype;
    };
    std::vector<Gene> genes;              ///< as Population::genotypes
    std::vector<std::uint8_t> is_assumed; ///< [n_maps × count] 1 where a map's `otherwise` was used
    std::vector<double> etas;             ///< [n_parameters × count], 0 without variability
};

class Population {
public:
    std::shared_ptr<const Model> model;
    std::uint64_t size = 0;
    std::uint64_t seed = 0;
    bool has_variability = true;     ///< false: every η is 0, covariates and genotypes still drawn
    std::vector<std::string> groups; ///< names of ancestry drawn from …
    std::vector<double> group_proportions; ///< … with these proportions
    /// What a group's alleles come from: itself, or the ancestral groups of an admixed one, with
    /// the share of each in every genome. Empty: every group is itself.
    std::vector<std::vector<std::pair<std::string, double>>> group_ancestors;
    std::vector<CovariateDistribution> covariates; ///< [n model covariates]
    std::vector<GenotypeDistribution> genotypes;   ///< one per gene, in order of the study's file

    /// Any range, equal to that part of a whole draw; const and thread-safe. Purposes: `ancestry`,
    /// `covariate/WT`, `diplotype/CYP2C9` (index = allele), `activity/CYP2C9` (index = allele),
    /// `eta/CL`.
    CohortBlock draw(const sim::SubjectRange& range) const;
};

/// Reads `[population]` of a study, against its model.
/// Mistakes: a covariate or gene the model needs is not given; frequencies that do not sum to 1; a
/// group without frequencies; a diplotype that a map does not cover and that can be drawn; …
Population read_population(const io::TomlView& table,
                           std::shared_ptr<const Model> model,
                           std::uint64_t seed,
                           sim::DiagnosticList& diagnostics);
void describe_population_for_reference(io::Fields& fields);

} // namespace gemel::pkpd
