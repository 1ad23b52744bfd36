#pragma once

#include <gemel/learners/fit.hpp>
#include <gemel/sim/run.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace gemel::cli {

/// Ctrl-C asks a run to stop; a second one ends the program at once. Lives as long as the run.
class Interrupt {
public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;
    static bool is_requested();
};

/// "61 %", rounded down.
std::string percent(std::uint64_t n, std::uint64_t of);

/// Tells how far a run is on standard error: a line redrawn five times a second on a terminal, a
/// plain line every 30 s elsewhere, nothing when quiet.
class Progress : public sim::Monitor {
public:
    Progress(std::uint64_t n_solves, bool is_quiet);
    void advance(std::uint64_t n_solves, std::uint64_t n_failed) override;
    bool is_cancelled() const override { return Interrupt::is_requested(); }
    void resume(std::uint64_t n_solves, std::uint64_t n_failed) override; ///< tells so in a line
    void clear();                                                         ///< takes the line away

private:
    using Clock = std::chrono::steady_clock;
    void show(Clock::time_point now);
    std::string line(double seconds) const;

    const std::uint64_t n_total_;
    const bool is_quiet_, is_terminal_;
    const Clock::time_point start_ = Clock::now();
    Clock::time_point next_;
    std::uint64_t n_done_ = 0, n_failed_ = 0, n_before_ = 0;
    bool is_shown_ = false;
    std::mutex mutex_;
};

/// The same of a fit: its phase, the step and how long the phase will go on at most.
class FitWatch : public learners::FitMonitor {
public:
    explicit FitWatch(bool is_quiet);
    void advance(const learners::FitProgress& progress) override;
    bool is_cancelled() const override { return Interrupt::is_requested(); }
    void clear(); ///< takes the line away

private:
    using Clock = std::chrono::steady_clock;
    const bool is_quiet_, is_terminal_;
    std::string phase_;
    std::int64_t first_step_ = 0;
    Clock::time_point phase_start_ = Clock::now(), next_;
    bool is_shown_ = false;
};

} // namespace gemel::cli
