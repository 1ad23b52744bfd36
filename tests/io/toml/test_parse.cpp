#include "io/text.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <random>

// The oracle of every place is counting by hand in the text beside it.
namespace gemel::io {

using test::place;
using test::source;
using test::told;

namespace {

TomlView parsed(const std::string& text) {
    sim::DiagnosticList diagnostics;
    const TomlView view = parse_toml(source(text), diagnostics);
    INFO(told(diagnostics));
    REQUIRE(diagnostics.empty());
    REQUIRE(view.is_set());
    return view;
}

std::string mistakes(const std::string& text) {
    sim::DiagnosticList diagnostics;
    const TomlView view = parse_toml(source(text), diagnostics);
    CHECK_FALSE(view.is_set());
    REQUIRE_FALSE(diagnostics.empty());
    return told(diagnostics);
}

} // namespace

TEST_CASE("Members keep the order of the file, where toml++ sorts them") {
    const TomlView root = parsed("b = 1\na = 2\n[z]\nk = 0\n[arms.low]\n[arms.high]\n[y]\n");
    std::string order;
    for (const auto& [key, member] : root.members())
        order += key + ' ';
    CHECK(order == "b a z arms y ");
    CHECK(root["arms"].members().at(0).first == "low");
    CHECK(root["arms"].members().at(1).first == "high");
}

TEST_CASE("Every value and key has its place and path") {
    const TomlView root = parsed("[study]\n"
                                 "model = \"x.toml\"\n"
                                 "sizes = [1, 20]\n"
                                 "[regimens.loaded]\n"
                                 "doses = [ { dose = \"1 mg\" },\n"
                                 "          { dose = 2.5 } ]\n"
                                 "[[tests]]\n"
                                 "a.b = true\n");
    CHECK(place(root["study"].span()) == "1:1:7");
    CHECK(place(root["study"]["model"].span()) == "2:9:8");
    CHECK(place(root["study"]["model"].key_span()) == "2:1:5");
    CHECK(place(root["study"]["sizes"].elements().at(1).span()) == "3:13:2");
    CHECK(place(root["regimens"]["loaded"].span()) == "4:1:17");
    const TomlView second = root["regimens"]["loaded"]["doses"].elements().at(1);
    CHECK(place(second.span()) == "6:11:14");
    CHECK(second["dose"].path() == "regimens.loaded.doses[1].dose");
    CHECK(place(second["dose"].span()) == "6:20:3");
    CHECK(place(root["tests"].elements().at(0).span()) == "7:1:9");
    CHECK(root["tests"].elements().at(0)["a"]["b"].path() == "tests[0].a.b");
    CHECK(root["tests"].elements().at(0)["a"]["b"].boolean() == true);
    CHECK(root["study"]["nothing"].is_set() == false);
}

TEST_CASE("The text of a string knows where its first character stands") {
    const TomlView root = parsed("a = \"one\"\n"
                                 "b = 'two'\n"
                                 "c = '''\nthree\nfour'''\n"
                                 "d = \"\"\"five\"\"\"\n"
                                 "  \"µ\" = \"µg\"\n");
    CHECK(place(root["a"].source_text()->start) == "1:6:1");
    CHECK(place(root["b"].source_text()->start) == "2:6:1");
    CHECK(root["c"].source_text()->text == "three\nfour");
    CHECK(place(root["c"].source_text()->start) == "4:1:1");
    CHECK(place(root["d"].source_text()->start) == "6:8:1");
    CHECK(place(root["µ"].source_text()->start) == "7:10:1");
    CHECK(root["µ"].text() == "µg");
}

TEST_CASE("A line break of two characters is one line break") {
    const TomlView root = parsed("a = '''\r\nx\r\ny'''\r\nb = 1\r\n");
    CHECK(place(root["a"].source_text()->start) == "2:1:1");
    CHECK(place(root["b"].span()) == "4:5:1");
}

TEST_CASE("Letters of the world come through with their columns") {
    const TomlView root =
        parsed("name = \"µ 漢字 😀 ﻿ é\"\n\"漢\" = 'Ƙ' # 😀\nlast = 1\n");
    CHECK(root["name"].text() == "µ 漢字 😀 ﻿ é");
    CHECK(root["name"].span().length == 12);
    CHECK(root["漢"].text() == "Ƙ");
    CHECK(place(root["漢"].span()) == "2:7:3");
    CHECK(parsed("a = \"\\u00B5\"\n")["a"].text() == "µ");
}

TEST_CASE("The three inputs toml++ 3.3 stumbles over are ordinary mistakes") {
    // docs/decisions/toml_hardening.md: undefined behaviour or an assertion without our wrapper.
    mistakes("Ƙ = 1\n");
    mistakes("a = 'x\nƘ\n");
    mistakes("[\n[\n");
    mistakes(std::string(5000, '[') + "\n");
    mistakes("a = " + std::string(5000, '[') + "\n");
}

TEST_CASE("No damage to a file does more than make it wrong") {
    // Invariant: a damaged text is either read or told in words, and nothing is thrown.
    const std::string whole = R"(gemel = "study/1" # µ 漢 😀
[study]
model = 'x.toml'
size = 1_000
t = [1.5e3, inf, 0x1F, 07:32:00, true]
e = '''
a = "b"
'''
[[tests]]
a."b c" = { d = [ { } ] }
s = """x\n \u00B5 \
  y"""
[arms."*1/*1".z]
)";
    const std::string pieces = "[]{}=.,#\"'\\\n\r\t_+-0eExnué漢😀\x80\xFF\x7F";
    REQUIRE(parsed(whole).is_set());
    std::mt19937 random(1);
    const auto below = [&](std::size_t n) { return random() % n; };
    for (int i = 0; i < 20000; ++i) {
        std::string text = whole;
        for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
            if (below(3) == 0) text.erase(below(text.size()), 1 + below(8));
            if (text.empty()) text = whole;
            if (below(3) == 0) text.insert(below(text.size()), text, below(text.size()), below(8));
            text.insert(below(text.size()), pieces, below(pieces.size()), 1 + below(3));
        }
        sim::DiagnosticList diagnostics;
        const TomlView view = parse_toml(source(text), diagnostics);
        if (view.is_set() != diagnostics.empty()) FAIL(text);
    }
}

