#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Digests of results (docs/decisions/result_digest.md): XXH3-128 per leaf, SHA-256 above.
namespace gemel::io {

inline constexpr std::uint64_t leaf_subjects = 64;

using Leaf = std::array<std::uint8_t, 16>;

/// NaNs have many bit patterns and one meaning: all become the quiet NaN without payload.
void canonicalise_missing(std::span<double> values);
bool has_missing(std::span<const double> values);

/// Of little-endian bytes. Reals must be canonical.
Leaf leaf_digest(std::span<const double> values);
Leaf leaf_digest(std::span<const std::int64_t> values);
Leaf leaf_digest(std::span<const std::uint8_t> values);
/// Each text with its length in front, so that no two lists of texts look alike.
Leaf leaf_digest(std::span<const std::string> values);

/// The leaf of 1, 2, … count as int64, without listing them.
Leaf leaf_digest_of_numbers(std::uint64_t count);

/// SHA-256 of a heading and leaves as they come, in order.
class Digest {
public:
    explicit Digest(const std::string& heading);
    ~Digest();
    Digest(const Digest&) = delete;
    Digest& operator=(const Digest&) = delete;

    void add(std::span<const Leaf> leaves);
    void add(std::string_view bytes);
    std::string hex(); ///< lower case; nothing can be added afterwards

private:
    class State;
    std::unique_ptr<State> state_;
};

/// The same of all leaves at once.
std::string digest_of(const std::string& heading, std::span<const Leaf> leaves);

} // namespace gemel::io
