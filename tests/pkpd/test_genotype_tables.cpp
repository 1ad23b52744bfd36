#include "pkpd/library.hpp"

#include <gemel/pkpd/genotype_call.hpp>

#include <doctest/doctest.h>

namespace gemel::pkpd {
namespace {

CallReading reading_of(const std::vector<std::string>& genes) {
    CallReading reading;
    for (const std::string& gene : genes)
        reading.genes.push_back(library_gene(gene));
    reading.passed_over = library().names("genes");
    return reading;
}

struct ReadTable {
    std::optional<GenotypeCalls> calls;
    std::string messages;
};

ReadTable table(const std::string& text, const std::vector<std::string>& genes) {
    sim::DiagnosticList diagnostics;
    auto file = std::make_shared<const sim::SourceFile>(sim::SourceFile{"calls.csv", text});
    ReadTable result{read_genotype_table(file, reading_of(genes), diagnostics), {}};
    if (!diagnostics.empty()) result.messages = diagnostics.render();
    CHECK(result.calls.has_value() == diagnostics.empty());
    return result;
}

const std::string header = "subject,gene,diplotype,probability\n";

bool is_told(const ReadTable& result, const std::string& words) {
    INFO(result.messages);
    return result.messages.find(words) != std::string::npos;
}

} // namespace

TEST_CASE("a table of genotypes gives diplotypes, alternatives and no-calls") {
    const ReadTable result = table("subject,gene,diplotype,probability,kit\n"
                                   "# from the laboratory\n"
                                   "7,CYP2D6,*4/*1,,a\n"
                                   "8,CYP2D6,*1/*4,0.25,a\n"
                                   "8,CYP2D6,*1x2/*10,0.75,a\n"
                                   "9,CYP2D6,no call,,a\n"
                                   "7,TPMT,*1/*3A,1,a\n"
                                   "9,VKORC1,A/G,,a\n",
                                   {"CYP2D6", "VKORC1"});
    REQUIRE(result.messages == "");
    const GenotypeCalls& calls = *result.calls;
    CHECK(calls.subjects() == std::vector<std::string>{"7", "8", "9"});
    const auto call = [&](const char* subject, const char* gene) {
        return calls.find(*calls.find_subject(subject), *calls.find_gene(gene));
    };
    REQUIRE(call("7", "CYP2D6"));
    CHECK(call("7", "CYP2D6")->candidates.size() == 1);
    CHECK(call("7", "CYP2D6")->candidates[0].text == "*1/*4");
    CHECK(call("7", "CYP2D6")->candidates[0].probability == 1.0);
    CHECK(evidence_text(call("7", "CYP2D6")->evidence) == "calls.csv: called elsewhere");
    // The most probable first.
    REQUIRE(call("8", "CYP2D6")->candidates.size() == 2);
    CHECK(call("8", "CYP2D6")->candidates[0].text == "*1x2/*10");
    CHECK(call("8", "CYP2D6")->candidates[0].probability == 0.75);
    REQUIRE(call("9", "CYP2D6"));
    CHECK_FALSE(call("9", "CYP2D6")->is_called());
    CHECK(call("7", "VKORC1") == nullptr); // nothing said
    CHECK(call("9", "VKORC1")->candidates[0].text == "G/A");
    CHECK_FALSE(calls.find_gene("TPMT")); // passed over
}

TEST_CASE("a gene held per variant keeps all that are carried") {
    const ReadTable result =
        table("subject;gene;diplotype\n1;DPYD;*9A/HapB3/*2A\n", {"DPYD"}); // semicolons
    REQUIRE(result.messages == "");
    const CallCandidate& candidate = result.calls->find(0, 0)->candidates[0];
    CHECK(candidate.text == "*9A/HapB3/*2A");
    CHECK(candidate.diplotype == *library_gene("DPYD")->parse_diplotype("HapB3/*2A"));
}

TEST_CASE("mistakes in a table of genotypes are told all at once with their places") {
    const ReadTable result = table(header + "1,CYP2D66,*1/*1,\n"  // 2
                                            "1,CYP2D6,*1/*400,\n" // 3
                                            ",CYP2D6,*1/*1,\n"    // 4
                                            "2,CYP2D6,*1/*4,1.5\n",
                                   {"CYP2D6"});
    CHECK(is_told(result, "calls.csv:2:3: error: 'CYP2D66' is no gene that is known here"));
    CHECK(is_told(result, "did you mean 'CYP2D6'?"));
    CHECK(is_told(result, "calls.csv:3:10: error: \"*1/*400\" is no diplotype of CYP2D6"));
    CHECK(is_told(result, "calls.csv:4:1: error: the subject is missing here"));
    CHECK(is_told(result, "'1.5' is no probability"));
}

TEST_CASE("alternatives need probabilities that sum to 1") {
    const std::vector<std::string> genes{"CYP2D6"};
    CHECK(is_told(table(header + "1,CYP2D6,*1/*1,0.5\n1,CYP2D6,*1/*4,0.4\n", genes),
                  "the probabilities of CYP2D6 of the subject '1' sum to 0.9"));
    CHECK(is_told(table(header + "1,CYP2D6,*1/*1,\n1,CYP2D6,*1/*4,1\n", genes),
                  "not all have a probability"));
    CHECK(is_told(table(header + "1,CYP2D6,*1/*1,0.5\n1,CYP2D6,*1/*1,0.5\n", genes),
                  "stands here already"));
    CHECK(is_told(table(header + "1,CYP2D6,NA,\n1,CYP2D6,*1/*1,1\n", genes), "no-call in one row"));
    CHECK(is_told(table("subject,gen,diplotype\n1,CYP2D6,*1/*1\n", genes), "no column 'gene'"));
    // Rounded as printed: scaled to sum to 1.
    const ReadTable rounded =
        table(header + "1,CYP2D6,*1/*1,0.3333333\n1,CYP2D6,*1/*4,0.6666666\n", genes);
    REQUIRE(rounded.messages == "");
    const auto& candidates = rounded.calls->find(0, 0)->candidates;
    CHECK(candidates[0].probability + candidates[1].probability == 1.0);
}

} // namespace gemel::pkpd
