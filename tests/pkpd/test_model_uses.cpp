#include "loaded.hpp"

#include <fmt/format.h>

#include <fstream>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

/// Files in a folder of their own, which goes with it.
class Folder {
public:
    Folder() : path_(temporary_path("model_uses")) {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    std::filesystem::path write(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name) << "gemel = \"model/1\"\n[model]\nname = \"x\"\n"
                                       "source = \"test\"\n"
                                    << text;
        return path_ / name;
    }
    std::filesystem::path path(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

std::string failed_tests(const Model& model) {
    std::string told;
    for (const ModelTest& test : model.tests)
        told += run_model_test(model, test, "", 1e-10);
    return model.tests.empty() ? "no tests" : told;
}

std::string names(const auto& rows) {
    std::string text;
    for (const auto& row : rows)
        text += (text.empty() ? "" : " ") + row.name;
    return text;
}

} // namespace

TEST_CASE("a model of used files has their parts in order, and its own last") {
    const Folder folder;
    const auto loaded = load_file(folder.write(
        "whole.toml",
        "time = \"d\"\n"
        "uses = [\"library:two_compartment_iv\", \"library:effect_compartment\"]\n"
        "equations = '''\ndouble = 2 * Cp\nlag(central) = delay\n'''\n"
        "[parameters]\nke0 = { value = 24, unit = \"1/d\" }\n"
        "delay = { value = 1, unit = \"h\" }\n"
        "[outputs]\ndouble = { unit = \"ug/L\" }\n"
        "Cp = { unit = \"ug/L\", error = { law = \"proportional\", proportional = 0.5 } }\n"));
    INFO(loaded.messages);
    REQUIRE(loaded.model);
    CHECK(names(loaded.model->system.states) == "central peripheral Ce");
    CHECK(names(loaded.model->parameters) == "CL V1 Q V2 size_on_CL ke0 E0 Emax EC50 gamma delay");
    CHECK(names(loaded.model->system.outputs) == "Cp Ce E double");
    CHECK(names(loaded.model->routes) == "iv");
    CHECK(loaded.model->parameters[5].value == 24.0); // the user's line stands for the used one's
    CHECK_FALSE(loaded.model->parameters[5].iiv.has_value()); // with all that it says
    CHECK(loaded.model->system.outputs[0].unit.text == "ug/L");
    CHECK(loaded.model->residual_errors[0].proportional == 0.5);
    CHECK(loaded.model->system.states[0].lag.is_set());
    CHECK(loaded.model->used.size() == 2);
    CHECK(loaded.model->needs.empty());
    CHECK(loaded.model->tests.empty());
}

TEST_CASE("used files give the numbers of one file, in the user's time unit") {
    // Oracle: the closed form in the effect compartment's own tests, there with its own companion;
    // t in days here, rates in 1/h there.
    const Folder folder;
    const auto loaded = load_file(folder.write(
        "whole.toml",
        "time = \"d\"\nuses = [\"library:one_compartment_iv\", \"library:effect_compartment\"]\n"
        "[[tests]]\ndoses = [ { dose = \"100 mg\" } ]\nat = [\"1 h\", \"4 h\", \"12 h\", \"24 "
        "h\"]\n"
        "expect = { Ce = [0.5800551494, 1.262964259, 0.8381341342, 0.2237606584], "
        "E = [26.31868739, 61.35261807, 41.3117783, 11.85090147] }\n"
        "within = 1e-9\nsource = \"closed form\"\n"));
    INFO(loaded.messages);
    REQUIRE(loaded.model);
    CHECK(failed_tests(*loaded.model) == "");
}

TEST_CASE("one file used twice under two prefixes is two drugs") {
    // Oracle: each drug's closed form, D/V·exp(−CL/V·t), and the effect site of the second alone.
    const Folder folder;
    folder.write("drug.toml",
                 "time = \"h\"\nequations = '''\nd/dt(a) = -k * a\nC = a / V\n'''\n"
                 "[routes.iv]\ninto = \"a\"\n[states]\na = { unit = \"mg\" }\n"
                 "[parameters]\nk = { value = 0.1, unit = \"1/h\" }\n"
                 "V = { value = 10, unit = \"L\", scale = \"WT / 70[kg]\" }\n"
                 "[covariates]\nWT = { unit = \"kg\", reference = 70 }\n"
                 "[outputs]\nC = { unit = \"mg/L\" }\n");
    const auto loaded = load_file(folder.write(
        "two.toml",
        "time = \"h\"\nuses = [ { file = \"drug.toml\", as = \"x_\" }, "
        "{ file = \"drug.toml\", as = \"y_\" },\n"
        "{ file = \"library:effect_compartment\", as = \"y_\", with = { Cp = \"y_C\" } } ]\n"
        "equations = '''\nsum = x_C + y_C\n'''\n"
        "[parameters]\ny_k = { value = 0.2, unit = \"1/h\" }\n"
        "[outputs]\nsum = { unit = \"mg/L\" }\n"
        "[[tests]]\ndoses = [ { dose = \"10 mg\", route = \"x_iv\" }, "
        "{ dose = \"20 mg\", route = \"y_iv\" } ]\nat = [\"5 h\"]\n"
        "expect = { x_C = [0.60653065971263], y_C = [0.73575888234288], "
        "sum = [1.34228954205551], y_Ce = [0.868495686138075] }\n"
        "within = 1e-10\nsource = \"exp(-0.5), 2 exp(-1), 2*0.3/0.1*(exp(-1) - exp(-1.5))\"\n"));
    INFO(loaded.messages);
    REQUIRE(loaded.model);
    CHECK(names(loaded.model->parameters) == "x_k x_V y_k y_V y_ke0 y_E0 y_Emax y_EC50 y_gamma");
    CHECK(names(loaded.model->covariates) == "WT"); // the patient's, whatever the prefix
    CHECK(names(loaded.model->routes) == "x_iv y_iv");
    CHECK(failed_tests(*loaded.model) == "");
}

TEST_CASE("a used file whose needs are met otherwise is not the same file again") {
    // What is driven by Cliver and what by Cp are two effects; under one name they clash.
    const Folder folder;
    const auto loaded = load_file(
        folder.write("whole.toml",
                     "time = \"h\"\nuses = [\"library:one_compartment_iv\", { file = "
                     "\"library:effect_compartment\", with = { Cp = \"Cliver\" } }, "
                     "\"library:effect_compartment\"]\nequations = '''\nCliver = 2 * Cp\n'''\n"));
    CHECK_FALSE(loaded.model);
    CHECK(loaded.messages.find("both name ke0") != std::string::npos);
}

TEST_CASE("a gene comes from one file") {
    // Maps hold alleles by their number in the gene's file: two files need not agree on it.
    const Folder folder;
    std::filesystem::copy_file(std::filesystem::path(GEMEL_SOURCE_DIR) /
                                   "library/genes/CYP2C9.toml",
                               folder.path("CYP2C9.toml"));
    const auto map = [](const char* name, const char* gene) {
        return fmt::format("[maps.{}]\ngene = \"{}\"\nby = \"phenotype\"\nreference = "
                           "\"Normal Metabolizer\"\ntable = {{ \"Normal Metabolizer\" = 1, "
                           "\"Intermediate Metabolizer\" = 0.6, \"Poor Metabolizer\" = 0.2 }}\n"
                           "source = \"test\"\n",
                           name,
                           gene);
    };
    const auto loaded =
        load_file(folder.write("two.toml",
                               "time = \"h\"\nequations = \"d/dt(a) = -k * one * two * a\"\n"
                               "[states]\na = { unit = \"mg\" }\n[parameters]\nk = { value = 1, "
                               "unit = \"1/h\" }\n[routes.iv]\ninto = \"a\"\n" +
                                   map("one", "CYP2C9") + map("two", "CYP2C9.toml")));
    CHECK_FALSE(loaded.model);
    INFO(loaded.messages);
    CHECK(loaded.messages.find("the gene CYP2C9 comes from two files here") != std::string::npos);
}

TEST_CASE("two effects may use one kinetic file, and are put together") {
    const Folder folder;
    folder.write("a.toml",
                 "time = \"h\"\nuses = [\"library:one_compartment_iv\"]\nequations = '''\n"
                 "A = 2 * Cp\n'''\n[outputs]\nA = { unit = \"mg/L\" }\n");
    folder.write("b.toml",
                 "time = \"h\"\nuses = [\"library:one_compartment_iv\"]\nequations = '''\n"
                 "B = 3 * Cp\n'''\n[outputs]\nB = { unit = \"mg/L\" }\n");
    const auto loaded =
        load_file(folder.write("both.toml", "time = \"h\"\nuses = [\"a.toml\", \"b.toml\"]\n"));
    INFO(loaded.messages);
    REQUIRE(loaded.model);
    CHECK(names(loaded.model->system.outputs) == "Cp half_life A B");
    CHECK(loaded.model->used.size() == 3);
}

TEST_CASE("a file sees only what it declares, needs or uses") {
    const Folder folder;
    folder.write("part.toml",
                 "time = \"h\"\nequations = '''\nE = 2 * Cp\n'''\n"
                 "[outputs]\nE = { unit = \"mg/L\" }\n[states]\n");
    const auto loaded = load_file(folder.write(
        "whole.toml", "time = \"h\"\nuses = [\"library:one_compartment_iv\", \"part.toml\"]\n"));
    CHECK(loaded.messages.find("part.toml") != std::string::npos);
    CHECK(loaded.messages.find("'Cp' is not known") != std::string::npos);
}

TEST_CASE("a need met by another kind of quantity is told where the file is used") {
    const Folder folder;
    const auto loaded =
        load_file(folder.write("whole.toml",
                               "time = \"h\"\nuses = [\"library:one_compartment_iv\", "
                               "\"library:myelosuppression_friberg2002\"]\n"));
    CAPTURE(loaded.messages);
    CHECK(loaded.messages.find("whole.toml:6:") != std::string::npos);
    CHECK(loaded.messages.find("is in mg/L") != std::string::npos);
    CHECK(loaded.messages.find("umol/L") != std::string::npos);
}
