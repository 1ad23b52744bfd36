#pragma once

#include "base/lane_math.hpp"
#include "lanes/lane_vector.hpp"
#include "solve/exact/kernels.hpp"
#include "solve/exact/vectors.hpp"

#include <cstring>
#include <type_traits>

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

/// Lanes of a pack that are computed at once: in two vectors, where these are shorter, so that one
/// computes while the other waits.
using Several = std::conditional_t<2 * lane::lanes_of_vector <= pack, lane::Vectors, lane::Vector>;

GEMEL_LANE Several take(const double* from) {
    Several x;
    std::memcpy(&x, __builtin_assume_aligned(from, sizeof x), sizeof x);
    return x;
}
GEMEL_LANE void put(Several x, double* to) {
    std::memcpy(__builtin_assume_aligned(to, sizeof x), &x, sizeof x);
}
template <class Do>
GEMEL_LANE void each_several(Do do_lanes) {
    constexpr int n = sizeof(Several) / sizeof(double);
    for (int lane = 0; lane < pack; lane += n)
        do_lanes(lane);
}

/// (1 − e^{−δτ})/δ for δ ≥ 0
GEMEL_LANE Several decayed_time(Several delta, Several tau) {
    const Several x = delta * tau;
    return choose(x > 1e-280, -lane_expm1(-x) / delta, tau);
}
/// Of e^{xτ} at a and b, whose exponentials are known.
GEMEL_LANE Several difference(Several a, Several b, Several of_a, Several of_b, Several tau) {
    const auto is_less = a < b;
    return choose(is_less, of_b, of_a) * decayed_time(choose(is_less, b - a, a - b), tau);
}
/// τ²·e^{cτ}·Σ h_k(p, q)/(k + 2)!
GEMEL_LANE Several close_difference(Several p, Several q, Several of_c, Several tau) {
    constexpr int n_terms = 19;
    Several power_of_q = 1.0, h = 1.0, sum = 0.5;
    double inverse_factorial = 0.5;
#pragma GCC unroll 20
    for (int k = 1; k < n_terms; ++k) {
        power_of_q = power_of_q * q;
        h = fma(p, h, power_of_q);
        inverse_factorial /= k + 2.0;
        sum = fma(h, inverse_factorial, sum);
    }
    return sum * tau * tau * of_c;
}
/// At a, b and 0.
GEMEL_LANE Several
difference_with_0(Several a, Several b, Several of_a, Several of_b, Several tau) {
    // Sorted: x ≥ y ≥ z.
    Several x = lane_max(a, b), y = lane_min(a, b), z = 0.0;
    Several of_x = choose(a > b, of_a, of_b), of_y = choose(a > b, of_b, of_a);
    Several of_z = 1.0;
    const auto swaps_low = y < z;
    const Several low = choose(swaps_low, y, z), of_low = choose(swaps_low, of_y, of_z);
    y = choose(swaps_low, z, y);
    of_y = choose(swaps_low, of_z, of_y);
    z = low;
    of_z = of_low;
    const auto swaps_high = x < y;
    const Several high = choose(swaps_high, y, x);
    const Several of_high = choose(swaps_high, of_y, of_x);
    y = choose(swaps_high, x, y);
    of_y = choose(swaps_high, of_x, of_y);
    x = high;
    of_x = of_high;
    const Several p = (x - z) * tau;
    const Several near = close_difference(p, (y - z) * tau, of_z, tau);
    const Several far =
        (of_x * decayed_time(x - y, tau) - of_y * decayed_time(y - z, tau)) / (x - z);
    return choose(p <= 1.0, near, far);
}

void decay(const double* rate, const double* tau, double* to) {
    each_several([=](int l) { put(lane_exp(take(rate + l) * take(tau + l)), to + l); });
}
void area(const double* rate, const double* decayed, const double* tau, double* to) {
    if (to == nullptr) return;
    each_several([=](int l) {
        put(difference(take(rate + l), 0.0, take(decayed + l), 1.0, take(tau + l)), to + l);
    });
}

