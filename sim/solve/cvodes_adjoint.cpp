#include "base/finite.hpp"
#include "base/index.hpp"
#include "solve/cvodes_outward.hpp"
#include "solve/error_scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace gemel::sim {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// The transposed pattern, and for each of its entries the number of the one it comes from.
JacobianPattern transposed(const JacobianPattern& pattern, std::vector<int>& from) {
    JacobianPattern result;
    result.n = pattern.n;
    result.starts.push_back(0);
    for (int row = 0; row < pattern.n; ++row) {
        for (int column = 0; column < pattern.n; ++column)
            for (int k = pattern.starts[index(column)]; k < pattern.starts[index(column + 1)]; ++k)
                if (pattern.rows[index(k)] == row) {
                    result.rows.push_back(column);
                    from.push_back(k);
                }
        result.starts.push_back(result.n_entries());
    }
    return result;
}

/// The way back: λ' = −Jᵀλ, and ∫ λᵀ(∂f/∂θ + ∂R/∂θ) dt beside it. Each segment's states are found
/// again from its start, kept at CVODES' checkpoints, and interpolated where λ needs them.
class Homeward {
public:
    Homeward(const CvodesModel& model, CvodesSubject& subject, const Outward& outward)
        : model_(model),
          outward_(outward),
          transposed_(transposed(model.pattern, from_)),
          own_(model.pattern, model.programs, CvodesModel::rates),
          jacobian_(model.programs.programs[CvodesModel::jacobian], model.programs.layout),
          slopes_(model.programs.programs[CvodesModel::input_slopes], model.programs.layout),
          inputs_(subject.data().inputs),
          lambda_(index(model.n), 0.0),
          gradient_(outward.gradient) {
        own_.load(subject.data());
        jacobian_.load(subject.data());
        slopes_.load(subject.data());
        find_tolerance();
    }

    SolverStatus march() {
        next_pull_ = outward_.pulls.size();
        arrive(outward_.stations.back());
        for (std::size_t j = outward_.segments.size(); j-- > 0;) {
            if (const SolverStatus status = cross(outward_.segments[j]); status != SolverStatus::ok)
                return status;
            arrive(outward_.stations[j]);
        }
        add_products(outward_.initial);
        return all_finite(gradient_) ? SolverStatus::ok : SolverStatus::not_finite;
    }
    const std::vector<double>& gradient() const { return gradient_; }

private:
    /// One segment's integrators.
    struct Integrator {
        SunContext context;
        SunVector y, lambda, integrals, absolute;
        SunMatrix matrix, matrix_back;
        SunLinearSolver solver, solver_back;
        CvodeMemory memory;
        int which = 0;
    };

    void find_tolerance();
    void arrive(const Station& station);
    bool take_pull(double time);
    void add_products(const std::vector<double>& columns);
    SolverStatus cross(const Segment& segment);
    SolverStatus take_pulls(const Segment& segment);
    int go_out(Integrator& integrator, const Segment& segment);
    void turn(Integrator& integrator, double time);
    int go_back(Integrator& integrator, double from, double to, bool is_first);

    int rates_back(double time, N_Vector y, N_Vector lambda, N_Vector derivative);
    int integrands(double time, N_Vector y, N_Vector lambda, N_Vector derivative);
    int jacobian_back(double time, N_Vector y, SUNMatrix matrix);
    bool run_jacobian(double time, N_Vector y);

    const CvodesModel& model_;
    const Outward& outward_;
    std::vector<int> from_; ///< of transposed_; declared before it
    JacobianPattern transposed_;
    CvodeSystem own_;
    ScalarProgram jacobian_, slopes_;
    std::span<const double> inputs_;
    std::vector<double> lambda_, gradient_, tolerance_, integral_tolerance_, entries_;
    std::span<const double> sensitivity_infusion_;
    std::size_t next_pull_ = 0; ///< those before it are still to come
};

