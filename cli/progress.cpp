#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace gemel::cli {

namespace {

using namespace std::chrono_literals;

volatile std::sig_atomic_t interrupted = 0;

extern "C" void on_interrupt(int) {
    if (interrupted != 0) _exit(130);
    interrupted = 1;
}

bool is_on_terminal() {
    const char* terminal = std::getenv("TERM");
    return isatty(STDERR_FILENO) != 0 &&
           (terminal == nullptr || std::strcmp(terminal, "dumb") != 0);
}

bool has_colour() {
    const char* no_colour = std::getenv("NO_COLOR");
    return no_colour == nullptr || no_colour[0] == '\0';
}

std::string duration(double seconds) {
    const auto s = static_cast<std::int64_t>(seconds + 0.5);
    if (s < 60) return fmt::format("{} s", s);
    if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
    return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
}

} // namespace

std::string percent(std::uint64_t n, std::uint64_t of) {
    return fmt::format(
        "{} %",
        of == 0 ? 100 : static_cast<int>(100.0 * static_cast<double>(n) / static_cast<double>(of)));
}

Interrupt::Interrupt() {
    interrupted = 0;
    std::signal(SIGINT, on_interrupt);
    std::signal(SIGTERM, on_interrupt);
}

Interrupt::~Interrupt() {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
}

bool Interrupt::is_requested() {
    return interrupted != 0;
}

Progress::Progress(std::uint64_t n_solves, bool is_quiet)
    : n_total_(n_solves),
      is_quiet_(is_quiet),
      is_terminal_(is_on_terminal()),
      next_(start_ + (is_terminal_ ? Clock::duration(200ms) : Clock::duration(30s))) {}

void Progress::advance(std::uint64_t n_solves, std::uint64_t n_failed) {
    const std::lock_guard lock(mutex_);
    n_done_ += n_solves;
    n_failed_ += n_failed;
    const auto now = Clock::now();
    if (!is_quiet_ && now >= next_) show(now);
}

void Progress::resume(std::uint64_t n_solves, std::uint64_t n_failed) {
    const std::lock_guard lock(mutex_);
    n_before_ = n_solves;
    n_done_ += n_solves;
    n_failed_ += n_failed;
    if (!is_quiet_)
        fmt::print(stderr, "resuming: {} of blocks are there\n", percent(n_done_, n_total_));
}

void Progress::show(Clock::time_point now) {
    next_ = now + (is_terminal_ ? Clock::duration(200ms) : Clock::duration(30s));
    const std::string text = line(std::chrono::duration<double>(now - start_).count());
    fmt::print(stderr, "{}{}{}", is_terminal_ ? "\r\x1b[K" : "", text, is_terminal_ ? "" : "\n");
    std::fflush(stderr);
    is_shown_ = true;
}

std::string Progress::line(double seconds) const {
    const double part =
        n_total_ == 0 ? 1.0 : static_cast<double>(n_done_) / static_cast<double>(n_total_);
    std::string text;
    if (is_terminal_) {
        constexpr int width = 30;
        const int filled = std::clamp(static_cast<int>(part * width), 0, width);
        for (int i = 0; i < width; ++i)
            text += i < filled ? "━" : "┄";
        text += "  ";
    }
    text += fmt::format("{:3.0f} %  {} of {} solves", 100.0 * part, n_done_, n_total_);
    if (n_done_ > n_before_ && n_done_ <= n_total_) // a run before this one took its own time
        text += fmt::format(", {} left",
                            duration(seconds * static_cast<double>(n_total_ - n_done_) /
                                     static_cast<double>(n_done_ - n_before_)));
    if (n_failed_ > 0) {
        const bool red = is_terminal_ && has_colour();
        text +=
            fmt::format(", {}{} failed{}", red ? "\x1b[31m" : "", n_failed_, red ? "\x1b[0m" : "");
    }
    return text;
}

void Progress::clear() {
    const std::lock_guard lock(mutex_);
    if (is_shown_ && is_terminal_) fmt::print(stderr, "\r\x1b[K");
    is_shown_ = false;
}

namespace {

std::string line_of(const learners::FitProgress& progress, double seconds, std::int64_t n_done) {
    std::string text = fmt::format("{}  {}", progress.phase, progress.step);
    if (progress.n_steps > 0) text += fmt::format(" of {}", progress.n_steps);
    if (std::isfinite(progress.objective)) text += fmt::format("  {:.3f}", progress.objective);
    if (n_done > 0 && progress.n_steps > progress.step)
        text +=
            fmt::format(", {} left",
                        duration(seconds * static_cast<double>(progress.n_steps - progress.step) /
                                 static_cast<double>(n_done)));
    return text;
}

} // namespace

FitWatch::FitWatch(bool is_quiet)
    : is_quiet_(is_quiet),
      is_terminal_(is_on_terminal()),
      next_(Clock::now() + (is_terminal_ ? Clock::duration(200ms) : Clock::duration(30s))) {}

void FitWatch::advance(const learners::FitProgress& progress) {
    const auto now = Clock::now();
    if (progress.phase != phase_) {
        phase_ = progress.phase;
        phase_start_ = now;
        first_step_ = progress.step;
    }
    if (is_quiet_ || now < next_) return;
    next_ = now + (is_terminal_ ? Clock::duration(200ms) : Clock::duration(30s));
    const std::string text = line_of(progress,
                                     std::chrono::duration<double>(now - phase_start_).count(),
                                     progress.step - first_step_);
    fmt::print(stderr, "{}{}{}", is_terminal_ ? "\r\x1b[K" : "", text, is_terminal_ ? "" : "\n");
    std::fflush(stderr);
    is_shown_ = true;
}

void FitWatch::clear() {
    if (is_shown_ && is_terminal_) fmt::print(stderr, "\r\x1b[K");
    is_shown_ = false;
}

} // namespace gemel::cli
