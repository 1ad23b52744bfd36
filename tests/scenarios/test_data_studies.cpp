#include "study_runs.hpp"

#include <gemel/scenarios/export.hpp>
#include <gemel/scenarios/plan.hpp>
#include <gemel/sim/solver.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <sstream>

using namespace gemel;
using namespace gemel::tests;

namespace {

/// A study's samples, read back.
struct Samples {
    std::vector<double> subject, time;
    std::vector<std::string> ids;
    std::vector<double> predicted;

    std::size_t size() const { return time.size(); }
};

Samples samples_in(const std::filesystem::path& file, const std::string& output) {
    const io::ResultReader results(file);
    const std::uint64_t n = results.axis_size("sample");
    return {results.reals("samples/subject", -1, 0, n),
            results.reals("samples/time", -1, 0, n),
            results.texts("samples/ID", -1, 0, n),
            results.reals("samples/predicted/" + output, 0, 0, n)};
}

/// A model and data of one's own, with a study that names them.
class OwnStudy {
public:
    OwnStudy(const std::string& data, const std::string& rule) {
        write("model.toml", R"(gemel = "model/1"
[model]
name   = "bolus with a clearance that follows a covariate"
source = "test"
time   = "h"
equations = '''
d/dt(central) = -CL / V * central
Cp = central / V
'''
[routes.iv]
into = "central"
default = true
[parameters]
CL = { value = 1, unit = "L/h", scale = "CRCL / 100[mL/min]" }
V  = { value = 10, unit = "L" }
[covariates]
CRCL = { unit = "mL/min" }
[states]
central = { unit = "mg" }
[outputs]
Cp = { unit = "mg/L" }
)");
        write("data.csv", data);
        write("study.toml", R"(gemel = "study/1"
[study]
model = "model.toml"
seed  = 1
[data]
file = "data.csv"
covariates = ")" + rule + R"("
[data.columns]
TIME = { unit = "h" }
AMT  = { unit = "mg" }
CRCL = { unit = "mL/min" }
)");
    }

    scenarios::Study load(std::vector<std::string> overrides = {}) const {
        return scenarios::load_study(
            folder_ / "study.toml", source_library(), {std::move(overrides), std::nullopt});
    }

    Samples run(std::vector<std::string> overrides = {}) const {
        tests::run(load(std::move(overrides)), results());
        return samples_in(results(), "Cp");
    }

    std::filesystem::path results() const { return folder_ / "study.h5"; }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name) << text;
    }

private:
    TemporaryFolder folder_;
};

const char* const changing = "ID,TIME,EVID,AMT,CRCL\n"
                             "1,0,1,100,100\n"
                             "1,1,0,.,100\n"
                             "1,3,0,.,50\n"
                             "1,5,0,.,200\n";

/// V 10 L and CL 1 L/h at 100 mL/min, with another line of equations and scale of V.
std::string model_with(const std::string& equation, const std::string& scale) {
    return R"(gemel = "model/1"
[model]
name   = "a covariate that acts at once"
source = "test"
time   = "h"
equations = '''
d/dt(central) = -CL / V * central
)" + equation +
           R"(
Cp = central / V
'''
[routes.iv]
into = "central"
default = true
[parameters]
CL = { value = 1, unit = "L/h" }
V  = { value = 10, unit = "L" )" +
           scale + R"( }
[covariates]
CRCL = { unit = "mL/min" }
[states]
central = { unit = "mg" }
[outputs]
Cp = { unit = "mg/L" }
)";
}

double decay(double rate_times_time) {
    return 10.0 * std::exp(-rate_times_time);
}

} // namespace

TEST_CASE("a data file of 26 dosing situations gets NONMEM's answers from every solver") {
    const TemporaryFolder folder;
    const std::size_t n_expected = 3406;
    for (const sim::Solver& solver : sim::solvers()) {
        if (std::string_view(solver.name).ends_with("-split")) continue; // nothing drives anything
        CAPTURE(solver.name);
        const scenarios::Study study =
            load("nonmem_events.toml", {"study.solver=" + std::string(solver.name)});
        run(study, folder / "nonmem.h5");
        const Samples samples = samples_in(folder / "nonmem.h5", "CP");
        const std::vector<std::string> printed =
            io::ResultReader(folder / "nonmem.h5")
                .texts("samples/carried/NONMEM_CP", -1, 0, n_expected);
        REQUIRE(samples.size() == n_expected);
        for (std::size_t i = 0; i < n_expected; ++i) {
            CAPTURE(samples.ids[i]);
            CAPTURE(samples.time[i]);
            // NONMEM's five digits
            CHECK(samples.predicted[i] == doctest::Approx(std::stod(printed[i])).epsilon(1e-4));
        }
    }
}

