#pragma once

#include "solve/cvodes_subject.hpp"

#include <vector>

/// The way forward of the adjoint method: G, and what the way back needs.
namespace gemel::sim {

/// What a sampled value adds to the gradient.
struct Pull {
    double time = 0.0;
    std::vector<double> on_states; ///< ∂g/∂x at this time, [n]
};

/// From one event to the next. What happens at its start has happened.
struct Segment {
    double from = 0.0, to = 0.0;
    std::vector<double> states, infusion, sensitivity_infusion; ///< at the start
};

/// A time at which doses happen: what they add to S, [n_wrt × n].
struct Station {
    double time = 0.0;
    std::vector<double> jumps;
};

/// The way forward: G, what each sampled value pulls, and where the segments start.
class Outward {
public:
    Outward(const CvodesModel& model, CvodesSubject& subject, const Objective& objective)
        : model_(model),
          subject_(subject),
          objective_(objective),
          own_(model.own()),
          integrator_(own_, model.options.max_steps),
          outputs_(model.programs.programs[1], model.programs.layout),
          slopes_(model.programs.programs[CvodesModel::output_slopes], model.programs.layout) {}

    SolverStatus march(const SubjectProblem& problem);

    double value = 0.0;            ///< G
    std::vector<double> gradient;  ///< its part that goes by no state, [n_wrt]
    std::vector<double> initial;   ///< S(0), [n_wrt × n]
    std::vector<Pull> pulls;       ///< by time
    std::vector<Segment> segments; ///< one fewer than stations
    std::vector<Station> stations;
    std::vector<double> scale; ///< of the states, as it is in the end, [n]

private:
    void arrive(double time);
    SolverStatus advance(Segment segment);
    void take_samples(double time);
    void pull(const SamplePoint& point, const double* slopes);

    const CvodesModel& model_;
    CvodesSubject& subject_;
    const Objective& objective_;
    CvodeSystem own_;
    CvodeIntegrator integrator_;
    ScalarProgram outputs_, slopes_;
};

} // namespace gemel::sim
