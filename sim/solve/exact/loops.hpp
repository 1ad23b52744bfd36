#pragma once

#include "base/lane_math.hpp"
#include "solve/exact/kernels.hpp"
#include "solve/exact/vectors.hpp"

/// The one source of the kernels. Included by one source per instruction set; everything has
/// internal linkage, so that the linker cannot merge code made for different machines.
namespace gemel::sim::exact {
namespace {

/// For widths that are multiples of the pack, so that no rest remains behind whole vectors.
template <class Do>
GEMEL_LANE void each_lane(int width, Do do_lane) {
    const int n_lanes = pack * (static_cast<unsigned>(width) / pack);
#pragma GCC ivdep
    for (int lane = 0; lane < n_lanes; ++lane)
        do_lane(lane);
}

void fill(double* column, double value, int width) {
    each_lane(width, [=](int l) { column[l] = value; });
}
void copy(const double* from, double* to, int width) {
    if (from == nullptr) return fill(to, 0.0, width);
    each_lane(width, [=](int l) { to[l] = from[l]; });
}

// ---- Eigenvalues and eigenvectors: exact_linear_modes.cpp says why as it is.

constexpr int max_width = 64;

struct Block {
    int n = 0, width = 0;
    double matrix[3][3][max_width], vectors[3][3][max_width], d[3][max_width];
    double is_bad[max_width];
};

/// State j gets its d from its neighbour i, in lanes where i has one and j has none.
void spread(Block& b, int i, int j) {
    double *there = b.matrix[j][i], *back = b.matrix[i][j], *di = b.d[i], *dj = b.d[j];
    double* bad = b.is_bad;
    each_lane(b.width, [=](int l) {
        const double forth = there[l], home = back[l];
        const bool is_new = (di[l] != 0.0) & (dj[l] == 0.0) & ((forth != 0.0) | (home != 0.0));
        const bool is_up = (forth > 0.0) & (home > 0.0), is_down = (forth < 0.0) & (home < 0.0);
        const double root_forth = __builtin_sqrt(lane::absolute(forth));
        const double root_home = __builtin_sqrt(lane::absolute(home));
        const double size = root_forth * root_home;
        const double both = lane::choose(forth > 0.0, size, -size);
        dj[l] = lane::choose(is_new, di[l] * (root_forth / root_home), dj[l]);
        there[l] = lane::choose(is_new, both, forth);
        back[l] = lane::choose(is_new, both, home);
        bad[l] = lane::choose(is_new & !(is_up | is_down), 1.0, bad[l]);
    });
}

/// A = D S D⁻¹ with S symmetric, written over A.
void symmetrise(Block& b) {
    for (int i = 0; i < b.n; ++i)
        fill(b.d[i], 0.0, b.width);
    for (int root = 0; root < b.n; ++root) {
        double* d = b.d[root];
        each_lane(b.width, [=](int l) { d[l] = lane::choose(d[l] == 0.0, 1.0, d[l]); });
        for (int pass = 1; pass < b.n; ++pass)
            for (int i = 0; i < b.n; ++i)
                for (int j = 0; j < b.n; ++j)
                    if (j != i) spread(b, i, j);
    }
}

/// One Jacobi rotation in lanes where entry (p, q) is not negligible. @returns if there is any
bool rotate(Block& b, int p, int q) {
    double *pp = b.matrix[p][p], *qq = b.matrix[q][q], *pq = b.matrix[p][q], *qp = b.matrix[q][p];
    double cosine[max_width], sine[max_width], turns[max_width];
    double *c_of = cosine, *s_of = sine, *any_of = turns;
    each_lane(b.width, [=](int l) {
        const double off = pq[l];
        const double bound =
            __builtin_sqrt(lane::absolute(pp[l])) * __builtin_sqrt(lane::absolute(qq[l]));
        const bool is_negligible = (off == 0.0) | (lane::absolute(off) <= 1e-17 * bound);
        const double theta = (qq[l] - pp[l]) / (2.0 * off);
        const double size = lane::absolute(theta);
        const double far = 0.5 / size;
        const double near = 1.0 / (size + __builtin_sqrt(lane::fma(theta, theta, 1.0)));
        const double tangent = lane::choose(size > 1e8, far, near);
        const double t = lane::choose(theta < 0.0, -tangent, tangent);
        const double c = 1.0 / __builtin_sqrt(lane::fma(t, t, 1.0));
        c_of[l] = lane::choose(is_negligible, 1.0, c);
        s_of[l] = lane::choose(is_negligible, 0.0, t * c);
        pp[l] = lane::choose(is_negligible, pp[l], pp[l] - t * off);
        qq[l] = lane::choose(is_negligible, qq[l], qq[l] + t * off);
        pq[l] = qp[l] = lane::choose(is_negligible, off, 0.0);
        any_of[l] = lane::choose(is_negligible, 0.0, 1.0);
    });
    double n_turned = 0.0;
    for (int l = 0; l < b.width; ++l)
        n_turned += turns[l];
    if (n_turned == 0.0) return false;
    const auto turn = [&](double* with_p, double* with_q) {
        each_lane(b.width, [=](int l) {
            const double x = with_p[l], y = with_q[l], c = c_of[l], s = s_of[l];
            const bool is_still = any_of[l] == 0.0;
            with_p[l] = lane::choose(is_still, x, c * x - s * y);
            with_q[l] = lane::choose(is_still, y, s * x + c * y);
        });
    };
    for (int r = 0; r < b.n; ++r)
        if (r != p && r != q) {
            turn(b.matrix[r][p], b.matrix[r][q]);
            copy(b.matrix[r][p], b.matrix[p][r], b.width);
            copy(b.matrix[r][q], b.matrix[q][r], b.width);
        }
    for (int r = 0; r < b.n; ++r)
        turn(b.vectors[r][p], b.vectors[r][q]);
    return true;
}

/// A sweep that turns nothing leaves every bit, so that lanes may wait for each other.
void diagonalise(Block& b) {
    constexpr int max_sweeps = 12;
    for (int i = 0; i < b.n; ++i)
        for (int j = 0; j < b.n; ++j)
            fill(b.vectors[i][j], i == j ? 1.0 : 0.0, b.width);
    bool turns = b.n > 1;
    for (int sweep = 0; turns && sweep < max_sweeps; ++sweep) {
        turns = false;
        for (int p = 0; p < b.n; ++p)
            for (int q = p + 1; q < b.n; ++q)
                turns |= rotate(b, p, q);
    }
}

unsigned solve_part(PartShape shape,
                    const int* block,
                    const int* depots,
                    int n_states,
                    const double* const* entry,
                    const PartModes& modes,
                    int width) {
    const int n = shape.n_block;
    Block b;
    b.n = n;
    b.width = width;
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j)
            copy(entry[block[i] * n_states + block[j]], b.matrix[i][j], width);
    fill(b.is_bad, 0.0, width);
    symmetrise(b);
    diagonalise(b);
    for (int i = 0; i < shape.n_depots; ++i)
        copy(entry[depots[i] * n_states + depots[i]], modes.depot_rate + i * width, width);
    for (int j = 0; j < n; ++j) {
        copy(b.matrix[j][j], modes.mode_rate + j * width, width);
        double* feed = modes.feed + j * shape.n_depots * width;
        for (int k = 0; k < shape.n_depots; ++k)
            fill(feed + k * width, 0.0, width);
        for (int i = 0; i < n; ++i) {
            const double *v = b.vectors[i][j], *d = b.d[i];
            double *left = modes.left + (j * n + i) * width,
                   *right = modes.right + (j * n + i) * width;
            each_lane(width, [=](int l) {
                left[l] = v[l] / d[l];
                right[l] = v[l] * d[l];
            });
            for (int k = 0; k < shape.n_depots; ++k) {
                const double* a = entry[block[i] * n_states + depots[k]];
                double* sum = feed + k * width;
                if (a != nullptr)
                    each_lane(width, [=](int l) { sum[l] = lane::fma(left[l], a[l], sum[l]); });
            }
        }
    }
    unsigned bad = 0;
    for (int l = 0; l < width; ++l)
        bad |= b.is_bad[l] != 0.0 ? 1U << l : 0U;
    return bad;
}

// ---- Divided differences of the exponential.

/// (1 − e^{−δτ})/δ for δ ≥ 0
GEMEL_LANE double decayed_time(double delta, double tau) {
    const double x = delta * tau;
    return lane::choose(x > 1e-280, -lane_expm1(-x) / delta, tau);
}
/// Of e^{xτ} at a and b, whose exponentials are known.
GEMEL_LANE double difference(double a, double b, double of_a, double of_b, double tau) {
    const bool is_less = a < b;
    return lane::choose(is_less, of_b, of_a) *
           decayed_time(lane::choose(is_less, b - a, a - b), tau);
}
/// τ²·e^{cτ}·Σ h_k(p, q)/(k + 2)!
GEMEL_LANE double close_difference(double p, double q, double of_c, double tau) {
    constexpr int n_terms = 19;
    double power_of_q = 1.0, h = 1.0, inverse_factorial = 0.5, sum = 0.5;
#pragma GCC unroll 20
    for (int k = 1; k < n_terms; ++k) {
        power_of_q *= q;
        h = lane::fma(p, h, power_of_q);
        inverse_factorial /= k + 2.0;
        sum = lane::fma(h, inverse_factorial, sum);
    }
    return sum * tau * tau * of_c;
}
/// At a, b and 0.
GEMEL_LANE double difference_with_0(double a, double b, double of_a, double of_b, double tau) {
    // Sorted: x ≥ y ≥ z.
    double x = lane_max(a, b), y = lane_min(a, b), z = 0.0;
    double of_x = lane::choose(a > b, of_a, of_b), of_y = lane::choose(a > b, of_b, of_a);
    double of_z = 1.0;
    const bool swaps_low = y < z;
    const double low = lane::choose(swaps_low, y, z), of_low = lane::choose(swaps_low, of_y, of_z);
    y = lane::choose(swaps_low, z, y);
    of_y = lane::choose(swaps_low, of_z, of_y);
    z = low;
    of_z = of_low;
    const bool swaps_high = x < y;
    const double high = lane::choose(swaps_high, y, x);
    const double of_high = lane::choose(swaps_high, of_y, of_x);
    y = lane::choose(swaps_high, x, y);
    of_y = lane::choose(swaps_high, of_x, of_y);
    x = high;
    of_x = of_high;
    const double p = (x - z) * tau;
    const double near = close_difference(p, (y - z) * tau, of_z, tau);
    const double far =
        (of_x * decayed_time(x - y, tau) - of_y * decayed_time(y - z, tau)) / (x - z);
    return lane::choose(p <= 1.0, near, far);
}

void flow(PartShape shape, const PartModes& m, const double* tau, const PartFlow& f, int width) {
    const auto decay = [=](const double* rate, double* to) {
        each_lane(width, [=](int l) { to[l] = lane_exp(rate[l] * tau[l]); });
    };
    const auto area = [=](const double* rate, const double* decayed, double* to) {
        each_lane(width, [=](int l) { to[l] = difference(rate[l], 0.0, decayed[l], 1.0, tau[l]); });
    };
    for (int i = 0; i < shape.n_depots; ++i) {
        decay(m.depot_rate + i * width, f.depot_decay + i * width);
        if (f.depot_area != nullptr)
            area(m.depot_rate + i * width, f.depot_decay + i * width, f.depot_area + i * width);
    }
    for (int j = 0; j < shape.n_block; ++j) {
        const double* rate = m.mode_rate + j * width;
        double* decayed = f.mode_decay + j * width;
        decay(rate, decayed);
        if (f.mode_area != nullptr) area(rate, decayed, f.mode_area + j * width);
        for (int i = 0; i < shape.n_depots; ++i) {
            const int at = (j * shape.n_depots + i) * width;
            const double *feed = m.feed + at, *depot = m.depot_rate + i * width;
            const double* emptied = f.depot_decay + i * width;
            double* fed = f.fed + at;
            each_lane(width, [=](int l) {
                const double by = difference(rate[l], depot[l], decayed[l], emptied[l], tau[l]);
                fed[l] = lane::choose(feed[l] != 0.0, feed[l] * by, 0.0);
            });
            if (f.fed_area == nullptr) continue;
            double* fed_area = f.fed_area + at;
            each_lane(width, [=](int l) {
                const double by =
                    difference_with_0(rate[l], depot[l], decayed[l], emptied[l], tau[l]);
                fed_area[l] = lane::choose(feed[l] != 0.0, feed[l] * by, 0.0);
            });
        }
    }
}

/// x·y + sum, where a factor x of 0 means nothing, whatever y is.
GEMEL_LANE double add_product(double x, double y, double sum) {
    return lane::choose(x != 0.0, lane::fma(x, y, sum), sum);
}

void constant(PartShape shape, const PartFlow& f, const double* source, double* c, int width) {
    for (int i = 0; i < shape.n_depots; ++i) {
        const double *s = source + i * width, *area = f.depot_area + i * width;
        double* to = c + i * width;
        each_lane(width, [=](int l) { to[l] = add_product(s[l], area[l], 0.0); });
    }
    for (int j = 0; j < shape.n_block; ++j) {
        const double *s = source + (shape.n_depots + j) * width, *area = f.mode_area + j * width;
        double* to = c + (shape.n_depots + j) * width;
        each_lane(width, [=](int l) { to[l] = add_product(s[l], area[l], 0.0); });
        for (int i = 0; i < shape.n_depots; ++i) {
            const double* depot = source + i * width;
            const double* fed = f.fed_area + (j * shape.n_depots + i) * width;
            each_lane(width, [=](int l) { to[l] = add_product(depot[l], fed[l], to[l]); });
        }
    }
}

void project(
    PartShape shape, const PartModes& m, const double* const* states, double* z, int width) {
    for (int i = 0; i < shape.n_depots; ++i)
        copy(states[i], z + i * width, width);
    for (int j = 0; j < shape.n_block; ++j) {
        double* mode = z + (shape.n_depots + j) * width;
        fill(mode, 0.0, width);
        for (int i = 0; i < shape.n_block; ++i) {
            const double* y = states[shape.n_depots + i];
            const double* left = m.left + (j * shape.n_block + i) * width;
            if (y != nullptr)
                each_lane(width, [=](int l) { mode[l] = lane::fma(left[l], y[l], mode[l]); });
        }
    }
}

void increase(double* z, const double* by, const double* amount) {
    const Vector given = load(amount);
    store(add(load(z), by == nullptr ? given : multiply(load(by), given)), z);
}

// ---- Recursion over a regular grid.

/// A part in registers, where the shape is known. What a depot feeds into a mode per step decays as
/// the depot does, so that a mode need not wait for the depot; the depot itself goes along where
/// somebody asks for it.
template <int n_depots, int n_block, bool has_constant>
struct KnownRun {
    static constexpr int n_fed = n_block * n_depots;
    Vector depot[n_depots + 1], emptied[n_depots + 1], mode[n_block], decay[n_block];
    Vector fed[n_fed + 1];                                           ///< [mode][depot]
    Vector c_depot[n_depots + 1], c_mode[n_block], c_fed[n_fed + 1]; ///< where there are constants

