#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

namespace gemel::scenarios {

/// Many threads count blocks at once; who looks at what is counted closes the gate, and waits until
/// those inside have left. Nobody enters meanwhile, so that it is never waited for long.
class CountingGate {
public:
    /// Whoever holds one is inside, or keeps the gate closed.
    class Pass {
    public:
        Pass(CountingGate& gate, bool closes) : gate_(&gate), closes_(closes) {}
        Pass(Pass&& other) noexcept
            : gate_(std::exchange(other.gate_, nullptr)),
              closes_(other.closes_) {}
        Pass& operator=(Pass&&) = delete;
        ~Pass() {
            if (gate_ != nullptr) gate_->leave(closes_);
        }

    private:
        CountingGate* gate_;
        bool closes_;
    };

    Pass enter() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !is_closed_; });
        ++n_inside_;
        return {*this, false};
    }

    Pass close() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !is_closed_; });
        is_closed_ = true;
        changed_.wait(lock, [this] { return n_inside_ == 0; });
        return {*this, true};
    }

private:
    void leave(bool closes) {
        const std::lock_guard lock(mutex_);
        if (closes)
            is_closed_ = false;
        else
            --n_inside_;
        if (closes || (is_closed_ && n_inside_ == 0)) changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    int n_inside_ = 0;
    bool is_closed_ = false;
};

} // namespace gemel::scenarios
