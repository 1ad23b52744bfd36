#include "sim/solve/precise_linear.hpp"
#include "sim/solve/problems.hpp"
#include "solve/exact/plan.hpp"
#include "solve/exact_linear.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

/// Closed forms of eight subjects side by side: who share their way, or go each their own.
using namespace gemel::sim;

namespace {

BlockResult
solve_block(const PreparedSolver& prepared, const Problem& p, const std::vector<double>& inputs) {
    BlockResult result;
    const int n = static_cast<int>(inputs.size() / p.system.inputs.size());
    prepared.worker()->solve({n, inputs, &p.timeline, &p.observation}, result);
    return result;
}

/// The same subjects one by one, every sample from the start of its segment.
BlockResult solve_one_by_one(const Problem& p, const std::vector<double>& inputs) {
    return solve_block(*prepare_closed_form_one_by_one(compile(p.system), {}), p, inputs);
}

std::vector<double> grid(double from, double step, int n) {
    std::vector<double> times;
    for (int i = 0; i < n; ++i)
        times.push_back(from + step * i);
    return times;
}

std::vector<double> irregular_grid(double to, int n) {
    std::vector<double> times;
    for (int i = 0; i < n; ++i)
        times.push_back(to * std::sqrt(static_cast<double>(i) / n));
    return times;
}

/// Some columns of a block's inputs.
std::vector<double> subjects(const std::vector<double>& inputs, int n, int first, int count) {
    std::vector<double> part;
    for (std::size_t at = 0; at < inputs.size(); at += static_cast<std::size_t>(n))
        part.insert(part.end(),
                    inputs.begin() + static_cast<std::ptrdiff_t>(at) + first,
                    inputs.begin() + static_cast<std::ptrdiff_t>(at) + first + count);
    return part;
}

std::uint64_t bits(double x) {
    return std::bit_cast<std::uint64_t>(x);
}

/// Values that differ in a bit; NaN as NaN.
int n_different(const std::vector<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == b.size());
    int n = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        n += bits(a[i]) != bits(b[i]) && !(std::isnan(a[i]) && std::isnan(b[i]));
    return n;
}

/// Largest |difference| / (|value| + 1e-3·largest of the subject).
double distance(const std::vector<double>& a, const std::vector<double>& b, std::size_t n_times) {
    double worst = 0.0;
    for (std::size_t first = 0; first < b.size(); first += n_times) {
        double largest = 0.0;
        for (std::size_t i = first; i < first + n_times; ++i)
            largest = std::max(largest, std::fabs(b[i]));
        for (std::size_t i = first; i < first + n_times; ++i)
            worst = std::max(worst, std::fabs(a[i] - b[i]) / (std::fabs(b[i]) + 1e-3 * largest));
    }
    return worst;
}

/// A depot, one to three compartments, every kind of dose that all subjects share, rates over two
/// decades; an output that is a state by a factor, and one that is not.
Problem everything_shared(int n_compartments, bool has_constant) {
    Problem p("shared", 96.0);
    const Term ka = p.input("ka", 0.8, 0.8), cl = p.input("CL", 3.0, 0.5);
    const Term v = p.input("V", 20.0, 0.4), f = p.input("F", 0.7, 0.1);
    p.input("weight", 70.0, 0.2);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    Term rate = ka * depot - cl / v * central;
    if (has_constant) rate = rate + p.input("kin", 0.4, 0.3);
    for (int i = 1; i < n_compartments; ++i) {
        const Term q = p.input("Q" + std::to_string(i), i == 1 ? 6.0 : 0.9, 0.5);
        const Term v2 = p.input("V" + std::to_string(i + 1), i == 1 ? 30.0 : 90.0, 0.5);
        const Term other = p.dosed_state("peripheral" + std::to_string(i));
        rate = rate - q / v * central + q / v2 * other;
        p.rate(other, q / v * central - q / v2 * other);
    }
    p.rate(depot, -ka * depot);
    p.rate(central, rate);
    p.definition(depot).bioavailability = f.expr;
    p.output("C", central / v);
    p.output("all", depot + central / v + 0.01 * p.time());
    p.bolus(depot, 100.0, 0.0, 12.0, 6);
    p.infuse(central, 40.0, 5.0, 3.5, 24.0, 3);
    p.infuse(depot, 30.0, 2.0, 7.0);
    p.timeline.records.push_back(
        {.time = 50.25, .kind = RecordKind::add, .state = 1, .amount = 0.5, .amount_factor = 4});
    p.timeline.records.push_back(
        {.time = 60.0, .kind = RecordKind::infuse, .state = 1, .amount = 20.0, .rate = 7.0});
    return p;
}

