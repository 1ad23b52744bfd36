#include <gemel/io/csv_table.hpp>

#include <doctest/doctest.h>

using namespace gemel;

namespace {

struct Parsed {
    io::CsvTable table;
    std::string messages;
};

Parsed parse(const std::string& text) {
    sim::DiagnosticList diagnostics;
    Parsed result;
    result.table = io::parse_csv(std::make_shared<sim::SourceFile>(sim::SourceFile{"t.csv", text}),
                                 diagnostics);
    if (!diagnostics.empty()) result.messages = diagnostics.render();
    return result;
}

} // namespace

TEST_CASE("cells keep their text and their place, quoted or not, whatever ends a line") {
    const Parsed read =
        parse("\xEF\xBB\xBFID,\"WT [kg]\", note \r\n1, 70.5 ,\"a, \"\"b\"\"\"\r\n\r\n"
              "2,µ,\"two\nlines\"\n3,,");
    CHECK(read.messages == "");
    REQUIRE(read.table.rows.size() == 3);
    CHECK(read.table.header[1].text == "WT [kg]");
    CHECK(read.table.header[2].text == "note");
    CHECK(read.table.rows[0][1].text == "70.5");
    CHECK(read.table.rows[0][1].span.line == 2);
    CHECK(read.table.rows[0][1].span.column == 4);
    CHECK(read.table.rows[0][2].text == "a, \"b\"");
    CHECK(read.table.rows[1][2].text == "two\nlines");
    CHECK(read.table.rows[1][2].span.column == 5); // µ is one column
    CHECK(read.table.rows[2][0].span.line == 6);
    CHECK(read.table.rows[2][2].text == "");
}

TEST_CASE("other separators and lines to be left out are read as the format says") {
    sim::DiagnosticList diagnostics;
    const std::string text = "ID;TIME;DV\nC;left;out;whole\n1;\"a;b\";2,5\n";
    CHECK(io::detect_separator(text) == ';');
    CHECK(io::detect_separator("\n\"a;b;c\",d\n") == ',');
    CHECK(io::detect_separator("a\tb\n") == '\t');
    CHECK(io::detect_separator("a\n") == ',');
    const auto file = std::make_shared<sim::SourceFile>(sim::SourceFile{"t.csv", text});
    const io::CsvTable table = io::parse_csv(file, diagnostics, {';', "C"});
    CHECK(diagnostics.empty());
    CHECK(table.n_ignored == 1);
    REQUIRE(table.rows.size() == 1);
    CHECK(table.rows[0][1].text == "a;b");
    CHECK(table.rows[0][2].text == "2,5");
    // An empty cell between tabs is a cell.
    const auto tabs =
        std::make_shared<sim::SourceFile>(sim::SourceFile{"t.tsv", "a\tb\tc\n1\t\t3\n"});
    const io::CsvTable tabbed = io::parse_csv(tabs, diagnostics, {'\t', "@"});
    REQUIRE(tabbed.rows.size() == 1);
    CHECK(tabbed.rows[0][1].text == "");
    CHECK(tabbed.rows[0][2].text == "3");
}

TEST_CASE("what is wrong with a table is told with its place") {
    CHECK(parse("a,b\n1,2,3\n4,5\n")
              .messages.find("t.csv:2:1: error: this row has 3 cells, the "
                             "header 2") != std::string::npos);
    CHECK(parse("a,b\n1,2,3\n4,5\n").table.rows.size() == 1);
    CHECK(parse("a,a\n").messages.find("the column 'a' stands twice") != std::string::npos);
    CHECK(parse("a,b\n1,\"2\n").messages.find("never closed") != std::string::npos);
    CHECK(parse("a,b\n\"1\"x,2\n").messages.find("text follows the closing") != std::string::npos);
    CHECK(parse("").messages.find("no header row") != std::string::npos);
}

TEST_CASE("blanks and tabs in any number separate cells, and a header may be given") {
    sim::DiagnosticList diagnostics;
    const auto file = std::make_shared<sim::SourceFile>(sim::SourceFile{
        "t.txt", "two lines\nof words\n  1   \"a b\"\t 2.5 \r\n\n   \n3 . 4\n5 6\n"});
    const std::vector<io::CsvCell> header{{"ID", {}}, {"NAME", {}}, {"DV", {}}};
    const io::CsvTable table = io::parse_csv(file, diagnostics, {' ', "", 2, header});
    REQUIRE(table.rows.size() == 2);
    CHECK(table.header[1].text == "NAME");
    CHECK(table.rows[0][1].text == "a b");
    CHECK(table.rows[0][2].text == "2.5");
    CHECK(table.rows[0][2].span.column == 14);
    CHECK(table.rows[1][0].span.line == 6);
    CHECK(diagnostics.size() == 1);
    CHECK(diagnostics.render().find("t.txt:7:1: error: this row has 2 cells, the header 3") == 0);
}

TEST_CASE("rows that are all one cell longer than the header are told once, with R's cure") {
    const Parsed read = parse("ID,DV\n1,1,2\n2,1,3\n3,1,4\n");
    CHECK(read.messages.starts_with("t.csv:2:1: error: the rows have 3 cells, the header 2\n"));
    CHECK(read.messages.find("col.names = NA") != std::string::npos);
    CHECK(read.messages.ends_with("1 error\n"));
    const Parsed some = parse("ID,DV\n1,1,2\n2,3\n3,1,4\n");
    CHECK(some.messages.ends_with("2 errors\n"));
}
