#include "solve/steady_state.hpp"

#include "base/finite.hpp"
#include "base/index.hpp"
#include "solve/scalar_program.hpp"
#include "solve/transit_times.hpp"

#include <algorithm>
#include <cmath>

namespace gemel::sim {
namespace {

constexpr int warm_up = 2;      ///< periods before Newton's first step, where it might go astray
constexpr int most_newton = 40; ///< derivatives of P
constexpr int most_chord = 6;   ///< steps with one derivative
constexpr double slow = 0.3;    ///< a chord step that leaves more of the residual
constexpr double near_enough = 1e-3;   ///< the last correction: larger ones are no convergence
constexpr double all_of_it = 1.0;      ///< of a state, that errors may be
constexpr int most_blind = 8;          ///< derivatives of P that tell nothing
constexpr std::size_t together = 2048; ///< passages

/// States that something living depends on. Others, such as areas and amounts excreted, grow
/// without end under repeated doses.
std::vector<int> living(const SystemStructure& structure, int n_states, int first_kept, int n_own) {
    std::vector<char> is_live(index(n_states), 1);
    for (int i = first_kept; i < n_own; ++i)
        is_live[index(i)] = 0;
    const int n_kept = n_own - first_kept;
    for (int i = n_own; n_kept > 0 && i < n_states; ++i)
        if (i % n_own >= first_kept) is_live[index(i)] = 0;
    for (bool changes = true; changes;) {
        changes = false;
        std::vector<char> is_needed(index(n_states), 0);
        for (int i = 0; i < n_states; ++i)
            if (is_live[index(i)])
                for (const int j : structure.jacobian[index(i)])
                    is_needed[index(j)] = 1;
        for (int i = 0; i < n_states; ++i)
            if (is_live[index(i)] && !is_needed[index(i)]) {
                is_live[index(i)] = 0;
                changes = true;
            }
    }
    std::vector<int> live;
    for (int i = 0; i < n_states; ++i)
        if (is_live[index(i)]) live.push_back(i);
    return live;
}

/// Gaussian elimination with row pivoting, in place. @returns false for a singular matrix
bool factorise_dense(std::vector<double>& a, std::vector<int>& pivots, std::size_t n) {
    pivots.resize(n);
    for (std::size_t k = 0; k < n; ++k) {
        std::size_t best = k;
        for (std::size_t i = k + 1; i < n; ++i)
            if (std::abs(a[i * n + k]) > std::abs(a[best * n + k])) best = i;
        pivots[k] = static_cast<int>(best);
        for (std::size_t j = 0; best != k && j < n; ++j)
            std::swap(a[k * n + j], a[best * n + j]);
        const double pivot = a[k * n + k];
        if (!(std::abs(pivot) > 0.0) || !std::isfinite(pivot)) return false;
        for (std::size_t i = k + 1; i < n; ++i) {
            const double factor = a[i * n + k] /= pivot;
            for (std::size_t j = k + 1; factor != 0.0 && j < n; ++j)
                a[i * n + j] -= factor * a[k * n + j];
        }
    }
    return true;
}

void solve_dense(const std::vector<double>& lu,
                 const std::vector<int>& pivots,
                 std::vector<double>& b) {
    const std::size_t n = b.size();
    for (std::size_t k = 0; k < n; ++k)
        std::swap(b[k], b[index(pivots[k])]);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < i; ++j)
            b[i] -= lu[i * n + j] * b[j];
    for (std::size_t i = n; i-- > 0;) {
        for (std::size_t j = i + 1; j < n; ++j)
            b[i] -= lu[i * n + j] * b[j];
        b[i] /= lu[i * n + i];
    }
}

} // namespace

SteadyStates::SteadyStates(const CompiledSystem& system)
    : system_(system.system),
      is_linear_(system.structure.is_linear),
      n_states_(static_cast<int>(system.system.states.size())),
      n_own_(system.system.n_own_states()),
      scales_(system.system),
      live_(living(system.structure, n_states_, n_own_ - system.system.n_kept_states, n_own_)) {}

void SteadyStates::begin(const BlockProblem& problem, const BlockSetup& setup) {
    problem_ = &problem;
    setup_ = &setup;
    n_searches_ = 0;
}

int SteadyStates::add(const SubjectEvents& events) {
    const int first = static_cast<int>(n_searches_);
    const std::size_t n_wrt = system_.sensitivities.wrt.size();
    for (const SteadyPattern& pattern : events.expanded.steady) {
        if (n_searches_ == searches_.size()) searches_.emplace_back();
        Search& search = searches_[n_searches_++];
        static_cast<SearchState&>(search) = {};
        search.subject = events.subject;
        search.pattern = pattern;
        search.derivatives.assign(n_wrt, {});
        if (pattern.dose >= 0)
            std::copy_n(events.expanded.derivatives.begin() +
                            static_cast<std::ptrdiff_t>(index(pattern.dose) * n_wrt),
                        n_wrt,
                        search.derivatives.begin());
    }
    return first;
}

