#include "keys.hpp"

#include <gemel/io/resources.hpp>
#include <gemel/pkpd/file_format.hpp>
#include <gemel/pkpd/panel.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace gemel::pkpd {
namespace {

struct PanelGeneWords {
    std::string gene;
    sim::SourceSpan span, alleles_span, variants_span;
    std::vector<std::string> alleles, variants;
    int structure = 0;
    std::vector<std::pair<std::string, std::string>> reads;
    sim::SourceSpan reads_span;
};

struct PanelWords {
    std::string format;
    Panel panel;
    std::vector<PanelGeneWords> genes;
};

void describe_gene_of_panel(io::Fields& f, PanelGeneWords& words) {
    words.span = f.span();
    f.texts(optional_key("alleles", "that are told apart", "[\"*2\", \"*3\"]"), words.alleles);
    words.alleles_span = f.span("alleles");
    f.texts(optional_key("variants",
                         "instead: positions that are looked at, by rsid or chrom:pos:ref:alt; an "
                         "allele reads as the simplest with the same of them",
                         "[\"rs1799853\"]"),
            words.variants);
    words.variants_span = f.span("variants");
    f.one_of({"alleles", "variants"}, true);
    f.choice(optional_key("structure",
                          "not_seen: copies and tandems read as the alleles they are made of",
                          "\"not_seen\""),
             {"seen", "not_seen"},
             words.structure);
    f.any(optional_key("reads", "alleles that read as others", "{ \"*4x2\" = \"*4\" }"),
          "a table of alleles",
          [&](const io::TomlView& view) {
              for (const auto& [allele, as] : view.members())
                  words.reads.emplace_back(allele, as.text().value_or(""));
              words.reads_span = view.span();
          });
}

void describe_panel(io::Fields& f, PanelWords& words) {
    f.text(required_key("gemel", "what the file is", "\"panel/1\""), words.format);
    f.table(required_key("panel", "the panel as a whole", ""), [&](io::Fields& g) {
        g.text(required_key("name", "one line", "\"CYP2C9 *2 and *3\""), words.panel.name);
        g.text(optional_key("about", "more of it", ""), words.panel.about);
        g.text(required_key("source", "who tests so", "\"assumed: …\""), words.panel.source);
    });
    f.keyed(required_key("genes", "what is tested", ""),
            [&](const std::string& gene, io::Fields& g) {
                words.genes.emplace_back().gene = gene;
                describe_gene_of_panel(g, words.genes.back());
            });
}

/// "rs1799853", or "chr10:94942290:C:T".
bool is_called(const AlleleVariant& variant, const std::string& word) {
    return (!variant.rsid.empty() && variant.rsid == word) ||
           word == fmt::format("{}:{}:{}:{}", variant.chrom, variant.pos, variant.ref, variant.alt);
}

/// "*68+*4" is made of *68 and *4, "*4x2" of *4 twice.
std::vector<int> parts_of(const GeneTable& gene, const std::string& name) {
    std::vector<int> parts;
    for (std::size_t from = 0; from <= name.size();) {
        const std::size_t to = std::min(name.find('+', from), name.size());
        const std::string part = name.substr(from, to - from);
        const int allele = gene.find_allele(part.substr(0, part.find('x')));
        if (allele >= 0) parts.push_back(allele);
        from = to + 1;
    }
    return parts;
}

/// Reads one gene of a panel against its table.
class PanelGeneReader {
public:
    PanelGeneReader(const PanelGeneWords& words,
                    std::shared_ptr<const GeneTable> table,
                    sim::DiagnosticList& diagnostics)
        : words_(words),
          table_(std::move(table)),
          reference_(table_->find_allele(table_->reference)),
          diagnostics_(diagnostics) {}

    PanelGene read() {
        PanelGene gene{words_.gene, table_, words_.alleles, {}};
        reads_.assign(table_->alleles.size(), reference_);
        if (table_->hemizygous_allele() >= 0)
            at(table_->hemizygous_allele()) = table_->hemizygous_allele();
        if (words_.variants.empty())
            read_alleles();
        else
            read_variants(gene);
        if (words_.structure == 1) read_structures();
        for (const auto& [allele, as] : words_.reads)
            read_as(allele, as);
        gene.reads = reads_;
        return gene;
    }

private:
    int& at(int allele) { return reads_[static_cast<std::size_t>(allele)]; }

    /// −1 after a mistake.
    int find(const std::string& name, const sim::SourceSpan& place) {
        const int allele = table_->find_allele(name);
        if (allele >= 0) return allele;
        std::vector<std::string> known;
        for (const Allele& each : table_->alleles)
            known.push_back(each.name);
        diagnostics_.add(place,
                         fmt::format("{} has no allele '{}'", table_->name, name),
                         sim::suggest(name, known));
        return -1;
    }

    void read_alleles() {
        for (const std::string& name : words_.alleles)
            if (const int allele = find(name, words_.alleles_span); allele >= 0)
                at(allele) = allele;
    }

    void read_as(const std::string& allele, const std::string& as) {
        const int from = find(allele, words_.reads_span), to = find(as, words_.reads_span);
        if (from >= 0 && to >= 0) at(from) = to;
    }

