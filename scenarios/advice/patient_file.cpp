#include "field_key.hpp"

#include <gemel/pkpd/genotype_call.hpp>
#include <gemel/pkpd/variant_calls.hpp>
#include <gemel/scenarios/advice.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace gemel::scenarios {

namespace {

struct PatientWords {
    int format = 0;
    std::string name, subject, ancestry;
    bool missing_as_reference = false;
    sim::SourceSpan subject_span, ancestry_span;
    io::TomlView covariates, genotypes;
    std::vector<std::string> drugs;
    sim::SourceSpan drugs_span;
    io::TomlView inhibitors;
};

void describe_patient(io::Fields& f, PatientWords& words) {
    io::Field format = key("gemel", "what the file is; its first line", "\"patient/1\"");
    format.required = true;
    f.choice(format, {"patient/1"}, words.format);
    const auto keep = [&](io::Field field, const char* shapes, io::TomlView& kept) {
        f.any(field, shapes, [&kept](const io::TomlView& view) { kept = view; });
    };
    f.text(key("name", "for the heading; else the file's name", "\"patient 17\""), words.name);
    keep(key("covariates",
             "values with units, or categories, by the names that equations and models use",
             "{ AGE = \"60 a\", WT = \"80 kg\" }"),
         "values by name",
         words.covariates);
    keep(key("genotypes",
             "per gene a diplotype, or several with their probabilities; or a file of called "
             "genotypes",
             "{ CYP2C19 = \"*1/*2\", CYP2D6 = { \"*1/*4\" = 0.7, \"*1/*10\" = 0.3 } }"),
         "diplotypes by gene, or a file's name",
         words.genotypes);
    f.text(key("subject", "in a file of genotypes, where it has several", "\"17\""), words.subject);
    words.subject_span = f.span("subject");
    f.text(key("ancestry",
               "weighs alternatives that a file of variants leaves open",
               "\"EUR=0.5,AAC=0.5\""),
           words.ancestry);
    words.ancestry_span = f.span("ancestry");
    f.flag(key("missing_as_reference",
               "positions that a file of variants has no record of are the reference's",
               "true"),
           words.missing_as_reference);
    f.table(key("comedication", "what is taken beside the drug", "{ drugs = [\"paroxetine\"] }"),
            [&](io::Fields& g) {
                g.texts(key("drugs", "by name", "[\"paroxetine\"]"), words.drugs);
                words.drugs_span = g.span("drugs");
                g.any(key("inhibitors",
                          "by enzyme: strong, moderate or weak",
                          "{ CYP2D6 = \"strong\" }"),
                      "classes by enzyme",
                      [&](const io::TomlView& view) { words.inhibitors = view; });
            });
}

/// Reads a patient's words, against the genes of the library.
class PatientReader {
public:
    PatientReader(Patient& patient, const io::Library& library, sim::DiagnosticList& diagnostics)
        : patient_(patient),
          library_(library),
          diagnostics_(diagnostics) {}

    void read(const PatientWords& words) {
        if (is_table(words.covariates))
            for (const auto& [name, view] : words.covariates.members())
                patient_.covariates[name] = view;
        if (words.genotypes.is_set() && words.genotypes.kind() == io::TomlKind::text)
            read_calls(words);
        else if (is_table(words.genotypes))
            for (const auto& [gene, view] : words.genotypes.members())
                read_genotype(gene, view);
        read_inhibitors(words.inhibitors);
        patient_.drugs = words.drugs;
        class_drugs(words);
    }

private:
    void add(const sim::SourceSpan& span, std::string message, std::string help = {}) {
        diagnostics_.add(span, std::move(message), std::move(help));
    }

    bool is_table(const io::TomlView& view) {
        if (!view.is_set()) return false;
        if (view.kind() == io::TomlKind::table) return true;
        add(view.span(), fmt::format("{} stands here; a table is expected", io::name(view.kind())));
        return false;
    }

    std::shared_ptr<const pkpd::GeneTable> gene(const std::string& name, const io::TomlView& view) {
        const auto path = library_.find("genes", name);
        if (!path.empty()) return pkpd::load_gene(path, diagnostics_);
        add(view.key_span(),
            fmt::format("the library has no gene '{}'", name),
            sim::suggest(name, library_.names("genes")));
        return nullptr;
    }

    std::optional<pkpd::Diplotype>
    diplotype(const pkpd::GeneTable& gene, const std::string& text, const sim::SourceSpan& span) {
        std::string why;
        const auto found = gene.parse_diplotype(text, &why);
        if (!found) add(span, why);
        return found;
    }

