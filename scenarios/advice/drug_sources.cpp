#include "advice/drug_sources.hpp"

#include <gemel/io/toml.hpp>
#include <gemel/scenarios/advice.hpp>

#include <algorithm>
#include <set>

namespace gemel::scenarios {

namespace {

/// Where a kind of library file names its drug.
struct DrugKey {
    const char* kind;
    const char* table;
    const char* key;
};
constexpr DrugKey of_recommendations{"recommendations", "recommendations", "drug"};
constexpr DrugKey of_equations{"doses", "dose", "drug"};
constexpr DrugKey of_models{"models", "drug", "name"};

/// Without reading more of the file than that; "" where it names none.
std::string drug_of(const std::filesystem::path& file, const DrugKey& place) {
    sim::DiagnosticList ignored; // told by whoever reads the file in earnest
    const auto source = io::read_source(file, ignored);
    if (!source) return {};
    const io::TomlView root = io::parse_toml(source, ignored);
    if (!root.is_set() || root[place.table].kind() != io::TomlKind::table) return {};
    return root[place.table][place.key].text().value_or("");
}

std::vector<std::filesystem::path>
files_of(const std::string& drug, const io::Library& library, const DrugKey& place) {
    std::vector<std::filesystem::path> files;
    for (const std::string& name : library.names(place.kind)) {
        const auto file = library.find(place.kind, name);
        if (drug_of(file, place) == drug) files.push_back(file);
    }
    return files;
}

} // namespace

std::map<std::string, std::shared_ptr<const pkpd::GeneTable>> DrugSources::genes() const {
    std::map<std::string, std::shared_ptr<const pkpd::GeneTable>> all;
    if (recommendations) all = recommendations->genes;
    for (const auto& equation : equations)
        all.insert(equation->genes.begin(), equation->genes.end());
    for (const auto& model : models)
        all.insert(model->genes.begin(), model->genes.end());
    return all;
}

DrugSources
sources_of(const std::string& drug, const io::Library& library, sim::DiagnosticList& diagnostics) {
    DrugSources sources;
    for (const auto& file : files_of(drug, library, of_recommendations))
        sources.recommendations = pkpd::load_recommendations(file, library, diagnostics);
    for (const auto& file : files_of(drug, library, of_equations))
        if (auto equation = pkpd::load_dose_equation(file, library, diagnostics))
            sources.equations.push_back(std::move(equation));
    for (const auto& file : files_of(drug, library, of_models))
        if (auto model = pkpd::load_model(file, library, diagnostics);
            model && !model->maps.empty())
            sources.models.push_back(std::move(model));
    return sources;
}

std::vector<std::string> advised_drugs(const io::Library& library) {
    std::set<std::string> drugs;
    for (const DrugKey& place : {of_recommendations, of_equations, of_models})
        for (const std::string& name : library.names(place.kind))
            drugs.insert(drug_of(library.find(place.kind, name), place));
    drugs.erase("");
    return {drugs.begin(), drugs.end()};
}

} // namespace gemel::scenarios
