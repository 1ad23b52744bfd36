#include <gemel/sim/equations.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

using namespace gemel::sim;

namespace {

Unit unit_of(std::string_view text) {
    return parse_unit(text).value();
}

/// A small pharmacologist's world: names with units and values.
class World {
public:
    World() {
        add("CL", "L/h", 5.0);
        add("V", "L", 42.0);
        add("ka", "1/h", 1.2);
        add("central", "mg", 100.0);
        add("WT", "kg", 80.0);
        add("AGE", "a", 50.0);
        add("C", "ug/mL", 3.0);
        add("EC50", "mg/L", 2.0);
        add("gamma", "1", 1.5);
        add("effect", "%", 40.0);
        add("share", "g/kg", 400.0);
        add("dose", "nmol", 7.0);
        context_.graph = &graph_;
        context_.time_unit = unit_of("h");
        context_.diagnostics = &diagnostics;
        context_.resolve = [this](const std::string& name) -> std::optional<TypedExpr> {
            const auto at = names_.find(name);
            return at == names_.end() ? std::nullopt : std::optional(at->second);
        };
    }

    SourceText source(const std::string& text) const {
        const auto file = std::make_shared<const SourceFile>(SourceFile{"model.toml", text});
        return {text, {file, 1, 1, 1}};
    }
    TypedExpr parse(const std::string& text) { return parse_expression(source(text), context_); }

    /// The value, after checking that there was no mistake.
    double value(const std::string& text, std::string_view expected_unit = "1") {
        const TypedExpr typed = parse(text);
        CHECK_MESSAGE(diagnostics.empty(), text << "\n" << diagnostics.render());
        CHECK_MESSAGE(typed.unit.text == expected_unit, text);
        return graph_.evaluate(typed.expr, [this](Leaf leaf) {
            return leaf.kind == LeafKind::time ? 10.0
                                               : values_[static_cast<std::size_t>(leaf.index)];
        });
    }

    /// "column+length: message" of every mistake, one a line; help after " | ".
    std::string mistakes(const std::string& text) {
        diagnostics = {};
        const TypedExpr typed = parse(text);
        std::string told;
        for (const Diagnostic& d : diagnostics.items())
            told += std::to_string(d.span.column) + "+" + std::to_string(d.span.length) + ": " +
                    d.message + (d.help.empty() ? "" : " | " + d.help) + "\n";
        CHECK(typed.is_mistake == !diagnostics.empty());
        diagnostics = {};
        return told;
    }

    ExpressionContext& context() { return context_; }
    DiagnosticList diagnostics;

private:
    void add(const std::string& name, std::string_view unit_text, double value) {
        const int index = static_cast<int>(values_.size());
        names_[name] = {graph_.leaf(LeafKind::input, index), unit_of(unit_text)};
        values_.push_back(value);
        context_.known_names.push_back(name);
    }

    ExpressionGraph graph_;
    ExpressionContext context_;
    std::map<std::string, TypedExpr> names_;
    std::vector<double> values_;
};

} // namespace

TEST_CASE("operators bind as in mathematics") {
    // Closed form: the value by hand.
    World w;
    CHECK(w.value("1 + 2 * 3") == 7.0);
    CHECK(w.value("(1 + 2) * 3") == 9.0);
    CHECK(w.value("2 ^ 3 ^ 2") == 512.0);
    CHECK(w.value("-2 ^ 2") == -4.0);
    CHECK(w.value("2 ^ -1") == 0.5);
    CHECK(w.value("8 / 4 / 2") == 1.0);
    CHECK(w.value("8 - 4 - 2") == 2.0);
    CHECK(w.value("- -3 + +1") == 4.0);
    CHECK(w.value("1e-3 * 2.5E+3 + .5") == 3.0);
    CHECK(w.value("1 < 2 and 2 <= 2 and not 3 < 2") == 1.0);
    CHECK(w.value("1 > 2 or 2 >= 3 || !1") == 0.0);
    CHECK(w.value("1 == 1 && 1 != 2") == 1.0);
    CHECK(w.value("1 or 0 and 0") == 1.0);
    CHECK(w.value("0 ? 1 : 0 ? 2 : 3") == 3.0);
    CHECK(w.value("gamma > 1 ? 10 : 20") == 10.0);
    CHECK(w.value("1 + # a remark\n 2") == 3.0);
}

