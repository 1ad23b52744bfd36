#include "solve/exact/lane_ways.hpp"

#include "base/index.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace gemel::sim::exact {

LaneWays::LaneWays(const CompiledSystem& system,
                   const ProgramSet& programs,
                   int matrix_program,
                   const MatrixShape& shape,
                   const std::vector<ModalPart>& parts,
                   const Kernels& kernels)
    : system_(system),
      n_states_(shape.n_states),
      matrix_(programs, matrix_program, shape),
      modes_(parts, n_states_, 0, true, kernels),
      observer_(system, programs, pack),
      view_(system, modes_),
      doses_(system, programs),
      watch_(observer_, pack),
      running_(index(n_states_) * pack) {
    for (Workspace* columns : {&y_, &infusion_, &source_states_, &z_, &source_, &reached_})
        *columns = Workspace(index(n_states_) * pack);
    std::vector<Read> reads;
    for (int i = 0; i < n_states_; ++i) {
        reads.push_back({i, column(reached_, i)});
        y_columns_.push_back(column(y_, i));
        source_columns_.push_back(column(source_states_, i));
    }
    reads_ = modes_.by_part(reads);
}

const std::vector<int>&
LaneWays::solve(const BlockProblem& problem, const BlockSetup& setup, BlockResult& result) {
    problem_ = &problem;
    setup_ = &setup;
    result_ = &result;
    others_.clear();
    observer_.begin(problem, setup, result);
    watch_.begin(problem);
    doses_.begin(problem, setup, *this);
    is_carrying_ = false;
    for (int next = 0; next < problem.n_subjects;) {
        int n = 0;
        for (Way& way : ways_)
            way.is_on = false;
        for (; n < pack && next < problem.n_subjects; ++next) {
            if (setup.status[index(next)] != SolverStatus::ok) continue;
            take(n, next);
            if (ways_[n].status == SolverStatus::ok)
                ++n;
            else
                others_.push_back(next);
        }
        march();
        for (int l = 0; l < n; ++l)
            if (ways_[l].status != SolverStatus::ok) others_.push_back(ways_[l].events.subject);
    }
    std::sort(others_.begin(), others_.end());
    return others_;
}

/// A subject's way begins, or goes on where it was parked.
void LaneWays::take(int lane, int subject) {
    Way& way = ways_[lane];
    way.status = doses_.expand(subject, way.events);
    if (way.status != SolverStatus::ok) return;
    observer_.load(lane, subject, way.events.expanded.samples);
    watch_.load(lane);
    begin(lane,
          problem_->timeline->start,
          problem_->timeline->end,
          setup_->initial.data() + way.events.row,
          setup_->n_rows);
    if (const ParkedSubject* parked = problem_->parked(subject)) way.status = resume(lane, *parked);
    way.is_on = way.status == SolverStatus::ok;
}

void LaneWays::carry(std::span<Passage> passages) {
    is_carrying_ = true;
    for (std::size_t first = 0; first < passages.size(); first += pack) {
        const std::size_t n = std::min<std::size_t>(pack, passages.size() - first);
        for (std::size_t l = 0; l < pack; ++l) {
            ways_[l].is_on = false;
            if (l >= n) continue;
            const Passage& passage = passages[first + l];
            ways_[l].events = passage.events;
            begin(static_cast<int>(l), passage.from, passage.to, passage.states.data(), 1);
        }
        march();
        for (std::size_t l = 0; l < n; ++l) {
            Passage& passage = passages[first + l];
            passage.status = ways_[l].status;
            for (int i = 0; i < n_states_; ++i)
                passage.states[index(i)] = column(y_, i)[l];
        }
    }
    is_carrying_ = false;
}

void LaneWays::begin(
    int lane, double time, double end, const double* states, std::ptrdiff_t stride) {
    Way& way = ways_[lane];
    way.next = 0;
    way.time = time;
    way.end = end;
    way.is_on = true;
    way.status = SolverStatus::ok;
    for (int i = 0; i < n_states_; ++i) {
        column(y_, i)[lane] = states[i * stride];
        column(infusion_, i)[lane] = 0.0;
        running_[index(i * pack + lane)] = 0;
    }
    load(lane);
}

void LaneWays::park(int lane) {
    Way& way = ways_[lane];
    ParkedSubject& parked = result_->parked[index(way.events.subject)];
    parked.n_records = problem_->timeline->records.size();
    Parking parking(parked.numbers);
    keep(lane, parking);
    observer_.park(lane, way.time);
    way.is_on = false;
}

SolverStatus LaneWays::resume(int lane, const ParkedSubject& parked) {
    // One that did not get there is told its status one by one.
    if (parked.numbers.empty()) return SolverStatus::step_limit;
    Parking parking(parked.numbers);
    const SolverStatus status = keep(lane, parking);
    if (status == SolverStatus::ok) parking.finish();
    return status;
}

/// What there is of a lane, to be parked or taken back: the numbers of one by one, of which steps,
/// scales and sizes mean nothing here.
SolverStatus LaneWays::keep(int lane, Parking& parking) {
    Way& way = ways_[lane];
    std::int64_t n_steps = 0, n_rejected = 0;
    std::vector<double> scale(index(n_states_)), sizes;
    parking(way.time);
    parking(n_steps);
    parking(n_rejected);
    if (!parking.is_reading())
        doses_.park(way.events, way.next, parking);
    else if (const SolverStatus status = doses_.take_back(way.events, parking);
             status != SolverStatus::ok)
        return status;
    keep(y_, lane, parking);
    keep(infusion_, lane, parking);
    parking(scale);
    parking.lane(running_, lane, pack);
    if (parking.is_reading()) {
        observer_.load_row(lane, way.events.row);
        load(lane);
    }
    parking(sizes);
    observer_.keep(lane, parking);
    watch_.keep(lane, parking);
    return SolverStatus::ok;
}

