#pragma once

#include "../study_runs.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>

/// One typical subject of tests/studies/models/oral.toml: ka = 1/h, V = 50 L, k = 0.1/h.
namespace gemel::tests {

inline constexpr double ka = 1.0, k = 0.1, volume = 50.0;

/// The value of one outcome of a study of 48 h with these doses.
inline double outcome_of(const std::string& call, const std::string& doses) {
    const TemporaryFolder folder;
    std::filesystem::copy(source_folder() / "tests/studies/models/oral.toml", folder / "oral.toml");
    write_text(folder / "study.toml",
               fmt::format("gemel = \"study/1\"\n[study]\nmodel = \"oral.toml\"\nseed = 1\n"
                           "duration = \"48 h\"\n[population]\nsize = 1\nvariability = \"none\"\n"
                           "covariates = {{ WT = \"70 kg\" }}\n[regimens.r]\ndoses = [ {} ]\n"
                           "[arms.a]\nregimen = \"r\"\n[outcomes]\nX = \"{}\"\n",
                           doses,
                           call));
    const scenarios::Study study = scenarios::load_study(folder / "study.toml", source_library());
    run(study, folder / "x.h5");
    return io::ResultReader(folder / "x.h5").reals("outcomes/X", 0, 0, 1).front();
}

/// Four boluses of 100 mg into plasma, 12 h apart.
inline const std::string four_boluses =
    R"({ dose = "100 mg", route = "iv", every = "12 h", count = 4 })";

/// What the mistakes of such a study say; "" if there are none.
inline std::string mistakes_of(const std::string& call, const std::string& doses) {
    try {
        outcome_of(call, doses);
        return {};
    } catch (const sim::InputError& error) {
        return error.what();
    }
}

} // namespace gemel::tests
