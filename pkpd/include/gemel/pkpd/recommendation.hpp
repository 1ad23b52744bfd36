#pragma once

#include <gemel/io/fields.hpp>
#include <gemel/io/resources.hpp>
#include <gemel/pkpd/gene_table.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// What guidelines advise for a drug by genotype, in categories. They are data,
/// `library/recommendations/*.toml`.
namespace gemel::pkpd {

/// What a row asks of one gene; what is not set is not asked. The genotype must be known.
struct GenotypeCondition {
    std::string gene;
    std::optional<int> phenotype;                   ///< of the gene's
    std::optional<std::pair<double, double>> score; ///< activity score, ends included
    std::vector<Diplotype> diplotypes;              ///< one of these
    std::vector<int> carries;                       ///< at least one of these alleles
    std::vector<int> carries_none;                  ///< none of these alleles
};

/// A person's genotype as a guideline sees it. Phenotype and score may differ from the genotype's
/// own where another drug inhibits the enzyme.
struct SeenGenotype {
    Diplotype diplotype;
    int phenotype = 0;
    std::optional<double> score;
};

/// What it comes to.
enum class AdvisedAction {
    standard,
    standard_monitor,
    standard_lowest,
    standard_consider_decrease,
    standard_consider_increase,
    reduce_start,
    reduce_maintenance,
    increase_start,
    dose_cap,
    titrate_faster,
    titrate_slower,
    measure_activity,
    caution,
    caution_continue,
    alternative_preferred,
    avoid,
    contraindicated,
    algorithm,
    dose_clinically,
    no_recommendation
};
std::string_view name(AdvisedAction action);     ///< "reduce_start", as in files
std::string_view in_words(AdvisedAction action); ///< "a lower starting dose"
bool is_another_drug(AdvisedAction action);      ///< alternative_preferred, avoid, contraindicated

struct Recommendation {
    sim::SourceSpan span;
    std::vector<GenotypeCondition> genotype; ///< all must hold
    std::string condition;                   ///< what else must be, in words
    std::string patients;                    ///< "general", "ACS/PCI"
    AdvisedAction action = AdvisedAction::standard;
    std::optional<std::pair<double, double>> dose_factor; ///< of the usual starting dose
    std::string dose_limit, monitoring, implication, strength;
    std::vector<std::string> alternatives;
    int year = 0; ///< of the guideline
    std::vector<std::string> basis;

    /// Whether nothing but memory stands behind the row.
    bool is_remembered() const { return basis == std::vector<std::string>{"r"}; }
};

struct DrugRecommendations {
    std::string drug, source, licence;
    std::filesystem::path path;
    std::shared_ptr<const sim::SourceFile> file;
    std::map<std::string, std::string> basis; ///< letter → what it means
    std::vector<Recommendation> rows;
    std::map<std::string, std::shared_ptr<const GeneTable>> genes; ///< of the rows

    /// Groups of patients the rows tell apart, in the order of the file.
    std::vector<std::string> patients() const;
    /// Rows that hold for who has these genotypes, genes not named being not known: those that ask
    /// most genes first, otherwise in the order of the file.
    std::vector<const Recommendation*>
    matching(const std::map<std::string, SeenGenotype>& genotypes) const;
};

/// Whether the condition holds.
bool holds(const GenotypeCondition& condition, const SeenGenotype& genotype);
/// "CYP2C9 Poor Metabolizer", "HLA-B *57:01 carried".
std::string condition_text(const GenotypeCondition& condition, const GeneTable& gene);

/// A genotype without inhibition.
SeenGenotype seen(const GeneTable& gene, const Diplotype& diplotype);

/// Reads a file, against the genes of the library. @returns nullptr after mistakes, which are in
/// diagnostics
std::shared_ptr<const DrugRecommendations> load_recommendations(const std::filesystem::path& file,
                                                                const io::Library& library,
                                                                sim::DiagnosticList& diagnostics);

/// The keys of such a file, for the reference pages.
void describe_recommendations_for_reference(io::Fields& fields);

} // namespace gemel::pkpd
