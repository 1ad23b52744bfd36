#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

/// Reading and writing places of files: whole, in spite of signals, and told in words where the
/// system refuses.
namespace gemel::io::disk {

/// @throws std::runtime_error "PATH: DOING: the system's reason"
void require(bool done, const std::string& path, const char* doing);

void write_at(
    int file, std::uint64_t place, const void* bytes, std::uint64_t size, const std::string& path);
/// @returns how much there was, less than `size` at the end of the file
std::uint64_t
read_at(int file, std::uint64_t place, void* bytes, std::uint64_t size, const std::string& path);

/// What was written survives a loss of power only after this.
void sync(int file, const std::string& path);
/// The same of a file's name.
void sync_folder_of(const std::filesystem::path& path);

/// A file beside a result in the making.
class SideFile {
public:
    /// Without a name, and so gone with this object.
    static SideFile unnamed(const std::string& beside);
    /// Of this name, with what is in it unless it is to be emptied; it stays.
    static SideFile named(const std::string& name, bool is_emptied);
    ~SideFile();
    SideFile(SideFile&& other) noexcept;
    SideFile& operator=(SideFile&&) = delete;

    void write_at(std::uint64_t place, const void* bytes, std::uint64_t size);
    std::uint64_t read_at(std::uint64_t place, void* bytes, std::uint64_t size) const;
    void resize(std::uint64_t size);
    void sync();

private:
    SideFile(std::string name, int file);
    std::string name_;
    int file_ = -1;
};

} // namespace gemel::io::disk
