#include "solve/odeint.hpp"

#include "solve/error_scale.hpp"
#include "solve/scalar_rates.hpp"
#include "solve/step_control.hpp"

#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_fehlberg78.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::sim {

namespace {

namespace odeint = boost::numeric::odeint;
using States = std::vector<double>;

/// The rates as Odeint calls them.
class Rates : public ScalarRates {
public:
    Rates(const CompiledSystem& system, const ProgramSet& programs)
        : ScalarRates(programs.programs[n_common_programs], programs.layout),
          n_controlled_(static_cast<std::size_t>(system.system.n_controlled_states())) {}

    std::size_t n_controlled_states() const { return n_controlled_; }
    void operator()(const States& y, States& dydt, double time) {
        ScalarRates::operator()(time, y, dydt);
    }

private:
    std::size_t n_controlled_ = 0;
};

/// The tolerances of the subject in hand and what Odeint's controller asks of them. Only of
/// states whose errors decide steps.
struct Tolerance {
    double rtol = 1e-6;
    double part = 1.0; ///< of the tolerance that one step may use
    States scale;
    std::vector<bool> follows; ///< scale is the largest value so far

    void load(std::span<const double> scales, std::size_t n_controlled) {
        scale.assign(scales.begin(), scales.begin() + static_cast<std::ptrdiff_t>(n_controlled));
        follows.resize(scale.size());
        for (std::size_t i = 0; i < scale.size(); ++i)
            follows[i] = !(scale[i] > 0.0);
    }
    void follow(const States& y) {
        for (std::size_t i = 0; i < scale.size(); ++i)
            if (follows[i]) scale[i] = std::max(scale[i], std::fabs(y[i]));
    }
    /// Of state i in a step from `y` to `end`. What starts at 0 without a scale is judged by what
    /// it becomes.
    double of(std::size_t i, double y, double end) const {
        double size = std::fabs(y);
        if (follows[i]) size = std::max({size, std::fabs(end), smallest_size});
        return part * rtol * (absolute_part * scale[i] + size);
    }
    /// Largest |value_i| / tolerance_i; huge instead of NaN, which Odeint would take for success.
    double norm(const States& value, const States& y, const States& end) const {
        constexpr double refused = 1e30;
        double largest = 0.0;
        for (std::size_t i = 0; i < scale.size(); ++i) {
            const double ratio = std::fabs(value[i]) / of(i, y[i], end[i]);
            if (!(ratio < refused)) return refused;
            largest = std::max(largest, ratio);
        }
        return largest;
    }
};

/// The error checker of Odeint's controller: our tolerance instead of one eps_abs for all states.
class ErrorChecker {
public:
    /// @param end  where the stepper puts the states it proposes
    ErrorChecker(const Tolerance* tolerance = nullptr, const States* end = nullptr)
        : tolerance_(tolerance),
          end_(end) {}

    template <class Algebra>
    double error(Algebra&, const States& y, const States&, const States& error, double) const {
        return tolerance_->norm(error, y, *end_);
    }

private:
    const Tolerance* tolerance_;
    const States* end_;
};

/// Steps through segments; a stepper class supplies try_step() and values within its last step.
class ControlledMethod : public ScalarMethod {
public:
    ControlledMethod(const CompiledSystem& system,
                     const ProgramSet& programs,
                     const SolverOptions& options,
                     int root,
                     double part)
        : rates_(system, programs),
          max_steps_(options.max_steps),
          root_(root) {
        tolerance_.rtol = options.rtol;
        tolerance_.part = part;
        for (States* values : {&y_, &dydt_, &y_new_, &dydt_new_, &scratch_})
            values->assign(rates_.n_states(), 0.0);
    }

    SolverStatus begin(const ScalarSubject& subject) override {
        rates_.load(subject);
        tolerance_.load(subject.scale, rates_.n_controlled_states());
        return SolverStatus::ok;
    }

