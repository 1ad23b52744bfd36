#include "study_runs.hpp"

#include <doctest/doctest.h>

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

} // namespace gemel::tests
