#pragma once

#include "library.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

/// Model files of a test's own, read from text, and what was said about them.
namespace gemel::pkpd {

struct Loaded {
    std::shared_ptr<const Model> model;
    std::string messages;
};

/// A path of this process alone in the folder for temporary files.
inline std::filesystem::path temporary_path(const std::string& name) {
    return std::filesystem::temp_directory_path() /
           ("gemel_" + std::to_string(getpid()) + "_" + name);
}

inline Loaded load_file(const std::filesystem::path& file) {
    sim::DiagnosticList diagnostics;
    Loaded loaded;
    loaded.model = load_model(file, library(), diagnostics);
    if (!diagnostics.empty()) loaded.messages = diagnostics.render();
    return loaded;
}

/// @param name  the file's name while it is read ends with it
inline Loaded load_text(const std::string& text, const char* name) {
    const auto path = temporary_path(name);
    std::ofstream(path) << text;
    const Loaded loaded = load_file(path);
    std::filesystem::remove(path);
    return loaded;
}

} // namespace gemel::pkpd