    /// Calls of other programs, of all genes that the library has.
    void read_calls(const PatientWords& words) {
        const auto file = patient_.path.parent_path() / *words.genotypes.text();
        if (!std::filesystem::exists(file))
            return add(
                words.genotypes.span(),
                fmt::format("there is no file '{}' beside the patient's", *words.genotypes.text()));
        const auto calls = is_of_variants(file) ? called(file, words) : read(file, words);
        if (!calls) return;
        const auto subject = subject_of(*calls, words);
        for (std::size_t g = 0; subject && g < calls->genes.size(); ++g)
            if (const pkpd::GenotypeCall* call = calls->find(*subject, g))
                take(*call, calls->genes[g]);
    }

    std::vector<std::shared_ptr<const pkpd::GeneTable>> all_genes() {
        std::vector<std::shared_ptr<const pkpd::GeneTable>> genes;
        for (const std::string& name : library_.names("genes"))
            if (auto gene = pkpd::load_gene(library_.find("genes", name), diagnostics_))
                genes.push_back(std::move(gene));
        return genes;
    }

    static bool is_of_variants(const std::filesystem::path& file) {
        const std::string name = file.filename().string();
        return std::ranges::any_of(std::array{".vcf", ".vcf.gz", ".vcf.bgz", ".bcf"},
                                   [&](const char* ending) { return name.ends_with(ending); });
    }

    std::optional<pkpd::GenotypeCalls> read(const std::filesystem::path& file,
                                            const PatientWords& words) {
        return pkpd::read_genotype_calls(
            file,
            {.genes = all_genes(), .passed_over = {}, .subject = words.subject},
            diagnostics_);
    }

    /// What the variants of a VCF or BCF leave of each gene.
    std::optional<pkpd::GenotypeCalls> called(const std::filesystem::path& file,
                                              const PatientWords& words) {
        pkpd::VariantCalling calling{all_genes(), {}, words.missing_as_reference};
        std::string why;
        if (!words.ancestry.empty()) {
            const auto shares = pkpd::parse_shares(words.ancestry, why);
            if (!shares) {
                add(words.ancestry_span, why, "write \"EUR\", or \"EUR=0.5,AAC=0.5\"");
                return std::nullopt;
            }
            calling.ancestry = *shares;
        }
        pkpd::GenotypeCalls calls;
        calls.genes = calling.genes;
        const bool is_good = pkpd::call_variants(
            file,
            calling,
            [&](const std::string& subject,
                const pkpd::GeneTable& gene,
                const pkpd::GenotypeCall& call) {
                calls.at(calls.add_subject(subject), *calls.find_gene(gene.name)) = call;
            },
            diagnostics_);
        return is_good ? std::optional(std::move(calls)) : std::nullopt;
    }

    std::optional<std::size_t> subject_of(const pkpd::GenotypeCalls& calls,
                                          const PatientWords& words) {
        const std::vector<std::string>& subjects = calls.subjects();
        if (words.subject.empty() && subjects.size() == 1) return 0;
        const auto found = calls.find_subject(words.subject);
        if (found) return found;
        if (words.subject.empty())
            add(words.genotypes.span(),
                fmt::format("the file of genotypes has {} subjects", subjects.size()),
                "say which: subject = \"…\"");
        else
            add(words.subject_span,
                fmt::format("the file of genotypes has no subject '{}'", words.subject),
                sim::suggest(words.subject, subjects));
        return std::nullopt;
    }

    void take(const pkpd::GenotypeCall& call, const std::shared_ptr<const pkpd::GeneTable>& gene) {
        PatientGenotype genotype;
        genotype.gene = gene;
        pkpd::CallEvidence evidence = call.evidence;
        evidence.source = std::filesystem::path(evidence.source).filename().string();
        genotype.evidence = pkpd::evidence_text(evidence);
        for (const pkpd::CallCandidate& candidate : call.candidates)
            if (candidate.probability > 0.0) // of an allele that nobody of the ancestry had
                genotype.candidates.push_back({candidate.diplotype, candidate.probability});
        patient_.genotypes[gene->name] = std::move(genotype);
    }

