#pragma once

#include <gemel/sim/expression.hpp>
#include <gemel/sim/units.hpp>

#include <string>
#include <vector>

/// A system of ordinary differential equations with everything that belongs to it, as expressions
/// of (inputs, states, time) in one graph. Numbers are in the units declared beside them.
namespace gemel::sim {

/// How an input changes within a subject: `per_subject` inputs are fixed within a row of inputs, of
/// which a subject may have several in time (SubjectTimeline::switches).
enum class InputClass { constant, per_subject };

struct Input {
    std::string name; ///< for messages: "theta/CL", "eta/CL", "covariate/WT", "map/CYP2C9_on_CL"
    Unit unit;
    InputClass input_class = InputClass::per_subject;
};

struct State {
    std::string name;
    Unit unit;
    Expr rate;                ///< d/dt, per the system's time unit, without infusions
    Expr initial;             ///< of inputs
    Expr bioavailability;     ///< factor on amounts given into it, of inputs; unset: 1
    Expr lag;                 ///< delay of amounts given into it, of inputs; unset: 0
    Expr modelled_rate;       ///< rate of infusions whose rate is −1; unset: none
    Expr modelled_duration;   ///< duration of infusions whose rate is −2; unset: none
    double scale = 0.0;       ///< declared size for error control; 0: from doses or baseline
    bool takes_doses = false; ///< its dimension is an amount: scale by what the subject receives
    int n_kept = 0;           ///< doses it keeps, made by add_transit(); 0: they enter at once
    int first_kept = -1;      ///< the first of the states that hold them
    int switch_state = -1;    ///< the state that says whether it is on, made by with_switches()
};

/// A named expression that is reported: an output over time, or an individual parameter.
struct NamedExpr {
    std::string name;
    Unit unit;
    std::string label;
    Expr value;
    /// A parameter whose law has no negative values: a subject with one is an invalid_parameter.
    bool must_not_be_negative = false;
};

/// Whose errors decide the steps of a system with sensitivities.
enum class StepControl {
    all,       ///< of the states and of their derivatives
    own_states ///< of the states alone, whose results keep their bits in lanes and Odeint
};

/// Which states and outputs of a system are derivatives of the others: made by
/// with_sensitivities(). The first n_states states and n_outputs outputs are the system's own;
/// then, input by input of `wrt`, come the derivatives of all states, and of all outputs.
struct SensitivityLayout {
    /// Derivatives of what modifies doses into an own state; unset: 0.
    struct Modifiers {
        Expr bioavailability, lag, modelled_rate, modelled_duration;
    };
    int n_states = 0;
    int n_outputs = 0;
    std::vector<int> wrt;                          ///< inputs; empty: no sensitivities
    std::vector<std::vector<Modifiers>> modifiers; ///< [n_wrt][n_states]
    StepControl control = StepControl::all;

    bool is_set() const { return !wrt.empty(); }
    int n_wrt() const { return static_cast<int>(wrt.size()); }
    /// The state that is ∂(own state)/∂(wrt[which]).
    int state(int own, int which) const { return n_states * (1 + which) + own; }
    /// The output that is ∂(own output)/∂(wrt[which]).
    int output(int own, int which) const { return n_outputs * (1 + which) + own; }
};

struct OdeSystem {
    ExpressionGraph graph;
    Unit time_unit;
    std::vector<Input> inputs;
    std::vector<State> states;
    std::vector<NamedExpr> outputs;    ///< of inputs, states and time
    std::vector<NamedExpr> parameters; ///< individual parameters, of inputs only
    SensitivityLayout sensitivities;
    int last_dose_state = -1; ///< when a dose last came, made by add_last_dose(); −1: none
    int row_start_input = -1; ///< when the row of inputs begins, made by with_linear_inputs()
    int n_kept_states = 0;    ///< the last of the own states: doses kept and switches, which only
                              ///< records change