    GEMEL_LANE explicit KnownRun(const PartRun& r) {
        for (int i = 0; i < n_depots; ++i) {
            depot[i] = load(r.from + i * pack);
            emptied[i] = load(r.step.depot_decay + i * pack);
            if constexpr (has_constant) c_depot[i] = load(r.constant + i * pack);
        }
        for (int j = 0; j < n_block; ++j) {
            mode[j] = load(r.from + (n_depots + j) * pack);
            decay[j] = load(r.step.mode_decay + j * pack);
            if constexpr (has_constant) c_mode[j] = load(r.constant + (n_depots + j) * pack);
        }
        for (int k = 0; k < n_fed; ++k) {
            const Vector by = load(r.step.fed + k * pack);
            fed[k] = multiply(depot[k % n_depots], by);
            if constexpr (has_constant) c_fed[k] = multiply(c_depot[k % n_depots], by);
        }
    }
    GEMEL_LANE void step_modes() {
        for (int j = 0; j < n_block; ++j) {
            Vector comes = has_constant ? c_mode[j] : zero();
            for (int i = 0; i < n_depots; ++i)
                comes =
                    !has_constant && i == 0 ? fed[j * n_depots] : add(comes, fed[j * n_depots + i]);
            mode[j] = n_depots > 0 || has_constant ? multiply_add(mode[j], decay[j], comes)
                                                   : multiply(mode[j], decay[j]);
        }
        for (int k = 0; k < n_fed; ++k)
            fed[k] = decayed(fed[k], emptied[k % n_depots], c_fed[k]);
    }
    GEMEL_LANE void step_depots() {
        for (int i = 0; i < n_depots; ++i)
            depot[i] = decayed(depot[i], emptied[i], c_depot[i]);
    }
    GEMEL_LANE static Vector decayed(Vector x, Vector by, Vector c) {
        if constexpr (has_constant)
            return multiply_add(x, by, c);
        else
            return multiply(x, by);
    }
};

GEMEL_LANE Vector factor_of(const Read& read) {
    if (read.factor != nullptr) return load(read.factor);
    alignas(64) static constexpr double ones[pack] = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0};
    return load(ones);
}

