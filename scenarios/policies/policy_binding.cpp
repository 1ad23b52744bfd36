#include "policies/policy_binding.hpp"

#include "policies/policy_doses.hpp"
#include "policies/policy_rules.hpp"

#include <gemel/pkpd/panel.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace gemel::scenarios {

namespace {

/// "mg/wk" → mg; nothing where the text does not begin with an amount.
std::optional<sim::Unit> amount_of(const sim::Unit& rate) {
    const auto unit = sim::parse_unit(rate.text.substr(0, rate.text.find('/')));
    return unit && pkpd::is_amount(unit->dimension) ? unit : std::nullopt;
}

} // namespace

PolicyBinder::PolicyBinder(const std::vector<PolicyWords>& words,
                           const io::Library& library,
                           Study& study,
                           sim::DiagnosticList& diagnostics)
    : words_(words),
      library_(library),
      study_(study),
      diagnostics_(diagnostics) {}

std::filesystem::path PolicyBinder::file_of(const PolicyWords& words, const char* kind) {
    auto path = io::resolve(library_, kind, words.file, study_.file);
    if (!path.empty() || words.file.empty()) return path;
    const std::string prefix = "library:";
    const bool is_of_library = words.file.starts_with(prefix);
    const std::string name = is_of_library ? words.file.substr(prefix.size()) : words.file;
    diagnostics_.add(words.file_span,
                     is_of_library ? fmt::format("the library has no '{}' among its {}", name, kind)
                                   : fmt::format("there is no file '{}' beside the study", name),
                     is_of_library ? sim::suggest(name, library_.names(kind))
                                   : "name a file relative to the study, or library:NAME");
    return path;
}

void PolicyBinder::keep_file(const PolicyWords& words,
                             const std::filesystem::path& path,
                             const sim::SourceFile& file) {
    study_.policy_files.push_back({"policy_" + words.name + "_toml", path, file.text});
}

/// Those of the model are kept with it.
void PolicyBinder::keep_genes(
    const std::map<std::string, std::shared_ptr<const pkpd::GeneTable>>& genes) {
    for (const auto& [name, gene] : genes) {
        const std::string key = "gene_" + name + "_toml";
        const auto has_key = [&key](const InputFile& file) { return file.name == key; };
        if (!study_.model->genes.contains(name) &&
            std::ranges::none_of(study_.policy_files, has_key))
            study_.policy_files.push_back({key, gene->file->name, gene->file->text});
    }
}

void PolicyBinder::read(Source& source) {
    using Kind = PolicyWords::Kind;
    const PolicyWords& words = *source.words;
    const std::size_t n_before = diagnostics_.size();
    if (words.kind == Kind::equation)
        if (const auto path = file_of(words, "doses"); !path.empty())
            source.equation = pkpd::load_dose_equation(path, library_, diagnostics_);
    if (words.kind == Kind::recommendations)
        if (const auto path = file_of(words, "recommendations"); !path.empty())
            source.recommendations = pkpd::load_recommendations(path, library_, diagnostics_);
    if (source.equation) {
        source.unit = source.equation->unit;
        keep_file(words, source.equation->path, *source.equation->file);
        keep_genes(source.equation->genes);
    } else if (words.usual.amount) {
        source.unit = words.usual.amount->unit;
    }
    if (source.recommendations) {
        keep_file(words, source.recommendations->path, *source.recommendations->file);
        keep_genes(source.recommendations->genes);
    }
    const bool has_file = words.kind == Kind::matches || source.equation || source.recommendations;
    source.is_good = has_file && words.kind != Kind::none &&
                     (source.equation || words.usual.amount) && diagnostics_.size() == n_before;
}

void PolicyBinder::read() {
    for (const PolicyWords& words : words_) {
        sources_.emplace_back().words = &words;
        read(sources_.back());
    }
}

bool PolicyBinder::has_genotypes(const std::string& gene, const sim::SourceSpan& span) {
    if (find_genotype(study_.population, gene) != nullptr) return true;
    std::vector<std::string> known;
    for (const pkpd::GenotypeDistribution& genotype : study_.population.genotypes)
        known.push_back(genotype.gene);
    if (!study_.model->genes.contains(gene)) // else the population's mistake, told there
        diagnostics_.add(span,
                         fmt::format("the population has no genotypes of '{}'", gene),
                         sim::suggest(gene, known));
    return false;
}

