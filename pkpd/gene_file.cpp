#include "keys.hpp"

#include <gemel/io/fields.hpp>
#include <gemel/pkpd/file_format.hpp>
#include <gemel/pkpd/gene_table.hpp>
#include <gemel/pkpd/model.hpp>
#include <gemel/sim/diagnostic.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace gemel::pkpd {

namespace {

using io::Fields;

constexpr double nan = std::numeric_limits<double>::quiet_NaN(); // not read

struct PhenotypeWords {
    Phenotype phenotype;
    std::vector<double> score;
    std::vector<std::vector<std::string>> pairs;
    sim::SourceSpan span;
};

struct FrequencyWords {
    std::string group;
    sim::SourceSpan span;
    struct Row {
        std::string allele;
        double frequency = 0.0;
        std::int64_t subjects = 0;
        FrequencyOrigin origin;
        sim::SourceSpan span;
    };
    std::vector<Row> rows;
};

/// A gene's file as it stands, before its names are looked up.
struct GeneWords {
    std::string format;
    GeneTable gene;
    std::string unknown;
    sim::SourceSpan reference_span, unknown_span, hemizygous_span;
    std::vector<PhenotypeWords> phenotypes;
    std::vector<FrequencyWords> frequencies;
    std::vector<sim::SourceSpan> allele_spans;
    sim::DiagnosticList* diagnostics = nullptr;
};

void describe_header(Fields& f, GeneWords& words) {
    f.text(required_key("name", "the gene's symbol", "\"CYP2C9\""), words.gene.name);
    f.text(required_key("source", "where the facts are from", "\"CPIC, https://cpicpgx.org/\""),
           words.gene.source);
    f.text(required_key("date", "of the source", "\"2026-05-11\""), words.gene.date);
    f.text(required_key("licence", "of the facts", "\"CC0-1.0\""), words.gene.licence);
    f.text(required_key("reference", "the allele a typical patient has twice", "\"*1\""),
           words.gene.reference);
    int by = 0;
    f.choice(required_key("phenotype_by", "what decides the phenotype", "\"activity_score\""),
             {"activity_score", "function_pair", "two_lowest"},
             by);
    words.gene.has_score = by != 1;
    words.gene.is_per_variant = by == 2;
    f.text(
        optional_key("unknown", "the phenotype of diplotypes no rule covers", "\"Indeterminate\""),
        words.unknown);
    f.text(optional_key("hemizygous",
                        "the allele that stands for the second of who has one copy of the gene",
                        "\"Y\""),
           words.gene.hemizygous);
    words.hemizygous_span = f.span("hemizygous");
    words.reference_span = f.span("reference");
    words.unknown_span = f.span("unknown");
}

void describe_variant(Fields& f, AlleleVariant& variant) {
    f.text(optional_key("rsid", "dbSNP number", "\"rs1799853\""), variant.rsid);
    f.text(required_key("chrom", "chromosome", "\"chr10\""), variant.chrom);
    f.integer(positive(required_key("pos", "position in GRCh38", "94942290")), variant.pos);
    f.text(required_key("ref", "reference bases, forward strand", "\"C\""), variant.ref);
    f.text(required_key("alt", "changed bases, forward strand", "\"T\""), variant.alt);
    f.flag(optional_key("optional", "the definition allows either", "true"), variant.is_optional);
}

/// `name` or `name_at_least`. @returns whether the latter
bool read_exact_or_bound(Fields& f,
                         const std::string& name,
                         const std::string& about,
                         const std::string& example,
                         std::optional<double>& value) {
    double exact = nan, bound = nan;
    const std::string bound_name = name + "_at_least";
    f.number(not_negative(optional_key(name, about, example)), exact);
    f.number(not_negative(optional_key(bound_name, "in its place, where it is a lower bound", "3")),
             bound);
    f.one_of({name, bound_name}, false);
    const bool is_bound = !std::isnan(bound);
    if (is_bound || !std::isnan(exact)) value = is_bound ? bound : exact;
    return is_bound;
}

void describe_copies(Fields& f, Allele& allele) {
    std::int64_t exact = -1, bound = -1;
    const auto key = [](const std::string& name, const std::string& about) {
        io::Field field = not_negative(optional_key(name, about, "2"));
        field.at_most = 100.0;
        return field;
    };
    f.integer(key("copies", "of the gene on the chromosome, hybrids included; 1 without it"),
              exact);
    f.integer(key("copies_at_least", "in its place, where it is a lower bound"), bound);
    f.one_of({"copies", "copies_at_least"}, false);
    allele.is_copies_lower_bound = bound >= 0;
    if (exact >= 0 || bound >= 0) allele.copies = static_cast<int>(std::max(exact, bound));
}

void describe_allele(Fields& f, Allele& allele) {
    f.text(required_key("function", "clinical function", "\"Decreased function\""),
           allele.function);
    allele.is_activity_lower_bound =
        read_exact_or_bound(f,
                            "activity",
                            "value in the activity score; none where it is not known",
                            "0.5",
                            allele.activity);
    f.text(optional_key("structure", "what no short variant shows", "\"whole-gene deletion\""),
           allele.structure);
    describe_copies(f, allele);
    f.texts(optional_key("aliases", "other names, with their strand", "[\"rs9923231 T\"]"),
            allele.aliases);
    f.list(optional_key("variants", "the changes that define it", "[]"),
           [&](Fields& row) { describe_variant(row, allele.variants.emplace_back()); });
}

void read_pairs(const io::TomlView& view, GeneWords& words, PhenotypeWords& phenotype) {
    for (const io::TomlView& row : view.elements()) {
        std::vector<std::string> pair;
        for (const io::TomlView& cell : row.elements())
            if (const auto text = cell.text()) pair.push_back(*text);
        if (pair.size() == 2)
            phenotype.pairs.push_back(pair);
        else
            words.diagnostics->add(row.span(),
                                   "this is no pair of functions",
                                   "write two functions, as [\"No function\", \"No function\"]");
    }
}

void describe_phenotype(Fields& f, GeneWords& words, PhenotypeWords& phenotype) {
    f.text(required_key("label", "short name, for tables", "\"IM\""), phenotype.phenotype.label);
    const auto read_score = [&](const io::TomlView& view) {
        for (const io::TomlView& cell : view.elements())
            if (const auto number = cell.number()) phenotype.score.push_back(*number);
        if (phenotype.score.size() != 2 || view.elements().size() != 2 ||
            phenotype.score[0] > phenotype.score[1])
            words.diagnostics->add(view.span(),
                                   "a range of activity scores is two numbers, the lower first",
                                   "write for example [1, 1.5]");
    };
    f.any(optional_key("score",
                       "lowest and highest activity score, both included; the highest may be inf",
                       "[1, 1.5]"),
          "two numbers",
          read_score);
    f.any(optional_key("pairs",
                       "pairs of functions, in any order",
                       "[[\"Normal function\", \"No function\"]]"),
          "pairs of texts",
          [&](const io::TomlView& view) { read_pairs(view, words, phenotype); });
    f.one_of({"score", "pairs"}, false);
    phenotype.span = f.span();
}

void describe_origin(Fields& f, FrequencyOrigin& origin) {
    const std::vector<std::string> words{"seen", "derived", "remembered"};
    const int not_given = -1;
    int word = not_given;
    f.choice(optional_key(
                 "confidence", "in the number, where it is not the gene's source's", "\"seen\""),
             words,
             word);
    if (word != not_given) origin.confidence = words[static_cast<std::size_t>(word)];
    f.text(optional_key("source", "of the number, where it is not the gene's", "\"Zhou 2017\""),
           origin.source);
}

void describe_frequencies(Fields& f, FrequencyWords& group) {
    group.span = f.span();
    f.keyed(required_key("alleles", "frequency of each allele in the group", "{}"),
            [&](const std::string& allele, Fields& row) {
                FrequencyWords::Row& words = group.rows.emplace_back();
                words.allele = allele;
                words.span = row.span();
                io::Field frequency = required_key("frequency", "share of chromosomes", "0.128");
                frequency.at_least = 0.0;
                frequency.at_most = 1.0;
                row.number(frequency, words.frequency);
                row.integer(not_negative(optional_key("subjects", "how many were tested", "6791")),
                            words.subjects);
                describe_origin(row, words.origin);
            });
}

void describe_test(Fields& f, GeneTable::Test& test) {
    test.span = f.span();
    f.text(required_key("diplotype", "two alleles", "\"*1/*3\""), test.diplotype);
    f.text(required_key("phenotype", "expected phenotype", "\"Intermediate Metabolizer\""),
           test.phenotype);
    test.is_score_lower_bound = read_exact_or_bound(
        f, "score", "expected activity score; absent: not known", "1", test.score);
}

void describe_gene(Fields& f, GeneWords& words) {
    f.text(required_key("gemel", "what the file is", "\"gene/1\""), words.format);
    f.table(required_key("gene", "the gene as a whole", ""),
            [&](Fields& g) { describe_header(g, words); });
    f.keyed(required_key("alleles", "the alleles, reference first by custom", ""),
            [&](const std::string& key, Fields& row) {
                words.allele_spans.push_back(row.span());
                words.gene.alleles.emplace_back().name = key;
                describe_allele(row, words.gene.alleles.back());
            });
    f.keyed(required_key("phenotypes", "the phenotypes and what leads to them", ""),
            [&](const std::string& key, Fields& row) {
                words.phenotypes.emplace_back().phenotype.name = key;
                describe_phenotype(row, words, words.phenotypes.back());
            });
    f.keyed(optional_key("frequencies", "allele frequencies by ancestry group", ""),
            [&](const std::string& key, Fields& row) {
                words.frequencies.emplace_back().group = key;
                describe_frequencies(row, words.frequencies.back());
            });
    f.list(optional_key("tests", "diplotypes with what they must give", ""),
           [&](Fields& row) { describe_test(row, words.gene.tests.emplace_back()); });
}

/// From words to a table: every name in the file must be one of the file's own.
class GeneBuilder {
public:
    GeneBuilder(GeneWords words, sim::DiagnosticList& diagnostics)
        : words_(std::move(words)),
          diagnostics_(diagnostics) {}

