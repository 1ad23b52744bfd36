#include "io/text.hpp"

#include <gemel/io/toml_text.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace gemel::io {

namespace {

/// The value of `x = …` after reading.
TomlView read_again(const std::string& written) {
    sim::DiagnosticList diagnostics;
    const TomlView view = parse_toml(test::source("x = " + written + "\n"), diagnostics);
    INFO(test::told(diagnostics));
    REQUIRE(diagnostics.empty());
    return view["x"];
}

} // namespace

TEST_CASE("what is written is read again as it was") {
    // Invariant.
    for (const char* text :
         {"", "plain", "with \"marks\" and \\", "two\nlines\tand a tab", "µg/L"}) {
        CHECK(read_again(toml_string(text)).text() == text);
        CHECK(read_again(toml_block(text)).text() == text);
    }
    CHECK(read_again(toml_block("d/dt(x) = -k * x # 'a'\nC = x\n")).text() ==
          "d/dt(x) = -k * x # 'a'\nC = x\n");
    CHECK(read_again(toml_block("three ''' marks")).text() == "three ''' marks");
    for (const double value : {0.0, -1.0, 0.1, 1e-300, 1.0 / 3.0, 12345678901234567890.0, 5e-324})
        CHECK(read_again(toml_number(value)).number() == value);
    CHECK(toml_number(5.0) == "5.0");
    CHECK_THROWS_AS(toml_number(std::nan("")), std::invalid_argument);
    const char* nested = "{ a = [1, 2.5, \"x\"], \"b c\" = { d = true }, e = {} }";
    CHECK(toml_value(read_again(nested)) == nested);
    CHECK(toml_key("iiv-1") == "iiv-1");
    CHECK(toml_key("*1/*2") == "\"*1/*2\"");
}

} // namespace gemel::io
