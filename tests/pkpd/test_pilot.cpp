#include "library.hpp"

#include <gemel/pkpd/pilot.hpp>

#include <algorithm>
#include <cmath>

namespace gemel::pkpd {

namespace {

constexpr int n = 64;

double value(const std::vector<double>& inputs, std::size_t input, int subject) {
    return inputs[input * n + static_cast<std::size_t>(subject)];
}

} // namespace

TEST_CASE("pilot patients: the typical one, then η spread as they are drawn") {
    for (const char* name : {"warfarin_hamberg2007", "turnover_inhibited_production"}) {
        const auto model = library_model(name);
        const std::vector<double> inputs = pilot_inputs(*model, n);
        const std::vector<double> typical = typical_inputs(*model, {});
        REQUIRE(inputs.size() == typical.size() * n);
        for (std::size_t i = 0; i < typical.size(); ++i) {
            CHECK(value(inputs, i, 0) == typical[i]);
            if (model->inputs[i].kind != InputSource::Kind::eta) {
                CHECK(value(inputs, i, n - 1) == typical[i]);
                continue;
            }
            // Oracle: the law itself. 63 evenly spread points of N(0, sd²): a mean within 0.1 sd
            // and, tails being cut, an sd within 10 %.
            const auto& iiv =
                model->parameters[static_cast<std::size_t>(model->inputs[i].index)].iiv;
            const double sd = iiv ? iiv->sd : 0.0;
            double sum = 0.0, squares = 0.0;
            for (int s = 1; s < n; ++s) {
                CHECK(std::isfinite(value(inputs, i, s)));
                sum += value(inputs, i, s);
                squares += value(inputs, i, s) * value(inputs, i, s);
            }
            CHECK(std::abs(sum / (n - 1)) <= 0.1 * sd);
            CHECK(std::abs(std::sqrt(squares / (n - 1)) - sd) <= 0.1 * sd);
        }
    }
}

TEST_CASE("pilot patients do not depend on how many there are") {
    const auto model = library_model("warfarin_hamberg2007");
    const std::vector<double> many = pilot_inputs(*model, n), few = pilot_inputs(*model, 5);
    for (std::size_t i = 0; i < model->inputs.size(); ++i)
        for (std::size_t s = 0; s < 5; ++s)
            CHECK(few[i * 5 + s] == many[i * n + s]);
}

TEST_CASE("a model without a typical patient has no pilot") {
    Model model = *library_model("one_compartment_oral");
    REQUIRE_FALSE(model.covariates.empty());
    model.covariates[0].reference.reset();
    CHECK(pilot_inputs(model, n).empty());
}

} // namespace gemel::pkpd
