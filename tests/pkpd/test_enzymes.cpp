#include "loaded.hpp"

#include <fmt/format.h>

#include <cmath>

namespace gemel::pkpd {

namespace {

/// A drug cleared by an enzyme (share fm, activity by score), another pathway and the kidney; what
/// acts on the enzyme is a constant level I until `t_stop`.
constexpr const char* drug = R"(gemel = "model/1"
[model]
name   = "drug of pathways"
source = "made for this test"
time   = "h"
equations = '''
d/dt(central) = -CL / V * central
C = central / V
I = t < t_stop ? level : 0[mg/L]
not_in_every_case = Q * INHIBITOR_none
'''
[parameters]
V      = {{ value = 100, unit = "L" }}
CL_ref = {{ value = 40, unit = "L/h" }}
Q      = {{ value = 90, unit = "L/h" }}
fm     = {{ value = 0.8, unit = "1" }}
fe     = {{ value = 0.1, unit = "1" }}
level  = {{ value = 0, unit = "mg/L" }}
t_stop = {{ value = 1e9, unit = "h" }}
[maps.score]
gene      = "CYP2D6"
by        = "activity_score"
law       = "power"
exponent  = 1
reference = "2"
otherwise = {{ by = "activity_score", uncertain_activity = {{ "0.5" = 1 }}, source = "assumed" }}
[covariates]
CRCL      = {{ unit = "mL/min", reference = 100 }}
INHIBITOR = {{ categories = ["none", "weak", "moderate", "strong"], reference = "none" }}
[enzymes.CYP2D6]
turnover = "0.0136[1/h]"
{interactions}
[clearances.CL]
of      = "CL_ref"
enzymes = {{ CYP2D6 = {{ share = "fm", activity = "score" }} }}
renal   = "fe"
kidney  = "CRCL / 100[mL/min]"
{liver}
[states]
central = {{ unit = "mg" }}
[outputs]
C      = {{ unit = "mg/L" }}
CL     = {{ unit = "L/h" }}
CYP2D6 = {{ unit = "1" }}
{outputs}
[[tests]]
at     = ["5 h", "100 h", "300 h"]
expect = {{ CL = [0, 0, 0], CYP2D6 = [0, 0, 0] }}
source = "set by each case"
)";

constexpr const char* class_only = R"([[interactions]]
enzyme = "CYP2D6"
class  = "INHIBITOR"
source = "classes"
)";

std::string made(const std::string& interactions,
                 const std::string& liver = "declared = \"CL\"",
                 const std::string& outputs = "") {
    return fmt::format(fmt::runtime(drug),
                       fmt::arg("interactions", interactions),
                       fmt::arg("liver", liver),
                       fmt::arg("outputs", outputs));
}

std::shared_ptr<const Model> load(const std::string& text) {
    const Loaded loaded = load_text(text, "enzymes.toml");
    REQUIRE(loaded.messages == "");
    return loaded.model;
}

/// What differs from three values of one output.
std::string differs(const Model& model,
                    const TypicalPatient& patient,
                    const std::string& output,
                    const std::vector<double>& expected,
                    double within = 1e-9) {
    ModelTest test = model.tests.front();
    test.genotypes = patient.genotypes;
    test.covariates = patient.covariates;
    test.parameters = patient.parameters;
    test.expect = {{output, expected}};
    test.within = within;
    return run_model_test(model, test, "", 1e-10);
}

std::string differs(const Model& model,
                    const TypicalPatient& patient,
                    const std::string& output,
                    double expected,
                    double within = 1e-9) {
    return differs(model, patient, output, std::vector<double>(3, expected), within);
}

TypicalPatient with_genotype(const char* diplotype) {
    return {{{"CYP2D6", diplotype}}, {}, {}};
}

constexpr double strong = 3.0; // index of the category

} // namespace

TEST_CASE("a poor metabolizer does not change under a full inhibitor") {
    const auto model = load(made(class_only));
    // CL = 40·(0.8·0 + 0.1 + 0.1), whoever inhibits
    TypicalPatient poor = with_genotype("*4/*4");
    CHECK(differs(*model, poor, "CL", 8.0) == "");
    poor.covariates["INHIBITOR"] = strong;
    CHECK(differs(*model, poor, "CL", 8.0) == "");
}

TEST_CASE("whoever is fully inhibited clears as a poor metabolizer") {
    const auto model = load(made(class_only));
    for (const char* diplotype : {"*1/*1", "*1/*4", "*10/*17", "*1/*2x2"}) {
        TypicalPatient patient = with_genotype(diplotype);
        patient.covariates["INHIBITOR"] = strong;
        CHECK(differs(*model, patient, "CL", 8.0) == "");
    }
}

