#include "pkpd/library.hpp"

#include <gemel/pkpd/genotype_call.hpp>

#include <doctest/doctest.h>

// Files made by hand in the layout of PharmCAT's own examples (docs/examples of its repository).
namespace gemel::pkpd {
namespace {

struct PharmcatFile {
    std::optional<GenotypeCalls> calls;
    std::string messages;

    const GenotypeCall* call(const std::string& gene) const {
        return calls->find(0, *calls->find_gene(gene));
    }
};

CallReading all_genes_to_read() {
    CallReading reading;
    for (const std::string& gene : library().names("genes"))
        reading.genes.push_back(library_gene(gene));
    return reading;
}

PharmcatFile pharmcat(const std::string& name) {
    sim::DiagnosticList diagnostics;
    const auto path =
        std::filesystem::path(GEMEL_SOURCE_DIR) / "tests" / "pkpd" / "genotypes" / name;
    PharmcatFile file{read_genotype_calls(path, all_genes_to_read(), diagnostics), {}};
    if (!diagnostics.empty()) file.messages = diagnostics.render();
    REQUIRE(file.messages == "");
    return file;
}

std::string messages_of_json(const std::string& text) {
    sim::DiagnosticList diagnostics;
    auto file = std::make_shared<const sim::SourceFile>(sim::SourceFile{"x.json", text});
    CHECK_FALSE(read_pharmcat(file, all_genes_to_read(), diagnostics));
    return diagnostics.render();
}

} // namespace

TEST_CASE("PharmCAT's matcher: alternatives are equally probable, nothing matched is a no-call") {
    const PharmcatFile file = pharmcat("matcher.match.json");
    CHECK(file.calls->subjects() == std::vector<std::string>{"S1"});
    const GenotypeCall* call = file.call("CYP2C19");
    REQUIRE(call);
    REQUIRE(call->candidates.size() == 2);
    CHECK(call->candidates[0].text == "*1/*2");
    CHECK(call->candidates[0].probability == 0.5);
    CHECK(call->candidates[1].text == "*4/*17");
    CHECK(call->evidence.n_positions == 3);
    CHECK(call->evidence.n_missing == 1);
    CHECK(call->evidence.phase == CallEvidence::Phase::unphased);
    REQUIRE(file.call("TPMT"));
    CHECK_FALSE(file.call("TPMT")->is_called());
}

TEST_CASE("PharmCAT 2's phenotyper: names are translated, Unknown is a no-call") {
    const PharmcatFile file = pharmcat("version2.phenotype.json");
    CHECK(file.calls->subjects() == std::vector<std::string>{"version2"}); // it names no sample
    CHECK(file.call("ABCG2")->candidates[0].text == "C/A");
    CHECK(file.call("CYP2D6")->candidates[0].text == "*1/*1x>=3");
    CHECK(file.call("VKORC1")->candidates[0].text == "A/A");
    CHECK(file.call("VKORC1")->evidence.n_missing == 1);
    // Unknown by one source of guidelines, called by the other.
    REQUIRE(file.call("CYP3A5")->is_called());
    CHECK(file.call("CYP3A5")->candidates[0].text == "*1/*3");
    CHECK(file.call("CYP3A5")->evidence.phase == CallEvidence::Phase::phased);
}

TEST_CASE("PharmCAT 3's reporter: variants carried, and one copy of an X-linked gene") {
    const PharmcatFile file = pharmcat("version3.report.json");
    CHECK(file.calls->subjects() == std::vector<std::string>{"NA1"});
    // All variants that are carried, one of them twice: the two of the lowest activities count.
    const auto gene = library_gene("DPYD");
    CHECK(file.call("DPYD")->candidates[0].text == "c.1905+1G>A (*2A)/c.85T>C (*9A)/c.85T>C (*9A)");
    CHECK(file.call("DPYD")->candidates[0].diplotype == *gene->parse_diplotype("*2A/*9A"));
    CHECK(file.call("G6PD")->candidates[0].text == "A- 202A_376G/Y");
}

TEST_CASE("JSON that is not PharmCAT's, and alleles nobody knows, are told") {
    CHECK(messages_of_json("{\"a\": 1}").find("no JSON of PharmCAT's") != std::string::npos);
    CHECK(messages_of_json("[1]").find("no JSON of PharmCAT's") != std::string::npos);
    const std::string told = messages_of_json(
        "{\"genes\": {\"TPMT\": {\"sourceDiplotypes\": [\n"
        "  {\"allele1\": {\"name\": \"*1\"}, \"allele2\": {\"name\": \"*3AA\"}}]}}}");
    CHECK(told.find("x.json:2:3: error: \"*1/*3AA\" is no diplotype of TPMT") != std::string::npos);
    CHECK(told.find("did you mean '*3A'?") != std::string::npos);
}

} // namespace gemel::pkpd
