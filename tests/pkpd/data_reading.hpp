#pragma once

#include "loaded.hpp"

#include <gemel/pkpd/data_file.hpp>

#include <doctest/doctest.h>

#include <sstream>

/// `[data]` tables and data files of tests, read as a study reads them.
namespace gemel::pkpd {

inline const std::filesystem::path tests_dir = std::filesystem::path(GEMEL_SOURCE_DIR) / "tests";

inline std::string text_of(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

struct ReadData {
    std::shared_ptr<const Model> model;
    std::shared_ptr<const DataSet> data;
    std::string messages; ///< without the folder of the tests
};

/// @param folder  that the table's `file` lies in
inline ReadData read_data_of(const std::shared_ptr<const Model>& model,
                             const std::string& table,
                             const std::string& name,
                             const std::filesystem::path& folder) {
    ReadData read;
    read.model = model;
    sim::DiagnosticList diagnostics;
    const auto file = std::make_shared<sim::SourceFile>(sim::SourceFile{name, table});
    const io::TomlView document = io::parse_toml(file, diagnostics);
    DataWords words;
    words.folder = folder;
    if (document.is_set())
        io::read_fields(document, diagnostics, [&](io::Fields& fields) {
            io::Field field;
            field.name = "data";
            fields.table(field, [&](io::Fields& row) { describe_data(row, words); });
        });
    if (diagnostics.empty()) read.data = read_data(words, *model, diagnostics);
    if (diagnostics.empty()) return read;
    read.messages = diagnostics.render();
    const std::string prefix = tests_dir.string() + "/";
    for (auto at = read.messages.find(prefix); at != std::string::npos;
         at = read.messages.find(prefix))
        read.messages.erase(at, prefix.size());
    return read;
}

inline ReadData read_data_table(const std::string& table,
                                const std::string& name,
                                const std::filesystem::path& folder,
                                const std::filesystem::path& model) {
    const Loaded loaded = load_file(model);
    INFO(loaded.messages);
    REQUIRE(loaded.model != nullptr);
    return read_data_of(loaded.model, table, name, folder);
}

/// A data file of its own, from its text.
inline ReadData read_data_text(const std::string& table,
                               const std::string& csv,
                               const std::filesystem::path& model = tests_dir / "data" /
                                                                    "pkpd_model.toml") {
    const auto path = temporary_path("data.csv");
    std::ofstream(path) << csv;
    const ReadData read =
        read_data_table("[data]\nfile = \"" + path.filename().string() + "\"\n" + table,
                        "study.toml",
                        path.parent_path(),
                        model);
    std::filesystem::remove(path);
    return read;
}

} // namespace gemel::pkpd
