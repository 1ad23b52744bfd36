#include "checkpoints.hpp"

#include <algorithm>

namespace gemel::scenarios {

Checkpoints::Checkpoints(double seconds, std::function<void()> keep)
    : interval_(
          std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))),
      keep_(std::move(keep)),
      next_(Clock::now() + interval_) {}

void Checkpoints::keep_if_due() {
    if (Clock::now() < next_.load()) return;
    const std::unique_lock lock(keeping_, std::try_to_lock);
    if (!lock || Clock::now() < next_.load()) return;
    const auto start = Clock::now();
    keep_();
    const auto end = Clock::now();
    next_ = end + (interval_.count() == 0 ? interval_ : std::max(interval_, 50 * (end - start)));
}

void Checkpoints::keep_now() {
    const std::lock_guard lock(keeping_);
    keep_();
}

} // namespace gemel::scenarios
