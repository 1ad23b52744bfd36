#include "advice/model_dose.hpp"
#include "study_runs.hpp"

#include <gemel/scenarios/advice.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace gemel::tests {

namespace {

const std::filesystem::path patients = source_folder() / "tests" / "patients";

scenarios::Advice advice_of(const std::string& patient, const std::string& drug) {
    const io::Library found = source_library();
    return scenarios::advise(
        scenarios::load_patient(patients / (patient + ".toml"), found), drug, found);
}

struct Case {
    const char* patient;
    const char* drug;
};
constexpr Case cases[] = {
    {"clopidogrel_poor", "clopidogrel"},
    {"codeine_poor", "codeine"},
    {"codeine_paroxetine", "codeine"},
    {"codeine_alternatives", "codeine"},
    {"warfarin_complete", "warfarin"},
    {"warfarin_unnamed_allele", "warfarin"},
    {"abacavir_positive", "abacavir"},
    {"fluorouracil_intermediate", "fluorouracil"},
    {"no_genotype", "tacrolimus"},
    {"citalopram_called", "citalopram"},
    {"clopidogrel_variants", "clopidogrel"},
};

void check_text(const std::string& name, const std::string& text) {
    CAPTURE(name);
    if (std::getenv("GEMEL_UPDATE_EXPECTED") != nullptr) write_text(patients / name, text);
    CHECK(text == read_text(patients / name));
}

/// Actions for a drug and a key in the table of CPIC's recommendations, read here by themselves.
std::multiset<std::string> actions_in_table(const std::string& drug, const std::string& key) {
    std::ifstream file(source_folder() / "tests/data/cpic_recommendations.csv");
    std::multiset<std::string> actions;
    const std::string begin = drug + "," + key + ",";
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with(begin)) continue;
        // No cell before the action of these drugs holds a comma.
        std::istringstream cells(line);
        std::string cell;
        for (int i = 0; i < 5; ++i)
            std::getline(cells, cell, ',');
        actions.insert(cell);
    }
    return actions;
}

std::multiset<std::string> actions_of(const scenarios::AdviceAlternative& alternative) {
    std::multiset<std::string> actions;
    for (const pkpd::Recommendation* row : alternative.recommendations)
        actions.emplace(pkpd::name(row->action));
    return actions;
}

const scenarios::EquationDose& equation_of(const scenarios::Advice& advice, const std::string& id) {
    const auto& equations = advice.alternatives.front().equations;
    const auto found = std::find_if(
        equations.begin(), equations.end(), [&](const auto& dose) { return dose.id == id; });
    REQUIRE(found != equations.end());
    return *found;
}

std::string patient_mistakes_of(const std::string& patient, const std::string& drug) {
    try {
        advice_of(patient, drug);
    } catch (const sim::InputError& error) {
        std::string text = std::string(error.what()) + "\n";
        const std::string folder = source_folder().string() + "/";
        for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder))
            text.erase(at, folder.size());
        return text;
    }
    return "no mistake\n";
}

} // namespace

TEST_CASE("advice is laid out as the texts beside the patients say") {
    // Golden texts, read by a person when written: GEMEL_UPDATE_EXPECTED=1 writes them anew.
    for (const Case& one : cases) {
        const scenarios::Advice advice = advice_of(one.patient, one.drug);
        check_text(std::string(one.patient) + ".txt", scenarios::advice_text(advice));
        check_text(std::string(one.patient) + ".json", scenarios::advice_json(advice));
    }
}

TEST_CASE("the recommendations are those of the table for the phenotype") {
    // Oracle: tests/data/cpic_recommendations.csv, looked up by the phenotype's name.
    const auto first = [](const char* patient, const char* drug) {
        return actions_of(advice_of(patient, drug).alternatives.front());
    };
    CHECK(first("clopidogrel_poor", "clopidogrel") ==
          actions_in_table("clopidogrel", "CYP2C19=Poor Metabolizer"));
    CHECK(first("codeine_poor", "codeine") ==
          actions_in_table("codeine", "CYP2D6=Poor Metabolizer"));
    // A strong inhibitor leaves nothing of the score of 2: as a poor metabolizer.
    CHECK(first("codeine_paroxetine", "codeine") ==
          actions_in_table("codeine", "CYP2D6=Poor Metabolizer"));
    CHECK(first("abacavir_positive", "abacavir") ==
          actions_in_table("abacavir", "HLA-B=*57:01 positive"));
    CHECK(first("fluorouracil_intermediate", "fluorouracil") ==
          actions_in_table("fluorouracil", "DPYD=AS 1 (IM)"));
    CHECK(actions_in_table("codeine", "CYP2D6=Poor Metabolizer") ==
          std::multiset<std::string>{"avoid"});
}

TEST_CASE("every genotype that a patient may have has its own advice") {
    // Oracle: *1/*4 has score 1, *4/*10 0.25; a moderate inhibitor leaves half: 0.5 and 0.125. The
    // former is intermediate; CPIC's bands have no score of 0.125.
    const scenarios::Advice advice = advice_of("codeine_alternatives", "codeine");
    REQUIRE(advice.alternatives.size() == 2);
    CHECK(advice.alternatives[0].probability == 0.75);
    CHECK(advice.alternatives[1].probability == 0.25);
    CHECK(advice.genes[0].diplotypes[0].score_under_inhibition == "0.5");
    CHECK(advice.genes[0].diplotypes[1].score_under_inhibition == "0.125");
    CHECK(actions_of(advice.alternatives[0]) ==
          actions_in_table("codeine", "CYP2D6=Intermediate Metabolizer"));
    CHECK_FALSE(advice.agree());
}

