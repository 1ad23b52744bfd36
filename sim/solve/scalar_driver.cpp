#include "solve/scalar_driver.hpp"

#include "base/finite.hpp"
#include "solve/dose_events.hpp"
#include "solve/error_scale.hpp"
#include "solve/triggers.hpp"

#include <algorithm>
#include <cmath>

namespace gemel::sim {

namespace {

class ScalarDriver : public SubjectSolver, private StateCarrier {
public:
    ScalarDriver(const CompiledSystem& system,
                 const ProgramSet& programs,
                 const SolverOptions& options,
                 std::unique_ptr<ScalarMethod> method)
        : system_(system),
          n_states_(static_cast<int>(system.system.states.size())),
          rtol_(options.rtol),
          setup_programs_(system, programs, options.width > 0 ? options.width : 32),
          observer_(system, programs, 1),
          doses_(system, programs),
          watch_(observer_, 1),
          scales_(system.system),
          method_(std::move(method)),
          infusion_(static_cast<std::size_t>(n_states_)),
          running_(static_cast<std::size_t>(n_states_)) {}

    void solve(const BlockProblem& problem, BlockResult& result) override {
        result.reset(system_, problem);
        begin(problem, result);
        for (int subject = 0; subject < problem.n_subjects; ++subject)
            if (setup_.status[subject] == SolverStatus::ok) solve_subject(subject);
    }

    void begin(const BlockProblem& problem, BlockResult& result) override {
        problem_ = &problem;
        result_ = &result;
        setup_programs_.run(problem, setup_);
        observer_.begin(problem, setup_, result);
        watch_.begin(problem);
        doses_.begin(problem, setup_, *this);
    }

    void solve_subject(int subject) override {
        BlockResult& result = *result_;
        segment_ = {};
        segment_.reached = problem_->timeline->start;
        SolverStatus status = doses_.expand(subject, events_);
        observer_.load(0, subject, events_.expanded.samples);
        watch_.load(0);
        is_parked_ = false;
        if (const ParkedSubject* parked = problem_->parked(subject);
            parked != nullptr && status == SolverStatus::ok)
            status = resume(*parked);
        else if (status == SolverStatus::ok) {
            gather(setup_.initial, setup_.n_rows, events_.row, states_);
            status = march(problem_->timeline->start, problem_->timeline->end);
        }
        if (!result.parked.empty()) result.parked[subject].status = status;
        if (status != SolverStatus::ok)
            observer_.fail(0, status, segment_.reached);
        else if (is_parked_)
            park(result.parked[subject]);
        else
            observer_.finish(0, problem_->timeline->end, states_.data(), 1);
        result.n_steps[subject] = static_cast<std::uint32_t>(segment_.n_steps);
        result.n_rejected[subject] = static_cast<std::uint32_t>(segment_.n_rejected);
    }

private:
    void park(ParkedSubject& parked) {
        Parking parking(parked.numbers);
        parked.n_records = problem_->timeline->records.size();
        double time = segment_.reached;
        keep(time, parking);
        observer_.park(0, time);
    }

    SolverStatus resume(const ParkedSubject& parked) {
        if (parked.numbers.empty()) return parked.status;
        Parking parking(parked.numbers);
        double time = 0.0;
        states_.resize(static_cast<std::size_t>(n_states_));
        scale_.resize(static_cast<std::size_t>(n_states_));
        const SolverStatus status = keep(time, parking);
        if (status != SolverStatus::ok) return status;
        parking.finish();
        next_ = 0;
        return go_on(time, problem_->timeline->end);
    }