TEST_CASE("functions give their values") {
    // Closed forms; tolerance: a few roundings.
    World w;
    const auto is = [&](const std::string& text, double expected) {
        CHECK_MESSAGE(w.value(text) == doctest::Approx(expected).epsilon(1e-14), text);
    };
    is("exp(1)", std::exp(1.0));
    is("log(10)", std::log(10.0));
    is("log10(1000)", 3.0);
    is("log2(8)", 3.0);
    is("sqrt(2)", std::sqrt(2.0));
    is("abs(-3)", 3.0);
    is("min(3, 1, 2)", 1.0);
    is("max(3, 1, 4)", 4.0);
    is("sin(1) + cos(1) + tan(1) + tanh(1)",
       std::sin(1.0) + std::cos(1.0) + std::tan(1.0) + std::tanh(1.0));
    is("expm1(1e-10) * 1e10", std::expm1(1e-10) * 1e10);
    is("log1p(1e-10) * 1e10", std::log1p(1e-10) * 1e10);
    is("erf(0.5)", std::erf(0.5));
    is("expit(0.3)", 1.0 / (1.0 + std::exp(-0.3)));
    is("expit(-2000)", 0.0);
    is("logit(expit(gamma))", 1.5);
}

TEST_CASE("units multiply and divide without touching numbers") {
    World w;
    CHECK(w.value("CL / V", "1/h") == 5.0 / 42.0);
    CHECK(w.value("ka * central - CL / V * central", "mg/h") == 1.2 * 100.0 - 5.0 / 42.0 * 100.0);
    CHECK(w.value("central / V", "mg/L") == 100.0 / 42.0);
    CHECK(w.value("V ^ 2", "L2") == doctest::Approx(42.0 * 42.0));
    CHECK(w.value("sqrt(V * V)", "L") == doctest::Approx(42.0));
    CHECK(w.value("WT ^ 0.75", "kg^0.75") == doctest::Approx(std::pow(80.0, 0.75)).epsilon(1e-14));
    CHECK(w.value("ka * t") == 12.0);
    CHECK(w.value("5[m[IU]/L] * V", "m[IU]") == 210.0);
}

TEST_CASE("sums, comparisons and choices convert the right side to the left side's unit") {
    World w;
    CHECK(w.value("C + EC50", "ug/mL") == 5.0); // 1 mg/L is 1 ug/mL exactly
    CHECK(w.value("WT + 500[g]", "kg") == 80.5);
    CHECK(w.value("500[g] + WT", "g") == 80500.0);
    CHECK(w.value("t < 1[d]") == 1.0); // 10 h
    CHECK(w.value("t > 1[d] ? 1[h] : 30[min]", "h") == 0.5);
    CHECK(w.value("min(1[d], 12[h])", "d") == 0.5);
    CHECK(w.value("max(0, WT)", "kg") == 80.0);
    CHECK(w.value("0 - WT", "kg") == -80.0);
    CHECK(w.value("WT > 0") == 1.0);
    CHECK(w.value("WT > 0 ? 0 : WT", "kg") == 0.0);
}

TEST_CASE("numbers without unit are brought to factor 1 where it matters") {
    World w;
    CHECK(w.value("exp(share)") == doctest::Approx(std::exp(0.4)).epsilon(1e-14));
    CHECK(w.value("exp(1[g/kg])") == doctest::Approx(std::exp(1e-3)).epsilon(1e-14));
    CHECK(w.value("log(1[d] / 1[h])") == doctest::Approx(std::log(24.0)).epsilon(1e-14));
    CHECK(w.value("1 + share") == doctest::Approx(1.4).epsilon(1e-14));
    CHECK(w.value("share ^ 2") == doctest::Approx(0.16).epsilon(1e-14));
    CHECK(w.value("(C / EC50) ^ gamma") == doctest::Approx(std::pow(1.5, 1.5)).epsilon(1e-14));
    CHECK(w.value("2 ^ share") == doctest::Approx(std::pow(2.0, 0.4)).epsilon(1e-14));
    CHECK(w.value("(WT / 70[kg]) ^ 0.75") ==
          doctest::Approx(std::pow(80.0 / 70.0, 0.75)).epsilon(1e-14));
}

