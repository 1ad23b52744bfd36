#pragma once

#include <gemel/pkpd/gene_table.hpp>
#include <gemel/sim/diagnostic.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

/// Called genotypes: what is known of a person's alleles of a gene, with what probability, and what
/// that rests on. Made by other programs and read here, or called from variants
/// (docs/guide/genotypes.md).
namespace gemel::pkpd {

/// A diplotype that explains the evidence as well as any other.
struct CallCandidate {
    Diplotype diplotype;
    double probability = 1.0;
    std::string text; ///< for tables: "*1/*3"; per variant all that are carried, "A/B/C"
};

/// What a call rests on.
struct CallEvidence {
    enum class Phase { not_said, phased, unphased };
    std::string source;         ///< name of the file
    sim::SourceSpan place = {}; ///< in it, where it is a text
    Phase phase = Phase::not_said;
    int n_positions = 0;                 ///< that the gene's alleles are told by; 0: not said
    int n_missing = 0;                   ///< of these, not seen
    bool is_outside = false;             ///< called by another program or laboratory
    std::vector<std::string> notes = {}; ///< what else there is to say, one sentence part each
};

/// "calls.vcf: 30 of 32 positions seen, unphased; …"
std::string evidence_text(const CallEvidence& evidence);

/// A subject's genotype of a gene.
struct GenotypeCall {
    std::vector<CallCandidate> candidates; ///< most probable first, sum 1; none: a no-call
    CallEvidence evidence;

    bool is_called() const { return !candidates.empty(); }
};

/// Scales the probabilities to sum to 1 and sorts: the most probable first, equal ones in the order
/// of the gene's file.
void finish_candidates(std::vector<CallCandidate>& candidates);

/// Calls of some subjects and genes.
class GenotypeCalls {
public:
    std::vector<std::shared_ptr<const GeneTable>> genes;

    const std::vector<std::string>& subjects() const { return subjects_; }
    std::optional<std::size_t> find_subject(const std::string& subject) const;
    std::optional<std::size_t> find_gene(const std::string& gene) const;
    /// nullptr where the file says nothing.
    const GenotypeCall* find(std::size_t subject, std::size_t gene) const;

    std::size_t add_subject(const std::string& subject);     ///< or the one that is there
    GenotypeCall& at(std::size_t subject, std::size_t gene); ///< made if there is none
    bool has(std::size_t subject, std::size_t gene) const { return find(subject, gene) != nullptr; }

private:
    std::vector<std::string> subjects_; ///< as they first appear
    std::unordered_map<std::string, std::size_t> index_;
    std::vector<std::vector<std::optional<GenotypeCall>>> calls_; ///< [n_subjects][n_genes]
};

/// Which calls of a file are read.
struct CallReading {
    std::vector<std::shared_ptr<const GeneTable>> genes;
    std::vector<std::string> passed_over; ///< names of genes that may stand there too
    std::string subject; ///< of a file that does not say whose calls it holds; "": it must
};

/// A file of calls by its name's ending: `.json` as PharmCAT writes it, a table otherwise.
/// @returns nothing after adding to diagnostics what is wrong where
std::optional<GenotypeCalls> read_genotype_calls(const std::filesystem::path& file,
                                                 const CallReading& reading,
                                                 sim::DiagnosticList& diagnostics);

/// A table with the columns subject, gene, diplotype and, if it likes, probability; other columns
/// are left alone. Several rows of one gene of a subject are alternatives.
std::optional<GenotypeCalls> read_genotype_table(std::shared_ptr<const sim::SourceFile> file,
                                                 const CallReading& reading,
                                                 sim::DiagnosticList& diagnostics);

/// Whose calls a table of outside calls holds that does not say whose.
inline constexpr const char* only_subject = "*";

/// Calls of another program or laboratory beside a file of variants: a table as above, with or
/// without subjects, or two columns without a header, gene and diplotype, as PharmCAT takes them.
std::optional<GenotypeCalls> read_outside_calls(const std::filesystem::path& file,
                                                const CallReading& reading,
                                                sim::DiagnosticList& diagnostics);

/// JSON of PharmCAT 2 and 3: of its matcher, phenotyper or reporter. Of one subject: the sample the
/// file names, or else the file's name without its endings.
std::optional<GenotypeCalls> read_pharmcat(std::shared_ptr<const sim::SourceFile> file,
                                           const CallReading& reading,
                                           sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