/// One of each kind, over windows that cut segments.
void look_everywhere(Problem& p) {
    for (const int output : {0, 1}) {
        p.functional(FunctionalKind::integral, output, 0.0, 96.0);
        p.functional(FunctionalKind::integral, output, 13.7, 61.0);
        p.functional(FunctionalKind::maximum, output, 24.0, 48.0);
        p.functional(FunctionalKind::time_of_maximum, output, 24.0, 48.0);
        p.functional(FunctionalKind::minimum, output, 30.0, 96.0);
        p.functional(FunctionalKind::time_above, output, 0.0, 96.0, 2.0);
        for (const double at : {0.0, 12.0, 50.25, 70.0, 96.0})
            p.functional(FunctionalKind::value_before, output, 0.0, at);
    }
}

/// A depot whose doses lag behind by an input, a bolus that does not, an infusion that does: what
/// comes first differs between subjects.
Problem lagging() {
    Problem p("lagging", 48.0);
    const Term ka = p.input("ka", 1.1, 0.5), k = p.input("k", 0.12, 0.4);
    const Term lag = p.input("lag", 1.3, 0.7), f = p.input("F", 0.8, 0.1);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    const Term infused = p.dosed_state("infused");
    p.rate(depot, -ka * depot);
    p.rate(central, ka * depot - k * central);
    p.rate(infused, -k * infused);
    p.definition(depot).lag = lag.expr;
    p.definition(depot).bioavailability = f.expr;
    p.definition(infused).lag = (2.0 * lag).expr;
    p.output("depot", depot);
    p.output("central", central);
    p.output("infused", 3.0 * infused);
    p.bolus(depot, 100.0, 0.0, 12.0, 3);
    p.bolus(central, 20.0, 2.0);
    p.infuse(infused, 30.0, 4.0, 1.0);
    return p;
}

struct LaggingSubject {
    double ka = 0.0, k = 0.0, lag = 0.0, f = 0.0;
};

/// Closed forms of each dose from its arrival on; nothing before, the dose itself at once.
double lagging_value(const LaggingSubject& s, int output, double t) {
    const auto since = [t](double arrival) { return t - arrival; };
    if (output == 2) {
        const double on = since(1.0 + 2.0 * s.lag), off = since(1.0 + 2.0 * s.lag + 4.0);
        if (on < 0.0) return 0.0;
        const double in = std::min(on, 4.0), rest = std::max(off, 0.0);
        return 3.0 * 7.5 * -std::expm1(-s.k * in) / s.k * std::exp(-s.k * rest);
    }
    double sum = 0.0;
    for (const double time : {0.0, 12.0, 24.0}) {
        const double tau = since(time + s.lag), left = 100.0 * s.f * std::exp(-s.ka * tau);
        if (tau < 0.0) continue;
        sum += output == 0 ? left : s.ka * left * std::expm1((s.ka - s.k) * tau) / (s.ka - s.k);
    }
    return output == 1 && t >= 2.0 ? sum + 20.0 * std::exp(-s.k * since(2.0)) : sum;
}

} // namespace

