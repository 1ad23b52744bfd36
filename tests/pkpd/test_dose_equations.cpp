#include "library.hpp"

#include <gemel/pkpd/dose_equation.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

const std::filesystem::path source_folder = GEMEL_SOURCE_DIR;

std::shared_ptr<const DoseEquation> equation_of(const std::string& name) {
    sim::DiagnosticList diagnostics;
    auto equation = load_dose_equation(library().find("doses", name), library(), diagnostics);
    INFO(diagnostics.render());
    REQUIRE(equation);
    return equation;
}

/// Of inputs in the order of the file, categories as index.
double dose_of(const DoseEquation& equation,
               std::vector<double> inputs,
               const std::map<std::string, std::string>& genotypes) {
    for (std::size_t m = 0; m < equation.maps.size(); ++m) {
        const std::string& gene = equation.maps[m].map.gene;
        const auto known = genotypes.find(gene);
        const auto diplotype =
            known == genotypes.end()
                ? std::nullopt
                : equation.genes.at(gene)->parse_diplotype(known->second, nullptr);
        const auto value = equation.map_value(m, diplotype);
        REQUIRE(value);
        inputs.push_back(value->value);
    }
    return equation.doses(inputs, 1).front();
}

std::string dose_golden(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

std::string dose_mistakes(const std::filesystem::path& file) {
    sim::DiagnosticList diagnostics;
    CHECK(load_dose_equation(file, library(), diagnostics) == nullptr);
    std::string text = diagnostics.render();
    const std::string folder = source_folder.string() + "/";
    for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder))
        text.erase(at, folder.size());
    return text;
}

} // namespace

TEST_CASE("every dose equation of the library passes its own tests") {
    // Oracle: vectors of public implementations, and tools/dose_equation_numbers.py, which knows
    // the printed coefficients alone. Loading runs them.
    const std::vector<std::string> names = library().names("doses");
    CHECK(names.size() >= 9);
    for (const std::string& name : names) {
        CAPTURE(name);
        const auto equation = equation_of(name);
        CHECK(equation->tests.size() >= 3);
        CHECK(equation->drug != "");
        CHECK(equation->source != "");
    }
}

TEST_CASE("IWPC and Gage give the doses tabled when the models were compared") {
    // Oracle: daily doses [mg] by an independent evaluation of the published equations, age 71,
    // IWPC 170 cm and 75 kg, Gage 1.88 m2 and INR 2.5, two decimals; rows VKORC1 GG, AG, AA,
    // columns CYP2C9 *1/*1, *1/*2, *1/*3, *2/*2, *2/*3, *3/*3.
    const char* const vkorc1[] = {"GG", "AG", "AA"};
    const char* const cyp2c9[] = {"*1/*1", "*1/*2", "*1/*3", "*2/*2", "*2/*3", "*3/*3"};
    const double iwpc[3][6] = {{5.52, 4.63, 3.98, 3.79, 2.63, 2.15},
                               {4.08, 3.33, 2.78, 2.62, 1.68, 1.30},
                               {2.91, 2.28, 1.83, 1.70, 0.96, 0.68}};
    const double gage[3][6] = {{5.84, 4.75, 3.91, 3.86, 3.18, 2.62},
                               {4.23, 3.44, 2.83, 2.80, 2.30, 1.90},
                               {3.06, 2.49, 2.05, 2.02, 1.67, 1.37}};
    const auto by_iwpc = equation_of("warfarin_iwpc"), by_gage = equation_of("warfarin_gage");
    for (std::size_t v = 0; v < 3; ++v)
        for (std::size_t c = 0; c < 6; ++c) {
            CAPTURE(vkorc1[v]);
            CAPTURE(cyp2c9[c]);
            const std::map<std::string, std::string> genotypes{{"VKORC1", vkorc1[v]},
                                                               {"CYP2C9", cyp2c9[c]}};
            // AGE, HT, WT, RACE, INDUCER, AMIODARONE; a week has seven days. Half of a last digit.
            CHECK(std::abs(dose_of(*by_iwpc, {71, 170, 75, 0, 0, 0}, genotypes) / 7.0 -
                           iwpc[v][c]) <= 0.005 + 1e-9);
            // AGE, BSA, TARGET_INR, AMIODARONE, SMOKER, RACE, CLOT
            CHECK(std::abs(dose_of(*by_gage, {71, 1.88, 2.5, 0, 0, 0, 0}, genotypes) -
                           gage[v][c]) <= 0.005 + 1e-9);
        }
}

TEST_CASE("a dose equation says what its number for a genotype rests on") {
    const auto equation = equation_of("warfarin_iwpc");
    const GeneTable& gene = *equation->genes.at("CYP2C9");
    const auto basis = [&](const char* diplotype) {
        return equation->map_value(1, gene.parse_diplotype(diplotype, nullptr))->basis;
    };
    REQUIRE(equation->maps[1].map.gene == "CYP2C9");
    CHECK(basis("*1/*3") == DoseMapBasis::table);
    CHECK(basis("*3/*8") == DoseMapBasis::unnamed_allele);
    CHECK(equation->map_value(1, std::nullopt)->basis == DoseMapBasis::not_known);
    // *3/*8 counts as *1/*3: 0.9357 lower in the root.
    CHECK(equation->map_value(1, gene.parse_diplotype("*8/*3", nullptr))->value == 0.9357);
    // A count of alleles needs the genotype.
    const auto gage = equation_of("warfarin_gage");
    CHECK_FALSE(gage->map_value(0, std::nullopt).has_value());
}

TEST_CASE("many patients at once have the doses of each alone") {
    const auto equation = equation_of("warfarin_gage_clinical");
    const std::vector<std::vector<double>> patients{
        {71, 1.88, 2.5, 0, 0, 0, 0}, {50, 2.1, 3.0, 1, 1, 0, 1}, {50, 2.1, 2.5, 0, 0, 2, 0}};
    std::vector<double> columns;
    for (std::size_t input = 0; input < equation->inputs.size(); ++input)
        for (const auto& patient : patients)
            columns.push_back(patient[input]);
    const std::vector<double> doses = equation->doses(columns, patients.size());
    for (std::size_t p = 0; p < patients.size(); ++p)
        CHECK(doses[p] == equation->doses(patients[p], 1).front());
}

TEST_CASE("broken dose files are told as the texts beside them say") {
    // Golden texts, read by a person when written: GEMEL_UPDATE_EXPECTED=1 writes them anew.
    int n = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(source_folder / "tests" / "errors")) {
        const auto& file = entry.path();
        if (!file.filename().string().starts_with("dose_") || file.extension() != ".toml") continue;
        CAPTURE(file.string());
        auto expected = file;
        expected.replace_extension(".expected");
        const std::string text = dose_mistakes(file);
        if (std::getenv("GEMEL_UPDATE_EXPECTED") != nullptr) std::ofstream(expected) << text;
        CHECK(text == dose_golden(expected));
        ++n;
    }
    CHECK(n >= 3);
}