/// What a panel reports in place of the truth.
std::optional<GenotypeReading> PolicyBinder::reading_of(const std::string& gene,
                                                        const io::TomlView& view) {
    if (view.boolean() == true) return GenotypeReading();
    const std::string name = view.text().value_or("");
    const auto path = io::resolve(library_, "panels", name, study_.file);
    if (name.empty() || path.empty()) {
        diagnostics_.add(view.span(),
                         "how the gene is known is true, or a panel: of the library, or a file",
                         "as in CYP2C9 = \"library:CYP2C9_2_3\"");
        return std::nullopt;
    }
    const auto panel = pkpd::load_panel(path, library_, diagnostics_);
    const pkpd::PanelGene* found = panel ? panel->find(gene) : nullptr;
    if (panel && found == nullptr)
        diagnostics_.add(view.span(),
                         fmt::format("the panel {} does not test {}", panel->id, gene));
    if (found == nullptr) return std::nullopt;
    study_.policy_files.push_back({"panel_" + panel->id + "_toml", path, panel->text->text});
    return [panel, found](const pkpd::Diplotype& truth) -> std::optional<pkpd::Diplotype> {
        return found->read(truth);
    };
}

void PolicyBinder::add_knowledge(const io::TomlView& knows) {
    Knowledge& knowledge = study_.knowledge.emplace_back();
    if (!knows.is_set()) return;
    if (knows.kind() == io::TomlKind::array)
        for (const io::TomlView& element : knows.elements()) {
            const std::string gene = element.text().value_or("");
            if (has_genotypes(gene, element.span())) knowledge[gene] = {};
        }
    else if (knows.kind() == io::TomlKind::table)
        for (const auto& [gene, view] : knows.members()) {
            if (!has_genotypes(gene, view.key_span())) continue;
            if (auto reading = reading_of(gene, view)) knowledge[gene] = std::move(*reading);
        }
    else
        diagnostics_.add(knows.span(),
                         fmt::format("{} stands here; genes are expected", io::name(knows.kind())),
                         "as in knows = [\"CYP2C9\"], or { CYP2C9 = \"library:CYP2C9_2_3\" }");
}

/// From what the policy gives to the amount of one dose.
bool PolicyBinder::scale(const Source& source, const pkpd::DoseWords& words, PolicyUse& use) {
    const pkpd::PolicyDoseWords& dose = *words.policy;
    use.unit = source.unit;
    if (pkpd::is_amount(source.unit.dimension)) {
        if (!dose.lasting) return true;
        diagnostics_.add(dose.span,
                         fmt::format("the policy {} gives an amount, in {}, which does not last",
                                     dose.policy,
                                     source.unit.text),
                         "leave `lasting` out");
        return false;
    }
    const std::optional<sim::Quantity>& span = dose.lasting ? dose.lasting : words.every;
    if (!span) {
        diagnostics_.add(dose.span,
                         fmt::format("the policy {} gives a dose per time, in {}",
                                     dose.policy,
                                     source.unit.text),
                         "say for how long this dose is: every = \"24 h\", or { policy = …, "
                         "lasting = \"24 h\" }");
        return false;
    }
    const auto amount = amount_of(source.unit);
    if (!amount || !(amount->dimension == (source.unit * span->unit).dimension)) {
        diagnostics_.add(dose.span,
                         fmt::format("the unit {} of the policy {} is no amount per time as in "
                                     "\"mg/d\"",
                                     source.unit.text,
                                     dose.policy));
        return false;
    }
    use.unit = *amount;
    use.scale = sim::conversion_factor(source.unit * span->unit, *amount) * span->value;
    return true;
}

bool PolicyBinder::limit(const PolicyWords& words, PolicyUse& use) {
    const std::size_t n_before = diagnostics_.size();
    const auto in_unit = [&](const sim::Quantity& amount, const sim::SourceSpan& span) {
        if (amount.unit.dimension == use.unit.dimension) return amount.in(use.unit);
        diagnostics_.add(
            span,
            fmt::format("the policy {} gives amounts in {}", words.name, use.unit.text),
            fmt::format("write it in {}", use.unit.text));
        return 0.0;
    };
    if (words.round_to.amount) use.round_to = in_unit(*words.round_to.amount, words.round_to.span);
    if (!words.within.is_set()) return diagnostics_.size() == n_before;
    const auto bounds = words.within.kind() == io::TomlKind::array ? words.within.elements()
                                                                   : std::vector<io::TomlView>{};
    if (bounds.size() == 2) {
        const auto lowest = read_amount(bounds[0], diagnostics_);
        const auto highest = read_amount(bounds[1], diagnostics_);
        if (lowest) use.lowest = in_unit(*lowest, bounds[0].span());
        if (highest) use.highest = in_unit(*highest, bounds[1].span());
    }
    if (bounds.size() != 2 || use.lowest > use.highest)
        diagnostics_.add(words.within.span(),
                         "two amounts in rising order are expected",
                         "as in within = [\"0.5 mg\", \"15 mg\"]");
    return diagnostics_.size() == n_before;
}

