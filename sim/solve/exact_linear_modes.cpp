#include "solve/exact_linear_modes.hpp"

#include "base/lane_math.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::sim {

namespace {

using Matrix3 = std::array<std::array<double, 3>, 3>;

/// (1 − e^{−δτ})/δ for δ ≥ 0: τ where δτ vanishes, 1/δ where it is huge; never 0/0 or 0·inf.
double decayed_time(double delta, double tau) {
    const double x = delta * tau;
    // Below this the quotient is τ to the last bit, and x may have lost digits to underflow.
    if (!(x > 1e-280)) return tau;
    return -lane_expm1(-x) / delta;
}

void sort_descending(double& a, double& b) {
    if (a < b) std::swap(a, b);
}

/// f[a,b,c] for f(x) = e^{xτ} by its Taylor series about the smallest point c:
/// τ² e^{cτ} Σ_k h_k(p, q)/(k+2)!, h_k the complete homogeneous polynomial. All terms are positive.
/// p = (a−c)τ ≤ 1, q = (b−c)τ ≤ p: the 19th term is below 1e-17 of the first.
double close_difference(double p, double q, double c, double tau) {
    constexpr int n_terms = 19;
    double power_of_q = 1.0, h = 1.0, inverse_factorial = 0.5, sum = 0.5;
    for (int k = 1; k < n_terms; ++k) {
        power_of_q *= q;
        h = std::fma(p, h, power_of_q);
        inverse_factorial /= k + 2.0;
        sum = std::fma(h, inverse_factorial, sum);
    }
    return sum * tau * tau * lane_exp(c * tau);
}

/// Rotates rows and columns p and q of a symmetric matrix so that entry (p, q) becomes 0.
void rotate(Matrix3& m, Matrix3& vectors, int n, int p, int q) {
    const double off = m[p][q];
    const double theta = (m[q][q] - m[p][p]) / (2.0 * off);
    const double size = std::fabs(theta);
    // Beyond 1e8 the root equals |θ| to rounding, and θ² might overflow.
    double t = size > 1e8 ? 0.5 / size : 1.0 / (size + std::sqrt(std::fma(theta, theta, 1.0)));
    if (theta < 0.0) t = -t;
    const double c = 1.0 / std::sqrt(std::fma(t, t, 1.0));
    const double s = t * c;
    m[p][p] -= t * off;
    m[q][q] += t * off;
    m[p][q] = m[q][p] = 0.0;
    for (int r = 0; r < n; ++r)
        if (r != p && r != q) {
            const double rp = m[r][p], rq = m[r][q];
            m[r][p] = m[p][r] = c * rp - s * rq;
            m[r][q] = m[q][r] = s * rp + c * rq;
        }
    for (int r = 0; r < n; ++r) {
        const double vp = vectors[r][p], vq = vectors[r][q];
        vectors[r][p] = c * vp - s * vq;
        vectors[r][q] = s * vp + c * vq;
    }
}

/// Relative to its own two diagonal entries, so that small eigenvalues keep their digits.
bool is_negligible(const Matrix3& m, int p, int q) {
    const double bound = std::sqrt(std::fabs(m[p][p])) * std::sqrt(std::fabs(m[q][q]));
    return m[p][q] == 0.0 || std::fabs(m[p][q]) <= 1e-17 * bound;
}

bool contains(const std::vector<int>& sorted, int value) {
    return std::binary_search(sorted.begin(), sorted.end(), value);
}

/// Pairs of coupled states; a tree has one fewer than it has states.
int n_couplings(const SystemStructure& structure, const std::vector<int>& block, bool& is_mutual) {
    int n = 0;
    for (std::size_t i = 0; i < block.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            const bool forth = contains(structure.jacobian[block[i]], block[j]);
            const bool back = contains(structure.jacobian[block[j]], block[i]);
            is_mutual = is_mutual && forth == back;
            n += forth || back;
        }
    return n;
}

/// Gives the neighbours of state i, and theirs, their d: d_j/d_i = √(a_ji/a_ij).
bool spread(Matrix3& m, std::array<double, 3>& d, int n, int i) {
    for (int j = 0; j < n; ++j) {
        const double there = m[j][i], back = m[i][j];
        if (j == i || d[j] != 0.0 || (there == 0.0 && back == 0.0)) continue;
        if (!(there > 0.0 && back > 0.0) && !(there < 0.0 && back < 0.0)) return false;
        // Roots one by one: the product of two large rates overflows.
        const double root_there = std::sqrt(std::fabs(there));
        const double root_back = std::sqrt(std::fabs(back));
        d[j] = d[i] * (root_there / root_back);
        m[i][j] = m[j][i] = (there > 0.0 ? 1.0 : -1.0) * root_there * root_back;
        if (!spread(m, d, n, j)) return false;
    }
    return true;
}

/// A = D S D⁻¹ with S symmetric: S_ij = ±√(a_ij·a_ji), written over A.
bool symmetrise(Matrix3& m, std::array<double, 3>& d, int n) {
    for (int root = 0; root < n; ++root) {
        if (d[root] != 0.0) continue;
        d[root] = 1.0;
        if (!spread(m, d, n, root)) return false;
    }
    return true;
}

/// amount·e^{rate·τ} + source·∫. Terms with a factor 0 are left out: the other may be infinite.
double own_response(double rate, double amount, double source, double tau) {
    const double decayed = amount != 0.0 ? amount * lane_exp(rate * tau) : 0.0;
    if (source == 0.0) return decayed;
    return std::fma(source, exponential_difference(rate, 0.0, tau), decayed);
}

/// The same for what comes through a depot of rate `depot_rate`.
double fed_response(double rate, double depot_rate, double amount, double source, double tau) {
    const double bolus =
        amount != 0.0 ? amount * exponential_difference(rate, depot_rate, tau) : 0.0;
    if (source == 0.0) return bolus;
    return std::fma(source, exponential_difference(rate, depot_rate, 0.0, tau), bolus);
}

} // namespace

