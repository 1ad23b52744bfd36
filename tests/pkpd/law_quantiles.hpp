#pragma once

#include "covariate_law.hpp"

/// Quantiles of one subject.
namespace gemel::pkpd {

inline double quantile_of(const CovariateDistribution& law, double u) {
    return quantiles(law, LawColumns(law), {{&u, 1}}).front();
}
inline double quantile_of_score(const CovariateDistribution& law, double z) {
    return quantiles(law, LawColumns(law), {{&z, 1}, true}).front();
}

} // namespace gemel::pkpd
