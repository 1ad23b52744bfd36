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

/// The targets of this machine, the best first; none on an old one.
inline std::vector<NativeTarget> native_targets() {
    std::vector<NativeTarget> targets;
    if (const auto best = this_machine()) targets.push_back(*best);
    if (!targets.empty() && targets[0].cpu == "x86-64-v4")
        targets.push_back({targets[0].triple, "x86-64-v3", ""});
    return targets;
}

/// Those that `maker` can make code for.
inline std::vector<NativeOptions> native_options(CodeMaker maker) {
    std::vector<NativeOptions> all;
    for (const NativeTarget& target : native_targets()) {
        const NativeOptions options{.plug_ins = plug_ins(), .target = target, .maker = maker};
        if (NativeCode(options).why_not().empty()) all.push_back(options);
    }
    return all;
}

/// Every way to native code that this build and machine have.
inline std::vector<NativeOptions> native_options() {
    std::vector<NativeOptions> all = native_options(CodeMaker::built_in);
    for (const NativeOptions& options : native_options(CodeMaker::llvm))
        all.push_back(options);
    return all;
}

} // namespace gemel::sim::testing
