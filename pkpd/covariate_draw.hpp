#pragma once

#include <gemel/pkpd/population.hpp>

#include <functional>
#include <string>

namespace gemel::pkpd {

/// The value that a subject's data have for a covariate.
using ValueOf = std::function<double(std::uint64_t subject, std::size_t covariate)>;

/// "covariate/WT", or "mixture/NAME" of a sub-population that the model declares.
std::string drawing_purpose(const Covariate& covariate);

/// Draws the covariates of the subjects of one stratum.
/// @param subjects  which of the `count`, ascending
/// @param random of these subjects
/// @param first  the number of the first of the `count` in the population
/// @param proportions  of mixtures in this replicate, by covariate; nullptr: the model's
/// @param columns   [n_covariates × count], filled at these subjects
/// @param weight    [count] or empty where no subject carries one
void draw_stratum(const Population& population,
                  std::size_t stratum,
                  std::span<const std::uint32_t> subjects,
                  std::uint64_t first,
                  const sim::RandomColumns& random,
                  const ValueOf& value_of,
                  const std::vector<std::vector<double>>* proportions,
                  std::size_t count,
                  std::vector<double>& columns,
                  std::vector<double>& weight);

} // namespace gemel::pkpd
