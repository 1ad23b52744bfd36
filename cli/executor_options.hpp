#pragma once

#include <gemel/io/code_cache.hpp>
#include <gemel/scenarios/execution.hpp>
#include <gemel/sim/native_code.hpp>

#include <CLI/CLI.hpp>

#include <optional>
#include <string>

/// Who runs lane programs: what commands that solve have in common.
namespace gemel::cli {

struct ExecutorArguments {
    std::string executor = "automatic";
    bool has_no_cache = false;
};

/// --executor and --no-cache. Native code that is asked for by name and not there is a mistake.
void add_executor_arguments(CLI::App& command, ExecutorArguments& arguments);

/// What makes and keeps native code for as long as a command runs.
class NativeParts {
public:
    /// A cache that cannot be trusted is told on standard error, unless `is_quiet`.
    NativeParts(const ExecutorArguments& arguments, bool is_quiet);
    NativeParts(const NativeParts&) = delete;
    NativeParts& operator=(const NativeParts&) = delete;

    scenarios::Execution execution() const { return {choice_, &code_}; }

private:
    std::optional<io::CodeCache> cache_;
    sim::NativeCode code_;
    sim::ExecutorChoice choice_;
};

} // namespace gemel::cli
