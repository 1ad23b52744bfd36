#include "solve/cvode.hpp"
#include "solve/exact_linear.hpp"
#include "solve/lane_solver.hpp"
#include "solve/lowering_budget.hpp"
#include "solve/odeint.hpp"
#include "solve/rodas5p.hpp"
#include "solve/taylor.hpp"
#include "solve/tsit5.hpp"

#include <gemel/sim/solver.hpp>

namespace gemel::sim {
namespace {

/// The one list of solvers, in order of preference; references last. A new solver is a line here.
constexpr Solver registry[] = {
    {.name = "exact-closed-form",
     .about = "exact propagation of linear compartments by sums of exponentials",
     .order = 0,
     .is_stiff = true,
     .is_reference = false,
     .applies = closed_form_applies,
     .prepare = prepare_closed_form,
     .is_portable = true},
    {.name = "exact-expm",
     .about = "exact propagation of linear systems by matrix exponentials",
     .order = 0,
     .is_stiff = true,
     .is_reference = false,
     .applies = expm_applies,
     .prepare = prepare_expm,
     .is_portable = true},
    {.name = "rodas5p",
     .about = "Rosenbrock method of order 5 in lanes, with symbolic Jacobian and sparse LU",
     .order = 5,
     .is_stiff = true,
     .is_reference = false,
     .applies = lanes_apply,
     .prepare = prepare_rodas5p,
     .is_portable = true,
     .why_not = over_lowering_budget,
     .falls_back = true,
     .is_counted = true},
    {.name = "tsit5",
     .about = "Runge-Kutta method of order 5 in lanes, explicit: not for stiff systems",
     .order = 5,
     .is_stiff = false,
     .is_reference = false,
     .applies = lanes_apply,
     .prepare = prepare_tsit5,
     .is_portable = true,
     .falls_back = true,
     .is_counted = true},
    {.name = "rodas5p-split",
     .about = "Rodas5P for what a linear part drives, that part by sums of exponentials",
     .order = 5,
     .is_stiff = true,
     .is_reference = false,
     .applies = split_lanes_apply,
     .prepare = prepare_rodas5p_split,
     .is_portable = true,
     .falls_back = true,
     .is_counted = true},
    {.name = "tsit5-split",
     .about = "Tsit5 for what a linear part drives, that part by sums of exponentials",
     .order = 5,
     .is_stiff = false,
     .is_reference = false,
     .applies = split_lanes_apply,
     .prepare = prepare_tsit5_split,
     .is_portable = true,
     .falls_back = true,
     .is_counted = true},
    {.name = "taylor9",
     .about = "Taylor series of order 9 in lanes, explicit: not for stiff systems",
     .order = 9,
     .is_stiff = false,
     .is_reference = false,
     .applies = taylor_applies,
     .prepare = prepare_taylor,
     .is_portable = true,
     .falls_back = true,
     .is_counted = true},
    {.name = "cvode",
     .about = "backward differentiation by CVODE, one subject at a time, with symbolic Jacobian, "
              "dense or by sparse LU",
     .order = 5,
     .is_stiff = true,
     .is_reference = false,
     .applies = cvode_applies,
     .prepare = prepare_cvode,
     .has_variable_order = true},
    {.name = "odeint-dopri5",
     .about = "Dormand-Prince 5(4) of Boost.Odeint, one subject at a time",
     .order = 5,
     .is_stiff = false,
     .is_reference = true,
     .applies = odeint_applies,
     .prepare = prepare_odeint_dopri5},
    {.name = "odeint-fehlberg78",
     .about = "Fehlberg 8(7) of Boost.Odeint, one subject at a time",
     .order = 8,
     .is_stiff = false,
     .is_reference = true,
     .applies = odeint_applies,
     .prepare = prepare_odeint_fehlberg78},
};

} // namespace

std::span<const Solver> solvers() {
    return registry;
}

const Solver* find_solver(std::string_view name) {
    for (const Solver& solver : registry)
        if (solver.name == name) return &solver;
    return nullptr;
}

} // namespace gemel::sim
