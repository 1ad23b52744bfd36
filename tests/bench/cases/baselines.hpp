#pragma once

#include "case.hpp"

#include <boost/numeric/odeint.hpp>
#include <cvodes/cvodes.h>
#include <nvector/nvector_serial.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunlinsol/sunlinsol_klu.h>
#include <sunmatrix/sunmatrix_dense.h>
#include <sunmatrix/sunmatrix_sparse.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>
#include <type_traits>

/// Odeint and CVODE on a model written by hand, as someone who knows both would use them: rates and
/// Jacobian inlined, states of fixed size, one solver's memory for all patients, dense output
/// between steps, a new start at doses alone.
///
/// A model has n_states, n_inputs, n_outputs; load(inputs) computes a patient's constants;
/// initial(y), rates(y, dydt), outputs(y, values); jacobian(y, columns) fills a dense matrix of
/// zeros, column by column; with n_entries, column_starts() and rows() also
/// sparse_jacobian(y, values).
namespace gemel::bench {

/// The way of every patient: doses, then samples of the same time, then on to the next dose.
/// advance(y, from, to, sample) leaves y at `to` and calls sample(y) at every time next_time()
/// before it.
template <class Model>
class Walk {
public:
    using State = std::array<double, Model::n_states>;

    Walk(const Task& task, std::span<double> values) : task_(task), values_(values) {}

    template <class Advance>
    void go(Advance advance) {
        for (patient_ = 0; patient_ < task_.n_patients; ++patient_) {
            start();
            std::size_t dose = 0;
            for (double t = 0.0;;) {
                for (; dose < task_.doses.size() && task_.doses[dose].time <= t; ++dose)
                    state_[static_cast<std::size_t>(task_.doses[dose].state)] +=
                        task_.doses[dose].amount;
                if (next_ < task_.times.size() && task_.times[next_] <= t) sample(state_.data());
                if (t >= task_.end) break;
                stop_ = dose < task_.doses.size() ? task_.doses[dose].time : task_.end;
                advance(state_, t, stop_);
                t = stop_;
            }
        }
    }

    const Model& model() const { return model_; }
    /// Whether a sample is due by `time` and before the stop.
    bool is_due(double time) const {
        return next_ < task_.times.size() && task_.times[next_] <= time &&
               task_.times[next_] < stop_;
    }
    double due() const { return task_.times[next_]; }
    void sample(const double* y) {
        double outputs[Model::n_outputs];
        model_.outputs(y, outputs);
        const std::size_t n = task_.times.size(),
                          n_patients = static_cast<std::size_t>(task_.n_patients);
        for (std::size_t k = 0; k < Model::n_outputs; ++k)
            values_[(k * n_patients + static_cast<std::size_t>(patient_)) * n + next_] = outputs[k];
        ++next_;
    }

private:
    void start() {
        double inputs[Model::n_inputs];
        for (std::size_t i = 0; i < Model::n_inputs; ++i)
            inputs[i] = task_.inputs[i * task_.stride + static_cast<std::size_t>(patient_)];
        model_.load(inputs);
        model_.initial(state_.data());
        next_ = 0;
    }

