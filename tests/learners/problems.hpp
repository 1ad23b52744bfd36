#pragma once

#include "pkpd/loaded.hpp"

#include <gemel/learners/fit.hpp>
#include <gemel/pkpd/data_file.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

/// Fits of the tests: models of published analyses on the data in tests/data.
namespace gemel::learners {

/// Every number that the model has and the data can tell of.
inline std::vector<FitNumber> all_numbers(const pkpd::Model& model, const pkpd::DataSet& data) {
    std::set<int> measured;
    for (const auto& subject : data.subjects)
        for (const auto& observation : subject.observations)
            if (observation.evid == 0 && observation.output >= 0)
                measured.insert(observation.output);
    std::vector<std::string> names;
    for (const auto& p : model.parameters)
        if (!p.is_computed) names.push_back(p.name);
    for (const auto& p : model.parameters)
        if (p.iiv && p.iiv->spread() > 0.0) names.push_back("iiv." + p.name + ".sd");
    for (const auto& p : model.parameters)
        if (p.iov && p.iov->spread() > 0.0) names.push_back("iov." + p.name + ".sd");
    for (const auto& block : model.omega)
        for (std::size_t i = 0; i < block.of.size(); ++i)
            for (std::size_t j = 0; j < i; ++j)
                names.push_back(std::string(block.level == pkpd::Level::subject ? "iiv." : "iov.") +
                                model.parameters[static_cast<std::size_t>(block.of[j])].name + "." +
                                model.parameters[static_cast<std::size_t>(block.of[i])].name +
                                ".covariance");
    using Law = pkpd::ResidualError::Law;
    for (const int output : measured) {
        const Law law = model.residual_errors[static_cast<std::size_t>(output)].law;
        const std::string name =
            "error." + model.system.outputs[static_cast<std::size_t>(output)].name;
        const bool has_both = law == Law::combined1 || law == Law::combined2;
        if (law == Law::additive || has_both) names.push_back(name + ".additive");
        if (law == Law::proportional || law == Law::power || has_both)
            names.push_back(name + ".proportional");
        if (law == Law::power) names.push_back(name + ".exponent");
        if (law == Law::lognormal) names.push_back(name + ".sd");
    }
    sim::DiagnosticList diagnostics;
    const pkpd::PopulationLaws laws = pkpd::laws_of(model);
    std::vector<FitNumber> numbers;
    for (const std::string& name : names) {
        FitNumber number;
        number.law = pkpd::find_law_number(model, name, {}, diagnostics).value();
        number.start = pkpd::value_of(laws, number.law);
        numbers.push_back(number);
    }
    return numbers;
}

/// Fixes a number by its name.
inline void fix(FitSetup& setup, const std::string& name) {
    for (FitNumber& number : setup.numbers)
        if (number.law.name == name) number.is_fixed = true;
}

inline pkpd::DataColumnWords column(const std::string& name, const std::string& unit) {
    pkpd::DataColumnWords words;
    words.name = name;
    words.unit = sim::parse_unit(unit);
    return words;
}

inline FitSetup make_setup(const std::string& model_text, pkpd::DataWords data) {
    FitSetup setup;
    const pkpd::Loaded loaded = pkpd::load_text(model_text, "fit_model.toml");
    if (!loaded.model) throw std::runtime_error(loaded.messages);
    setup.model = loaded.model;
    sim::DiagnosticList diagnostics;
    setup.data = pkpd::read_data(data, *setup.model, diagnostics);
    if (!setup.data) throw std::runtime_error(diagnostics.render());
    pkpd::PopulationPlace place{pkpd::library(), {}, nullptr};
    place.data =
        std::make_shared<const pkpd::DataCohort>(pkpd::make_cohort(*setup.data, diagnostics));
    const auto empty = std::make_shared<const sim::SourceFile>(sim::SourceFile{"", ""});
    setup.population = pkpd::read_population(
        io::parse_toml(empty, diagnostics), setup.model, 1, diagnostics, place);
    setup.population.has_variability = false;
    if (!diagnostics.empty()) throw std::runtime_error(diagnostics.render());
    setup.numbers = all_numbers(*setup.model, *setup.data);
    return setup;
}

inline pkpd::DataWords data_words(const std::string& file, const std::string& output = "Cp") {
    pkpd::DataWords words;
    words.folder = std::string(GEMEL_SOURCE_DIR) + "/tests/data";
    words.file = file;
    words.columns = {column("TIME", "h"), column("AMT", "mg"), column("DV", "mg/L")};
    words.columns.back().output = output;
    return words;
}

/// A dose by mouth into one compartment.
inline std::string oral_model(const std::string& name,
                              const std::string& elimination,
                              const std::string& parameters,
                              const std::string& error) {
    return "gemel = \"model/1\"\n[model]\nname = \"" + name + R"toml("
source = "textbook"
time = "h"
equations = '''
d/dt(depot) = -ka * depot
d/dt(central) = ka * depot - )toml" +
           elimination + R"toml(
Cp = central / V
'''
[routes.oral]
into = "depot"
default = true
[parameters]
)toml" + parameters +
           R"toml(
[states]
depot = { unit = "mg" }
central = { unit = "mg" }
[outputs]
Cp = { unit = "mg/L", error = { )toml" +
           error + " } }\n";
}

inline FitSetup
theophylline(const std::string& error = R"(law = "additive", additive = 0.7)",
             const std::string& ka = "{ value = 1.5, unit = \"1/h\", iiv = { sd = 0.6 } }",
             const std::string& omega = "") {
    return make_setup(oral_model("theophylline",
                                 "CL / V * central",
                                 R"toml(V  = { value = 30, unit = "L", iiv = { sd = 0.3 } }
CL = { value = 2.5, unit = "L/h", iiv = { sd = 0.3 } }
ka = )toml" + ka + "\n" + omega,
                                 error),
                      data_words("theophylline.csv"));
}

