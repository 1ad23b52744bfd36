#include "disk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace gemel::io::disk {

void require(bool done, const std::string& path, const char* doing) {
    if (!done) throw std::runtime_error(fmt::format("{}: {}: {}", path, doing, strerror(errno)));
}

void write_at(
    int file, std::uint64_t place, const void* bytes, std::uint64_t size, const std::string& path) {
    const char* from = static_cast<const char*>(bytes);
    while (size > 0) {
        const ssize_t n = ::pwrite(file, from, size, static_cast<off_t>(place));
        if (n < 0 && errno == EINTR) continue;
        require(n > 0, path, "writing");
        from += n;
        place += static_cast<std::uint64_t>(n);
        size -= static_cast<std::uint64_t>(n);
    }
}

std::uint64_t
read_at(int file, std::uint64_t place, void* bytes, std::uint64_t size, const std::string& path) {
    char* to = static_cast<char*>(bytes);
    std::uint64_t read = 0;
    while (read < size) {
        const ssize_t n = ::pread(file, to + read, size - read, static_cast<off_t>(place + read));
        if (n < 0 && errno == EINTR) continue;
        require(n >= 0, path, "reading");
        if (n == 0) break;
        read += static_cast<std::uint64_t>(n);
    }
    return read;
}

void sync(int file, const std::string& path) {
    // Some file systems know no fsync.
    require(::fsync(file) == 0 || errno == EINVAL, path, "fsync");
}

void sync_folder_of(const std::filesystem::path& path) {
    const std::filesystem::path parent = path.parent_path();
    const std::string folder = parent.empty() ? "." : parent.string();
    const int file = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC);
    require(file >= 0, folder, "opening");
    const bool done = ::fsync(file) == 0 || errno == EINVAL;
    const int why = errno;
    ::close(file);
    errno = why;
    require(done, folder, "fsync");
}

SideFile::SideFile(std::string name, int file) : name_(std::move(name)), file_(file) {
    require(file_ >= 0, name_, "opening");
}

SideFile SideFile::unnamed(const std::string& beside) {
    std::string name = beside + ".XXXXXX";
    const int file = ::mkstemp(name.data());
    if (file >= 0) ::unlink(name.c_str());
    return {beside, file};
}

SideFile SideFile::named(const std::string& name, bool is_emptied) {
    const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (is_emptied ? O_TRUNC : 0);
    return {name, ::open(name.c_str(), flags, 0666)};
}

SideFile::SideFile(SideFile&& other) noexcept
    : name_(std::move(other.name_)),
      file_(std::exchange(other.file_, -1)) {}

SideFile::~SideFile() {
    if (file_ >= 0) ::close(file_);
}

void SideFile::write_at(std::uint64_t place, const void* bytes, std::uint64_t size) {
    disk::write_at(file_, place, bytes, size, name_);
}

std::uint64_t SideFile::read_at(std::uint64_t place, void* bytes, std::uint64_t size) const {
    return disk::read_at(file_, place, bytes, size, name_);
}

void SideFile::resize(std::uint64_t size) {
    require(::ftruncate(file_, static_cast<off_t>(size)) == 0, name_, "setting the size");
}

void SideFile::sync() {
    disk::sync(file_, name_);
}

} // namespace gemel::io::disk