TEST_CASE("in() gives the bare number in a unit") {
    World w;
    CHECK(w.value("in(WT, \"g\")") == 80000.0);
    CHECK(w.value("in(CL, 'mL/min')") == doctest::Approx(5000.0 / 60.0).epsilon(1e-14));
    CHECK(w.value("in(AGE, \"a\") * 2") == 100.0);
    CHECK(w.value("in(0, \"mg\")") == 0.0);
    CHECK(w.mistakes("in(WT, \"L\")") ==
          "4+2: this is in kg (an amount) and has no number in L (a volume)\n");
    CHECK(w.mistakes("in(WT, \"kgs\")") ==
          "8+5: \"kgs\" is no unit: 'kgs' is no known unit; did you mean 'kg'?\n");
    CHECK(w.mistakes("in(WT)") == "1+2: in takes a quantity and a unit in quotes | as in in(x, "
                                  "\"mg/dL\"), which is the bare number of x in mg/dL\n");
}

TEST_CASE("a percentage is no number without unit") {
    World w;
    const std::string help = "for the fraction of x in % write x / 100[%]; 60 % is 60[%] beside a "
                             "percentage, 0.6 beside a number";
    for (const char* text : {"exp(effect)", "1 + effect", "effect < 60", "2 ^ effect"})
        CHECK(w.mistakes(text).find(help) != std::string::npos);
    CHECK(w.value("effect + 2[%]", "%") == 42.0);
    CHECK(w.value("effect < 60[%]") == 1.0);
    CHECK(w.value("exp(effect / 100[%])") == doctest::Approx(std::exp(0.4)).epsilon(1e-14));
}

TEST_CASE("mistakes of dimension name both sides at the right place") {
    World w;
    CHECK(w.mistakes("CL + V") ==
          "6+1: these cannot be added: the left side is L/h (a clearance), the "
          "right side L (a volume)\n");
    CHECK(w.mistakes("WT / 70 + WT / 70[kg]") ==
          "11+11: these cannot be added: the left side is kg (an amount), the right side a number "
          "without unit | a number takes its unit in brackets, as in 70[kg]\n");
    CHECK(w.mistakes("WT > 70") ==
          "6+2: these cannot be compared: the left side is kg (an amount), the right side a number "
          "without unit | a number takes its unit in brackets, as in 70[kg]\n");
    CHECK(w.mistakes("exp(C)") == "5+1: exp takes a number without unit, but this is in ug/mL (a "
                                  "concentration) | divide by a quantity of the same kind, such as "
                                  "1[ug/mL]\n");
    CHECK(w.mistakes("C ^ gamma") ==
          "1+1: a quantity in ug/mL (a concentration) has a power whose exponent is no literal "
          "number, so that its unit is not known | divide by a reference first, as in "
          "(C/EC50)^gamma\n");
    CHECK(w.mistakes("2 ^ WT").starts_with("5+2: an exponent is a number without unit, but"));
    CHECK(w.mistakes("central - dose").find("molar mass") != std::string::npos);
    CHECK(w.mistakes("WT ? 1 : 2").starts_with("1+2: a condition is a number without unit"));
    CHECK(w.mistakes("1 < 2 ? WT : V").starts_with("14+1: a choice has one dimension"));
    CHECK(w.mistakes("max(WT, V)").starts_with("9+1: max takes arguments of one dimension"));
    CHECK(w.mistakes("1 / 0") == "5+1: this divides by 0\n");
}