/// Σ right·mode of one state of a block; the only mode of a single state is the state.
template <int n_block>
GEMEL_LANE Vector state_of(const Vector* modes, const Vector* right) {
    if constexpr (n_block == 1) return modes[0];
    Vector y = zero();
    for (int j = 0; j < n_block; ++j)
        y = multiply_add(right[j], modes[j], y);
    return y;
}

/// One state of the block alone: what is asked for most.
template <class Known, int n_depots, int n_block>
void read_one(const PartRun& r) {
    Known run(r);
    const Read read = r.reads[0];
    const Vector factor = factor_of(read);
    Vector right[n_block];
    for (int j = 0; j < n_block; ++j)
        right[j] = load(r.right + (j * n_block + read.state - n_depots) * pack);
    double* to = read.to + r.place * pack;
    for (int point = 0; point < r.n_points; ++point) {
        store(multiply(state_of<n_block>(run.mode, right), factor), to + point * pack);
        run.step_modes();
    }
}

template <class Known, int n_depots, int n_block>
void read_all(const PartRun& r) {
    Known run(r);
    for (int point = 0; point < r.n_points; ++point) {
        for (int k = 0; k < r.n_reads; ++k) {
            const Read& read = r.reads[k];
            Vector y = zero();
            if (read.state >= n_depots) {
                Vector right[n_block];
                for (int j = 0; j < n_block; ++j)
                    right[j] = load(r.right + (j * n_block + read.state - n_depots) * pack);
                y = state_of<n_block>(run.mode, right);
            }
            for (int i = 0; i < n_depots; ++i)
                if (read.state == i) y = run.depot[i];
            store(multiply(y, factor_of(read)), read.to + (r.place + point) * pack);
        }
        run.step_modes();
        run.step_depots();
    }
}

