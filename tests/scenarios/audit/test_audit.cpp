#include <gemel/io/resources.hpp>
#include <gemel/scenarios/audit.hpp>
#include <gemel/sim/distributions.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

/// Audits of genotyping panels.
namespace gemel::tests {

namespace {

const io::Library& audited_library() {
    static const io::Library shipped{{std::filesystem::path(GEMEL_SOURCE_DIR) / "library"}};
    return shipped;
}

std::shared_ptr<const pkpd::Panel> library_panel(const std::string& name) {
    sim::DiagnosticList diagnostics;
    auto panel =
        pkpd::load_panel(audited_library().find("panels", name), audited_library(), diagnostics);
    const std::string messages = diagnostics.empty() ? "" : diagnostics.render();
    INFO(messages);
    REQUIRE(panel);
    return panel;
}

struct PanelText {
    std::shared_ptr<const pkpd::Panel> panel;
    std::string messages;
};

PanelText panel_of(const std::string& genes) {
    const auto path = std::filesystem::temp_directory_path() /
                      fmt::format("gemel_panel_{}.toml", std::hash<std::string>{}(genes));
    std::ofstream(path) << "gemel = \"panel/1\"\n[panel]\nname = \"x\"\nsource = \"test\"\n"
                        << genes;
    sim::DiagnosticList diagnostics;
    PanelText read{pkpd::load_panel(path, audited_library(), diagnostics), ""};
    if (!diagnostics.empty()) read.messages = diagnostics.render();
    std::filesystem::remove(path);
    return read;
}

/// What is reported for one diplotype.
std::string reported(const pkpd::Panel& panel, const std::string& diplotype) {
    const pkpd::PanelGene& gene = panel.genes.front();
    return gene.table->text(gene.read(*gene.table->parse_diplotype(diplotype)));
}

scenarios::AuditSettings without_intervals() {
    scenarios::AuditSettings settings;
    settings.n_draws = 0;
    return settings;
}

scenarios::GroupAudit audited(const std::string& panel,
                              const std::string& group,
                              const scenarios::AuditSettings& settings) {
    return scenarios::audit({library_panel(panel)}, {group}, settings).genes.front().groups.front();
}

struct CoverageRow {
    std::string panel, group, top;
    double reduced = 0.0, covered = 0.0, missed = 0.0, carriers = 0.0, unknown = 0.0;
};

std::vector<CoverageRow> coverage_rows() {
    std::ifstream file(std::string(GEMEL_SOURCE_DIR) + "/tests/scenarios/audit/panel_coverage.csv");
    REQUIRE(file);
    std::vector<CoverageRow> rows;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("#") || line.starts_with("panel,")) continue;
        std::istringstream cells(line);
        CoverageRow& row = rows.emplace_back();
        std::getline(cells, row.panel, ',');
        std::getline(cells, row.group, ',');
        char comma = 0;
        cells >> row.reduced >> comma >> row.covered >> comma >> row.missed >> comma >>
            row.carriers >> comma >> row.unknown >> comma;
        std::getline(cells, row.top);
    }
    return rows;
}

/// "*8:0.0590|*11:0.0139" → "0.0590 0.0139 "
std::string frequencies_in(const std::string& top) {
    std::string frequencies;
    for (auto colon = top.find(':'); colon != std::string::npos; colon = top.find(':', colon + 1))
        if (std::isdigit(static_cast<unsigned char>(top[colon + 1])) != 0)
            frequencies += top.substr(colon + 1, 6) + " ";
    return frequencies;
}

} // namespace

TEST_CASE("panels of the library miss what CPIC's tables say they miss") {
    // Oracle: figures worked out from CPIC's tables by a program of its own (data file beside this
    // test), printed with five digits.
    constexpr double printed_digits = 0.6e-5;
    const auto rows = coverage_rows();
    CHECK(rows.size() == 102);
    for (const CoverageRow& row : rows) {
        INFO(row.panel, " ", row.group);
        const scenarios::GroupAudit group = audited(row.panel, row.group, without_intervals());
        REQUIRE(group.has_frequencies);
        CHECK(std::abs(group.reduced.value - row.reduced) < printed_digits);
        CHECK(std::abs(group.missed.value - row.missed) < printed_digits);
        CHECK(std::abs(group.reduced.value - group.missed.value - row.covered) < printed_digits);
        CHECK(std::abs(group.carriers.value - row.carriers) < printed_digits);
        // CPIC counts UGT1A1*80 beside the alleles it tags; the gene's file does not.
        if (!row.panel.starts_with("UGT1A1"))
            CHECK(std::abs(group.uncertain.value - row.unknown) < printed_digits);
        std::string top; // alleles of one frequency may change places
        for (const scenarios::MissedAllele& allele : group.main_missed)
            top += fmt::format("{:.4f} ", allele.frequency);
        CHECK(top == frequencies_in(row.top));
        if (!row.top.empty() && row.panel != "CYP2B6_6" && row.panel != "SLCO1B1_5_15")
            CHECK(group.main_missed.front().name == row.top.substr(0, row.top.find(':')));
    }
}

