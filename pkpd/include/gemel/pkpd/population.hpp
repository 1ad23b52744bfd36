#pragma once

#include <gemel/pkpd/covariate_function.hpp>
#include <gemel/pkpd/data_cohort.hpp>
#include <gemel/pkpd/frequency_posterior.hpp>
#include <gemel/pkpd/model.hpp>
#include <gemel/pkpd/uncertainty.hpp>
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
    /// `lms`: the Box–Cox normal law of Cole & Green, M·(1 + L·S·z)^(1/L).
    /// `row`: of the stratum's rows; `data`: of the subject's own data.
    enum class Law { fixed, normal, lognormal, uniform, categorical, lms, row, data };
    Law law = Law::fixed;
    double location = 0.0; ///< fixed: value; normal: mean; lognormal: median; uniform: lower end;
                           ///< lms: M, the median
    double spread = 0.0;   ///< normal: sd; lognormal: sd of the log; uniform: upper end; lms: S
    double shape = 0.0;    ///< lms: L, the power
    std::vector<double> probabilities;  ///< [n_categories]
    std::optional<double> lower, upper; ///< truncation: drawn from the law within these

    /// A number of the law that follows from other covariates of the subject.
    struct Dependence {
        enum class Number { location, spread, shape, cv };
        Number number = Number::location;
        CovariateFunction function;
    };
    std::vector<Dependence> dependences;
    std::size_t column = 0;     ///< row: of the stratum's rows
    bool is_of_mixture = false; ///< categorical: as the model says, in each replicate
};

/// A table whose rows patients are drawn from, so that what stands in one row stays together.
struct CohortRows {
    std::vector<std::size_t> covariates; ///< that it gives
    std::vector<double> values;          ///< [covariates.size() × n_rows] in the covariates' units
    std::size_t n_rows = 0;
    std::vector<double> cumulative; ///< of the weights rows are drawn by; empty: all alike
    std::vector<double> weights;    ///< [n_rows] that patients carry; empty: 1
    bool is_in_order = false;       ///< patient n is row n, and the first row follows the last
};

/// Covariates joined by a Gaussian copula: of two subjects' ranks, not of their values.
struct CovariateCorrelation {
    std::vector<std::size_t> of; ///< covariates
    std::vector<double> latent;  ///< [n × n] correlation of their normal scores
};

/// A part of the population with laws of its own.
struct Stratum {
    std::string name; ///< "" where the population has no strata
    double share = 1.0;
    std::vector<CovariateDistribution> laws; ///< [n_covariates]
    std::vector<std::size_t> order;          ///< of the covariates: each after those it depends on
    std::vector<CovariateCorrelation> correlations;
    std::shared_ptr<const CohortRows> rows; ///< of laws `row`
    std::vector<double> group_proportions;  ///< of Population::groups
};

/// Called genotypes of a gene: subject n of the population has those of row n, and after the last
/// row comes the first again.
struct CalledGenotypes {
    /// [n_rows] diplotypes with their probabilities; none: not called
    std::vector<std::vector<std::pair<Diplotype, double>>> rows;
};

struct GenotypeDistribution {
    enum class Kind { fixed, alleles, diplotypes, ancestry, linked, called };
    Kind kind = Kind::fixed;
    std::string gene;
    std::shared_ptr<const GeneTable> table;
    Diplotype diplotype;                    ///< fixed
    std::vector<double> allele_frequencies; ///< alleles: Hardy–Weinberg
    /// Who has one copy of a gene that is hemizygous in some: those of a category of a covariate.
    struct OneCopy {
        std::size_t covariate = 0; ///< of Population::covariates
        std::size_t category = 0;
    };
    std::optional<OneCopy> one_copy;
    std::vector<std::pair<Diplotype, double>> diplotypes; ///< diplotypes: as given
    std::shared_ptr<const CalledGenotypes> called;
    std::shared_ptr<const GenotypeDistribution> missing; ///< called: of who has no call
    std::size_t linked = 0;                              ///< linked: of Population::linked, …
    std::size_t member = 0;                              ///< … and which of its genes
};