/// One step, as KnownRun does it; but what is 0 stays 0, even where e^{λτ} is infinite.
GEMEL_LANE void go_on(const PartRun& r, int n_depots, int n_block) {
    const auto constant_of = [&](int k) {
        return r.constant == nullptr ? zero() : load(r.constant + k * pack);
    };
    for (int j = 0; j < n_block; ++j) {
        Vector comes = constant_of(n_depots + j);
        for (int i = 0; i < n_depots; ++i) {
            const Vector depot = load(r.from + i * pack);
            const Vector fed = multiply(depot, load(r.step.fed + (j * n_depots + i) * pack));
            comes = add(comes, unless_0(depot, fed, zero()));
        }
        const Vector mode = load(r.from + (n_depots + j) * pack);
        const Vector next = multiply_add(mode, load(r.step.mode_decay + j * pack), comes);
        store(unless_0(mode, next, comes), r.to + (n_depots + j) * pack);
    }
    for (int i = 0; i < n_depots; ++i) {
        const Vector depot = load(r.from + i * pack), comes = constant_of(i);
        const Vector next = multiply_add(depot, load(r.step.depot_decay + i * pack), comes);
        store(unless_0(depot, next, comes), r.to + i * pack);
    }
}

template <int n_depots, int n_block, bool has_constant>
void run_known(const PartRun& r) {
    using Known = KnownRun<n_depots, n_block, has_constant>;
    if (r.n_reads == 1 && r.reads[0].state >= n_depots)
        return read_one<Known, n_depots, n_block>(r);
    read_all<Known, n_depots, n_block>(r);
}

