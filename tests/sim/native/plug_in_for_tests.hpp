#pragma once

#include <gemel/sim/native_code.hpp>

#include <string>
#include <vector>

namespace gemel::sim::testing {

/// Of this build; none without LLVM.
inline std::vector<std::string> plug_ins() {
#ifdef GEMEL_PLUG_IN
    return {GEMEL_PLUG_IN};
#else
    return {};
#endif
}

/// The targets of this machine that code can be made for and run, the best first; none without LLVM
/// or on an old machine.
inline std::vector<NativeTarget> native_targets() {
    std::vector<NativeTarget> targets;
    if (plug_ins().empty()) return targets;
    if (const auto best = this_machine()) targets.push_back(*best);
    if (!targets.empty() && targets[0].cpu == "x86-64-v4")
        targets.push_back({targets[0].triple, "x86-64-v3", ""});
    return targets;
}

inline NativeCode native_code(const NativeTarget& target, ByteStore* store = nullptr) {
    return NativeCode({.plug_ins = plug_ins(), .store = store, .target = target});
}

} // namespace gemel::sim::testing
