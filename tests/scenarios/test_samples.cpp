#include "study_runs.hpp"

#include <gemel/scenarios/export.hpp>
#include <gemel/scenarios/plan.hpp>
#include <gemel/sim/random.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

/// Samples of a study: values, errors, limits, and where they stand.
namespace gemel::tests {

namespace {

constexpr std::size_t n_subjects = 700;

std::vector<double> all(const io::ResultReader& file, const std::string& path, int arm) {
    return file.reals(path, arm, 0, n_subjects);
}

double score(const char* purpose, std::uint64_t subject, std::uint32_t sample) {
    return sim::RandomStream({3, 0, subject}, sim::purpose_number(purpose), sample).normal();
}

std::string told(const std::string& samples, const char* model = "measured.toml") {
    const TemporaryFolder folder;
    std::filesystem::copy(source_folder() / "tests/studies/models" / model, folder / model);
    std::string text = read_text(source_folder() / "tests/studies/samples.toml");
    text = text.substr(0, text.find("[outcomes]")) + "[samples]\n" + samples;
    const auto at = text.find("models/measured.toml");
    text.replace(at, std::string("models/measured.toml").size(), model);
    write_text(folder / "study.toml", text);
    try {
        scenarios::load_study(folder / "study.toml", source_library());
        return {};
    } catch (const sim::InputError& error) {
        return error.diagnostics().render();
    }
}

} // namespace

TEST_CASE("a sample is the model's value with its error, and the limit where it is below") {
    // Oracle: the saved curve, and the laws of docs/guide/models.md with the subject's own numbers,
    // the second output's score correlated by hand.
    const TemporaryFolder folder;
    run(load("samples.toml"), folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    std::size_t n_below = 0;
    for (int arm : {0, 1}) {
        const auto curve = all(file, "Cp", arm), value = all(file, "samples/Cp_value", arm),
                   measured = all(file, "samples/Cp", arm),
                   censored = all(file, "samples/Cp_censored", arm);
        CHECK(curve == value);
        const auto r_value = all(file, "samples/R_value", arm), r = all(file, "samples/R", arm);
        for (std::size_t s = 0; s < n_subjects; ++s) {
            for (std::uint32_t k = 0; k < 4; ++k) {
                const double f = value[4 * s + k];
                const double y = f + std::sqrt(0.0025 + 0.01 * f * f) * score("residual/Cp", s, k);
                const bool is_below = y < 0.05;
                n_below += is_below;
                CHECK(censored[4 * s + k] == (is_below ? 1.0 : 0.0));
                CHECK(measured[4 * s + k] == doctest::Approx(is_below ? 0.05 : y).epsilon(1e-13));
            }
            // R is measured at 0, 24, 48 and 72 h; with Cp at 24 h, its own second, Cp's third.
            const double alone = score("residual/R", s, 2);
            CHECK(r[4 * s + 2] ==
                  doctest::Approx(r_value[4 * s + 2] * std::exp(0.05 * alone)).epsilon(1e-13));
            const double joint =
                0.5 * score("residual/Cp", s, 2) + std::sqrt(0.75) * score("residual/R", s, 1);
            CHECK(r[4 * s + 1] ==
                  doctest::Approx(r_value[4 * s + 1] * std::exp(0.05 * joint)).epsilon(1e-13));
        }
    }
    CHECK(n_below > 100);
}

TEST_CASE("a sample above the upper limit stands as that limit, with CENS -1 in tables") {
    // Oracle: the same study without the limit; Monolix's CENS in the exported table.
    const TemporaryFolder folder;
    run(load("samples.toml"), folder / "free.h5");
    const auto limited = load("samples.toml", {"samples.Cp.uloq=1.5 mg/L", "samples.R.uloq=80"});
    run(limited, folder / "x.h5");
    CHECK(scenarios::describe_plan(limited).find("quantified from 0.05 to 1.5 mg/L") !=
          std::string::npos);
    CHECK(scenarios::describe_plan(limited).find("quantified up to 80\n") != std::string::npos);
    const io::ResultReader free(folder / "free.h5"), file(folder / "x.h5");
    std::size_t n_below = 0, n_above = 0;
    for (const auto& [name, upper] : {std::pair("samples/Cp", 1.5), std::pair("samples/R", 80.0)}) {
        const auto own = all(free, name, 0), measured = all(file, name, 0),
                   code = all(file, fmt::format("{}_censored", name), 0);
        const bool has_lower = std::string(name) == "samples/Cp";
        for (std::size_t i = 0; i < own.size(); ++i) {
            CHECK(measured[i] == std::min(own[i], upper));
            const bool is_below = has_lower && own[i] == 0.05;
            CHECK(code[i] == (own[i] > upper ? 2.0 : is_below ? 1.0 : 0.0));
            n_below += is_below;
            n_above += own[i] > upper;
        }
    }
    CHECK(n_below > 20);
    CHECK(n_above > 20);
    CHECK(all(file, "samples/Cp_value", 0) == all(free, "samples/Cp_value", 0));
    std::ostringstream out;
    scenarios::export_csv(folder / "x.h5", scenarios::ExportWhat::samples, out);
    const std::string text = out.str();
    std::size_t n_told_above = 0;
    for (auto at = text.find(",1.5,-1\n"); at != std::string::npos;
         at = text.find(",1.5,-1\n", at + 1))
        ++n_told_above;
    CHECK(n_told_above > 20);
}

TEST_CASE("samples change no other number, and are alike for any threads and lanes") {
    const TemporaryFolder folder;
    const auto with = run(load("samples.toml"), folder / "a.h5");
    auto study = load("samples.toml");
    study.samples.clear();
    run(study, folder / "b.h5");
    const io::ResultReader a(folder / "a.h5"), b(folder / "b.h5");
    for (const char* path : {"Cp", "outcomes/Rmin", "parameters/CL", "endpoints/lowest"})
        CHECK(a.variable_digest(path) == b.variable_digest(path));
    const auto threads = run(load("samples.toml"), folder / "c.h5", 3, 8);
    CHECK(threads.results_sha256 == with.results_sha256);
    // A further sample moves none of those before it.
    const auto more = load("samples.toml", {"samples.R.every=12 h"});
    run(more, folder / "d.h5");
    CHECK(io::ResultReader(folder / "d.h5").variable_digest("samples/Cp") ==
          a.variable_digest("samples/Cp"));
}

TEST_CASE("samples are there where subjects are not written, and are planned and exported") {
    const TemporaryFolder folder;
    const auto study = load("samples.toml", {"save.subjects=none"});
    run(study, folder / "x.h5");
    const io::ResultReader file(folder / "x.h5");
    CHECK(file.axis("sample_R").numbers == std::vector<double>{0.0, 24.0, 48.0, 72.0});
    CHECK(all(file, "samples/Cp", 0).size() == 4 * n_subjects);
    CHECK(scenarios::describe_plan(study).find("quantified from 0.05 mg/L on") !=
          std::string::npos);
    std::ostringstream out;
    scenarios::export_csv(folder / "x.h5", scenarios::ExportWhat::samples, out);
    const std::string text = out.str();
    // By hand: 2 arms × 700 subjects × 8 samples, and the header.
    CHECK(std::count(text.begin(), text.end(), '\n') == 1 + 2 * 700 * 8);
    CHECK(text.starts_with("arm,subject,time [h],output,unit,value,measured,censored\nonce,1,1,Cp,"
                           "mg/L,"));
    for (const auto what : {scenarios::ExportWhat::outcomes, scenarios::ExportWhat::parameters}) {
        std::ostringstream nothing;
        CHECK_THROWS_WITH_AS(scenarios::export_csv(folder / "x.h5", what, nothing),
                             doctest::Contains("of subjects; subjects = \"none\""),
                             std::invalid_argument);
        CHECK(nothing.str().empty());
    }
}

TEST_CASE("mistakes of samples are told") {
    CHECK(told("Cp = { at = [\"1 h\"] }\n") == "");
    CHECK(told("CP = { at = [\"1 h\"] }\n").find("the model has no output 'CP'") !=
          std::string::npos);
    CHECK(told("Cp = { at = [\"1 h\"], lloq = \"1 mg\" }\n").find("the output is") !=
          std::string::npos);
    CHECK(told("Cp = { at = [\"1 h\"], uloq = \"1 mg\" }\n").find("uloq = \"0.1 mg/L\"") !=
          std::string::npos);
    // The model's lower limit is 50 ug/L.
    CHECK(told("Cp = { at = [\"1 h\"], uloq = 0.04 }\n")
              .find("the upper limit of quantification, 0.04 mg/L, is not above the lower, 0.05") !=
          std::string::npos);
    CHECK(told("Cp = { at = [\"100 h\"] }\n").find("not within the study") != std::string::npos);
    CHECK(told("Cp = { lloq = 1 }\n").find("every") != std::string::npos);
    CHECK(told("Cp = { at = [\"1 h\"] }\n", "oral.toml").find("says nothing of the error") !=
          std::string::npos);
}

} // namespace gemel::tests