TEST_CASE("without a genotype nothing is advised, and nothing is taken for normal") {
    const scenarios::Advice advice = advice_of("no_genotype", "tacrolimus");
    REQUIRE(advice.alternatives.size() == 1);
    CHECK(advice.alternatives[0].recommendations.empty());
    for (const scenarios::AdvisedGene& gene : advice.genes)
        CHECK(gene.diplotypes.empty());
    for (const scenarios::ModelDose& model : advice.alternatives[0].models)
        CHECK_FALSE(model.factor.has_value());
}

TEST_CASE("doses by equations are those tabled, and say what they ask for") {
    // Oracle: daily doses at 71 years, 170 cm, 75 kg, 1.88 m2, AG and *1/*3, by an independent
    // evaluation of the equations: IWPC 2.78, Gage 2.83; the label's range is 3 to 4 mg.
    const scenarios::Advice advice = advice_of("warfarin_complete", "warfarin");
    CHECK(*equation_of(advice, "warfarin_iwpc").daily == doctest::Approx(2.78).epsilon(0.002));
    CHECK(*equation_of(advice, "warfarin_gage").dose == doctest::Approx(2.83).epsilon(0.002));
    CHECK(*equation_of(advice, "warfarin_label").dose == 3.5);
    const scenarios::Advice other = advice_of("warfarin_unnamed_allele", "warfarin");
    CHECK_FALSE(equation_of(other, "warfarin_gage").dose.has_value());
    CHECK(equation_of(other, "warfarin_gage").missing.size() == 6);
    REQUIRE(equation_of(other, "warfarin_sconce").dose.has_value());
    // *1/*8 counts as *1/*1, GG has the code 1.
    CHECK(*equation_of(other, "warfarin_sconce").dose == doctest::Approx(5.433561).epsilon(1e-6));
    CHECK(equation_of(other, "warfarin_sconce").remarks.size() == 1);
}

TEST_CASE("a model's dose of equal exposure follows from its published ratio") {
    // Oracle: Ashraf 2024, share of codeine that becomes morphine R/(1 + R), R = 0.16·exp(AS − 2);
    // the AUC of morphine is proportional to dose and share.
    const auto share = [](double score) {
        const double r = 0.16 * std::exp(score - 2.0);
        return r / (1.0 + r);
    };
    const auto check = [&](const char* patient, double score) {
        const scenarios::Advice advice = advice_of(patient, "codeine");
        const scenarios::ModelDose& dose = advice.alternatives.front().models.at(0);
        REQUIRE(dose.factor.has_value());
        CHECK(*dose.ratio == doctest::Approx(share(score) / share(2.0)).epsilon(1e-4));
        CHECK(*dose.factor == doctest::Approx(share(2.0) / share(score)).epsilon(1e-4));
    };
    check("codeine_poor", 0.0);
    check("codeine_paroxetine", 0.0);
    check("codeine_alternatives", 0.5);
}

TEST_CASE("every model's usual doses give the reference patient the reference exposure") {
    // Oracle: who has the reference genotype is the reference.
    const io::Library found = source_library();
    int n = 0;
    for (const std::string& name : found.names("models")) {
        sim::DiagnosticList diagnostics;
        const auto model = pkpd::load_model(found.find("models", name), found, diagnostics);
        REQUIRE(model);
        if (!model->drug) continue;
        CAPTURE(name);
        scenarios::PatientOfModel patient;
        for (const auto& [gene, table] : model->genes)
            patient.genotypes[gene] = table->text(table->reference_diplotype());
        const scenarios::ModelDose dose = scenarios::model_dose(*model, patient);
        CHECK(dose.missing.empty());
        REQUIRE(dose.factor.has_value());
        CHECK(*dose.ratio == 1.0);
        CHECK(*dose.factor == 1.0);
        ++n;
    }
    CHECK(n >= 18);
}

TEST_CASE("genotypes of a file of calls keep their alternatives and what they rest on") {
    // Oracle: calls.csv, subject 7: two alternatives of CYP2C19, no call of CYP2D6.
    const scenarios::Advice advice = advice_of("citalopram_called", "citalopram");
    REQUIRE(advice.alternatives.size() == 2);
    CHECK(advice.alternatives[0].probability == 0.8);
    CHECK(advice.genes.at(0).evidence.find("calls.csv") != std::string::npos);
    CHECK(actions_of(advice.alternatives[0]) ==
          actions_in_table("citalopram", "CYP2C19=Rapid Metabolizer"));
    CHECK(actions_of(advice.alternatives[1]) ==
          actions_in_table("citalopram", "CYP2C19=Ultrarapid Metabolizer"));
    CHECK_FALSE(actions_of(advice.alternatives[0]).empty());
    const scenarios::Advice other = advice_of("citalopram_called", "amitriptyline");
    for (const scenarios::AdvisedGene& gene : other.genes)
        if (gene.gene == "CYP2D6") {
            CHECK(gene.diplotypes.empty());
            CHECK(gene.evidence.find("no call") != std::string::npos);
        }
}

TEST_CASE("mistakes of patients and unknown drugs are told") {
    // Golden texts, read by a person when written: GEMEL_UPDATE_EXPECTED=1 writes them anew.
    check_text("../errors/patient_mistakes.expected",
               patient_mistakes_of("../errors/patient_mistakes", "codeine"));
    check_text("../errors/patient_covariates.expected",
               patient_mistakes_of("../errors/patient_covariates", "warfarin"));
    check_text("../errors/patient_unknown_drug.expected",
               patient_mistakes_of("codeine_poor", "codein"));
    check_text("../errors/patient_not_a_patient.expected",
               patient_mistakes_of("../errors/patient_not_a_patient", "codeine"));
}

} // namespace gemel::tests
