#include "covariate_names.hpp"
#include "keys.hpp"
#include "model_maps.hpp"
#include "model_words.hpp"
#include "names_of.hpp"

#include <gemel/pkpd/dose_equation.hpp>
#include <gemel/pkpd/dosing.hpp>
#include <gemel/pkpd/file_format.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace gemel::pkpd {
namespace {

struct DoseTestWords {
    sim::SourceSpan span;
    io::TomlView given, genotypes;
    double expect = 0.0, within = 1e-6;
};

/// What a map says beside the keys of a model's.
struct DoseMapWords {
    std::optional<double> not_known;
    bool reads_unnamed_as_reference = false;
    sim::SourceSpan unnamed_span;
};

struct DoseFileWords {
    std::string format;
    DoseEquation equation;
    sim::SourceText formula;
    sim::SourceSpan unit_span;
    std::vector<MapWords> maps;
    std::vector<DoseMapWords> own; ///< [maps]
    std::vector<DoseTestWords> tests;
};

void keep_view(io::Fields& fields,
               const io::Field& field,
               const std::string& shapes,
               io::TomlView& kept) {
    fields.any(field, shapes, [&kept](const io::TomlView& view) { kept = view; });
}

void describe_head(io::Fields& fields, DoseFileWords& words) {
    DoseEquation& equation = words.equation;
    fields.text(required_key("name", "one line", "\"warfarin by the IWPC equation\""),
                equation.name);
    fields.text(required_key("drug", "whose dose it is", "\"warfarin\""), equation.drug);
    fields.text(optional_key("about", "what it is for, and what it ignores", "\"…\""),
                equation.about);
    fields.text(required_key("source", "where it is published", "\"…, doi:…\""), equation.source);
    const std::vector<std::string> kinds{"seen", "derived", "remembered"};
    int kind = 0;
    fields.choice(required_key("confidence",
                               "seen in the source, derived from another's transcription, or "
                               "remembered",
                               "\"seen\""),
                  kinds,
                  kind);
    equation.confidence = kinds[static_cast<std::size_t>(kind)];
    fields.text(optional_key("seen", "how its numbers were seen", "\"abstract alone\""),
                equation.seen);
    fields.unit(required_key("unit", "of the dose: an amount, or an amount per time", "\"mg/wk\""),
                equation.unit);
    words.unit_span = fields.span("unit");
    fields.source(required_key("formula", "an expression of inputs and maps", "'''…'''"),
                  words.formula);
}

void describe_dose_map(io::Fields& fields, MapWords& map, DoseMapWords& own) {
    map.span = fields.span();
    describe_map(fields, map);
    double not_known = 0.0;
    fields.number(optional_key("not_known",
                               "the value where the genotype is not known; without it the genotype "
                               "is needed",
                               "0.4854"),
                  not_known);
    if (fields.has("not_known")) own.not_known = not_known;
    int unnamed = 0;
    fields.choice(optional_key("unnamed",
                               "an allele that the table does not name: an error, or the gene's "
                               "reference in its place, as a test of the named alleles alone reads "
                               "it",
                               "\"reference\""),
                  {"error", "reference"},
                  unnamed);
    own.reads_unnamed_as_reference = unnamed == 1;
    own.unnamed_span = fields.span("unnamed");
}

void describe_dose_test(io::Fields& fields, DoseTestWords& test) {
    test.span = fields.span();
    keep_view(fields,
              optional_key("given", "the inputs", "{ AGE = \"60 a\" }"),
              "a table of inputs and values",
              test.given);
    keep_view(fields,
              optional_key("genotypes", "not named: not known", "{ CYP2C9 = \"*1/*2\" }"),
              "diplotypes by gene",
              test.genotypes);
    fields.number(required_key("expect", "dose in the equation's unit", "42.7585"), test.expect);
    fields.number(positive(optional_key("within", "relative", "1e-6")), test.within);
    std::string source; // for readers only
    fields.text(required_key("source", "where the number is from", "\"…\""), source);
}

void describe(io::Fields& fields, DoseFileWords& words) {
    fields.text(required_key("gemel", "what the file is; its first line", "\"dose/1\""),
                words.format);
    fields.table(required_key("dose", "the equation", "{ … }"),
                 [&](io::Fields& head) { describe_head(head, words); });
    fields.keyed(optional_key("inputs", "covariates it asks for", ""),
                 [&](const std::string& name, io::Fields& row) {
                     words.equation.inputs.emplace_back().name = name;
                     describe_formula_input(row, words.equation.inputs.back());
                 });
    fields.keyed(optional_key("maps", "from genotype to number", ""),
                 [&](const std::string& name, io::Fields& row) {
                     words.maps.emplace_back().name = name;
                     describe_dose_map(row, words.maps.back(), words.own.emplace_back());
                 });
    fields.list(optional_key("tests", "what it must give; run whenever the file is loaded", ""),
                [&](io::Fields& row) { describe_dose_test(row, words.tests.emplace_back()); });
}

/// The alleles a table of diplotypes names.
std::vector<char> named_alleles(const GenotypeMap& map, const GeneTable& gene) {
    std::vector<char> is_named(gene.alleles.size(), 0);
    for (const auto& [diplotype, value] : map.by_diplotype)
        is_named[static_cast<std::size_t>(diplotype.first)] =
            is_named[static_cast<std::size_t>(diplotype.second)] = 1;
    return is_named;
}

/// Reads a file's words into an equation.
class DoseEquationReader {
public:
    DoseEquationReader(DoseFileWords& words,
                       const io::Library& library,
                       sim::DiagnosticList& diagnostics)
        : words_(words),
          equation_(words.equation),
          library_(library),
          diagnostics_(diagnostics) {}

