#include "genotype_words.hpp"

#include <gemel/io/json.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

/// PharmCAT's JSON. Its matcher writes `results` with `diplotypes` per gene, its phenotyper
/// `geneReports`, its reporter `genes` with the same reports; in version 2 the reports lie below
/// the source of the guidelines (CPIC, DPWG), in version 3 they do not.
namespace gemel::pkpd {
namespace {

using io::JsonValue;

/// What PharmCAT's tables call alleles, in the words of our gene files: "rs2231142 variant (T)" is
/// "rs2231142 T", "*1≥3" is "*1x>=3".
std::string translated_allele(const GeneTable& gene, const std::string& name) {
    if (gene.find_allele(name) >= 0) return name;
    std::string text = name;
    for (const std::string_view word : {" reference (", " variant ("})
        if (const auto at = text.find(word); at != std::string::npos && text.ends_with(')'))
            text = text.substr(0, at) + " " +
                   text.substr(at + word.size(), text.size() - at - word.size() - 1);
    const std::string_view at_least = "\u2265";
    if (const auto at = text.find(at_least); at != std::string::npos)
        text.replace(at, at_least.size(), "x>=");
    return gene.find_allele(text) >= 0 ? text : name;
}

/// "[c.1A>C + c.2G>T]": alleles on one chromosome.
std::vector<std::string> combined_alleles(const std::string& name) {
    if (!name.starts_with('[') || !name.ends_with(']')) return {name};
    std::vector<std::string> alleles;
    std::size_t from = 1;
    for (auto at = name.find(" + ", from); at != std::string::npos; at = name.find(" + ", from)) {
        alleles.push_back(name.substr(from, at - from));
        from = at + 3;
    }
    alleles.push_back(name.substr(from, name.size() - from - 1));
    return alleles;
}

/// The allele names of a diplotype as PharmCAT writes it, and where it stands.
struct ReportedDiplotype {
    std::vector<std::string> alleles; ///< none: unknown
    std::string text;
    sim::SourceSpan place;
};

class PharmcatReader {
public:
    PharmcatReader(std::shared_ptr<const sim::SourceFile> file,
                   const JsonValue& root,
                   const CallReading& reading,
                   sim::DiagnosticList& diagnostics)
        : file_(std::move(file)),
          root_(root),
          reading_(reading),
          diagnostics_(diagnostics) {
        calls_.genes = reading.genes;
        calls_.add_subject(subject());
    }

    std::optional<GenotypeCalls> read() {
        const std::size_t n_before = diagnostics_.size();
        const JsonValue* reports = root_.find("geneReports");
        if (reports == nullptr) reports = root_.find("genes");
        const JsonValue* results = root_.find("results");
        if (reports != nullptr && reports->kind == JsonValue::Kind::object)
            read_reports(*reports);
        else if (results != nullptr && results->kind == JsonValue::Kind::array)
            for (const JsonValue& result : results->values)
                read_result(result);
        else
            diagnostics_.add({file_, 0, 0, 1},
                             "this is no JSON of PharmCAT's: neither `geneReports`, `genes` nor "
                             "`results` is there",
                             "its files end with .match.json, .phenotype.json or .report.json");
        if (diagnostics_.size() != n_before) return std::nullopt;
        return std::move(calls_);
    }

private:
    std::string subject() const {
        for (const char* key : {"metadata", "matcherMetadata"})
            if (const JsonValue* metadata = root_.find(key))
                if (const auto id = metadata->text_of("sampleId"); id && !id->empty()) return *id;
        if (!reading_.subject.empty()) return reading_.subject;
        std::string stem = std::filesystem::path(file_->name).filename().string();
        return stem.substr(0, stem.find('.', 1));
    }

    /// By gene, or by source and gene; of several sources the first that calls the gene counts.
    void read_reports(const JsonValue& reports) {
        for (std::size_t i = 0; i < reports.keys.size(); ++i) {
            const JsonValue& report = reports.values[i];
            if (report.find("sourceDiplotypes") != nullptr)
                read_report(reports.keys[i], report);
            else
                for (std::size_t g = 0; g < report.keys.size(); ++g)
                    read_report(report.keys[g], report.values[g]);
        }
    }