/// λ_i times the size of state i has the unit of G: the largest pull says how large that is.
void Homeward::find_tolerance() {
    double largest = 0.0;
    for (const Pull& pull : outward_.pulls)
        for (int i = 0; i < model_.n; ++i)
            largest = std::max(largest,
                               std::fabs(pull.on_states[index(i)]) * outward_.tolerance[index(i)]);
    // `tolerance` is rtol·0.01·scale, so that the quotient below is rtol·0.01·largest/scale.
    const double part = cvode_part * model_.options.rtol * absolute_part;
    for (int i = 0; i < model_.n; ++i)
        tolerance_.push_back(largest > 0.0 ? part * largest / outward_.tolerance[index(i)] : part);
    // What G is as large as: the largest pull, times the size of its state; by the size of θ.
    const double size = largest > 0.0 ? largest / (model_.options.rtol * absolute_part) : 1.0;
    for (const int input : model_.system.system.sensitivities.wrt) {
        const double theta = std::fabs(inputs_[index(input)]);
        integral_tolerance_.push_back(part * size / (theta > 0.0 ? theta : 1.0));
    }
}

/// Samples come after doses at the same time, so going back they come first.
void Homeward::arrive(const Station& station) {
    take_pull(station.time);
    add_products(station.jumps);
}

bool Homeward::take_pull(double time) {
    if (next_pull_ == 0 || outward_.pulls[next_pull_ - 1].time < time) return false;
    const Pull& pull = outward_.pulls[--next_pull_];
    for (std::size_t i = 0; i < lambda_.size(); ++i)
        lambda_[i] += pull.on_states[i];
    return true;
}

/// gradient_k += Σ_i λ_i·columns_ki
void Homeward::add_products(const std::vector<double>& columns) {
    for (std::size_t k = 0; k < gradient_.size(); ++k)
        for (std::size_t i = 0; i < lambda_.size(); ++i)
            gradient_[k] += lambda_[i] * columns[k * lambda_.size() + i];
}

SolverStatus Homeward::cross(const Segment& segment) {
    Integrator integrator;
    own_.set_infusion(segment.infusion);
    sensitivity_infusion_ = segment.sensitivity_infusion;
    if (const int code = go_out(integrator, segment); code < 0)
        return code == CV_TOO_CLOSE ? take_pulls(segment) : status_of_code(code);
    double time = segment.to;
    bool is_first = true;
    while (time > segment.from) {
        const double next = next_pull_ > 0 ? outward_.pulls[next_pull_ - 1].time : segment.from;
        const double stop = std::max(next, segment.from);
        // As long as nothing pulls, λ is 0 and stays so.
        if (std::any_of(lambda_.begin(), lambda_.end(), [](double x) { return x != 0.0; })) {
            if (const int code = go_back(integrator, time, stop, is_first); code < 0)
                return status_of_code(code);
            is_first = false;
        }
        time = stop;
        if (time > segment.from) take_pull(time); // else it is for arrive()
    }
    return SolverStatus::ok;
}

/// Over a segment so short that nothing moves in it.
SolverStatus Homeward::take_pulls(const Segment& segment) {
    while (next_pull_ > 0 && outward_.pulls[next_pull_ - 1].time > segment.from)
        take_pull(segment.from);
    return SolverStatus::ok;
}

/// Over the segment once more, this time leaving checkpoints.
int Homeward::go_out(Integrator& integrator, const Segment& segment) {
    constexpr long steps_between_checkpoints = 200;
    Integrator& in = integrator;
    in.y = sun_vector(in.context, model_.n);
    std::copy(segment.states.begin(), segment.states.end(), values(in.y.get()).begin());
    in.matrix = sun_matrix(in.context, model_.pattern);
    in.solver = sun_linear_solver(in.context, in.y.get(), in.matrix.get());
    in.memory = cvode_bdf(in.context);
    prepare_cvodes(in.memory.get(),
                   model_,
                   own_,
                   in.y.get(),
                   in.solver.get(),
                   in.matrix.get(),
                   outward_.tolerance,
                   in.context,
                   segment.from);
    require(CVodeAdjInit(in.memory.get(), steps_between_checkpoints, CV_HERMITE), "CVodeAdjInit");
    require(CVodeSetStopTime(in.memory.get(), segment.to), "CVodeSetStopTime");
    require(CVodeSetMaxNumSteps(in.memory.get(), model_.options.max_steps), "CVodeSetMaxNumSteps");
    double reached = 0.0;
    int n_checkpoints = 0;
    return CVodeF(in.memory.get(), segment.to, in.y.get(), &reached, CV_NORMAL, &n_checkpoints);
}