TEST_CASE("a group without frequencies is told as such") {
    // Fact of CPIC's tables: NUDT15 has no African group; SLCO1B1 of African Americans rests on 38.
    CHECK_FALSE(audited("NUDT15_3", "SSA", without_intervals()).has_frequencies);
    CHECK(audited("SLCO1B1_5_15", "AAC", without_intervals()).most_subjects == 38);
    const auto report = scenarios::audit({library_panel("NUDT15_3")}, {"EUR", "SSA"}, {});
    CHECK(scenarios::render(report).find("no frequencies are known in SSA") != std::string::npos);
}

TEST_CASE("phenotypes are misread where the panel's report has another") {
    // Closed form: CYP3A5*3 alone. With f of *3 and m of *6 and *7, none of whose carriers is told:
    // *1/m becomes *1/*1, *3/m becomes *1/*3, m/m becomes *1/*1, all of another phenotype.
    const auto group = audited("CYP3A5_3", "SSA", without_intervals());
    const double m = group.missed.value;
    const double published = 1e-5; // that the frequencies sum to 1
    CHECK(group.misread.value == doctest::Approx(1.0 - (1.0 - m) * (1.0 - m)).epsilon(published));
    // A panel that sees them all misreads nobody.
    CHECK(audited("CYP3A5_3_6_7", "SSA", without_intervals()).misread.value == 0.0);
}

TEST_CASE("intervals are quantiles of the law that counts leave open") {
    // Oracle: CYP3A5 in South Asia: *3 in 1519 people, *6 in 1066 and not found; missed is *6, a
    // Beta share of what *3 leaves, whose quantiles are within 5 standard errors of a quantile.
    scenarios::AuditSettings settings;
    settings.n_draws = 20000;
    const auto group = audited("CYP3A5_3", "SAS", settings);
    CHECK(group.missed.value == 0.0);
    CHECK(group.missed.lower >= 0.0);
    const double rest = 1.0 - group.reduced.value;
    const double upper = rest * sim::beta_quantile(1.0 / 3, 2.0 * 1066 * rest + 1.0 / 3, 0.975);
    CHECK(group.missed.upper == doctest::Approx(upper).epsilon(0.1));
    CHECK(group.carriers.upper ==
          doctest::Approx(1.0 - std::pow(1.0 - group.missed.upper, 2)).epsilon(1e-9));
}

TEST_CASE("intervals depend on neither threads nor what else is audited") {
    scenarios::AuditSettings one, many;
    one.n_draws = many.n_draws = 300;
    one.n_threads = 1;
    many.n_threads = 3;
    const auto alone =
        scenarios::audit({library_panel("CYP2C9_2_3")}, {"SSA"}, one).genes[0].groups[0];
    const auto together = scenarios::audit({library_panel("CYP3A5_3"), library_panel("CYP2C9_2_3")},
                                           {"EUR", "SSA"},
                                           many)
                              .genes[1]
                              .groups[1];
    CHECK(alone.share.lower == together.share.lower);
    CHECK(alone.misread.upper == together.misread.upper);
    CHECK(alone.share.lower < alone.share.value);
    CHECK(alone.share.upper > alone.share.value);
}

TEST_CASE("a dose by the panel's report exposes by the ratio of the map's values") {
    // Closed form: tacrolimus of Andrews 2019, CL × 1.62 in expressers. Who has two of *3, *6, *7
    // and not *3/*3 is dosed as an expresser and is not: 1.62 times the exposure; nobody gets less.
    sim::DiagnosticList diagnostics;
    scenarios::AuditSettings settings = without_intervals();
    settings.model = pkpd::load_model(
        audited_library().find("models", "tacrolimus_andrews2019"), audited_library(), diagnostics);
    REQUIRE(settings.model);
    settings.map = "CYP3A5_on_CL";
    const auto group = audited("CYP3A5_3", "SSA", settings);
    const double m = group.missed.value, three = group.reduced.value - m;
    CHECK(group.exposure.over.value == doctest::Approx(m * m + 2.0 * three * m).epsilon(1e-12));
    CHECK(group.exposure.under.value == 0.0);
    CHECK(group.exposure.average.value == doctest::Approx(1.62).epsilon(1e-12));
    CHECK(group.exposure.unknown.value == 0.0);
    settings.map = "CYP2C9_on_CL";
    CHECK_THROWS_AS(audited("CYP3A5_3", "SSA", settings), std::invalid_argument);
}

