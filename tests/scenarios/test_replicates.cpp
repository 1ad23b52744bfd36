#include "study_runs.hpp"

#include <gemel/scenarios/export.hpp>
#include <gemel/scenarios/plan.hpp>
#include <gemel/scenarios/show.hpp>
#include <gemel/sim/random.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

/// Studies that are repeated, with uncertainty of what they are drawn by.
namespace gemel::tests {

namespace {

std::vector<std::string> with(std::vector<std::string> more) {
    more.insert(more.begin(), "study.replicates=4");
    return more;
}

std::string first_lines(const std::string& text, std::size_t n) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < n; ++i)
        at = text.find('\n', at) + 1;
    return text.substr(0, at);
}

std::string mistakes_of_replicates(std::vector<std::string> overrides) {
    try {
        load("samples.toml", std::move(overrides));
        return {};
    } catch (const sim::InputError& error) {
        return error.diagnostics().render();
    }
}

} // namespace

TEST_CASE("the first replicate is the study itself, the others have other patients") {
    const TemporaryFolder folder;
    run(load("samples.toml"), folder / "one.h5");
    run(load("samples.toml", with({})), folder / "four.h5", 2);
    const io::ResultReader one(folder / "one.h5");
    io::ResultReader four(folder / "four.h5");
    CHECK(one.n_replicates() == 0);
    CHECK(four.n_replicates() == 4);
    for (const io::Variable& variable : one.variables()) {
        if (variable.type == io::ValueType::text) continue;
        CAPTURE(variable.path);
        const bool has_arm = !variable.axes.empty() && variable.axes[0] == "arm";
        if (!has_arm) continue;
        CHECK(four.arm_digest(variable.path, 1) == one.arm_digest(variable.path, 1));
    }
    const auto first = four.reals("parameters/CL", -1, 0, 700);
    CHECK(first == one.reals("parameters/CL", -1, 0, 700));
    four.select_replicate(1);
    CHECK(four.reals("parameters/CL", -1, 0, 700) != first);
}

TEST_CASE("replicates do not depend on threads, and a later one moves none before it") {
    const TemporaryFolder folder;
    const std::vector<std::string> uncertain = with({"uncertainty.rse={ IC50 = 0.2 }"});
    const auto a = run(load("samples.toml", uncertain), folder / "a.h5", 1);
    const auto b = run(load("samples.toml", uncertain), folder / "b.h5", 3, 8);
    CHECK(a.results_sha256 == b.results_sha256);
    std::vector<std::string> more = uncertain;
    more.push_back("study.replicates=6");
    run(load("samples.toml", more), folder / "c.h5");
    io::ResultReader four(folder / "a.h5"), six(folder / "c.h5");
    for (std::size_t r = 0; r < 4; ++r) {
        four.select_replicate(r);
        six.select_replicate(r);
        for (const char* path : {"samples/Cp", "samples/R", "outcomes/Rmin", "endpoints/lowest"})
            CHECK(four.arm_digest(path, 0) == six.arm_digest(path, 0));
    }
}

