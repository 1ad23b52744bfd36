#include "text.hpp"

#include <gemel/io/json.hpp>

#include <doctest/doctest.h>

namespace gemel::io {
namespace {

struct ParsedJson {
    std::shared_ptr<const JsonValue> root;
    std::string messages;
};

ParsedJson json(const std::string& text) {
    sim::DiagnosticList diagnostics;
    auto file = std::make_shared<const sim::SourceFile>(sim::SourceFile{"x.json", text});
    ParsedJson parsed{parse_json(file, diagnostics), {}};
    if (!diagnostics.empty()) parsed.messages = diagnostics.render();
    CHECK((parsed.root == nullptr) == !diagnostics.empty());
    return parsed;
}

bool tells(const ParsedJson& parsed, const std::string& words) {
    return parsed.messages.find(words) != std::string::npos;
}

} // namespace

TEST_CASE("JSON values come with their places") {
    const ParsedJson parsed =
        json("{\n  \"a\": [1, -2.5, true,\n    null],\n  \"b\": \"\\u00b5g\"\n}\n");
    REQUIRE(parsed.root);
    const JsonValue* a = parsed.root->find("a");
    REQUIRE(a);
    REQUIRE(a->values.size() == 4);
    CHECK(a->values[0].number == 1.0);
    CHECK(a->values[1].number == -2.5);
    CHECK(a->values[2].boolean);
    CHECK(a->values[3].kind == JsonValue::Kind::null);
    CHECK(a->values[1].span.line == 2);
    CHECK(a->values[1].span.column == 12);
    CHECK(a->values[3].span.line == 3);
    CHECK(a->values[3].span.column == 5);
    CHECK(parsed.root->text_of("b") == "\u00b5g");
    CHECK(parsed.root->find("b")->span.column == 8);
    CHECK(parsed.root->find("c") == nullptr);
    CHECK_FALSE(parsed.root->text_of("a"));
}

TEST_CASE("what is no JSON is told with its place and never thrown") {
    CHECK(tells(json("{\"a\": [1, }"), "x.json:1:11"));
    CHECK(tells(json(""), "no JSON"));
    CHECK(tells(json("{\"a\": 1} x"), "x.json:1:10"));
    CHECK(tells(json("\"\xff\""), "no JSON"));
    CHECK(tells(json("[1e999]"), "no JSON"));
    CHECK(tells(json("\"\\ud800\""), "no JSON"));
    CHECK(tells(json(std::string("[\0]", 3)), "no JSON"));
}

TEST_CASE("a key of JSON that stands twice is a mistake") {
    CHECK(tells(json("{\"a\": 1,\n \"a\": 2}"), "x.json:2:2: error: the key \"a\" stands twice"));
    CHECK(json("{\"a\": {\"a\": 1}}").root);
}

TEST_CASE("JSON is bounded in depth and in values") {
    const auto nested = [](int n) {
        return std::string(static_cast<std::size_t>(n), '[') +
               std::string(static_cast<std::size_t>(n), ']');
    };
    CHECK(json(nested(64)).root);
    CHECK(tells(json(nested(65)), "more than 64 levels"));
    CHECK(tells(json(std::string(1'000'000, '[')), "more than 64 levels"));
    std::string many = "[0";
    for (int i = 0; i < 1'000'000; ++i)
        many += ",0";
    CHECK(tells(json(many + "]"), "more than 1000000 values"));
}

} // namespace gemel::io
