#include "policies/exposure_search.hpp"

#include <algorithm>

namespace gemel::scenarios {

namespace {

/// Exposures closer than this to what is aimed at are there: some digits above the solvers' error.
constexpr double is_there = 1e-7;
constexpr double rtol_of_search = 1e-9;
/// Amounts from the usual one divided by this to that times this are looked at.
constexpr double widest = 1e4;
constexpr double narrowest = 1e-13; ///< of logarithms: rounding
constexpr int most_rounds = 80;

sim::SolverOptions options_of_search() {
    sim::SolverOptions options;
    options.rtol = rtol_of_search;
    return options;
}

} // namespace

TypicalExposure::TypicalExposure(sim::OdeSystem system,
                                 std::size_t column,
                                 sim::Timeline timeline,
                                 const BoundOutcome& outcome)
    : column_(column),
      offset_(outcome.offset),
      system_(sim::compile(std::move(system))) {
    const sim::SolverOptions options = options_of_search();
    solver_ = sim::prepare(*sim::choose_solver(system_, options).solver, system_, options);
    sim::Observation observation;
    observation.functionals = {outcome.functional};
    arm_ = {std::move(timeline), observation, solver_.get()};
}

std::vector<double> TypicalExposure::operator()(const std::vector<std::vector<double>>& patients,
                                                const std::vector<double>& amounts) const {
    sim::RunRequest request;
    request.system = &system_;
    request.arms = {arm_};
    request.subjects = {0, 0, patients.size()};
    request.n_threads = 1;
    request.inputs = [&](const sim::SubjectRange& range, std::span<double> inputs) {
        std::fill(inputs.begin(), inputs.end(), 0.0);
        for (std::size_t s = 0; s < range.count; ++s) {
            const std::vector<double>& own = patients[range.first + s];
            for (std::size_t i = 0; i < own.size(); ++i)
                inputs[i * range.count + s] = own[i];
            inputs[column_ * range.count + s] = amounts[range.first + s];
        }
    };
    sim::MemorySink sink(request);
    sim::run(request, sink);
    const auto view = sink.functionals(0);
    std::vector<double> exposures(view.data, view.data + patients.size());
    for (double& exposure : exposures)
        exposure += offset_;
    return exposures;
}

void AmountSearch::take(double exposure) {
    ++n_taken_;
    if (!std::isfinite(exposure)) return finish(std::numeric_limits<double>::quiet_NaN());
    if (std::abs(exposure - aim_) <= is_there * std::abs(aim_)) return finish(next_);
    const double x = std::log(next_), f = exposure - aim_;
    if (n_taken_ == 1)
        start(x, f, exposure);
    else if (!is_bracketed_)
        widen(x, f);
    else
        narrow(x, f);
    if (!is_done_ && n_taken_ >= most_rounds) finish(std::numeric_limits<double>::quiet_NaN());
}

void AmountSearch::finish(double amount) {
    found_ = amount;
    is_done_ = true;
}

void AmountSearch::start(double x, double f, double exposure) {
    x0_ = x;
    f0_ = f;
    const double proportional = next_ * aim_ / exposure;
    const bool can_be = std::isfinite(proportional) && proportional > usual_ / widest &&
                        proportional < usual_ * widest;
    next_ = can_be ? proportional : 2.0 * next_;
}

/// Away from the first amount, in the direction in which the exposure nears the aim.
void AmountSearch::widen(double x, double f) {
    if (f * f0_ < 0.0) {
        x1_ = x;
        f1_ = f;
        is_bracketed_ = true;
        return interpolate();
    }
    const bool is_nearer = std::abs(f) < std::abs(f0_);
    const double from = is_nearer ? x : x0_, step = is_nearer ? x - x0_ : x0_ - x;
    if (is_nearer) {
        x0_ = x;
        f0_ = f;
    }
    const double least = std::log(1.5);
    next_ = std::exp(from + std::copysign(std::max(std::abs(step), least), step));
    if (next_ < usual_ / widest || next_ > usual_ * widest)
        finish(std::numeric_limits<double>::quiet_NaN());
}

void AmountSearch::narrow(double x, double f) {
    if (f * f1_ < 0.0) {
        x0_ = x1_;
        f0_ = f1_;
    } else {
        f0_ *= 0.5; // Illinois: the end that stays must not stay for ever
    }
    x1_ = x;
    f1_ = f;
    if (std::abs(x1_ - x0_) <= narrowest) return finish(next_);
    interpolate();
}

void AmountSearch::interpolate() {
    next_ = std::exp(x1_ - f1_ * (x1_ - x0_) / (f1_ - f0_));
}

void search_all(const TypicalExposure& exposure,
                const std::vector<std::vector<double>>& patients,
                std::vector<AmountSearch>& searches) {
    while (true) {
        std::vector<std::vector<double>> open;
        std::vector<double> amounts;
        for (std::size_t i = 0; i < searches.size(); ++i)
            if (!searches[i].is_done()) {
                open.push_back(patients[i]);
                amounts.push_back(searches[i].next());
            }
        if (open.empty()) return;
        const std::vector<double> exposures = exposure(open, amounts);
        std::size_t next = 0;
        for (AmountSearch& one : searches)
            if (!one.is_done()) one.take(exposures[next++]);
    }
}

} // namespace gemel::scenarios
