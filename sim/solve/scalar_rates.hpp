#pragma once

#include "solve/scalar_driver.hpp"

#include <span>

namespace gemel::sim {

/// The rates at a state and time, without infusions, of the first n_states states (of all): result
/// slot i is that of state i.
ProgramSpec scalar_rates_program(const CompiledSystem& system, int n_states);
ProgramSpec scalar_rates_program(const CompiledSystem& system);

/// dy/dt of the subject in hand, infusions included.
class ScalarRates {
public:
    /// @param program  the lowered scalar_rates_program()
    ScalarRates(const LaneProgram& program, const WorkspaceLayout& layout)
        : n_(program.stores.size()),
          program_(program, layout) {}

    void load(const ScalarSubject& subject) { program_.load(subject); }
    void set_infusion(std::span<const double> infusion) { infusion_ = infusion; }
    std::size_t n_states() const { return n_; }

    /// @param y, dydt  [n_states]
    void operator()(double time, std::span<const double> y, std::span<double> dydt);

private:
    std::size_t n_ = 0;
    ScalarProgram program_;
    std::span<const double> infusion_;
};

} // namespace gemel::sim
