#pragma once

#include <gemel/io/fields.hpp>

#include <string>
#include <utility>

namespace gemel::scenarios {

/// A key of a table: what it is for, and how it may look.
inline io::Field key(std::string name, std::string about, std::string example = {}) {
    io::Field field;
    field.name = std::move(name);
    field.about = std::move(about);
    field.example = std::move(example);
    return field;
}

} // namespace gemel::scenarios
