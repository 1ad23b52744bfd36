#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>

namespace gemel::scenarios {

/// When what is done of a run is kept: every so many seconds, and never so often that keeping takes
/// more than a fiftieth of the time; with 0 seconds after every block. One thread keeps, the others
/// go on.
class Checkpoints {
public:
    Checkpoints(double seconds, std::function<void()> keep);

    void keep_if_due(); ///< from any thread
    void keep_now();

private:
    using Clock = std::chrono::steady_clock;

    const Clock::duration interval_;
    const std::function<void()> keep_;
    std::mutex keeping_;
    std::atomic<Clock::time_point> next_;
};

} // namespace gemel::scenarios
