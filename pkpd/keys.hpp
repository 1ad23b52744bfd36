#pragma once

#include <gemel/io/fields.hpp>

#include <string>
#include <utility>

/// How the grammars of this floor write down a key.
namespace gemel::pkpd {

inline io::Field required_key(std::string name, std::string about, std::string example) {
    io::Field field;
    field.name = std::move(name);
    field.about = std::move(about);
    field.example = std::move(example);
    field.required = true;
    return field;
}

inline io::Field optional_key(std::string name, std::string about, std::string example) {
    io::Field field = required_key(std::move(name), std::move(about), std::move(example));
    field.required = false;
    return field;
}

/// A number > 0.
inline io::Field positive(io::Field field) {
    field.at_least = 0.0;
    field.exclusive = true;
    return field;
}

inline io::Field not_negative(io::Field field) {
    field.at_least = 0.0;
    return field;
}

} // namespace gemel::pkpd
