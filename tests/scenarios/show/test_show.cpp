#include "../study_runs.hpp"

#include <gemel/scenarios/show.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace gemel::tests {

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string
shown(const std::filesystem::path& file, scenarios::ShowWhat what, std::string by = {}) {
    scenarios::ShowOptions options;
    options.what = what;
    options.by = std::move(by);
    options.is_plain = true;
    options.width = 80;
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
    const std::string text = shown(folder / "x.h5", scenarios::ShowWhat::curves);
    CHECK(has(text, "median and 5–95 % of subjects"));
    CHECK(has(text, "time [h]"));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const auto n = std::count_if(
            line.begin(), line.end(), [](unsigned char c) { return (c & 0xC0U) != 0x80U; });
        CHECK(n <= 80);
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

TEST_CASE("show needs no subjects") {
    const TemporaryFolder folder;
    run(load("genotypes.toml", {"save.subjects=none"}), folder / "x.h5");
    const std::string text = shown(folder / "x.h5", scenarios::ShowWhat::all);
    CHECK(has(text, "median [range of quantiles]"));
    CHECK(has(text, "median and 5–95 % of subjects"));
}

} // namespace gemel::tests
