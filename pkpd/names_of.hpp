#pragma once

#include <string>
#include <vector>

namespace gemel::pkpd {

/// The names of rows that have one, in their order: what a message suggests from.
template <class Rows>
std::vector<std::string> names_of(const Rows& rows) {
    std::vector<std::string> names;
    for (const auto& row : rows)
        names.push_back(row.name);
    return names;
}

} // namespace gemel::pkpd
