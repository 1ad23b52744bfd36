#pragma once

#include "solve/observer.hpp"

#include <gemel/sim/timeline.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

/// When triggers act, the same in every solver: where an output crosses its threshold within a
/// piece of the solution, and which comparisons hold at a stop. Theory manual: events.md.
namespace gemel::sim {

class TriggerWatch {
public:
    TriggerWatch(DenseObserver& observer, int width);

    /// The observer has begun the same problem. @returns whether there is anything to watch
    bool begin(const BlockProblem& problem);
    bool is_watching() const { return !triggers_.empty(); }
    /// Lane `lane` takes a new subject, at the start.
    void load(int lane);

    /// What there is of a lane, after load(): to be kept, or taken back.
    void keep(int lane, Parking& parking);

    /// Looks for the first crossing in (from, to] of each masked lane's piece, as in
    /// DenseObserver::piece(); the observer looks at them (look_at). Pieces between two stops
    /// follow each other without gaps.
    void scan(const double* from,
              const double* to,
              const char* mask,
              double resolve_to = std::numeric_limits<double>::infinity());
    /// Found by the last scan; infinite: none. The piece must end there: due() gives its trigger.
    double crossing(int lane) const { return crossing_[static_cast<std::size_t>(lane)]; }

    /// At a stop, after what happened there: a trigger that acts now, to be asked again after its
    /// record came; nullptr: none does. States as in DenseObserver::finish().
    const Trigger* due(int lane, double time, const double* states, std::ptrdiff_t stride);
    /// Whether they acted so often that they chase each other.
    bool is_chattering(int lane) const;

private:
    /// One trigger on one subject's way.
    struct Guard {
        bool has_begun = false; ///< its window
        bool is_armed = false;  ///< its comparison was false since it acted
        std::int64_t n_acted = 0;
        double excess = 0.0; ///< of its comparison when it acted last
        double acted_at = -std::numeric_limits<double>::infinity();
    };

    Guard& guard(int lane, std::size_t trigger) {
        return guards_[static_cast<std::size_t>(lane) * triggers_.size() + trigger];
    }
    bool is_live(const Trigger& trigger, const Guard& guard, double time) const;
    const Trigger* act(int lane, std::size_t trigger, double time, double excess);
    void scan_together(std::size_t trigger, const double* from, const double* to, const char* mask);
    bool scan_part(int lane, std::size_t trigger, double from, double to);
    void scan_resolved(int lane, std::size_t trigger, double from, double to, double shortest);
    void rescan_others(int lane, const std::vector<Guard>& before, double from);
    bool pass(int lane, std::size_t trigger, double before, double time, double excess);
    double locate(int lane, const Trigger& trigger, double from, double to);
    double excess_at(int lane, const Trigger& trigger, double time);

    DenseObserver& observer_;
    int width_ = 0;
    std::vector<Trigger> triggers_;
    std::vector<Guard> guards_;        ///< [width × n_triggers]
    std::vector<double> crossing_;     ///< [width]
    std::vector<int> which_;           ///< [width] trigger of the crossing; −1: none waits
    std::vector<double> largest_;      ///< [width × n_triggers] |output| so far
    std::vector<double> time_, value_; ///< [width]
    std::vector<char> mask_;           ///< [width]
};

} // namespace gemel::sim
