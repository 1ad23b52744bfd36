#include "study_runs.hpp"

#include <gemel/io/fields.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

/// Every key of the grammar of studies, made wrong in every way, from the grammar's own
/// description.
namespace gemel::tests {

namespace {

/// Every key once, one per line; `all_keys_are_here` sees to it.
const std::vector<std::string> base{
    "gemel = \"study/1\"",
    "[study]",
    "model = \"oral.toml\"",
    "title = \"every key\"",
    "seed = 1",
    "duration = \"48 h\"",
    "design = \"counterfactual\"",
    "solver = \"auto\"",
    "rtol = 1e-6",
    "max_steps = 1000",
    "max_failures = 0",
    "[population]",
    "size = 2",
    "variability = \"full\"",
    "frequencies = \"given\"",
    "ancestry = \"EUR\"",
    "like = \"library:adults_nhanes\"",
    "covariates = { WT = \"70 kg\", HT = \"170 cm\", SEX = \"male\", A = { unit = \"1\", uniform = "
    "[0, 1] }, "
    "B = { unit = \"1\", uniform = [0, 1] }, C = { unit = \"1\" } }",
    "genotypes = { CYP2C9 = \"*1/*1\" }",
    "[[population.correlation]]",
    "of = [\"A\", \"B\"]",
    "kendall = [[0.3]]",
    "[population.rows]",
    "file = \"cohort.csv\"",
    "columns = [\"C\"]",
    "weights = \"w\"",
    "use = \"carry\"",
    "[population.strata.s]",
    "share = 0.5",
    "[[population.strata.s.correlation]]",
    "of = [\"A\", \"B\"]",
    "spearman = [[0.3]]",
    "[population.strata.t]", // goes by the correlation of everybody
    "share = 0.25",
    "[population.strata.u]",
    "share = 0.25",
    "[[population.strata.u.correlation]]",
    "of = [\"A\", \"B\"]",
    "latent = [[0.3]]",
    "[regimens.r]",
    "pending = \"cancel\"",
    "[[regimens.r.doses]]",
    "dose = \"100 mg\"",
    "route = \"oral\"",
    "at = \"0 h\"",
    "every = \"12 h\"",
    "count = 2",
    "[[regimens.r.doses]]",
    "dose = \"10 mg\"",
    "into = \"central\"",
    "start = \"1 h\"",
    "every = \"12 h\"",
    "until = \"24 h\"",
    "infuse_over = \"1 h\"",
    "[[regimens.r.doses]]",
    "dose = \"10 mg\"",
    "every = \"12 h\"",
    "for = \"24 h\"",
    "rate = \"5 mg/h\"",
    "steady_state = true",
    "[[regimens.r.doses]]",
    "reset = true",
    "[[regimens.r.doses]]",
    "set = \"1 mg\"",
    "into = \"central\"",
    "[[regimens.r.doses]]",
    "multiply = 0.5",
    "into = \"central\"",
    "[[regimens.r.doses]]",
    "switch = \"on\"",
    "into = \"central\"",
    "[[regimens.r.doses]]",
    "dose = \"10 mg\"",
    "when = \"Cp < 1 mg/L\"",
    "wait = \"6 h\"",
    "delay = \"1 h\"",
    "at_most = 3",
    "name = \"rescue\"",
    "[[regimens.r.doses]]",
    "stop = true",
    "when = \"Cp > 50 mg/L\"",
    "[regimens.p]", // in no arm: doses by policies are not looked for
    "knows = [\"CYP2C9\"]",
    "[[regimens.p.doses]]",
    "[regimens.p.doses.dose]",
    "policy = \"e\"",
    "times = 2",
    "lasting = \"24 h\"",
    "[[regimens.p.doses]]",
    "dose = { policy = \"c\" }",
    "[[regimens.p.doses]]",
    "dose = { policy = \"m\" }",
    "[[regimens.p.doses]]",
    "dose = { policy = \"n\" }",
    "[policies.e]",
    "equation = \"library:warfarin_iwpc_clinical\"",
    "given = { INDUCER = \"no\" }",
    "round_to = \"0.5 mg\"",
    "within = [\"1 mg\", \"10 mg\"]",
    "[policies.c]",
    "recommendations = \"library:siponimod\"",
    "usual = \"2 mg\"",
    "patients = \"general\"",
    "assume = { contraindicated = \"withhold\" }",
    "part_of_range = \"lower\"",
    "[policies.m]",
    "matches = \"auc(Cp, 0[h], 24[h])\"",
    "usual = \"2 mg\"",
    "target = \"20[mg*h/L]\"",
    "[policies.n]",
    "matches = \"auc(Cp, 0[h], 24[h])\"",
    "usual = \"2 mg\"",
    "reference = { CYP2C9 = \"*1/*1\" }",
    "not_known = \"3 mg\"",
    "[arms.a]",
    "regimen = \"r\"",
    "label = \"one arm\"",
    "[outcomes]",
    "X = \"auc(Cp, 0[h], 24[h])\"",
    "Y = \"cmax(Cp, 0[h], 24[h]) >= 1[mg/L]\"",
    "[endpoints.e]",
    "value = \"proportion(Y)\"",
    "by = \"WT\"",
    "cuts = [\"60[kg]\"]",
    "level = 0.9",
    "interval = \"wilson\"",
    "label = \"attained\"",
    "[find_dose]",
    "arm = \"a\"",
    "attainment = [\"Y\"]",
    "probability = 0.5",
    "among = [\"10 mg\", \"20 mg\"]",
    "from = \"5 mg\"",
    "to = \"20 mg\"",
    "tolerance = 0.1",
    "by = \"WT\"",
    "cuts = [\"60[kg]\"]",
    "level = 0.9",
    "interval = \"wilson\"",
    "[save]",
    "subjects = \"all\"",
    "[save.Cp]",
    "every = \"1 h\"",
    "from = \"1 h\"",
    "to = \"24 h\"",
    "subjects = 1",
    "summary = true",
    "[save.Ap]",
    "at = [\"1 h\", \"2 h\"]",
    "[samples.Cp]",
    "every = \"1 h\"",
    "from = \"1 h\"",
    "to = \"24 h\"",
    "lloq = \"0.1 mg/L\"",
    "uloq = \"50 mg/L\"",
    "[samples.Ap]",
    "at = [\"1 h\", \"2 h\"]",
};

std::string text_of(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines)
        text += line + "\n";
    return text;
}

std::string key_of(const io::FieldRow& row) {
    return row.field.name;
}

/// Lines "key = …" within the table a path belongs to, as numbers from 0.
std::vector<std::size_t> lines_of(const io::FieldRow& row) {
    const std::string table = row.path.substr(0, row.path.find('.'));
    std::vector<std::size_t> found;
    std::string current = "";
    for (std::size_t i = 0; i < base.size(); ++i) {
        if (base[i][0] == '[') {
            const std::size_t start = base[i].find_first_not_of('[');
            current = base[i].substr(start, base[i].find_first_of(".]", start) - start);
        }
        const bool is_here =
            row.path.find('.') == std::string::npos ? current.empty() : current == table;
        if (is_here && base[i].starts_with(key_of(row) + " = ")) found.push_back(i);
    }
    return found;
}

/// Every output of a model file can be measured.
std::string with_errors(std::string model) {
    for (const std::string label :
         {"label = \"plasma concentration\"", "label = \"amount in plasma\""})
        model.replace(model.find(label),
                      label.size(),
                      label + ", error = { law = \"additive\", additive = 1 }");
    return model;
}

class Bench {
public:
    Bench() {
        write_text(folder_ / "oral.toml",
                   with_errors(read_text(source_folder() / "tests/studies/models/oral.toml")));
        write_text(folder_ / "cohort.csv", "C,w\n1,1\n2,3\n");
    }