double exponential_difference(double a, double b, double tau) {
    sort_descending(a, b);
    return lane_exp(a * tau) * decayed_time(a - b, tau);
}

double exponential_difference(double a, double b, double c, double tau) {
    sort_descending(a, b);
    sort_descending(b, c);
    sort_descending(a, b);
    const double p = (a - c) * tau;
    if (p <= 1.0) return close_difference(p, (b - c) * tau, c, tau);
    return (exponential_difference(a, b, tau) - exponential_difference(b, c, tau)) / (a - c);
}

std::array<std::array<double, 3>, 3> jacobi_eigenvectors(Matrix3& matrix, int n) {
    Matrix3 vectors{};
    for (int i = 0; i < n; ++i)
        vectors[i][i] = 1.0;
    // Converges quadratically; six sweeps are plenty for 3 × 3.
    constexpr int max_sweeps = 12;
    for (int sweep = 0; sweep < max_sweeps; ++sweep) {
        bool is_diagonal = true;
        for (int p = 0; p < n; ++p)
            for (int q = p + 1; q < n; ++q)
                if (!is_negligible(matrix, p, q)) {
                    rotate(matrix, vectors, n, p, q);
                    is_diagonal = false;
                }
        if (is_diagonal) break;
    }
    return vectors;
}

std::optional<std::vector<ModalPart>> modal_parts(const SystemStructure& structure) {
    const int n_states = static_cast<int>(structure.jacobian.size());
    const auto n_blocks = static_cast<int>(structure.blocks.size());
    std::vector<int> block_of(n_states, 0);
    for (int k = 0; k < n_blocks; ++k)
        for (int state : structure.blocks[k])
            block_of[state] = k;

    // Which other blocks each block is fed by, and the one it feeds.
    std::vector<std::vector<int>> feeds(n_blocks), fed_by(n_blocks);
    for (int i = 0; i < n_states; ++i)
        for (int j : structure.jacobian[i])
            if (block_of[i] != block_of[j]) {
                feeds[block_of[j]].push_back(block_of[i]);
                fed_by[block_of[i]].push_back(block_of[j]);
            }
    for (auto* lists : {&feeds, &fed_by})
        for (auto& list : *lists) {
            std::sort(list.begin(), list.end());
            list.erase(std::unique(list.begin(), list.end()), list.end());
        }

    std::vector<ModalPart> parts;
    for (int k = 0; k < n_blocks; ++k) {
        const std::vector<int>& block = structure.blocks[k];
        if (!feeds[k].empty()) {
            if (block.size() != 1 || !fed_by[k].empty() || feeds[k].size() != 1)
                return std::nullopt;
            continue; // a depot: it is listed with the block it feeds
        }
        bool is_mutual = true;
        const int couplings = n_couplings(structure, block, is_mutual);
        if (block.size() > 3 || !is_mutual || couplings != static_cast<int>(block.size()) - 1)
            return std::nullopt;
        ModalPart part{block, {}};
        for (int source : fed_by[k])
            part.depots.push_back(structure.blocks[source].front());
        parts.push_back(std::move(part));
    }
    return parts;
}

