#pragma once

#include <gemel/sim/expression.hpp>
#include <gemel/sim/units.hpp>

#include <string>
#include <vector>

/// A system of ordinary differential equations with everything that belongs to it, as expressions
/// of (inputs, states, time) in one graph. Numbers are in the units declared beside them.
namespace gemel::sim {

/// How an input changes within a subject. Only `per_subject` and `constant` exist so far; the
/// engine may rely on both being fixed during a solve.
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

struct OdeSystem {
    ExpressionGraph graph;
    Unit time_unit;
    std::vector<Input> inputs;
    std::vector<State> states;
    std::vector<NamedExpr> outputs;    ///< of inputs, states and time
    std::vector<NamedExpr> parameters; ///< individual parameters, of inputs only
};

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
    std::vector<int> wrt;
    std::vector<std::vector<Expr>> rate_derivatives;
    std::vector<std::vector<Expr>> initial_derivatives;
    std::vector<std::vector<Expr>> output_derivatives;
};
CompiledSystem compile(OdeSystem system, std::vector<int> wrt = {});

} // namespace gemel::sim