    GeneTable build() {
        table_ = words_.gene;
        check_alleles();
        add_phenotypes();
        add_unknown();
        for (const FrequencyWords& group : words_.frequencies)
            add_frequencies(group);
        return table_;
    }

private:
    void check_alleles() {
        for (std::size_t i = 0; i < table_.alleles.size(); ++i)
            for (const std::string& word : names_of(table_.alleles[i]))
                if (table_.find_allele(word) != static_cast<int>(i))
                    diagnostics_.add(words_.allele_spans[i],
                                     fmt::format("'{}' names two alleles", word));
        if (!table_.reference.empty() && table_.find_allele(table_.reference) < 0)
            diagnostics_.add(
                words_.reference_span,
                fmt::format("the reference '{}' is none of the alleles", table_.reference),
                sim::suggest(table_.reference, allele_names()));
        check_hemizygous();
    }

    void check_hemizygous() {
        if (table_.hemizygous.empty()) return;
        const int missing = table_.hemizygous_allele();
        if (missing < 0)
            diagnostics_.add(words_.hemizygous_span,
                             fmt::format("'{}' is none of the alleles", table_.hemizygous),
                             sim::suggest(table_.hemizygous, allele_names()));
        else if (missing == table_.find_allele(table_.reference))
            diagnostics_.add(words_.hemizygous_span,
                             "the reference cannot stand for a missing second copy",
                             "give that an allele of its own");
        if (table_.has_score)
            diagnostics_.add(
                words_.hemizygous_span,
                "'hemizygous' has a meaning only where phenotype_by = \"function_pair\"");
    }

