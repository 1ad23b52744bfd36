#include <gemel/io/resources.hpp>

#include <set>
#include <string_view>

namespace gemel::io {

namespace {

/// A name is one word, never a way out of the library's folder.
bool is_plain_name(const std::string& name) {
    return !name.empty() && name.find_first_of("/\\") == std::string::npos && name[0] != '.';
}

bool is_file(const std::filesystem::path& path) {
    std::error_code error;
    return std::filesystem::is_regular_file(path, error);
}

} // namespace

std::filesystem::path Library::find(const std::string& kind, const std::string& name) const {
    if (!is_plain_name(name)) return {};
    for (const std::filesystem::path& root : roots)
        if (auto path = root / kind / (name + ".toml"); is_file(path)) return path;
    return {};
}

std::vector<std::string> Library::names(const std::string& kind) const {
    std::set<std::string> found;
    for (const std::filesystem::path& root : roots) {
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(root / kind, error))
            if (entry.path().extension() == ".toml" && is_file(entry.path()))
                found.insert(entry.path().stem().string());
    }
    return {found.begin(), found.end()};
}

std::filesystem::path resolve(const Library& library,
                              const std::string& kind,
                              const std::string& reference,
                              const std::filesystem::path& named_in) {
    constexpr std::string_view prefix = "library:";
    if (reference.starts_with(prefix)) return library.find(kind, reference.substr(prefix.size()));
    if (reference.empty()) return {};
    const std::filesystem::path path = named_in.parent_path() / reference;
    return is_file(path) ? path : std::filesystem::path();
}

} // namespace gemel::io
