#include "study_runs.hpp"

#include <gemel/scenarios/plan.hpp>
#include <gemel/sim/diagnostic.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>

using namespace gemel;
using namespace gemel::tests;

namespace {

/// A bolus of 100 mg into 10 L, and what is made of it; CL 1 L/h where nothing is drawn.
class BolusStudy {
public:
    explicit BolusStudy(const std::string& rows) {
        std::filesystem::copy(source_folder() / "tests/data/occasions_model.toml",
                              folder_ / "model.toml");
        write_text(folder_ / "data.csv", rows);
    }

    /// @param words  of [data]
    /// @param unit   of DV
    /// @param rest   further tables
    void write(const std::string& words,
               const std::string& unit = "mg/L",
               const std::string& rest = "") const {
        write_text(folder_ / "study.toml",
                   "gemel = \"study/1\"\n[study]\nmodel = \"model.toml\"\nseed = 1\n[data]\nfile = "
                   "\"data.csv\"\n" +
                       words +
                       "[data.columns]\nTIME = { unit = \"h\" }\nAMT = { unit = \"mg\" }\nDV = { "
                       "output = \"Cp\", unit = \"" +
                       unit + "\" }\n" + rest);
    }

    scenarios::Study load() const {
        return scenarios::load_study(folder_ / "study.toml", source_library());
    }

    std::string messages() const {
        try {
            load();
        } catch (const sim::InputError& error) {
            return error.what();
        }
        return {};
    }

    std::filesystem::path run(const scenarios::Study& study) const {
        tests::run(study, folder_ / "study.h5");
        return folder_ / "study.h5";
    }

private:
    TemporaryFolder folder_;
};

bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::vector<double> predicted(const std::filesystem::path& file, int arm, const char* output) {
    const io::ResultReader results(file);
    return results.reals(
        std::string("samples/predicted/") + output, arm, 0, results.axis_size("sample"));
}

} // namespace

TEST_CASE("occasions of a data file have clearances of their own") {
    // Cp = 10·exp(−∫CL/V dt) with each occasion's clearance, piece by piece.
    const BolusStudy study("ID,TIME,AMT,DV,OCC\n"
                           "1,0,100,.,1\n1,1,.,9,1\n1,10,.,4,2\n1,12,.,3,2\n1,15,.,2,1\n");
    study.write("occasion = \"OCC\"\n");
    const scenarios::Study loaded = study.load();
    const std::vector<double> cp = predicted(study.run(loaded), 0, "Cp");
    REQUIRE(cp.size() == 4);
    const sim::SubjectRange one{0, 0, 1};
    const pkpd::CohortBlock drawn = loaded.population.draw(one);
    const std::vector<double> effects = loaded.population.draw_occasions(one, 2);
    const auto cl = static_cast<std::size_t>(loaded.model->find_parameter("CL"));
    const auto k = [&](std::size_t occasion) {
        return 0.1 * std::exp(drawn.etas[cl] + effects[cl * 2 + occasion]);
    };
    REQUIRE(k(0) != k(1));
    CHECK(cp[0] == doctest::Approx(10.0 * std::exp(-k(0) * 1.0)).epsilon(1e-12));
    CHECK(cp[1] == doctest::Approx(10.0 * std::exp(-k(0) * 10.0)).epsilon(1e-12));
    CHECK(cp[2] == doctest::Approx(10.0 * std::exp(-k(0) * 10.0 - k(1) * 2.0)).epsilon(1e-12));
    CHECK(cp[3] == doctest::Approx(10.0 * std::exp(-k(0) * 10.0 - k(1) * 5.0)).epsilon(1e-12));
    CHECK(says(scenarios::describe_plan(loaded), "column    OCC: occasion\n"));
    CHECK(says(scenarios::describe_plan(loaded), "occasions OCC: locf"));
}

TEST_CASE("a median a hundred times off what the model predicts stops a study") {
    // The values are those of the model, 10·exp(−0.1·t) mg/L, in whichever unit is said.
    const BolusStudy study("ID,TIME,AMT,DV\n1,0,100,.\n1,1,.,9.05\n1,5,.,6.07\n1,10,.,3.68\n");
    study.write("", "mg/L");
    CHECK(study.messages() == "");
    study.write("", "ug/L");
    const std::string small = study.messages();
    CHECK(says(small,
               "data.csv:1:13: error: the median of 3 values of Cp is 0.00607 mg/L, but the model "
               "predicts 6.07 mg/L for typical subjects in the same rows: 999 times more"));
    CHECK(says(small, "DV is read in ug/L, AMT in mg: a unit of DV 1000 times larger"));
    study.write("", "g/L");
    CHECK(says(study.messages(), "a unit of DV 1000 times smaller"));
    study.write("any_scale = true\n", "g/L");
    CHECK(study.messages() == "");
}