    /// The mistakes of a text, empty if it is a study.
    std::vector<sim::Diagnostic> mistakes(const std::vector<std::string>& lines) {
        write_text(folder_ / "study.toml", text_of(lines));
        try {
            scenarios::load_study(folder_ / "study.toml", source_library());
            return {};
        } catch (const sim::InputError& error) {
            const auto items = error.diagnostics().items();
            return {items.begin(), items.end()};
        }
    }

private:
    TemporaryFolder folder_;
};

bool tells(const std::vector<sim::Diagnostic>& mistakes,
           std::size_t line,
           const std::string& word) {
    return std::any_of(mistakes.begin(), mistakes.end(), [&](const sim::Diagnostic& mistake) {
        return mistake.span.line == static_cast<int>(line) + 1 &&
               (mistake.message + mistake.help).find(word) != std::string::npos;
    });
}

/// Keys that do not go with others here: tests/scenarios/test_replicates.cpp, test_occasions.cpp
/// and tests/pkpd/test_uncertainty.cpp have them.
bool is_tested_elsewhere(const io::FieldRow& row) {
    if (row.path == "study.occasions") return true; // of models with iov: test_occasions.cpp
    if (row.path.starts_with("population.linked")) return true; // tests/pkpd/test_admixture.cpp
    return row.path == "study.replicates" || row.path.starts_with("uncertainty");
}

/// But those of [data], which have a reader and tests of their own
/// (tests/pkpd/test_data_errors.cpp).
std::vector<io::FieldRow> keys_with_values() {
    std::vector<io::FieldRow> rows;
    for (const io::FieldRow& row : io::list_fields(scenarios::describe_study_for_reference))
        if (!row.type.starts_with("table") && row.type != "list of tables" &&
            row.path != "outcomes" && !is_tested_elsewhere(row) && !row.path.starts_with("data."))
            rows.push_back(row);
    return rows;
}

std::vector<std::string> with(std::size_t line, const std::string& text) {
    std::vector<std::string> lines = base;
    lines[line] = text;
    return lines;
}

} // namespace