/// Theophylline as if its elimination saturated: solved by steps.
inline FitSetup elimination_that_saturates() {
    return make_setup(oral_model("elimination that saturates",
                                 "Vmax * Cp / (Km + Cp)",
                                 R"toml(V  = { value = 30, unit = "L", iiv = { sd = 0.3 } }
Vmax = { value = 30, unit = "mg/h", iiv = { sd = 0.3 } }
Km = { value = 8, unit = "mg/L" }
ka = { value = 1.5, unit = "1/h", iiv = { sd = 0.6 } })toml",
                                 R"(law = "combined2", additive = 0.3, proportional = 0.1)"),
                      data_words("theophylline.csv"));
}

/// Theophylline with effects of V and CL that vary together.
inline FitSetup correlated() {
    return theophylline(R"(law = "combined2", additive = 0.3, proportional = 0.1)",
                        R"({ value = 1.5, unit = "1/h", iiv = { sd = 0.6 } })",
                        "[[omega]]\nof = [\"V\", \"CL\"]\ncorrelation = [[0.4]]\n");
}

/// A data set as if its doses had been given every 24 h for ever.
inline FitSetup at_steady_state(FitSetup setup) {
    pkpd::DataSet data = *setup.data;
    for (pkpd::DataSubject& subject : data.subjects)
        for (sim::Record& record : subject.records) {
            record.steady = sim::SteadyState::replaces;
            record.interval = 24.0;
        }
    setup.data = std::make_shared<const pkpd::DataSet>(std::move(data));
    sim::DiagnosticList diagnostics;
    setup.population.data =
        std::make_shared<const pkpd::DataCohort>(pkpd::make_cohort(*setup.data, diagnostics));
    return setup;
}

/// Theophylline with a limit of quantification [mg/L] that hides some of its data.
/// @param is_between  they are told to be positive
inline FitSetup with_limit(bool is_between) {
    FitSetup setup = theophylline();
    pkpd::DataSet data = *setup.data;
    for (pkpd::DataSubject& subject : data.subjects)
        for (pkpd::DataObservation& observation : subject.observations)
            if (observation.dv < 2.0) {
                observation.cens = 1;
                observation.limit = 2.0;
                if (is_between) observation.other_limit = 0.0;
            }
    setup.data = std::make_shared<const pkpd::DataSet>(std::move(data));
    return setup;
}

