#include "../study_runs.hpp"
#include "../weighted_study.hpp"

#include <gemel/scenarios/show.hpp>
#include <gemel/scenarios/text_table.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace gemel::tests {

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string shown(const std::filesystem::path& file,
                  scenarios::ShowWhat what,
                  std::string by = {},
                  std::size_t width = 80) {
    scenarios::ShowOptions options;
    options.what = what;
    options.by = std::move(by);
    options.is_plain = true;
    options.width = width;
    return scenarios::show(file, options);
}

} // namespace

TEST_CASE("show prints endpoints with their intervals and outcomes with their quantiles") {
    // Oracle: the numbers of the file, by the same rounding.
    const TemporaryFolder folder;
    run(load("attainment.toml"), folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    const auto endpoint = [&](const std::string& name) {
        return file.reals("endpoints/" + name, 0, 0, 1).front();
    };
    const std::string endpoints = shown(folder / "x.h5", scenarios::ShowWhat::endpoints);
    CHECK(has(endpoints,
              fmt::format("{:.1f} % [{:.1f} % – {:.1f} %]",
                          100.0 * endpoint("attainment"),
                          100.0 * endpoint("attainment_lower"),
                          100.0 * endpoint("attainment_upper"))));
    CHECK(has(endpoints,
              fmt::format("{:.3g} ± {:.3g}", endpoint("exposure"), endpoint("exposure_mcse"))));
    CHECK(has(endpoints, "exposure by weight by WT"));
    CHECK(has(endpoints, "once  60 <= WT < 80 kg"));
    CHECK(!has(endpoints, "undefined")); // a stratum without subjects
    const std::string outcomes = shown(folder / "x.h5", scenarios::ShowWhat::outcomes);
    CHECK(has(outcomes, "AUC [mg.h/L]"));
    CHECK(has(outcomes, "3,000"));
    CHECK(has(outcomes, fmt::format("{:.1f} %", 100.0 * endpoint("attainment"))));
}

TEST_CASE("show plots curves as wide as asked") {
    const TemporaryFolder folder;
    run(load("genotypes.toml"), folder / "x.h5");
    for (const std::size_t width : {80, 160, 400}) {
        CAPTURE(width);
        const std::string text = shown(folder / "x.h5", scenarios::ShowWhat::curves, {}, width);
        CHECK(has(text, "median and 5–95 % of subjects\n"));
        CHECK(has(text, "time [h]"));
        std::istringstream lines(text);
        std::size_t longest = 0;
        for (std::string line; std::getline(lines, line);)
            longest = std::max(longest, scenarios::text_width(line));
        CHECK(longest == width);
    }
    const std::string all = shown(folder / "x.h5", scenarios::ShowWhat::all);
    CHECK(has(all, "sha256"));
    CHECK(has(all, io::ResultReader(folder / "x.h5").attribute("results_sha256")));
}

TEST_CASE("show splits outcomes by what the file has, and tells what that is") {
    const TemporaryFolder folder;
    run(load("genotypes.toml"), folder / "x.h5");
    const std::string text =
        shown(folder / "x.h5", scenarios::ShowWhat::outcomes, "CYP2C9.diplotype");
    CHECK(has(text, "low  *1/*2"));
    CHECK_THROWS_WITH_AS(shown(folder / "x.h5", scenarios::ShowWhat::outcomes, "CYP2C9.phenotyp"),
                         "the file has no 'CYP2C9.phenotyp' to split by; did you mean "
                         "'CYP2C9.phenotype'?",
                         std::runtime_error);
}

TEST_CASE("show counts subjects by their weight, and says so") {
    // Oracle: the mean by plain sums; the curve's median of a run that summarises while it solves.
    const TemporaryFolder folder;
    run(load("weighted.toml"), folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    const PlainSums sums = plain_sums(file.reals("outcomes/AUC", 0, 0, n_weighted),
                                      file.reals("population/weight", -1, 0, n_weighted));
    double plain = 0.0;
    for (const double value : file.reals("outcomes/AUC", 0, 0, n_weighted))
        plain += value == value ? value / sums.n : 0.0;
    REQUIRE(scenarios::number_text(plain) != scenarios::number_text(sums.mean()));
    const std::string outcomes = shown(folder / "x.h5", scenarios::ShowWhat::outcomes);
    CHECK(has(outcomes, "Outcomes, subjects by their weight"));
    CHECK(has(outcomes, "   " + scenarios::number_text(sums.mean()) + "   "));
    const std::string curves = shown(folder / "x.h5", scenarios::ShowWhat::curves);
    CHECK(has(curves, "of subjects by weight\n"));
    scenarios::Study summarised = load("weighted.toml");
    summarised.saves[0].has_summary = true;
    run(summarised, folder / "y.h5");
    CHECK(shown(folder / "y.h5", scenarios::ShowWhat::curves) == curves);
}

TEST_CASE("show needs no subjects") {
    const TemporaryFolder folder;
    run(load("genotypes.toml", {"save.subjects=none"}), folder / "x.h5");
    const std::string text = shown(folder / "x.h5", scenarios::ShowWhat::all);
    CHECK(has(text, "median [range of quantiles]"));
    CHECK(has(text, "median and 5–95 % of subjects"));
}

} // namespace gemel::tests