void SteadyStates::find(StateCarrier& carrier) {
    tolerance_ = carrier.relative_error();
    const std::size_t group = std::max<std::size_t>(1, together / (n_live() + 1));
    for (std::size_t first = 0; first < n_searches_; first += group) {
        group_.clear();
        for (std::size_t i = first; i < std::min(first + group, n_searches_); ++i) {
            begin_search(searches_[i]);
            group_.push_back(&searches_[i]);
        }
        search_together(group_, carrier);
        for (Search* search : group_)
            if (search->status == SolverStatus::ok) finish(*search);
    }
}

SolverStatus SteadyStates::status(int pattern) const {
    return searches_[index(pattern)].status;
}

std::span<const double> SteadyStates::states(int pattern) const {
    return searches_[index(pattern)].x;
}

void SteadyStates::begin_search(Search& search) {
    const int row = setup_->first_row[index(search.subject)] + search.pattern.row;
    gather(setup_->initial, setup_->n_rows, row, search.x);
    switch_off(search, search.x);
    // An infusion without end: Newton looks further ahead each time.
    const double span = problem_->timeline->end - problem_->timeline->start;
    search.period = search.pattern.period > 0.0 ? search.pattern.period : span > 0.0 ? span : 1.0;
    search.scale.assign(index(n_states_), 0.0);
    period_.events.clear();
    fill_period(search, period_);
    scales_.find(period_.events,
                 search.x.data(),
                 1,
                 search.pattern.time,
                 search.scale.data(),
                 1,
                 problem_->inputs.data() + row,
                 setup_->n_rows);
}

bool SteadyStates::is_off(const Search& search, int state) const {
    const std::vector<int>& off = search.pattern.off;
    return std::find(off.begin(), off.end(), state % n_own_) != off.end();
}

/// What is off is empty and stays so.
void SteadyStates::switch_off(const Search& search, std::vector<double>& states) const {
    for (const int state : search.pattern.off) {
        states[index(state)] = 0.0;
        for (int k = 0; k < system_.sensitivities.n_wrt(); ++k)
            states[index(system_.sensitivities.state(state, k))] = 0.0;
        const int is_on = system_.states[index(state)].switch_state;
        if (is_on >= 0) states[index(is_on)] = 0.0;
    }
}

/// The doses of one period before the record: at their phase, with infusions that reach over from
/// the periods before.
void SteadyStates::fill_period(const Search& search, Expansion& period) const {
    const SteadyPattern& p = search.pattern;
    const double from = p.time - search.period;
    period.derivatives = search.derivatives;
    const auto happen = [&](double time, EventKind kind, double value) {
        period.events.push_back(
            {.time = time, .kind = kind, .state = p.state, .value = value, .record = 0, .dose = 0});
    };
    if (p.period == 0.0) return happen(from, EventKind::goes_on, p.rate);
    const double start = from + p.phase;
    if (p.rate == 0.0) return happen(start, EventKind::add, p.amount);
    const double whole = std::floor(p.duration / p.period);
    for (double k = 0.0; k < whole; ++k)
        happen(from, EventKind::goes_on, p.rate);
    const double rest = p.duration - whole * p.period;
    const double reaches_over = p.phase + rest - p.period;
    if (reaches_over > 0.0) {
        happen(from, EventKind::goes_on, p.rate);
        happen(from + reaches_over, EventKind::rate_off, p.rate);
    }
    happen(start, EventKind::rate_on, p.rate);
    if (reaches_over < 0.0) happen(start + rest, EventKind::rate_off, p.rate);
}

/// Doses of this period and those before, by way of transit compartments.
void SteadyStates::stop_on_the_way(const Search& search,
                                   double from,
                                   std::vector<Event>& events) const {
    const SteadyPattern& p = search.pattern;
    const State& depot = system_.states[index(p.state)];
    if (depot.n_kept == 0) return;
    const int row = setup_->first_row[index(search.subject)] + p.row;
    const auto start = [&](int state) {
        return setup_->initial[index(state) * index(setup_->n_rows) + index(row)];
    };
    const TransitTimes transit{start(depot.first_kept + 2 * depot.n_kept),
                               start(depot.first_kept + 2 * depot.n_kept + 1)};
    for (int j = 0; j <= depot.n_kept; ++j)
        add_stops(transit, from + p.phase - j * p.period, p.state, from, p.time, events);
    // In order of time, those at one time as they came: a stable sort would ask for storage.
    for (auto event = events.begin(); event != events.end(); ++event)
        std::rotate(std::upper_bound(
                        events.begin(),
                        event,
                        *event,
                        [](const Event& one, const Event& other) { return one.time < other.time; }),
                    event,
                    event + 1);
}