    const Task& task_;
    std::span<double> values_;
    Model model_;
    State state_{};
    int patient_ = 0;
    std::size_t next_ = 0; ///< sample
    double stop_ = 0.0;
};

/// Rates as Odeint calls them.
template <class Model>
struct CountedRates {
    using State = typename Walk<Model>::State;
    const Model* model;
    std::int64_t* n_calls;
    void operator()(const State& y, State& dydt, double) const {
        ++*n_calls;
        model->rates(y.data(), dydt.data());
    }
};

/// A twentieth of the time in which the fastest state changes by its size, at rtol 1e-6.
template <class Model>
double first_step(const Model& model, const double* y, double rtol, double room) {
    double dydt[Model::n_states], fastest = 0.0;
    model.rates(y, dydt);
    for (int i = 0; i < Model::n_states; ++i)
        fastest = std::max(fastest, std::abs(dydt[i]) / (std::abs(y[i]) + 0.01));
    return std::min(room, 0.5 * std::pow(rtol, 0.2) / fastest);
}

template <class Model>
Counts solve_odeint(const Task& task, double rtol, std::span<double> values) {
    using State = typename Walk<Model>::State;
    namespace odeint = boost::numeric::odeint;
    auto stepper =
        odeint::make_dense_output(0.01 * rtol, rtol, odeint::runge_kutta_dopri5<State>());
    Walk<Model> walk(task, values);
    Counts counts;
    std::int64_t n_calls = 0, n_starts = 0;
    const CountedRates<Model> rates{&walk.model(), &n_calls};
    walk.go([&](State& y, double from, double to) {
        stepper.initialize(y, from, first_step(walk.model(), y.data(), rtol, to - from));
        ++n_starts;
        const double nearly = to - 1e-12 * std::abs(to);
        State between;
        while (stepper.current_time() < nearly) {
            if (stepper.current_time() + stepper.current_time_step() > to) {
                const State now = stepper.current_state();
                stepper.initialize(now, stepper.current_time(), to - stepper.current_time());
                ++n_starts;
            }
            stepper.do_step(rates);
            ++counts.n_steps;
            while (walk.is_due(stepper.current_time())) {
                stepper.calc_state(walk.due(), between);
                walk.sample(between.data());
            }
        }
        y = stepper.current_state();
    });
    counts.n_rejected = (n_calls - n_starts) / 6 - counts.n_steps;
    return counts;
}

/// Steps end on samples.
template <class Model>
Counts solve_reference(const Task& task, double rtol, std::span<double> values) {
    using State = typename Walk<Model>::State;
    namespace odeint = boost::numeric::odeint;
    rtol = std::min(rtol, 1e-12);
    auto stepper =
        odeint::make_controlled(0.01 * rtol, rtol, odeint::runge_kutta_fehlberg78<State>());
    Walk<Model> walk(task, values);
    Counts counts;
    std::int64_t n_calls = 0;
    const CountedRates<Model> rates{&walk.model(), &n_calls};
    walk.go([&](State& y, double from, double to) {
        double t = from, proposed = first_step(walk.model(), y.data(), rtol, to - from);
        while (t < to) {
            const bool is_sample = walk.is_due(to);
            const double stop = is_sample ? walk.due() : to;
            while (t < stop) {
                const bool lands = t + 1.001 * proposed >= stop;
                double step = lands ? stop - t : proposed;
                if (stepper.try_step(rates, y, t, step) == odeint::success) {
                    ++counts.n_steps;
                    if (lands) t = stop;
                    proposed = lands ? std::max(step, proposed) : step;
                } else {
                    ++counts.n_rejected;
                    proposed = step;
                }
            }
            if (is_sample) walk.sample(y.data());
        }
    });
    return counts;
}

inline void require(int code, const char* what) {
    if (code < 0) throw std::runtime_error(std::string(what) + ": " + std::to_string(code));
}

/// CVODE's memory and its matrices, one for all patients.
template <class Model, bool is_sparse>
class CvodeBaseline {
public:
    CvodeBaseline(const Model& model, double rtol) : model_(model) {
        require(SUNContext_Create(nullptr, &context_), "SUNContext_Create");
        y_ = N_VMake_Serial(Model::n_states, state_.data(), context_);
        memory_ = CVodeCreate(CV_BDF, context_);
        require(CVodeInit(memory_, rates, 0.0, y_), "CVodeInit");
        require(CVodeSetUserData(memory_, this), "CVodeSetUserData");
        require(CVodeSStolerances(memory_, rtol, 0.01 * rtol), "CVodeSStolerances");
        require(CVodeSetMaxNumSteps(memory_, 1'000'000), "CVodeSetMaxNumSteps");
        if constexpr (is_sparse) {
            matrix_ = SUNSparseMatrix(
                Model::n_states, Model::n_states, Model::n_entries, CSC_MAT, context_);
            solver_ = SUNLinSol_KLU(y_, matrix_, context_);
        } else {
            matrix_ = SUNDenseMatrix(Model::n_states, Model::n_states, context_);
            solver_ = SUNLinSol_Dense(y_, matrix_, context_);
        }
        require(CVodeSetLinearSolver(memory_, solver_, matrix_), "CVodeSetLinearSolver");
        require(CVodeSetJacFn(memory_, jacobian), "CVodeSetJacFn");
    }
    CvodeBaseline(const CvodeBaseline&) = delete;
    CvodeBaseline& operator=(const CvodeBaseline&) = delete;
    ~CvodeBaseline() {
        CVodeFree(&memory_);
        SUNLinSolFree(solver_);
        SUNMatDestroy(matrix_);
        N_VDestroy(y_);
        SUNContext_Free(&context_);
    }