TEST_CASE("several mistakes in one expression are all told, and none follows from another") {
    World w;
    CHECK(w.mistakes("CLL / V + exp(C) - WT * Vv") ==
          "1+3: 'CLL' is not known | did you mean 'CL'?\n"
          "15+1: exp takes a number without unit, but this is in ug/mL (a concentration) | divide "
          "by a "
          "quantity of the same kind, such as 1[ug/mL]\n"
          "25+2: 'Vv' is not known | did you mean 'V'?\n");
    CHECK(w.mistakes("(CL V) + (WT +) + Vv") ==
          "5+1: an operator is missing before 'V' | a product is written with *\n"
          "15+1: ')' stands where a number or a name is expected\n"
          "19+2: 'Vv' is not known | did you mean 'V'?\n");
}

TEST_CASE("mistakes of grammar have their place, cause and cure") {
    World w;
    const auto told = [&](const std::string& text) { return w.mistakes(text); };
    CHECK(told("") == "1+1: an expression is expected here\n");
    CHECK(told("CL +") == "4+1: the expression ends after '+'\n");
    CHECK(told("(CL").ends_with("1+1: this '(' is never closed\n"));
    CHECK(told("CL)") == "3+1: there is no '(' for this ')'\n");
    CHECK(told("2 CL") ==
          "3+2: an operator is missing before 'CL' | a product is written with *\n");
    CHECK(told("70kg") ==
          "3+2: 'kg' follows a number without an operator | a unit stands in brackets: 70[kg]\n");
    CHECK(told("WT[kg]").starts_with("3+4: a unit stands here without a number"));
    CHECK(told("CL = 3") == "4+1: '=' defines; it does not compare | to compare write ==\n");
    CHECK(told("1 < 2 < 3").starts_with("7+1: comparisons do not follow each other"));
    CHECK(told("WT > 0 ? 1").find("':'") != std::string::npos);
    CHECK(told("2 ** 3") == "3+2: '**' is no operator | write ^\n");
    CHECK(told("2 × 3") == "3+1: '×' is no operator | write *\n");
    CHECK(told("µ + Vv").starts_with("1+1: 'µ' has no meaning here"));
    CHECK(told("1e999").starts_with("1+5: the number 1e999 is too large"));
    CHECK(told("5[mg").starts_with("2+3: the ']' of this unit is missing"));
    CHECK(told("5[mgg]") ==
          "2+5: \"mgg\" is no unit: 'mgg' is no known unit; did you mean 'mg'?\n");
    CHECK(told("ln(2)") ==
          "1+2: 'ln' is no function here | the natural logarithm is written log(x)\n");
    CHECK(told("expp(2)") == "1+4: 'expp' is no function | did you mean 'exp'?\n");
    CHECK(told("CL(2)").starts_with("1+2: 'CL' is a quantity, not a function"));
    CHECK(told("exp") == "1+3: 'exp' is a function | its argument stands in parentheses: exp(x)\n");
    CHECK(told("exp(1, 2)") == "1+3: exp takes 1 argument, not 2\n");
    CHECK(told("exp()") == "1+3: exp takes 1 argument, not 0\n");
    CHECK(told("min(1)") == "1+3: min takes at least 2 arguments, not 1\n");
    CHECK(told("\"text\"").starts_with("1+6: a text has no meaning here"));
    CHECK(told("time + 1[h]").find("the time is written t") != std::string::npos);
    w.context().allows_time = false;
    CHECK(told("t * ka").starts_with("1+1: t (the time) has no meaning here"));
}

TEST_CASE("deep nesting is told and does not overflow the stack") {
    World w;
    const int deep = 100000;
    const auto repeated = [&](const std::string& piece) {
        std::string text;
        for (int i = 0; i < deep; ++i)
            text += piece;
        return text;
    };
    for (const std::string& text : {repeated("("),
                                    repeated("-") + "1",
                                    repeated("not ") + "1",
                                    repeated("2^") + "1",
                                    repeated("exp("),
                                    repeated("1 ? 2 : ") + "3",
                                    repeated("1 ? ") + "3",
                                    repeated("in(")}) {
        const std::string told = w.mistakes(text);
        CHECK_MESSAGE(told.find("nested more than 200 levels") != std::string::npos, told);
    }
    CHECK(w.value(std::string(150, '(') + "1" + std::string(150, ')')) == 1.0);
    CHECK(w.value(repeated("1 + ") + "1") == deep + 1.0);
}