    const GeneTable* wanted(const std::string& name) const {
        for (const auto& gene : reading_.genes)
            if (gene->name == name) return gene.get();
        return nullptr; // PharmCAT reports genes that no library of ours has
    }

    GenotypeCall* call_of(const std::string& name) {
        const auto gene = calls_.find_gene(name);
        GenotypeCall& call = calls_.at(0, *gene);
        return call.is_called() ? nullptr : &call;
    }

    void read_report(const std::string& name, const JsonValue& report) {
        const GeneTable* gene = wanted(name);
        GenotypeCall* call = gene != nullptr ? call_of(name) : nullptr;
        if (call == nullptr) return;
        call->evidence = evidence(report, report.find("variants"), "call");
        std::vector<ReportedDiplotype> diplotypes = reported(report.find("sourceDiplotypes"));
        if (gene->is_per_variant) diplotypes = carried(report, std::move(diplotypes));
        if (!are_understood(*gene, diplotypes)) {
            auto recommended = reported(report.find("recommendationDiplotypes"));
            if (!recommended.empty() && are_understood(*gene, recommended)) {
                diplotypes = std::move(recommended);
                call->evidence.notes.emplace_back("as taken for recommendations");
            }
        }
        fill(*gene, diplotypes, *call);
    }

    void read_result(const JsonValue& result) {
        const std::string name = result.text_of("gene").value_or("");
        const GeneTable* gene = wanted(name);
        GenotypeCall* call = gene != nullptr ? call_of(name) : nullptr;
        if (call == nullptr) return;
        const JsonValue* data = result.find("matchData");
        call->evidence = evidence(result, result.find("variants"), "vcfCall");
        if (const JsonValue* missing = data ? data->find("missingPositions") : nullptr) {
            call->evidence.n_missing = static_cast<int>(missing->values.size());
            call->evidence.n_positions += call->evidence.n_missing;
        }
        std::vector<ReportedDiplotype> diplotypes;
        if (const JsonValue* list = result.find("diplotypes"))
            for (const JsonValue& value : list->values)
                diplotypes.push_back(matched(value));
        if (diplotypes.empty() && gene->is_per_variant)
            diplotypes = components(result.find("haplotypeMatches"), nullptr, result.span);
        fill(*gene, diplotypes, *call);
    }

    CallEvidence
    evidence(const JsonValue& report, const JsonValue* variants, const char* call) const {
        CallEvidence found{.source = file_->name, .place = report.span, .is_outside = true};
        const JsonValue* phased = report.find("phased");
        if (phased != nullptr && phased->kind == JsonValue::Kind::boolean)
            found.phase =
                phased->boolean ? CallEvidence::Phase::phased : CallEvidence::Phase::unphased;
        if (variants == nullptr) return found;
        for (const JsonValue& variant : variants->values) {
            ++found.n_positions;
            if (!variant.text_of(call)) ++found.n_missing;
        }
        return found;
    }

    static void add_allele(const JsonValue* allele, ReportedDiplotype& diplotype) {
        if (allele == nullptr || allele->kind != JsonValue::Kind::object) return;
        const auto name = allele->text_of("name");
        if (name) diplotype.alleles.push_back(*name);
    }

    static void finish_reported(ReportedDiplotype& diplotype) {
        diplotype.text = fmt::format("{}", fmt::join(diplotype.alleles, "/"));
        if (std::ranges::count(diplotype.alleles, "Unknown") > 0) diplotype.alleles.clear();
    }

    static std::vector<ReportedDiplotype> reported(const JsonValue* list) {
        std::vector<ReportedDiplotype> diplotypes;
        if (list == nullptr) return diplotypes;
        for (const JsonValue& value : list->values) {
            ReportedDiplotype& diplotype = diplotypes.emplace_back();
            diplotype.place = value.span;
            add_allele(value.find("allele1"), diplotype);
            add_allele(value.find("allele2"), diplotype);
            finish_reported(diplotype);
        }
        return diplotypes;
    }

