#include <gemel/sim/equations.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using namespace gemel::sim;

namespace {

/// A block that stands in a file after `before`, as in equations = '''…'''.
SourceText block(const std::string& text, const std::string& before = "equations = '''") {
    const auto file =
        std::make_shared<const SourceFile>(SourceFile{"model.toml", before + text + "'''"});
    return {text, {file, 1, static_cast<int>(before.size()) + 1, 1}};
}

std::string listed(const std::vector<Equation>& equations) {
    std::string text;
    for (const Equation& e : equations)
        text += e.kind + "|" + e.target + "|" + e.expression.text + "\n";
    return text;
}

std::string mistakes(const DiagnosticList& list) {
    std::string text;
    for (const Diagnostic& d : list.items())
        text += std::to_string(d.span.line) + ":" + std::to_string(d.span.column) + ": " +
                d.message + (d.help.empty() ? "" : " | " + d.help) + "\n";
    return text;
}

} // namespace

TEST_CASE("a block is split into equations of every kind, in order") {
    DiagnosticList list;
    const auto equations = split_equations(block("\n"
                                                 "d/dt(depot)   = -ka * depot        # CMT 1\n"
                                                 "d/dt(central) =  ka * depot\n"
                                                 "central(0) = 3[mg]; F(depot) = 0.5\n"
                                                 "\n"
                                                 "# a remark\n"
                                                 "lag(depot) = 1[h]\r\n"
                                                 "rate(central) = R; duration(central) = D;\n"
                                                 "Cp = central / V"),
                                           list);
    CHECK(list.empty());
    CHECK(listed(equations) == "d/dt|depot|-ka * depot\n"
                               "d/dt|central|ka * depot\n"
                               "initial|central|3[mg]\n"
                               "F|depot|0.5\n"
                               "lag|depot|1[h]\n"
                               "rate|central|R\n"
                               "duration|central|D\n"
                               "|Cp|central / V\n");
}

TEST_CASE("expressions know their place in the file") {
    DiagnosticList list;
    const auto equations = split_equations(block("x = 1\n  yµ = 2"), list);
    CHECK(mistakes(list).starts_with("2:3: this cannot stand left of '='"));
    REQUIRE(equations.size() == 1);
    CHECK(equations[0].target_span.line == 1);
    CHECK(equations[0].target_span.column == 16);
    CHECK(equations[0].expression.start.column == 20);
    list = {};
    const auto second = split_equations(block("\n\n   k = a *\n      b # end\nz = 1"), list);
    REQUIRE(second.size() == 2);
    CHECK(second[0].expression.text == "a *\n      b");
    CHECK(second[0].expression.start.line == 3);
    CHECK(second[0].expression.start.column == 8);
    CHECK(second[1].target_span.line == 5);
}

TEST_CASE("mistakes in a multi-line block stand at their line and column in the file") {
    ExpressionGraph graph;
    DiagnosticList list;
    ExpressionContext context;
    context.graph = &graph;
    context.diagnostics = &list;
    for (const Equation& e : split_equations(block("\na = 1 +\n   nothing\nb = 2 *\n"), list))
        parse_expression(e.expression, context);
    CHECK(mistakes(list) == "3:4: 'nothing' is not known\n4:7: the expression ends after '*'\n");
    CHECK(list.render().find("   3 |    nothing\n     |    ^~~~~~~\n") != std::string::npos);
}

TEST_CASE("an equation goes on after an operator and inside parentheses") {
    DiagnosticList list;
    const auto equations = split_equations(block("x =\n  1 +\n\n  2\n"
                                                 "y = max(1,\n  2\n  )\n"
                                                 "z = a and\n not b\n"
                                                 "u = c ?\n 1 :\n 2"),
                                           list);
    CHECK(list.empty());
    REQUIRE(equations.size() == 4);
    CHECK(equations[0].expression.text == "1 +\n\n  2");
    CHECK(equations[3].expression.text == "c ?\n 1 :\n 2");
}

TEST_CASE("an open parenthesis does not swallow the equations after it") {
    DiagnosticList list;
    CHECK(listed(split_equations(block("x = (1 + 2\nd/dt(A) = 3\ny = 2 *\nz = 1"), list)) ==
          "|x|(1 + 2\nd/dt|A|3\n|y|2 *\n|z|1\n");
    CHECK(list.empty()); // told when x and y are parsed
}

TEST_CASE("text that is no equation is told with what to write") {
    const auto told = [](const std::string& text) {
        DiagnosticList list;
        split_equations(block(text, ""), list);
        return mistakes(list);
    };
    CHECK(told("x + 1").starts_with("1:1: this is no equation: it has no '='"));
    CHECK(told("x = 1\n + 2").find("2:2: this is no equation: it has no '=' | a line goes on") ==
          0);
    CHECK(told("dA/dt = 1") ==
          "1:1: this cannot stand left of '=' | a derivative is written d/dt(A)\n");
    CHECK(told("Lag(A) = 1") == "1:1: this cannot stand left of '=' | did you mean lag(…)?\n");
    CHECK(told("2 x = 1").starts_with("1:1: this cannot stand left of '='"));
    CHECK(told("exp = 1") == "1:1: 'exp' is a word of the language and cannot be defined\n");
    CHECK(told("t = 1").starts_with("1:1: 't' is a word"));
    CHECK(told("x = 1\ny = 2\nx = 3") ==
          "3:1: x is defined twice; first in line 1 | every name is defined once\n");
    CHECK(told("F(A) = 1; F(A) = 2").starts_with("1:13: F(A) is defined twice; first in line 1"));
    CHECK(told("F(A) = 1; lag(A) = 2; A = 3") == "");
}
