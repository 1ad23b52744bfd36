#include "loaded.hpp"

#include <gemel/io/fields.hpp>
#include <gemel/io/toml.hpp>
#include <gemel/pkpd/panel.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

const std::filesystem::path source_dir = GEMEL_SOURCE_DIR;

std::string read_text(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

std::string without(std::string text, const std::string& part) {
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part))
        text.erase(at, part.size());
    return text;
}

std::vector<std::filesystem::path> error_files(const std::string& prefix) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(source_dir / "tests" / "errors"))
        if (entry.path().filename().string().starts_with(prefix) &&
            entry.path().extension() == ".expected") // others serve the tests of studies
            files.push_back(std::filesystem::path(entry.path()).replace_extension(".toml"));
    std::sort(files.begin(), files.end());
    return files;
}

enum class BadFile { model, gene, panel };

bool can_load(const std::filesystem::path& file, BadFile kind, sim::DiagnosticList& diagnostics) {
    if (kind == BadFile::gene) return load_gene(file, diagnostics) != nullptr;
    if (kind == BadFile::panel) return load_panel(file, library(), diagnostics) != nullptr;
    return load_model(file, library(), diagnostics) != nullptr;
}

std::string mistakes_of(const std::filesystem::path& file, BadFile kind) {
    sim::DiagnosticList diagnostics;
    CHECK_FALSE(can_load(file, kind, diagnostics));
    return without(diagnostics.render(), source_dir.string() + "/");
}

void check_golden(const std::string& prefix, BadFile kind) {
    const auto files = error_files(prefix);
    REQUIRE_FALSE(files.empty());
    for (const auto& file : files) {
        auto expected = file;
        expected.replace_extension(".expected");
        INFO(file.filename().string());
        const std::string text = mistakes_of(file, kind);
        if (std::getenv("GEMEL_UPDATE_EXPECTED") != nullptr) std::ofstream(expected) << text;
        CHECK(text == read_text(expected));
    }
}

/// A model that has every key of the grammar once.
constexpr const char* complete_model = R"toml(gemel = "model/1"
[model]
name = "complete"
about = "every key"
source = "test"
time = "h"
molar_mass = "300 g/mol"
equations = '''
d/dt(depot) = -ka * depot
d/dt(central) = ka * depot - CL / V * central
Cp = central / V
not_needed = CL_made * F_made
'''
[drug]
name = "testine"
exposure = "auc(Cp, last_interval)"
usual = [ { dose = "100 mg", every = "24 h" } ]
duration = "48 h"
about = "every key"
[routes.oral]
into = "depot"
default = true
about = "tablet"
[parameters.ka]
value = 1.2
unit = "1/h"
about = "absorption"
source = "test"
lower = 0.1
upper = 10
[parameters.ka.iiv]
law = "boxcox"
lambda = 0.5
sd = 0.3
[parameters.CL]
value = 5.0
unit = "L/h"
scale = "CYP2C9_on_CL * VKORC1_factor * WT / 70[kg]"
iiv = { cv = 0.3 }
iov = { sd = 0.1 }
[parameters.V]
value = 42.0
unit = "L"
iiv = { cv_approx = 0.2 }
[parameters.unused_here]
value = 1
unit = "1"
iiv = { var = 0.04, law = "student", df = 4 }
scale = "SEX_male * GROUP_slow"
[maps.CYP2C9_on_CL]
gene = "CYP2C9"
by = "activity_score"
unit = "1"
law = "power"
exponent = 1.4
reference = "2"
about = "clearance"
source = "test"
[maps.VKORC1_factor]
gene = "VKORC1"
by = "allele"
reference = "G"
table = { G = 1, A = 0.5 }
[maps.VKORC1_factor.otherwise]
by = "phenotype"
table = { GG = 1 }
source = "assumed"
[covariates.WT]
unit = "kg"
reference = 70
about = "weight"
[covariates.SEX]
categories = ["male", "female"]
reference = "female"
[covariates.INHIBITOR]
categories = ["none", "strong"]
reference = "none"
[mixtures.GROUP]
proportions = { slow = 0.3, fast = 0.7 }
reference = "fast"
about = "clearance"
source = "test"
[enzymes.CYP3A4]
turnover = "0.0193[1/h]"
ontogeny = "WT / 70[kg]"
about = "of the liver"
source = "test"
[[interactions]]
enzyme = "CYP3A4"
by = "Cp"
Ki = "0.1[mg/L]"
kinact = "0.1[1/h]"
K_I = "0.1[mg/L]"
Emax = 2
EC50 = "0.1[mg/L]"
about = "itself"
source = "test"
[[interactions]]
enzyme = "CYP3A4"
class = "INHIBITOR"
source = "test"
[clearances.CL_made]
of = "CL"
declared = "CL/F"
enzymes = { CYP3A4 = 0.5 }
renal = 0.1
kidney = 1
liver = 1
flow = "90[L/h]"
absorbed = 0.9
first_pass = "F_made"
about = "clearance"
source = "test"
[states.depot]
unit = "mg"
scale = 100
about = "gut"
molar_mass = "300 g/mol"
[states.central]
unit = "mg"
[outputs.Cp]
unit = "mg/L"
label = "concentration"
[outputs.Cp.error]
law = "combined2"
proportional = 0.1
additive = 0.02
lloq = "0.1 mg/L"
uloq = "50 mg/L"
[outputs.Cp.error.autocorrelation]
half_time = "12 h"
[outputs.unused_here]
unit = "1"
[outputs.unused_here.error]
law = "additive"
additive = 1
autocorrelation = { half_time = "12 h" }
[[residual_correlation]]
of = ["Cp", "unused_here"]
correlation = [[0.4]]
[[omega]]
of = ["CL", "V"]
level = "subject"
correlation = [[0.5]]
[uncertainty]
of = ["CL"]
law = "bounded"
covariance = [[0.09]]
[[tests]]
at = ["1 h"]
within = 1e-3
source = "none"
about = "none"
[tests.expect]
Cp = [1.0]
[tests.genotypes]
CYP2C9 = "*1/*1"
[tests.covariates]
WT = 70
[tests.parameters]
CL = 5
[[tests.doses]]
dose = "100 mg"
)toml";