TEST_CASE("a replicate's patients have its typical values") {
    // Oracle: without variability an individual parameter is the typical value itself.
    const TemporaryFolder folder;
    const auto study =
        load("samples.toml",
             with({"population.variability=none", "uncertainty.rse={ V = 0.1, kin = 0.05 }"}));
    run(study, folder / "x.h5");
    io::ResultReader file(folder / "x.h5");
    std::vector<double> seen;
    for (std::size_t r = 0; r < 4; ++r) {
        file.select_replicate(r);
        const double typical = file.reals("uncertainty/V", -1, 0, 1).front();
        seen.push_back(typical);
        for (double v : file.reals("parameters/V", -1, 0, 700))
            CHECK(v == typical);
        for (double kout : file.reals("parameters/kout", -1, 0, 1))
            CHECK(kout == 0.05);
    }
    std::sort(seen.begin(), seen.end());
    CHECK(std::unique(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("a replicate's patients and measurements vary by what the results say of it") {
    // Oracle: the sd of logarithms of 700 patients, four standard errors; measurements recomputed.
    const TemporaryFolder folder;
    const std::vector<std::string> uncertain =
        with({"study.replicates=6",
              "uncertainty.rse={ iiv.CL.sd = 0.5, error.R.sd = 0.5, error.Cp.additive = 0.3, "
              "mixture.GROUP.slow = 0.4 }",
              "uncertainty.omega=[ { of = [\"ka\"], df = 8 } ]"});
    const auto one = run(load("samples.toml", uncertain), folder / "x.h5", 1);
    const auto more = run(load("samples.toml", uncertain), folder / "y.h5", 3, 8);
    CHECK(one.results_sha256 == more.results_sha256);
    io::ResultReader file(folder / "x.h5");
    std::vector<double> sds;
    for (std::size_t r = 0; r < 6; ++r) {
        file.select_replicate(r);
        const auto number = [&](const char* name) {
            return file.reals(fmt::format("uncertainty/{}", name), -1, 0, 1).front();
        };
        sds.push_back(number("iiv.CL.sd"));
        const auto cl = file.reals("parameters/CL", -1, 0, 700),
                   ka = file.reals("parameters/ka", -1, 0, 700),
                   group = file.reals("covariates/GROUP", -1, 0, 700);
        double sum = 0.0, sum_ka = 0.0;
        for (std::size_t s = 0; s < 700; ++s) {
            sum += std::pow(std::log(cl[s] / (group[s] == 0.0 ? 2.5 : 5.0)), 2.0);
            sum_ka += std::pow(std::log(ka[s]), 2.0);
        }
        const double error = 4.0 / std::sqrt(2.0 * 700.0);
        CHECK(std::abs(std::sqrt(sum / 700.0) / sds.back() - 1.0) < error);
        CHECK(std::abs(std::sqrt(sum_ka / 700.0 / number("iiv.ka.var")) - 1.0) < error);
        const double slow = number("mixture.GROUP.slow");
        const auto n_slow = static_cast<double>(std::ranges::count(group, 0.0));
        CHECK(std::abs(n_slow / 700.0 - slow) < 4.0 * std::sqrt(slow * (1.0 - slow) / 700.0));
        const auto value = file.reals("samples/R_value", 0, 0, 700),
                   measured = file.reals("samples/R", 0, 0, 700);
        const auto score = [&](std::uint64_t s) { // at 0 h R is measured alone
            return sim::RandomStream({3, static_cast<std::uint32_t>(r), s},
                                     sim::purpose_number("residual/R"))
                .normal();
        };
        for (std::size_t s = 0; s < 700; s += 100)
            CHECK(measured[4 * s] ==
                  doctest::Approx(value[4 * s] * std::exp(number("error.R.sd") * score(s)))
                      .epsilon(1e-13));
    }
    std::sort(sds.begin(), sds.end());
    CHECK(sds.back() > 1.3 * sds.front());
}

TEST_CASE("reports, plans, tables and displays speak of all replicates") {
    const TemporaryFolder folder;
    const auto study = load("samples.toml", with({}));
    const auto report = run(study, folder / "x.h5");
    CHECK(report.run.n_solves == 4 * 2 * 700);
    const std::string text = scenarios::render(report, study);
    CHECK(text.find("first of 4 replicates") != std::string::npos);
    CHECK(text.find("lowest, arm once, GROUP slow: ") != std::string::npos);
    CHECK(text.find(" over 4 replicates") != std::string::npos);
    CHECK(scenarios::describe_plan(study).find("solves    5,600") != std::string::npos);
    std::ostringstream out;
    scenarios::export_csv(folder / "x.h5", scenarios::ExportWhat::endpoints, out);
    const std::string endpoints = out.str();
    // By hand: 4 replicates × 2 arms × 2 sub-populations, and the header.
    CHECK(std::count(endpoints.begin(), endpoints.end(), '\n') == 1 + 4 * 2 * 2);
    CHECK(first_lines(endpoints, 1).starts_with("replicate,endpoint,unit,arm"));
    CHECK(endpoints.find("\n4,lowest,") != std::string::npos);
    const std::string shown = scenarios::show(folder / "x.h5", {});
    CHECK(shown.find("4 replicates") != std::string::npos);
    CHECK(shown.find("lowest, arm twice, GROUP fast: ") != std::string::npos);
}

TEST_CASE("mistakes of replicates are told") {
    CHECK(mistakes_of_replicates({"uncertainty.rse={ V = 0.1 }"})
              .find("write for example replicates = 200") != std::string::npos);
    CHECK(mistakes_of_replicates({"study.replicates=70000"}).find("replicates") !=
          std::string::npos);
    CHECK(mistakes_of_replicates({"study.replicates=0"}).find("replicates") != std::string::npos);
    CHECK(
        mistakes_of_replicates(with({"uncertainty.rse={ W = 0.1 }"})).find("'W' is no parameter") !=
        std::string::npos);
    CHECK(mistakes_of_replicates(with({"uncertainty.rse={ mixture.GROUP.slow = 0.1 }",
                                       "population.covariates.GROUP=slow"}))
              .find("mixture.GROUP.slow is not used") != std::string::npos);
}

} // namespace gemel::tests
