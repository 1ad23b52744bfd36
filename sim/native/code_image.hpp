#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// Machine code at rest and at work.
namespace gemel::sim {

/// Code that runs wherever it is put: an object's sections laid out in one piece, its references to
/// itself resolved. Plain bytes, fit to be stored.
struct CodeImage {
    std::vector<unsigned char> bytes;
    std::vector<std::uint64_t> entries; ///< offsets of the functions asked for, in their order
};

/// Links an ELF object to itself. No linker is needed since the code calls nothing and its data are
/// its own constants.
///
/// @param functions  names of symbols
/// @throws std::runtime_error for an object that refers to anything outside it (a library call), or
///         one of another sort than LLVM makes
CodeImage link_object(std::span<const unsigned char> object,
                      const std::vector<std::string>& functions);

/// An image in memory that can be run and no longer written.
class LoadedCode {
public:
    using Function = void (*)(double* workspace);

    /// @throws std::runtime_error if the system gives no such memory
    explicit LoadedCode(const CodeImage& image);
    ~LoadedCode();
    LoadedCode(const LoadedCode&) = delete;
    LoadedCode& operator=(const LoadedCode&) = delete;

    Function function(std::size_t entry) const;

private:
    unsigned char* memory_ = nullptr;
    std::size_t size_ = 0;
    std::vector<std::uint64_t> entries_;
};

} // namespace gemel::sim
