#include <gemel/io/toml.hpp>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace gemel::io {

namespace {

constexpr std::uintmax_t max_bytes = 64u << 20;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::shared_ptr<const sim::SourceFile>
mistake(const std::filesystem::path& path, std::string message, sim::DiagnosticList& diagnostics) {
    auto nameless = std::make_shared<const sim::SourceFile>(sim::SourceFile{path.string(), {}});
    diagnostics.add({nameless, 0, 0, 1}, std::move(message));
    return nullptr;
}

} // namespace

std::shared_ptr<const sim::SourceFile> read_source(const std::filesystem::path& path,
                                                   sim::DiagnosticList& diagnostics) {
    std::error_code error;
    if (!std::filesystem::exists(path, error))
        return mistake(path, "there is no such file", diagnostics);
    if (!std::filesystem::is_regular_file(path, error))
        return mistake(path, "this is no file", diagnostics);
    if (std::filesystem::file_size(path, error) > max_bytes)
        return mistake(path, "the file is larger than 64 MiB", diagnostics);
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream bytes;
    bytes << stream.rdbuf();
    if (!stream)
        return mistake(
            path, std::string("the file cannot be read: ") + std::strerror(errno), diagnostics);
    std::string text = std::move(bytes).str();
    if (text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
    return std::make_shared<const sim::SourceFile>(sim::SourceFile{path.string(), std::move(text)});
}

} // namespace gemel::io
