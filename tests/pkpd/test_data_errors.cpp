#include "data_reading.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

const std::filesystem::path broken_dir = tests_dir / "errors" / "data";

/// The messages of a broken file: with the table beside it, or one that names the output alone.
std::string messages_of_data(const std::string& name) {
    const auto table = broken_dir / (name + ".toml");
    const bool has_table = std::filesystem::exists(table);
    const bool has_dv =
        text_of(broken_dir / (name + ".csv")).substr(0, 200).find("DV") != std::string::npos;
    const std::string text = has_table
                                 ? text_of(table)
                                 : "[data]\nfile = \"" + name + ".csv\"\n" +
                                       (has_dv ? "[data.columns]\nDV = { output = \"Cp\" }\n" : "");
    const ReadData read =
        read_data_table(text,
                        has_table ? "errors/data/" + name + ".toml" : "study.toml",
                        broken_dir,
                        tests_dir / "data" / "pkpd_model.toml");
    CHECK(read.data == nullptr);
    return read.messages;
}

std::vector<std::string> broken_files() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(broken_dir))
        if (entry.path().extension() == ".expected") names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace

TEST_CASE("the messages of broken data files read as agreed") {
    // Oracle: the texts beside the files, read by a person.
    const std::vector<std::string> names = broken_files();
    CHECK(names.size() >= 60);
    for (const std::string& name : names) {
        INFO(name);
        CHECK(messages_of_data(name) == text_of(broken_dir / (name + ".expected")));
    }
}

TEST_CASE("every broken data file has its messages agreed") {
    for (const auto& entry : std::filesystem::directory_iterator(broken_dir)) {
        auto expected = entry.path();
        INFO(expected.string());
        CHECK(std::filesystem::exists(expected.replace_extension(".expected")));
    }
}
