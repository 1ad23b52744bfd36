#include "study_runs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

/// Studies whose replicates differ by what the model's own file says is uncertain.
namespace gemel::tests {

namespace {

const char* const calibrated = R"toml(
gemel = "model/1"
[model]
name = "calibrated"
source = "test"
time = "h"
equations = '''
d/dt(x) = -CL / V * x
C = x / V
'''
[routes.iv]
into = "x"
[parameters]
CL = { value = 5, unit = "L/h", iiv = { sd = 0.3 } }
V = { value = 40, unit = "L", iiv = { sd = 0.2 } }
[[omega]]
of = ["CL", "V"]
covariance = [[0.09], [0.03, 0.04]]
[states]
x = { unit = "mg" }
[outputs]
C = { unit = "mg/L", error = { law = "proportional", proportional = 0.1 } }
[uncertainty]
of = ["CL", "iiv.CL.sd", "iiv.V.sd", "iiv.CL.V.covariance", "error.C.proportional"]
law = "bounded"
covariance = [[4], [0, 0.01], [0, 0, 0.005], [0, 0, 0, 0.0004], [0, 0, 0, 0, 0.0004]]
)toml";

const char* const replicated = R"toml(
gemel = "study/1"
[study]
model = "calibrated.toml"
seed = 1
duration = "24 h"
replicates = 50
[population]
size = 64
[regimens.once]
doses = [ { dose = "100 mg" } ]
[arms.once]
regimen = "once"
[outcomes]
AUC = "auc(C, 0[h], 24[h])"
[uncertainty]
from = "model"
)toml";

std::string mistakes_of_study(const std::filesystem::path& study) {
    try {
        scenarios::load_study(study, source_library());
        return {};
    } catch (const sim::InputError& error) {
        return error.what();
    }
}

} // namespace

TEST_CASE("replicates are drawn by the uncertainty of the model's own file") {
    const TemporaryFolder folder;
    write_text(folder / "calibrated.toml", calibrated);
    write_text(folder / "study.toml", replicated);
    const scenarios::Study study = scenarios::load_study(folder / "study.toml", source_library());
    CHECK(run(study, folder / "out.h5").n_failed_subjects == 0);
    io::ResultReader results(folder / "out.h5");
    REQUIRE(results.n_replicates() == 50);
    double smallest = 1e9, largest = 0.0, least_root = 1.0;
    for (std::size_t r = 0; r < 50; ++r) {
        results.select_replicate(r);
        const auto value = [&](const char* name) {
            return results.reals(std::string("uncertainty/") + name, -1, 0, 1).front();
        };
        smallest = std::min(smallest, value("CL"));
        largest = std::max(largest, value("CL"));
        const double sds = value("iiv.CL.sd") * value("iiv.V.sd");
        least_root = std::min(least_root, sds - std::abs(value("iiv.CL.V.covariance")));
    }
    // A standard error of 2 of 5, of the logarithm 0.4: fifty draws span about ±2.2 of those.
    CHECK(smallest > 0.0);
    CHECK(smallest < 5.0 * std::exp(-0.4));
    CHECK(largest > 5.0 * std::exp(0.4));
    CHECK(least_root > 0.0); // every Ω is positive definite
}

TEST_CASE("a model that says nothing of its uncertainty gives none, and it has no 'from'") {
    const TemporaryFolder folder;
    const std::string text = calibrated;
    write_text(folder / "calibrated.toml", text.substr(0, text.find("[uncertainty]")));
    write_text(folder / "study.toml", replicated);
    CHECK(mistakes_of_study(folder / "study.toml").find("does not say what is uncertain") !=
          std::string::npos);
    write_text(folder / "calibrated.toml",
               text.substr(0, text.find("[uncertainty]")) + "[uncertainty]\nfrom = \"model\"\n");
    CHECK(mistakes_of_study(folder / "study.toml")
              .find("the model's own uncertainty is what is to be "
                    "said here") != std::string::npos);
    write_text(folder / "calibrated.toml", text + "rse = { CL = 0.1 }\n");
    CHECK(mistakes_of_study(folder / "study.toml").find("calibrated.toml") != std::string::npos);
    write_text(folder / "calibrated.toml", text);
    write_text(folder / "study.toml", std::string(replicated) + "law = \"normal\"\n");
    CHECK(mistakes_of_study(folder / "study.toml").find("'law' is left out") != std::string::npos);
}

} // namespace gemel::tests