TEST_CASE("what a panel does not tell apart reads as the reference, or as it is told to") {
    // Facts of PharmVar's definitions: CYP2B6*6 is 516G>T with 785A>G, *9 is 516G>T alone.
    const auto plain = panel_of("[genes.CYP2D6]\nalleles = [\"*4\", \"*10\"]\n");
    REQUIRE(plain.panel);
    CHECK(reported(*plain.panel, "*4/*17") == "*1/*4");
    CHECK(reported(*plain.panel, "*4x2/*10") == "*1/*10");
    CHECK(reported(*plain.panel, "*5/*10") == "*10/*10"); // nothing to see on the other chromosome
    const auto nested = panel_of("[genes.CYP2D6]\nalleles = [\"*4\", \"*10\"]\n"
                                 "structure = \"not_seen\"\nreads = { \"*69\" = \"*10\" }\n");
    REQUIRE(nested.panel);
    CHECK(reported(*nested.panel, "*4x2/*68+*4") == "*4/*4");
    CHECK(reported(*nested.panel, "*36+*10/*1x2") == "*1/*10");
    CHECK(reported(*nested.panel, "*1/*69") == "*1/*10");
    const auto variant = panel_of("[genes.CYP2B6]\nvariants = [\"rs3745274\"]\n"); // 516G>T
    REQUIRE(variant.panel);
    CHECK(reported(*variant.panel, "*1/*6") == reported(*variant.panel, "*1/*9"));
    CHECK(reported(*variant.panel, "*1/*9") == "*1/*9"); // the simplest with that change
    CHECK(reported(*variant.panel, "*1/*18") == "*1/*1");
}

TEST_CASE("each mistake of a panel is told, with its cure") {
    const std::pair<const char*, const char*> mistakes[] = {
        {"[genes.CYP2C8]\nalleles = [\"*2\"]\n", "the library has no gene 'CYP2C8'"},
        {"[genes.CYP2C9]\nalleles = [\"*22222\"]\n", "CYP2C9 has no allele '*22222'"},
        {"[genes.CYP2C9]\n", "alleles"},
        {"[genes.CYP2C9]\nvariants = [\"rs1\"]\n", "no allele of CYP2C9 is defined by 'rs1'"},
        {"[genes.CYP2C9]\nalleles = [\"*2\"]\nreads = { \"*4\" = \"*99999\" }\n",
         "no allele '*99999'"},
        {"[genes.CYP2C9]\nalels = [\"*2\"]\n", "did you mean 'alleles'?"},
    };
    for (const auto& [genes, expected] : mistakes) {
        const PanelText read = panel_of(genes);
        INFO(read.messages);
        CHECK(read.panel == nullptr);
        CHECK(read.messages.find(expected) != std::string::npos);
    }
}

TEST_CASE("every panel of the library can be read, and names its source") {
    for (const std::string& name : audited_library().names("panels"))
        CHECK_FALSE(library_panel(name)->source.empty());
    CHECK(audited_library().names("panels").size() >= 14);
}

TEST_CASE("CSV and JSON hold every figure") {
    const auto report = scenarios::audit({library_panel("CYP3A5_3")}, {"SSA", "OCE"}, {});
    std::ostringstream csv, json;
    scenarios::write_csv(report, csv);
    scenarios::write_json(report, json);
    const std::string rows = csv.str();
    CHECK(rows.starts_with("panel,gene,group,fewest_subjects,most_subjects,reduced_frequency,"
                           "reduced_frequency_lower,"));
    CHECK(std::ranges::count(rows, '\n') == 3);
    CHECK(rows.find("CYP3A5_3,CYP3A5,SSA,2014,4248,0.52059") != std::string::npos);
    CHECK(json.str().find("{\"group\": \"OCE\", \"has_frequencies\": false") != std::string::npos);
    CHECK(json.str().find("\"reduced_frequency\": null") != std::string::npos);
}

} // namespace gemel::tests