TEST_CASE("the base of these tests is a study with every key but genes that it does not use") {
    Bench bench;
    for (const sim::Diagnostic& mistake : bench.mistakes(base)) {
        CAPTURE(mistake.message);
        CHECK((mistake.message.find("CYP2C9") != std::string::npos ||
               mistake.message.find("ancestry") != std::string::npos));
    }
    for (const io::FieldRow& row : keys_with_values()) {
        CAPTURE(row.path);
        CHECK_FALSE(lines_of(row).empty());
    }
}

TEST_CASE("every misspelt key is told at its place with the right name") {
    Bench bench;
    for (const io::FieldRow& row : keys_with_values())
        for (std::size_t line : lines_of(row)) {
            CAPTURE(row.path);
            const std::string key = key_of(row);
            const auto mistakes =
                bench.mistakes(with(line, key + "z" + base[line].substr(key.size())));
            CHECK(tells(mistakes, line, "'" + key + "z'"));
            // One inserted letter; in words of two letters that is too far to guess.
            if (key.size() > 2) CHECK(tells(mistakes, line, "'" + key + "'"));
        }
}

TEST_CASE("every missing key that is needed is told by name") {
    Bench bench;
    for (const io::FieldRow& row : keys_with_values()) {
        if (!row.field.required) continue;
        std::vector<std::string> lines = base;
        lines[lines_of(row).front()] = "";
        CAPTURE(row.path);
        const auto mistakes = bench.mistakes(lines);
        const bool told =
            std::any_of(mistakes.begin(), mistakes.end(), [&](const sim::Diagnostic& mistake) {
                return mistake.message.find("'" + key_of(row) + "'") != std::string::npos;
            });
        CHECK(told);
    }
}

TEST_CASE("every value of a wrong type is told at its line") {
    Bench bench;
    for (const io::FieldRow& row : keys_with_values())
        for (std::size_t line : lines_of(row)) {
            CAPTURE(row.path);
            const auto mistakes = bench.mistakes(with(line, key_of(row) + " = 1979-05-27"));
            CHECK(tells(mistakes, line, ""));
        }
}

TEST_CASE("every quantity of a wrong dimension, and one without unit, is told at its line") {
    Bench bench;
    std::size_t n = 0;
    for (const io::FieldRow& row : keys_with_values()) {
        if (row.type.find("quantit") == std::string::npos) continue;
        const bool is_list = row.type.starts_with("list");
        for (std::size_t line : lines_of(row))
            for (const char* wrong : {"\"3 kg\"", "\"3\"", "3", "\"3 furlong\""}) {
                CAPTURE(row.path);
                CAPTURE(wrong);
                const std::string value = is_list ? fmt::format("[{}]", wrong) : wrong;
                const auto mistakes = bench.mistakes(with(line, key_of(row) + " = " + value));
                CHECK(tells(mistakes, line, ""));
                ++n;
            }
    }
    CHECK(n >= 40);
}

TEST_CASE("every number beyond its range is told at its line") {
    Bench bench;
    std::size_t n = 0;
    for (const io::FieldRow& row : keys_with_values()) {
        const bool is_quantity = row.type.starts_with("quantity");
        if (!is_quantity && row.type != "number" && row.type != "whole number") continue;
        const auto check = [&](double bound, double beyond) {
            if (!std::isfinite(bound)) return;
            for (std::size_t line : lines_of(row)) {
                const std::string number = row.type == "whole number"
                                               ? fmt::format("{:.0f}", beyond)
                                               : fmt::format("{}", beyond);
                const std::string value = is_quantity ? fmt::format("\"{} h\"", number) : number;
                CAPTURE(row.path);
                CAPTURE(value);
                CHECK(tells(bench.mistakes(with(line, key_of(row) + " = " + value)), line, ""));
                ++n;
            }
        };
        check(row.field.at_least, row.field.at_least - 1.0);
        check(row.field.at_most, row.field.at_most + 1.0);
    }
    CHECK(n >= 15);
}

} // namespace gemel::tests