    void advance(Walk<Model>& walk, typename Walk<Model>::State& y, double from, double to) {
        state_ = y;
        require(CVodeReInit(memory_, from, y_), "CVodeReInit");
        require(CVodeSetStopTime(memory_, to), "CVodeSetStopTime");
        double t = from;
        while (walk.is_due(to)) {
            require(CVode(memory_, walk.due(), y_, &t, CV_NORMAL), "CVode");
            walk.sample(state_.data());
        }
        require(CVode(memory_, to, y_, &t, CV_NORMAL), "CVode");
        y = state_;
        count();
    }
    const Counts& counts() const { return counts_; }

private:
    static int rates(double, N_Vector y, N_Vector dydt, void* self) {
        static_cast<CvodeBaseline*>(self)->model_.rates(NV_DATA_S(y), NV_DATA_S(dydt));
        return 0;
    }
    static int jacobian(
        double, N_Vector y, N_Vector, SUNMatrix matrix, void* self, N_Vector, N_Vector, N_Vector) {
        const Model& model = static_cast<CvodeBaseline*>(self)->model_;
        if constexpr (is_sparse) {
            std::copy_n(model.column_starts(), Model::n_states + 1, SM_INDEXPTRS_S(matrix));
            std::copy_n(model.rows(), Model::n_entries, SM_INDEXVALS_S(matrix));
            model.sparse_jacobian(NV_DATA_S(y), SM_DATA_S(matrix));
        } else {
            model.jacobian(NV_DATA_S(y), SM_DATA_D(matrix)); // CVODE has zeroed it
        }
        return 0;
    }
    void count() {
        long n = 0, n_errors = 0, n_newton = 0;
        CVodeGetNumSteps(memory_, &n);
        CVodeGetNumErrTestFails(memory_, &n_errors);
        CVodeGetNumNonlinSolvConvFails(memory_, &n_newton);
        counts_.n_steps += n;
        counts_.n_rejected += n_errors + n_newton;
    }

    const Model& model_;
    std::array<double, Model::n_states> state_{};
    SUNContext context_ = nullptr;
    N_Vector y_ = nullptr;
    SUNMatrix matrix_ = nullptr;
    SUNLinearSolver solver_ = nullptr;
    void* memory_ = nullptr;
    Counts counts_;
};

template <class Model, bool is_sparse = false>
Counts solve_cvode(const Task& task, double rtol, std::span<double> values) {
    Walk<Model> walk(task, values);
    CvodeBaseline<Model, is_sparse> cvode(walk.model(), rtol);
    walk.go([&](typename Walk<Model>::State& y, double from, double to) {
        cvode.advance(walk, y, from, to);
    });
    return cvode.counts();
}

/// A case with all baselines of its model.
template <class Model>
Case case_of(const char* name, const char* about, sim::Problem (*problem)()) {
    return {.name = name,
            .about = about,
            .problem = problem,
            .odeint = solve_odeint<Model>,
            .cvode = solve_cvode<Model>,
            .reference = solve_reference<Model>};
}

/// Every state of the scale 1: the absolute tolerance of the baselines.
inline void scale_by_one(sim::Problem& problem) {
    for (sim::State& state : problem.system.states)
        state.scale = 1.0;
}

} // namespace gemel::bench
