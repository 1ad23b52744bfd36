#include "study_runs.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <set>

namespace gemel::tests {

TEST_CASE("a result file tells whose genotype value is published and whose is assumed") {
    // Oracle: the rule read off the diplotype. Hamberg (2007) names the six pairs of *1, *2, *3;
    // others follow their score (1.5 as 0.685, …); only unknown scores are drawn.
    const std::set<std::string> published{"*1/*1", "*1/*2", "*1/*3", "*2/*2", "*2/*3", "*3/*3"};
    const std::map<double, double> by_score{
        {2.0, 1.0}, {1.5, 0.685}, {1.0, 0.547}, {0.5, 0.310}, {0.0, 0.148}};
    const TemporaryFolder folder;
    constexpr std::uint64_t n = 2000;
    const auto study = scenarios::load_study(source_folder() / "examples/warfarin/study.toml",
                                             source_library(),
                                             {{"population.size=2000",
                                               "population.ancestry=EAS",
                                               "study.duration=1 h",
                                               "outcomes={}",
                                               "save={}",
                                               "regimens.daily_2_5_mg.doses=[{dose=\"5 mg\"}]",
                                               "regimens.daily_5_mg.doses=[{dose=\"5 mg\"}]",
                                               "regimens.daily_7_5_mg.doses=[{dose=\"5 mg\"}]"},
                                              std::nullopt});
    run(study, folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    const auto diplotypes = file.texts("genotypes/CYP2C9", -1, 0, n);
    const auto scores = file.reals("genotypes/CYP2C9_activity", -1, 0, n);
    const auto values = file.reals("maps/CYP2C9_on_CL", -1, 0, n);
    const auto bases = file.reals("maps/CYP2C9_on_CL_basis", -1, 0, n);
    int n_of[3] = {0, 0, 0};
    for (std::uint64_t s = 0; s < n; ++s) {
        const bool is_published = published.count(diplotypes[s]) != 0;
        const double basis = is_published ? 0.0 : scores[s] == scores[s] ? 1.0 : 2.0;
        ++n_of[static_cast<int>(basis)];
        CHECK(bases[s] == basis);
        if (basis == 1.0) CHECK(values[s] == by_score.at(scores[s]));
    }
    CHECK(n_of[0] > 0);
    CHECK(n_of[1] > 0);
    CHECK(n_of[2] > 0); // 0.46 % of EAS: some nine of 2,000
}

TEST_CASE("a score known from below is marked and counted, also where the map assumes") {
    // Oracle: read off the diplotype. *1x>=3 has a score from 3 up; the table names *1/*1 alone.
    const TemporaryFolder folder;
    std::string table;
    for (int quarters = 0; quarters <= 24; ++quarters)
        table += fmt::format("{}\"{}\" = {}",
                             quarters == 0 ? "" : ", ",
                             0.25 * quarters,
                             std::max(quarters, 1) / 8.0);
    std::string model = read_text(source_folder() / "tests/studies/models/saturable.toml");
    const auto from = model.find("gene = \"CYP2C9\""), to = model.find("[covariates]");
    model.replace(from,
                  to - from,
                  "gene = \"CYP2D6\"\nby = \"diplotype\"\nreference = \"*1/*1\"\n"
                  "table = { \"*1/*1\" = 1 }\n[maps.CYP2C9_on_Vmax.otherwise]\n"
                  "by = \"activity_score\"\nsource = \"assumed: by score\"\n"
                  "table = {" +
                      table + " }\n");
    std::filesystem::create_directories(folder / "models");
    write_text(folder / "models/saturable.toml", model);
    std::string text = read_text(source_folder() / "tests/studies/genotypes.toml");
    const auto gene = text.find("CYP2C9 = {");
    text.replace(gene,
                 text.find('\n', gene) - gene,
                 "CYP2D6 = { \"*1\" = 0.5, \"*1x>=3\" = 0.3, \"*4\" = 0.2 } }");
    write_text(folder / "study.toml", text);
    const auto study = scenarios::load_study(folder / "study.toml", source_library());
    const scenarios::StudyReport report = run(study, folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    const auto diplotypes = file.texts("genotypes/CYP2D6", -1, 0, 700);
    const auto bases = file.texts("maps/CYP2C9_on_Vmax_basis", -1, 0, 700);
    std::map<std::string, int> n_of;
    for (std::size_t s = 0; s < 700; ++s) {
        const bool has_bound = diplotypes[s].find("*1x>=3") != std::string::npos;
        ++n_of[bases[s]];
        CHECK(bases[s] == (diplotypes[s] == "*1/*1" ? "table"
                           : has_bound              ? "assumed_score_lower_bound"
                                                    : "assumed"));
    }
    CHECK(n_of.size() == 3);
    const int n_bounds = n_of["assumed_score_lower_bound"], n_assumed = n_of["assumed"];
    REQUIRE(report.assumptions.size() == 2);
    CHECK(report.assumptions[0].find(fmt::format(
              ": {} of 700 subjects have a CYP2D6 score that is a lower bound", n_bounds)) !=
          std::string::npos);
    CHECK(report.assumptions[1].find(
              fmt::format(": {} of 700 subjects have a CYP2D6 diplotype that its table",
                          n_bounds + n_assumed)) != std::string::npos);
}

} // namespace gemel::tests
