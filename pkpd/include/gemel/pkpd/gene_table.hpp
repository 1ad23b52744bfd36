#pragma once

#include <gemel/io/resources.hpp>
#include <gemel/sim/diagnostic.hpp>

#include <compare>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Genes as data: alleles, rules from diplotype to phenotype, frequencies by ancestry group. No
/// gene is named in C++; adding one is adding a file (docs/guide/genes.md).
namespace gemel::pkpd {

/// Sums of activities such as 0.25 + 0.5 are exact in binary; those of 0.1 and its like are not.
inline constexpr double score_tolerance = 1e-9;

/// An unordered pair of alleles, canonical: first ≤ second in the order of the gene's file.
struct Diplotype {
    int first = 0;
    int second = 0;
    bool operator==(const Diplotype&) const = default;
    auto operator<=>(const Diplotype&) const = default;
};

/// A change that defines an allele: GRCh38, forward strand, as in a VCF.
struct AlleleVariant {
    std::string rsid; ///< "" where the change has none
    std::string chrom, ref, alt;
    std::int64_t pos = 0;
    bool is_optional = false; ///< the definition allows either base
};

struct Allele {
    std::string name;                 ///< "*2"
    std::vector<std::string> aliases; ///< "-1639A", "rs9923231 T"
    std::string function;             ///< "Normal function", "Uncertain function", …
    std::optional<double> activity;   ///< value in the score; none where the function is not known
    bool is_activity_lower_bound = false; ///< of three or more copies: at least `activity`
    std::string structure;                ///< what no short variant shows: "whole-gene deletion"
    int copies = 1; ///< of the gene on the chromosome, its hybrids included; 0: deleted
    bool is_copies_lower_bound = false;
    std::vector<AlleleVariant> variants;
};

struct Phenotype {
    std::string name;  ///< "Intermediate Metabolizer"
    std::string label; ///< short, for tables and flags: "IM"
};

/// Where a frequency is from, where that is not the gene's own source.
struct FrequencyOrigin {
    std::string confidence; ///< "seen" in the source, "derived" from it, or "remembered"; or ""
    std::string source;     ///< "" where it is the gene's
};

struct AlleleFrequencies {
    std::string group;                         ///< "EUR"
    std::vector<double> frequencies;           ///< [n_alleles], sums to 1
    std::vector<std::int64_t> n_subjects;      ///< tested per allele, 0: not reported
    std::vector<FrequencyOrigin> origins = {}; ///< [n_alleles]
};

class GeneTable {
public:
    std::string name;
    std::shared_ptr<const sim::SourceFile> file; ///< what it was read from
    std::string source, licence, date;
    std::string reference; ///< reference allele
    /// Of a gene that some people have one copy of: the allele that stands for the missing second,
    /// "Y" on the X chromosome. Elsewhere "".
    std::string hemizygous;
    std::vector<Allele> alleles;
    std::vector<Phenotype>
        phenotypes; ///< the last is the one for diplotypes no rule covers, if any
    std::vector<AlleleFrequencies> frequencies;
    bool has_score = false; ///< phenotype by activity score; otherwise by pair of functions
    /// The alleles are single variants, of which a person may carry more than two: the two of the
    /// lowest activities are the diplotype.
    bool is_per_variant = false;

    /// By name or alias; −1 if unknown.
    int find_allele(const std::string& text) const;
    int hemizygous_allele() const; ///< −1 where everybody has two copies
    /// "*1/*3", "AG", "A/G", "-1639A/-1639G"; per variant "A/B/C", all that are carried. Nothing
    /// (and `why`) if not understood.
    std::optional<Diplotype> parse_diplotype(const std::string& text,
                                             std::string* why = nullptr) const;
    std::string text(const Diplotype& diplotype) const; ///< canonical, "*1/*3"
    /// Sum of the activities; nothing if an allele's activity is not known. Where an allele gives a
    /// lower bound, so does the sum.
    std::optional<double> score(const Diplotype& diplotype) const;
    bool is_score_lower_bound(const Diplotype& diplotype) const;
    std::string score_text(const Diplotype& diplotype) const; ///< "1.25", ">=3", "not known"
    /// Index into phenotypes. A score that is a lower bound has a phenotype where all scores from
    /// it upwards have the same.
    int phenotype(const Diplotype& diplotype) const;
    /// By name or label; −1 if unknown.
    int find_phenotype(const std::string& text) const;
    Diplotype reference_diplotype() const;
    const AlleleFrequencies* group(const std::string& code) const;

    struct ScoreRule {
        double from = 0.0, to = 0.0; ///< inclusive; `to` may be infinite
        int phenotype = 0;
    };
    struct PairRule {
        std::string first, second; ///< functions, unordered
        int phenotype = 0;
    };
    std::vector<ScoreRule> score_rules;
    std::vector<PairRule> pair_rules;
    int otherwise = 0; ///< phenotype where no rule applies or the score is not known

    struct Test {
        sim::SourceSpan span;
        std::string diplotype, phenotype;
        std::optional<double> score;
        bool is_score_lower_bound = false;
    };
    std::vector<Test> tests;
};

/// @returns nullptr after adding what is wrong to diagnostics
std::shared_ptr<const GeneTable> load_gene(const std::filesystem::path& file,
                                           sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
