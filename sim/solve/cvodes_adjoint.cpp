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

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

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
          theta_(subject.theta()),
          own_(model.own()),
          jacobian_(model.programs.programs[CvodesModel::jacobian], model.programs.layout),
          slopes_(model.programs.programs[CvodesModel::input_slopes], model.programs.layout),
          lambda_(index(model.n), 0.0),
          gradient_(outward.gradient) {
        const ScalarSubject data = subject.data();
        own_.load({data.inputs, data.derived, outward.scale});
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
        Integrator(CvodeSystem& own, std::int64_t max_steps) : out(own, max_steps) {}
        CvodeIntegrator out;
        SunVector lambda, integrals;
        SunMatrix matrix;
        SunLinearSolver solver;
        int which = 0;
    };

    void find_tolerance();
    void arrive(const Station& station);
    bool take_pull(double time);
    void add_products(const std::vector<double>& columns);
    SolverStatus cross(const Segment& segment);
    SolverStatus go_out(Integrator& integrator, const Segment& segment);
    void turn(Integrator& integrator, double time);
    void initialise_back(Integrator& integrator, double time);
    SolverStatus go_back(Integrator& integrator, double from, double to, bool is_first);

    int rates_back(double time, N_Vector y, N_Vector lambda, N_Vector derivative);
    int integrands(double time, N_Vector y, N_Vector lambda, N_Vector derivative);
    int jacobian_back(double time, N_Vector y, SUNMatrix matrix);
    bool run_jacobian(double time, N_Vector y);

    const CvodesModel& model_;
    const Outward& outward_;
    std::vector<int> from_; ///< of transposed_; declared before it
    JacobianPattern transposed_;
    std::span<const double> theta_;
    CvodeSystem own_;
    ScalarProgram jacobian_, slopes_;
    std::vector<double> lambda_, gradient_, tolerance_, integral_tolerance_, entries_;
    std::span<const double> sensitivity_infusion_;
    std::size_t next_pull_ = 0; ///< those before it are still to come
};

/// λ_i times the size of state i has the unit of G, and so has its integral by θ times θ: the
/// largest pull says how large that is. A state that is 0 all the way has no size, and what has
/// none decides no steps.
void Homeward::find_tolerance() {
    constexpr double none = 1.0 / smallest_size;
    std::vector<double> own(index(model_.n));
    double largest = 0.0;
    for (const Pull& pull : outward_.pulls)
        for (std::size_t i = 0; i < own.size(); ++i) {
            own[i] = std::max(own[i], std::fabs(pull.on_states[i]));
            largest = std::max(largest, std::fabs(pull.on_states[i]) * outward_.scale[i]);
        }
    const double part = cvode_part * model_.options.rtol * absolute_part;
    const auto tolerance = [&](double size) { return size > 0.0 ? part * size : none; };
    for (std::size_t i = 0; i < own.size(); ++i)
        tolerance_.push_back(
            tolerance(outward_.scale[i] > 0.0 ? largest / outward_.scale[i] : own[i]));
    for (const double theta : theta_)
        integral_tolerance_.push_back(tolerance(largest / theta));
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
    own_.set_infusion(segment.infusion);
    sensitivity_infusion_ = segment.sensitivity_infusion;
    Integrator integrator(own_, model_.options.max_steps);
    if (const SolverStatus status = go_out(integrator, segment); status != SolverStatus::ok)
        return status;
    double time = segment.to;
    bool is_first = true;
    while (time > segment.from) {
        const double next = next_pull_ > 0 ? outward_.pulls[next_pull_ - 1].time : segment.from;
        const double stop = std::max(next, segment.from);
        // As long as nothing pulls, λ is 0 and stays so.
        if (std::any_of(lambda_.begin(), lambda_.end(), [](double x) { return x != 0.0; })) {
            if (const SolverStatus status = go_back(integrator, time, stop, is_first);
                status != SolverStatus::ok)
                return status;
            is_first = false;
        }
        time = stop;
        if (time > segment.from) take_pull(time); // else it is for arrive()
    }
    return SolverStatus::ok;
}

