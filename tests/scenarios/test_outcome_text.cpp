#include "outcome_text.hpp"

#include <doctest/doctest.h>

namespace gemel::scenarios {

namespace {

std::optional<Outcome> parse(const std::string& text, sim::DiagnosticList& diagnostics) {
    const auto file = std::make_shared<sim::SourceFile>(sim::SourceFile{"x.toml", text});
    return parse_outcome("X", {text, {file, 1, 1, 1}}, diagnostics);
}

} // namespace

TEST_CASE("an outcome is split into call, arguments, comparison and threshold with their places") {
    // Invariant: columns counted by hand in the text.
    sim::DiagnosticList diagnostics;
    const auto outcome = parse("auc( Cp, (1 + 2)[h], 48[h] ) >= 3[mg*h/L]", diagnostics);
    REQUIRE(outcome);
    CHECK(diagnostics.empty());
    CHECK(outcome->call.function == "auc");
    REQUIRE(outcome->call.arguments.size() == 3);
    CHECK(outcome->call.arguments[0].text == "Cp");
    CHECK(outcome->call.arguments[0].start.column == 6);
    CHECK(outcome->call.arguments[1].text == "(1 + 2)[h]");
    CHECK(outcome->call.arguments[2].start.column == 22);
    CHECK(outcome->comparison == ">=");
    CHECK(outcome->threshold.text == "3[mg*h/L]");
    CHECK(outcome->threshold.start.column == 33);
}

TEST_CASE("an unknown outcome function offers the nearest") {
    sim::DiagnosticList diagnostics;
    CHECK_FALSE(parse("throgh(Cp)", diagnostics));
    REQUIRE(diagnostics.size() == 1);
    CHECK(diagnostics.items()[0].help.find("trough") != std::string::npos);
    CHECK(diagnostics.items()[0].span.length == 6);
}

TEST_CASE("what is no call, an open parenthesis, a bare comparison and a tail are mistakes") {
    for (const char* text : {"Cp", "auc(Cp", "auc(Cp, last_interval) >=", "trough(Cp) + 1", ""}) {
        sim::DiagnosticList diagnostics;
        CHECK_FALSE(parse(text, diagnostics));
        CHECK(diagnostics.size() == 1);
    }
}

TEST_CASE("outcome functions stand in alphabetical order") {
    for (std::size_t i = 1; i < outcome_functions().size(); ++i)
        CHECK(outcome_functions()[i - 1].name < outcome_functions()[i].name);
}

} // namespace gemel::scenarios