/// States that keep doses on their way hold those given before a time.
void SteadyStates::keep_earlier_doses(const Search& search,
                                      double before,
                                      std::vector<double>& states) const {
    const SteadyPattern& p = search.pattern;
    const State& depot = system_.states[index(p.state)];
    const SensitivityLayout& layout = system_.sensitivities;
    if (system_.last_dose_state >= 0 && p.period > 0.0) {
        const int last = system_.last_dose_state;
        states[index(last)] = before + p.phase - p.period;
        for (int k = 0; k < layout.n_wrt(); ++k)
            states[index(layout.state(last, k))] = search.derivatives[index(k)].time;
    }
    for (int kept = 0; kept < depot.n_kept; ++kept) {
        const int slot = depot.first_kept + 2 * kept;
        states[index(slot)] = before + p.phase - (kept + 1) * p.period;
        states[index(slot + 1)] = p.amount;
        for (int k = 0; k < layout.n_wrt(); ++k) {
            states[index(layout.state(slot, k))] = search.derivatives[index(k)].time;
            states[index(layout.state(slot + 1, k))] = search.derivatives[index(k)].amount;
        }
    }
}

void SteadyStates::add_passage(const Search& search, std::span<const double> from) {
    if (n_passages_ == passages_.size()) passages_.emplace_back();
    Passage& passage = passages_[n_passages_++];
    passage.from = search.pattern.time - search.period;
    passage.to = search.pattern.time;
    passage.states.assign(from.begin(), from.end());
    passage.status = SolverStatus::ok;
    passage.events.subject = search.subject;
    passage.events.row = setup_->first_row[index(search.subject)] + search.pattern.row;
    passage.events.expanded.events.clear();
    fill_period(search, passage.events.expanded);
    stop_on_the_way(search, passage.from, passage.events.expanded.events);
    keep_earlier_doses(search, passage.from, passage.states);
}

void SteadyStates::search_together(std::span<Search*> searches, StateCarrier& carrier) {
    for (int i = 0; !is_linear_ && i < warm_up; ++i)
        repeat_plainly(searches, carrier);
    active_.assign(searches.begin(), searches.end());
    while (true) {
        std::erase_if(active_, [](const Search* search) { return search->is_done; });
        if (active_.empty()) return;
        look(active_, carrier);
        for (Search* search : active_)
            if (!search->is_done) step(*search);
    }
}

/// x ← P(x)
void SteadyStates::repeat_plainly(std::span<Search*> searches, StateCarrier& carrier) {
    n_passages_ = 0;
    for (const Search* search : searches)
        add_passage(*search, search->x);
    carrier.carry(passages());
    for (std::size_t i = 0; i < searches.size(); ++i) {
        searches[i]->status = passages_[i].status;
        searches[i]->is_done = passages_[i].status != SolverStatus::ok;
        searches[i]->x = passages_[i].states;
    }
}

/// P(x) of every search, and with it the derivative of P where there is none.
void SteadyStates::look(std::span<Search*> searches, StateCarrier& carrier) {
    n_passages_ = 0;
    first_passage_.clear();
    for (const Search* search : searches) {
        first_passage_.push_back(n_passages_);
        add_passage(*search, search->x);
        for (std::size_t k = 0; !search->has_factors && k < n_live(); ++k) {
            from_ = search->x;
            from_[index(live_[k])] += perturbation(*search, live_[k]);
            add_passage(*search, from_);
        }
    }
    first_passage_.push_back(n_passages_);
    carrier.carry(passages());
    for (std::size_t i = 0; i < searches.size(); ++i)
        take_image(
            *searches[i],
            passages().subspan(first_passage_[i], first_passage_[i + 1] - first_passage_[i]));
}

void SteadyStates::take_image(Search& search, std::span<const Passage> passages) {
    for (const Passage& passage : passages)
        if (passage.status != SolverStatus::ok) search.status = passage.status;
    if (search.status != SolverStatus::ok) {
        search.is_done = true;
        return;
    }
    search.image = passages[0].states;
    change_ = search.image;
    for (std::size_t i = 0; i < change_.size(); ++i)
        change_[i] -= search.x[i];
    search.residual = relative(search, change_);
    if (!search.has_factors) factorise(search, passages);
}

/// Large where the map is linear and any change tells the same; else small, though well above what
/// the solver's own error makes of it.
double SteadyStates::perturbation(const Search& search, int state) const {
    const double size = std::max(std::abs(search.x[index(state)]), search.scale[index(state)]);
    return (is_linear_ ? 1.0 : std::sqrt(tolerance_)) * (size > 0.0 ? size : 1.0);
}

