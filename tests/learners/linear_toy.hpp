#pragma once

#include "learners/problems.hpp"
#include "simulated.hpp"

#include <memory>
#include <string>

/// A model whose laws all have closed forms: y = θ + η + ε, on the design of the theophylline data
/// (12 subjects, 11 measurements each).
namespace gemel::learners {

inline FitSetup linear_toy(double omega = 1.0,
                           const std::string& error = R"(law = "additive", additive = 0.5)") {
    return make_setup(R"toml(gemel = "model/1"
[model]
name = "a level and its noise"
source = "textbook"
time = "h"
equations = '''
d/dt(depot) = -k * depot
d/dt(central) = k * depot
Cp = base
'''
[routes.oral]
into = "depot"
default = true
[parameters]
k = { value = 1, unit = "1/h" }
base = { value = 5, unit = "mg/L", iiv = { law = "normal", sd = )toml" +
                          std::to_string(omega) + R"toml( } }
[states]
depot = { unit = "mg" }
central = { unit = "mg" }
[outputs]
Cp = { unit = "mg/L", error = { )toml" +
                          error + " } }\n",
                      data_words("theophylline.csv"));
}

/// The same with measurements that its start values say.
inline FitSetup with_simulated(const FitSetup& setup, std::uint64_t seed) {
    FitEngine engine(setup, {1});
    DataSimulator simulator(engine, engine.scale.fixed, seed, "test");
    simulator.draw({0, engine.data.n_subjects(), 0, 1});
    FitSetup simulated = setup;
    simulated.data =
        std::make_shared<const pkpd::DataSet>(simulated_data(engine.data, simulator, 0));
    return simulated;
}

} // namespace gemel::learners
