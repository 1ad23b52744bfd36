#pragma once

#include "policies/policy_words.hpp"

#include <gemel/io/resources.hpp>
#include <gemel/pkpd/dose_equation.hpp>
#include <gemel/pkpd/recommendation.hpp>
#include <gemel/scenarios/study.hpp>

#include <vector>

/// Policies of a study while it is loaded: files are read, uses are made while regimens are
/// planned, rules when all else of the study stands.
namespace gemel::scenarios {

class PolicyBinder {
public:
    PolicyBinder(const std::vector<PolicyWords>& words,
                 const io::Library& library,
                 Study& study,
                 sim::DiagnosticList& diagnostics);

    /// Files and units. To be called first.
    void read();
    /// What a regimen knows: genes of the population. Appended to Study::knowledge.
    void add_knowledge(const io::TomlView& knows);
    /// Where the amounts of an entry with a policy stand; makes a use where there is none yet.
    std::optional<pkpd::PolicyColumn> column(std::size_t regimen, const pkpd::DoseWords& words);
    /// The rules of all uses. To be called last.
    void bind();

private:
    struct Source {
        const PolicyWords* words = nullptr;
        std::shared_ptr<const pkpd::DoseEquation> equation;
        std::shared_ptr<const pkpd::DrugRecommendations> recommendations;
        sim::Unit unit; ///< an amount, or an amount per time
        bool is_good = false;
        bool is_used = false;
    };
    void read(Source& source);
    std::filesystem::path file_of(const PolicyWords& words, const char* kind);
    void keep_file(const PolicyWords& words,
                   const std::filesystem::path& path,
                   const sim::SourceFile& file);
    void keep_genes(const std::map<std::string, std::shared_ptr<const pkpd::GeneTable>>& genes);
    bool has_genotypes(const std::string& gene, const sim::SourceSpan& span);
    std::optional<GenotypeReading> reading_of(const std::string& gene, const io::TomlView& view);
    std::optional<PolicyUse>
    make_use(std::size_t regimen, const Source& source, const pkpd::DoseWords& words);
    bool scale(const Source& source, const pkpd::DoseWords& words, PolicyUse& use);
    bool limit(const PolicyWords& words, PolicyUse& use);
    std::shared_ptr<const Policy> rule_of(std::size_t use);

    const std::vector<PolicyWords>& words_;
    const io::Library& library_;
    Study& study_;
    sim::DiagnosticList& diagnostics_;
    std::vector<Source> sources_; ///< as words_
};

} // namespace gemel::scenarios