TEST_CASE("packs agree with subjects solved one by one, on any grid") {
    // Two ways that share no loop. 1e-12: rounding of the modes, as against a hundred digits; a
    // regular grid adds 32 steps' roundings at most.
    constexpr int n = 21; // two packs and a part of one
    for (const bool has_constant : {false, true})
        for (int n_compartments = 1; n_compartments <= 3; ++n_compartments) {
            Problem p = everything_shared(n_compartments, has_constant);
            const std::vector<double> irregular{
                0.0, 0.3, 1.0, 3.5, 8.49, 12.0, 50.25, 95.999, 96.0};
            p.sample_output(0, grid(0.0, 1.0, 97));
            p.sample_output(1, grid(0.1, 0.1, 951));
            p.sample_output(0, irregular);
            p.sample_output(1, irregular);
            p.sample_output(0, irregular_grid(96.0, 700)); // more than a stretch of the way holds
            look_everywhere(p);
            const auto prepared = prepare_closed_form(compile(p.system), {});
            const std::vector<double> inputs = p.patients(n);
            const BlockResult packs = solve_block(*prepared, p, inputs);
            const BlockResult single = solve_one_by_one(p, inputs);
            CHECK(packs.status == single.status);
            CHECK(packs.stopped_at == single.stopped_at);
            CHECK(packs.parameters == single.parameters);
            for (std::size_t k = 0; k < p.observation.sampled.size(); ++k)
                CHECK(distance(packs.sampled[k],
                               single.sampled[k],
                               p.observation.sampled[k].times.size()) < 1e-12);
            // Areas and levels as the samples; times of peaks, where the output is flat, and above
            // a level by the observer's own search.
            for (std::size_t i = 0; i < packs.functionals.size(); ++i) {
                const FunctionalKind kind = p.observation.functionals[i / n].kind;
                const bool is_time = kind == FunctionalKind::time_of_maximum;
                const bool is_searched = is_time || kind == FunctionalKind::time_above;
                CHECK(packs.functionals[i] == doctest::Approx(single.functionals[i])
                                                  .epsilon(is_time       ? 1e-5
                                                           : is_searched ? 1e-9
                                                                         : 1e-12));
            }
        }
}

TEST_CASE("recursion on a grid errs by less than its steps' roundings") {
    // Oracle: a hundred digits over ten days after one dose, rates equal, nearly equal and far
    // apart. A step rounds three times and no run is longer than 32 steps; what it starts from is
    // right to some ulp. k·t ≤ 60: times and rates round too, by k·t·ε/2 relative.
    for (const double ka : {0.25, 0.25 * (1.0 + 1e-9), 0.2501, 0.7, 3.0}) {
        Problem p("recursion", 240.0);
        const Term a = p.input("ka", ka), k = p.input("k", 0.25);
        const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
        p.rate(depot, -a * depot);
        p.rate(central, a * depot - k * central);
        p.output("amount", central);
        p.bolus(depot, 100.0);
        p.sample_output(0, grid(0.0, 0.5, 481));
        const auto prepared = prepare_closed_form(compile(p.system), {});
        const BlockResult result = solve_block(*prepared, p, p.patients(1));
        constexpr double epsilon = std::numeric_limits<double>::epsilon();
        for (int i = 1; i <= 480; i += 37) {
            const double t = 0.5 * i;
            const double expected =
                precise_linear(2, {-ka, 0.0, ka, -0.25}, {0.0, 0.0}, {100.0, 0.0}, t)[1];
            const double bound = (3.0 * exact::longest_run + 8.0 + 0.25 * t) * 0.5 * epsilon;
            CHECK(std::fabs(result.sampled[0][static_cast<std::size_t>(i)] / expected - 1.0) <
                  bound);
        }
    }
}

