#include "program.hpp"

#include <gemel/io/result_file.hpp>
#include <gemel/scenarios/run_study.hpp>
#include <gemel/sim/native_code.hpp>
#include <gemel/sim/solver.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace gemel::cli {

namespace {

std::filesystem::path program_folder() {
    std::error_code error;
    return std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
}

void add_if_present(io::Library& found, const std::filesystem::path& root) {
    std::error_code error;
    if (!root.empty() && std::filesystem::is_directory(root, error)) found.roots.push_back(root);
}

} // namespace

io::Library library() {
    io::Library found;
    if (const char* named = std::getenv("GEMEL_LIBRARY")) add_if_present(found, named);
    add_if_present(found, program_folder() / ".." / "share" / "gemel");
    add_if_present(found, GEMEL_LIBRARY_SOURCE);
    return found;
}

std::vector<std::string> plug_ins() {
    constexpr const char* file = "libgemel_llvm.so";
    if (const char* named = std::getenv("GEMEL_LLVM_PLUG_IN")) return {named};
    return {(program_folder() / file).string(),
            (program_folder() / ".." / "lib" / "gemel" / file).string()};
}

std::filesystem::path cache_folder() {
    const auto absolute = [](const char* variable) {
        const char* value = std::getenv(variable);
        const std::filesystem::path path = value != nullptr ? value : "";
        return path.is_absolute() ? path : std::filesystem::path();
    };
    if (const auto cache = absolute("XDG_CACHE_HOME"); !cache.empty()) return cache / "gemel";
    const std::filesystem::path home = absolute("HOME");
    return home.empty() ? home : home / ".cache" / "gemel";
}

std::string version() {
    const std::string commit = GEMEL_COMMIT;
    return commit.empty() ? GEMEL_VERSION : fmt::format("{} ({})", GEMEL_VERSION, commit);
}

std::string version_text() {
    const std::string why_not = sim::NativeCode({.plug_ins = plug_ins()}).why_not();
    std::string solvers;
    for (const sim::Solver& solver : sim::solvers())
        solvers += (solvers.empty() ? "" : ", ") + std::string(solver.name);
    return fmt::format("gemel {}\nlayout           {}\ninstruction set  {}\n"
                       "native code      {}\nsolvers          {}",
                       version(),
                       io::result_layout,
                       scenarios::instruction_set(),
                       why_not.empty() ? "when it pays" : why_not,
                       solvers);
}

} // namespace gemel::cli
