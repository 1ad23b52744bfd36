#include "population_reading.hpp"

#include <fmt/format.h>

#include <algorithm>

/// Genes that are inherited together.
namespace gemel::pkpd {
namespace {

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    std::size_t from = 0;
    for (auto blank = text.find(' '); blank != std::string::npos; blank = text.find(' ', from)) {
        words.push_back(text.substr(from, blank - from));
        from = blank + 1;
    }
    words.push_back(text.substr(from));
    return words;
}

class LinkedReader {
public:
    LinkedReader(const LinkedWords& words,
                 bool has_ancestry,
                 Population& population,
                 sim::DiagnosticList& diagnostics)
        : words_(words),
          has_ancestry_(has_ancestry),
          population_(population),
          diagnostics_(diagnostics) {}

    void read() {
        read_.span = words_.span;
        read_.genes = words_.genes;
        read_.name = fmt::format("{}", fmt::join(words_.genes, "+"));
        if (read_genes() && read_groups()) add_laws();
        population_.linked.push_back(std::move(read_)); // after a mistake, too: it is told once
    }

private:
    void add_laws() {
        for (std::size_t i = 0; i < read_.genes.size(); ++i) {
            GenotypeDistribution law;
            law.kind = GenotypeDistribution::Kind::linked;
            law.gene = read_.genes[i];
            law.table = population_.model->genes.at(law.gene);
            law.linked = population_.linked.size();
            law.member = i;
            population_.genotypes.push_back(std::move(law));
        }
    }

    bool mistake(const sim::SourceSpan& span, const std::string& message, const std::string& help) {
        diagnostics_.add(span, message, help);
        return false;
    }

    bool read_genes() {
        std::vector<std::string> known;
        for (const auto& [gene, table] : population_.model->genes)
            known.push_back(gene);
        bool is_right = true;
        for (const std::string& gene : words_.genes) {
            if (!population_.model->genes.contains(gene))
                is_right = mistake(words_.genes_span,
                                   fmt::format("the model {} has no map of the gene '{}'",
                                               population_.model->id,
                                               gene),
                                   sim::suggest(gene, known));
            else if (!population_.model->genes.at(gene)->hemizygous.empty())
                is_right = mistake(words_.genes_span,
                                   fmt::format("{} has one copy in some, and is not linked", gene),
                                   "give its alleles in `genotypes`");
            else if (std::ranges::count(words_.genes, gene) > 1 || is_linked_before(gene))
                is_right = mistake(words_.genes_span,
                                   fmt::format("{} is linked twice", gene),
                                   "put all genes that lie together in one list");
        }
        if (words_.genes.size() < 2)
            return mistake(words_.genes_span,
                           "two or more genes are expected",
                           "as in [\"CYP2C9\", \"CYP2C19\"]");
        return is_right;
    }

    bool is_linked_before(const std::string& gene) const {
        return std::ranges::any_of(population_.linked, [&](const LinkedGenes& linked) {
            return std::ranges::count(linked.genes, gene) > 0;
        });
    }

    /// `{ "*1 *1" = 0.6, … }`, or that for each group.
    bool read_groups() {
        const auto members = words_.haplotypes.members();
        if (words_.haplotypes.kind() != io::TomlKind::table || members.empty())
            return mistake(words_.haplotypes.span(),
                           "a table of haplotypes is expected",
                           "as in { \"*1 *1\" = 0.6, \"*2 *1\" = 0.4 }");
        if (members.front().second.kind() != io::TomlKind::table)
            return read_group("", words_.haplotypes);
        bool is_right = true;
        for (const auto& [code, view] : members)
            is_right &= read_group(code, view);
        return is_right && has_all_groups();
    }

    bool has_all_groups() {
        if (population_.groups.empty() && has_ancestry_) return false; // told there
        if (population_.groups.empty())
            return mistake(words_.haplotypes.span(),
                           "haplotypes by ancestry need the ancestry of the population",
                           "as in ancestry = { EUR = 0.5, EAS = 0.5 }");
        bool is_right = true;
        for (const std::string& code : population_.ancestors())
            if (read_.group(code) == nullptr)
                is_right = mistake(words_.haplotypes.span(),
                                   fmt::format("there are no haplotypes of {} in the group {}",
                                               fmt::join(read_.genes, " and "),
                                               code),
                                   "add them; no other group's stand in for them");
        return is_right;
    }

    bool read_group(const std::string& code, const io::TomlView& view) {
        LinkedGenes::Group group{code, {}, words_.subjects};
        const auto given = read_probabilities(view, "haplotype frequencies", diagnostics_);
        bool is_right = !given.empty();
        std::vector<std::size_t> seen;
        for (const auto& [text, frequency] : given) {
            const auto haplotype = find_alleles(words_of(text), 0);
            const sim::SourceSpan& span = view[text].key_span();
            if (!haplotype) {
                is_right = mistake(span, fmt::format("\"{}\" is no haplotype", text), help_with());
                continue;
            }
            const std::size_t h = index_of(*haplotype);
            if (std::ranges::count(seen, h) > 0)
                is_right = mistake(
                    span, fmt::format("\"{}\" stands here already", text), "keep one of the two");
            seen.push_back(h);
            group.frequencies.resize(read_.haplotypes.size(), 0.0);
            group.frequencies[h] = frequency;
        }
        read_.groups.push_back(std::move(group));
        for (LinkedGenes::Group& each : read_.groups)
            each.frequencies.resize(read_.haplotypes.size(), 0.0);
        return is_right;
    }

    std::string help_with() const {
        return fmt::format("write an allele of each gene with a blank between, in the order of {}",
                           fmt::join(read_.genes, ", "));
    }

    std::size_t index_of(const std::vector<int>& haplotype) {
        const auto found = std::ranges::find(read_.haplotypes, haplotype);
        const auto index = static_cast<std::size_t>(found - read_.haplotypes.begin());
        if (found == read_.haplotypes.end()) read_.haplotypes.push_back(haplotype);
        return index;
    }

    /// Alleles of the genes from `gene` on; a name may have blanks of its own.
    std::optional<std::vector<int>> find_alleles(const std::vector<std::string>& words,
                                                 std::size_t gene) const {
        if (gene == read_.genes.size())
            return words.empty() ? std::optional(std::vector<int>()) : std::nullopt;
        const GeneTable& table = *population_.model->genes.at(read_.genes[gene]);
        std::string name;
        for (std::size_t n = 1; n <= words.size(); ++n) {
            name += (n > 1 ? " " : "") + words[n - 1];
            const int allele = table.find_allele(name);
            if (allele < 0) continue;
            auto rest = find_alleles({words.begin() + static_cast<std::ptrdiff_t>(n), words.end()},
                                     gene + 1);
            if (!rest) continue;
            rest->insert(rest->begin(), allele);
            return rest;
        }
        return std::nullopt;
    }

    const LinkedWords& words_;
    bool has_ancestry_;
    Population& population_;
    sim::DiagnosticList& diagnostics_;
    LinkedGenes read_;
};

} // namespace

void read_linked(const std::vector<LinkedWords>& words,
                 bool has_ancestry,
                 Population& population,
                 sim::DiagnosticList& diagnostics) {
    for (const LinkedWords& each : words)
        LinkedReader(each, has_ancestry, population, diagnostics).read();
}

} // namespace gemel::pkpd