    /// Whether an allele carries each of the positions looked at.
    std::vector<char> seen_of(const Allele& allele) const {
        std::vector<char> seen(words_.variants.size(), 0);
        for (std::size_t v = 0; v < seen.size(); ++v)
            for (const AlleleVariant& variant : allele.variants)
                if (!variant.is_optional && is_called(variant, words_.variants[v])) seen[v] = 1;
        return seen;
    }

    void check_variants() {
        for (const std::string& word : words_.variants) {
            const bool is_known = std::ranges::any_of(table_->alleles, [&](const Allele& allele) {
                return std::ranges::any_of(allele.variants, [&](const AlleleVariant& variant) {
                    return is_called(variant, word);
                });
            });
            if (!is_known)
                diagnostics_.add(
                    words_.variants_span,
                    fmt::format("no allele of {} is defined by '{}'", table_->name, word),
                    "variants are named by rsid, or as chr10:94942290:C:T");
        }
    }

    /// Of alleles that look alike the one that needs the fewest changes besides; the reference, if
    /// it is among them.
    void read_variants(PanelGene& gene) {
        check_variants();
        gene.tested = words_.variants;
        std::vector<std::vector<char>> seen;
        std::vector<std::size_t> n_variants;
        for (const Allele& allele : table_->alleles) {
            seen.push_back(seen_of(allele));
            n_variants.push_back(allele.structure.empty() ? allele.variants.size() : 1000);
        }
        for (std::size_t a = 0; a < seen.size(); ++a) {
            if (static_cast<int>(a) == table_->hemizygous_allele()) continue;
            int best = seen[a] == seen[static_cast<std::size_t>(reference_)] ? reference_ : -1;
            for (std::size_t b = 0; best != reference_ && b < seen.size(); ++b)
                if (seen[b] == seen[a] &&
                    (best < 0 || n_variants[b] < n_variants[static_cast<std::size_t>(best)]))
                    best = static_cast<int>(b);
            reads_[a] = best;
        }
    }

    /// The first of its parts that does not read as the reference; a single copy of it.
    void read_structures() {
        for (std::size_t a = 0; a < table_->alleles.size(); ++a) {
            const Allele& allele = table_->alleles[a];
            if (allele.structure.empty() || allele.copies == 0 || is_tested(a)) continue;
            for (const int part : parts_of(*table_, allele.name))
                if (reads_[a] == reference_) reads_[a] = at(part);
        }
    }

    bool is_tested(std::size_t allele) const { return reads_[allele] == static_cast<int>(allele); }

    const PanelGeneWords& words_;
    std::shared_ptr<const GeneTable> table_;
    int reference_;
    sim::DiagnosticList& diagnostics_;
    std::vector<int> reads_;
};

std::shared_ptr<const GeneTable> gene_of_panel(const PanelGeneWords& words,
                                               const io::Library& library,
                                               sim::DiagnosticList& diagnostics) {
    const auto path = library.find("genes", words.gene);
    if (!path.empty()) return load_gene(path, diagnostics);
    diagnostics.add(words.span,
                    fmt::format("the library has no gene '{}'", words.gene),
                    sim::suggest(words.gene, library.names("genes")));
    return nullptr;
}

} // namespace

Diplotype PanelGene::read(const Diplotype& diplotype) const {
    const auto is_unseen_gap = [&](int allele) {
        return is_missed(allele) && table->alleles[static_cast<std::size_t>(allele)].copies == 0;
    };
    int a = diplotype.first, b = diplotype.second;
    if (is_unseen_gap(a)) a = b;
    if (is_unseen_gap(b)) b = a;
    a = reads[static_cast<std::size_t>(a)];
    b = reads[static_cast<std::size_t>(b)];
    return {std::min(a, b), std::max(a, b)};
}

const PanelGene* Panel::find(const std::string& gene) const {
    const auto found = std::ranges::find(genes, gene, &PanelGene::gene);
    return found == genes.end() ? nullptr : &*found;
}

std::shared_ptr<const Panel> load_panel(const std::filesystem::path& file,
                                        const io::Library& library,
                                        sim::DiagnosticList& diagnostics) {
    const std::size_t n_before = diagnostics.size();
    const io::TomlView root = open_format(file, "panel/1", diagnostics);
    if (!root.is_set()) return nullptr;
    PanelWords words;
    io::read_fields(root, diagnostics, [&](io::Fields& f) { describe_panel(f, words); });
    for (const PanelGeneWords& gene : words.genes)
        if (auto table = gene_of_panel(gene, library, diagnostics))
            words.panel.genes.push_back(
                PanelGeneReader(gene, std::move(table), diagnostics).read());
    if (diagnostics.size() != n_before) return nullptr;
    words.panel.id = file.stem().string();
    words.panel.path = file;
    words.panel.text = root.span().file;
    return std::make_shared<const Panel>(std::move(words.panel));
}

void describe_panel_for_reference(io::Fields& fields) {
    PanelWords words;
    describe_panel(fields, words);
}

} // namespace gemel::pkpd
