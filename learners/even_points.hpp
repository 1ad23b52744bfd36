#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gemel::learners {

/// Points that fill a unit cube evenly: the first of Sobol's sequence (Sobol' 1967, USSR Comput
/// Math Math Phys 7(4):86–112) with the direction numbers of Joe & Kuo (2008), SIAM J Sci Comput
/// 30:2635–2654. A random shift of their bits makes each point uniform and keeps the set even: the
/// mean over it is unbiased, and its error falls faster than with independent draws.
class EvenPoints {
public:
    EvenPoints(std::size_t n_points, std::size_t n_dimensions);
    std::size_t size() const { return n_points_; }

    /// One coordinate of all points, its bits shifted. @param u  [size()], in (0, 1)
    void shifted(std::size_t dimension, std::uint64_t shift, double* u) const;

private:
    std::size_t n_points_ = 0;
    std::vector<std::uint64_t> bits_; ///< [n_dimensions × n_points]
};

} // namespace gemel::learners