bool LinearModes::set_matrix(int n, const double* a) {
    fastest_ = slowest_ = 0.0;
    solved_.assign(parts_.size(), {});
    for (std::size_t k = 0; k < parts_.size(); ++k)
        if (!set_part(parts_[k], n, a, solved_[k])) return false;
    return true;
}

void LinearModes::note_rate(double rate) {
    const double size = std::fabs(rate);
    fastest_ = std::max(fastest_, size);
    if (size > 0.0) slowest_ = slowest_ > 0.0 ? std::min(slowest_, size) : size;
}

bool LinearModes::set_part(const ModalPart& part, int n, const double* a, Part& out) {
    const auto entry = [&](int i, int j) { return a[i * n + j]; };
    const auto& block = part.block;
    const int m = static_cast<int>(block.size());

    Matrix3 matrix{};
    for (int i = 0; i < m; ++i)
        for (int j = 0; j < m; ++j)
            matrix[i][j] = entry(block[i], block[j]);
    std::array<double, 3> d{};
    if (!symmetrise(matrix, d, m)) return false;
    const Matrix3 vectors = jacobi_eigenvectors(matrix, m);

    for (int depot : part.depots) {
        out.depots.push_back({depot, entry(depot, depot), 0.0, 0.0});
        note_rate(out.depots.back().rate);
    }
    for (int j = 0; j < m; ++j) {
        Mode mode;
        mode.rate = matrix[j][j];
        note_rate(mode.rate);
        for (int i = 0; i < m; ++i) {
            mode.left[i] = vectors[i][j] / d[i];
            mode.right[i] = vectors[i][j] * d[i];
        }
        for (int depot : part.depots) {
            double feed = 0.0;
            for (int i = 0; i < m; ++i)
                feed = std::fma(mode.left[i], entry(block[i], depot), feed);
            mode.feed.push_back(feed);
        }
        out.modes.push_back(std::move(mode));
    }
    return true;
}

void LinearModes::start(const double* y0, const double* source) {
    for (std::size_t k = 0; k < parts_.size(); ++k) {
        for (Depot& depot : solved_[k].depots) {
            depot.amount = y0[depot.state];
            depot.source = source[depot.state];
        }
        for (Mode& mode : solved_[k].modes) {
            mode.amount = mode.source = 0.0;
            for (std::size_t i = 0; i < parts_[k].block.size(); ++i) {
                mode.amount = std::fma(mode.left[i], y0[parts_[k].block[i]], mode.amount);
                mode.source = std::fma(mode.left[i], source[parts_[k].block[i]], mode.source);
            }
        }
    }
}

void LinearModes::at(double tau, double* y) const {
    for (std::size_t k = 0; k < parts_.size(); ++k) {
        const std::vector<Depot>& depots = solved_[k].depots;
        const std::vector<int>& block = parts_[k].block;
        for (const Depot& depot : depots)
            y[depot.state] = own_response(depot.rate, depot.amount, depot.source, tau);
        for (int state : block)
            y[state] = 0.0;
        for (const Mode& mode : solved_[k].modes) {
            double amount = own_response(mode.rate, mode.amount, mode.source, tau);
            for (std::size_t i = 0; i < depots.size(); ++i)
                if (mode.feed[i] != 0.0)
                    amount = std::fma(
                        mode.feed[i],
                        fed_response(
                            mode.rate, depots[i].rate, depots[i].amount, depots[i].source, tau),
                        amount);
            for (std::size_t i = 0; i < block.size(); ++i)
                y[block[i]] = std::fma(mode.right[i], amount, y[block[i]]);
        }
    }
}

} // namespace gemel::sim
