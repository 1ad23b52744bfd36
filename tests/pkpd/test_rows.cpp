#include "pkpd/drawn.hpp"
#include "pkpd/loaded.hpp"

#include <filesystem>
#include <fstream>
#include <set>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

constexpr std::size_t n_drawn = 20000;

Model row_frame() {
    Model model;
    model.id = "frame";
    add_covariate(model, "WT", "kg");
    add_covariate(model, "AGE", "a");
    add_covariate(model, "SEX", "1", {"female", "male"});
    list_inputs(model);
    return model;
}

const char* const cohort = "ID,WT [g],age,SEX,weight\n"
                           "1,50000,20,female,1\n"
                           "2,60000,30,male,2\n"
                           "3,70000,40,female,3\n"
                           "4,80000,50,male,4\n";
const char* const rows =
    "rows = { file = \"cohort.csv\", columns = { WT = \"WT\", AGE = { column = "
    "\"age\", unit = \"a\" }, SEX = \"SEX\" } }\n";

/// Reads a population whose study would stand beside these tables: names and texts.
Read read_beside(const std::string& toml,
                 const std::vector<std::pair<std::string, std::string>>& tables) {
    const auto folder = temporary_path("rows");
    for (const auto& [name, csv] : tables) {
        std::filesystem::create_directories((folder / name).parent_path());
        std::ofstream(folder / name, std::ios::binary) << csv;
    }
    const Read result = read("size = 20000\n" + toml, row_frame(), 1, folder / "study.toml");
    std::filesystem::remove_all(folder);
    return result;
}

Read read_with(const std::string& toml, const std::string& csv = cohort) {
    return read_beside(toml, {{"cohort.csv", csv}});
}

std::string with(const std::string& more) {
    std::string toml = rows;
    toml.replace(toml.rfind(" }\n"), 3, ", " + more + " }\n");
    return toml;
}

std::vector<double> shares(const CohortBlock& block) {
    std::vector<double> share(4, 0.0);
    for (std::size_t s = 0; s < n_drawn; ++s)
        share[static_cast<std::size_t>(block.covariates[s] / 10.0 - 5.0 + 0.5)] += 1.0 / n_drawn;
    return share;
}

} // namespace

TEST_CASE("rows are drawn with replacement, and what stands in one row stays together") {
    const Read result = read_with(rows);
    REQUIRE(result.messages == "");
    const CohortBlock block = draw_all(result.population);
    for (std::size_t s = 0; s < n_drawn; ++s) {
        const double wt = block.covariates[s];
        CHECK(block.covariates[n_drawn + s] == wt - 30.0); // grams became kilograms
        CHECK(block.covariates[2 * n_drawn + s] == (wt == 60.0 || wt == 80.0 ? 1.0 : 0.0));
    }
    for (double share : shares(block))
        CHECK(std::abs(share - 0.25) < 4.0 * std::sqrt(0.25 * 0.75 / n_drawn));
    CHECK(block.weight.empty());
    CHECK(result.population.files.at(0).name == "rows_cohort_csv");
    CHECK(result.population.files.at(0).text->text == cohort);
}

TEST_CASE("weights are what rows are drawn by, or what patients carry") {
    const Read resampled = read_with(with("weights = \"weight\", use = \"resample\""));
    REQUIRE(resampled.messages == "");
    const auto share = shares(draw_all(resampled.population));
    for (std::size_t i = 0; i < 4; ++i) {
        const double p = 0.1 * double(i + 1);
        CHECK(std::abs(share[i] - p) < 4.0 * std::sqrt(p * (1.0 - p) / n_drawn));
    }
    const Read carried = read_with(with("weights = \"weight\", use = \"carry\""));
    REQUIRE(carried.messages == "");
    const CohortBlock block = draw_all(carried.population);
    REQUIRE(block.weight.size() == n_drawn);
    double sum = 0.0, weighted = 0.0;
    for (std::size_t s = 0; s < n_drawn; ++s) {
        CHECK(block.weight[s] ==
              doctest::Approx((block.covariates[s] / 10.0 - 4.0) / 2.5).epsilon(1e-15));
        sum += block.weight[s];
        weighted += block.weight[s] * block.covariates[s];
    }
    // Both estimate Σ w x / Σ w = 70; the sd of a self-normalised mean is below 11/√n.
    CHECK(std::abs(weighted / sum - 70.0) < 4.0 * 11.0 / std::sqrt(double(n_drawn)));
}

TEST_CASE("strata count by their shares, whatever the scale of the weights of their rows") {
    // Oracle: half the patients weigh Σ w x / Σ w = 70 kg by their rows, the others 100 kg.
    const Read result =
        read_beside(R"(
covariates = { AGE = 40, SEX = "male" }
[population.strata.seen]
share = 0.5
rows = { file = "cohort.csv", columns = ["WT"], weights = "weight", use = "carry" }
[population.strata.thought]
share = 0.5
covariates = { WT = 100 }
)",
                    {{"cohort.csv", "WT [kg],weight\n50,10000\n60,20000\n70,30000\n80,40000\n"}});
    REQUIRE(result.messages == "");
    const CohortBlock block = draw_all(result.population);
    double sum = 0.0, weighted = 0.0;
    for (std::size_t s = 0; s < n_drawn; ++s) {
        sum += block.weight[s];
        weighted += block.weight[s] * block.covariates[s];
    }
    // sd of weight times distance from 85: below 16.
    CHECK(std::abs(weighted / sum - 85.0) < 4.0 * 16.0 / std::sqrt(double(n_drawn)));
}

