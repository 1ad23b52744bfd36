#include "io/text.hpp"

#include <gemel/io/fields.hpp>

#include <doctest/doctest.h>

namespace gemel::io {

using test::source;
using test::told;

namespace {

struct Options {
    std::string model;
    std::int64_t size = 10;
    double sd = 0.0;
    bool is_quiet = false;
    int design = 0;
    sim::Quantity every;
    std::vector<sim::Quantity> at;
    std::vector<std::string> names;
    sim::Unit unit;
    sim::SourceText equations;
    std::vector<std::string> keys;
    std::int64_t n_list = 0;
};

void describe(Fields& fields, Options& o) {
    fields.table({.name = "study", .required = true, .example = "{ … }"}, [&](Fields& f) {
        f.text({.name = "model", .required = true, .example = "\"x.toml\""}, o.model);
        f.integer({.name = "size", .example = "1000", .at_least = 1, .at_most = 1e9}, o.size);
        f.number({.name = "sd", .example = "0.3", .at_least = 0, .exclusive = true}, o.sd);
        f.flag({.name = "quiet", .example = "true"}, o.is_quiet);
        f.choice({.name = "design"}, {"counterfactual", "parallel"}, o.design);
        f.quantity({.name = "every", .example = "\"24 h\"", .at_least = 0, .exclusive = true},
                   sim::time_dimension,
                   o.every);
        f.quantities({.name = "at", .example = "[\"1 h\"]"}, sim::time_dimension, o.at);
        f.texts({.name = "names", .example = "[\"a\"]"}, o.names);
        f.unit({.name = "unit", .example = "\"mg/L\""}, o.unit);
        f.source({.name = "equations"}, o.equations);
        f.one_of({"every", "at"}, false);
    });
    fields.keyed({.name = "arms", .example = "{ x = { … } }"}, [&](const auto& key, Fields& f) {
        o.keys.push_back(key);
        std::string regimen;
        f.text({.name = "regimen", .required = true, .example = "\"loaded\""}, regimen);
    });
    fields.list({.name = "tests"}, [&](Fields& f) {
        f.integer({.name = "n", .required = true, .example = "1"}, o.n_list);
    });
}

Options read(const std::string& text, sim::DiagnosticList& diagnostics) {
    Options options;
    const TomlView root = parse_toml(source(text), diagnostics);
    REQUIRE(root.is_set());
    read_fields(root, diagnostics, [&](Fields& f) { describe(f, options); });
    return options;
}

Options good(const std::string& text) {
    sim::DiagnosticList diagnostics;
    const Options options = read(text, diagnostics);
    CHECK(told(diagnostics) == "");
    return options;
}

/// The mistakes of one line below a [study] that is right otherwise; the line is line 3.
std::string wrong(const std::string& line) {
    sim::DiagnosticList diagnostics;
    read("[study]\nmodel = \"m\"\n" + line + "\n", diagnostics);
    return told(diagnostics);
}

} // namespace

TEST_CASE("A table is read as it is described") {
    const Options o = good("[study]\nmodel = 'm'\nsize = 1e4\nsd = 1\nquiet = true\n"
                           "design = 'parallel'\nevery = '2 d'\nnames = ['a', 'b']\n"
                           "unit = 'mg/L'\nequations = '''\nx = 1'''\n"
                           "[arms.z]\nregimen = 'a'\n[arms.b]\nregimen = 'a'\n"
                           "[[tests]]\nn = 1\n[[tests]]\nn = 2\n");
    CHECK(o.model == "m");
    CHECK(o.size == 10000);
    CHECK(o.sd == 1.0);
    CHECK(o.is_quiet);
    CHECK(o.design == 1);
    CHECK(o.every.value * o.every.unit.factor == doctest::Approx(48.0)); // coherent unit: h
    CHECK(o.names == std::vector<std::string>{"a", "b"});
    CHECK(o.unit.text == "mg/L");
    CHECK(o.equations.start.line == 11);
    CHECK(o.keys == std::vector<std::string>{"z", "b"});
    CHECK(o.n_list == 2);
}

TEST_CASE("A value of the wrong kind says what stands there and what to write") {
    CHECK(wrong("size = \"many\"") ==
          "3:8 'size' is a text (\"many\"); a whole number such as 1000 is expected\n");
    CHECK(wrong("size = 1.5") ==
          "3:8 'size' is a number (1.5); a whole number such as 1000 is expected\n");
    CHECK(wrong("sd = true") == "3:6 'sd' is true; a number such as 0.3 is expected\n");
    CHECK(wrong("quiet = 1") ==
          "3:9 'quiet' is a whole number (1); true or false such as true is expected\n");
    CHECK(wrong("names = 'a'") ==
          "3:9 'names' is a text (\"a\"); a list such as [\"a\"] is expected\n");
    CHECK(wrong("names = ['a', 2]") ==
          "3:15 'names[1]' is a whole number (2); a text such as [\"a\"] is expected\n");
    CHECK(wrong("equations = {}") == "3:13 'equations' is a table; a text is expected\n");
    CHECK(wrong("arms = 3\n").find("unknown key 'arms' in [study]") != std::string::npos);
}

TEST_CASE("A quantity says its dimension and the unit that is missing") {
    CHECK(wrong("every = \"30 mg\"") ==
          "3:9 'every' is \"30 mg\" (an amount); a time such as \"24 h\" is expected\n");
    CHECK(wrong("every = 24") == "3:9 the unit of 'every' is missing [write \"24 h\"]\n");
    CHECK(wrong("every = \"7.5\"") == "3:9 the unit of 'every' is missing [write \"7.5 h\"]\n");
    CHECK(wrong("every = \"soon\"")
              .starts_with("3:9 'every' is \"soon\"; a time such as \"24 h\" is expected"));
    CHECK(wrong("every = \"-2 h\"") == "3:9 'every' is \"-2 h\"; it must be above 0 h\n");
    CHECK(wrong("every = []") == "3:9 'every' is a list; a time such as \"24 h\" is expected\n");
    CHECK(wrong("at = [\"1 h\", \"2 mg\", 3]").find("'at[1]' is \"2 mg\" (an amount)") !=
          std::string::npos);
    CHECK(wrong("at = [\"1 h\", \"2 mg\", 3]").find("the unit of 'at[2]' is missing") !=
          std::string::npos);
}

TEST_CASE("A value out of range says the range") {
    CHECK(wrong("size = 0") == "3:8 'size' is 0; it must be from 1 to 1000000000\n");
    CHECK(wrong("sd = 0") == "3:6 'sd' is 0; it must be above 0\n");
    CHECK(wrong("sd = nan") == "3:6 'sd' must be a finite number\n");
    CHECK(wrong("sd = inf") == "3:6 'sd' must be a finite number\n");
}

TEST_CASE("Unknown words offer the nearest known one") {
    CHECK(wrong("siez = 3") == "3:1 unknown key 'siez' in [study] [did you mean 'size'?]\n");
    CHECK(wrong("design = \"paralel\"") ==
          "3:10 'design' is \"paralel\"; one of 'counterfactual', 'parallel' is expected "
          "[did you mean 'parallel'?]\n");
    CHECK(wrong("unit = \"mgg\"").starts_with("3:8 'unit' is \"mgg\", which is no unit"));
}

TEST_CASE("Keys that exclude each other are told at the second") {
    CHECK(wrong("every = \"1 h\"\nat = [\"1 h\"]") ==
          "4:1 'every' and 'at' exclude each other in [study] [keep one of 'every', 'at']\n");
}

TEST_CASE("Missing keys are told at their table, unknown ones at every depth, all at once") {
    sim::DiagnosticList diagnostics;
    read("[study]\nsiez = 1\n[arms.x]\nregimne = 'a'\n[[tests]]\nm = 1\n[extra]\n", diagnostics);
    CHECK(told(diagnostics) ==
          "1:1 'model' is missing in [study] [for example: model = \"x.toml\"]\n"
          "2:1 unknown key 'siez' in [study] [did you mean 'size'?]\n"
          "3:1 'regimen' is missing in [arms.x] [for example: regimen = \"loaded\"]\n"
          "4:1 unknown key 'regimne' in [arms.x] [did you mean 'regimen'?]\n"
          "5:1 'n' is missing in tests[0] [for example: n = 1]\n"
          "6:1 unknown key 'm' in tests[0] [known names: n]\n"
          "7:2 unknown key 'extra' [known names: arms, study, tests]\n");
}

TEST_CASE("A missing table is told for the file as a whole") {
    sim::DiagnosticList diagnostics;
    read("", diagnostics);
    CHECK(told(diagnostics) == "0:0 'study' is missing [for example: study = { … }]\n");
}

TEST_CASE("One table where a list is expected shows how to write the list") {
    sim::DiagnosticList diagnostics;
    read("[study]\nmodel = 'm'\n[tests]\nn = 1\n[arms]\nx = 3\n", diagnostics);
    CHECK(told(diagnostics).find("write [[tests]] for each") != std::string::npos);
    CHECK(told(diagnostics).find("6:5 'arms.x' is a whole number (3); a table is expected") !=
          std::string::npos);
}

TEST_CASE("A value is reported once, also when a later check finds it wrong") {
    sim::DiagnosticList diagnostics;
    const TomlView root = parse_toml(source("size = 'x'\nseed = 1\n"), diagnostics);
    read_fields(root, diagnostics, [](Fields& f) {
        std::int64_t size = 0;
        std::int64_t seed = 0;
        f.integer({.name = "size"}, size);
        f.integer({.name = "seed"}, seed);
        f.mistake("size", "'size' is too small");
        f.mistake("seed", "'seed' is too small");
    });
    CHECK(told(diagnostics) == "1:8 'size' is a text (\"x\"); a whole number is expected\n"
                               "2:8 'seed' is too small\n");
}

TEST_CASE("The same description lists every key for the reference") {
    Options options;
    const auto rows = list_fields([&](Fields& f) { describe(f, options); });
    std::string paths;
    for (const FieldRow& row : rows)
        paths += row.path + ' ';
    CHECK(paths == "study study.model study.size study.sd study.quiet study.design study.every "
                   "study.at study.names study.unit study.equations arms arms.NAME.regimen tests "
                   "tests[].n ");
    CHECK(rows[6].type == "quantity of time");
    CHECK(rows[5].type == "one of counterfactual|parallel");
    const std::string page = reference_page("Studies", rows);
    CHECK(page.find("| `study.design` | one of counterfactual\\|parallel |") != std::string::npos);
    CHECK(page.find("| `study.model` | text | yes | `\"x.toml\"` |") != std::string::npos);
    CHECK(page.find("(above 0)") != std::string::npos);
}

} // namespace gemel::io
