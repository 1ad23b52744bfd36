#include "loaded.hpp"

#include <gemel/pkpd/model_writer.hpp>
#include <gemel/sim/solver.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace gemel::pkpd {

namespace {

/// A changed model from text.
Loaded load_changed(const std::string& changes) {
    auto file = std::make_shared<sim::SourceFile>();
    file->name = "changes.toml";
    file->text = changes;
    sim::DiagnosticList diagnostics;
    ModelChanges read;
    io::read_fields(io::parse_toml(file, diagnostics), diagnostics, [&](io::Fields& f) {
        describe_model_changes(f, read);
    });
    Loaded loaded;
    loaded.model = load_model(std::filesystem::path(GEMEL_SOURCE_DIR) / "tests" / "data" /
                                  "theophylline_model.toml",
                              library(),
                              diagnostics,
                              read);
    if (!diagnostics.empty()) loaded.messages = diagnostics.render();
    return loaded;
}

const Parameter& parameter(const Model& model, const char* name) {
    return model.parameters[static_cast<std::size_t>(model.find_parameter(name))];
}

/// The model of a file, written and read again.
Loaded written_again(const Model& model) {
    const auto path = temporary_path("written.toml");
    const std::string text =
        write_model(model, library(), {}, {"as it was", {}, {}, {}, {}, {}}, path);
    return load_text(text, "written.toml");
}

} // namespace

TEST_CASE("changes replace keys of the same parameter and leave the others") {
    const Loaded loaded = load_changed("[parameters]\nka = { iiv = { sd = 0.2 } }\n"
                                       "CL = { value = 4, iiv = \"none\" }\nV = { iiv = false }\n"
                                       "k = { value = 0.1 }\n"
                                       "omega = []\n");
    // `omega` stands in [parameters] here: it is told, as any name that is none.
    CHECK(loaded.messages.find("'omega' is no parameter of the model") != std::string::npos);
    const Loaded good = load_changed("omega = []\n[parameters]\nka = { iiv = { sd = 0.2 } }\n"
                                     "CL = { value = 4, iiv = \"none\" }\nV = { iiv = false }\n"
                                     "k = { value = 0.1 }\n");
    INFO(good.messages);
    REQUIRE(good.model);
    CHECK(parameter(*good.model, "ka").value == 1.5);
    CHECK(parameter(*good.model, "ka").iiv->sd == 0.2);
    CHECK(parameter(*good.model, "CL").value == 4.0);
    CHECK_FALSE(parameter(*good.model, "CL").iiv);
    CHECK_FALSE(parameter(*good.model, "V").iiv);
    CHECK_FALSE(parameter(*good.model, "k").is_computed);
    CHECK(good.model->omega.empty());
}

TEST_CASE("a model of several files is written as one, under the names of the whole") {
    // PK from the library under a prefix, used by a model of an effect. The expected value is
    // Bateman's function with d_CL = 7, ka = 1.2, V = 42.
    const auto path = temporary_path("uses.toml");
    std::ofstream(path) << R"(gemel = "model/1"
[model]
name = "a"
source = "b"
time = "h"
uses = [{ file = "library:one_compartment_oral", as = "d_" }]
equations = """
E = Emax * d_Cp / (d_Cp + EC50)
"""
[parameters]
Emax = { value = 1, unit = "1" }
EC50 = { value = 2, unit = "mg/L", iiv = { sd = 0.4 } }
d_CL = { value = 7, unit = "L/h", iiv = { sd = 0.1 } }
[outputs]
E = { unit = "1" }
[[tests]]
doses = [ { dose = "100 mg" } ]
at = ["4 h"]
expect = { E = [0.4112160013235231] }
within = 1e-6
source = "closed form"
)";
    const Loaded used = load_file(path);
    INFO(used.messages);
    REQUIRE(used.model);
    const Loaded again = written_again(*used.model);
    std::filesystem::remove(path);
    INFO(again.messages);
    REQUIRE(again.model);
    CHECK(again.model->used.empty());
    CHECK(parameter(*again.model, "d_CL").value == 7.0);
    CHECK(parameter(*again.model, "d_CL").iiv->sd == 0.1);
    CHECK(parameter(*again.model, "d_ka").value == 1.2);
    REQUIRE(used.model->tests.size() == 1);
    CHECK(run_model_test(*used.model, used.model->tests.front(), "tsit5", 1e-8) == "");
    CHECK(run_model_test(*again.model, used.model->tests.front(), "tsit5", 1e-8) == "");
}

TEST_CASE("every model of the library passes its own tests after it is written and read again") {
    // Models with needs are nobody's on their own.
    for (const std::string& name : library().names("models")) {
        CAPTURE(name);
        const auto model = library_model(name);
        if (!model->needs.empty()) continue;
        const Loaded again = written_again(*model);
        INFO(again.messages);
        REQUIRE(again.model);
        REQUIRE(again.model->inputs.size() == model->inputs.size());
        const sim::SolverChoice choice = sim::choose_solver(sim::compile(model->system));
        for (const ModelTest& test : model->tests)
            CHECK(run_model_test(*again.model, test, std::string(choice.solver->name), 1e-8) == "");
        CHECK(again.model->system.outputs.size() == model->system.outputs.size());
        CHECK(again.model->maps.size() == model->maps.size());
        CHECK(again.model->omega.size() == model->omega.size());
        CHECK(again.model->routes.size() == model->routes.size());
        const PopulationLaws before = laws_of(*model), after = laws_of(*again.model);
        for (std::size_t p = 0; p < before.typical.size(); ++p) {
            const bool is_same = before.typical[p] == after.typical[p] ||
                                 (std::isnan(before.typical[p]) && std::isnan(after.typical[p]));
            CHECK(is_same);
            CHECK(before.iiv[p].has_value() == after.iiv[p].has_value());
        }
    }
}

} // namespace gemel::pkpd