TEST_CASE("a subject's bits depend on no neighbour, block, instruction set or way to memory") {
    // Invariant. 130 subjects in one block of 5 MB go past the caches, smaller blocks do not.
    Problem p = everything_shared(2, true);
    p.sample_output(0, grid(0.0, 0.02, 4801));
    p.sample_output(1, grid(0.0, 1.0, 97));
    p.sample_output(0, {0.5, 1.7, 60.0});
    look_everywhere(p);
    const CompiledSystem system = compile(p.system);
    constexpr int n = 134;
    const std::vector<double> inputs = p.patients(n);
    const BlockResult whole = solve_block(*prepare_closed_form(system, {}), p, inputs);
    const auto& sets = exact::kernel_sets();
    for (int set = 0; set < sets.count; ++set) {
        const auto prepared = prepare_closed_form(system, {}, *sets.sets[set]);
        for (const auto& [size, first] :
             {std::pair(1, 0), {1, 64}, {1, n - 1}, {3, 5}, {8, 64}, {21, n - 21}}) {
            const BlockResult part = solve_block(*prepared, p, subjects(inputs, n, first, size));
            for (std::size_t k = 0; k < 3; ++k) {
                const auto n_times =
                    static_cast<std::ptrdiff_t>(p.observation.sampled[k].times.size());
                const auto from = whole.sampled[k].begin() + first * n_times;
                CHECK(n_different(part.sampled[k], {from, from + size * n_times}) == 0);
            }
            CHECK(n_different(part.functionals, subjects(whole.functionals, n, first, size)) == 0);
        }
        CHECK(n_different(solve_block(*prepared, p, inputs).sampled[0], whole.sampled[0]) == 0);
    }
}

TEST_CASE("in packs, another output, grid or functional moves no number") {
    // Invariant.
    Problem p = everything_shared(2, false);
    p.sample_output(0, grid(0.0, 1.0, 97));
    const CompiledSystem system = compile(p.system);
    const auto prepared = prepare_closed_form(system, {});
    const std::vector<double> inputs = p.patients(9);
    const BlockResult plain = solve_block(*prepared, p, inputs);
    Problem more = p;
    more.sample_output(1, grid(0.0, 1.0, 97));
    more.sample_output(0, grid(0.0, 0.25, 385));
    more.sample_output(1, {1.0, 2.0, 5.0});
    more.functional(FunctionalKind::integral, 0, 0.0, 96.0);
    more.functional(FunctionalKind::value_before, 0, 0.0, 12.0);
    CHECK(n_different(solve_block(*prepared, more, inputs).sampled[0], plain.sampled[0]) == 0);
}

TEST_CASE("in packs, subjects that fail or have no closed form disturb nobody") {
    // Invariant: the others' bits; and the failed ones' statuses are those of subjects alone.
    Problem p("ward", 24.0);
    const Term forth = p.input("forth", 0.3), back = p.input("back", 0.2), k = p.input("k", 0.1);
    const Term f = p.input("F", 1.0);
    const Term x = p.dosed_state("x"), y = p.dosed_state("y");
    p.rate(x, back * y - (forth + k) * x);
    p.rate(y, forth * x - back * y);
    p.definition(x).bioavailability = f.expr;
    p.output("x", x);
    p.bolus(x, 10.0, 0.0, 8.0, 3);
    p.sample_output(0, grid(0.0, 0.5, 49));
    const auto prepared = prepare_closed_form(compile(p.system), {});
    constexpr int n = 11;
    const std::vector<double> good = p.patients(n);
    const BlockResult plain = solve_block(*prepared, p, good);
    std::vector<double> inputs = good;
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const auto set = [&](int input, int subject, double value) {
        inputs[static_cast<std::size_t>(input * n + subject)] = value;
    };
    set(0, 1, -0.3); // couplings of opposite sense: by expm
    set(1, 3, 0.0);  // one-way coupling: by expm
    set(2, 4, -1e6); // grows beyond all doubles
    set(2, 6, nan);
    set(3, 7, -1.0); // refused
    set(3, 8, nan);
    const BlockResult result = solve_block(*prepared, p, inputs);
    const BlockResult single = solve_one_by_one(p, inputs);
    CHECK(result.status == single.status);
    CHECK(result.stopped_at == single.stopped_at);
    CHECK(result.status[4] == SolverStatus::not_finite);
    CHECK(result.status[6] == SolverStatus::not_finite);
    CHECK(result.status[7] == SolverStatus::invalid_parameter);
    for (int subject = 0; subject < n; ++subject) {
        const auto part = [&](const BlockResult& r) {
            const auto first = r.sampled[0].begin() + subject * 49;
            return std::vector<double>(first, first + 49);
        };
        const bool is_alone = subject == 1 || subject == 3;
        if (result.status[static_cast<std::size_t>(subject)] != SolverStatus::ok || is_alone)
            CHECK(n_different(part(result), part(single)) == 0);
        else
            CHECK(n_different(part(result), part(plain)) == 0);
    }
}