/// Makes the integrator of λ, at the time it first is not 0.
void Homeward::turn(Integrator& integrator, double time) {
    Integrator& in = integrator;
    void* memory = in.memory.get();
    in.lambda = sun_vector(in.context, model_.n);
    std::copy(lambda_.begin(), lambda_.end(), values(in.lambda.get()).begin());
    in.integrals = sun_vector(in.context, model_.n_wrt);
    in.absolute = sun_vector(in.context, model_.n);
    std::copy(tolerance_.begin(), tolerance_.end(), values(in.absolute.get()).begin());
    in.matrix_back = sun_matrix(in.context, transposed_);
    in.solver_back = sun_linear_solver(in.context, in.lambda.get(), in.matrix_back.get());
    require(CVodeCreateB(memory, CV_BDF, &in.which), "CVodeCreateB");
    const auto rates = [](double t, N_Vector y, N_Vector l, N_Vector d, void* self) {
        return static_cast<Homeward*>(self)->rates_back(t, y, l, d);
    };
    const auto integrands = [](double t, N_Vector y, N_Vector l, N_Vector d, void* self) {
        return static_cast<Homeward*>(self)->integrands(t, y, l, d);
    };
    const auto jacobian = [](double t,
                             N_Vector y,
                             N_Vector,
                             N_Vector,
                             SUNMatrix matrix,
                             void* self,
                             N_Vector,
                             N_Vector,
                             N_Vector) {
        return static_cast<Homeward*>(self)->jacobian_back(t, y, matrix);
    };
    require(CVodeInitB(memory, in.which, rates, time, in.lambda.get()), "CVodeInitB");
    require(CVodeSetUserDataB(memory, in.which, this), "CVodeSetUserDataB");
    require(
        CVodeSVtolerancesB(memory, in.which, cvode_part * model_.options.rtol, in.absolute.get()),
        "CVodeSVtolerancesB");
    require(CVodeSetLinearSolverB(memory, in.which, in.solver_back.get(), in.matrix_back.get()),
            "CVodeSetLinearSolverB");
    require(CVodeSetJacFnB(memory, in.which, jacobian), "CVodeSetJacFnB");
    require(CVodeSetMaxNumStepsB(memory, in.which, model_.options.max_steps),
            "CVodeSetMaxNumStepsB");
    require(CVodeQuadInitB(memory, in.which, integrands, in.integrals.get()), "CVodeQuadInitB");
    // λ may be slow where the states, and so the integrands, are fast.
    require(CVodeSetQuadErrConB(memory, in.which, SUNTRUE), "CVodeSetQuadErrConB");
    const SunVector absolute = sun_vector(in.context, model_.n_wrt);
    std::copy(
        integral_tolerance_.begin(), integral_tolerance_.end(), values(absolute.get()).begin());
    require(
        CVodeQuadSVtolerancesB(memory, in.which, cvode_part * model_.options.rtol, absolute.get()),
        "CVodeQuadSVtolerancesB");
}

int Homeward::go_back(Integrator& integrator, double from, double to, bool is_first) {
    Integrator& in = integrator;
    void* memory = in.memory.get();
    if (is_first) {
        turn(in, from);
    } else {
        std::copy(lambda_.begin(), lambda_.end(), values(in.lambda.get()).begin());
        N_VConst(0.0, in.integrals.get());
        require(CVodeReInitB(memory, in.which, from, in.lambda.get()), "CVodeReInitB");
        require(CVodeQuadReInitB(memory, in.which, in.integrals.get()), "CVodeQuadReInitB");
    }
    if (const int code = CVodeB(memory, to, CV_NORMAL); code < 0)
        return code == CV_TOO_CLOSE ? 0 : code; // a rounding apart: λ stays
    double reached = 0.0;
    require(CVodeGetB(memory, in.which, &reached, in.lambda.get()), "CVodeGetB");
    require(CVodeGetQuadB(memory, in.which, &reached, in.integrals.get()), "CVodeGetQuadB");
    std::copy_n(values(in.lambda.get()).begin(), model_.n, lambda_.begin());
    for (std::size_t k = 0; k < gradient_.size(); ++k)
        gradient_[k] += values(in.integrals.get())[k];
    return 0;
}