/// Where a mistake is to be told, and the model with it.
struct Mutation {
    std::string text;
    int line = 0;
    std::string key;
    std::string path; ///< as the grammar names it: "parameters.NAME.unit"
};

/// "[parameters.ka]" → "parameters.NAME", "[[tests.doses]]" → "tests[].doses[]".
std::string grammar_path(const std::string& header) {
    if (header == "[[omega]]") return "omega[]";
    if (header == "[[residual_correlation]]") return "residual_correlation[]";
    if (header == "[[tests]]") return "tests[]";
    if (header == "[[tests.doses]]") return "tests[].doses[]";
    std::string path = header.substr(1, header.size() - 2);
    const auto dot = path.find('.');
    if (dot == std::string::npos || path.starts_with("tests")) return path;
    const auto end = path.find('.', dot + 1);
    return path.substr(0, dot) + ".NAME" + (end == std::string::npos ? "" : path.substr(end));
}

bool is_key_line(const std::string& line) {
    const auto equals = line.find(" = ");
    return equals != std::string::npos && line.find('/') > equals && line[0] != '#';
}

/// Every `key = value` line changed in one way; equations and the format line stay.
std::vector<Mutation> mutate(const std::function<std::string(const std::string& key)>& change) {
    std::vector<std::string> lines;
    std::istringstream text(complete_model);
    for (std::string line; std::getline(text, line);)
        lines.push_back(line);
    std::vector<Mutation> mutations;
    bool is_equation = false;
    std::string section;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        if (lines[i].starts_with('[')) section = grammar_path(lines[i]);
        const bool opens = lines[i].ends_with("'''");
        const bool was_equation = is_equation;
        if (opens) is_equation = !is_equation;
        if (was_equation || opens || !is_key_line(lines[i])) continue;
        Mutation mutation;
        mutation.key = lines[i].substr(0, lines[i].find(" = "));
        mutation.path = section + "." + mutation.key;
        mutation.line = static_cast<int>(i) + 1;
        for (std::size_t k = 0; k < lines.size(); ++k)
            mutation.text += (k == i ? change(mutation.key) : lines[k]) + "\n";
        mutations.push_back(mutation);
    }
    return mutations;
}

sim::DiagnosticList load_mutated(const std::string& text) {
    const auto path = temporary_path("bad_model.toml");
    std::ofstream(path) << text;
    sim::DiagnosticList diagnostics;
    load_model(path, library(), diagnostics);
    std::filesystem::remove(path);
    return diagnostics;
}

bool tells_line(const sim::DiagnosticList& diagnostics, int line) {
    return std::ranges::any_of(diagnostics.items(),
                               [&](const auto& item) { return item.span.line == line; });
}

/// Keys of a free choice of words, where no text is a mistake of its own.
bool is_name_of_users(const std::string& key) {
    return key == "Cp" || key == "CL" || key == "WT" || key == "CYP2C9";
}

} // namespace