TEST_CASE("59 neonates receive their own histories of phenobarbital") {
    // Superposition of every dose's exponential, with the parameters the file has.
    const TemporaryFolder folder;
    const scenarios::Study study = load("phenobarbital_data.toml");
    run(study, folder / "phenobarbital.h5");
    const Samples samples = samples_in(folder / "phenobarbital.h5", "Cp");
    const io::ResultReader results(folder / "phenobarbital.h5");
    const std::vector<double> cl = results.reals("parameters/CL", -1, 0, 59),
                              v = results.reals("parameters/V", -1, 0, 59);
    REQUIRE(samples.size() == 155);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const auto s = static_cast<std::size_t>(samples.subject[i]) - 1;
        double expected = 0.0;
        for (const sim::Record& dose : study.population.data->timelines[s].records)
            if (dose.time <= samples.time[i])
                expected +=
                    dose.amount / v[s] * std::exp(-cl[s] / v[s] * (samples.time[i] - dose.time));
        CHECK(samples.predicted[i] == doctest::Approx(expected).epsilon(1e-12));
    }
}

TEST_CASE("theophylline runs straight from its file") {
    // Bateman's function with each subject's dose and parameters.
    const TemporaryFolder folder;
    const scenarios::Study study = load("theophylline_data.toml");
    run(study, folder / "theophylline.h5");
    const Samples samples = samples_in(folder / "theophylline.h5", "Cp");
    const io::ResultReader results(folder / "theophylline.h5");
    const auto parameter = [&](const char* name) {
        return results.reals(std::string("parameters/") + name, -1, 0, 12);
    };
    const std::vector<double> ka = parameter("ka"), cl = parameter("CL"), v = parameter("V");
    REQUIRE(samples.size() == 132);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const auto s = static_cast<std::size_t>(samples.subject[i]) - 1;
        const double dose = study.population.data->timelines[s].records[0].amount;
        const double k = cl[s] / v[s], t = samples.time[i];
        const double expected =
            dose * ka[s] / (v[s] * (ka[s] - k)) * (std::exp(-k * t) - std::exp(-ka[s] * t));
        CHECK(samples.predicted[i] == doctest::Approx(expected).epsilon(1e-10));
    }
}

TEST_CASE("a covariate in time is carried forward or backward, as the study says") {
    // Clearance 1 L/h at 100 mL/min, V 10 L: Cp = 10·exp(−0.1·∫CRCL/100 dt), piece by piece.
    const double forward[] = {0.1 * 1, 0.1 * (1 + 2), 0.1 * (1 + 2 + 2 * 0.5)};
    const double backward[] = {0.1 * 1, 0.1 * (1 + 2 * 0.5), 0.1 * (1 + 2 * 0.5 + 2 * 2)};
    for (const char* solver : {"exact-closed-form", "rodas5p", "tsit5", "cvode", "odeint-dopri5"}) {
        CAPTURE(solver);
        const std::vector<std::string> overrides{std::string("study.solver=") + solver,
                                                 "study.rtol=1e-9"};
        const Samples locf = OwnStudy(changing, "locf").run(overrides);
        const Samples nocb = OwnStudy(changing, "nocb").run(overrides);
        REQUIRE(locf.size() == 3);
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(locf.predicted[i] == doctest::Approx(decay(forward[i])).epsilon(1e-8));
            CHECK(nocb.predicted[i] == doctest::Approx(decay(backward[i])).epsilon(1e-8));
        }
    }
}

