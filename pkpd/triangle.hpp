#pragma once

#include <gemel/io/toml.hpp>

#include <optional>
#include <vector>

/// Symmetric matrices of covariance or correlation: read as their lower triangle, checked, rooted.
namespace gemel::pkpd {

/// Lower triangle rows → symmetric [n × n]; nothing after a mistake of shape. Without diagonal it
/// is that of a correlation, 1.
/// @param what  "parameters": of whom the rows speak
std::optional<std::vector<double>> read_triangle(const io::TomlView& view,
                                                 std::size_t n,
                                                 bool has_diagonal,
                                                 const char* what,
                                                 sim::DiagnosticList& diagnostics);

/// What rounding leaves of a correlation of 1 counts as 0.
bool is_positive_semidefinite(std::vector<double> matrix, std::size_t n);

/// L with L·Lᵀ = covariance, row by row, sums in one order.
std::vector<double> cholesky(const std::vector<double>& covariance, std::size_t n);

/// M·Mᵀ, sums in one order.
std::vector<double> times_transposed(const std::vector<double>& matrix, std::size_t n);

} // namespace gemel::pkpd
