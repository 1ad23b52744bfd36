#include "solve/fallback.hpp"

#include "base/index.hpp"
#include "solve/cvode.hpp"

#include <algorithm>
#include <mutex>

namespace gemel::sim {
namespace {

/// CVODE made ready when the first subject needs it: most runs never do.
class LateCvode {
public:
    LateCvode(const CompiledSystem& system, const SolverOptions& options)
        : system_(system),
          options_(options) {}

    std::unique_ptr<BlockSolver> worker() const {
        std::call_once(once_, [this] { prepared_ = prepare_cvode(system_, options_); });
        return prepared_->worker();
    }

private:
    CompiledSystem system_;
    SolverOptions options_;
    mutable std::once_flag once_;
    mutable std::unique_ptr<PreparedSolver> prepared_;
};

class FallbackSolver : public BlockSolver {
public:
    FallbackSolver(std::unique_ptr<BlockSolver> first, const LateCvode& second)
        : first_(std::move(first)),
          late_(second) {}

    void solve(const BlockProblem& problem, BlockResult& result) override {
        first_->solve(for_first(problem), result);
        subjects_.clear();
        for (int subject = 0; subject < problem.n_subjects; ++subject)
            if (is_worth_another_method(result.status[index(subject)]))
                subjects_.push_back(subject);
        if (subjects_.empty()) return;
        if (second_ == nullptr) second_ = late_.worker();
        solve_again(problem, result);
    }

private:
    /// Subjects that fell back before they were parked are no concern of the first method.
    BlockProblem for_first(const BlockProblem& problem) {
        static const ParkedSubject fell_back{{}, SolverStatus::singular};
        BlockProblem first = problem;
        resume_.assign(problem.resume.begin(), problem.resume.end());
        for (const ParkedSubject*& parked : resume_)
            if (parked != nullptr && parked->fell_back) parked = &fell_back;
        first.resume = resume_;
        return first;
    }

    /// Those of the second method go on; others start anew.
    void gather_parked(const BlockProblem& problem) {
        resume_.clear();
        for (const int subject : subjects_) {
            const ParkedSubject* parked = problem.parked(subject);
            resume_.push_back(parked != nullptr && parked->fell_back ? parked : nullptr);
        }
    }

    void solve_again(const BlockProblem& problem, BlockResult& result) {
        gather_inputs(problem);
        gather_parked(problem);
        BlockProblem again = problem;
        again.n_subjects = static_cast<int>(subjects_.size());
        again.inputs = inputs_;
        again.own = own_;
        again.resume = resume_;
        second_->solve(again, again_);
        for (std::size_t k = 0; k < subjects_.size(); ++k)
            if (again_.status[k] == SolverStatus::ok)
                take(k, index(subjects_[k]), index(problem.n_subjects), result);
            else if (again_.status[k] == SolverStatus::no_steady_state) // true of every method
                result.status[index(subjects_[k])] = SolverStatus::no_steady_state;
    }

    void gather_inputs(const BlockProblem& problem) {
        std::vector<std::size_t> rows;
        own_.clear();
        std::size_t n_rows = 0, next = 0;
        for (int subject = 0; subject < problem.n_subjects; ++subject) {
            const std::size_t n = index(problem.n_rows_of(subject));
            if (next < subjects_.size() && subjects_[next] == subject) {
                for (std::size_t row = 0; row < n; ++row)
                    rows.push_back(n_rows + row);
                if (!problem.own.empty()) own_.push_back(problem.own[index(subject)]);
                ++next;
            }
            n_rows += n;
        }
        inputs_.clear();
        for (std::size_t first = 0; first < problem.inputs.size(); first += n_rows)
            for (const std::size_t row : rows)
                inputs_.push_back(problem.inputs[first + row]);
    }

    void take(std::size_t from, std::size_t to, std::size_t n_subjects, BlockResult& result) const {
        for (std::size_t i = 0; i < result.sampled.size(); ++i) {
            const std::size_t n_times = result.sampled[i].size() / n_subjects;
            std::copy_n(again_.sampled[i].data() + from * n_times,
                        n_times,
                        result.sampled[i].data() + to * n_times);
        }
        for (std::size_t f = 0; f < result.functionals.size() / n_subjects; ++f)
            result.functionals[f * n_subjects + to] =
                again_.functionals[f * subjects_.size() + from];
        for (std::size_t k = 0; !again_.own_first.empty() && k < again_.own.size(); ++k)
            std::copy(again_.own[k].data() + again_.own_first[from],
                      again_.own[k].data() + again_.own_first[from + 1],
                      result.own[k].data() + result.own_first[to]);
        result.status[to] = SolverStatus::ok;
        result.stopped_at[to] = again_.stopped_at[from];
        result.n_steps[to] = again_.n_steps[from];
        result.n_rejected[to] = again_.n_rejected[from];
        result.fell_back[to] = 1;
        if (again_.parked.empty()) return;
        result.parked[to] = again_.parked[from];
        result.parked[to].fell_back = true;
    }

    std::unique_ptr<BlockSolver> first_, second_;
    const LateCvode& late_;
    std::vector<int> subjects_; ///< given up
    std::vector<double> inputs_;
    std::vector<const SubjectTimeline*> own_;
    std::vector<const ParkedSubject*> resume_;
    BlockResult again_;
};

class WithFallback : public PreparedSolver {
public:
    WithFallback(std::unique_ptr<PreparedSolver> first,
                 const CompiledSystem& system,
                 const SolverOptions& options)
        : first_(std::move(first)),
          second_(system, options) {}

    std::unique_ptr<BlockSolver> worker() const override {
        return std::make_unique<FallbackSolver>(first_->worker(), second_);
    }

    double step_cost() const override { return first_->step_cost(); }
    std::string executor() const override { return first_->executor(); }

private:
    std::unique_ptr<PreparedSolver> first_;
    LateCvode second_;
};

} // namespace

bool is_worth_another_method(SolverStatus status) {
    return status == SolverStatus::singular || status == SolverStatus::step_too_small ||
           status == SolverStatus::stiff;
}

std::unique_ptr<PreparedSolver> with_fallback(std::unique_ptr<PreparedSolver> first,
                                              const CompiledSystem& system,
                                              const SolverOptions& options) {
    return std::make_unique<WithFallback>(std::move(first), system, options);
}

} // namespace gemel::sim
