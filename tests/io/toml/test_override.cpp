#include "io/text.hpp"

#include <doctest/doctest.h>

namespace gemel::io {

using test::place;
using test::source;
using test::told;

namespace {

constexpr const char* study = "[study]\nseed = 1\n"
                              "[regimens.loaded]\n"
                              "doses = [ { dose = \"200 mg\" }, { dose = \"100 mg\" } ]\n"
                              "[save]\nCp = { every = \"1 h\" }\n";

TomlView with(const std::string& assignment) {
    sim::DiagnosticList diagnostics;
    const TomlView view =
        with_override(parse_toml(source(study), diagnostics), assignment, diagnostics);
    INFO(told(diagnostics));
    REQUIRE(diagnostics.empty());
    return view;
}

std::string mistake(const std::string& assignment) {
    sim::DiagnosticList diagnostics;
    const TomlView view =
        with_override(parse_toml(source(study), diagnostics), assignment, diagnostics);
    CHECK_FALSE(view.is_set());
    REQUIRE(diagnostics.size() == 1);
    CHECK(diagnostics.items()[0].span.file->name == "--set " + assignment);
    return told(diagnostics);
}

} // namespace

TEST_CASE("An override replaces one value and nothing else") {
    const TomlView root = with("regimens.loaded.doses[1].dose=150 mg");
    const auto doses = root["regimens"]["loaded"]["doses"].elements();
    CHECK(doses.at(0)["dose"].text() == "200 mg");
    CHECK(doses.at(1)["dose"].text() == "150 mg");
    CHECK(doses.at(1)["dose"].path() == "regimens.loaded.doses[1].dose");
    CHECK(root["study"]["seed"].integer() == 1);
}

TEST_CASE("The right side is TOML where it can be, and text otherwise") {
    CHECK(with("study.seed=7")["study"]["seed"].integer() == 7);
    CHECK(with("study.seed = 7")["study"]["seed"].integer() == 7);
    CHECK(with("study.x=1e-3")["study"]["x"].number() == 1e-3);
    CHECK(with("study.x=true")["study"]["x"].boolean() == true);
    CHECK(with("study.x=\"true\"")["study"]["x"].text() == "true");
    CHECK(with("study.x=2 h")["study"]["x"].text() == "2 h");
    CHECK(with("study.x=")["study"]["x"].text() == "");
    CHECK(with("study.x=a=b")["study"]["x"].text() == "a=b");
    CHECK(with("study.x=2024-01-01")["study"]["x"].text() == "2024-01-01");
    CHECK(with("study.x=[1, 2]")["study"]["x"].elements().size() == 2);
    CHECK(with("study.x=1\ny=2")["study"]["x"].text() == "1\ny=2");
    const TomlView table = with("save.INR={ every = \"1 d\" }");
    CHECK(table["save"]["INR"]["every"].path() == "save.INR.every");
}

TEST_CASE("Overridden values stand in the command line") {
    // Columns counted in the assignment.
    const TomlView every = with("save.Cp.every=2 h")["save"]["Cp"]["every"];
    CHECK(every.span().file->name == "--set save.Cp.every=2 h");
    CHECK(place(every.span()) == "1:15:3");
    CHECK(place(every.source_text()->start) == "1:15:1");
    CHECK(place(every.key_span()) == "1:9:5");
    const TomlView seed = with("study.seed='x'")["study"]["seed"];
    CHECK(place(seed.span()) == "1:12:3");
    CHECK(place(seed.source_text()->start) == "1:13:1");
    CHECK(seed.span().file->text == "study.seed='x'");
}

TEST_CASE("Unknown tables on the way are created, keys may be quoted") {
    const TomlView root = with("maps.F.table.\"*1/*1\"=0.5");
    CHECK(root["maps"]["F"]["table"]["*1/*1"].number() == 0.5);
    CHECK(root["maps"]["F"]["table"]["*1/*1"].path() == "maps.F.table.\"*1/*1\"");
    CHECK(root.members().back().first == "maps");
}

TEST_CASE("An override that leads nowhere says where it stops") {
    CHECK(mistake("study.seed.x=1") == "1:12 'study.seed' is a whole number, which has no keys\n");
    CHECK(mistake("regimens.loaded.doses[2].dose=1")
              .starts_with("1:22 'regimens.loaded.doses' has 2 elements"));
    CHECK(mistake("study[0]=1") == "1:6 'study' is a table, not a list\n");
    CHECK(mistake("nothing[0]=1") == "1:8 there is no list 'nothing'\n");
    CHECK(mistake("study.seed").starts_with("1:11 '=' is missing"));
    CHECK(mistake("=1").starts_with("1:1 a key is missing"));
    CHECK(mistake("a..b=1").starts_with("1:3 a key is missing"));
    CHECK(mistake("a[x]=1").starts_with("1:2 an index such as [0]"));
}

} // namespace gemel::io
