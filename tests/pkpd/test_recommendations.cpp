#include "library.hpp"

#include <gemel/pkpd/inhibitors.hpp>
#include <gemel/pkpd/recommendation.hpp>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

const std::filesystem::path repository = GEMEL_SOURCE_DIR;

/// One line of comma-separated values, quotes understood.
std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells(1);
    bool is_quoted = false;
    for (const char c : line) {
        if (c == '"')
            is_quoted = !is_quoted;
        else if (c == ',' && !is_quoted)
            cells.emplace_back();
        else
            cells.back() += c;
    }
    return cells;
}

/// The table the library's files are made from: column → value, row by row.
std::vector<std::map<std::string, std::string>> facts() {
    std::ifstream file(repository / "tests/data/cpic_recommendations.csv");
    std::string line;
    std::getline(file, line);
    const std::vector<std::string> names = cells_of(line);
    std::vector<std::map<std::string, std::string>> rows;
    while (std::getline(file, line)) {
        const std::vector<std::string> cells = cells_of(line);
        auto& row = rows.emplace_back();
        for (std::size_t i = 0; i < names.size(); ++i)
            row[names[i]] = cells[i];
    }
    return rows;
}

std::shared_ptr<const DrugRecommendations> drug_of(std::string name) {
    std::replace(name.begin(), name.end(), ' ', '_');
    sim::DiagnosticList diagnostics;
    auto drug =
        load_recommendations(library().find("recommendations", name), library(), diagnostics);
    INFO(diagnostics.render());
    REQUIRE(drug);
    return drug;
}

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, at);)
        parts.push_back(part);
    return parts;
}

/// What the key of a row says of one gene, read here by itself: "AS 1 (IM)", "Poor Metabolizer",
/// "*57:01 positive", "*1/*28 (or IM)", "*1/*3", "*3 carrier".
bool says(const std::string& words, const GeneTable& gene, const SeenGenotype& seen) {
    const auto has = [&](const std::string& allele) {
        const int index = gene.find_allele(allele);
        return seen.diplotype.first == index || seen.diplotype.second == index;
    };
    const std::string& label = gene.phenotypes[static_cast<std::size_t>(seen.phenotype)].label;
    const std::string first = words.substr(0, words.find(' '));
    if (words.ends_with(" positive") || words.ends_with(" carrier")) return has(first);
    if (words.ends_with(" negative")) return !has(first);
    if (words.find("(or ") != std::string::npos)
        return words.find("(or " + label + ")") != std::string::npos;
    if (words.starts_with("AS")) {
        if (words.find("(" + label + ")") == std::string::npos || !seen.score) return false;
        const auto number = [&](std::size_t at) { return std::stod(words.substr(at)); };
        if (words.starts_with("AS>=")) return *seen.score >= number(4);
        if (words.starts_with("AS<")) return *seen.score < number(3);
        const auto dash = words.find('-');
        const double low = number(3), high = dash < words.find('(') ? number(dash + 1) : low;
        return *seen.score >= low && *seen.score <= high;
    }
    if (words.starts_with("*")) return seen.diplotype == *gene.parse_diplotype(words, nullptr);
    return gene.phenotypes[static_cast<std::size_t>(seen.phenotype)].name == words;
}

std::vector<SeenGenotype> all_genotypes(const GeneTable& gene) {
    std::vector<SeenGenotype> all;
    const auto n = static_cast<int>(gene.alleles.size());
    for (int a = 0; a < n; ++a)
        for (int b = a; b < n; ++b)
            all.push_back(seen(gene, {a, b}));
    return all;
}

} // namespace

TEST_CASE("the library's recommendations are the rows of the table, all of them") {
    // Oracle: tests/data/cpic_recommendations.csv, read by this test alone.
    const auto rows = facts();
    CHECK(rows.size() == 472);
    std::map<std::string, std::shared_ptr<const DrugRecommendations>> drugs;
    std::size_t n_of_library = 0;
    std::map<std::string, std::size_t> next; // rows stand in the order of the table
    for (const auto& fact : rows) {
        const std::string& name = fact.at("drug");
        CAPTURE(name);
        CAPTURE(fact.at("key"));
        auto& drug = drugs[name];
        if (!drug) {
            drug = drug_of(name);
            n_of_library += drug->rows.size();
        }
        REQUIRE(next[name] < drug->rows.size());
        const Recommendation& row = drug->rows[next[name]++];
        CHECK(drug->drug == name);
        CHECK(row.patients == fact.at("population"));
        CHECK(row.implication == fact.at("implication"));
        CHECK(std::string(pkpd::name(row.action)) == fact.at("action"));
        CHECK(row.dose_factor.has_value() == !fact.at("start_dose_factor_min").empty());
        if (row.dose_factor) {
            CHECK(row.dose_factor->first == std::stod(fact.at("start_dose_factor_min")));
            CHECK(row.dose_factor->second == std::stod(fact.at("start_dose_factor_max")));
        }
        CHECK(row.dose_limit == fact.at("dose_limit"));
        CHECK(row.monitoring == fact.at("tdm"));
        CHECK(row.alternatives == split(fact.at("alternatives"), '|'));
        CHECK(row.strength == fact.at("strength"));
        CHECK(row.year == std::stoi(fact.at("guideline_year")));
        CHECK(row.basis == split(fact.at("basis"), ','));
        CHECK(row.is_remembered() == (fact.at("basis") == "r"));
    }
    CHECK(drugs.size() == 68);
    CHECK(n_of_library == rows.size());
    CHECK(library().names("recommendations").size() == 68);
}