/// Genes that are inherited together: a chromosome carries one haplotype, an allele of each.
struct LinkedGenes {
    sim::SourceSpan span;
    std::string name;                         ///< "CYP2C9+CYP2C19", of purposes
    std::vector<std::string> genes;           ///< [n_genes]
    std::vector<std::vector<int>> haplotypes; ///< [n_haplotypes][n_genes] alleles
    struct Group {
        std::string code; ///< ancestry group; "": everybody
        std::vector<double> frequencies;
        std::int64_t n_subjects = 0; ///< that haplotypes were counted in; 0: not known
    };
    std::vector<Group> groups;

    bool is_for_all() const { return groups.size() == 1 && groups.front().code.empty(); }
    const Group* group(const std::string& code) const; ///< or that for everybody
};

/// Shares of an admixed group's ancestors that differ from person to person.
struct PersonalShares {
    double concentration = 0.0;  ///< of a Dirichlet law about the group's shares; 0: none
    std::vector<int> covariates; ///< that hold them, −1: what the others leave; empty: none do

    bool differ() const { return concentration > 0.0 || !covariates.empty(); }
    bool operator==(const PersonalShares&) const = default;
};

/// What a subject's columns are: filled by Population::draw for a range of subjects.
struct CohortBlock {
    sim::SubjectRange range;
    std::vector<double> inputs;         ///< [n_inputs × count] for the solver
    std::vector<double> covariates;     ///< [n_covariates × count] as Population::covariates,
                                        ///< categories as index
    std::vector<std::uint8_t> stratum;  ///< [count] index into Population::strata; empty if one
    std::vector<double> weight;         ///< [count] importance of the subject; empty: 1 for each
    std::vector<std::uint8_t> ancestry; ///< [count] index into Population::groups; empty if none
    /// [n_ancestors × count] of each person's genome, as Population::ancestors(); empty where they
    /// do not differ from person to person.
    std::vector<double> ancestor_shares;
    struct Gene {
        std::vector<Diplotype> diplotype; ///< [count]
        std::vector<double> score;        ///< [count] NaN where not known
        std::vector<std::uint8_t> phenotype;
        std::vector<Diplotype> kinds;    ///< the diplotypes that occur, each once
        std::vector<std::uint32_t> kind; ///< [count] which of them
    };
    std::vector<Gene> genes;              ///< as Population::genotypes
    std::vector<std::uint8_t> is_assumed; ///< [n_maps × count] 1 where a map's `otherwise` was used
    /// What dosing policies give each subject, filled by who knows them; empty: there are none.
    struct PolicyDose {
        std::vector<double> amount;       ///< [count] 0 where nothing is given
        std::vector<std::uint8_t> action; ///< [count] why
    };
    std::vector<PolicyDose> policies;
    std::vector<double> etas; ///< [n_parameters × count], 0 without variability
    std::vector<double> iovs; ///< [n_parameters × count] of the first occasion; empty if no
                              ///< parameter has iov
};

/// A file the population is made from.
struct PopulationFile {
    std::string name; ///< in provenance: "rows_cohort_csv"
    std::filesystem::path path;
    std::shared_ptr<const sim::SourceFile> text;
};

class Population {
public:
    std::shared_ptr<const Model> model;
    std::uint64_t size = 0;
    std::uint64_t seed = 0;
    bool has_variability = true;     ///< false: every η is 0, covariates and genotypes still drawn
    std::vector<std::string> groups; ///< names of ancestry drawn from …
    std::vector<double> group_proportions; ///< … with these proportions, over all strata
    /// What a group's alleles come from: itself, or the ancestral groups of an admixed one, with
    /// the share of each in every genome. Empty: every group is itself.
    std::vector<std::vector<std::pair<std::string, double>>> group_ancestors;
    std::vector<PersonalShares> group_shares; ///< as group_ancestors; empty: nobody's differ
    /// Frequencies of alleles by ancestry that differ by replicate; nullptr: those of the genes'
    /// files.
    std::shared_ptr<const UncertainFrequencies> frequencies;
    std::vector<Covariate> covariates; ///< the model's in its order, then the population's own
    std::vector<Stratum> strata;       ///< shares sum to 1; none only without covariates
    std::vector<GenotypeDistribution> genotypes; ///< one per gene, in order of the study's file
    std::vector<LinkedGenes> linked;