/// Two doses of each of six subjects, on two occasions between which clearance differs; the values
/// are made up, smooth and positive.
inline FitSetup two_occasions() {
    std::string rows = "ID,TIME [h],AMT [mg],DV [mg/L],EVID,OCC\n";
    for (int id = 1; id <= 6; ++id)
        for (int occasion = 1; occasion <= 2; ++occasion) {
            const double start = 48.0 * (occasion - 1), rate = 0.08 + 0.01 * id + 0.015 * occasion;
            rows += std::to_string(id) + "," + std::to_string(start) + ",100,.,1," +
                    std::to_string(occasion) + "\n";
            for (const double after : {1.0, 4.0, 9.0, 20.0})
                rows += std::to_string(id) + "," + std::to_string(start + after) + ",0," +
                        std::to_string(9.0 * std::exp(-rate * after) *
                                       (1.0 + 0.05 * std::sin(7.0 * after + id))) +
                        ",0," + std::to_string(occasion) + "\n";
        }
    const auto path = pkpd::temporary_path("two_occasions.csv");
    std::ofstream(path) << rows;
    pkpd::DataWords words;
    words.folder = path.parent_path();
    words.file = path.filename().string();
    words.occasion = "OCC";
    pkpd::DataColumnWords dv;
    dv.name = "DV";
    dv.output = "Cp";
    words.columns = {dv};
    FitSetup setup = make_setup(R"toml(gemel = "model/1"
[model]
name = "bolus, a clearance of occasions"
source = "textbook"
time = "h"
equations = '''
d/dt(central) = -CL / V * central
Cp = central / V
'''
[routes.iv]
into = "central"
default = true
[parameters]
CL = { value = 1.2, unit = "L/h", iiv = { sd = 0.25 }, iov = { sd = 0.15 } }
V  = { value = 11, unit = "L", iiv = { sd = 0.1 } }
[states]
central = { unit = "mg" }
[outputs]
Cp = { unit = "mg/L", error = { law = "proportional", proportional = 0.1 } }
)toml",
                                words);
    std::filesystem::remove(path);
    return setup;
}

inline FitSetup phenobarbital(bool has_covariates) {
    pkpd::DataWords words = data_words("phenobarbital.csv");
    if (has_covariates)
        for (const auto& [name, unit] : {std::pair{"WT", "kg"}, std::pair{"APGR", "1"}})
            words.columns.push_back(column(name, unit));
    const std::string scales[2] = {
        has_covariates ? R"(, scale = "WT / 1[kg]")" : "",
        has_covariates ? R"x(, scale = "WT / 1[kg] * (1 + b1 * (APGR < 5 ? 1 : 0))")x" : ""};
    return make_setup(R"toml(gemel = "model/1"
[model]
name = "phenobarbital in neonates"
source = "textbook"
time = "h"
equations = '''
d/dt(central) = -CL / V * central
Cp = central / V
'''
[routes.iv]
into = "central"
default = true
[parameters]
CL = { value = 0.0055, unit = "L/h", iiv = { sd = 0.3 })toml" +
                          scales[0] + " }\nV = { value = 1.3, unit = \"L\", iiv = { sd = 0.3 }" +
                          scales[1] + " }\n" +
                          (has_covariates ? "b1 = { value = 0.1, unit = \"1\" }\n[covariates]\n"
                                            "WT = { unit = \"kg\", reference = 1.4 }\n"
                                            "APGR = { unit = \"1\", reference = 7 }\n"
                                          : "") +
                          R"toml([states]
central = { unit = "mg" }
[outputs]
Cp = { unit = "mg/L", error = { law = "proportional", proportional = 0.12 } }
)toml",
                      words);
}

/// Concentrations of warfarin (DVID 1), the other kind carried along.
inline pkpd::DataWords warfarin_words(bool has_effect) {
    pkpd::DataWords words = data_words("warfarin_pkpd.csv");
    words.columns.back().output.clear();
    pkpd::DataColumnWords kind;
    kind.name = "DVID";
    kind.outputs.push_back({"1", "Cp", sim::parse_unit("mg/L"), {}});
    kind.outputs.push_back({"2", has_effect ? "PCA" : "effect", sim::parse_unit("%"), {}});
    words.columns.push_back(kind);
    pkpd::DataColumnWords compartment; // its numbers are those of another model
    compartment.name = "CMT";
    compartment.is_carried = !has_effect;
    if (!has_effect) words.columns.push_back(compartment);
    return words;
}