    void read() {
        check_unit();
        read_genes();
        parse_formula();
        for (const DoseTestWords& test : words_.tests)
            read_test(test);
    }

private:
    void add(const sim::SourceSpan& span, std::string message, std::string help = {}) {
        diagnostics_.add(span, std::move(message), std::move(help));
    }

    void check_unit() {
        const sim::Dimension& dimension = equation_.unit.dimension;
        if (equation_.unit.text == "1" || is_amount(dimension) || equation_.is_rate()) return;
        add(words_.unit_span,
            fmt::format("the unit \"{}\" is {}; an amount, or an amount per time, is expected",
                        equation_.unit.text,
                        dimension.name()),
            "write for example unit = \"mg/wk\"");
    }

    /// By the reader of a model's maps, as if this were a model of maps alone.
    void read_genes() {
        ModelWords maps;
        maps.scopes.emplace_back().file = equation_.path;
        maps.maps = words_.maps;
        Model model;
        read_maps(maps, library_, model, diagnostics_);
        equation_.genes = model.genes;
        for (std::size_t m = 0; m < model.maps.size(); ++m) {
            DoseMap& map = equation_.maps.emplace_back();
            map.map = model.maps[m];
            map.not_known = words_.own[m].not_known;
            map.reads_unnamed_as_reference = words_.own[m].reads_unnamed_as_reference;
            if (const auto gene = equation_.genes.find(map.map.gene); gene != equation_.genes.end())
                map.is_named = named_alleles(map.map, *gene->second);
            if (map.reads_unnamed_as_reference && map.map.by != GenotypeMap::By::diplotype &&
                map.map.by != GenotypeMap::By::allele)
                add(words_.own[m].unnamed_span,
                    "only a table of diplotypes or alleles names alleles",
                    "write by = \"diplotype\", or leave `unnamed` out");
        }
    }

    /// Maps are to the formula what covariates are.
    std::vector<Covariate> columns() const {
        std::vector<Covariate> columns = equation_.inputs;
        for (std::size_t m = 0; m < words_.maps.size(); ++m) {
            Covariate& column = columns.emplace_back();
            column.name = words_.maps[m].name;
            column.unit = words_.maps[m].unit.unit;
        }
        return columns;
    }

    void parse_formula() {
        const std::vector<Covariate> all = columns();
        std::vector<std::string> names = names_of(all);
        for (std::size_t m = 0; m < words_.maps.size(); ++m)
            if (std::count(names.begin(), names.end(), words_.maps[m].name) > 1)
                add(words_.maps[m].span,
                    fmt::format("an input has the name '{}', too", words_.maps[m].name));
        if (words_.formula.text.empty()) return;
        equation_.function =
            CovariateNames(all).parse(words_.formula, equation_.unit, "the dose", diagnostics_);
        if (equation_.function) check_all_used(all);
    }

    void check_all_used(const std::vector<Covariate>& all) {
        const std::vector<std::size_t> needs = equation_.function->needs();
        for (std::size_t c = 0; c < all.size(); ++c)
            if (std::find(needs.begin(), needs.end(), c) == needs.end())
                add(c < equation_.inputs.size() ? all[c].span
                                                : words_.maps[c - equation_.inputs.size()].span,
                    fmt::format("the formula does not use '{}'", all[c].name),
                    "leave it out");
    }

    void read_test(const DoseTestWords& words) {
        DoseEquation::Test test;
        test.span = words.span;
        test.expect = words.expect;
        test.within = words.within;
        const std::size_t n_before = diagnostics_.size();
        read_given(words, test);
        read_test_genotypes(words, test);
        if (diagnostics_.size() == n_before) equation_.tests.push_back(std::move(test));
    }

    void read_given(const DoseTestWords& words, DoseEquation::Test& test) {
        const CovariateNames names(equation_.inputs);
        test.given.assign(equation_.inputs.size(), std::numeric_limits<double>::quiet_NaN());
        if (words.given.is_set() && words.given.kind() != io::TomlKind::table)
            return add(words.given.span(), "a table of inputs and values is expected");
        if (words.given.is_set())
            for (const auto& [name, view] : words.given.members()) {
                const int input = names.find(name);
                if (input < 0) {
                    add(view.key_span(),
                        fmt::format("'{}' is no input of this equation", name),
                        sim::suggest(name, names.names()));
                    continue;
                }
                const auto i = static_cast<std::size_t>(input);
                test.given[i] = read_covariate_value(names.at(i), view, diagnostics_).value_or(0.0);
            }
        for (std::size_t i = 0; i < test.given.size(); ++i)
            if (std::isnan(test.given[i]))
                add(words.span,
                    fmt::format("the test does not give '{}'", equation_.inputs[i].name));
    }