    static ReportedDiplotype matched(const JsonValue& value) {
        ReportedDiplotype diplotype;
        diplotype.place = value.span;
        add_allele(value.find("haplotype1"), diplotype);
        add_allele(value.find("haplotype2"), diplotype);
        finish_reported(diplotype);
        return diplotype;
    }

    /// Of a gene held per variant, where the phase is not known: all that are carried, as one.
    static std::vector<ReportedDiplotype> carried(const JsonValue& report,
                                                  std::vector<ReportedDiplotype> diplotypes) {
        auto found = components(report.find("matcherComponentHaplotypes"),
                                report.find("matcherHomozygousComponentHaplotypes"),
                                report.span);
        return found.empty() ? std::move(diplotypes) : std::move(found);
    }

    static std::vector<ReportedDiplotype>
    components(const JsonValue* once, const JsonValue* twice, const sim::SourceSpan& place) {
        ReportedDiplotype all;
        all.place = place;
        for (const JsonValue* list : {once, twice})
            for (const JsonValue& value : list ? list->values : std::vector<JsonValue>())
                if (value.kind == JsonValue::Kind::text)
                    all.alleles.push_back(value.text);
                else
                    add_allele(&value, all);
        if (all.alleles.empty()) return {};
        finish_reported(all);
        return {all};
    }

    /// As our gene files spell it; one allele of a gene some have one copy of has the missing one
    /// beside it, and a variant alone the reference.
    static std::string spelt(const GeneTable& gene, const ReportedDiplotype& diplotype) {
        std::vector<std::string> names;
        for (const std::string& allele : diplotype.alleles)
            for (const std::string& name :
                 gene.is_per_variant ? combined_alleles(allele) : std::vector{allele})
                names.push_back(translated_allele(gene, name));
        if (names.size() == 1 && !gene.hemizygous.empty()) names.push_back(gene.hemizygous);
        if (names.size() == 1 && gene.is_per_variant) names.push_back(gene.reference);
        return fmt::format("{}", fmt::join(names, "/"));
    }

    static bool are_understood(const GeneTable& gene,
                               const std::vector<ReportedDiplotype>& diplotypes) {
        return std::ranges::all_of(diplotypes, [&](const ReportedDiplotype& diplotype) {
            return diplotype.alleles.empty() ||
                   gene.parse_diplotype(spelt(gene, diplotype)).has_value();
        });
    }

    void fill(const GeneTable& gene,
              const std::vector<ReportedDiplotype>& diplotypes,
              GenotypeCall& call) {
        for (const ReportedDiplotype& diplotype : diplotypes) {
            if (diplotype.alleles.empty()) continue; // "Unknown/Unknown"
            std::string why;
            auto candidate = parse_candidate(gene, spelt(gene, diplotype), why);
            if (!candidate)
                diagnostics_.add(
                    diplotype.place,
                    fmt::format(
                        "\"{}\" is no diplotype of {}: {}", diplotype.text, gene.name, why));
            else if (std::ranges::none_of(call.candidates, [&](const CallCandidate& other) {
                         return other.diplotype == candidate->diplotype;
                     }))
                call.candidates.push_back(std::move(*candidate));
        }
        if (call.candidates.size() > 1)
            call.evidence.notes.emplace_back("alternatives of equal probability");
        if (call.is_called()) finish_candidates(call.candidates);
    }

    std::shared_ptr<const sim::SourceFile> file_;
    const JsonValue& root_;
    const CallReading& reading_;
    sim::DiagnosticList& diagnostics_;
    GenotypeCalls calls_;
};

} // namespace

std::optional<GenotypeCalls> read_pharmcat(std::shared_ptr<const sim::SourceFile> file,
                                           const CallReading& reading,
                                           sim::DiagnosticList& diagnostics) {
    const auto root = io::parse_json(file, diagnostics);
    if (root == nullptr) return std::nullopt;
    return PharmcatReader(std::move(file), *root, reading, diagnostics).read();
}

} // namespace gemel::pkpd