inline FitSetup warfarin_pk(const std::string& error) {
    FitSetup setup = make_setup(R"toml(gemel = "model/1"
[model]
name = "warfarin"
source = "textbook"
time = "h"
equations = '''
d/dt(depot) = -ka * depot
d/dt(central) = ka * depot - CL / V * central
lag(depot) = Tlag
Cp = central / V
effect = 100[%]
'''
[routes.oral]
into = "depot"
default = true
[parameters]
Tlag = { value = 0.8, unit = "h", iiv = { sd = 0.5 } }
ka = { value = 1.2, unit = "1/h", iiv = { sd = 0.7 } }
V  = { value = 8, unit = "L", iiv = { sd = 0.3 } }
CL = { value = 0.13, unit = "L/h", iiv = { sd = 0.3 } }
[states]
depot = { unit = "mg" }
central = { unit = "mg" }
[outputs]
effect = { unit = "%" }
Cp = { unit = "mg/L", error = { )toml" +
                                    error + " } }\n",
                                warfarin_words(false));
    setup.outputs = {setup.model->find_output("Cp")};
    return setup;
}

/// A turnover of the prothrombin complex whose production is inhibited (default starts of
/// nlmixr2's example).
inline FitSetup warfarin_pkpd() {
    FitSetup setup = make_setup(R"toml(gemel = "model/1"
[model]
name = "warfarin and prothrombin complex activity"
source = "textbook"
time = "h"
equations = '''
d/dt(depot) = -ktr * depot
d/dt(gut) = ktr * depot - ka * gut
d/dt(central) = ka * gut - CL / V * central
Cp = central / V
d/dt(response) = kout * E0 * (1 - Emax * Cp / (EC50 + Cp)) - kout * response
response(0) = E0
PCA = response
'''
[routes.oral]
into = "depot"
default = true
[parameters]
ktr = { value = 1, unit = "1/h", iiv = { sd = 1 } }
ka = { value = 1, unit = "1/h", iiv = { sd = 1 } }
CL = { value = 0.1, unit = "L/h", iiv = { sd = 1 } }
V  = { value = 10, unit = "L", iiv = { sd = 1 } }
Emax = { value = 0.8, unit = "1", iiv = { sd = 0.5, law = "logit" } }
EC50 = { value = 0.5, unit = "mg/L", iiv = { sd = 0.5 } }
kout = { value = 0.05, unit = "1/h", iiv = { sd = 0.5 } }
E0 = { value = 100, unit = "%", iiv = { sd = 0.5 } }
[states]
depot = { unit = "mg" }
gut = { unit = "mg" }
central = { unit = "mg" }
response = { unit = "%" }
[outputs]
Cp = { unit = "mg/L", error = { law = "combined2", proportional = 0.1, additive = 0.1 } }
PCA = { unit = "%", error = { law = "additive", additive = 10 } }
)toml",
                                warfarin_words(true));
    setup.options.rtol = 1e-6;
    return setup;
}

inline FitSetup indomethacin() {
    return make_setup(R"toml(gemel = "model/1"
[model]
name = "indomethacin"
source = "textbook"
time = "h"
equations = '''
d/dt(central) = -(CL + Q) / V1 * central + Q / V2 * peripheral
d/dt(peripheral) = Q / V1 * central - Q / V2 * peripheral
Cp = central / V1
'''
[routes.iv]
into = "central"
default = true
[parameters]
CL = { value = 8, unit = "L/h", iiv = { sd = 0.2 } }
V1 = { value = 9, unit = "L", iiv = { sd = 0.1 } }
Q = { value = 5, unit = "L/h", iiv = { sd = 0.3 } }
V2 = { value = 20, unit = "L", iiv = { sd = 0.3 } }
[states]
central = { unit = "mg" }
peripheral = { unit = "mg" }
[outputs]
Cp = { unit = "mg/L", error = { law = "proportional", proportional = 0.15 } }
)toml",
                      data_words("indomethacin.csv"));
}

/// Doses go into a depot that nothing reads.
inline FitSetup not_read() {
    return make_setup(R"toml(gemel = "model/1"
[model]
name = "a depot that leads nowhere"
source = "textbook"
time = "h"
equations = '''
d/dt(depot) = -ka * depot
d/dt(central) = -CL / V * central
Cp = central / V
'''
[routes.oral]
into = "depot"
default = true
[parameters]
ka = { value = 1.5, unit = "1/h" }
V  = { value = 30, unit = "L", iiv = { sd = 0.3 } }
CL = { value = 2.5, unit = "L/h", iiv = { sd = 0.3 } }
[states]
depot = { unit = "mg" }
central = { unit = "mg" }
[outputs]
Cp = { unit = "mg/L", error = { law = "additive", additive = 0.7 } }
)toml",
                      data_words("theophylline.csv"));
}

} // namespace gemel::learners
