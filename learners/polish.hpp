#pragma once

#include "estimate.hpp"

#include <cstdint>

namespace gemel::learners {

/// The last search of SAEM. The likelihood by draws that stay where they are is a smooth function:
/// its maximum is sought by Newton's methods, then with draws made anew, and is kept where draws it
/// was not made from find it better. An end at which nothing is left to gain makes the estimate a
/// converged one.
void polish(FitEngine& engine, Estimate& estimate, std::uint64_t seed, FitMonitor* monitor);

} // namespace gemel::learners
