#pragma once

#include <gemel/sim/ode_system.hpp>

#include <span>
#include <vector>

/// The tolerances of the subject in hand, as the weights CVODE asks for. Theory manual: solvers.md.
namespace gemel::sim {

/// Of the first states of a system. Those whose errors decide no steps have none, and neither do
/// doses kept for a transit, which only doses change: CVODE takes the mean square over all states,
/// and it is meant over the others.
class CvodeWeights {
public:
    CvodeWeights(double rtol, const OdeSystem& system, int n_states);

    /// @param scale  by error_scales(); where it is 0, the largest value so far
    void load(std::span<const double> scale);
    /// After load(): what the sizes have become since.
    void go_on(std::span<const double> scale);
    void follow(std::span<const double> y);
    /// At the start of a stretch at `time`: a state without a scale of its own that its rate
    /// outgrows before the clock moves much is as good as 0.
    void start(std::span<const double> rates, double time);
    const std::vector<double>& scale() const { return scale_; }

    /// A state without a scale that is as good as 0 does not count until it has moved.
    void write(std::span<const double> y, std::span<double> weights) const;

    /// ½·√tolerance / max_i(rate_i / size_i) and no longer than `room`, for a method that starts at
    /// order 1: a free number, whatever the units.
    double first_step(std::span<const double> y, std::span<const double> rates, double room) const;

    /// Whether a state leaves 0 without a scale. In the first step it has no error test: its rate
    /// may change by no more than largest_change(), as a part of itself.
    bool leaves_zero(std::span<const double> y, std::span<const double> rates) const;
    double largest_change() const { return start_; }
    double change(std::span<const double> y,
                  std::span<const double> rates,
                  std::span<const double> rates_after) const;

private:
    double size(std::size_t i, double y) const;
    bool leaves_zero(std::size_t i, double y, double rate) const;

    std::vector<double> scale_, least_; ///< sizes that count are above `least_`
    std::vector<bool> counts_, follows_;
    double weight_ = 0.0; ///< of a state of size 1
    double start_ = 0.0;  ///< ½·√tolerance
};

} // namespace gemel::sim
