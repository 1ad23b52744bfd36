#pragma once

#include <gemel/sim/native_code.hpp>

#include <filesystem>
#include <string>

/// Native code kept in a folder of the user's, so that a model is compiled once.
namespace gemel::io {

/// One file per key, named by the key's SHA-256, replaced as a whole, with a checksum inside: what
/// is torn or changed is as good as not there. To run what stands in a folder is to trust whoever
/// may write to it: a folder or file that is not the user's own, or that group or others may write
/// to, is left alone. Whatever fails is no error, only a cache that does not help.
class CodeCache : public sim::ByteStore {
public:
    /// @param folder  made at the first put(), for the user alone
    explicit CodeCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

    std::optional<std::vector<unsigned char>> get(std::span<const unsigned char> key) override;
    void put(std::span<const unsigned char> key, std::span<const unsigned char> value) override;

    /// Why nothing is kept, in words; "" if the folder is trusted or can be made.
    std::string why_not() const;

private:
    std::filesystem::path folder_;
};

} // namespace gemel::io