TEST_CASE("in packs, a sample that overflows is found although no state does") {
    // Invariant: statuses of subjects one by one, and the bits of those who fit.
    Problem p("overflow", 24.0);
    const Term k = p.input("k", 0.1), by = p.input("by", 1.0);
    const Term x = p.dosed_state("x");
    p.rate(x, -k * x);
    p.output("x", by * x);
    p.bolus(x, 100.0, 0.0, 8.0, 3);
    p.sample_output(0, grid(0.0, 0.5, 49));
    const auto prepared = prepare_closed_form(compile(p.system), {});
    constexpr int n = 9;
    std::vector<double> inputs = p.patients(n);
    const BlockResult plain = solve_block(*prepared, p, inputs);
    inputs[n + 3] = 1e307;  // 1e309 after a dose
    inputs[n + 6] = 1e200;  // squares alone overflow
    inputs[n + 8] = 1e-320; // subnormal
    const BlockResult result = solve_block(*prepared, p, inputs);
    CHECK(result.status == solve_one_by_one(p, inputs).status);
    for (int subject = 0; subject < n; ++subject)
        CHECK((result.status[static_cast<std::size_t>(subject)] == SolverStatus::ok) ==
              (subject != 3));
    for (const int subject : {0, 2, 4, 5, 7})
        CHECK(n_different(subjects(result.sampled[0], 49 * n, 49 * subject, 49),
                          subjects(plain.sampled[0], 49 * n, 49 * subject, 49)) == 0);
}

