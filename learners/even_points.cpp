#include "even_points.hpp"

#include <boost/random/sobol.hpp>

namespace gemel::learners {

EvenPoints::EvenPoints(std::size_t n_points, std::size_t n_dimensions)
    : n_points_(n_points),
      bits_(n_points * n_dimensions, 0) {
    if (n_dimensions == 0) return;
    // Boost leaves out the origin, which the evenness of the first 2^m points needs.
    boost::random::sobol sequence(n_dimensions);
    for (std::size_t i = 1; i < n_points; ++i)
        for (std::size_t k = 0; k < n_dimensions; ++k)
            bits_[k * n_points + i] = sequence();
}

void EvenPoints::shifted(std::size_t dimension, std::uint64_t shift, double* u) const {
    const std::uint64_t* bits = bits_.data() + dimension * n_points_;
    for (std::size_t i = 0; i < n_points_; ++i)
        u[i] = (static_cast<double>((bits[i] ^ shift) >> 12U) + 0.5) * 0x1p-52;
}

} // namespace gemel::learners