    /// Laws differ by replicate; nullptr: they are the model's.
    std::shared_ptr<const ParameterUncertainty> uncertainty;

    std::vector<PopulationFile> files; ///< read besides the study's

    /// Subjects of a data file: `size` is their number, what is drawn goes by their IDs, and they
    /// may have several rows of inputs. nullptr: all are drawn, with one row each.
    std::shared_ptr<const DataCohort> data;

    /// Rows of inputs of each drawn subject, which differ in the effects of their occasion.
    std::uint32_t n_occasions = 1;

    /// What a replicate is drawn by; nothing: the model's own.
    std::optional<PopulationLaws> laws_of(std::uint32_t replicate) const;

    bool has_weights() const; ///< subjects count by CohortBlock::weight
    bool has_personal_shares() const;
    std::vector<std::string> ancestors() const; ///< codes of groups that alleles come from
    /// Frequencies of a gene's alleles in each group that they can be drawn from, above 0 where an
    /// allele is possible in any replicate; none of laws of diplotypes.
    std::vector<std::vector<double>> possible_frequencies(const GenotypeDistribution& law) const;

    /// Any range, equal to that part of a whole draw; const and thread-safe. Purposes: `stratum`,
    /// `rows`, `ancestry`, `covariate/WT`, `mixture/NAME`, `diplotype/CYP2C9` (index = allele),
    /// `diplotype/CYP2C9+CYP2C19` of linked genes, `admixture/EUR`, `descent/CYP2C9` (index =
    /// allele), `activity/CYP2C9` (index = allele), `eta/CL`, `iov/CL`;
    /// `uncertainty/CL`, `uncertainty/iiv.CL`, `frequency/CYP2C9/EUR/*2` … of the replicate.
    CohortBlock draw(const sim::SubjectRange& range) const;

    /// The effects of occasions 0, 1, …, n of them, in the order [n_parameters × n × count]; 0 for
    /// parameters without iov. Those of occasion 0 are the `iovs` of draw(). Purpose `iov/CL`,
    /// index = occasion × 4096.
    /// @throws std::invalid_argument for more than 2^20 occasions
    std::vector<double> draw_occasions(const sim::SubjectRange& range, std::uint32_t n) const;
    /// How many rows of inputs a range has.
    std::size_t n_rows(const sim::SubjectRange& range) const;
    /// All rows of a range, subject after subject, [n_inputs × n_rows(range)]; the first row of
    /// each subject is that of draw().
    std::vector<double> draw_rows(const sim::SubjectRange& range) const;
};

struct PopulationPlace {
    io::Library library;
    std::filesystem::path file; ///< the study's
    /// Whose subjects the population is; covariates they have need no law.
    std::shared_ptr<const DataCohort> data = {};
};

/// Every diplotype the population can have, in the order of the gene's file.
std::vector<Diplotype> possible_diplotypes(const Population& population,
                                           const GenotypeDistribution& law);

/// Reads `[population]` of a study, against its model.
/// @param place  where `library:NAME` and files are looked for
/// Mistakes: a covariate or gene the model needs is not given; frequencies that do not sum to 1; a
/// group without frequencies; a diplotype that a map does not cover and that can be drawn; …
Population read_population(const io::TomlView& table,
                           std::shared_ptr<const Model> model,
                           std::uint64_t seed,
                           sim::DiagnosticList& diagnostics,
                           const PopulationPlace& place = {});
void describe_population_for_reference(io::Fields& fields);
void describe_population_file_for_reference(io::Fields& fields); ///< of population/1

} // namespace gemel::pkpd