TEST_CASE("files of rows are kept once each, under names of their own") {
    const auto strata = [](const char* first, const char* second) {
        return std::string("covariates = { AGE = 40, SEX = \"male\" }\n"
                           "[population.strata.a]\nshare = 0.5\nrows = { file = \"") +
               first +
               "\", columns = [\"WT\"] }\n[population.strata.b]\nshare = 0.5\n"
               "rows = { file = \"" +
               second + "\", columns = [\"WT\"] }\n";
    };
    const std::vector<std::pair<std::string, std::string>> tables{{"cohort.csv", cohort},
                                                                  {"men/cohort.csv", cohort}};
    const Read same = read_beside(strata("cohort.csv", "men/../cohort.csv"), tables);
    REQUIRE(same.messages == "");
    CHECK(same.population.files.size() == 1);
    const Read others = read_beside(strata("cohort.csv", "men/cohort.csv"), tables);
    REQUIRE(others.messages == "");
    REQUIRE(others.population.files.size() == 2);
    CHECK(others.population.files[0].name == "rows_cohort_csv");
    CHECK(others.population.files[1].name == "rows_cohort_csv_2");
}

TEST_CASE("any range of resampled rows equals that part of the whole") {
    const Population population =
        read_with(with("weights = \"weight\", use = \"carry\"")).population;
    const CohortBlock whole = population.draw({0, 0, 500});
    const CohortBlock block = population.draw({0, 123, 200});
    for (std::size_t s = 0; s < 200; ++s) {
        CHECK(block.covariates[s] == whole.covariates[123 + s]);
        CHECK(block.weight[s] == whole.weight[123 + s]);
    }
}

TEST_CASE("patients in order are the rows of the table, over and over") {
    const Read result = read_with(with("use = \"in_order\""));
    REQUIRE(result.messages == "");
    const CohortBlock whole = draw_all(result.population);
    const CohortBlock block = result.population.draw({0, 123, 200});
    for (std::size_t s = 0; s < 200; ++s) {
        CHECK(whole.covariates[s] == 50.0 + 10.0 * double(s % 4));
        CHECK(block.covariates[s] == whole.covariates[123 + s]);
    }
    CHECK(whole.weight.empty());
}

TEST_CASE("rows may give some covariates and laws the others, in a stratum or for everybody") {
    const Read result = read_with(R"(
covariates = { AGE = { uniform = [18, 80] }, SEX = "male" }
[population.strata.seen]
share = 0.5
rows = { file = "cohort.csv", columns = ["WT", "SEX"] }
[population.strata.thought]
share = 0.5
covariates = { WT = 100 }
)");
    REQUIRE(result.messages == "");
    const CohortBlock block = draw_all(result.population);
    std::set<double> ages;
    for (std::size_t s = 0; s < 1000; ++s) {
        ages.insert(block.covariates[n_drawn + s]);
        CHECK((block.covariates[s] == 100.0) == (block.stratum[s] == 1));
    }
    CHECK(ages.size() == 1000);
}

TEST_CASE("mistakes of rows are told with the place in the table") {
    struct Mistake {
        std::string toml, csv, expected;
    };
    const std::string table = cohort;
    const auto broken = [&](const std::string& from, const std::string& to) {
        std::string text = table;
        return text.replace(text.find(from), from.size(), to);
    };
    const Mistake mistakes[] = {
        {rows, broken("60000", ""), "cohort.csv:3:3: error: a value is missing here"},
        {rows, broken("60000", "NA"), "a value is missing here"},
        {rows, broken("60000", "6e4 g"), "'6e4 g' is no number"},
        {rows, broken("60000", "+-60000"), "'+-60000' is no number"},
        {rows,
         broken("ID,", "WT [kg],"),
         "cohort.csv has several columns 'WT': 'WT [kg]' and 'WT [g]'"},
        {"rows = { file = \"cohort.csv\", columns = { WT = { column = \"WT\", units = \"g\" } } "
         "}\ncovariates = { AGE = 3, SEX = \"male\" }\n",
         table,
         "the column of WT has no key 'units'"},
        {rows, broken("30,male", "30,Male"), "did you mean 'male'?"},
        {rows, broken("WT [g]", "WT"), "the unit of the column 'WT' is missing"},
        {rows, broken("WT [g]", "WT [mL]"), "the column 'WT [mL]' is in mL"},
        {rows, broken("age,", "ages,"), "cohort.csv has no column 'age'"},
        {rows, "WT [g],age,SEX\n", "no rows to draw from"},
        {"rows = { file = \"cohort.cvs\", columns = [\"WT\"] }\ncovariates = { AGE = 3, SEX = "
         "\"male\" }\n",
         table,
         "there is no file 'cohort.cvs' beside this one"},
        {std::string(rows) + "covariates = { WT = 3 }\n",
         table,
         "WT stands in `covariates` and in `rows`"},
        {with("weights = \"weight\""), table, "what the weights are for is not said"},
        {with("use = \"carry\""), table, "there are no weights to use"},
        {with("weights = \"weight\", use = \"in_order\""),
         table,
         "rows taken in order are not drawn by weights"},
        {with("weights = \"wieght\", use = \"carry\""), table, "did you mean 'weight'?"},
        {with("weights = \"weight\", use = \"carry\""),
         broken(",male,4", ",male,-4"),
         "a weight is not negative"},
        {with("weights = \"weight\", use = \"cary\""), table, "did you mean 'carry'?"},
    };
    for (const Mistake& mistake : mistakes) {
        const Read result = read_with(mistake.toml, mistake.csv);
        CAPTURE(mistake.expected);
        CAPTURE(result.messages);
        CHECK(result.messages.find(mistake.expected) != std::string::npos);
        CHECK(result.messages.find("1 error") != std::string::npos);
    }
}