TEST_CASE("subjects with ways of their own go side by side with the bits of one by one") {
    // Invariant, over lags, rates of their own, steady states, resets, rows of inputs, samples of
    // their own, and subjects that fail or have no closed form.
    Problem p("ways", 72.0);
    const Term ka = p.input("ka", 0.9, 0.5), k = p.input("k", 0.15, 0.4);
    const Term forth = p.input("forth", 0.3, 0.3), back = p.input("back", 0.2, 0.3);
    const Term lag = p.input("lag", 0.4, 0.5), rate = p.input("rate", 12.0, 0.3);
    const Term depot = p.dosed_state("depot"), x = p.dosed_state("x"), y = p.dosed_state("y");
    p.rate(depot, -ka * depot);
    p.rate(x, ka * depot + back * y - (forth + k) * x);
    p.rate(y, forth * x - back * y);
    p.definition(depot).lag = lag.expr;
    p.definition(x).modelled_rate = rate.expr;
    p.output("x", x);
    p.output("mixed", x + 0.5 * y + 0.001 * p.time());
    p.sample_output(0, grid(0.0, 1.0, 73));
    p.sample_output(1, {0.7, 3.0, 24.0, 71.5});
    p.observation.own_outputs = {0, 1};
    p.functional(FunctionalKind::integral, 0, 0.0, 72.0);
    p.functional(FunctionalKind::maximum, 1, 5.0, 60.0);
    p.functional(FunctionalKind::time_above, 0, 0.0, 72.0, 3.0);
    p.functional(FunctionalKind::value_before, 0, 0.0, 48.0);
    p.bolus(depot, 20.0, 0.0, 12.0, 5);
    constexpr int n = 29;
    std::vector<SubjectTimeline> own(n);
    std::vector<const SubjectTimeline*> pointers;
    std::vector<int> first_row{0};
    for (int s = 0; s < n; ++s) {
        SubjectTimeline& t = own[static_cast<std::size_t>(s)];
        if (s % 3 == 0)
            t.records.push_back({.time = 1.0 + s,
                                 .kind = RecordKind::infuse,
                                 .state = 1,
                                 .amount = 30.0,
                                 .rate = modelled_rate});
        if (s % 4 == 1)
            t.records.push_back({.time = 6.0,
                                 .amount = 10.0,
                                 .interval = 8.0,
                                 .count = 3,
                                 .steady = SteadyState::replaces});
        if (s % 5 == 2) t.records.push_back({.time = 30.0, .kind = RecordKind::reset});
        t.samples = {{0.25 * s, 0}, {40.0, 0}};
        if (s % 2 == 0) t.switches.push_back({.time = 20.0 + s});
        pointers.push_back(&t);
        first_row.push_back(first_row.back() + 1 + static_cast<int>(t.switches.size()));
    }
    const int n_rows = first_row.back();
    std::vector<double> inputs = p.patients(n_rows);
    const auto set = [&](int input, int subject, double value) {
        inputs[static_cast<std::size_t>(input * n_rows +
                                        first_row[static_cast<std::size_t>(subject)])] = value;
    };
    set(3, 6, 0.0);                                      // one-way coupling: by expm
    set(1, 9, -1e6);                                     // grows beyond all doubles
    set(4, 13, -1.0);                                    // no lag
    set(0, 17, std::numeric_limits<double>::infinity()); // no matrix
    const CompiledSystem system = compile(p.system);
    REQUIRE(closed_form_applies(system));
    // Watched by a trigger that acts, by one that looks at time too; parked, and going on.
    Problem watched = p;
    watched.functional(FunctionalKind::times_acted, 0, 0.0, 72.0);
    watched.timeline.triggers = {
        {.output = 0,
         .threshold = 2.0,
         .record = {.kind = RecordKind::infuse, .state = 1, .amount = 4.0, .rate = 8.0},
         .wait = 3.0},
        {.output = 1, .threshold = 9.0, .is_above = true, .record = {.kind = RecordKind::reset}}};
    const auto solve_rows = [&](const PreparedSolver& prepared, const Problem& q, bool is_parked) {
        BlockProblem problem{n, inputs, &q.timeline, &q.observation, pointers};
        BlockResult result;
        const auto worker = prepared.worker();
        if (is_parked) problem.park_at = 33.0;
        worker->solve(problem, result);
        if (!is_parked) return result;
        std::vector<const ParkedSubject*> parked;
        for (const ParkedSubject& subject : result.parked)
            parked.push_back(&subject);
        BlockResult rest;
        problem.park_at = std::numeric_limits<double>::infinity();
        problem.resume = parked;
        worker->solve(problem, rest);
        for (std::size_t out = 0; out < 2; ++out)
            rest.sampled.push_back(std::move(result.sampled[out]));
        return rest;
    };
    const auto& sets = exact::kernel_sets();
    const auto one_by_one = prepare_closed_form_one_by_one(system, {});
    for (const Problem* q : {&p, &watched})
        for (const bool is_parked : {false, true}) {
            const BlockResult single = solve_rows(*one_by_one, *q, is_parked);
            CHECK(single.status[6] == SolverStatus::ok);
            CHECK(single.status[9] == SolverStatus::not_finite);
            CHECK(single.status[13] == SolverStatus::invalid_parameter);
            CHECK(single.status[17] == SolverStatus::not_finite);
            for (int set_of = 0; set_of < sets.count; ++set_of) {
                const BlockResult ways =
                    solve_rows(*prepare_closed_form(system, {}, *sets.sets[set_of]), *q, is_parked);
                CHECK(ways.status == single.status);
                CHECK(ways.stopped_at == single.stopped_at);
                CHECK(n_different(ways.functionals, single.functionals) == 0);
                for (std::size_t out = 0; out < single.sampled.size(); ++out)
                    CHECK(n_different(ways.sampled[out], single.sampled[out]) == 0);
                for (std::size_t out = 0; out < 2; ++out)
                    CHECK(n_different(ways.own[out], single.own[out]) == 0);
            }
        }
}