    static std::vector<std::string> names_of(const Allele& allele) {
        std::vector<std::string> names = allele.aliases;
        names.push_back(allele.name);
        return names;
    }

    std::vector<std::string> allele_names() const {
        std::vector<std::string> names;
        for (const Allele& allele : table_.alleles)
            names.push_back(allele.name);
        return names;
    }

    void add_phenotypes() {
        for (std::size_t i = 0; i < words_.phenotypes.size(); ++i) {
            const PhenotypeWords& words = words_.phenotypes[i];
            table_.phenotypes.push_back(words.phenotype);
            add_rules(words, static_cast<int>(i));
        }
        for (std::size_t i = 0; i < words_.phenotypes.size(); ++i)
            for (std::size_t j = 0; j < i; ++j)
                check_apart(words_.phenotypes[j], words_.phenotypes[i]);
    }

    /// Two phenotypes share no word, no score and no pair, so that the order of a file decides
    /// nothing.
    void check_apart(const PhenotypeWords& a, const PhenotypeWords& b) {
        const auto tell = [&](std::string message, std::string help) {
            diagnostics_.add(b.span, std::move(message), std::move(help));
        };
        for (const std::string& word : {b.phenotype.name, b.phenotype.label})
            if (!word.empty() && (word == a.phenotype.name || word == a.phenotype.label))
                tell(fmt::format("'{}' names two phenotypes", word), "rename one of them");
        if (a.score.size() == 2 && b.score.size() == 2 && a.score[0] <= b.score[1] &&
            b.score[0] <= a.score[1])
            tell(fmt::format("the scores of '{}' and '{}' overlap from {:g} to {:g}",
                             a.phenotype.name,
                             b.phenotype.name,
                             std::max(a.score[0], b.score[0]),
                             std::min(a.score[1], b.score[1])),
                 "both ends of a range belong to it");
        for (auto pair : b.pairs)
            for (auto other : a.pairs) {
                std::ranges::sort(pair);
                std::ranges::sort(other);
                if (pair == other)
                    tell(fmt::format("'{}' and '{}' both claim the pair of '{}' and '{}'",
                                     a.phenotype.name,
                                     b.phenotype.name,
                                     pair[0],
                                     pair[1]),
                         "a pair of functions has one phenotype");
            }
    }

