#include "model_maps.hpp"

#include "keys.hpp"
#include "names_of.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

namespace gemel::pkpd {

namespace {

using By = GenotypeMap::By;
using Law = GenotypeMap::Law;

/// "library name" or "file.toml beside the model".
std::filesystem::path
gene_path(const std::string& gene, const std::filesystem::path& model, const io::Library& library) {
    if (gene.ends_with(".toml")) return io::resolve(library, "genes", gene, model);
    return library.find("genes", gene);
}

std::optional<double> number_of(const std::string& text) {
    const auto quantity = sim::parse_quantity(text);
    if (!quantity || !quantity->unit.is_dimensionless() || quantity->unit.text != "1")
        return std::nullopt;
    return quantity->value;
}

std::vector<std::string> phenotype_words(const GeneTable& gene) {
    std::vector<std::string> words;
    for (const Phenotype& phenotype : gene.phenotypes) {
        words.push_back(phenotype.name);
        words.push_back(phenotype.label);
    }
    return words;
}

/// Reads one `[maps.X]`. Each `enter_*` takes a key of a table and returns what is wrong with it.
class MapReader {
public:
    MapReader(const MapWords& words, const GeneTable& gene, sim::DiagnosticList& diagnostics)
        : words_(words),
          gene_(gene),
          diagnostics_(diagnostics) {}

    GenotypeMap read() {
        map_.name = words_.name;
        map_.gene = gene_.name;
        map_.span = words_.span;
        map_.by = words_.by;
        map_.unit = words_.unit.unit;
        map_.law = words_.law;
        if ((map_.by == By::activity_score) && !gene_.has_score)
            add(words_.span, fmt::format("{} has no activity score", gene_.name));
        read_law();
        read_reference();
        read_otherwise();
        return std::move(map_);
    }

private:
    void add(const sim::SourceSpan& span, std::string message, std::string help = {}) {
        diagnostics_.add(span, std::move(message), std::move(help));
    }

    void read_law() {
        if (map_.law == Law::table) {
            if (words_.exponent) add(words_.span, "'exponent' belongs to law = \"power\"");
            if (words_.half) add(words_.span, "'half' belongs to law = \"emax\"");
            if (!words_.table.is_set())
                add(words_.span, "a map of law \"table\" needs 'table'");
            else
                read_table(words_.table, map_.by, map_.by_phenotype, map_.by_score);
            return;
        }
        const bool is_power = map_.law == Law::power;
        if (map_.by != By::activity_score)
            add(words_.span,
                "a law is for by = \"activity_score\"; others have a table",
                "write by = \"activity_score\"");
        if (words_.table.is_set()) add(words_.table.key_span(), "a law other than table has none");
        if (is_power ? !words_.exponent : !words_.half)
            add(words_.span,
                is_power ? "law \"power\" needs 'exponent'" : "law \"emax\" needs 'half'");
        if (is_power ? words_.half.has_value() : words_.exponent.has_value())
            add(words_.span,
                is_power ? "'half' belongs to law = \"emax\""
                         : "'exponent' belongs to law = \"power\"");
        map_.exponent = words_.exponent.value_or(1.0);
        map_.half = words_.half.value_or(0.0);
    }

    using Enter = std::function<std::string(const std::string& key, double value)>;

    /// Every member a number; `enter` says what is wrong with its key.
    void read_numbers(const io::TomlView& table, const Enter& enter) {
        if (table.kind() != io::TomlKind::table) {
            add(table.span(),
                fmt::format("{} stands here; a table is expected", io::name(table.kind())),
                "write for example { \"*1/*1\" = 1, \"*1/*2\" = 0.685 }");
            return;
        }
        for (const auto& [key, view] : table.members()) {
            const auto number = view.number();
            if (!number || !std::isfinite(*number)) {
                add(view.span(),
                    number ? fmt::format("{} stands here; a finite number is expected", *number)
                           : fmt::format("{} stands here; a number is expected",
                                         io::name(view.kind())));
                continue;
            }
            if (const std::string problem = enter(key, *number); !problem.empty())
                add(view.key_span(), problem);
        }
    }

