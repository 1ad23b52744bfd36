#pragma once

#include <vector>

/// The one source that includes Eigen's MatrixFunctions.
namespace gemel::sim {

/// e^M of a row-major matrix [n × n], by scaling and squaring with Padé approximants (Higham 2005,
/// SIAM J Matrix Anal Appl 26:1179–1193, as in Eigen). Relative error in norm near rounding times
/// ‖M‖. Result row-major.
std::vector<double> matrix_exponential(int n, const std::vector<double>& matrix);

} // namespace gemel::sim
