#pragma once

#include <cstdint>
#include <span>

namespace gemel::sim {

/// Sums of the first four powers about the running mean, of weighted numbers: the pieces of mean,
/// variance and their errors. Adding and joining lose no digits to cancellation.
///
/// Joining is not associative in its last bits: over subjects use leaves of 64 in an OrderedTree.
/// Source: Chan, Golub and LeVeque (1983), doi:10.1080/00031305.1983.10483115; third and fourth
/// power: Pébay (2008), Sandia report SAND2008-6212. Weights take the place of counts.
struct Moments {
    std::uint64_t n = 0;         ///< numbers added
    double weight = 0.0;         ///< Σw
    double weight_squares = 0.0; ///< Σw²
    double mean = 0.0;           ///< Σwx/Σw; 0 while there is no weight
    double m2 = 0.0;             ///< Σw(x − mean)²
    double m3 = 0.0, m4 = 0.0;   ///< of the third and fourth power

    void add(double value, double its_weight = 1.0);
    Moments& operator+=(const Moments& right);

    /// (Σw)²/Σw² of Kish: as many equal weights tell as much; n where all weights are 1.
    double effective_n() const {
        return weight_squares > 0.0 ? weight * weight / weight_squares : 0.0;
    }
    /// m2/(Σw − Σw²/Σw): with n − 1 where all weights are 1. NaN below two effective numbers.
    double variance() const;
};

} // namespace gemel::sim