    /// What there is of a subject, to be parked or taken back.
    SolverStatus keep(double& time, Parking& parking) {
        parking(time);
        parking(segment_.n_steps);
        parking(segment_.n_rejected);
        if (!parking.is_reading())
            doses_.park(events_, next_, parking);
        else if (const SolverStatus status = doses_.take_back(events_, parking);
                 status != SolverStatus::ok)
            return status;
        for (auto* values : {&states_, &infusion_, &scale_})
            parking(*values);
        parking(running_);
        if (parking.is_reading()) {
            load_row();
            observer_.load_row(0, events_.row);
            if (const SolverStatus status = method_->begin({inputs_, derived_, scale_});
                status != SolverStatus::ok)
                return status;
        }
        std::vector<double> sizes = method_->sizes();
        parking(sizes);
        if (parking.is_reading()) method_->go_on(sizes, segment_.n_steps, segment_.n_rejected);
        observer_.keep(0, parking);
        watch_.keep(0, parking);
        return SolverStatus::ok;
    }

    void carry(std::span<Passage> passages) override {
        is_carrying_ = true;
        for (Passage& passage : passages) {
            segment_ = {};
            events_ = passage.events;
            states_ = passage.states;
            passage.status = march(passage.from, passage.to);
            passage.states = states_;
        }
        is_carrying_ = false;
    }

    double relative_error() const override { return method_->relative_error().value_or(rtol_); }

    /// Carries the states over a subject's way.
    SolverStatus march(double time, double end) {
        load_row();
        std::fill(infusion_.begin(), infusion_.end(), 0.0);
        std::fill(running_.begin(), running_.end(), 0);
        set_scales(end);
        next_ = 0;
        const SolverStatus status = method_->begin({inputs_, derived_, scale_});
        return status == SolverStatus::ok ? go_on(time, end) : status;
    }

    SolverStatus go_on(double time, double end) {
        SolverStatus status = SolverStatus::ok;
        while (status == SolverStatus::ok) {
            is_parked_ = !is_carrying_ && time >= problem_->park_at;
            if (is_parked_) break;
            const bool is_over = time >= end;
            if (!(is_over && is_carrying_)) status = happen_until(time);
            if (is_over || status != SolverStatus::ok) break;
            if (has_new_row_) status = method_->change({inputs_, derived_, scale_});
            has_new_row_ = false;
            const std::vector<Event>& events = events_.all();
            const double stop = next_ < events.size() ? std::fmin(events[next_].time, end) : end;
            if (status == SolverStatus::ok) status = advance(time, stop);
            time = segment_.reached;
        }
        has_new_row_ = false;
        return status;
    }

    bool is_watching() const { return watch_.is_watching() && !is_carrying_; }

    SolverStatus happen_until(double& time) {
        while (true) {
            for (; next_ < events_.all().size() && events_.all()[next_].time <= time;)
                happen(Event(events_.all()[next_++]), time);
            if (!is_watching()) return SolverStatus::ok;
            const Trigger* trigger = watch_.due(0, time, states_.data(), 1);
            if (trigger == nullptr) return SolverStatus::ok;
            if (watch_.is_chattering(0)) return SolverStatus::step_limit;
            if (const SolverStatus status = doses_.give(events_, *trigger, time, next_);
                status != SolverStatus::ok)
                return status;
        }
    }

    void happen(const Event& event, double& time) {
        if (event.kind == EventKind::leap) time = std::max(time, event.value);
        if (event.kind == EventKind::observe)
            return observer_.take_own(0, event.which, event.time, states_.data(), 1);
        if (event.kind != EventKind::row) {
            doses_.apply(events_, event, columns());
            if (is_watching() || event.kind == EventKind::discontinue)
                doses_.take_away(events_, event, next_);
            return;
        }
        // Samples at this time belong to the row before.
        if (problem_->own[events_.subject]->switches[event.which - 1].place == RowPlace::after)
            observer_.take_due(0, event.time, states_.data(), 1);
        events_.row = setup_.first_row[events_.subject] + event.which;
        load_row();
        observer_.load_row(0, events_.row);
        has_new_row_ = true;
    }

    void load_row() {
        gather(problem_->inputs, setup_.n_rows, events_.row, inputs_);
        gather(setup_.derived, setup_.n_rows, events_.row, derived_);
    }

