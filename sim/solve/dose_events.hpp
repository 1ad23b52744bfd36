#pragma once

#include "solve/observer.hpp"
#include "solve/parking.hpp"
#include "solve/passage.hpp"
#include "solve/scalar_program.hpp"
#include "solve/steady_state.hpp"

#include <gemel/sim/solver.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <vector>

/// What doses do to a subject, the same in every solver: amounts, infusions, and the jumps of
/// sensitivities where a system carries them. Theory manual: events.md, sensitivities.md.
namespace gemel::sim {

class DoseEvents {
public:
    DoseEvents(const CompiledSystem& system, const ProgramSet& set);

    /// Both must outlive the solve. Steady states are looked for now, for all subjects.
    void begin(const BlockProblem& problem, const BlockSetup& setup, StateCarrier& carrier);
    /// @returns other than ok where the subject's modifiers are refused or there is no steady state
    SolverStatus expand(int subject, SubjectEvents& events);
    /// Lets an event happen, unless it is a row or a sample: those are the solver's.
    void apply(const SubjectEvents& events, const Event& event, const SubjectColumns& columns);
    /// What an event that happened leaves of those to come, of number `next` on: needed where not
    /// all of them were known beforehand.
    void take_away(SubjectEvents& events, const Event& event, std::size_t next) const;
    /// A trigger's record comes: its events join those to come.
    /// @returns as expand()
    SolverStatus give(SubjectEvents& events, const Trigger& trigger, double time, std::size_t next);
    /// The events from number `next` on are parked.
    void park(const SubjectEvents& events, std::size_t next, Parking& parking) const;
    /// They take the place of those that expand() gave, with those of records that came since.
    /// @returns as expand()
    SolverStatus take_back(SubjectEvents& events, Parking& parking);

private:
    void find_steady_states(StateCarrier& carrier);
    void find_key_columns();
    bool fill_key(int subject);
    SubjectDoses doses_of(int subject);
    void cut_records();
    void stop_to_park(std::vector<Event>& events) const;
    double record_time(const SubjectEvents& events, int record, double otherwise) const;
    bool prepare_transits(SubjectEvents& events) const;
    bool prepare_transit(int state, SubjectEvents& events) const;
    void change(const SubjectEvents& events, const Event& event, const SubjectColumns& columns);
    void reset(const SubjectEvents& events, const SubjectColumns& columns);
    void reach(const SubjectEvents& events, const Event& event, const SubjectColumns& columns);
    void keep_both(const State& depot,
                   std::span<const double> one,
                   std::span<const double> other,
                   const SubjectColumns& columns) const;
    void keep_later_dose(const SubjectEvents& events,
                         const Event& event,
                         std::span<const double> before,
                         std::span<const double> steady,
                         const SubjectColumns& columns) const;
    void keep_switches(const SubjectEvents& events,
                       const Event& event,
                       std::span<const double> before,
                       const SubjectColumns& columns);
    void stop_infusions(const SubjectColumns& columns) const;
    void switch_off(int state, const SubjectColumns& columns);
    void switch_on(int state, const SubjectColumns& columns);
    void note_dose(const SubjectEvents& events, const Event& event, const SubjectColumns& columns);
    double initial(const SubjectEvents& events, std::size_t state) const;
    void keep(const SubjectEvents& events, const Event& event, const SubjectColumns& columns);
    void add_amount(const SubjectEvents& events, const Event& event, const SubjectColumns& columns);
    void switch_infusions(const SubjectEvents& events,
                          const Event& event,
                          const SubjectColumns& columns);
    void
    turn_corner(const SubjectEvents& events, const Event& event, const SubjectColumns& columns);
    void change_rate(const SubjectEvents& events,
                     const Event& event,
                     const SubjectColumns& columns) const;
    void rates_at(const SubjectEvents& events,
                  double time,
                  const SubjectColumns& columns,
                  std::vector<double>& rates);
    const DoseDerivative&
    derivative(const SubjectEvents& events, const Event& event, int wrt) const;

    const OdeSystem& system_;
    const SensitivityLayout& layout_;
    std::vector<int> transits_; ///< states that keep doses
    int n_own_ = 0, n_model_times_ = 0;
    const BlockProblem* problem_ = nullptr;
    const BlockSetup* setup_ = nullptr;
    std::map<std::size_t, Timeline> timelines_; ///< with so many records, as parked subjects had
    std::vector<double> key_;                   ///< of the subject in hand
    std::vector<int> keyed_states_;             ///< that records name
    std::vector<int> keyed_inputs_;             ///< factors of amounts
    double n_problems_ = 0.0;                   ///< so far: keys of one mean nothing in another
    std::vector<DoseModifiers> by_input_;
    SteadyStates steady_;
    std::vector<int> first_pattern_; ///< [n_subjects]; empty: no steady state is asked for
    ScalarProgram rates_;
    SubjectEvents events_of_steady_;
    std::vector<double> inputs_, derived_, states_, before_, after_;
    std::vector<double> unsteady_; ///< [n_states] before a steady state is reached
};

} // namespace gemel::sim