TEST_CASE("doses and observations at one time see the covariates of their own rows") {
    // Bioavailability CRCL/100 of the dose's row, V 10 L · CRCL/100 of the observation's, by any
    // rule: closed form of one compartment.
    const std::string header = "ID,TIME,EVID,AMT,CRCL\n";
    const std::string after = header + "1,0,1,100,100\n1,0,0,.,50\n1,1,0,.,50\n";
    const std::string before = header + "1,0,0,.,50\n1,0,1,100,100\n1,1,0,.,100\n";
    const std::string f = model_with("F(central) = CRCL / 100[mL/min]", "");
    const std::string v = model_with("", ", scale = \"CRCL / 100[mL/min]\"");
    for (const std::string rule : {"locf", "nocb", "linear"})
        for (const char* solver : {"auto", "rodas5p", "cvode"}) {
            CAPTURE(rule);
            CAPTURE(solver);
            const auto predicted = [&](const std::string& data, const std::string& model) {
                const OwnStudy study(data, rule);
                study.write("model.toml", model);
                const Samples samples =
                    study.run({std::string("study.solver=") + solver, "study.rtol=1e-9"});
                REQUIRE(samples.size() == 2);
                return samples.predicted;
            };
            const std::vector<double> dosed = predicted(after, f), measured = predicted(after, v);
            CHECK(dosed[0] == doctest::Approx(10.0).epsilon(1e-8));
            CHECK(dosed[1] == doctest::Approx(decay(0.1)).epsilon(1e-8));
            CHECK(measured[0] == doctest::Approx(20.0).epsilon(1e-8));
            CHECK(measured[1] == doctest::Approx(2.0 * decay(0.2)).epsilon(1e-8));
            const std::vector<double> dosed_after = predicted(before, f);
            CHECK(dosed_after[0] == 0.0);
            CHECK(dosed_after[1] == doctest::Approx(decay(0.1)).epsilon(1e-8));
        }
}

TEST_CASE("doses at one time have each its own bioavailability and lag") {
    // Two portions at time 0: 100·1 at once, 100·0.5 after 2 h; CL 1 L/h whatever CRCL, V 10 L.
    const std::string data = "ID,TIME,EVID,AMT,CRCL\n1,0,1,100,100\n1,0,1,100,50\n"
                             "1,1,0,.,50\n1,3,0,.,50\n";
    for (const std::string rule : {"locf", "nocb", "linear"}) {
        CAPTURE(rule);
        const OwnStudy study(data, rule);
        study.write("model.toml",
                    model_with("F(central) = CRCL / 100[mL/min]\n"
                               "lag(central) = (2 - CRCL / 50[mL/min]) * 2[h]",
                               ""));
        const Samples samples = study.run({"study.rtol=1e-9"});
        REQUIRE(samples.size() == 2);
        CHECK(samples.predicted[0] == doctest::Approx(decay(0.1)).epsilon(1e-8));
        CHECK(samples.predicted[1] == doctest::Approx(decay(0.3) + 0.5 * decay(0.1)).epsilon(1e-8));
    }
}

TEST_CASE("each subject begins at its own first row, whatever the others do") {
    // Cp' = −0.1·Cp from 100/10 L: the same at one hour after each one's first row.
    const std::string data = "ID,TIME,EVID,AMT,CRCL\n1,-24,0,.,100\n1,-23,0,.,100\n"
                             "2,0,0,.,100\n2,1,0,.,100\n3,5,0,.,100\n3,6,0,.,100\n";
    const OwnStudy study(data, "locf");
    study.write("model.toml", model_with("central(0) = CRCL * 1[mg*min/mL]", ""));
    const Samples samples = study.run({"study.rtol=1e-9"});
    REQUIRE(samples.size() == 6);
    for (std::size_t s = 0; s < 3; ++s) {
        CHECK(samples.predicted[2 * s] == doctest::Approx(10.0));
        CHECK(samples.predicted[2 * s + 1] == doctest::Approx(decay(0.1)).epsilon(1e-8));
    }
}

TEST_CASE("the last observation before time begins anew sees the covariates of its own period") {
    // V 10 L, then 5 L; CL 1 L/h: 10·exp(−0.1·10), then 20 and 20·exp(−0.2·5), by any rule.
    const std::string data = "ID,TIME,EVID,AMT,CRCL\n1,0.7,1,100,100\n1,10.7,0,.,100\n"
                             "1,0.1,4,100,50\n1,0.1,0,.,50\n1,5.1,0,.,50\n";
    for (const std::string rule : {"locf", "nocb", "linear"}) {
        CAPTURE(rule);
        const OwnStudy study(data, rule);
        study.write("model.toml", model_with("", ", scale = \"CRCL / 100[mL/min]\""));
        const Samples samples = study.run({"study.rtol=1e-9"}); // lines are solved in steps
        REQUIRE(samples.size() == 3);
        CHECK(samples.time[1] == samples.time[0]);
        CHECK(samples.predicted[0] == doctest::Approx(decay(1.0)).epsilon(1e-8));
        CHECK(samples.predicted[1] == doctest::Approx(20.0).epsilon(1e-8));
        CHECK(samples.predicted[2] == doctest::Approx(2.0 * decay(1.0)).epsilon(1e-8));
    }
}