    /// The states without derivatives of others. They alone receive doses.
    int n_own_states() const {
        return sensitivities.is_set() ? sensitivities.n_states : static_cast<int>(states.size());
    }
    /// The states, the first of all, whose errors decide steps.
    int n_controlled_states() const {
        return sensitivities.control == StepControl::own_states ? n_own_states()
                                                                : static_cast<int>(states.size());
    }
};

/// Lets doses into a state by way of transit compartments, whose number n need not be whole: each
/// dose D of time τ adds D·k·(k·(t − τ))^n·exp(−k·(t − τ))/Γ(n + 1), k = (n + 1)/mean_time, to the
/// state's rate instead of D to the state. The state keeps the latest doses in further states of
/// rate 0, [time, amount] from the latest on, then n and k. A subject is an invalid_parameter if n
/// is negative, the mean time is not positive, an infusion goes into the state, or more than 1e-10
/// of a dose is still to come when `n_kept` later ones have been given. To be called last, before
/// with_sensitivities(); doses at one time are one.
///
/// Source: Savic et al. 2007, doi:10.1007/s10928-007-9066-0. Theory manual: transit.md.
void add_transit(OdeSystem& system, int state, Expr number, Expr mean_time, int n_kept);

/// A further state that is the time at which a dose last came, lag included, into any state; 0
/// before the first, and after a reset until the next. An infusion comes when it begins. To be
/// called after add_transit(), before with_sensitivities(). @returns its number
int add_last_dose(OdeSystem& system);

/// The system with states that records may switch off and on (RecordKind::switch_off): each has a
/// further state that is 1 while it is on. Off, a state is 0 and stays 0; a dose into it switches
/// it on. To be called after add_transit(), before with_sensitivities().
/// @throws std::invalid_argument naming a state that does not exist
OdeSystem with_switches(OdeSystem system, const std::vector<int>& states);

/// The system with inputs that go along straight lines in time: in rates and outputs each counts as
/// its value plus its slope times the time since the start of the row of inputs in force; before it
/// (in the past that a steady state stands for) the value stays. Further
/// inputs hold the slopes, in the order of `inputs`, then the time the row starts at. Individual
/// parameters, initial values, lags and bioavailabilities see the value at the row's start. To be
/// called before with_sensitivities().
///
/// @throws std::invalid_argument naming an input that does not exist
OdeSystem with_linear_inputs(OdeSystem system, const std::vector<int>& inputs);

/// The system with the derivatives of its states and outputs by inputs as further states and
/// outputs, named "dCp/dCL" (of theta/CL; others keep their full name: "dCp/deta/CL"), in the
/// quotient of units. Any solver then gives them; doses, lags, bioavailability and the ends of
/// infusions act on them as they must (docs/theory/sensitivities.md).
///
/// @param wrt  inputs, by number or by name
/// @throws std::invalid_argument naming an input that does not exist or comes twice, a name that
///         exists already, or a system that carries sensitivities already
OdeSystem with_sensitivities(OdeSystem system,
                             const std::vector<int>& wrt,
                             StepControl control = StepControl::all);
OdeSystem with_sensitivities(OdeSystem system,
                             const std::vector<std::string>& wrt,
                             StepControl control = StepControl::all);

/// What the equations look like; decides which solvers apply.
struct SystemStructure {
    /// Every rate is Σ_j a_ij·state_j + b_i with a_ij and b_i free of states and time.
    bool is_linear = false;
    bool uses_time = false;                 ///< a rate mentions t
    std::vector<std::vector<int>> jacobian; ///< [n_states] columns with a derivative not 0, sorted
    std::vector<std::vector<int>> blocks;   ///< strongly connected states, in order of flow
};

SystemStructure analyse(OdeSystem& system);

/// A system ready for solvers. `wrt` names inputs: for each, derivatives of rates, initial values
/// and outputs are built, [wrt][state or output].
struct CompiledSystem {
    OdeSystem system;
    SystemStructure structure;
    /// Of inputs: times at which rates may jump or bend, since they compare the time with something
    /// that does not change in time. Steps end there.
    std::vector<Expr> model_times;
    std::vector<int> wrt;
    std::vector<std::vector<Expr>> rate_derivatives;
    std::vector<std::vector<Expr>> initial_derivatives;
    std::vector<std::vector<Expr>> output_derivatives;
};
CompiledSystem compile(OdeSystem system, std::vector<int> wrt = {});

} // namespace gemel::sim