void LaneWays::keep(Workspace& columns, int lane, Parking& parking) {
    std::vector<double> values;
    for (int i = 0; i < n_states_; ++i)
        values.push_back(column(columns, i)[lane]);
    parking(values);
    for (int i = 0; i < n_states_; ++i)
        column(columns, i)[lane] = values[index(i)];
}

/// The row of inputs in force.
void LaneWays::load(int lane) {
    matrix_.load(lane, *problem_, *setup_, ways_[lane].events.row);
    has_new_row_ |= 1U << lane;
}

void LaneWays::march() {
    while (true) {
        bool any = false;
        for (int l = 0; l < pack; ++l)
            any |= ways_[l].is_on && happen(l);
        if (!any) return;
        advance();
    }
}

/// What happens to a lane now. @returns false if its way ends here
bool LaneWays::happen(int lane) {
    Way& way = ways_[lane];
    if (!is_carrying_ && way.time >= problem_->park_at) {
        park(lane);
        return false;
    }
    const bool is_over = way.time >= way.end;
    if (!(is_over && is_carrying_)) way.status = happen_until_now(lane);
    way.is_on = !is_over && way.status == SolverStatus::ok;
    if (way.is_on) {
        const std::vector<Event>& events = way.events.all();
        way.to = way.next < events.size() ? std::fmin(events[way.next].time, way.end) : way.end;
    } else if (way.status == SolverStatus::ok && !is_carrying_) {
        way.status = observer_.finish(lane, way.end, y_.data() + lane, pack);
    }
    return way.is_on;
}

SolverStatus LaneWays::happen_until_now(int lane) {
    Way& way = ways_[lane];
    while (true) {
        while (way.next < way.events.all().size() && way.events.all()[way.next].time <= way.time)
            happen(lane, Event(way.events.all()[way.next++]));
        if (!is_watching()) return SolverStatus::ok;
        const Trigger* trigger = watch_.due(lane, way.time, y_.data() + lane, pack);
        if (trigger == nullptr) return SolverStatus::ok;
        if (watch_.is_chattering(lane)) return SolverStatus::step_limit;
        if (const SolverStatus status = doses_.give(way.events, *trigger, way.time, way.next);
            status != SolverStatus::ok)
            return status;
    }
}

void LaneWays::happen(int lane, const Event& event) {
    Way& way = ways_[lane];
    double* states = y_.data() + lane;
    if (event.kind == EventKind::leap) way.time = std::max(way.time, event.value);
    if (event.kind == EventKind::observe)
        return observer_.take_own(lane, event.which, event.time, states, pack);
    if (event.kind != EventKind::row) {
        doses_.apply(
            way.events, event, {states, infusion_.data() + lane, running_.data() + lane, pack});
        if (is_watching() || event.kind == EventKind::discontinue)
            doses_.take_away(way.events, event, way.next);
        return;
    }
    // Samples at this time belong to the row before.
    const int subject = way.events.subject;
    if (problem_->own[index(subject)]->switches[index(event.which - 1)].place == RowPlace::after)
        observer_.take_due(lane, event.time, states, pack);
    way.events.row = setup_->first_row[index(subject)] + event.which;
    observer_.load_row(lane, way.events.row);
    load(lane);
}

/// Every lane to its next event.
void LaneWays::advance() {
    if (has_new_row_ != 0) {
        const unsigned bad = matrix_.run() | modes_.solve(matrix_.entries());
        for (int l = 0; l < pack; ++l) {
            if ((has_new_row_ >> l & 1U) != 0) view_.forget(l);
            if (!ways_[l].is_on || (bad >> l & 1U) == 0) continue;
            ways_[l].is_on = false;
            ways_[l].status = SolverStatus::singular; // of no closed form: solved another way
        }
        has_new_row_ = 0;
    }
    bool has_source = false;
    for (int i = 0; i < n_states_; ++i)
        for (int l = 0; l < pack; ++l) {
            const double* constant = matrix_.constant(i);
            double& source = column(source_states_, i)[l];
            source = (constant != nullptr ? constant[l] : 0.0) + column(infusion_, i)[l];
            has_source |= source != 0.0;
        }
    modes_.project(y_columns_.data(), z_.data());
    if (has_source) modes_.project(source_columns_.data(), source_.data());
    const double* source = has_source ? source_.data() : nullptr;
    double from[pack], to[pack];
    alignas(Workspace::alignment) double length[pack];
    char mask[pack];
    for (int l = 0; l < pack; ++l) {
        mask[l] = ways_[l].is_on;
        from[l] = ways_[l].time;
        to[l] = mask[l] != 0 ? ways_[l].to : from[l];
        length[l] = to[l] - from[l];
    }
    if (!is_carrying_) {
        TriggerWatch* watch = is_watching() ? &watch_ : nullptr;
        view_.show(modes_, z_.data(), source, {from, to, length, mask}, observer_, watch);
    }
    modes_.read_at(length, z_.data(), source, reads_);
    for (int l = 0; l < pack; ++l) {
        if (mask[l] == 0) continue;
        bool is_finite = true;
        for (int i = 0; i < n_states_; ++i) {
            column(y_, i)[l] = column(reached_, i)[l];
            is_finite = is_finite && std::isfinite(column(y_, i)[l]);
        }
        ways_[l].time = to[l];
        if (is_finite) continue;
        ways_[l].is_on = false;
        ways_[l].status = SolverStatus::not_finite;
    }
}

} // namespace gemel::sim::exact
