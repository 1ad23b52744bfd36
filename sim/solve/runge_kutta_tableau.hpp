#pragma once

namespace gemel::sim {

/// An explicit Runge–Kutta method with seven stages whose last stage is the first of the next step:
///
///   k_i = f(t + c_i h, u_i),   u_i = y + h Σ_{j<i} a_ij k_j,   y1 = u_7
///   error estimate h Σ_j e_j k_j
///   y(θ) = (1−θ) y0 + θ (y1 + (1−θ) (K_1 + θ (K_2 + θ K_3))),   K_i = h Σ_j h_ij k_j
struct RungeKuttaTableau {
    static constexpr int n_stages = 7;

    double a[n_stages][n_stages];
    double c[n_stages];
    double e[n_stages];
    double h[3][n_stages];
};

/// Tsit5: order 5 with an error estimate and a dense output of order 4. Stages 6 and 7 are both at
/// the end of the step, which tells how near the step is to the edge of stability.
///
/// Source: Tsitouras (2011), Comput Math Appl 62:770–775, doi:10.1016/j.camwa.2011.06.002; dense
/// output rewritten from its b_i(θ). The tests check all conditions for these orders. Theory
/// manual: solvers.md.
const RungeKuttaTableau& tsit5_tableau();

} // namespace gemel::sim