template <int n_depots, int n_block>
void run_known(const PartRun& r) {
    if (r.n_reads == 0) return go_on(r, n_depots, n_block);
    r.constant != nullptr ? run_known<n_depots, n_block, true>(r)
                          : run_known<n_depots, n_block, false>(r);
}

/// The same for any number of depots.
void run_any(const PartRun& r) {
    const int n_depots = r.shape.n_depots, n_block = r.shape.n_block;
    const auto constant_of = [&](int k) {
        return r.constant == nullptr ? zero() : load(r.constant + k * pack);
    };
    double* z = r.to;
    for (int k = 0; k < n_depots + n_block; ++k)
        store(load(r.from + k * pack), z + k * pack);
    for (int point = 0; point < r.n_points; ++point) {
        for (int k = 0; k < r.n_reads; ++k) {
            const Read& read = r.reads[k];
            Vector y = zero();
            if (read.state < n_depots) y = load(z + read.state * pack);
            for (int j = 0; read.state >= n_depots && j < n_block; ++j)
                y = multiply_add(load(r.right + (j * n_block + read.state - n_depots) * pack),
                                 load(z + (n_depots + j) * pack),
                                 y);
            store(multiply(y, factor_of(read)), read.to + (r.place + point) * pack);
        }
        for (int j = 0; j < n_block; ++j) {
            Vector sum = constant_of(n_depots + j);
            for (int i = 0; i < n_depots; ++i)
                sum = multiply_add(
                    load(z + i * pack), load(r.step.fed + (j * n_depots + i) * pack), sum);
            double* mode = z + (n_depots + j) * pack;
            store(multiply_add(load(mode), load(r.step.mode_decay + j * pack), sum), mode);
        }
        for (int i = 0; i < n_depots; ++i) {
            double* depot = z + i * pack;
            store(multiply_add(load(depot), load(r.step.depot_decay + i * pack), constant_of(i)),
                  depot);
        }
    }
}

