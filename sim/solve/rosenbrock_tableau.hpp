#pragma once

namespace gemel::sim {

/// A stiffly accurate Rosenbrock method with eight stages in the transformed form, in which stages
/// need no product with the Jacobian:
///
///   (I/(hγ) − J) U_i = f(t + c_i h, u_i) + Σ_{j<i} (C_ij/h) U_j + h d_i f_t
///   u_i = y + Σ_{j<i} a_ij U_j   for i ≤ 6,   u_7 = u_6 + U_6,   u_8 = u_7 + U_7
///   y1 = u_8 + U_8,   error estimate U_8
///   y(θ) = (1−θ) y0 + θ (y1 + (1−θ) (K_1 + θ (K_2 + θ K_3))),   K_i = Σ_j h_ij U_j
struct RosenbrockTableau {
    static constexpr int n_stages = 8;
    static constexpr int n_tabulated = 6; ///< stages whose argument is in `a`

    double gamma;
    double a[n_tabulated][n_stages];
    double C[n_stages][n_stages];
    double c[n_stages];
    double d[n_stages];
    double h[3][n_stages];
};

/// Rodas5P: order 5, dense output of order 4, stiffly accurate, L-stable.
///
/// Source: Steinebach (2023), BIT Numer Math 63:27, doi:10.1007/s10543-023-00967-x. The tests check
/// all conditions for these orders. Theory manual: solvers.md.
const RosenbrockTableau& rodas5p_tableau();

} // namespace gemel::sim
