#pragma once

#include "solve/expansion.hpp"

#include <gemel/sim/solver.hpp>

#include <cstddef>
#include <span>
#include <vector>

/// Parts of a subject's way through time that solvers share.
namespace gemel::sim {

/// One subject's place in a solver's columns: state i at states[i·stride], and so on.
struct SubjectColumns {
    double* states = nullptr;
    double* infusion = nullptr; ///< zero-order input now running into a state
    int* running = nullptr;     ///< how many infusions that is
    std::ptrdiff_t stride = 1;
};

struct SubjectEvents {
    int subject = 0;       ///< of the block
    int row = 0;           ///< of the block's inputs, in force
    int first_pattern = 0; ///< of the block's steady states
    Expansion expanded;
    /// What it was expanded from; empty: it is no longer what came of that.
    std::vector<double> key;

    const std::vector<Event>& all() const { return expanded.events; }
};

/// States to be carried from one time to another, unobserved, with one row of inputs.
struct Passage {
    double from = 0.0, to = 0.0;
    SubjectEvents events = {};  ///< those in [from, to) happen
    std::vector<double> states; ///< [n_states] at `from`; afterwards at `to`
    SolverStatus status = SolverStatus::ok;
};

/// A solver in that capacity. A passage's result depends on that passage alone.
class StateCarrier {
public:
    virtual ~StateCarrier() = default;
    virtual void carry(std::span<Passage> passages) = 0;
    virtual double relative_error() const = 0; ///< that its results may have
};

} // namespace gemel::sim