/// What a depot feeds into a mode, from an amount in it or from a source.
struct Feeding {
    const double *feed, *mode_rate, *depot_rate, *mode_decay, *depot_decay, *tau;
};
template <class Difference>
GEMEL_LANE void feed_mode(const Feeding& f, Difference difference_of, double* fed) {
    if (fed == nullptr) return;
    each_several([=](int l) {
        const Several feed = take(f.feed + l);
        const Several by = difference_of(take(f.mode_rate + l),
                                         take(f.depot_rate + l),
                                         take(f.mode_decay + l),
                                         take(f.depot_decay + l),
                                         take(f.tau + l));
        put(choose(feed != 0.0, feed * by, 0.0), fed + l);
    });
}
void feed_by_amount(const Feeding& f, double* fed) {
    feed_mode(
        f, [](auto... x) { return difference(x...); }, fed);
}
void feed_by_source(const Feeding& f, double* fed) {
    feed_mode(
        f, [](auto... x) { return difference_with_0(x...); }, fed);
}

/// One length of time after the other in each loop, so that they can overlap.
void flow(
    PartShape shape, const PartModes& m, const double* taus, const PartFlow* flows, int n_flows) {
    const auto each_flow = [&](auto do_flow) {
        for (int k = 0; k < n_flows; ++k)
            do_flow(flows[k], taus + k * pack);
    };
    const auto column = [](double* columns, int k) {
        return columns == nullptr ? nullptr : columns + k * pack;
    };
    for (int i = 0; i < shape.n_depots; ++i) {
        const double* rate = m.depot_rate + i * pack;
        each_flow([&](const PartFlow& f, const double* tau) {
            decay(rate, tau, column(f.depot_decay, i));
        });
        each_flow([&](const PartFlow& f, const double* tau) {
            area(rate, column(f.depot_decay, i), tau, column(f.depot_area, i));
        });
    }
    for (int j = 0; j < shape.n_block; ++j) {
        const double* rate = m.mode_rate + j * pack;
        each_flow([&](const PartFlow& f, const double* tau) {
            decay(rate, tau, column(f.mode_decay, j));
        });
        each_flow([&](const PartFlow& f, const double* tau) {
            area(rate, column(f.mode_decay, j), tau, column(f.mode_area, j));
        });
        for (int i = 0; i < shape.n_depots; ++i) {
            const int to = j * shape.n_depots + i;
            const auto feeding = [&](const PartFlow& f, const double* tau) {
                return Feeding{m.feed + to * pack,
                               rate,
                               m.depot_rate + i * pack,
                               column(f.mode_decay, j),
                               column(f.depot_decay, i),
                               tau};
            };
            each_flow([&](const PartFlow& f, const double* tau) {
                feed_by_amount(feeding(f, tau), column(f.fed, to));
            });
            each_flow([&](const PartFlow& f, const double* tau) {
                feed_by_source(feeding(f, tau), column(f.fed_area, to));
            });
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

/// x·y + sum, where a factor x of 0 means nothing, whatever y is.
GEMEL_LANE Vector add_product(Vector x, Vector y, Vector sum) {
    return unless_0(x, multiply_add(x, y, sum), sum);
}

/// What is 0 stays 0, even where e^{λτ} is infinite. `to` may be `from`.
GEMEL_LANE void
go_on_of(PartShape shape, const PartFlow& f, const double* source, const Vector* from, Vector* to) {
    const int n_depots = shape.n_depots, n_block = shape.n_block;
    const auto source_of = [&](int k) { return load(source + k * pack); };
    for (int j = 0; j < n_block; ++j) {
        Vector comes = zero();
        if (source != nullptr) {
            comes = add_product(source_of(n_depots + j), load(f.mode_area + j * pack), comes);
            for (int i = 0; i < n_depots; ++i)
                comes =
                    add_product(source_of(i), load(f.fed_area + (j * n_depots + i) * pack), comes);
        }
        for (int i = 0; i < n_depots; ++i) {
            const Vector fed = multiply(from[i], load(f.fed + (j * n_depots + i) * pack));
            comes = add(comes, unless_0(from[i], fed, zero()));
        }
        to[n_depots + j] = add_product(from[n_depots + j], load(f.mode_decay + j * pack), comes);
    }
    for (int i = 0; i < n_depots; ++i) {
        Vector comes = zero();
        if (source != nullptr)
            comes = add_product(source_of(i), load(f.depot_area + i * pack), comes);
        to[i] = add_product(from[i], load(f.depot_decay + i * pack), comes);
    }
}

void go_on(
    PartShape shape, const PartFlow& f, const double* source, const double* from, double* to) {
    go_on_of(
        shape, f, source, reinterpret_cast<const Vector*>(from), reinterpret_cast<Vector*>(to));
}

/// @param z, later  room for a vector of each modal coordinate
GEMEL_LANE void march_of(const PartWay& way, PartShape shape, Vector* z, Vector* later) {
    const int n = shape.n_depots + shape.n_block;
    for (int k = 0; k < n; ++k)
        z[k] = load(way.z + k * pack);
    Vector squares = load(way.squares);
    const double* source = nullptr;
    const auto note = [&](const Vector* what, double* to) {
        for (int k = 0; k < n; ++k) {
            squares = multiply_add(what[k], what[k], squares);
            store(what[k], to + k * pack);
        }
        for (int k = 0; way.has_sources && k < n; ++k) {
            const Vector x = source == nullptr ? zero() : load(source + k * pack);
            squares = multiply_add(x, x, squares);
            store(x, to + (n + k) * pack);
        }
    };
    for (int number = 0; number < way.n_steps; ++number) {
        const WayStep step = way.steps[number];
        const int at = step.number * way.size * pack;
        if (step.kind == WayStep::Kind::add)
            for (int k = 0; k < n; ++k)
                z[k] = add(z[k], load(way.doses + at + k * pack));
        if (step.kind == WayStep::Kind::source)
            source = step.number < 0 ? nullptr : way.sources + at;
        if (step.kind == WayStep::Kind::go_on) go_on_of(shape, way.flows[step.flow], source, z, z);
        if (step.kind != WayStep::Kind::note) continue;
        double* to = way.starts + step.number * way.start_size * pack;
        if (step.flow < 0) {
            note(z, to);
            continue;
        }
        go_on_of(shape, way.flows[step.flow], source, z, later);
        note(later, to);
    }
    for (int k = 0; k < n; ++k)
        store(z[k], way.z + k * pack);
    store(squares, way.squares);
}

template <int n_depots, int n_block>
void march_known(const PartWay& way) {
    Vector z[n_depots + n_block], later[n_depots + n_block];
    march_of(way, {n_depots, n_block}, z, later);
}

void march(const PartWay& way) {
    Vector* room = reinterpret_cast<Vector*>(way.room);
    switch (way.shape.n_depots * 4 + way.shape.n_block) {
    case 1:
        return march_known<0, 1>(way);
    case 2:
        return march_known<0, 2>(way);
    case 3:
        return march_known<0, 3>(way);
    case 5:
        return march_known<1, 1>(way);
    case 6:
        return march_known<1, 2>(way);
    case 7:
        return march_known<1, 3>(way);
    default:
        return march_of(way, way.shape, room, room + (way.shape.n_depots + way.shape.n_block));
    }
}

void read(PartShape shape, const PartModes& modes, const double* z, int state, double* to) {
    if (state < shape.n_depots) return store(load(z + state * pack), to);
    Vector y = zero();
    for (int j = 0; j < shape.n_block; ++j)
        y = multiply_add(load(modes.right + (j * shape.n_block + state - shape.n_depots) * pack),
                         load(z + (shape.n_depots + j) * pack),
                         y);
    store(y, to);
}

// ---- Rows of subjects.

/// Responses at the next point from those at one, p: depots, modes, then sources of both. What
/// is worth something to the state later is worth that much of what it becomes in a step.
GEMEL_LANE void respond_next(const PartFlow& f, PartShape shape, bool has_sources, Vector* p) {
    const int n_depots = shape.n_depots, n_block = shape.n_block;
    const Vector* mode = p + n_depots;
    Vector* source = p + n_depots + n_block;
    for (int j = 0; has_sources && j < n_block; ++j)
        source[n_depots + j] =
            multiply_add(mode[j], load(f.mode_area + j * pack), source[n_depots + j]);
    for (int i = 0; has_sources && i < n_depots; ++i) {
        source[i] = multiply_add(p[i], load(f.depot_area + i * pack), source[i]);
        for (int j = 0; j < n_block; ++j)
            source[i] =
                multiply_add(mode[j], load(f.fed_area + (j * n_depots + i) * pack), source[i]);
    }
    for (int i = 0; i < n_depots; ++i) {
        p[i] = multiply(p[i], load(f.depot_decay + i * pack));
        for (int j = 0; j < n_block; ++j)
            p[i] = multiply_add(mode[j], load(f.fed + (j * n_depots + i) * pack), p[i]);
    }
    for (int j = 0; j < n_block; ++j)
        p[n_depots + j] = multiply(mode[j], load(f.mode_decay + j * pack));
}

/// Responses at the first point.
GEMEL_LANE void respond_at_once(const PartResponse& r, PartShape shape, int n_terms, Vector* p) {
    for (int term = 0; term < n_terms; ++term)
        p[term] = zero();
    const Vector factor = load(r.factor);
    for (int i = 0; i < shape.n_depots; ++i)
        if (i == r.state) p[i] = factor;
    if (r.state < shape.n_depots) return;
    const double* right = r.modes->right + (r.state - shape.n_depots) * pack;
    for (int j = 0; j < shape.n_block; ++j)
        p[shape.n_depots + j] = multiply(load(right + j * shape.n_block * pack), factor);
}

/// @param p  room for a vector of each term
GEMEL_LANE void respond(const PartResponse& r, PartShape shape, bool has_sources, Vector* p) {
    const int n_terms = (has_sources ? 2 : 1) * (shape.n_depots + shape.n_block);
    respond_at_once(r, shape, n_terms, p);
    Vector squares = zero();
    double* to = r.to;
    for (int point = 0; point < r.n_points; point += pack, to += n_terms * pack) {
        for (int k = 0; k < pack; ++k) {
            for (int term = 0; term < n_terms; ++term) {
                squares = multiply_add(p[term], p[term], squares);
                store(p[term], r.room + (term * pack + k) * pack);
            }
            respond_next(*r.step, shape, has_sources, p);
        }
        for (int term = 0; term < n_terms; ++term) {
            Vector x[pack];
            load_transposed(r.room + term * pack * pack, x);
            for (int lane = 0; lane < pack; ++lane)
                store(x[lane], to + lane * r.n_points * n_terms + term * pack);
        }
    }
    store(squares, r.squares);
}

template <int n_depots, int n_block>
void respond_known(const PartResponse& r) {
    Vector p[2 * (n_depots + n_block)];
    r.has_sources ? respond(r, {n_depots, n_block}, true, p)
                  : respond(r, {n_depots, n_block}, false, p);
}

void respond(const PartResponse& r) {
    switch (r.shape.n_depots * 4 + r.shape.n_block) {
    case 1:
        return respond_known<0, 1>(r);
    case 2:
        return respond_known<0, 2>(r);
    case 3:
        return respond_known<0, 3>(r);
    case 5:
        return respond_known<1, 1>(r);
    case 6:
        return respond_known<1, 2>(r);
    case 7:
        return respond_known<1, 3>(r);
    default:
        return respond(r, r.shape, r.has_sources, reinterpret_cast<Vector*>(r.more_room));
    }
}

/// A run of one subject: n_blocks times eight points.
template <int known_terms, int n_blocks> // 0 terms: any
GEMEL_LANE void
write_blocks(const double* response, const double* start, int any_terms, double* to) {
    const int n_terms = known_terms > 0 ? known_terms : any_terms;
    Vector y[n_blocks];
    for (int block = 0; block < n_blocks; ++block)
        y[block] = multiply(load(response + block * n_terms * pack), repeat(start));
    for (int term = 1; term < n_terms; ++term) {
        const Vector amount = repeat(start + term * pack);
        for (int block = 0; block < n_blocks; ++block)
            y[block] =
                multiply_add(load(response + (block * n_terms + term) * pack), amount, y[block]);
    }
    for (int block = 0; block < n_blocks; ++block)
        store_anywhere(y[block], to + block * pack);
}

/// A run of all. Whole vectors are stored even where it ends before: what comes after overwrites
/// the rest.
template <int known_terms, int n_blocks>
void write_run(const Rows& r, const RowRun& run, double* to) {
    const double* start = r.starts + run.start * r.start_size * pack;
    const double* response = r.response;
    const std::ptrdiff_t size = r.n_response_points * r.n_terms, stride = r.stride;
    const int n_terms = r.n_terms, n_lanes = r.n_lanes;
    for (int lane = 0; lane < n_lanes; ++lane, response += size, to += stride)
        write_blocks<known_terms, n_blocks>(response, start + lane, n_terms, to);
}

/// The same where nothing may be written behind it.
template <int known_terms>
void write_end(const Rows& r, const RowRun& run, double* to) {
    alignas(64) double points[longest_run];
    for (int lane = 0; lane < r.n_lanes; ++lane, to += r.stride) {
        const double* response = r.response + lane * r.n_response_points * r.n_terms;
        const double* start = r.starts + run.start * r.start_size * pack + lane;
        for (int i = 0; i < run.n_points; i += pack)
            write_blocks<known_terms, 1>(response + i * r.n_terms, start, r.n_terms, points + i);
        for (int i = 0; i < run.n_points; ++i)
            to[i] = points[i];
    }
}

template <int known_terms>
GEMEL_LANE void write_run(const Rows& r, const RowRun& run, double* to, int n_behind) {
    const int n_blocks = (run.n_points + pack - 1) / pack;
    static_assert(longest_run == 4 * pack);
    if (n_blocks * pack > run.n_points + n_behind) return write_end<known_terms>(r, run, to);
    switch (n_blocks) {
    case 1:
        return write_run<known_terms, 1>(r, run, to);
    case 2:
        return write_run<known_terms, 2>(r, run, to);
    case 3:
        return write_run<known_terms, 3>(r, run, to);
    default:
        return write_run<known_terms, 4>(r, run, to);
    }
}

GEMEL_LANE double sum_of_0(const double* row, int n) {
    double sum = 0.0;
    for (int i = 0; i < n; ++i)
        sum = lane::fma(row[i], 0.0, sum);
    return sum;
}

template <int known_terms>
void write_rows_of(const Rows& r) {
    int n_behind = r.n_points;
    double* to = r.to;
    for (int k = 0; k < r.n_runs; ++k) {
        const RowRun run = r.runs[k];
        n_behind -= run.n_points;
        write_run<known_terms>(r, run, to, n_behind);
        to += run.n_points;
    }
    // (Σ p·z)² ≤ Σ p²·Σ z²: where that is far from overflow nobody need look.
    constexpr double safe = 1e300;
    for (int lane = 0; lane < r.n_lanes; ++lane)
        if (!(r.response_squares[lane] * r.start_squares[lane] <= safe))
            r.finite[lane] += sum_of_0(r.to + lane * r.stride, r.n_points);
}

void write_rows(const Rows& r) {
    switch (r.n_terms) {
    case 1:
        return write_rows_of<1>(r);
    case 2:
        return write_rows_of<2>(r);
    case 3:
        return write_rows_of<3>(r);
    case 4:
        return write_rows_of<4>(r);
    default:
        return write_rows_of<0>(r);
    }
}

void copy_row(const double* from, int n, double* to, double* finite) {
    __builtin_memcpy(to, from, static_cast<std::size_t>(n) * sizeof(double));
    *finite += sum_of_0(from, n);
}

void stream(const double* from, double* to, std::size_t n) {
    for (std::size_t i = 0; i < n; i += pack)
        stream_line(from + i, to + i);
}
void end_stream() {
    drain();
}

constexpr Kernels kernels_of_this_set{.solve_part = solve_part,
                                      .flow = flow,
                                      .project = project,
                                      .go_on = go_on,
                                      .march = march,
                                      .read = read,
                                      .respond = respond,
                                      .write_rows = write_rows,
                                      .copy_row = copy_row,
                                      .stream = stream,
                                      .end_stream = end_stream};

} // namespace
} // namespace gemel::sim::exact
