#include "polish.hpp"

#include "conditional_draws.hpp"

#include <gemel/sim/parallel.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace gemel::learners {
namespace {

constexpr std::uint32_t most_rounds = 16, most_costly_rounds = 2;
constexpr int most_iterations = 12, most_costly_iterations = 6; ///< of a round
/// Of −2LL, by the same draws: less ends the search. So do rounds in a row that gain less than
/// `least_gain` by new draws: what is left is less than what draws differ by.
constexpr double settled_change = 0.02, least_gain = 0.1;
constexpr std::uint32_t most_in_vain = 2;
/// Draws that count in the subject with the fewest, in draws that a subject has at first.
constexpr double trusted_share = 0.02;
/// Of draws that counted when they were made: fewer are to be made anew, or say nothing.
constexpr double old_share = 0.5, worn_share = 0.3;
constexpr double draws_that_tell = 10.0; ///< that count, per number of a mean, to be followed
constexpr int times_as_many = 4;         ///< draws of those who need more

/// As many draws as their predictions may cost.
int n_polish_draws(const FitEngine& engine, bool is_solved_anew) {
    const double n = static_cast<double>(engine.data.n_subjects());
    const double all = engine.predictor.has_steps() ? (is_solved_anew ? 6e3 : 1e4)
                                                    : (is_solved_anew ? 1e4 : 1.5e4);
    const double least = is_solved_anew
                             ? 192.0
                             : std::max(192.0, 48.0 * static_cast<double>(engine.data.max_effects));
    return static_cast<int>(std::clamp(all / n, std::min(least, 512.0), 512.0));
}

/// The likelihood by draws of all subjects, and where hardly any draw of a subject counts, by more
/// of them from several normal laws.
class LevelDraws {
public:
    LevelDraws(FitEngine& engine, std::uint64_t seed) : engine_(engine), seed_(seed) {}

    /// @param mixtures  where first draws come from, of each subject
    double draw_first(std::span<const double> at, const std::vector<ProposalMixture>& mixtures) {
        open(at);
        // Draws are as good as what they are made about: about the moments of some first ones.
        all_->draw(at, mixtures, number_++);
        all_->weigh_at(at);
        all_->draw(at, all_->adapted(), number_++);
        all_->weigh_at(at);
        find_uneven();
        std::vector<ProposalMixture> of_uneven;
        for (const std::size_t s : uneven_)
            of_uneven.push_back(mixtures[s]);
        return level(at, std::move(of_uneven));
    }

    /// About what the last draws say of a place.
    double draw_again(std::span<const double> at) {
        value(at);
        std::vector<ProposalMixture> mixtures = all_->adapted();
        for (const std::size_t s : uneven_)
            mixtures[s] = more_->mixture(s);
        open(at);
        all_->draw(at, mixtures, number_++);
        all_->weigh_at(at);
        find_uneven();
        std::vector<ProposalMixture> of_uneven;
        for (const std::size_t s : uneven_)
            of_uneven.push_back(all_->mixture(s));
        return level(at, std::move(of_uneven));
    }

    double value(std::span<const double> at) {
        all_->value(at);
        if (more_) more_->value(at);
        return sum_of_values();
    }

    double value(std::span<const double> at, Eigen::VectorXd& gradient) {
        all_->value(at, gradient);
        gradients_ = all_->gradients_by_subject();
        if (more_) more_->value(at, gradient);
        for (std::size_t i = 0; i < uneven_.size(); ++i)
            gradients_.col(static_cast<Eigen::Index>(uneven_[i])) =
                more_->gradients_by_subject().col(static_cast<Eigen::Index>(i));
        gradient = gradients_.rowwise().sum();
        return sum_of_values();
    }

    const Eigen::MatrixXd& gradients_by_subject() const { return gradients_; }

    /// Enough draws of every subject count where they were weighed last.
    bool is_trusted() const {
        return std::ranges::all_of(n_effective(),
                                   [&](double n) { return n >= trusted_share * n_draws_; });
    }

    /// Of draws that counted where they were made, how many still do, in the subject that lost the
    /// largest share.
    double least_kept() const {
        const std::vector<double> now = n_effective();
        double least = 1.0;
        for (std::size_t s = 0; s < now.size(); ++s)
            least = std::min(least, now[s] / n_at_first_[s]);
        return least;
    }

    bool is_costly() const { return engine_.predictor.has_steps() && is_solved_anew_; }

private:
    /// Which values move with effects held depends on the place.
    void open(std::span<const double> at) {
        is_direct_ = direct_coordinates(engine_, at);
        is_solved_anew_ = std::ranges::count(is_direct_, 1) > 0;
        n_draws_ = n_polish_draws(engine_, is_solved_anew_);
        all_ = std::make_unique<ConditionalDraws>(engine_, n_draws_, is_direct_, seed_);
    }

    void find_uneven() {
        uneven_.clear();
        for (std::size_t s = 0; s < engine_.data.n_subjects(); ++s) {
            const auto n = static_cast<double>(engine_.data.subjects[s].n_effects);
            if (!(all_->effective_draws(s) > draws_that_tell * (1.0 + n))) uneven_.push_back(s);
        }
    }