    void read_table(const io::TomlView& table,
                    By by,
                    std::map<int, double>& by_phenotype,
                    std::map<double, double>& by_score) {
        std::map<int, double> by_allele;
        read_numbers(table, [&](const std::string& key, double value) -> std::string {
            if (value < 0.0) return fmt::format("the value {:g} is negative", value);
            switch (by) {
            case By::diplotype:
                return enter_diplotype(key, value);
            case By::allele:
                return enter_allele(key, value, by_allele);
            case By::phenotype:
                return enter_phenotype(key, value, by_phenotype);
            case By::activity_score:
                break;
            }
            return enter_score(key, value, by_score);
        });
        for (const auto& [a, x] : by_allele)
            for (const auto& [b, y] : by_allele)
                if (a <= b) map_.by_diplotype[{a, b}] = x * y;
    }

    std::string enter_diplotype(const std::string& key, double value) {
        std::string why;
        const auto diplotype = gene_.parse_diplotype(key, &why);
        if (!diplotype) return why;
        if (!map_.by_diplotype.emplace(*diplotype, value).second)
            return fmt::format("{} stands here twice", gene_.text(*diplotype));
        return {};
    }

    std::string
    enter_allele(const std::string& key, double value, std::map<int, double>& by_allele) {
        const int allele = gene_.find_allele(key);
        if (allele < 0)
            return fmt::format("'{}' is no allele of {}; {}",
                               key,
                               gene_.name,
                               sim::suggest(key, names_of(gene_.alleles)));
        if (!by_allele.emplace(allele, value).second)
            return fmt::format("{} stands here twice", key);
        return {};
    }

    std::string
    enter_phenotype(const std::string& key, double value, std::map<int, double>& by_phenotype) {
        const int phenotype = gene_.find_phenotype(key);
        if (phenotype < 0)
            return fmt::format("'{}' is no phenotype of {}; {}",
                               key,
                               gene_.name,
                               sim::suggest(key, phenotype_words(gene_)));
        if (!by_phenotype.emplace(phenotype, value).second)
            return fmt::format("{} stands here twice", key);
        return {};
    }

    static std::string
    enter_score(const std::string& key, double value, std::map<double, double>& by_score) {
        const auto score = number_of(key);
        if (!score) return fmt::format("'{}' is no activity score; write for example \"1.5\"", key);
        if (!by_score.emplace(*score, value).second)
            return fmt::format("{} stands here twice", key);
        return {};
    }

    /// The reference as a diplotype and a score, and the value there, which is 1 for a factor.
    void read_reference() {
        if (words_.reference.empty()) {
            if (is_factor() || map_.law != Law::table)
                add(words_.span,
                    "a map of factors needs 'reference': where its factor is 1",
                    fmt::format("write reference = \"{}\"", reference_example()));
            return;
        }
        const auto value = value_at_reference();
        if (value && is_factor() && *value != 1.0)
            add(words_.reference_span,
                fmt::format("the factor at the reference {} is {:g}; it must be 1",
                            words_.reference,
                            *value),
                "factors are relative to the reference: divide all by this one");
    }

    std::string reference_example() const {
        if (map_.by == By::allele) return gene_.reference;
        if (map_.by == By::activity_score) return "2";
        if (map_.by == By::phenotype)
            return gene_.phenotypes.empty() ? "" : gene_.phenotypes.front().name;
        return gene_.text(gene_.reference_diplotype());
    }

    std::optional<double> value_at_reference() {
        const std::string& text = words_.reference;
        const auto fail = [&](std::string message) {
            add(words_.reference_span, std::move(message));
            return std::nullopt;
        };
        const auto not_in_table = [&] {
            return fail(fmt::format("the reference {} is not in the table", text));
        };
        if (map_.by == By::diplotype) {
            std::string why;
            const auto diplotype = gene_.parse_diplotype(text, &why);
            if (!diplotype) return fail(why);
            const auto found = map_.by_diplotype.find(*diplotype);
            return found == map_.by_diplotype.end() ? not_in_table() : std::optional(found->second);
        }
        if (map_.by == By::allele) {
            const int allele = gene_.find_allele(text);
            const auto found = map_.by_diplotype.find({allele, allele});
            return found == map_.by_diplotype.end() ? not_in_table() : std::optional(found->second);
        }
        if (map_.by == By::phenotype) {
            const auto found = map_.by_phenotype.find(gene_.find_phenotype(text));
            return found == map_.by_phenotype.end() ? not_in_table() : std::optional(found->second);
        }
        const auto score = number_of(text);
        if (!score || !(*score > 0.0)) return fail("the reference is an activity score above 0");
        map_.reference_score = *score;
        if (map_.law != Law::table) return 1.0;
        const auto found = map_.by_score.find(*score);
        return found == map_.by_score.end() ? not_in_table() : std::optional(found->second);
    }