bool Homeward::run_jacobian(double time, N_Vector y) {
    jacobian_.set_states(values(y));
    jacobian_.set_time(time);
    jacobian_.run();
    return all_finite({jacobian_.results(), index(model_.pattern.n_entries())});
}

int Homeward::rates_back(double time, N_Vector y, N_Vector lambda, N_Vector derivative) {
    if (!run_jacobian(time, y)) return 1;
    const double* entry = jacobian_.results();
    for (int j = 0; j < model_.n; ++j) {
        double sum = 0.0;
        for (int k = model_.pattern.starts[index(j)]; k < model_.pattern.starts[index(j + 1)]; ++k)
            sum -= entry[k] * values(lambda)[index(model_.pattern.rows[index(k)])];
        values(derivative)[index(j)] = sum;
    }
    return all_finite(values(derivative)) ? 0 : 1;
}

/// Towards smaller times, so that the integral from there to here comes out positive.
int Homeward::integrands(double time, N_Vector y, N_Vector lambda, N_Vector derivative) {
    slopes_.set_states(values(y));
    slopes_.set_time(time);
    slopes_.run();
    for (std::size_t k = 0; k < gradient_.size(); ++k) {
        double sum = 0.0;
        for (std::size_t i = 0; i < lambda_.size(); ++i) {
            const std::size_t slot = k * lambda_.size() + i;
            sum -= values(lambda)[i] * (slopes_.results()[slot] + sensitivity_infusion_[slot]);
        }
        values(derivative)[k] = sum;
    }
    return all_finite(values(derivative)) ? 0 : 1;
}

int Homeward::jacobian_back(double time, N_Vector y, SUNMatrix matrix) {
    if (!run_jacobian(time, y)) return 1;
    entries_.resize(from_.size());
    for (std::size_t k = 0; k < from_.size(); ++k)
        entries_[k] = -jacobian_.results()[from_[k]];
    store(transposed_, entries_.data(), matrix);
    return 0;
}

void check(const SubjectProblem& problem, const Objective& objective) {
    const auto has_shape = [&](const std::vector<std::vector<double>>& values) {
        return std::equal(values.begin(),
                          values.end(),
                          problem.sampled.begin(),
                          problem.sampled.end(),
                          [](const std::vector<double>& row, const SampledOutput& sampled) {
                              return row.size() == sampled.times.size();
                          });
    };
    if (!has_shape(objective.weights))
        throw std::invalid_argument("CVODES: the objective's weights do not fit the samples");
    if (objective.law == Objective::Law::weighted_squares && !has_shape(objective.observed))
        throw std::invalid_argument("CVODES: the objective's observed do not fit the samples");
}

} // namespace

SubjectGradient adjoint_gradient(const CvodesModel& model,
                                 CvodesSubject& subject,
                                 const SubjectProblem& problem,
                                 const Objective& objective) {
    check(problem, objective);
    // A dose on its way moves the others on: a jump whose transpose is not that of an amount.
    if (model.system.system.n_kept_states > 0)
        throw std::invalid_argument(
            "CVODES: the adjoint does not go through transits; take forward sensitivities");
    SubjectGradient result{SolverStatus::ok, nan, std::vector<double>(index(model.n_wrt), nan)};
    Outward outward(model, subject, objective);
    result.status = outward.march(problem);
    if (result.status != SolverStatus::ok) return result;
    Homeward homeward(model, subject, outward);
    result.status = homeward.march();
    if (result.status != SolverStatus::ok) return result;
    result.value = outward.value;
    result.gradient = homeward.gradient();
    return result;
}

} // namespace gemel::sim
