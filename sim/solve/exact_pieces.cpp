#include "solve/exact_pieces.hpp"

#include <algorithm>
#include <cmath>

namespace gemel::sim {

void cut_octaves(double length, double fastest, int max_octaves, std::vector<double>& edges) {
    int octaves = 2;
    while (octaves < max_octaves && std::ldexp(length, -octaves) * fastest > first_piece)
        ++octaves;
    edges.assign(1, 0.0);
    for (int k = octaves; k >= 0; --k)
        edges.push_back(std::ldexp(length, -k));
}

void cut_pieces(double length, double fastest, double slowest, std::vector<double>& edges) {
    constexpr int most_octaves = 1100;    // all there are between doubles, for volumes near 0
    constexpr double longest_piece = 1.5; // in units of the slowest decay
    constexpr double visible = 45.0;      // decays until nothing is left of an amount
    constexpr double per_octave = 3.0;

    edges.assign(1, 0.0);
    int octaves = 2;
    while (octaves < most_octaves && std::ldexp(length, -octaves) * fastest > first_piece)
        ++octaves;
    for (int k = octaves; k > 0; --k) {
        const double start = std::ldexp(length, -k);
        edges.push_back(start);
        const double decays = start * slowest;
        const double wanted = decays < visible ? std::ceil(decays / longest_piece) : 0.0;
        const int parts = static_cast<int>(std::max(per_octave, wanted));
        for (int i = 1; i < parts; ++i)
            edges.push_back(start + start * i / parts);
    }
    edges.push_back(length);
}

} // namespace gemel::sim