    void read_otherwise() {
        const io::TomlView& view = words_.otherwise;
        if (!view.is_set() || view.text() == "error") return;
        if (view.kind() != io::TomlKind::table) {
            add(view.span(),
                "what holds otherwise is \"error\" or a table",
                "write otherwise = { by = \"activity_score\", table = { … }, source = \"assumed: "
                "…\" }");
            return;
        }
        GenotypeMap::Otherwise otherwise;
        io::TomlView table, uncertain;
        const std::size_t n_before = diagnostics_.size();
        io::read_fields(view, diagnostics_, [&](io::Fields& f) {
            int by = 0;
            f.choice(
                required_key("by", "", "\"activity_score\""), {"activity_score", "phenotype"}, by);
            otherwise.by = by == 0 ? By::activity_score : By::phenotype;
            f.any(optional_key("table", "", "{ \"2\" = 1 }"),
                  "numbers by text",
                  [&](const io::TomlView& given) { table = given; });
            f.any(optional_key("uncertain_activity", "", "{ \"0.5\" = 1 }"),
                  "probabilities by activity",
                  [&](const io::TomlView& given) { uncertain = given; });
            f.text(required_key("source", "", "\"assumed: …\""), otherwise.source);
        });
        if (table.is_set())
            read_table(table, otherwise.by, otherwise.by_phenotype, otherwise.by_score);
        if (uncertain.is_set()) read_uncertain(uncertain, otherwise);
        otherwise.uses_map = !table.is_set();
        if (otherwise.uses_map) check_uses_map(view, otherwise);
        if (diagnostics_.size() == n_before && !otherwise.uses_map) check_covered(table, otherwise);
        if (diagnostics_.size() == n_before) check_otherwise_at_reference(table, otherwise);
        map_.otherwise = std::move(otherwise);
    }

    void check_uses_map(const io::TomlView& view, const GenotypeMap::Otherwise& otherwise) {
        if (map_.by != By::activity_score || otherwise.by != By::activity_score ||
            otherwise.uncertain_activity.empty())
            add(view.span(),
                "an `otherwise` without 'table' needs 'uncertain_activity' and a map by activity "
                "score, which it asks with the drawn score",
                "write table = { … }");
    }

    /// Where the reference stands must not depend on which of the two tables is asked.
    void check_otherwise_at_reference(const io::TomlView& table,
                                      const GenotypeMap::Otherwise& otherwise) {
        const auto diplotype = reference_diplotype();
        if (!is_factor() || !diplotype) return;
        double factor = 1.0;
        std::string what;
        if (otherwise.by == By::phenotype) {
            const int phenotype = gene_.phenotype(*diplotype);
            const auto found = otherwise.by_phenotype.find(phenotype);
            if (found == otherwise.by_phenotype.end()) return;
            what = gene_.phenotypes[static_cast<std::size_t>(phenotype)].name;
            factor = found->second;
        } else if (const auto score = gene_.score(*diplotype)) {
            const auto found = otherwise.by_score.find(*score);
            if (found == otherwise.by_score.end()) return;
            what = fmt::format("the activity score {:g}", *score);
            factor = found->second;
        }
        if (factor != 1.0)
            add(table.span(),
                fmt::format("the factor at {}, which is that of the reference {}, is {:g}; it "
                            "must be 1",
                            what,
                            words_.reference,
                            factor),
                "factors are relative to the reference: divide all by this one");
    }

