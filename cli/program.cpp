#include "program.hpp"

#include <gemel/io/result_file.hpp>
#include <gemel/scenarios/run_study.hpp>
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

std::string version() {
    const std::string commit = GEMEL_COMMIT;
    return commit.empty() ? GEMEL_VERSION : fmt::format("{} ({})", GEMEL_VERSION, commit);
}

std::string version_text() {
    std::string solvers;
    for (const sim::Solver& solver : sim::solvers())
        solvers += (solvers.empty() ? "" : ", ") + std::string(solver.name);
    return fmt::format("gemel {}\nlayout           {}\ninstruction set  {}\n"
                       "solvers          {}",
                       version(),
                       io::result_layout,
                       scenarios::instruction_set(),
                       solvers);
}

} // namespace gemel::cli
