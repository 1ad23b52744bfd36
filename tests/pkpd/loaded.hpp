#pragma once

#include "library.hpp"

#include <filesystem>
#include <fstream>

/// Model files of a test's own, read from text, and what was said about them.
namespace gemel::pkpd {

struct Loaded {
    std::shared_ptr<const Model> model;
    std::string messages;
};

inline Loaded load_file(const std::filesystem::path& file) {
    sim::DiagnosticList diagnostics;
    Loaded loaded;
    loaded.model = load_model(file, library(), diagnostics);
    if (!diagnostics.empty()) loaded.messages = diagnostics.render();
    return loaded;
}

/// @param name  the file's name while it is read, in the folder for temporary files
inline Loaded load_text(const std::string& text, const char* name) {
    const auto path = std::filesystem::temp_directory_path() / name;
    std::ofstream(path) << text;
    const Loaded loaded = load_file(path);
    std::filesystem::remove(path);
    return loaded;
}

} // namespace gemel::pkpd
