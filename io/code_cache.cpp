#include <gemel/io/code_cache.hpp>
#include <gemel/io/result_file.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace gemel::io {

namespace {

constexpr std::string_view first_line = "gemel-code/1\n";
constexpr std::size_t digest_length = 64; ///< SHA-256 in hexadecimal digits

std::string_view text_of(std::span<const unsigned char> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The user's own, and nobody else writes to it.
bool is_trusted(const struct stat& status) {
    return status.st_uid == geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// An open file that closes itself.
class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    bool is_open() const { return fd_ >= 0; }

    std::optional<std::string> read_all(std::size_t size) const {
        std::string bytes(size, '\0');
        for (std::size_t done = 0; done < size;) {
            const ssize_t n = ::read(fd_, bytes.data() + done, size - done);
            if (n <= 0) return std::nullopt;
            done += static_cast<std::size_t>(n);
        }
        return bytes;
    }
    bool write_all(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
            if (n <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    bool status(struct stat& status) const { return fstat(fd_, &status) == 0; }

private:
    int fd_;
};

} // namespace

std::string CodeCache::why_not() const {
    struct stat status {};
    if (lstat(folder_.c_str(), &status) != 0)
        return errno == ENOENT ? std::string{} : fmt::format("{} cannot be read", folder_.string());
    if (!S_ISDIR(status.st_mode)) return fmt::format("{} is no folder", folder_.string());
    if (!is_trusted(status))
        return fmt::format("{} is not yours alone to write to (chmod go-w)", folder_.string());
    return {};
}

std::optional<std::vector<unsigned char>> CodeCache::get(std::span<const unsigned char> key) {
    if (!why_not().empty()) return std::nullopt;
    const std::filesystem::path path = folder_ / sha256_hex(text_of(key));
    const Descriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!file.is_open() || !file.status(status) || !S_ISREG(status.st_mode) || !is_trusted(status))
        return std::nullopt;
    const auto bytes = file.read_all(static_cast<std::size_t>(status.st_size));
    if (!bytes || !bytes->starts_with(first_line) ||
        bytes->size() < first_line.size() + digest_length)
        return std::nullopt;
    const std::string_view digest =
        std::string_view(*bytes).substr(first_line.size(), digest_length);
    const std::string_view value =
        std::string_view(*bytes).substr(first_line.size() + digest_length);
    if (sha256_hex(value) != digest) return std::nullopt;
    return std::vector<unsigned char>(value.begin(), value.end());
}

void CodeCache::put(std::span<const unsigned char> key, std::span<const unsigned char> value) {
    std::error_code error;
    if (!std::filesystem::exists(folder_, error)) {
        std::filesystem::create_directories(folder_.parent_path(), error);
        if (mkdir(folder_.c_str(), S_IRWXU) != 0 && errno != EEXIST) return;
    }
    if (!why_not().empty()) return;
    const std::filesystem::path path = folder_ / sha256_hex(text_of(key));
    std::string unfinished = path.string() + ".XXXXXX";
    const Descriptor file(mkostemp(unfinished.data(), O_CLOEXEC)); // for the user alone
    if (!file.is_open()) return;
    const bool is_written = file.write_all(first_line) &&
                            file.write_all(sha256_hex(text_of(value))) &&
                            file.write_all(text_of(value));
    if (!is_written || std::rename(unfinished.c_str(), path.c_str()) != 0)
        unlink(unfinished.c_str());
}

} // namespace gemel::io