TEST_CASE("the messages of bad model files read as agreed") {
    // Oracle: the texts beside the files, read by a person.
    check_golden("model_", BadFile::model);
}

TEST_CASE("the messages of bad gene files read as agreed") {
    check_golden("gene_", BadFile::gene);
}

TEST_CASE("the messages of bad panel files read as agreed") {
    check_golden("panel_", BadFile::panel);
}

TEST_CASE("the complete model is complete and good") {
    const std::string text = complete_model;
    const auto diagnostics = load_mutated(text);
    INFO(diagnostics.render());
    CHECK(diagnostics.empty());
    std::vector<std::string> missing;
    for (const io::FieldRow& row : io::list_fields(describe_model_for_reference)) {
        const std::string& name = row.field.name;
        const bool of_dose = row.path.find("doses[]") != std::string::npos ||
                             row.path.find("usual[]") != std::string::npos;
        if (!of_dose && text.find(name + " = ") == std::string::npos &&
            text.find("." + name + "]") == std::string::npos &&
            text.find("[" + name) == std::string::npos &&
            text.find("." + name + ".") == std::string::npos)
            missing.push_back(row.path);
    }
    // Keys that exclude one of those present; the golden files have them.
    const std::vector<std::string> elsewhere{
        "covariance",
        "half",
        "exponent",
        "sd",
        "uncertain_activity",
        // of several files, which one text is not: test_model_uses.cpp has them
        "uses",
        "uses[].file",
        "uses[].as",
        "uses[].with",
        "tested_with",
        "needs",
        "keeps_doses",
        // other ways of saying what is uncertain, and a study's alone
        "uncertainty.rse",
        "uncertainty.draws",
        "uncertainty.columns",
        "uncertainty.omega[].rse",
        "uncertainty.from"};
    for (const std::string& path : missing) {
        INFO(path);
        CHECK(
            std::ranges::any_of(elsewhere, [&](const auto& name) { return path.ends_with(name); }));
    }
}

TEST_CASE("a misspelt key is told at its place, with the right one, for every key") {
    for (const Mutation& m : mutate([](const std::string& key) { return key + "x = 1"; })) {
        if (is_name_of_users(m.key)) continue;
        const auto diagnostics = load_mutated(m.text);
        INFO(m.key, " on line ", m.line, "\n", diagnostics.render());
        CHECK(tells_line(diagnostics, m.line));
        CHECK(diagnostics.render().find("did you mean '" + m.key + "'?") != std::string::npos);
    }
}

TEST_CASE("a value of the wrong type is told at its place, for every key") {
    // No key takes a date.
    for (const Mutation& m : mutate([](const std::string& key) { return key + " = 2020-01-01"; })) {
        const auto diagnostics = load_mutated(m.text);
        INFO(m.key, " on line ", m.line, "\n", diagnostics.render());
        CHECK(tells_line(diagnostics, m.line));
    }
}

TEST_CASE("a text without sense is told at its place, for every key that is no free text") {
    for (const Mutation& m : mutate([](const std::string& key) { return key + " = \"?!\""; })) {
        if (m.key == "name" || m.key == "about" || m.key == "source" || m.key == "label") continue;
        if (m.key == "exposure") continue; // an outcome, which the floor of studies reads
        const auto diagnostics = load_mutated(m.text);
        INFO(m.key, " on line ", m.line, "\n", diagnostics.render());
        CHECK(tells_line(diagnostics, m.line));
    }
}

TEST_CASE("a missing key is told by name, for every required key") {
    std::vector<std::string> required;
    for (const io::FieldRow& row : io::list_fields(describe_model_for_reference))
        if (row.field.required) required.push_back(row.path);
    int n_required = 0;
    for (const Mutation& m : mutate([](const std::string&) { return std::string(); })) {
        if (std::ranges::count(required, m.path) == 0) continue;
        const auto diagnostics = load_mutated(m.text);
        INFO(m.path, " on line ", m.line, "\n", diagnostics.render());
        CHECK(diagnostics.render().find("'" + m.key + "' is missing") != std::string::npos);
        ++n_required;
    }
    CHECK(n_required > 20);
}

TEST_CASE("numbers out of range are told at their place") {
    for (const char* key : {"within", "exponent", "cv", "additive", "proportional"}) {
        std::string text = complete_model;
        const std::string old = std::string(key) + " = ";
        const auto at = text.find(old);
        REQUIRE(at != std::string::npos);
        text.insert(at + old.size(), "-");
        const int line =
            1 + static_cast<int>(
                    std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
        const auto diagnostics = load_mutated(text);
        INFO(key, "\n", diagnostics.render());
        CHECK(tells_line(diagnostics, line));
    }
}