TEST_CASE("arms of one's own add their regimen to the doses of the file, or stand in their place") {
    const BolusStudy study("ID,TIME,AMT,DV\n1,0,100,.\n1,1,.,9.05\n1,5,.,6.07\n");
    const std::string arms = "[population]\nvariability = \"none\"\n[regimens.later]\ndoses = [ { "
                             "dose = \"50 mg\", at = \"2 h\" } ]\n[arms.later]\nregimen = "
                             "\"later\"\n";
    const auto cp = [](double amount, double since) {
        return amount / 10.0 * std::exp(-0.1 * since);
    };
    study.write("", "mg/L", arms);
    const std::vector<double> both = predicted(study.run(study.load()), 0, "Cp");
    CHECK(both[0] == doctest::Approx(cp(100, 1)).epsilon(1e-12));
    CHECK(both[1] == doctest::Approx(cp(100, 5) + cp(50, 3)).epsilon(1e-12));
    study.write("doses = \"ignore\"\n", "mg/L", arms);
    const scenarios::Study alone = study.load();
    const std::vector<double> only = predicted(study.run(alone), 0, "Cp");
    CHECK(only[0] == 0.0);
    CHECK(only[1] == doctest::Approx(cp(50, 3)).epsilon(1e-12));
    CHECK(says(scenarios::describe_plan(alone), "those of the file are left out"));
    // What was observed was observed under the file's doses: its scale is still looked at.
    study.write("doses = \"ignore\"\n", "g/L", arms);
    CHECK(says(study.messages(), "a unit of DV 1000 times smaller"));
    study.write("doses = \"ignore\"\n");
    CHECK(says(study.messages(), "no arm with doses of its own"));
}

TEST_CASE("subjects dosed by a file have no interval in common") {
    const BolusStudy study("ID,TIME,AMT,DV\n1,0,100,.\n1,1,.,9.05\n");
    study.write("", "mg/L", "[outcomes]\nAUC = \"auc(Cp, last_interval)\"\n");
    const std::string messages = study.messages();
    CHECK(says(messages,
               "subjects are dosed by the data file, each in its own way, so that 'data' "
               "has no last interval"));
    CHECK(says(messages, "write times, as in 24[h], 48[h]"));
    study.write("", "mg/L", "[outcomes]\nAUC = \"auc(Cp, 0[h], 1[h])\"\n");
    CHECK(study.messages() == "");
}

TEST_CASE("warfarin runs straight from its file, with two outputs") {
    const TemporaryFolder folder;
    const scenarios::Study study = load("warfarin_data.toml");
    const scenarios::StudyReport report = run(study, folder / "warfarin.h5");
    const io::ResultReader results(folder / "warfarin.h5");
    const std::uint64_t n = results.axis_size("sample");
    REQUIRE(n == 483); // 251 concentrations and 232 activities
    const auto column = [&](const char* name) {
        return results.reals(std::string("samples/") + name, -1, 0, n);
    };
    const std::vector<double> subject = column("subject"), time = column("time"),
                              output = column("output");
    const std::vector<double> cp = predicted(folder / "warfarin.h5", 0, "Cp");
    const auto parameter = [&](const char* name) {
        return results.reals(std::string("parameters/") + name, -1, 0, 32);
    };
    const std::vector<double> ka = parameter("ka"), cl = parameter("CL"), v = parameter("V");
    std::size_t n_concentrations = 0;
    for (std::size_t i = 0; i < n; ++i) {
        // Bateman's function with the subject's own dose and parameters, from the lag of 0.5 h on.
        const auto s = static_cast<std::size_t>(subject[i]) - 1;
        const double dose = study.data->subjects[s].records[0].amount, k = cl[s] / v[s];
        const double t = std::max(time[i] - 0.5, 0.0);
        const double expected =
            dose * ka[s] / (v[s] * (ka[s] - k)) * (std::exp(-k * t) - std::exp(-ka[s] * t));
        // Steps of 1e-6, and doses at the very time of an observation
        CHECK(cp[i] == doctest::Approx(expected).epsilon(1e-4).scale(1e-3));
        n_concentrations += output[i] == 0.0;
    }
    CHECK(n_concentrations == 251);
    // What `gemel check` says of the file: read by a person when written.
    const std::string text = scenarios::describe_plan(study);
    const auto golden = source_folder() / "tests/studies/warfarin_data.check";
    if (std::getenv("GEMEL_UPDATE_EXPECTED") != nullptr) write_text(golden, text);
    CHECK(text == read_text(golden));
    CHECK(report.n_failed == 0);
}
