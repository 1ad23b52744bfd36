#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

/// One spelling for what VCF files write in many ways, without a reference genome.
namespace gemel::pkpd {

/// A change of the sequence: bases removed and inserted at a position, none of them in common. Of
/// an insertion `pos` is the base before which it stands; in a repeat both stand as far left as the
/// bases that are known show them to be the same.
struct PlainChange {
    std::int64_t pos = 0;
    std::string removed, inserted;
    auto operator<=>(const PlainChange&) const = default;

    bool is_substitution() const { return removed.size() == 1 && inserted.size() == 1; }
    bool is_indel() const { return removed.empty() != inserted.empty(); }
    std::int64_t last() const; ///< the last position it touches
};

/// The base of the reference at a position, where it is known.
using BaseLookup = std::function<std::optional<char>(std::int64_t)>;

struct PlainChanges {
    std::vector<PlainChange> changes; ///< several where neighbouring bases are written as one
    bool is_unsure =
        false; ///< an indel that may belong further left: the bases there are not known
};

/// @param pos   of the first base of `ref`
/// @param bases of the reference around it; those of `ref` are known by themselves
PlainChanges
plain_changes(std::int64_t pos, std::string ref, std::string alt, const BaseLookup& bases);

} // namespace gemel::pkpd
