#pragma once

#include <vector>

namespace gemel::sim {

/// e^M of a row-major matrix [n × n], by scaling and squaring of a Taylor polynomial of degree 18.
/// Relative error in norm near rounding times ‖M‖; NaN if ‖M‖ is not finite. Only + − × ÷ in a
/// fixed order: the same bits on every machine. Result row-major. Theory manual: exact.md.
std::vector<double> matrix_exponential(int n, const std::vector<double>& matrix);

} // namespace gemel::sim
