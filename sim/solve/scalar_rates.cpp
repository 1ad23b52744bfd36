#include "solve/scalar_rates.hpp"

namespace gemel::sim {

ProgramSpec scalar_rates_program(const CompiledSystem& system, int n_states) {
    ProgramSpec spec{"rates", {}};
    for (int i = 0; i < n_states; ++i)
        spec.targets.push_back(
            {{LeafKind::result, i}, system.system.states[static_cast<std::size_t>(i)].rate});
    return spec;
}

ProgramSpec scalar_rates_program(const CompiledSystem& system) {
    return scalar_rates_program(system, static_cast<int>(system.system.states.size()));
}

void ScalarRates::operator()(double time, std::span<const double> y, std::span<double> dydt) {
    program_.set_states(y);
    program_.set_time(time);
    program_.run();
    const double* rate = program_.results();
    for (std::size_t i = 0; i < n_; ++i)
        dydt[i] = rate[i] + infusion_[i];
}

} // namespace gemel::sim