    /// Nothing where the reference is a phenotype or a score.
    std::optional<Diplotype> reference_diplotype() const {
        if (map_.by == By::diplotype) return gene_.parse_diplotype(words_.reference, nullptr);
        const int allele = map_.by == By::allele ? gene_.find_allele(words_.reference) : -1;
        return allele < 0 ? std::nullopt : std::optional(Diplotype{allele, allele});
    }

    bool is_factor() const { return !words_.has_unit; }

    void read_uncertain(const io::TomlView& view, GenotypeMap::Otherwise& otherwise) {
        double sum = 0.0;
        if (!gene_.has_score)
            add(view.key_span(), fmt::format("{} has no activity score", gene_.name));
        read_numbers(view, [&](const std::string& key, double probability) -> std::string {
            const auto activity = number_of(key);
            if (!activity || *activity < 0.0) return fmt::format("'{}' is no activity", key);
            if (!(probability >= 0.0)) return "a probability is not negative";
            sum += probability;
            otherwise.uncertain_activity.emplace_back(*activity, probability);
            return {};
        });
        constexpr double rounding = 1e-9;
        if (std::abs(sum - 1.0) > rounding)
            add(view.span(), fmt::format("these probabilities sum to {:g}, not 1", sum));
    }

    /// Every score two alleles can have must be in the catch-all's table.
    void check_covered(const io::TomlView& table, const GenotypeMap::Otherwise& otherwise) {
        if (otherwise.by != By::activity_score || !gene_.has_score) return;
        std::set<double> activities;
        for (const Allele& allele : gene_.alleles)
            if (allele.activity) activities.insert(*allele.activity);
        for (const auto& [activity, probability] : otherwise.uncertain_activity)
            activities.insert(activity);
        std::set<double> reported;
        for (double a : activities)
            for (double b : activities)
                if (!otherwise.by_score.contains(a + b) && reported.insert(a + b).second)
                    add(table.span(),
                        fmt::format("the table does not name activity score {:g}, which two "
                                    "alleles can have",
                                    a + b));
    }

    const MapWords& words_;
    const GeneTable& gene_;
    sim::DiagnosticList& diagnostics_;
    GenotypeMap map_;
};

/// A gene once, however many maps name it. nullptr after a mistake.
std::shared_ptr<const GeneTable>
find_gene(const MapWords& words,
          const std::filesystem::path& model,
          const io::Library& library,
          std::map<std::string, std::shared_ptr<const GeneTable>>& loaded,
          sim::DiagnosticList& diagnostics) {
    if (words.gene.empty() && !words.has_gene) return nullptr; // already told
    const std::filesystem::path path = gene_path(words.gene, model, library);
    const std::string key = path.empty() ? words.gene : path.string();
    if (const auto known = loaded.find(key); known != loaded.end()) return known->second;
    if (path.empty()) {
        diagnostics.add(words.gene_span,
                        words.gene.ends_with(".toml")
                            ? fmt::format("there is no gene file '{}' beside the model", words.gene)
                            : fmt::format("there is no gene '{}' in the library", words.gene),
                        sim::suggest(words.gene, library.names("genes")));
        return loaded[key] = nullptr;
    }
    return loaded[key] = load_gene(path, diagnostics);
}

} // namespace

void read_maps(const ModelWords& words,
               const io::Library& library,
               Model& model,
               sim::DiagnosticList& diagnostics) {
    std::map<std::string, std::shared_ptr<const GeneTable>> loaded;
    for (const MapWords& map : words.maps) {
        const auto& file = words.scopes[static_cast<std::size_t>(map.scope)].file;
        const auto gene = find_gene(map, file, library, loaded, diagnostics);
        if (!gene) {
            model.maps.emplace_back().name = map.name;
            continue;
        }
        const auto known = model.genes.emplace(gene->name, gene).first->second;
        if (known != gene)
            diagnostics.add(map.gene_span,
                            fmt::format("the gene {} comes from two files here, whose alleles need "
                                        "not be the same",
                                        gene->name),
                            "name one file in all maps of a gene");
        model.maps.push_back(MapReader(map, *gene, diagnostics).read());
    }
}

} // namespace gemel::pkpd