TEST_CASE("doses that lag come when they do, whatever comes first for whom") {
    // Closed form, shifted by the lag. 1e-13: rounding of rates and exponentials. Lags: none, to a
    // sample's time, to another dose's time, hardly before and after it, to the end, beyond it.
    Problem p = lagging();
    const std::vector<double> times{
        0.0, 0.5, 1.0, 1.75, 2.0, 3.0, 5.0, 9.0, 12.0, 14.0, 30.0, 48.0};
    for (int output = 0; output < 3; ++output)
        p.sample_output(output, times);
    const std::vector<double> lags{
        0.0, 1.0, 2.0, 2.0 - 1e-9, 2.0 + 1e-9, 48.0, 60.0, 36.0, 12.0, 0.5, 11.0};
    constexpr std::size_t n = 21;
    std::vector<double> inputs = p.patients(n);
    std::copy(lags.begin(), lags.end(), inputs.begin() + 2 * n);
    const BlockResult result = solve_block(*prepare_closed_form(compile(p.system), {}), p, inputs);
    for (std::size_t s = 0; s < n; ++s) {
        CHECK(result.status[s] == SolverStatus::ok);
        const LaggingSubject subject{
            inputs[s], inputs[n + s], inputs[2 * n + s], inputs[3 * n + s]};
        for (int output = 0; output < 3; ++output)
            for (std::size_t i = 0; i < times.size(); ++i) {
                const double got =
                    result.sampled[static_cast<std::size_t>(output)][s * times.size() + i];
                CAPTURE(subject.lag);
                CAPTURE(times[i]);
                CHECK(got ==
                      doctest::Approx(lagging_value(subject, output, times[i])).epsilon(1e-13));
            }
    }
}

TEST_CASE("a lagging subject's samples depend on no neighbour, output, grid or functional") {
    // Invariant.
    Problem p = lagging();
    p.sample_output(1, irregular_grid(48.0, 40));
    const auto prepared = prepare_closed_form(compile(p.system), {});
    constexpr int n = 19;
    const std::vector<double> inputs = p.patients(n);
    const BlockResult plain = solve_block(*prepared, p, inputs);
    Problem more = p;
    more.sample_output(2, grid(0.0, 0.25, 193));
    for (const double at : {0.0, 12.0, 48.0})
        more.functional(FunctionalKind::value_before, 0, 0.0, at);
    more.functional(FunctionalKind::integral, 1, 1.0, 40.0);
    CHECK(n_different(solve_block(*prepared, more, inputs).sampled[0], plain.sampled[0]) == 0);
    for (const auto& [size, first] : {std::pair(1, 3), {5, 2}, {8, 11}}) {
        const BlockResult part = solve_block(*prepared, p, subjects(inputs, n, first, size));
        const auto from = plain.sampled[0].begin() + first * 40;
        CHECK(n_different(part.sampled[0], {from, from + size * 40}) == 0);
    }
}

TEST_CASE("a grid is regular when its times are equal steps but for rounding") {
    // Oracle: by construction.
    CHECK(exact::regular_step(grid(0.0, 1.0, 337)) == 1.0);
    CHECK(exact::regular_step(grid(-24.0, 0.5, 50)) == 0.5);
    CHECK(exact::regular_step(grid(0.3, 0.1, 1000)).has_value());
    std::vector<double> sum{0.0}; // rounded again at every step: 1e-10 after 10,000
    for (int i = 0; i < 10000; ++i)
        sum.push_back(sum.back() + 0.1);
    CHECK(!exact::regular_step(sum).has_value());
    CHECK(!exact::regular_step(std::vector<double>{0.0, 1.0, 2.0, 4.0}).has_value());
    CHECK(!exact::regular_step(std::vector<double>{0.0, 1.0}).has_value());
    std::vector<double> moved = grid(0.0, 1.0, 100);
    moved[50] += 1e-12;
    CHECK(!exact::regular_step(moved).has_value());
}