TEST_CASE("a dose that a lag holds back does not come into a new period") {
    // Given at 10 h with a lag of 1 h; the next period begins there. Nothing is given in it.
    const OwnStudy study("ID,TIME,EVID,AMT,CRCL\n1,0,1,100,100\n1,10,1,100,100\n"
                         "1,10,0,.,100\n1,0,3,.,100\n1,2,0,.,100\n",
                         "locf");
    study.write("model.toml", model_with("lag(central) = CRCL / 100[mL/min] * 1[h]", ""));
    const Samples samples = study.run();
    REQUIRE(samples.size() == 2);
    CHECK(samples.predicted[0] == doctest::Approx(decay(0.9)).epsilon(1e-12));
    CHECK(samples.predicted[1] == 0.0);
}

TEST_CASE("what is drawn for a subject goes by its ID, wherever it stands in the file") {
    const std::string one = "7,0,1,100,100\n7,2,0,.,100\n", other = "3,0,1,50,80\n3,2,0,.,80\n";
    const std::string header = "ID,TIME,EVID,AMT,CRCL\n";
    const auto with_variability = [](const OwnStudy& study) {
        return study.run({"study.solver=exact-closed-form"});
    };
    const Samples ab = with_variability(OwnStudy(header + one + other, "locf"));
    const Samples ba = with_variability(OwnStudy(header + other + one, "locf"));
    CHECK(ab.ids == std::vector<std::string>{"7", "3"});
    CHECK(ba.ids == std::vector<std::string>{"3", "7"});
    CHECK(ab.predicted[0] == ba.predicted[1]);
    CHECK(ab.predicted[1] == ba.predicted[0]);
}

TEST_CASE("an observation before the dose of its time sees the state before, one after it the "
          "state after") {
    const Samples samples = OwnStudy("ID,TIME,EVID,AMT,CRCL\n"
                                     "1,-2,1,100,100\n"
                                     "1,8,0,.,100\n"
                                     "1,8,1,100,100\n"
                                     "1,8,0,.,100\n",
                                     "locf")
                                .run();
    REQUIRE(samples.size() == 2);
    CHECK(samples.predicted[0] == doctest::Approx(10.0 * std::exp(-1.0)).epsilon(1e-12));
    CHECK(samples.predicted[1] == doctest::Approx(10.0 * (1.0 + std::exp(-1.0))).epsilon(1e-12));
}

TEST_CASE("a study that ends before its data is a mistake") {
    try {
        OwnStudy(changing, "locf").run({"study.duration=4 h"});
        FAIL("it ran");
    } catch (const sim::InputError& error) {
        CHECK(std::string(error.what()).find("the data go on until 5 h, after the study's end") !=
              std::string::npos);
    }
}

TEST_CASE("a file whose times end before 0 runs, and is told how long") {
    // Cp = 10·exp(−0.1·t) from the dose on.
    const OwnStudy study("ID,TIME,EVID,AMT,CRCL\n1,-24,1,100,100\n1,-20,0,.,100\n1,0,0,.,100\n",
                         "locf");
    const Samples samples = study.run();
    REQUIRE(samples.size() == 2);
    CHECK(samples.predicted[0] == doctest::Approx(10.0 * std::exp(-0.4)).epsilon(1e-12));
    CHECK(samples.predicted[1] == doctest::Approx(10.0 * std::exp(-2.4)).epsilon(1e-12));
    const std::vector<std::string> notes = scenarios::notes_on(study.load());
    REQUIRE_FALSE(notes.empty());
    CHECK(notes.back() == "the last time of the file is 0 h; the study goes on until 1 h");
    const Samples earlier =
        OwnStudy("ID,TIME,EVID,AMT,CRCL\n1,-24,1,100,100\n1,-20,0,.,100\n", "locf").run();
    CHECK(earlier.predicted.at(0) == samples.predicted[0]);
}

TEST_CASE("samples have the file's own time where a reset lets it begin anew") {
    const OwnStudy study("ID,TIME,EVID,AMT,CRCL\n1,0,1,100,100\n1,20,0,.,100\n1,0,4,50,100\n"
                         "1,3,0,.,100\n2,0,1,100,100\n2,4,0,.,100\n",
                         "locf");
    study.run();
    const io::ResultReader results(study.results());
    CHECK(results.reals("samples/time", -1, 0, 3) == std::vector<double>{20.0, 23.0, 4.0});
    CHECK(results.reals("samples/file_time", -1, 0, 3) == std::vector<double>{20.0, 3.0, 4.0});
    std::ostringstream csv;
    scenarios::export_csv(study.results(), scenarios::ExportWhat::samples, csv);
    CHECK(csv.str().starts_with("arm,subject,ID,time [h],file_time [h],line,"));
}