    /// Draws of which few count tell little of where to draw: more of them do.
    double level(std::span<const double> at, std::vector<ProposalMixture> of_uneven) {
        more_.reset();
        if (!uneven_.empty()) {
            more_ = std::make_unique<ConditionalDraws>(
                engine_, times_as_many * n_draws_, is_direct_, seed_, uneven_);
            more_->draw(at, of_uneven, number_++);
            more_->weigh_at(at);
            for (std::size_t i = 0; i < uneven_.size(); ++i)
                of_uneven[i] = more_->mixture(uneven_[i]);
            more_->draw(at, of_uneven, number_++);
            more_->weigh_at(at);
        }
        n_at_first_ = n_effective();
        return sum_of_values();
    }

    double sum_of_values() const {
        std::vector<double> values = all_->values();
        for (std::size_t i = 0; i < uneven_.size(); ++i)
            values[uneven_[i]] = more_->values()[i];
        const double sum = sim::ordered_sum(values);
        return std::isfinite(sum) ? sum : std::numeric_limits<double>::infinity();
    }

    /// [n_subjects] draws that count.
    std::vector<double> n_effective() const {
        std::vector<double> n;
        for (std::size_t s = 0; s < engine_.data.n_subjects(); ++s)
            n.push_back(all_->effective_draws(s));
        for (const std::size_t s : uneven_)
            n[s] = more_->effective_draws(s);
        return n;
    }

    FitEngine& engine_;
    std::uint64_t seed_;
    std::uint32_t number_ = 0; ///< of sets drawn
    std::vector<char> is_direct_;
    bool is_solved_anew_ = false;
    int n_draws_ = 0; ///< of a subject that is not uneven
    std::unique_ptr<ConditionalDraws> all_, more_;
    std::vector<std::size_t> uneven_;
    std::vector<double> n_at_first_; ///< [n_subjects] that counted
    Eigen::MatrixXd gradients_;
};

/// About the modes at a place and about what chains saw, half and half.
std::vector<ProposalMixture> first_mixtures(FitEngine& engine, const Estimate& estimate) {
    const PopulationPoint point = engine.scale.point(estimate.at);
    Modes modes(engine.data, engine.derivatives);
    modes.find(estimate.at, point);
    return halves_of(mixtures_of(proposals_at(engine.data, modes, point)),
                     mixtures_of(proposals_of(estimate.moments)));
}

bool is_cancelled(const FitMonitor* monitor) {
    return monitor != nullptr && monitor->is_cancelled();
}

/// Round after round, from a place whose value is known.
/// @returns  whether nothing is left to gain
bool search(FitEngine& engine,
            LevelDraws& draws,
            FitMonitor* monitor,
            std::vector<double>& at,
            double& value) {
    SmoothFunction function = function_of(draws);
    function.value = [&](std::span<const double> place) {
        const double found = draws.value(place);
        return draws.least_kept() < worn_share ? std::numeric_limits<double>::infinity() : found;
    };
    MinimiseOptions options = bounds_of(engine.scale);
    options.longest_step = 0.5;
    options.gradient_tolerance = 1e-3;
    options.watch = [&](int, double, std::span<const double>) {
        return !is_cancelled(monitor) && draws.least_kept() > old_share;
    };
    double best = value;
    std::uint32_t n_costly = 0, n_in_vain = 0;
    for (std::uint32_t round = 0; round < most_rounds && draws.is_trusted(); ++round) {
        if (is_cancelled(monitor) || (draws.is_costly() && ++n_costly > most_costly_rounds)) break;
        if (monitor != nullptr)
            monitor->advance(
                {"polish", round, most_rounds, std::numeric_limits<double>::quiet_NaN(), nullptr});
        options.max_iterations = draws.is_costly() ? most_costly_iterations : most_iterations;
        at = minimise(function, at, options).at;
        const double gained = value - draws.value(at);
        value = draws.draw_again(at);
        n_in_vain = value < best - least_gain ? 0 : n_in_vain + 1;
        best = std::min(best, value);
        if ((round > 0 && gained < settled_change) || n_in_vain == most_in_vain) return true;
    }
    return false;
}

} // namespace

void polish(FitEngine& engine, Estimate& estimate, std::uint64_t seed, FitMonitor* monitor) {
    LevelDraws draws(engine, seed);
    const double first = draws.draw_first(estimate.at, first_mixtures(engine, estimate));
    if (std::isfinite(first)) estimate.objective = first;
    if (!std::isfinite(first) || !draws.is_trusted()) {
        estimate.notes.emplace_back(
            "the last search, on draws that stay where they are, was left out: "
            "draws of some subject hardly count");
        return;
    }
    std::vector<double> at = estimate.at;
    double value = first;
    if (search(engine, draws, monitor, at, value) && !estimate.is_converged) {
        estimate.is_converged = true;
        estimate.reason = "the last search found nothing more to gain";
    }
    // By the same draws as the end, as far as they reach.
    const double there = draws.value(estimate.at);
    const double before = draws.least_kept() < worn_share ? first : there;
    estimate.objective = std::min(value, before);
    if (!(value < before)) return;
    estimate.at = at;
    estimate.notes.push_back(
        fmt::format("the last search, on draws that stay where they are, lowered -2LL by {:.2g}",
                    before - value));
}

} // namespace gemel::learners