    void set_scales(double end) {
        scale_.assign(static_cast<std::size_t>(n_states_), 0.0);
        scales_.find(events_.all(), states_.data(), 1, end, scale_.data(), 1, inputs_.data(), 1);
    }

    SubjectColumns columns() { return {states_.data(), infusion_.data(), running_.data(), 1}; }

    SolverStatus advance(double from, double to) {
        segment_.from = from;
        segment_.to = to;
        segment_.infusion = infusion_;
        segment_.states = states_;
        segment_.reached = from;
        segment_.is_watched = is_watching();
        crossing_ = to;
        const auto show = [this](double piece_from, double piece_to, const StatesAt& states) {
            return is_carrying_ || take_piece(piece_from, piece_to, states);
        };
        const SolverStatus status = method_->advance(segment_, show);
        if (status != SolverStatus::ok) return status;
        segment_.reached = crossing_;
        if (crossing_ < to) states_ = states_at_crossing_;
        return all_finite(states_) ? SolverStatus::ok : SolverStatus::not_finite;
    }

    /// @returns as ShowPiece
    bool take_piece(double from, double to, const StatesAt& states) {
        const char mask = 1;
        double until = to;
        const DenseObserver::Interpolate interpolate = [&](const DenseObserver::Points& points,
                                                           double* y) {
            const double theta = *points.theta;
            states(until < to ? theta * ((until - from) / (to - from)) : theta, y);
        };
        if (segment_.taken == Taken::samples) {
            observer_.sample(&from, &to, &mask, interpolate);
            return observer_.has_functionals();
        }
        if (segment_.taken == Taken::functionals) {
            observer_.look_at(&from, &to, interpolate);
            observer_.take_functionals(&mask, segment_.resolve_to);
            return true;
        }
        if (is_watching()) {
            observer_.look_at(&from, &to, interpolate);
            watch_.scan(&from, &to, &mask, segment_.resolve_to);
            until = std::fmin(to, watch_.crossing(0));
        }
        observer_.piece(&from, &until, &mask, interpolate, segment_.resolve_to);
        if (!(until < to)) return true;
        crossing_ = until;
        states_at_crossing_.resize(static_cast<std::size_t>(n_states_));
        states((until - from) / (to - from), states_at_crossing_.data());
        return false;
    }

    const CompiledSystem& system_;
    int n_states_ = 0;
    double rtol_ = 0.0;
    SetupPrograms setup_programs_;
    DenseObserver observer_;
    DoseEvents doses_;
    TriggerWatch watch_;
    ErrorScales scales_;
    std::unique_ptr<ScalarMethod> method_;

    const BlockProblem* problem_ = nullptr;
    BlockResult* result_ = nullptr;
    bool is_parked_ = false;   ///< the subject in hand is to be
    bool is_carrying_ = false; ///< passages, which nobody observes
    bool has_new_row_ = false;
    BlockSetup setup_;
    ScalarSegment segment_;
    SubjectEvents events_;
    std::size_t next_ = 0;  ///< of the events
    double crossing_ = 0.0; ///< where the segment ends: at a trigger's crossing, or its end
    std::vector<double> states_at_crossing_;
    std::vector<double> inputs_, derived_, states_, scale_;
    std::vector<double> infusion_; ///< [n_states]
    std::vector<int> running_;     ///< [n_states] infusions
};

} // namespace

void ScalarMethod::go_on(std::span<const double>, std::int64_t, std::int64_t) {}

ScalarPrepared::ScalarPrepared(CompiledSystem system,
                               const SolverOptions& options,
                               const std::function<std::vector<ProgramSpec>(CompiledSystem&)>& own,
                               MakeMethod make_method)
    : system_(std::move(system)),
      options_(options),
      make_method_(std::move(make_method)) {
    programs_ = lower_with_common(system_, own(system_));
}

std::unique_ptr<SubjectSolver> ScalarPrepared::subject_worker() const {
    return std::make_unique<ScalarDriver>(
        system_, programs_, options_, make_method_(system_, programs_));
}

} // namespace gemel::sim