    SolverStatus change(const ScalarSubject& subject) override {
        rates_.load(subject);
        return SolverStatus::ok;
    }

    std::vector<double> sizes() const override { return tolerance_.scale; }
    void go_on(std::span<const double> sizes, std::int64_t, std::int64_t) override {
        tolerance_.scale.assign(sizes.begin(), sizes.end());
    }

    SolverStatus advance(ScalarSegment& segment, const ShowPiece& show) override {
        rates_.set_infusion(segment.infusion);
        y_.assign(segment.states.begin(), segment.states.end());
        tolerance_.follow(y_);
        t_ = segment.from;
        rates_(y_, dydt_, t_);
        const SolverStatus status =
            is_finite(dydt_) ? march(segment, show) : SolverStatus::not_finite;
        segment.reached = t_;
        std::copy(y_.begin(), y_.end(), segment.states.begin());
        return status;
    }

protected:
    /// From (t_, y_, dydt_) to y_new_ and, if the method gives it, dydt_new_. On failure and on
    /// success `step` becomes what the controller proposes next.
    virtual bool try_step(double& step) = 0;
    /// States at t_ + theta·step, the step just accepted.
    virtual void between(double theta, double step, double* states) = 0;
    /// Makes dydt_new_ hold the rates at y_new_.
    virtual void finish_step(double time) { rates_(y_new_, dydt_new_, time); }

    Rates rates_;
    Tolerance tolerance_;
    States y_, dydt_, y_new_, dydt_new_, scratch_;
    double t_ = 0.0;

private:
    static bool is_finite(const States& values) {
        return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
    }

    SolverStatus march(ScalarSegment& segment, const ShowPiece& show) {
        double proposed = initial_step(segment.to - t_);
        bool was_rejected = false;
        while (t_ < segment.to) {
            if (segment.n_steps + segment.n_rejected >= max_steps_) return SolverStatus::step_limit;
            const double left = segment.to - t_;
            const bool lands = proposed >= left * (1.0 - 1e-12);
            // Two even steps rather than a long and a tiny one.
            const double step = lands ? left : std::min(proposed, 0.5 * left);
            if (was_rejected && step < 16.0 * spacing(t_))
                return is_finite(y_new_) ? SolverStatus::step_too_small : SolverStatus::not_finite;
            if (!lands && t_ + step == t_) return SolverStatus::step_too_small;
            double next = step;
            was_rejected = !try_step(next);
            if (was_rejected) {
                ++segment.n_rejected;
                proposed = next;
                continue;
            }
            ++segment.n_steps;
            if (!accept(lands ? segment.to : t_ + step, step, show)) return SolverStatus::ok;
            proposed = std::max(next, lands ? proposed : 0.0);
            if (!is_finite(dydt_)) return SolverStatus::not_finite;
        }
        return SolverStatus::ok;
    }

    bool accept(double to, double step, const ShowPiece& show) {
        finish_step(to);
        const bool goes_on =
            show(t_, to, [&](double theta, double* states) { between(theta, step, states); });
        std::swap(y_, y_new_);
        tolerance_.follow(y_);
        std::swap(dydt_, dydt_new_);
        t_ = to;
        return goes_on;
    }

    static double spacing(double time) {
        return std::nextafter(std::fabs(time), std::numeric_limits<double>::infinity()) -
               std::fabs(time);
    }

    /// ½·rtol^(1/root) / max_i(|f_i| / (|y_i| + scale_i)): a free number, whatever the units.
    /// States without a scale that are 0, or as good as that, do not count.
    double initial_step(double length) const {
        double fastest = 0.0;
        for (std::size_t i = 0; i < tolerance_.scale.size(); ++i) {
            const double size = std::fabs(y_[i]) + tolerance_.scale[i], rate = std::fabs(dydt_[i]);
            const double least = tolerance_.follows[i] ? rate * hardly_a_moment(t_) : 0.0;
            if (size > least) fastest = std::max(fastest, rate / size);
        }
        const double step = 0.5 * std::pow(tolerance_.rtol, 1.0 / root_) / fastest;
        return step < length ? step : length;
    }