/// Over the segment once more, this time leaving checkpoints.
SolverStatus Homeward::go_out(Integrator& integrator, const Segment& segment) {
    constexpr long steps_between_checkpoints = 200;
    CvodeIntegrator& out = integrator.out;
    void* memory = out.memory();
    std::copy(segment.states.begin(), segment.states.end(), values(out.y()).begin());
    if (const SolverStatus status = out.restart(segment.from, segment.to);
        status != SolverStatus::ok)
        return status;
    require(CVodeAdjInit(memory, steps_between_checkpoints, CV_HERMITE), "CVodeAdjInit");
    require(CVodeSetMaxNumSteps(memory, model_.options.max_steps), "CVodeSetMaxNumSteps");
    double reached = 0.0;
    int n_checkpoints = 0;
    return status_of(CVodeF(memory, segment.to, out.y(), &reached, CV_NORMAL, &n_checkpoints),
                     memory);
}

/// Makes the integrator of λ, at the time it first is not 0.
void Homeward::turn(Integrator& integrator, double time) {
    Integrator& in = integrator;
    void* memory = in.out.memory();
    const SunContext& context = in.out.context();
    in.lambda = sun_vector(context, model_.n);
    std::copy(lambda_.begin(), lambda_.end(), values(in.lambda.get()).begin());
    in.integrals = sun_vector(context, model_.n_wrt);
    in.matrix = sun_matrix(context, transposed_);
    in.solver = sun_linear_solver(context, in.lambda.get(), in.matrix.get());
    require(CVodeCreateB(memory, CV_BDF, &in.which), "CVodeCreateB");
    initialise_back(in, time);
    const double rtol = cvode_part * model_.options.rtol;
    const SunVector absolute = sun_vector(context, model_.n);
    std::copy(tolerance_.begin(), tolerance_.end(), values(absolute.get()).begin());
    require(CVodeSVtolerancesB(memory, in.which, rtol, absolute.get()), "CVodeSVtolerancesB");
    // λ may be slow where the states, and so the integrands, are fast.
    const SunVector of_integrals = sun_vector(context, model_.n_wrt);
    std::copy(
        integral_tolerance_.begin(), integral_tolerance_.end(), values(of_integrals.get()).begin());
    require(CVodeSetQuadErrConB(memory, in.which, SUNTRUE), "CVodeSetQuadErrConB");
    require(CVodeQuadSVtolerancesB(memory, in.which, rtol, of_integrals.get()),
            "CVodeQuadSVtolerancesB");
    require(CVodeSetMaxNumStepsB(memory, in.which, model_.options.max_steps),
            "CVodeSetMaxNumStepsB");
    set_failure_limits(CVodeGetAdjCVodeBmem(memory, in.which));
}

/// Tells CVODES the functions, and the linear solver with its matrix.
void Homeward::initialise_back(Integrator& in, double time) {
    void* memory = in.out.memory();
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
    require(CVodeSetLinearSolverB(memory, in.which, in.solver.get(), in.matrix.get()),
            "CVodeSetLinearSolverB");
    require(CVodeSetJacFnB(memory, in.which, jacobian), "CVodeSetJacFnB");
    require(CVodeQuadInitB(memory, in.which, integrands, in.integrals.get()), "CVodeQuadInitB");
}

SolverStatus Homeward::go_back(Integrator& integrator, double from, double to, bool is_first) {
    Integrator& in = integrator;
    void* memory = in.out.memory();
    if (is_first) {
        turn(in, from);
    } else {
        std::copy(lambda_.begin(), lambda_.end(), values(in.lambda.get()).begin());
        N_VConst(0.0, in.integrals.get());
        require(CVodeReInitB(memory, in.which, from, in.lambda.get()), "CVodeReInitB");
        require(CVodeQuadReInitB(memory, in.which, in.integrals.get()), "CVodeQuadReInitB");
    }
    const int code = CVodeB(memory, to, CV_NORMAL);
    if (code == CV_TOO_CLOSE) return SolverStatus::ok; // a rounding apart: λ stays
    if (code < 0) return status_of(code, CVodeGetAdjCVodeBmem(memory, in.which));
    double reached = 0.0;
    require(CVodeGetB(memory, in.which, &reached, in.lambda.get()), "CVodeGetB");
    require(CVodeGetQuadB(memory, in.which, &reached, in.integrals.get()), "CVodeGetQuadB");
    std::copy_n(values(in.lambda.get()).begin(), model_.n, lambda_.begin());
    for (std::size_t k = 0; k < gradient_.size(); ++k)
        gradient_[k] += values(in.integrals.get())[k];
    return SolverStatus::ok;
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
    SubjectGradient result{
        SolverStatus::ok, no_value, std::vector<double>(index(model.n_wrt), no_value)};
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