TEST_CASE("a covariate that neither file nor population gives is told at the file's header") {
    const OwnStudy study("ID,TIME,EVID,AMT\n1,0,1,100\n1,1,0,.\n", "locf");
    study.write("study.toml",
                "gemel = \"study/1\"\n[study]\nmodel = \"model.toml\"\nseed = 1\n[data]\n"
                "file = \"data.csv\"\n[data.columns]\nTIME = { unit = \"h\" }\n"
                "AMT = { unit = \"mg\" }\n");
    std::string told;
    try {
        study.run();
    } catch (const sim::InputError& error) {
        told = error.what();
    }
    CHECK(told.find("data.csv:1:1: error: the model model needs the covariate CRCL, which neither "
                    "this file nor the study's [population] gives") != std::string::npos);
    CHECK(told.find("CRCL = { column = \"…\", unit = \"mL/min\" } in [data.columns]") !=
          std::string::npos);
}

TEST_CASE("samples are exported beside the rows of the file they belong to") {
    const TemporaryFolder folder;
    run(load("theophylline_data.toml"), folder / "t.h5");
    std::ostringstream csv;
    scenarios::export_csv(folder / "t.h5", scenarios::ExportWhat::samples, csv);
    std::istringstream lines(csv.str());
    std::string header, first;
    std::getline(lines, header);
    std::getline(lines, first);
    CHECK(header == "arm,subject,ID,time [h],line,output,DV [mg/L],CENS,limit [mg/L],DOSEPKG,"
                    "measured [mg/L],Cp [mg/L]");
    CHECK(first.starts_with("data,1,1,0,3,Cp,0.74,0,,4.02,"));
}

TEST_CASE("carried columns whose names become one are kept all") {
    const OwnStudy study("ID,TIME,EVID,AMT,CRCL,A B,A_B\n"
                         "1,0,1,100,100,x,y\n"
                         "1,1,0,.,100,first,second\n",
                         "locf");
    study.run();
    const io::ResultReader results(study.results());
    CHECK(results.texts("samples/carried/A_B", -1, 0, 1) == std::vector<std::string>{"first"});
    CHECK(results.texts("samples/carried/A_B_2", -1, 0, 1) == std::vector<std::string>{"second"});
}

TEST_CASE("a covariate along straight lines is followed between its rows") {
    // Clearance goes as CRCL: Cp = 10·exp(−0.1·∫CRCL/100 dt) with trapezoids between the rows.
    const double areas[] = {1.0, 1.0 + 1.5, 1.0 + 1.5 + 2.5};
    for (const char* solver : {"auto", "rodas5p", "tsit5", "cvode", "odeint-dopri5"}) {
        CAPTURE(solver);
        const Samples linear = OwnStudy(changing, "linear")
                                   .run({std::string("study.solver=") + solver, "study.rtol=1e-9"});
        REQUIRE(linear.size() == 3);
        for (std::size_t i = 0; i < 3; ++i)
            CHECK(linear.predicted[i] == doctest::Approx(decay(0.1 * areas[i])).epsilon(1e-8));
    }
}

TEST_CASE("a compartment that is switched off is empty until a dose or a record switches it on") {
    // V 10 L, CL 1 L/h: exponentials from each dose; an infusion ends with its compartment.
    const OwnStudy study("ID,TIME,EVID,AMT,CMT,RATE,CRCL\n"
                         "1,0,1,100,1,0,100\n"
                         "1,1,2,.,-1,.,100\n"
                         "1,2,0,.,1,.,100\n"
                         "1,3,1,100,1,0,100\n"
                         "1,4,0,.,1,.,100\n"
                         "1,5,1,100,1,10,100\n"
                         "1,7,2,.,-1,.,100\n"
                         "1,8,2,.,1,.,100\n"
                         "1,9,0,.,1,.,100\n"
                         "1,20,0,.,1,.,100\n",
                         "locf");
    for (const char* solver : {"auto", "rodas5p", "tsit5", "cvode", "odeint-dopri5"}) {
        CAPTURE(solver);
        const Samples samples =
            study.run({std::string("study.solver=") + solver, "study.rtol=1e-9"});
        std::map<double, double> at;
        for (std::size_t i = 0; i < samples.size(); ++i)
            at[samples.time[i]] = samples.predicted[i];
        CHECK(at[2.0] == 0.0);
        CHECK(at[4.0] == doctest::Approx(10.0 * std::exp(-0.1)).epsilon(1e-8));
        CHECK(at[9.0] == 0.0);
        CHECK(at[20.0] == 0.0);
    }
}
