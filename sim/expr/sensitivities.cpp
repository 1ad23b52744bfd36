#include "base/index.hpp"

#include <gemel/sim/ode_system.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace gemel::sim {
namespace {

/// "theta/CL" is the CL that people mean; eta/CL and covariate/CL are something else.
std::string short_name(const std::string& input) {
    constexpr std::string_view prefix = "theta/";
    return input.starts_with(prefix) ? input.substr(prefix.size()) : input;
}

std::string derivative_name(const std::string& what, const Input& input) {
    return fmt::format("d{}/d{}", what, short_name(input.name));
}

/// Σ_j ∂e/∂x_j · S_j + ∂e/∂θ.
Expr total_derivative(OdeSystem& system, Expr e, int which) {
    ExpressionGraph& graph = system.graph;
    const SensitivityLayout& layout = system.sensitivities;
    Expr sum = graph.constant(0.0);
    for (const Leaf& leaf : graph.leaves(std::vector{e})) {
        if (leaf.kind != LeafKind::state) continue;
        const Expr s = graph.leaf(LeafKind::state, layout.state(leaf.index, which));
        sum = graph.add(sum, graph.multiply(graph.differentiate(e, leaf), s));
    }
    const Leaf theta{LeafKind::input, layout.wrt[index(which)]};
    return graph.add(sum, graph.differentiate(e, theta));
}

class Augmentation {
public:
    Augmentation(OdeSystem& system, const std::vector<int>& wrt) : system_(system) {
        check(wrt);
        system.sensitivities.n_states = static_cast<int>(system.states.size());
        system.sensitivities.n_outputs = static_cast<int>(system.outputs.size());
        system.sensitivities.wrt = wrt;
        for (int which = 0; which < static_cast<int>(wrt.size()); ++which)
            add(which);
    }

private:
    void check(const std::vector<int>& wrt) const {
        if (system_.sensitivities.is_set())
            throw std::invalid_argument("with_sensitivities: the system carries them already");
        for (const State& state : system_.states)
            if (!state.rate.is_set() || !state.initial.is_set())
                throw std::invalid_argument(fmt::format(
                    "with_sensitivities: state {} has no rate or no initial value", state.name));
        for (std::size_t k = 0; k < wrt.size(); ++k) {
            if (wrt[k] < 0 || wrt[k] >= static_cast<int>(system_.inputs.size()))
                throw std::invalid_argument(
                    fmt::format("with_sensitivities: there is no input {} of {}",
                                wrt[k],
                                system_.inputs.size()));
            if (std::count(wrt.begin(), wrt.end(), wrt[k]) > 1)
                throw std::invalid_argument(fmt::format("with_sensitivities: input {} comes twice",
                                                        system_.inputs[index(wrt[k])].name));
        }
    }

    void add(int which) {
        const Input& input = system_.inputs[index(system_.sensitivities.wrt[index(which)])];
        for (int i = 0; i < system_.sensitivities.n_states; ++i)
            add_state(i, which, input);
        for (int k = 0; k < system_.sensitivities.n_outputs; ++k)
            add_output(k, which, input);
        add_modifiers(which);
    }

    void add_state(int own, int which, const Input& input) {
        const State of = system_.states[index(own)];
        State s;
        s.name = derivative_name(of.name, input);
        refuse_if_taken(s.name, system_.states);
        s.unit = of.unit / input.unit;
        s.rate = total_derivative(system_, of.rate, which);
        s.initial = total_derivative(system_, of.initial, which);
        system_.states.push_back(std::move(s));
    }

    void add_output(int own, int which, const Input& input) {
        const NamedExpr of = system_.outputs[index(own)];
        NamedExpr d;
        d.name = derivative_name(of.name, input);
        refuse_if_taken(d.name, system_.outputs);
        d.unit = of.unit / input.unit;
        d.label = fmt::format(
            "derivative of {} by {}", of.label.empty() ? of.name : of.label, input.name);
        d.value = total_derivative(system_, of.value, which);
        system_.outputs.push_back(std::move(d));
    }

    void add_modifiers(int which) {
        std::vector<SensitivityLayout::Modifiers> all;
        const auto derivative = [&](Expr e) {
            return e.is_set() ? total_derivative(system_, e, which) : e;
        };
        for (int i = 0; i < system_.sensitivities.n_states; ++i) {
            const State of = system_.states[index(i)];
            all.push_back({derivative(of.bioavailability),
                           derivative(of.lag),
                           derivative(of.modelled_rate),
                           derivative(of.modelled_duration)});
        }
        system_.sensitivities.modifiers.push_back(std::move(all));
    }

    template <class Named>
    static void refuse_if_taken(const std::string& name, const std::vector<Named>& all) {
        for (const Named& one : all)
            if (one.name == name)
                throw std::invalid_argument(
                    fmt::format("with_sensitivities: there is a {} already", name));
    }

    OdeSystem& system_;
};

} // namespace

OdeSystem with_sensitivities(OdeSystem system, const std::vector<int>& wrt, StepControl control) {
    Augmentation(system, wrt);
    system.sensitivities.control = control;
    return system;
}

OdeSystem
with_sensitivities(OdeSystem system, const std::vector<std::string>& wrt, StepControl control) {
    std::vector<int> numbers;
    for (const std::string& name : wrt) {
        const auto found = std::find_if(system.inputs.begin(),
                                        system.inputs.end(),
                                        [&](const Input& input) { return input.name == name; });
        if (found == system.inputs.end())
            throw std::invalid_argument(
                fmt::format("with_sensitivities: there is no input {}", name));
        numbers.push_back(static_cast<int>(found - system.inputs.begin()));
    }
    return with_sensitivities(std::move(system), numbers, control);
}

} // namespace gemel::sim
