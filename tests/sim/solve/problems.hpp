#pragma once

#include <gemel/sim/ode_system.hpp>
#include <gemel/sim/solver.hpp>

#include <initializer_list>
#include <string>
#include <vector>

/// Problems for the solver battery: systems built straight from expressions, with log-normal
/// patients, a regimen and times to observe.
namespace gemel::sim {

/// An expression one can calculate with.
struct Term {
    ExpressionGraph* graph = nullptr;
    Expr expr;
};
Term operator+(Term a, Term b);
Term operator-(Term a, Term b);
Term operator*(Term a, Term b);
Term operator/(Term a, Term b);
Term operator-(Term a);
Term operator+(double a, Term b);
Term operator-(double a, Term b);
Term operator*(double a, Term b);
Term operator/(double a, Term b);
Term operator-(Term a, double b);
Term operator/(Term a, double b);
Term operator<(Term a, double b);
Term pow(Term a, Term b);
Term pow(Term a, double b);
Term cos(Term a);
Term select(Term condition, Term if_true, Term if_false);

struct Problem {
    std::string name;
    OdeSystem system;
    Timeline timeline;
    Observation observation;
    std::vector<double> medians; ///< of the inputs
    std::vector<double> sds;     ///< of their logarithms
    bool is_stiff = false;       ///< explicit methods pay for it

    explicit Problem(std::string title, double end);

    Term input(const std::string& title, double median, double sd = 0.0);
    Term dosed_state(const std::string& title);
    Term state(const std::string& title, Term initial);
    Term time();
    Term number(double value);
    State& definition(Term state);
    void rate(Term state, Term value);
    int output(const std::string& title, Term value);
    void bolus(Term state, double amount, double at = 0.0, double every = 0.0, int count = 1);
    void
    infuse(Term state, double amount, double over, double at, double every = 0.0, int count = 1);
    /// Every output at 0, end/n, … end.
    void sample(int n);
    void sample_output(int output, std::vector<double> times);
    int functional(FunctionalKind kind, int output, double from, double to, double threshold = 0.0);

    /// Input columns [n_inputs × n_subjects] of log-normal patients; subject 0 is the median.
    std::vector<double> patients(int n_subjects, std::uint64_t seed = 1) const;
};

/// Solves a block. @param inputs  [n_inputs × n_subjects]
BlockResult solve(const Solver& solver,
                  const CompiledSystem& system,
                  const Problem& problem,
                  const std::vector<double>& inputs,
                  const SolverOptions& options);

/// The same problem with every state in a unit 1/factor as large.
Problem rescaled(const Problem& problem, double factor);

Problem oral_one_compartment();
Problem iv_two_compartments();
Problem iv_three_compartments();
Problem transit_absorption();
Problem lag_and_bioavailability();
Problem turnover_emax();
Problem turnover_hill();
Problem michaelis_menten();
Problem target_mediated();
Problem van_der_pol();
Problem modulated_growth();
Problem tumour_growth();
std::vector<Problem> all_problems();

} // namespace gemel::sim