void run(const PartRun& r) {
    switch (r.shape.n_depots * 4 + r.shape.n_block) {
    case 1:
        return run_known<0, 1>(r);
    case 2:
        return run_known<0, 2>(r);
    case 3:
        return run_known<0, 3>(r);
    case 5:
        return run_known<1, 1>(r);
    case 6:
        return run_known<1, 2>(r);
    case 7:
        return run_known<1, 3>(r);
    default:
        if (r.n_reads == 0) return go_on(r, r.shape.n_depots, r.shape.n_block);
        return run_any(r);
    }
}

// ---- Rows of subjects.

void transpose(const double* columns, int n, double* to, std::ptrdiff_t stride, double* finite) {
    Vector all = load(finite);
    int i = 0;
    for (; i + pack <= n; i += pack) {
        Vector x[pack];
        load_transposed(columns + i * pack, x);
        for (int k = 0; k < pack; ++k)
            all = multiply_add(load(columns + (i + k) * pack), zero(), all);
        for (int lane = 0; lane < pack; ++lane)
            store_anywhere(x[lane], to + lane * stride + i);
    }
    for (; i < n; ++i) {
        all = multiply_add(load(columns + i * pack), zero(), all);
        for (int lane = 0; lane < pack; ++lane)
            to[lane * stride + i] = columns[i * pack + lane];
    }
    store(all, finite);
}

void stream(const double* from, double* to, std::size_t n) {
    for (std::size_t i = 0; i < n; i += pack)
        stream_line(from + i, to + i);
}
void end_stream() {
    drain();
}

constexpr Kernels kernels_of_this_set{
    solve_part, flow, constant, project, increase, run, transpose, stream, end_stream};

} // namespace
} // namespace gemel::sim::exact