    void add_rules(const PhenotypeWords& words, int phenotype) {
        if (!words.score.empty() && !table_.has_score)
            diagnostics_.add(words.span,
                             "'score' has no meaning where phenotype_by = \"function_pair\"");
        if (!words.pairs.empty() && table_.has_score)
            diagnostics_.add(words.span,
                             fmt::format("'pairs' has no meaning where phenotype_by = \"{}\"",
                                         table_.is_per_variant ? "two_lowest" : "activity_score"));
        if (words.score.size() == 2)
            table_.score_rules.push_back({words.score[0], words.score[1], phenotype});
        for (const auto& pair : words.pairs) {
            check_function(pair[0], words.span);
            check_function(pair[1], words.span);
            table_.pair_rules.push_back({pair[0], pair[1], phenotype});
        }
    }

    void check_function(const std::string& function, const sim::SourceSpan& span) {
        std::vector<std::string> known;
        for (const Allele& allele : table_.alleles)
            if (std::ranges::count(known, allele.function) == 0) known.push_back(allele.function);
        if (std::ranges::count(known, function) == 0)
            diagnostics_.add(span,
                             fmt::format("no allele has the function '{}'", function),
                             sim::suggest(function, known));
    }

    /// Without `unknown` every diplotype must be covered, which only pair rules can promise.
    void add_unknown() {
        if (!words_.unknown.empty()) {
            table_.otherwise = table_.find_phenotype(words_.unknown);
            if (table_.otherwise >= 0) return;
            std::vector<std::string> known;
            for (const Phenotype& phenotype : table_.phenotypes)
                known.push_back(phenotype.name);
            diagnostics_.add(words_.unknown_span,
                             fmt::format("'{}' is none of the phenotypes", words_.unknown),
                             sim::suggest(words_.unknown, known));
            return;
        }
        table_.otherwise = -1;
        const int n = static_cast<int>(table_.alleles.size());
        for (int a = 0; a < n; ++a)
            for (int b = a; b < n; ++b)
                if ((a < b || a != table_.hemizygous_allele()) && table_.phenotype({a, b}) < 0) {
                    diagnostics_.add(
                        words_.reference_span,
                        fmt::format("no rule gives a phenotype for {}", table_.text({a, b})),
                        "name one in [gene] unknown = \"…\" for diplotypes no rule covers");
                    table_.otherwise = 0;
                    return;
                }
    }

