#include <gemel/sim/diagnostic.hpp>

#include <doctest/doctest.h>

using namespace gemel::sim;

namespace {

std::shared_ptr<const SourceFile> file(std::string text, std::string name = "study.toml") {
    return std::make_shared<const SourceFile>(SourceFile{std::move(name), std::move(text)});
}

std::string rendered(SourceSpan span, std::string message = "wrong", std::string help = {}) {
    DiagnosticList list;
    list.add(std::move(span), std::move(message), std::move(help));
    return list.render();
}

} // namespace

TEST_CASE("a message quotes the line, marks the place and helps") {
    // Oracle: the form written in CONTRIBUTING.
    const auto source = file("seed = 1\ndoses = [ { dose = \"30 mg/mL\", route = \"oral\" } ]\n");
    CHECK(rendered({source, 2, 20, 10}, "the dose is a concentration", "write \"30 mg\"") ==
          "study.toml:2:20: error: the dose is a concentration\n"
          "   2 | doses = [ { dose = \"30 mg/mL\", route = \"oral\" } ]\n"
          "     |                    ^~~~~~~~~~\n"
          "  help: write \"30 mg\"\n"
          "1 error\n");
}

TEST_CASE("the caret stands under its letter after text that is not ASCII") {
    // µ is two bytes and one column, 注 three bytes and two columns, the combining accent none.
    CHECK(rendered({file("µ注e\u0301 = x"), 1, 7, 1}) == "study.toml:1:7: error: wrong\n"
                                                         "   1 | µ注e\u0301 = x\n"
                                                         "     |       ^\n"
                                                         "1 error\n"
          // columns shown before x: µ 1, 注 2, e 1, accent 0, " = " without its last blank 2
    );
}

TEST_CASE("tabs and broken UTF-8 do not move the caret") {
    CHECK(rendered({file("\ta\xff = 1"), 1, 5, 1}) == "study.toml:1:5: error: wrong\n"
                                                      "   1 |  a\uFFFD = 1\n"
                                                      "     |     ^\n"
                                                      "1 error\n");
}

TEST_CASE("a long line is cut around the mark") {
    const std::string text =
        rendered({file(std::string(500, 'a') + "B" + std::string(500, 'c')), 1, 501, 1});
    const std::size_t excerpt = text.find(" | ") + 3;
    const std::size_t caret_line = text.find('\n', excerpt) + 1;
    const std::string shown = text.substr(excerpt, caret_line - 1 - excerpt);
    CHECK(shown.starts_with("…a"));
    CHECK(shown.ends_with("c…"));
    CHECK(shown.size() == 120 + 2 * 2); // 120 letters of which two take three bytes
    const std::size_t caret = text.find('^') - (caret_line + 7);
    CHECK(shown.substr(caret + 2, 1) == "B"); // "…" has two bytes more than columns
}

TEST_CASE("messages come in order of file and place, and each once") {
    const auto first = file("a\nb\n", "first.toml");
    const auto second = file("c\n", "second.toml");
    DiagnosticList list;
    list.add({first, 2, 1, 1}, "late");
    list.add({second, 1, 1, 1}, "other");
    list.add({first, 1, 1, 1}, "early");
    list.add({first, 2, 1, 1}, "late");
    const std::string text = list.render();
    CHECK(text.find("early") < text.find("late"));
    CHECK(text.find("late") < text.find("other"));
    CHECK(text.find("late") == text.rfind("late"));
    CHECK(text.ends_with("3 errors\n"));
}

TEST_CASE("a mistake of the whole file, or of no file, has no excerpt") {
    CHECK(rendered({file("a"), 0, 0, 1}) == "study.toml: error: wrong\n1 error\n");
    CHECK(rendered({}) == "error: wrong\n1 error\n");
    CHECK(rendered({file("a"), 99, 99, 9}).starts_with("study.toml:99:99: error: wrong\n"));
}

TEST_CASE("a list with mistakes throws them, an empty one does not") {
    DiagnosticList list;
    CHECK_NOTHROW(list.throw_if_any());
    list.add({}, "wrong");
    CHECK_THROWS_AS(list.throw_if_any(), InputError);
    try {
        list.throw_if_any();
    } catch (const InputError& error) {
        CHECK(std::string(error.what()) == list.render());
        CHECK(error.diagnostics().size() == 1);
    }
}

TEST_CASE("the nearest name is found, a far one is not") {
    const std::vector<std::string> names{"CL", "V", "ka", "central", "depot"};
    CHECK(nearest_name("centrla", names) == "central"); // two neighbours swapped: one edit
    CHECK(nearest_name("cental", names) == "central");
    CHECK(nearest_name("cl", names) == "CL");
    CHECK(nearest_name("v", names) == "V");
    CHECK(nearest_name("Q", names) == "");
    CHECK(nearest_name("peripheral", names) == "");
    CHECK(suggest("depott", names) == "did you mean 'depot'?");
    CHECK(suggest("peripheral", names) == "known names: CL, V, ka, central, depot");
    CHECK(suggest("x", {}) == "");
}