    std::int64_t max_steps_ = 0;
    int root_ = 0; ///< of rtol in the first step
};

/// Odeint's rule for the next step, but it at most doubles: by chance an estimate may vanish, and
/// after a step 4.5 times longer, which is Odeint's limit, that chance is paid dearly.
class StepAdjuster : public odeint::default_step_adjuster<double, double> {
public:
    double increase_step(double step, double error, int order) const {
        return std::min(default_step_adjuster::increase_step(step, error, order), 2.0 * step);
    }
};

class Dopri5 : public ControlledMethod {
public:
    Dopri5(const CompiledSystem& system, const ProgramSet& programs, const SolverOptions& options)
        : ControlledMethod(system, programs, options, 5, step_part),
          controlled_(ErrorChecker(&tolerance_, &y_new_)) {}

protected:
    bool try_step(double& step) override {
        double time = t_;
        return controlled_.try_step(std::ref(rates_), y_, dydt_, time, y_new_, dydt_new_, step) ==
               odeint::success;
    }
    void finish_step(double) override {} // first same as last: the step has left the rates
    void between(double theta, double step, double* states) override {
        controlled_.stepper().calc_state(
            t_ + theta * step, scratch_, y_, dydt_, t_, y_new_, dydt_new_, t_ + step);
        std::copy(scratch_.begin(), scratch_.end(), states);
    }

private:
    using Stepper = odeint::runge_kutta_dopri5<States>;
    odeint::controlled_runge_kutta<Stepper, ErrorChecker, StepAdjuster> controlled_;
};

/// Fehlberg's estimate vanishes where the rates hardly depend on the states (pure quadrature), as a
/// response does while the drug is still rising; so it starts small and
/// uses less of the tolerance.
constexpr double fehlberg_part = 0.03;

class Fehlberg78 : public ControlledMethod {
public:
    Fehlberg78(const CompiledSystem& system,
               const ProgramSet& programs,
               const SolverOptions& options)
        : ControlledMethod(system, programs, options, 3, fehlberg_part),
          controlled_(ErrorChecker(&tolerance_, &y_new_)) {}

protected:
    bool try_step(double& step) override {
        double time = t_;
        return controlled_.try_step(std::ref(rates_), y_, dydt_, time, y_new_, step) ==
               odeint::success;
    }
    void between(double theta, double step, double* states) override {
        inner_.do_step(std::ref(rates_), y_, dydt_, t_, scratch_, theta * step);
        std::copy(scratch_.begin(), scratch_.end(), states);
    }

private:
    using Stepper = odeint::runge_kutta_fehlberg78<States>;
    odeint::controlled_runge_kutta<Stepper, ErrorChecker, StepAdjuster> controlled_;
    Stepper inner_;
};

std::vector<ProgramSpec> rates_alone(CompiledSystem& system) {
    return {scalar_rates_program(system)};
}

template <class Method>
std::unique_ptr<PreparedSolver> prepare(const CompiledSystem& system,
                                        const SolverOptions& options) {
    return std::make_unique<ScalarPrepared>(
        system, options, rates_alone, [options](const CompiledSystem& s, const ProgramSet& set) {
            return std::make_unique<Method>(s, set, options);
        });
}

} // namespace

std::unique_ptr<PreparedSolver> prepare_odeint_dopri5(const CompiledSystem& system,
                                                      const SolverOptions& options) {
    return prepare<Dopri5>(system, options);
}

std::unique_ptr<PreparedSolver> prepare_odeint_fehlberg78(const CompiledSystem& system,
                                                          const SolverOptions& options) {
    return prepare<Fehlberg78>(system, options);
}

bool odeint_applies(const CompiledSystem&) {
    return true;
}

} // namespace gemel::sim
