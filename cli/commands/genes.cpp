#include "commands.hpp"
#include "program.hpp"

#include <gemel/pkpd/gene_table.hpp>
#include <gemel/scenarios/text_table.hpp>

#include <fmt/format.h>

namespace gemel::cli {

namespace {

using Rows = std::vector<std::vector<std::string>>;

std::shared_ptr<const pkpd::GeneTable> load_gene(const std::string& name) {
    sim::DiagnosticList diagnostics;
    const io::Library found = library();
    const auto file = found.find("genes", name);
    if (file.empty())
        diagnostics.add({},
                        fmt::format("the library has no gene '{}'", name),
                        sim::suggest(name, found.names("genes")));
    const auto gene = file.empty() ? nullptr : pkpd::load_gene(file, diagnostics);
    diagnostics.throw_if_any();
    return gene;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : ", ") + word;
    return text;
}

std::string activity_text(const pkpd::Allele& allele) {
    if (!allele.activity) return "–";
    return fmt::format("{}{:g}", allele.is_activity_lower_bound ? "≥" : "", *allele.activity);
}

std::string copies_text(const pkpd::Allele& allele) {
    if (allele.copies == 1) return "";
    return fmt::format("{}{}", allele.is_copies_lower_bound ? "≥" : "", allele.copies);
}

Rows allele_rows(const pkpd::GeneTable& gene) {
    Rows rows{{"allele", "activity", "copies", "function", "structure", "aliases"}};
    for (const pkpd::AlleleFrequencies& group : gene.frequencies)
        rows.front().push_back(group.group);
    for (std::size_t a = 0; a < gene.alleles.size(); ++a) {
        const pkpd::Allele& allele = gene.alleles[a];
        rows.push_back({allele.name,
                        activity_text(allele),
                        copies_text(allele),
                        allele.function,
                        allele.structure,
                        joined(allele.aliases)});
        for (const pkpd::AlleleFrequencies& group : gene.frequencies)
            rows.back().push_back(fmt::format("{:.4f}", group.frequencies[a]));
    }
    return rows;
}

Rows phenotype_rows(const pkpd::GeneTable& gene) {
    Rows rows;
    for (const pkpd::Phenotype& phenotype : gene.phenotypes)
        rows.push_back({phenotype.label, phenotype.name});
    return rows;
}

/// Frequencies that are not the gene's source's, or not as it has them.
Rows origin_rows(const pkpd::GeneTable& gene) {
    Rows rows{{"group", "allele", "frequency", "confidence", "source"}};
    for (const pkpd::AlleleFrequencies& group : gene.frequencies)
        for (std::size_t a = 0; a < gene.alleles.size(); ++a)
            if (const pkpd::FrequencyOrigin& origin = group.origins[a]; !origin.confidence.empty())
                rows.push_back({group.group,
                                gene.alleles[a].name,
                                fmt::format("{:g}", group.frequencies[a]),
                                origin.confidence,
                                origin.source});
    return rows;
}

std::string origins_text(const pkpd::GeneTable& gene) {
    const Rows rows = origin_rows(gene);
    if (rows.size() == 1) return "";
    return fmt::format("frequencies with a source of their own\n{}\n",
                       scenarios::text_table(rows, scenarios::Alignment::left));
}

/// The file's own tests, which passed when it was loaded.
Rows test_rows(const pkpd::GeneTable& gene) {
    Rows rows{{"diplotype", "score", "phenotype"}};
    for (const pkpd::GeneTable::Test& test : gene.tests)
        rows.push_back(
            {test.diplotype,
             test.score ? fmt::format("{}{:g}", test.is_score_lower_bound ? "≥" : "", *test.score)
                        : "–",
             test.phenotype});
    return rows;
}

std::string rule_text(const pkpd::GeneTable& gene) {
    if (gene.is_per_variant) return "the two lowest activities of all variants carried";
    return gene.has_score ? "activity score" : "pair of functions";
}

int show_gene(const std::string& name) {
    const auto gene = load_gene(name);
    fmt::print(
        "{}, reference {}, phenotype by {}\n\n{}\nphenotypes\n{}\nexamples\n{}\n{}source: {} "
        "({}, {})\n",
        gene->name,
        gene->reference,
        rule_text(*gene),
        scenarios::text_table(allele_rows(*gene), scenarios::Alignment::left),
        scenarios::text_table(phenotype_rows(*gene), scenarios::Alignment::left),
        scenarios::text_table(test_rows(*gene), scenarios::Alignment::left),
        origins_text(*gene),
        gene->source,
        gene->date,
        gene->licence);
    return exit_ok;
}

int list_genes() {
    const io::Library found = library();
    Rows rows;
    sim::DiagnosticList diagnostics;
    for (const std::string& name : found.names("genes"))
        if (const auto gene = pkpd::load_gene(found.find("genes", name), diagnostics))
            rows.push_back({name,
                            fmt::format("{} alleles", gene->alleles.size()),
                            fmt::format("{} ancestry groups", gene->frequencies.size())});
    fmt::print("{}", scenarios::text_table(rows, scenarios::Alignment::left));
    diagnostics.throw_if_any();
    return exit_ok;
}

} // namespace

void add_genes(CLI::App& program, Action& action) {
    auto name = std::make_shared<std::string>();
    CLI::App* command = program.add_subcommand("genes", "List the library's genes, or show one");
    command->add_option("NAME", *name, "a gene of the library");
    add_genes_call(*command, action);
    command->callback([name, command, &action] {
        if (command->get_subcommands().empty())
            action = [name] { return name->empty() ? list_genes() : show_gene(*name); };
    });
}

} // namespace gemel::cli
