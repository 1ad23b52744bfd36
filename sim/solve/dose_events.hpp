#pragma once

#include "solve/observer.hpp"
#include "solve/scalar_program.hpp"

#include <gemel/sim/solver.hpp>

#include <cstddef>
#include <vector>

/// What doses do to a subject, the same in every solver: amounts, infusions, and the jumps of
/// sensitivities where a system carries them. Theory manual: events.md, sensitivities.md.
namespace gemel::sim {

/// One subject's place in a solver's columns: state i at states[i·stride], and so on.
struct SubjectColumns {
    double* states = nullptr;
    double* infusion = nullptr; ///< zero-order input now running into a state
    int* running = nullptr;     ///< how many infusions that is
    std::ptrdiff_t stride = 1;
};

struct SubjectEvents {
    int subject = 0; ///< of the block
    std::vector<Event> all;
    std::vector<DoseDerivative> derivatives; ///< [n_records × n_wrt]
};

class DoseEvents {
public:
    DoseEvents(const CompiledSystem& system, const ProgramSet& set);

    /// Both must outlive the solve.
    void begin(const BlockProblem& problem, const BlockSetup& setup);
    /// @returns false where the subject's modifiers are refused
    bool expand(int subject, SubjectEvents& events);
    /// Lets event number `which` happen.
    void apply(const SubjectEvents& events, std::size_t which, const SubjectColumns& columns);

private:
    bool prepare_transits(SubjectEvents& events) const;
    bool prepare_transit(int state, SubjectEvents& events) const;
    void keep(const SubjectEvents& events, const Event& event, const SubjectColumns& columns);
    void differentiate(const DoseModifiers& modifiers, SubjectEvents& events);
    DoseModifiers derivatives_of_modifiers(int subject, int wrt);
    void add_amount(const SubjectEvents& events, const Event& event, const SubjectColumns& columns);
    void switch_infusions(const SubjectEvents& events,
                          const Event& event,
                          const SubjectColumns& columns);
    void rates_at(const SubjectEvents& events,
                  double time,
                  const SubjectColumns& columns,
                  std::vector<double>& rates);
    const DoseDerivative&
    derivative(const SubjectEvents& events, const Event& event, int wrt) const;

    const OdeSystem& system_;
    const SensitivityLayout& layout_;
    std::vector<int> transits_; ///< states that keep doses
    int n_own_ = 0;
    const BlockProblem* problem_ = nullptr;
    const BlockSetup* setup_ = nullptr;
    SubjectModifiers modifiers_;
    ScalarProgram rates_;
    std::vector<double> inputs_, derived_, states_, by_input_, before_, after_;
};

} // namespace gemel::sim
