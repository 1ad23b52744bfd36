#include <gemel/sim/ode_system.hpp>

#include <stdexcept>

namespace gemel::sim {

int add_last_dose(OdeSystem& system) {
    if (system.sensitivities.is_set())
        throw std::invalid_argument("add_last_dose: the system carries sensitivities already");
    const auto number = static_cast<int>(system.states.size());
    State last;
    last.name = "last_dose";
    last.unit = system.time_unit;
    last.rate = system.graph.constant(0.0);
    last.initial = system.graph.constant(0.0);
    system.states.push_back(last);
    system.last_dose_state = number;
    ++system.n_kept_states;
    return number;
}

} // namespace gemel::sim