    void read_test_genotypes(const DoseTestWords& words, DoseEquation::Test& test) {
        if (!words.genotypes.is_set()) return;
        if (words.genotypes.kind() != io::TomlKind::table)
            return add(words.genotypes.span(), "a table of diplotypes by gene is expected");
        std::vector<std::string> known;
        for (const auto& [name, gene] : equation_.genes)
            known.push_back(name);
        for (const auto& [name, view] : words.genotypes.members()) {
            const auto gene = equation_.genes.find(name);
            if (gene == equation_.genes.end()) {
                add(view.key_span(),
                    fmt::format("no map of this equation has the gene '{}'", name),
                    sim::suggest(name, known));
                continue;
            }
            std::string why = "a diplotype such as \"*1/*2\" is expected";
            const auto text = view.text();
            const auto diplotype = text ? gene->second->parse_diplotype(*text, &why) : std::nullopt;
            if (diplotype)
                test.genotypes[name] = *diplotype;
            else
                add(view.span(), why);
        }
    }

    DoseFileWords& words_;
    DoseEquation& equation_;
    const io::Library& library_;
    sim::DiagnosticList& diagnostics_;
};

/// @returns "" or what differs, in words
std::string run_test(const DoseEquation& equation, const DoseEquation::Test& test) {
    std::vector<double> columns = test.given;
    for (std::size_t m = 0; m < equation.maps.size(); ++m) {
        const auto known = test.genotypes.find(equation.maps[m].map.gene);
        const auto value = equation.map_value(
            m, known == test.genotypes.end() ? std::nullopt : std::optional(known->second));
        if (!value)
            return fmt::format("the map {} has no value for {}",
                               equation.maps[m].map.name,
                               known == test.genotypes.end()
                                   ? "a genotype that is not known"
                                   : equation.genes.at(known->first)->text(known->second));
        columns.push_back(value->value);
    }
    const double dose = equation.doses(columns, 1).front();
    if (std::abs(dose - test.expect) <= test.within * std::abs(test.expect)) return {};
    return fmt::format(
        "the equation gives {:.8g} {}; {:.8g} is expected", dose, equation.unit.text, test.expect);
}

} // namespace

bool DoseEquation::is_rate() const {
    return is_amount(unit.dimension * sim::time_dimension);
}

std::optional<DoseMapValue>
DoseEquation::map_value(std::size_t map, const std::optional<Diplotype>& diplotype) const {
    const DoseMap& own = maps[map];
    if (!diplotype)
        return own.not_known ? std::optional(DoseMapValue{*own.not_known, DoseMapBasis::not_known})
                             : std::nullopt;
    const GeneTable& gene = *genes.at(own.map.gene);
    Diplotype read = *diplotype;
    DoseMapBasis basis = DoseMapBasis::table;
    if (own.reads_unnamed_as_reference)
        for (int* allele : {&read.first, &read.second})
            if (own.is_named[static_cast<std::size_t>(*allele)] == 0) {
                *allele = gene.find_allele(gene.reference);
                basis = DoseMapBasis::unnamed_allele;
            }
    if (read.second < read.first) std::swap(read.first, read.second);
    bool is_assumed = false;
    const auto value = pkpd::map_value(own.map, gene, read, gene.score(read), &is_assumed);
    if (!value) return std::nullopt;
    return DoseMapValue{*value, is_assumed ? DoseMapBasis::otherwise : basis};
}

std::vector<double> DoseEquation::doses(std::span<const double> columns, std::size_t count) const {
    std::vector<std::uint32_t> all(count);
    std::iota(all.begin(), all.end(), 0u);
    return function->evaluate(columns, count, all);
}

std::shared_ptr<const DoseEquation> load_dose_equation(const std::filesystem::path& file,
                                                       const io::Library& library,
                                                       sim::DiagnosticList& diagnostics) {
    const std::size_t n_before = diagnostics.size();
    const io::TomlView root = open_format(file, "dose/1", diagnostics);
    if (!root.is_set()) return nullptr;
    DoseFileWords words;
    words.equation.id = file.stem().string();
    words.equation.path = file;
    words.equation.file = root.span().file;
    io::read_fields(root, diagnostics, [&](io::Fields& fields) { describe(fields, words); });
    DoseEquationReader(words, library, diagnostics).read();
    if (diagnostics.size() != n_before) return nullptr;
    auto equation = std::make_shared<const DoseEquation>(std::move(words.equation));
    for (const DoseEquation::Test& test : equation->tests)
        if (const std::string why = run_test(*equation, test); !why.empty())
            diagnostics.add(test.span, why);
    return diagnostics.size() == n_before ? equation : nullptr;
}

void describe_dose_equation_for_reference(io::Fields& fields) {
    DoseFileWords words;
    describe(fields, words);
}

} // namespace gemel::pkpd
