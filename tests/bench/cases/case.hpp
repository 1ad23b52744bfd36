#pragma once

#include "sim/solve/problems.hpp"

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

/// The benchmark's cases: a model as the engine sees it, and the same model written by hand for
/// solvers that others use.
namespace gemel::bench {

struct Dose {
    double time = 0.0;
    int state = 0;
    double amount = 0.0;
};

/// What a baseline solves: the first patients of a case.
struct Task {
    int n_patients = 0;
    std::size_t stride = 0;         ///< of `inputs`
    std::span<const double> inputs; ///< patient p's input i is inputs[i·stride + p]
    std::vector<Dose> doses;        ///< in order of time
    std::vector<double> times;      ///< of all outputs
    double end = 0.0;
    int n_outputs = 0;

    std::size_t n_values() const {
        return static_cast<std::size_t>(n_outputs) * static_cast<std::size_t>(n_patients) *
               times.size();
    }
};

/// Of all patients of a task.
struct Counts {
    std::int64_t n_steps = 0, n_rejected = 0;
};

/// Solves a task one patient after the other. @param values  [n_outputs × n_patients × n_times]
/// @throws std::runtime_error if the solver fails
using Baseline = Counts (*)(const Task& task, double rtol, std::span<double> values);

/// Tolerances are rtol and an absolute one of a hundredth of it in the states' own units, in the
/// baselines and in the engine (every state declares the scale 1).
struct Case {
    const char* name = nullptr;
    const char* about = nullptr;
    sim::Problem (*problem)() = nullptr;
    Baseline odeint = nullptr;    ///< dopri5 with its dense output
    Baseline cvode = nullptr;     ///< BDF, dense, analytic Jacobian
    Baseline cvode_klu = nullptr; ///< BDF, sparse by KLU, analytic Jacobian; nullptr: not this case
    Baseline reference = nullptr; ///< Fehlberg 8(7), which ignores a tolerance above 1e-12
    int n_timed = 256;            ///< patients that baselines are timed on
};

Case w1();
Case w2();
Case w2h();
Case w3();
Case w4();
Case wg();
Case s30();
Case s200();
std::vector<Case> all_cases();

/// Operations of one step of a lane method, by its solver's name.
int step_operations(const sim::CompiledSystem& system, std::string_view solver);

/// The first patients of a problem whose inputs are columns of `stride` patients.
Task task_of(const sim::Problem& problem,
             std::span<const double> inputs,
             std::size_t stride,
             int n_patients);

/// Of values against a reference, both of the task: |y − ref| / (|ref| + 1e-3·max|ref|), the
/// maximum being that of the patient's output.
struct Errors {
    double rms = 0.0, largest = 0.0;
};
Errors errors(const Task& task, std::span<const double> values, std::span<const double> reference);

/// The values of the first patients, as they stand in a task of `n_patients`.
std::vector<double>
first_patients(const Task& first, std::span<const double> values, int n_patients);

} // namespace gemel::bench
