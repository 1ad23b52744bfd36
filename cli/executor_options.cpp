#include "executor_options.hpp"

#include "program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace gemel::cli {

namespace {

constexpr const char* by_llvm = "llvm"; ///< native code, not our own

sim::ExecutorChoice choice_of(const std::string& name) {
    if (name == by_llvm) return sim::ExecutorChoice::native;
    const auto found = std::find(
        std::begin(sim::executor_choice_names), std::end(sim::executor_choice_names), name);
    return static_cast<sim::ExecutorChoice>(found - std::begin(sim::executor_choice_names));
}

sim::CodeMaker maker_of(const std::string& name) {
    return name == by_llvm ? sim::CodeMaker::llvm : sim::CodeMaker::built_in;
}

/// Native code that is asked for by name must be there.
std::string check_executor(const std::string& name) {
    if (choice_of(name) != sim::ExecutorChoice::native) return {};
    return sim::NativeCode({.plug_ins = plug_ins(), .maker = maker_of(name)}).why_not();
}

/// Only code that takes long to make.
bool is_kept(const ExecutorArguments& arguments) {
    return !arguments.has_no_cache && arguments.executor != "interpreter" &&
           !sim::NativeCode({.plug_ins = {}, .maker = maker_of(arguments.executor)}).is_at_once();
}

std::optional<io::CodeCache> cache_of(const ExecutorArguments& arguments, bool is_quiet) {
    const std::filesystem::path folder = cache_folder();
    if (folder.empty() || !is_kept(arguments)) return {};
    io::CodeCache cache(folder);
    const std::string why_not = cache.why_not();
    if (why_not.empty()) return cache;
    if (!is_quiet) fmt::print(stderr, "note: native code is not kept: {}\n", why_not);
    return {};
}

} // namespace

void add_executor_arguments(CLI::App& command, ExecutorArguments& arguments) {
    std::vector<std::string> names(std::begin(sim::executor_choice_names),
                                   std::end(sim::executor_choice_names));
    names.push_back(by_llvm);
    command
        .add_option(
            "--executor",
            arguments.executor,
            "who runs the lanes: interpreter, native, llvm (native code by LLVM), or automatic "
            "(the default): native code once it pays; changes no result")
        ->check(CLI::IsMember(names))
        ->check(check_executor);
    command.add_flag("--no-cache",
                     arguments.has_no_cache,
                     "take no code of LLVM from ~/.cache/gemel, keep none");
}

NativeParts::NativeParts(const ExecutorArguments& arguments, bool is_quiet)
    : cache_(cache_of(arguments, is_quiet)),
      code_({.plug_ins = plug_ins(),
             .store = cache_ ? &*cache_ : nullptr,
             .maker = maker_of(arguments.executor)}),
      choice_(choice_of(arguments.executor)) {}

} // namespace gemel::cli
