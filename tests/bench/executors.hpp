#pragma once

#include <gemel/sim/native_code.hpp>
#include <gemel/sim/solver.hpp>

#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gemel::bench {

/// Who runs the lanes, as benchmarks call it.
struct LaneExecutor {
    const char* engine = nullptr;
    sim::ExecutorChoice choice = sim::ExecutorChoice::interpreter;
    const sim::NativeCode* code = nullptr; ///< makes it anew every time
};

/// The plug-in of this build; none without LLVM.
inline std::vector<std::string> plug_ins() {
#ifdef GEMEL_PLUG_IN
    return {GEMEL_PLUG_IN};
#else
    return {};
#endif
}

/// The engine's own, and LLVM's.
inline const sim::NativeCode& native_code() {
    static const sim::NativeCode code({});
    return code;
}
inline const sim::NativeCode& llvm_code() {
    static const sim::NativeCode code({.plug_ins = plug_ins(), .maker = sim::CodeMaker::llvm});
    return code;
}

/// Keeps code in memory, as a folder of the user's would.
class MemoryStore : public sim::ByteStore {
public:
    using Bytes = std::vector<unsigned char>;
    std::optional<Bytes> get(std::span<const unsigned char> key) override {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find({key.begin(), key.end()});
        return found == entries_.end() ? std::nullopt : std::optional(found->second);
    }
    void put(std::span<const unsigned char> key, std::span<const unsigned char> value) override {
        const std::lock_guard lock(mutex_);
        entries_[{key.begin(), key.end()}] = {value.begin(), value.end()};
    }

private:
    std::mutex mutex_;
    std::map<std::string, Bytes> entries_;
};

/// LLVM's with a store.
inline const sim::NativeCode& kept_code() {
    static MemoryStore store;
    static const sim::NativeCode code(
        {.plug_ins = plug_ins(), .store = &store, .maker = sim::CodeMaker::llvm});
    return code;
}

/// Native code by LLVM, where this build has it.
inline std::optional<LaneExecutor> llvm_executor() {
    if (!llvm_code().why_not().empty()) return std::nullopt;
    return LaneExecutor{"lanes-llvm", sim::ExecutorChoice::native, &llvm_code()};
}

/// Of this build on this machine.
inline std::vector<LaneExecutor> lane_executors() {
    std::vector<LaneExecutor> found{{"lanes-interpreter", sim::ExecutorChoice::interpreter}};
    if (native_code().why_not().empty())
        found.push_back({"lanes-native", sim::ExecutorChoice::native, &native_code()});
    return found;
}

inline sim::SolverOptions lane_options(const LaneExecutor& executor, double rtol = 1e-6) {
    sim::SolverOptions options;
    options.rtol = rtol;
    options.falls_back = false;
    options.executor = executor.choice;
    options.native_code = executor.code;
    return options;
}

} // namespace gemel::bench