TEST_CASE("a row holds for the genotypes that its key names, and for no others") {
    // Oracle: the key as the table has it, read by says() above, for every pair of alleles.
    std::map<std::string, std::vector<SeenGenotype>> genotypes;
    std::map<std::string, std::size_t> next;
    std::map<std::string, std::shared_ptr<const DrugRecommendations>> known;
    for (const auto& fact : facts()) {
        const std::string& name = fact.at("drug");
        const std::string& key = fact.at("key");
        auto& drug = known[name];
        if (!drug) drug = drug_of(name);
        const Recommendation& row = drug->rows[next[name]++];
        if (key.find('=') == std::string::npos) continue; // warfarin's words, below
        const std::vector<std::string> parts = split(key, ';');
        CAPTURE(key);
        REQUIRE(row.genotype.size() == parts.size());
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const std::string gene = parts[i].substr(0, parts[i].find('='));
            const std::string words = parts[i].substr(parts[i].find('=') + 1);
            const auto condition = std::find_if(row.genotype.begin(),
                                                row.genotype.end(),
                                                [&](const auto& c) { return c.gene == gene; });
            REQUIRE(condition != row.genotype.end());
            const GeneTable& table = *drug->genes.at(gene);
            if (genotypes[gene].empty()) genotypes[gene] = all_genotypes(table);
            std::size_t n_wrong = 0;
            for (const SeenGenotype& one : genotypes[gene])
                n_wrong += holds(*condition, one) != says(words, table, one);
            CHECK(n_wrong == 0);
        }
    }
    // Words that are no key: known genes, and what else must be.
    const auto& warfarin = known.at("warfarin")->rows;
    CHECK(warfarin[0].genotype.size() == 3);
    CHECK(warfarin[1].genotype.size() == 2);
    CHECK(warfarin[1].condition == "tested for CYP2C9*5, *6, *8 and *11");
    CHECK(warfarin[2].genotype.empty());
    CHECK(warfarin[2].condition == "not tested for CYP2C9*5, *6, *8 and *11");
}

TEST_CASE("rows that ask more genes come first, and unknown genes hold none") {
    const auto drug = drug_of("sertraline");
    const auto genotype = [&](const char* gene, const char* diplotype) {
        const GeneTable& table = *drug->genes.at(gene);
        return seen(table, *table.parse_diplotype(diplotype, nullptr));
    };
    CHECK(drug->matching({}).empty());
    const auto found = drug->matching(
        {{"CYP2B6", genotype("CYP2B6", "*6/*6")}, {"CYP2C19", genotype("CYP2C19", "*2/*2")}});
    REQUIRE(found.size() >= 2);
    CHECK(found[0]->genotype.size() == 2);
    CHECK(found.back()->genotype.size() == 1);
    for (const Recommendation* row : found)
        for (const GenotypeCondition& condition : row->genotype)
            CHECK((condition.gene == "CYP2B6" || condition.gene == "CYP2C19"));
}

TEST_CASE("inhibitors are in one class per enzyme, and enzymes are genes of the library") {
    sim::DiagnosticList diagnostics;
    const auto inhibitors =
        load_inhibitors(library().find("interactions", "inhibitors"), diagnostics);
    INFO(diagnostics.render());
    REQUIRE(inhibitors);
    CHECK(inhibitors->confidence == "remembered");
    for (const auto& [enzyme, drugs] : inhibitors->enzymes)
        CHECK_FALSE(library().find("genes", enzyme).empty());
    CHECK(inhibitors->factors == std::array<double, 3>{0.0, 0.5, 1.0});
    CHECK(inhibitors->of("paroxetine") == std::map<std::string, int>{{"CYP2D6", 0}});
    CHECK(inhibitors->of("fluconazole").at("CYP2C9") == 1);
    CHECK(inhibitors->of("water").empty());
}

TEST_CASE("broken files of recommendations are told as the texts beside them say") {
    // Golden texts, read by a person when written: GEMEL_UPDATE_EXPECTED=1 writes them anew.
    int n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(repository / "tests" / "errors")) {
        const auto& file = entry.path();
        const bool is_inhibitors = file.filename().string().starts_with("inhibitors_");
        if ((!is_inhibitors && !file.filename().string().starts_with("recommendations_")) ||
            file.extension() != ".toml")
            continue;
        CAPTURE(file.string());
        sim::DiagnosticList diagnostics;
        if (is_inhibitors)
            CHECK(load_inhibitors(file, diagnostics) == nullptr);
        else
            CHECK(load_recommendations(file, library(), diagnostics) == nullptr);
        std::string text = diagnostics.render();
        const std::string folder = repository.string() + "/";
        for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder))
            text.erase(at, folder.size());
        auto expected = file;
        expected.replace_extension(".expected");
        if (std::getenv("GEMEL_UPDATE_EXPECTED") != nullptr) std::ofstream(expected) << text;
        std::ostringstream golden;
        golden << std::ifstream(expected).rdbuf();
        CHECK(text == golden.str());
        ++n;
    }
    CHECK(n >= 2);
}
