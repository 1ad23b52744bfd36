#include "study_runs.hpp"

#include <gemel/scenarios/export.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace gemel::tests {

namespace {

std::vector<std::string> lines_of(const std::filesystem::path& file, scenarios::ExportWhat what) {
    std::ostringstream out;
    scenarios::export_csv(file, what, out);
    std::istringstream in(out.str());
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

} // namespace

TEST_CASE("exports are long tables with units in their headers") {
    // Counts by hand: 2 arms × (700 subjects × 49 times), 2 × 700, 700.
    using scenarios::ExportWhat;
    const TemporaryFolder folder;
    const auto file = folder / "x.h5";
    run(load("genotypes.toml"), file);
    const auto outputs = lines_of(file, ExportWhat::outputs);
    CHECK(outputs.size() == 1 + 2 * 700 * 49);
    CHECK(outputs[0] == "arm,subject,time [h],Cp [mg/L]");
    CHECK(outputs[1] == "low,1,0,0");
    const auto outcomes = lines_of(file, ExportWhat::outcomes);
    CHECK(outcomes.size() == 1 + 2 * 700);
    CHECK(outcomes[0].starts_with("arm,subject,AUC ["));
    const auto subjects = lines_of(file, ExportWhat::subjects);
    CHECK(subjects.size() == 1 + 700);
    CHECK(subjects[0] == "subject,WT [kg],CYP2C9,CYP2C9_activity,CYP2C9_phenotype,"
                         "CYP2C9_on_Vmax,CYP2C9_on_Vmax_basis");
    const auto parameters = lines_of(file, ExportWhat::parameters);
    CHECK(parameters.size() == 1 + 700);
    CHECK(parameters[0].starts_with("subject,"));
}

TEST_CASE("outputs on their own times or subjects follow in the same table") {
    const TemporaryFolder folder;
    const auto file = folder / "x.h5";
    run(load("loading_dose.toml"), file);
    // Counts by hand: Cp 31 times × 1000 subjects, Ap 3 times × 100 subjects, 2 arms.
    const auto outputs = lines_of(file, scenarios::ExportWhat::outputs);
    CHECK(outputs.size() == 1 + 2 * (31 * 1000 + 3 * 100));
}

TEST_CASE("endpoints are exported with what stands beside them, one row per arm and stratum") {
    // Counts by hand: 7 endpoints of 2 arms, one of 4 strata, one of 3.
    const TemporaryFolder folder;
    const auto file = folder / "x.h5";
    run(load("attainment.toml"), file);
    const auto lines = lines_of(file, scenarios::ExportWhat::endpoints);
    CHECK(lines.size() == 1 + 2 * (7 + 4 + 3));
    CHECK(lines[0] == "endpoint,unit,arm,by,stratum,value,mcse,lower,upper,n,n_missing");
    CHECK(lines[1].starts_with("attainment,1,once,,,0."));
    const io::ResultReader reader(file);
    const auto get = [&](const std::string& name) {
        return fmt::format("{}", reader.reals("endpoints/" + name, 1, 1, 1).front());
    };
    const std::string expected = "by_weight,mg.h/L,twice,WT,60 <= WT < 80 kg," + get("by_weight") +
                                 "," + get("by_weight_mcse") + ",,," + get("by_weight_n") + ",0";
    CHECK(std::find(lines.begin(), lines.end(), expected) != lines.end());
}

TEST_CASE("what is no result file is refused") {
    const TemporaryFolder folder;
    write_text(folder / "x.h5", "not HDF5");
    std::ostringstream out;
    CHECK_THROWS_AS(scenarios::export_csv(folder / "x.h5", scenarios::ExportWhat::outcomes, out),
                    std::runtime_error);
}

} // namespace gemel::tests