    void read_genotype(const std::string& name, const io::TomlView& view) {
        PatientGenotype genotype;
        genotype.gene = gene(name, view);
        if (genotype.gene == nullptr) return;
        genotype.evidence = "as stated in the patient's file";
        if (const auto text = view.text()) {
            if (const auto found = diplotype(*genotype.gene, *text, view.span()))
                genotype.candidates.push_back({*found, 1.0});
        } else if (view.kind() == io::TomlKind::table) {
            read_candidates(view, genotype);
        } else {
            add(view.span(),
                fmt::format("{} stands here; a diplotype is expected", io::name(view.kind())),
                "write \"*1/*2\", or { \"*1/*2\" = 0.7, \"*1/*3\" = 0.3 }");
        }
        patient_.genotypes[name] = std::move(genotype);
    }

    void read_candidates(const io::TomlView& view, PatientGenotype& genotype) {
        double sum = 0.0;
        for (const auto& [text, value] : view.members()) {
            const auto found = diplotype(*genotype.gene, text, value.key_span());
            const auto probability = value.number();
            if (!probability || !(*probability > 0.0) || !std::isfinite(*probability)) {
                add(value.span(), "a probability above 0 is expected");
                continue;
            }
            sum += *probability;
            if (found) genotype.candidates.push_back({*found, *probability});
        }
        constexpr double rounding = 1e-6; // of what a person writes
        if (std::abs(sum - 1.0) > rounding)
            add(view.span(), fmt::format("these probabilities sum to {:g}, not 1", sum));
        for (PatientGenotype::Candidate& candidate : genotype.candidates)
            candidate.probability /= sum;
    }

    void read_inhibitors(const io::TomlView& view) {
        if (!is_table(view)) return;
        const std::vector<std::string> classes(std::begin(pkpd::inhibitor_class_names),
                                               std::end(pkpd::inhibitor_class_names));
        for (const auto& [enzyme, value] : view.members()) {
            const std::string text = value.text().value_or("");
            const auto found = std::find(classes.begin(), classes.end(), text);
            if (library_.find("genes", enzyme).empty())
                add(value.key_span(),
                    fmt::format("the library has no gene '{}'", enzyme),
                    sim::suggest(enzyme, library_.names("genes")));
            else if (found == classes.end())
                add(value.span(),
                    "a class of inhibitors is expected: \"strong\", \"moderate\" or \"weak\"");
            else {
                patient_.inhibitors[enzyme] = static_cast<int>(found - classes.begin());
                patient_.which[enzyme] = fmt::format("a {} inhibitor, as stated", text);
            }
        }
    }

    /// The strongest of what is taken, per enzyme.
    void class_drugs(const PatientWords& words) {
        if (words.drugs.empty()) return;
        const auto path = library_.find("interactions", "inhibitors");
        const auto known = path.empty() ? nullptr : pkpd::load_inhibitors(path, diagnostics_);
        if (known == nullptr) return;
        for (const std::string& drug : words.drugs) {
            for (const auto& [enzyme, strength] : known->of(drug)) {
                const auto other = patient_.inhibitors.find(enzyme);
                if (other != patient_.inhibitors.end() && other->second <= strength) continue;
                patient_.inhibitors[enzyme] = strength;
                patient_.which[enzyme] = fmt::format("{}, a {} inhibitor ({}, {})",
                                                     drug,
                                                     pkpd::inhibitor_class_names[strength],
                                                     known->source,
                                                     known->confidence);
            }
        }
    }

    Patient& patient_;
    const io::Library& library_;
    sim::DiagnosticList& diagnostics_;
};

} // namespace

Patient load_patient(const std::filesystem::path& file, const io::Library& library) {
    sim::DiagnosticList diagnostics;
    Patient patient;
    patient.path = file;
    patient.file = io::read_source(file, diagnostics);
    diagnostics.throw_if_any();
    const io::TomlView root = io::parse_toml(patient.file, diagnostics);
    diagnostics.throw_if_any();
    if (const auto kind = root["gemel"].text(); kind && !kind->starts_with("patient/"))
        diagnostics.add(root["gemel"].span(),
                        fmt::format("this file is a \"{}\"; a patient is expected", *kind),
                        "a patient's first line is gemel = \"patient/1\"");
    diagnostics.throw_if_any();
    PatientWords words;
    io::read_fields(
        root, diagnostics, [&](io::Fields& fields) { describe_patient(fields, words); });
    PatientReader(patient, library, diagnostics).read(words);
    diagnostics.throw_if_any();
    patient.name = words.name.empty() ? file.stem().string() : words.name;
    return patient;
}

void describe_patient_for_reference(io::Fields& fields) {
    PatientWords words;
    describe_patient(fields, words);
}

} // namespace gemel::scenarios