TEST_CASE("conversion of a whole expression names what it is for") {
    World w;
    const SourceText text = w.source("CL * C");
    const TypedExpr typed = parse_expression(text, w.context());
    convert(typed, unit_of("mg/h"), "d/dt(central)", text.start, w.context());
    CHECK(w.diagnostics.empty());
    convert(w.parse("central"), unit_of("mg/h"), "d/dt(central)", text.start, w.context());
    REQUIRE(w.diagnostics.size() == 1);
    CHECK(w.diagnostics.items()[0].message ==
          "d/dt(central) is in mg/h (an amount per time), but this "
          "expression is in mg (an amount)");
    w.diagnostics = {};
    CHECK(w.context().graph->is_constant(
        convert(w.parse("0"), unit_of("mg/h"), "d/dt(central)", text.start, w.context()), 0.0));
    CHECK(w.context().graph->is_constant(
        convert(w.parse("1[d]"), unit_of("h"), "lag", text.start, w.context()), 24.0));
    convert(w.parse("Vv"), unit_of("mg/h"), "d/dt(central)", text.start, w.context());
    CHECK(w.diagnostics.size() == 1); // the unknown name alone
}

TEST_CASE("the names in an expression come once and in order") {
    World w;
    CHECK(
        names_in(w.source("CL / V * exp(-ka * t) + CL * (x and not y) + 3[kg] + in(WT, \"g\")")) ==
        std::vector<std::string>{"CL", "V", "ka", "x", "y", "WT"});
    CHECK(is_reserved_name("t"));
    CHECK(is_reserved_name("exp"));
    CHECK_FALSE(is_reserved_name("CL"));
}

TEST_CASE("no text crashes the reader, and every mistake has a place in it") {
    // Invariant over random token soup and random bytes; the seed is fixed.
    const std::vector<std::string> soup{
        "CL",   "V", "t",     "exp",   "(",       ")",   "(",   ")",   "+",   "-",    "*",
        "/",    "^", "1",     "2.",    "0",       "in",  ",",   "\"",  "'g'", "[kg]", "[",
        "]",    "?", ":",     "<",     "==",      "=",   "and", "not", ";",   "\n",   "#",
        "d/dt", "µ", "\xff",  "1e9",   "&",       "F",   "min", "d",   "dt",  "lag",  "0)",
        "= 1",  " ", "mg/L]", "[1/h]", "unknown", "max", "\t",  "^2"};
    std::uint64_t state = 20240501;
    const auto next = [&state](std::size_t n) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::size_t>(state >> 33) % n;
    };
    World w;
    int n_good = 0;
    for (int trial = 0; trial < 20000; ++trial) {
        std::string text;
        for (std::size_t i = next(14) + 1; i > 0; --i)
            text += trial % 4 ? soup[next(soup.size())] + (next(3) ? " " : "")
                              : std::string(1, static_cast<char>(next(256)));
        w.diagnostics = {};
        const TypedExpr typed = w.parse(text);
        CHECK_MESSAGE(typed.is_mistake == !w.diagnostics.empty(), text << w.diagnostics.render());
        n_good += typed.is_mistake ? 0 : 1;
        for (const Equation& equation : split_equations(w.source(text), w.diagnostics))
            parse_expression(equation.expression, w.context());
        const int n_lines = 1 + static_cast<int>(std::count(text.begin(), text.end(), '\n'));
        for (const Diagnostic& d : w.diagnostics.items()) {
            CHECK(d.span.line >= 1);
            CHECK(d.span.line <= n_lines);
            CHECK(d.span.column >= 1);
            CHECK(d.span.length >= 1);
        }
        CHECK_NOTHROW(w.diagnostics.render());
    }
    CHECK(n_good > 100); // the soup makes sense at times, so the test sees both ways
}
