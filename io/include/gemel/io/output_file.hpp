#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace gemel::io {

/// A file in the making: written under NAME.part, given its name when complete.
///
/// Invariant: while it lives, NAME.part is a regular file under a lock (flock) that nobody else
/// holds. What stands under NAME may be a regular file, which is replaced, or a link to one, whose
/// target is replaced; never a folder, a device or anything else.
///
/// A NAME.part that is there already is taken over if nobody holds its lock and it is what a killed
/// run leaves: empty, or a regular file that begins with `signature`. Any other is left alone.
class OutputFile {
public:
    /// What becomes of a NAME.part that is taken over.
    enum class Part { emptied, as_it_is };

    /// @throws std::runtime_error with the path and the reason; nothing is then changed
    explicit OutputFile(const std::filesystem::path& path,
                        std::string_view signature = {},
                        Part part = Part::emptied);
    ~OutputFile(); ///< removes NAME.part unless published or kept
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    const std::filesystem::path& path() const { return path_; } ///< links followed
    const std::string& part() const { return part_; }

    std::uint64_t size() const; ///< of NAME.part
    void resize(std::uint64_t size);
    /// Takes the space of NAME.part on the disk, where the file system can: what fits is known
    /// before anything is computed, and written faster. @throws std::runtime_error if it does not
    /// fit
    void take_space();
    /// Writes into NAME.part at a place, from any thread. @throws std::runtime_error
    void write_at(std::uint64_t place, const void* bytes, std::uint64_t size);
    void sync(); ///< what was written survives a loss of power
    void keep(); ///< NAME.part stays, published or not

    /// fsync, rename, fsync of the folder. @throws std::runtime_error
    /// @param when_renamed  what else changes in the folder, such as removing what is needed no
    /// more
    void publish(const std::function<void()>& when_renamed = {});

private:
    std::filesystem::path path_;
    std::string part_;
    int lock_ = -1;
    bool is_published_ = false, is_kept_ = false;
};

} // namespace gemel::io
