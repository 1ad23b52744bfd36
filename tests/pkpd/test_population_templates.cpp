#include "pkpd/drawn.hpp"
#include "pkpd/ranks.hpp"

using namespace gemel;
using namespace gemel::pkpd;

namespace {

std::vector<double> values(const Population& population,
                           const CohortBlock& block,
                           const std::string& name,
                           int stratum,
                           double from_age = 0.0,
                           double to_age = 1e9) {
    std::size_t at = 0, age = 0;
    for (std::size_t c = 0; c < population.covariates.size(); ++c) {
        if (population.covariates[c].name == name) at = c;
        if (population.covariates[c].name == "AGE") age = c;
    }
    const std::size_t n = block.range.count;
    std::vector<double> found;
    for (std::size_t s = 0; s < n; ++s)
        if (block.stratum[s] == stratum && block.covariates[age * n + s] >= from_age &&
            block.covariates[age * n + s] < to_age)
            found.push_back(block.covariates[at * n + s]);
    return found;
}

double quantile_of(std::vector<double> sample, double p) {
    std::sort(sample.begin(), sample.end());
    return sample[static_cast<std::size_t>(p * double(sample.size() - 1))];
}

} // namespace

TEST_CASE("a template says what the study does not, and the study's word goes before") {
    const Read plain = read("size = 20000\nlike = \"library:adults_nhanes\"\n", weight_frame());
    REQUIRE(plain.messages == "");
    const Population& adults = plain.population;
    CHECK(adults.strata.size() == 2);
    CHECK(adults.covariates[0].name == "WT"); // the model's comes first
    CHECK(adults.files.at(0).name == "population_adults_nhanes_toml");
    const CohortBlock block = draw_all(adults);
    const auto women = values(adults, block, "WT", 0), men = values(adults, block, "WT", 1);
    // The published means of NHANES 2015-2018, to four standard errors of the sample.
    CHECK(std::abs(mean(women) - 77.5) < 4.0 * sd(women) / std::sqrt(double(women.size())));
    CHECK(std::abs(mean(men) - 90.6) < 4.0 * sd(men) / std::sqrt(double(men.size())));
    const auto height = values(adults, block, "HT", 1);
    CHECK(std::abs(mean(height) - 175.3) < 4.0 * 7.56 / std::sqrt(double(height.size())));
    CHECK(std::abs(kendall(height, men) - 2.0 / std::numbers::pi * std::asin(0.414)) <
          4.0 * kendall_error(0.414, men.size()));

    const Read changed = read(R"(size = 2000
like = "library:adults_nhanes"
correlation = []
covariates = { WT = "70 kg", AGE = { uniform = ["65 a", "80 a"] } }
)",
                              weight_frame());
    REQUIRE(changed.messages == "");
    const CohortBlock old = draw_all(changed.population);
    for (int stratum : {0, 1}) {
        for (double wt : values(changed.population, old, "WT", stratum))
            CHECK(wt == 70.0);
        for (double age : values(changed.population, old, "AGE", stratum))
            CHECK(age >= 65.0);
    }
}

TEST_CASE("a population like one there is not is told, with the nearest") {
    const auto messages = [](const std::string& like) {
        return read("size = 20\nlike = \"" + like + "\"\n", weight_frame()).messages;
    };
    CHECK(messages("library:adult_nhanes").find("did you mean 'adults_nhanes'?") !=
          std::string::npos);
    CHECK(messages("adults.toml").find("there is no file 'adults.toml' beside the study") !=
          std::string::npos);
    // A correlation of the template meets a covariate that is drawn no more.
    CHECK(read("size = 20\nlike = \"library:adults_nhanes\"\ncovariates = { WT = 70 }\n",
               weight_frame())
              .messages.find("WT is not drawn from a law") != std::string::npos);
}

TEST_CASE("children weigh and measure what the growth charts say") {
    // Oracle: CDC's published percentiles at rows the template does not have (wtage and statage,
    // files of the charts); straight lines between rows are within 0.2 %, and the sample's quantile
    // has the standard error √(p(1 − p)/n)/density.
    const Read result = read("size = 2000\nlike = \"library:children_cdc2000\"\n", weight_frame());
    REQUIRE(result.messages == "");
    struct Row {
        const char* covariate;
        int stratum;
        const char* age;
        double l, m, s;
    };
    // Median, power and spread by CDC at months between the template's points.
    const Row published[] = {
        {"WT", 1, "105.5 mo", -1.355720571, 27.90904433, 0.163774719},
        {"WT", 0, "153.5 mo", -0.880088651, 44.99291356, 0.199026736},
        {"HT", 1, "159.5 mo", 1.014046108, 158.3750929, 0.050199837},
        {"HT", 0, "141.5 mo", 1.201050821, 149.6838943, 0.049551023},
        {"WT", 1, "24 mo", -0.20615245, 12.6707633, 0.108125811},
        {"HT", 0, "240 mo", 1.108046193, 163.338251, 0.039636316},
    };
    for (const Row& row : published) {
        const Read at_age = read(std::string("size = 40000\nlike = \"library:children_cdc2000\"\n"
                                             "covariates = { AGE = \"") +
                                     row.age + "\" }\n",
                                 weight_frame());
        REQUIRE(at_age.messages == "");
        const CohortBlock block = draw_all(at_age.population);
        const auto sample = values(at_age.population, block, row.covariate, row.stratum);
        for (double p : {0.05, 0.5, 0.95}) {
            const double z = p == 0.5 ? 0.0 : p < 0.5 ? -1.644854 : 1.644854;
            const double expected = row.m * std::pow(1.0 + row.l * row.s * z, 1.0 / row.l);
            const double error = std::sqrt(p * (1.0 - p) / double(sample.size())) / density(z) *
                                 expected * row.s / (1.0 + row.l * row.s * z);
            CAPTURE(row.age);
            CAPTURE(p);
            CHECK(std::abs(quantile_of(sample, p) - expected) < 4.0 * error + 0.002 * expected);
        }
    }
}