    void add_frequencies(const FrequencyWords& words) {
        AlleleFrequencies row;
        row.group = words.group;
        row.frequencies.assign(table_.alleles.size(), 0.0);
        row.n_subjects.assign(table_.alleles.size(), 0);
        row.origins.assign(table_.alleles.size(), {});
        for (const FrequencyWords::Row& given : words.rows) {
            const int allele = table_.find_allele(given.allele);
            if (allele < 0) {
                diagnostics_.add(given.span,
                                 fmt::format("'{}' is no allele of {}", given.allele, table_.name),
                                 sim::suggest(given.allele, allele_names()));
                continue;
            }
            if (allele == table_.hemizygous_allele()) {
                diagnostics_.add(given.span,
                                 fmt::format("'{}' stands for a missing copy and has no frequency",
                                             given.allele),
                                 "the alleles that are there sum to 1");
                continue;
            }
            row.frequencies[static_cast<std::size_t>(allele)] = given.frequency;
            row.n_subjects[static_cast<std::size_t>(allele)] = given.subjects;
            row.origins[static_cast<std::size_t>(allele)] = given.origin;
        }
        const double sum = std::accumulate(row.frequencies.begin(), row.frequencies.end(), 0.0);
        constexpr double published_digits = 2e-5; // six digits, some ten alleles
        if (std::abs(sum - 1.0) > published_digits)
            diagnostics_.add(
                words.span,
                fmt::format("the frequencies of {} sum to {:.6g}, not 1", words.group, sum));
        table_.frequencies.push_back(std::move(row));
    }

    GeneWords words_;
    sim::DiagnosticList& diagnostics_;
    GeneTable table_;
};

std::string score_text(const GeneTable::Test& test) {
    if (!test.score) return "not known";
    return fmt::format("{}{:g}", test.is_score_lower_bound ? ">=" : "", *test.score);
}

/// A file that fails its own test is wrong in one of the two places.
void run_tests(const GeneTable& gene, sim::DiagnosticList& diagnostics) {
    constexpr double rounding = 1e-9;
    for (const GeneTable::Test& test : gene.tests) {
        const auto fail = [&](const std::string& why) {
            diagnostics.add(test.span, "the gene does not pass its own test: " + why);
        };
        std::string why;
        const auto diplotype = gene.parse_diplotype(test.diplotype, &why);
        if (!diplotype) {
            fail(why);
            continue;
        }
        const auto& phenotype =
            gene.phenotypes[static_cast<std::size_t>(gene.phenotype(*diplotype))].name;
        if (phenotype != test.phenotype)
            fail(fmt::format(
                "{} is '{}', expected '{}'", test.diplotype, phenotype, test.phenotype));
        const auto score = gene.score(*diplotype);
        if (score.has_value() != test.score.has_value() ||
            gene.is_score_lower_bound(*diplotype) != test.is_score_lower_bound ||
            (score && !(std::abs(*score - *test.score) <= rounding)))
            fail(fmt::format("the activity score of {} is {}, expected {}",
                             test.diplotype,
                             gene.score_text(*diplotype),
                             score_text(test)));
    }
}

} // namespace

std::shared_ptr<const GeneTable> load_gene(const std::filesystem::path& file,
                                           sim::DiagnosticList& diagnostics) {
    const std::size_t n_before = diagnostics.size();
    const io::TomlView root = open_format(file, "gene/1", diagnostics);
    if (!root.is_set()) return nullptr;
    GeneWords words;
    words.diagnostics = &diagnostics;
    io::read_fields(root, diagnostics, [&](Fields& f) { describe_gene(f, words); });
    GeneTable gene = GeneBuilder(std::move(words), diagnostics).build();
    if (diagnostics.size() == n_before) run_tests(gene, diagnostics);
    if (diagnostics.size() != n_before) return nullptr;
    gene.file = root.span().file;
    return std::make_shared<const GeneTable>(std::move(gene));
}

void describe_gene_for_reference(io::Fields& fields) {
    GeneWords words;
    describe_gene(fields, words);
}

} // namespace gemel::pkpd