TEST_CASE("with fm = 1 full inhibition leaves nothing of the clearance") {
    const auto model = load(made(class_only));
    TypicalPatient patient = with_genotype("*1/*1");
    patient.parameters = {{"fm", 1.0}, {"fe", 0.0}};
    CHECK(differs(*model, patient, "CL", 40.0) == "");
    patient.covariates["INHIBITOR"] = strong;
    CHECK(differs(*model, patient, "CL", 0.0) == "");
}

TEST_CASE("classes of inhibitors leave 1, 1, 0.5 and 0 of the activity, and the model says so") {
    const auto model = load(made(class_only));
    const double left[] = {1.0, 1.0, 0.5, 0.0};
    for (int k = 0; k < 4; ++k) {
        TypicalPatient patient = with_genotype("*1/*1");
        patient.covariates["INHIBITOR"] = k;
        CHECK(differs(*model, patient, "CYP2D6", left[k]) == "");
    }
    REQUIRE(model->notes.size() == 1);
    CHECK(model->notes[0].find("CYP2D6 under an inhibitor by its class (INHIBITOR)") == 0);
}

TEST_CASE("reversible inhibition follows Rowland and Matin's equation") {
    // Rowland & Matin 1973: AUCi/AUC = 1/(fm/(1 + I/Ki) + 1 − fm), the kidney within the rest
    const auto model = load(made(R"([[interactions]]
enzyme = "CYP2D6"
by     = "I"
Ki     = "0.02[mg/L]"
source = "made"
)"));
    for (double level : {0.0, 0.01, 0.02, 0.5}) {
        TypicalPatient patient = with_genotype("*1/*1");
        patient.parameters["level"] = level;
        const double ratio = 1.0 / (0.8 / (1.0 + level / 0.02) + 0.2);
        CHECK(differs(*model, patient, "CL", 40.0 / ratio) == "");
    }
}

TEST_CASE("competitors of one enzyme add up, and units are converted") {
    const auto model = load(made(R"([[interactions]]
enzyme = "CYP2D6"
by     = "I"
Ki     = "20[ug/L]"
source = "made"
[[interactions]]
enzyme = "CYP2D6"
by     = "2 * I"
Ki     = "0.1[mg/L]"
source = "made"
)"));
    TypicalPatient patient = with_genotype("*1/*1");
    patient.parameters["level"] = 0.04;
    CHECK(differs(*model, patient, "CYP2D6", 1.0 / (1.0 + 0.04 / 0.02 + 0.08 / 0.1)) == "");
}

TEST_CASE("mechanism-based inhibition: onset, steady state and recovery by the enzyme's turnover") {
    // dE/dt = kdeg·(1 − E) − kobs·E of constant kobs = kinact·I/(KI + I): exponential with rate
    // kdeg + kobs towards kdeg/(kdeg + kobs); without inhibitor back with kdeg.
    const auto model = load(made(R"([[interactions]]
enzyme = "CYP2D6"
by     = "I"
kinact = "0.3[1/h]"
K_I    = "0.05[mg/L]"
source = "made"
)"));
    TypicalPatient patient = with_genotype("*1/*1");
    patient.parameters = {{"level", 0.02}, {"t_stop", 100.0}};
    const double kdeg = 0.0136;
    const double rate = kdeg + 0.3 * 0.02 / (0.05 + 0.02);
    const auto under = [&](double t) {
        return kdeg / rate + (1.0 - kdeg / rate) * std::exp(-rate * t);
    };
    const double after = 1.0 - (1.0 - under(100.0)) * std::exp(-kdeg * 200.0);
    CHECK(differs(*model, patient, "CYP2D6", {under(5.0), under(100.0), after}, 1e-7) == "");
}

TEST_CASE("induction raises synthesis and washes out with the enzyme's turnover") {
    // dE/dt = kdeg·(1 + Emax·I/(EC50 + I) − E)
    const auto model = load(made(R"([[interactions]]
enzyme = "CYP2D6"
by     = "I"
Emax   = 8
EC50   = "0.3[mg/L]"
source = "made"
)"));
    TypicalPatient patient = with_genotype("*1/*1");
    patient.parameters = {{"level", 0.6}, {"t_stop", 100.0}};
    const double kdeg = 0.0136, gain = 8.0 * 0.6 / 0.9;
    const auto under = [&](double t) { return 1.0 + gain * -std::expm1(-kdeg * t); };
    const double after = 1.0 + (under(100.0) - 1.0) * std::exp(-kdeg * 200.0);
    CHECK(differs(*model, patient, "CYP2D6", {under(5.0), under(100.0), after}, 1e-7) == "");
}

TEST_CASE("the well-stirred liver moves clearance and first pass together") {
    // Intrinsic clearance of the reference: 36 = 90·CLint/(90 + CLint), CLint = 60
    const auto model = load(made(class_only,
                                 "declared = \"CL\"\nflow = \"Q\"\nfirst_pass = \"F_liver\"",
                                 "F_liver = { unit = \"1\" }"));
    const struct {
        const char* diplotype;
        double activity;
    } cases[] = {{"*1/*1", 1.0}, {"*1/*4", 0.5}, {"*4/*4", 0.0}, {"*1/*2x2", 1.5}};
    for (const auto& [diplotype, activity] : cases) {
        const double intrinsic = 60.0 * (0.8 * activity + 0.1) / 0.9;
        const TypicalPatient patient = with_genotype(diplotype);
        CHECK(differs(*model, patient, "CL", 4.0 + 90.0 * intrinsic / (90.0 + intrinsic)) == "");
        CHECK(differs(*model, patient, "F_liver", 90.0 / (90.0 + intrinsic)) == "");
    }
}

TEST_CASE("what is declared, CL, CL/F or CLint, are three views of one drug") {
    // Without kidney, F = what the liver passes: CL = 36, F = 0.6, CL/F = CLint = 60. The ratio of
    // oral exposures, first pass over clearance, is that of the intrinsic clearances whatever is
    // declared (Wilkinson & Shand 1975).
    const struct {
        const char* liver;
        double declared;
    } views[] = {
        {"declared = \"CL\"", 36.0}, {"declared = \"CL/F\"", 60.0}, {"declared = \"CLint\"", 60.0}};
    for (const auto& [liver, declared] : views) {
        std::string text = made(class_only,
                                std::string(liver) + "\nflow = \"Q\"\nfirst_pass = \"F_liver\"",
                                "exposure = { unit = \"h/L\" }");
        for (const char* line : {"renal   = \"fe\"\n",
                                 "kidney  = \"CRCL / 100[mL/min]\"\n",
                                 "fe     = { value = 0.1, unit = \"1\" }\n",
                                 "CRCL      = { unit = \"mL/min\", reference = 100 }\n"})
            text.erase(text.find(line), std::string(line).size());
        text.replace(text.find("C = central / V"), 0, "exposure = F_liver / CL\n");
        const auto model = load(text);
        TypicalPatient patient = with_genotype("*1/*1");
        patient.parameters["CL_ref"] = declared;
        CHECK(differs(*model, patient, "exposure", 1.0 / 60.0) == "");
        patient.genotypes["CYP2D6"] = "*1/*4";
        CHECK(differs(*model, patient, "exposure", 1.0 / (60.0 * 0.6)) == "");
        patient.genotypes["CYP2D6"] = "*4/*4";
        CHECK(differs(*model, patient, "exposure", 1.0 / (60.0 * 0.2)) == "");
    }
}

TEST_CASE("the kidney's share goes with the function of the kidney") {
    const auto model = load(made(class_only));
    TypicalPatient patient = with_genotype("*4/*4");
    patient.covariates["CRCL"] = 25.0;
    CHECK(differs(*model, patient, "CL", 40.0 * (0.1 + 0.1 * 0.25)) == "");
}

TEST_CASE("an enzyme is the patient's: files of one model act on the same one") {
    const std::string perpetrator = R"(gemel = "model/1"
[model]
name   = "inhibitor"
source = "made for this test"
time   = "h"
equations = '''
d/dt(depot) = -k * depot
level_now = depot / V
'''
[parameters]
k = { value = 0, unit = "1/h" }
V = { value = 10, unit = "L" }
[enzymes.CYP2D6]
[[interactions]]
enzyme = "CYP2D6"
by     = "level_now"
Ki     = "0.02[mg/L]"
source = "made"
[routes.oral]
into = "depot"
[states]
depot = { unit = "mg" }
[outputs]
level_now = { unit = "mg/L" }
)";
    const auto inhibitor = temporary_path("inhibitor.toml");
    const auto victim = temporary_path("victim.toml");
    std::ofstream(inhibitor) << perpetrator;
    std::ofstream(victim) << made("");
    const Loaded loaded = load_text(fmt::format(R"toml(gemel = "model/1"
[model]
name   = "both"
source = "made for this test"
time   = "h"
uses   = ["{}", {{ file = "{}", as = "inh_" }}]
[outputs]
CYP2D6 = {{ unit = "1", label = "enzyme" }}
[[tests]]
doses  = [ {{ dose = "0.6 mg", route = "inh_oral" }} ]
at     = ["1 h"]
expect = {{ CYP2D6 = [0.25], CL = [16] }}
within = 1e-9
source = "0.06 mg/L are three times Ki: 40·(0.8·0.25 + 0.2)"
)toml",
                                                victim.filename().string(),
                                                inhibitor.filename().string()),
                                    "both.toml");
    std::filesystem::remove(inhibitor);
    std::filesystem::remove(victim);
    REQUIRE(loaded.messages == "");
    CHECK(run_model_test(*loaded.model, loaded.model->tests.front(), "", 1e-10) == "");
}

} // namespace gemel::pkpd
