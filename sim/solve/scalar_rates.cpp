#include "solve/scalar_rates.hpp"

namespace gemel::sim {

ProgramSpec scalar_rates_program(const CompiledSystem& system) {
    ProgramSpec spec{"rates", {}};
    for (const State& state : system.system.states)
        spec.targets.push_back(
            {{LeafKind::result, static_cast<int>(spec.targets.size())}, state.rate});
    return spec;
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
