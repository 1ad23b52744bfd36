#pragma once

/// GEMEL_ASSERT(condition, "what must hold"): a mistake of ours, never reachable from user input.
/// Checked in the dev, sanitize and threads presets.
namespace gemel::sim {
[[noreturn]] void assertion_failed(const char* must_hold, const char* file, int line);
}

#ifdef GEMEL_ASSERTS
#define GEMEL_ASSERT(condition, must_hold)                                                         \
    ((condition) ? void(0) : ::gemel::sim::assertion_failed(must_hold, __FILE__, __LINE__))
#else
#define GEMEL_ASSERT(condition, must_hold) void(0)
#endif