TEST_CASE("What is not UTF-8 or invisible is named with its place") {
    CHECK(mistakes("a = 1\nb = \"\xFFx\"\n") ==
          "2:6 byte 0xFF is not UTF-8 here [save the file with the encoding UTF-8]\n");
    CHECK(mistakes("a = \"\xC0\xAF\"") ==
          "1:6 byte 0xC0 is not UTF-8 here [save the file with the encoding UTF-8]\n");
    CHECK(mistakes("a = \"\xED\xA0\x80\"").starts_with("1:6 byte 0xED"));
    CHECK(mistakes("é = \"\xC2\x85\"\n") ==
          "1:6 the invisible character U+0085 must not stand in a file [remove it]\n");
    CHECK(
        mistakes("a = \"\xF3\xB0\x82\xB5\"\n").starts_with("1:6 the invisible character U+F00B5"));
    CHECK(mistakes("a = \"\\U000F00B5\"\n").starts_with("1:6 private-use"));
}

TEST_CASE("Mistakes of syntax say what to write") {
    CHECK(mistakes("x = \"µµµ\" µ\n") ==
          "1:11 this is not TOML: expected a comment or whitespace, saw 'µ'\n");
    CHECK(mistakes("[study]\nmodel = warfarin.toml\n").find("quotation marks") !=
          std::string::npos);
    CHECK(mistakes("every = 24 h\n").find("every = \"24 h\"") != std::string::npos);
    CHECK(mistakes("every = 24h\n").find("every = \"24 h\"") != std::string::npos);
    CHECK(mistakes("a = \"open\nb = 1\n").find("close what is open") != std::string::npos);
    CHECK(mistakes("µ = 1\n").find("other letters") != std::string::npos);
    CHECK(mistakes("a = '''\nopen\n").find("close what is open") != std::string::npos);
    CHECK(mistakes("just words\n").find("key = value") != std::string::npos);
}

TEST_CASE("A key that stands twice names both places") {
    CHECK(mistakes("[study]\nsize = 1\nseed = 2\nsize = 3\n") ==
          "4:1 'size' stands here twice; the first is in line 2 [keep one of them]\n");
    CHECK(mistakes("[arms.a]\nx = 1\n[arms.b]\n[arms.a]\n") ==
          "4:2 'arms.a' stands here twice; the first is in line 1 [keep one of them]\n");
    CHECK(mistakes("[a]\n\"b c\" = 1\n\"b c\" = 2\n") ==
          "3:2 'b c' stands here twice; the first is in line 2 [keep one of them]\n");
    CHECK(mistakes("a = { x = 1, x = 2 }\n") == "1:7 'x' stands here twice [keep one of them]\n");
}

TEST_CASE("A key of too many parts is refused before it exhausts the reader") {
    std::string parts = "a";
    for (int i = 1; i < 64; ++i)
        parts += ".a";
    const std::string help =
        " a key has more than 64 parts [no key of Gemel has more than five: is a dot meant as a "
        "decimal point?]\n";
    CHECK(parsed("[" + parts + "]\n").is_set());
    CHECK(parsed("# " + parts + ".a\nx = \"" + parts + ".a\"\ny = '''\n" + parts + ".a\n'''\n")
              .is_set());
    CHECK(mistakes("x = 1\n[" + parts + ".a]\n") == "2:2" + help);
    CHECK(mistakes("x = { " + parts + " . \"a.b\" = 1 }\n") == "1:6" + help);
    std::string deep = "[a";
    for (int i = 1; i < 10000; ++i)
        deep += ".a";
    CHECK(mistakes(deep + "]\n") == "1:2" + help);
}

TEST_CASE("Dates are nothing a study needs, and reading says so") {
    CHECK(parsed("a = 2024-01-01\n")["a"].kind() == TomlKind::other);
    CHECK(name(TomlKind::other) == "a date or time");
}

TEST_CASE("A missing file is a mistake with its name") {
    sim::DiagnosticList diagnostics;
    CHECK(read_source("/nowhere/x.toml", diagnostics) == nullptr);
    CHECK(diagnostics.items()[0].message == "there is no such file");
    CHECK(diagnostics.items()[0].span.file->name == "/nowhere/x.toml");
    CHECK(read_source("/", diagnostics) == nullptr);
    CHECK(diagnostics.items()[1].message == "this is no file");
}

TEST_CASE("A byte order mark is no part of the text") {
    const auto path = std::filesystem::temp_directory_path() / "gemel_bom.toml";
    std::ofstream(path) << "\xEF\xBB\xBF"
                        << "a = 1\n";
    sim::DiagnosticList diagnostics;
    CHECK(read_source(path, diagnostics)->text == "a = 1\n");
    std::filesystem::remove(path);
}

} // namespace gemel::io