void SteadyStates::factorise(Search& search, std::span<const Passage> passages) {
    const std::size_t n = n_live();
    search.factors.assign(n * n, 0.0);
    for (std::size_t k = 0; k < n; ++k) {
        // What was really added, after rounding.
        const auto at = index(live_[k]);
        const double step = search.x[at] + perturbation(search, live_[k]) - search.x[at];
        for (std::size_t i = 0; i < n; ++i) {
            const auto row = index(live_[i]);
            const double same = i == k ? 1.0 : 0.0;
            search.factors[i * n + k] = same;
            if (!is_off(search, live_[k]))
                search.factors[i * n + k] -=
                    (passages[k + 1].states[row] - search.image[row]) / step;
        }
    }
    search.has_factors = true;
    search.n_chord = 0;
    ++search.n_newton;
    search.is_blind = !factorise_dense(search.factors, search.pivots, n) || !is_determined(search);
}

/// Whether errors of P that the solver may make leave something of the fixed point: where nothing
/// is eliminated, rounding alone makes one, far away.
bool SteadyStates::is_determined(const Search& search) {
    error_.assign(index(n_states_), 0.0);
    for (std::size_t k = 0; k < n_live(); ++k) {
        const auto at = index(live_[k]);
        right_.assign(n_live(), 0.0);
        right_[k] = tolerance_ * size(search, at);
        solve(search);
        for (std::size_t i = 0; i < error_.size(); ++i)
            error_[i] += std::abs(solved_[i]);
    }
    return relative(search, error_) < all_of_it;
}

/// Where the derivative of P tells nothing, further away it may: one period on.
void SteadyStates::go_on_blindly(Search& search) const {
    search.x = search.image;
    search.has_factors = false;
    if (search.pattern.period == 0.0) search.period *= 2.0;
    if (!is_linear_ && ++search.n_blind <= most_blind) return;
    search.status = SolverStatus::no_steady_state;
    search.is_done = true;
}

/// A state without a scale may start at 0: then it is as large as one period makes it.
double SteadyStates::size(const Search& search, std::size_t state) {
    return std::max(std::abs(search.x[state]), std::abs(search.image[state])) + search.scale[state];
}

/// The largest part of a size that a state changes by.
double SteadyStates::relative(const Search& search, std::span<const double> change) const {
    double largest = 0.0;
    for (const int i : live_) {
        if (change[index(i)] != 0.0)
            largest = std::max(largest, std::abs(change[index(i)]) / size(search, index(i)));
    }
    return largest;
}

/// (I − P')⁻¹·(P(x) − x)
void SteadyStates::find_correction(const Search& search) {
    right_.resize(n_live());
    for (std::size_t k = 0; k < right_.size(); ++k)
        right_[k] = search.image[index(live_[k])] - search.x[index(live_[k])];
    solve(search);
}

/// (I − P')⁻¹ times the right side, [n_states]
void SteadyStates::solve(const Search& search) {
    solve_dense(search.factors, search.pivots, right_);
    solved_.assign(index(n_states_), 0.0);
    for (std::size_t k = 0; k < right_.size(); ++k)
        solved_[index(live_[k])] = right_[k];
}

/// One step of Newton's method, after which the search is done if both what was left and what was
/// added are small. Amounts that are not negative stay so.
void SteadyStates::step(Search& search) {
    if (search.is_blind) return go_on_blindly(search);
    find_correction(search);
    const bool is_near = search.residual <= tolerance_ && relative(search, solved_) <= near_enough;
    const double before = search.residual;
    for (const int i : live_) {
        double& x = search.x[index(i)];
        const double next = x + solved_[index(i)], image = search.image[index(i)];
        x = next < 0.0 && x >= 0.0 && image >= 0.0 ? image : next;
    }
    search.is_done = is_near;
    if (is_near) return;
    if (!all_finite(search.x) || search.n_newton > most_newton) {
        search.status = SolverStatus::no_steady_state;
        search.is_done = true;
        return;
    }
    const bool is_slow = search.n_chord > 0 && before > slow * search.last_residual;
    search.last_residual = before;
    if (++search.n_chord > most_chord || is_slow || search.pattern.period == 0.0) {
        search.has_factors = false;
        if (search.pattern.period == 0.0) search.period *= 2.0;
    }
}

/// What has no steady state stands at its start, and doses on their way are those given before.
void SteadyStates::finish(Search& search) {
    gather(setup_->initial,
           setup_->n_rows,
           setup_->first_row[index(search.subject)] + search.pattern.row,
           initial_);
    for (const int i : live_)
        initial_[index(i)] = search.x[index(i)];
    switch_off(search, initial_);
    search.x = initial_;
    keep_earlier_doses(search, search.pattern.time, search.x);
}

} // namespace gemel::sim
