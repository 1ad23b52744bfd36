#pragma once

#include <vector>

/// How exact solutions are cut into pieces for the observer. Theory manual: exact.md.
namespace gemel::sim {

inline constexpr double first_piece = 0.5; ///< in units of the fastest decay

/// Edges of the octaves length·2^−k of [0, length] down to the fastest rate, at most `max_octaves`.
void cut_octaves(double length, double fastest, int max_octaves, std::vector<double>& edges);

/// For real eigenvalues. Cuts [0, length] so that on each piece five Gauss points and a parabola
/// per maximum do: octaves length·2^−k down to the fastest rate, three pieces each, and none much
/// longer than the slowest decay while that is visible. Depends on rates and length alone, never on
/// what is observed. Edges may coincide in time.
void cut_pieces(double length, double fastest, double slowest, std::vector<double>& edges);

} // namespace gemel::sim