std::optional<PolicyUse>
PolicyBinder::make_use(std::size_t regimen, const Source& source, const pkpd::DoseWords& words) {
    PolicyUse use;
    use.policy = source.words->name;
    use.regimen = regimen;
    if (!scale(source, words, use) || !limit(*source.words, use)) return std::nullopt;
    const std::string name = fmt::format("{}_{}", study_.regimens[regimen].name, use.policy);
    use.name = name;
    const auto has_name = [&](const PolicyUse& other) { return other.name == use.name; };
    for (int n = 2; std::ranges::any_of(study_.policy_uses, has_name); ++n)
        use.name = fmt::format("{}_{}", name, n);
    return use;
}

std::optional<pkpd::PolicyColumn> PolicyBinder::column(std::size_t regimen,
                                                       const pkpd::DoseWords& words) {
    const pkpd::PolicyDoseWords& dose = *words.policy;
    const auto source = std::find_if(sources_.begin(), sources_.end(), [&](const Source& s) {
        return s.words->name == dose.policy;
    });
    if (source == sources_.end()) {
        std::vector<std::string> names;
        for (const PolicyWords& known : words_)
            names.push_back(known.name);
        diagnostics_.add(dose.span,
                         fmt::format("there is no policy '{}'", dose.policy),
                         names.empty() ? fmt::format("add [policies.{}]", dose.policy)
                                       : sim::suggest(dose.policy, names));
        return std::nullopt;
    }
    source->is_used = true;
    if (!source->is_good) return std::nullopt; // told already
    auto use = make_use(regimen, *source, words);
    if (!use) return std::nullopt;
    auto& uses = study_.policy_uses;
    auto known = std::find_if(uses.begin(), uses.end(), [&](const PolicyUse& other) {
        return other.regimen == regimen && other.policy == use->policy && other.scale == use->scale;
    });
    if (known == uses.end()) known = uses.insert(known, *use);
    return pkpd::PolicyColumn{static_cast<int>(study_.model->inputs.size() +
                                               static_cast<std::size_t>(known - uses.begin())),
                              known->unit};
}

std::shared_ptr<const Policy> PolicyBinder::rule_of(std::size_t number) {
    using Kind = PolicyWords::Kind;
    const PolicyUse& use = study_.policy_uses[number];
    const auto source = std::find_if(sources_.begin(), sources_.end(), [&](const Source& s) {
        return s.words->name == use.policy;
    });
    const PolicyPlace place{*source->words, study_, study_.knowledge[use.regimen], diagnostics_};
    if (source->words->kind == Kind::equation) return equation_policy(place, source->equation);
    if (source->words->kind == Kind::recommendations)
        return recommendation_policy(place, source->recommendations);
    const auto n_in_regimen =
        std::count_if(study_.policy_uses.begin(), study_.policy_uses.end(), [&](const auto& other) {
            return other.regimen == use.regimen;
        });
    if (n_in_regimen == 1) return exposure_policy(place, number);
    diagnostics_.add(
        source->words->span,
        fmt::format("the regimen {} has other doses by policies beside this one, whose "
                    "doses would depend on each other",
                    study_.regimens[use.regimen].name),
        "let one policy give all of them");
    return nullptr;
}

void PolicyBinder::bind() {
    for (const Source& source : sources_)
        if (!source.is_used && source.is_good)
            diagnostics_.add(
                source.words->span,
                fmt::format("no regimen uses the policy {}", source.words->name),
                fmt::format("write dose = {{ policy = \"{}\" }} in a regimen", source.words->name));
    if (!diagnostics_.empty()) return; // rules need all of a study
    for (std::size_t use = 0; use < study_.policy_uses.size(); ++use)
        study_.policy_uses[use].rule = rule_of(use);
    if (diagnostics_.empty()) find_typical_amounts(study_);
}

} // namespace gemel::scenarios
