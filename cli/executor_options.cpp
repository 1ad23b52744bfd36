#include "executor_options.hpp"

#include "program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace gemel::cli {

namespace {

sim::ExecutorChoice choice_of(const std::string& name) {
    const auto found = std::find(
        std::begin(sim::executor_choice_names), std::end(sim::executor_choice_names), name);
    return static_cast<sim::ExecutorChoice>(found - std::begin(sim::executor_choice_names));
}

/// Native code that is asked for by name must be there.
std::string check_executor(const std::string& name) {
    return name == "native" ? sim::NativeCode({.plug_ins = plug_ins()}).why_not() : std::string{};
}

std::optional<io::CodeCache> cache_of(const ExecutorArguments& arguments, bool is_quiet) {
    const std::filesystem::path folder = cache_folder();
    if (arguments.has_no_cache || folder.empty() || arguments.executor == "interpreter") return {};
    io::CodeCache cache(folder);
    const std::string why_not = cache.why_not();
    if (why_not.empty()) return cache;
    if (!is_quiet) fmt::print(stderr, "note: native code is not kept: {}\n", why_not);
    return {};
}

} // namespace

void add_executor_arguments(CLI::App& command, ExecutorArguments& arguments) {
    const std::vector<std::string> names(std::begin(sim::executor_choice_names),
                                         std::end(sim::executor_choice_names));
    command
        .add_option("--executor",
                    arguments.executor,
                    "who runs the lanes: interpreter, native, or automatic (the default): native "
                    "code once it pays; changes no result")
        ->check(CLI::IsMember(names))
        ->check(check_executor);
    command.add_flag(
        "--no-cache", arguments.has_no_cache, "take no native code from ~/.cache/gemel, keep none");
}

NativeParts::NativeParts(const ExecutorArguments& arguments, bool is_quiet)
    : cache_(cache_of(arguments, is_quiet)),
      code_({.plug_ins = plug_ins(), .store = cache_ ? &*cache_ : nullptr}),
      choice_(choice_of(arguments.executor)) {}

} // namespace gemel::cli
