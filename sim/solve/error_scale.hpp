#pragma once

#include "solve/expansion.hpp"

#include <gemel/sim/ode_system.hpp>

#include <cstddef>
#include <span>
#include <vector>

/// The size of each state for error control, the same for every solver that controls a step:
/// a step is accepted when error_i ≤ step_part·rtol·(0.01·scale_i + |y_i|).
namespace gemel::sim {

/// Below this part of its scale a state is controlled absolutely.
inline constexpr double absolute_part = 0.01;

/// Keeps 0/0 out of the error of a state that is 0 and stays 0.
inline constexpr double smallest_size = 1e-290;

/// What one step may use of the tolerance: errors of many steps add up, and rtol is a promise about
/// the solution. With 1, growth in waves over 200 steps ends at 3 to 6 times rtol (Rodas5P,
/// dopri5).
inline constexpr double step_part = 0.1;
/// The same for explicit lane methods: the interpolant within their step is of order 4 and in no
/// error estimate, so that smaller steps must keep it in bounds: with 0.1, one of 1,000 patients of
/// the battery has a sample between steps at 68 times rtol.
inline constexpr double explicit_step_part = 0.01;

/// Scales of states. One object per solver at work: it keeps room for its own numbers.
class ErrorScales {
public:
    explicit ErrorScales(const OdeSystem& system); ///< must outlive this

    /// One subject's scales, [n_controlled_states] (state i at scale[i·stride]): what the state
    /// declares; else, if it takes doses, the largest amount this subject receives at once or in
    /// one stretch of infusion, or holds at time 0, in any state of that dimension; else its
    /// baseline |initial|. A state left with 0 by all that goes by the largest value it has had so
    /// far: the solver keeps it. Derivatives of states have their state's scale over |θ|, over 1
    /// where θ is 0.
    void find(std::span<const Event> events,
              const double* initial,
              std::ptrdiff_t initial_stride,
              double end,
              double* scale,
              std::ptrdiff_t stride,
              const double* inputs = nullptr,
              std::ptrdiff_t input_stride = 1);

private:
    /// Infusions of one state that overlap or touch.
    struct Stretch {
        double rate = 0.0, since = 0.0, amount = 0.0;
        int running = 0;
    };
    void find_largest_amounts(std::span<const Event> events, double end);
    void advance(std::size_t state, double time);
    double largest_in_unit_of(std::size_t state) const;

    const OdeSystem& system_;
    std::size_t n_;              ///< own states
    std::vector<double> factor_; ///< [n × n] from the unit of j to that of i; 0: other dimensions
    std::vector<Stretch> stretches_; ///< [n]
    std::vector<double> amounts_;    ///< [n] the largest that each state receives
};

} // namespace gemel::sim
