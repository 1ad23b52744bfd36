#include "disk.hpp"

#include <gemel/io/output_file.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace gemel::io {

namespace {

namespace fs = std::filesystem;

/// Links followed. Renaming replaces whatever has the name, so all but files is refused here.
fs::path replaceable(const fs::path& path) {
    std::error_code error;
    const bool is_link = fs::is_symlink(path, error);
    const fs::path target = is_link ? fs::canonical(path, error) : path;
    if (is_link && error)
        throw std::runtime_error(path.string() + " is a link to nothing; name a file");
    if (fs::is_directory(target, error))
        throw std::runtime_error(path.string() + " is a folder; name a file");
    if (fs::exists(target, error) && !fs::is_regular_file(target, error))
        throw std::runtime_error(path.string() + " is no file and would be replaced; name a file");
    return target;
}

bool is_left_by_a_killed_run(int file, const struct stat& status, std::string_view signature) {
    if (!S_ISREG(status.st_mode)) return false;
    if (status.st_size == 0) return true;
    std::string begin(signature.size(), '\0');
    const ssize_t n = ::pread(file, begin.data(), begin.size(), 0);
    return !signature.empty() && n == static_cast<ssize_t>(begin.size()) && begin == signature;
}

/// Whether the lock is on what has the name now, not on a file removed in between.
bool is_current(const std::string& part, const struct stat& status) {
    struct stat named {};
    return ::lstat(part.c_str(), &named) == 0 && named.st_dev == status.st_dev &&
           named.st_ino == status.st_ino;
}

/// An open, locked file under this name. @returns -1 if it went away meanwhile
int locked(const std::string& part, std::string_view signature) {
    const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    int file = ::open(part.c_str(), flags | O_CREAT | O_EXCL, 0666);
    const bool is_new = file >= 0;
    if (!is_new && errno == EEXIST) {
        file = ::open(part.c_str(), flags);
        if (file < 0 && errno == ENOENT) return -1;
    }
    disk::require(file >= 0, part, "creating the file");
    const bool is_ours = ::flock(file, LOCK_EX | LOCK_NB) == 0 || errno == ENOTSUP;
    struct stat status {};
    const bool is_known = ::fstat(file, &status) == 0;
    if (is_ours && is_known && !is_current(part, status)) {
        ::close(file);
        return -1;
    }
    if (is_ours && is_known && (is_new || is_left_by_a_killed_run(file, status, signature)))
        return file;
    ::close(file);
    throw std::runtime_error(
        is_ours ? part + " is there and not what an interrupted run leaves; remove it or choose "
                         "another name"
                : part + " is being written by another run; wait for it or choose another name");
}

} // namespace

OutputFile::OutputFile(const fs::path& path, std::string_view signature, Part part)
    : path_(replaceable(path)),
      part_(path_.string() + ".part") {
    while (lock_ < 0)
        lock_ = locked(part_, signature);
    if (part == Part::emptied && ::ftruncate(lock_, 0) != 0) {
        const int why = errno;
        ::close(lock_);
        errno = why;
        disk::require(false, part_, "emptying the file");
    }
}

OutputFile::~OutputFile() {
    std::error_code error;
    if (!is_published_ && !is_kept_) fs::remove(part_, error);
    ::close(lock_); // after removing: nobody takes over what is about to go
}

std::uint64_t OutputFile::size() const {
    struct stat status {};
    disk::require(::fstat(lock_, &status) == 0, part_, "reading the size");
    return static_cast<std::uint64_t>(status.st_size);
}

void OutputFile::resize(std::uint64_t size) {
    disk::require(::ftruncate(lock_, static_cast<off_t>(size)) == 0, part_, "setting the size");
}

void OutputFile::take_space() {
    const std::uint64_t bytes = size();
    if (bytes == 0) return;
    const bool done = ::fallocate(lock_, 0, 0, static_cast<off_t>(bytes)) == 0 ||
                      errno == EOPNOTSUPP || errno == ENOSYS;
    disk::require(done, part_, "taking its space on the disk");
}

void OutputFile::write_at(std::uint64_t place, const void* bytes, std::uint64_t size) {
    disk::write_at(lock_, place, bytes, size, part_);
}

void OutputFile::sync() {
    disk::sync(lock_, part_);
}

void OutputFile::keep() {
    is_kept_ = true;
}

void OutputFile::publish(const std::function<void()>& when_renamed) {
    sync();
    std::error_code error;
    fs::rename(part_, replaceable(path_), error);
    if (error) throw std::runtime_error(fmt::format("{}: renaming it: {}", part_, error.message()));
    is_published_ = true;
    if (when_renamed) when_renamed();
    disk::sync_folder_of(path_);
}

} // namespace gemel::io
