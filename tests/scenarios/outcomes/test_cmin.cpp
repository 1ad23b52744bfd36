#include "one_subject.hpp"

namespace gemel::tests {

TEST_CASE("cmin and tmin find the lowest value between two peaks, wherever it lies") {
    // Closed form: boluses 12 h apart fall by exp(-0.1·t) between, so that the lowest value of the
    // second interval is just before the third dose.
    const double one = 100.0 / volume;
    const double before_third = one * (std::exp(-2.4) + std::exp(-1.2));
    CHECK(outcome_of("cmin(Cp, 13[h], 23.9[h])", four_boluses) ==
          doctest::Approx(before_third * std::exp(0.01)).epsilon(1e-9));
    CHECK(outcome_of("tmin(Cp, 13[h], 23.9[h])", four_boluses) ==
          doctest::Approx(10.9).epsilon(1e-9));
}

TEST_CASE("the nadir after docetaxel is that of the model's own test") {
    // Oracle: event location on the equations by SciPy's DOP853 at rtol 1e-12
    // (tools/nonlinear_model_numbers.py). The label of docetaxel says a median of 7 days.
    const TemporaryFolder folder;
    write_text(folder / "model.toml",
               "gemel = \"model/1\"\n[model]\nname = \"x\"\nsource = \"test\"\ntime = \"h\"\n"
               "uses = [\"library:docetaxel_iv\", \"library:myelosuppression_friberg2002\"]\n");
    write_text(folder / "study.toml",
               "gemel = \"study/1\"\n[study]\nmodel = \"model.toml\"\nseed = 1\nrtol = 1e-8\n"
               "duration = \"21 d\"\n[population]\nsize = 1\nvariability = \"none\"\n"
               "covariates = { BSA = \"1.8 m2\" }\n"
               "[regimens.r]\ndoses = [ { dose = \"100 mg/m2\", infuse_over = \"1 h\" } ]\n"
               "[arms.a]\nregimen = \"r\"\n[outcomes]\n"
               "nadir = \"cmin(neutrophils, 0[h], 504[h])\"\n"
               "when = \"tmin(neutrophils, 0[h], 504[h])\"\n"
               "rebound = \"cmax(neutrophils, 0[h], 504[h])\"\n");
    const scenarios::Study study = scenarios::load_study(folder / "study.toml", source_library());
    run(study, folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    const auto value = [&](const char* name) {
        return file.reals(std::string("outcomes/") + name, 0, 0, 1).front();
    };
    CHECK(value("nadir") == doctest::Approx(0.8960307149).epsilon(1e-6));
    CHECK(value("when") == doctest::Approx(181.6736604).epsilon(1e-4)); // a flat bottom
    CHECK(value("rebound") == doctest::Approx(6.280658126).epsilon(1e-6));
    CHECK(study.inputs.size() == 4); // study, model, and both files it uses
}

} // namespace gemel::tests
