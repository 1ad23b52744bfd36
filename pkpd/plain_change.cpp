#include "plain_change.hpp"

#include <algorithm>

namespace gemel::pkpd {
namespace {

/// Moves an indel to the left as long as the base before it equals its last: "AT" inserted after
/// "…CAT" is "TA" inserted after "…CA", and so on (Tan, Abecasis & Kang 2015).
/// @returns whether it stopped at a base that is not known
bool shift_left(PlainChange& change, const BaseLookup& bases) {
    std::string& moved = change.removed.empty() ? change.inserted : change.removed;
    for (;;) {
        const std::optional<char> before = bases(change.pos - 1);
        if (!before) return true;
        if (*before != moved.back()) return false;
        moved.pop_back();
        moved.insert(moved.begin(), *before);
        --change.pos;
    }
}

} // namespace

std::int64_t PlainChange::last() const {
    return pos + std::max<std::int64_t>(static_cast<std::int64_t>(removed.size()), 1) - 1;
}

PlainChanges
plain_changes(std::int64_t pos, std::string ref, std::string alt, const BaseLookup& bases) {
    const std::int64_t start = pos;
    const std::string whole = ref;
    while (!ref.empty() && !alt.empty() && ref.back() == alt.back()) {
        ref.pop_back();
        alt.pop_back();
    }
    std::size_t n_same = 0;
    while (n_same < std::min(ref.size(), alt.size()) && ref[n_same] == alt[n_same])
        ++n_same;
    pos += static_cast<std::int64_t>(n_same);
    ref.erase(0, n_same);
    alt.erase(0, n_same);

    PlainChanges plain;
    if (ref.empty() && alt.empty()) return plain;
    if (ref.size() == alt.size()) {
        for (std::size_t i = 0; i < ref.size(); ++i)
            if (ref[i] != alt[i])
                plain.changes.push_back(
                    {pos + static_cast<std::int64_t>(i), {1, ref[i]}, {1, alt[i]}});
        return plain;
    }
    PlainChange& change = plain.changes.emplace_back(PlainChange{pos, ref, alt});
    if (!change.is_indel()) return plain;
    plain.is_unsure = shift_left(change, [&](std::int64_t at) -> std::optional<char> {
        const bool is_own = at >= start && at < start + static_cast<std::int64_t>(whole.size());
        return is_own ? whole[static_cast<std::size_t>(at - start)] : bases(at);
    });
    return plain;
}

} // namespace gemel::pkpd
