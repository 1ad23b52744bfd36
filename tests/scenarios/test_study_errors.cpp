#include "study_runs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

namespace gemel::tests {

namespace {

/// Messages name files as the user did: from inside their folder.
class InFolder {
public:
    explicit InFolder(const std::filesystem::path& folder)
        : before_(std::filesystem::current_path()) {
        std::filesystem::current_path(folder);
    }
    ~InFolder() { std::filesystem::current_path(before_); }
    InFolder(const InFolder&) = delete;
    InFolder& operator=(const InFolder&) = delete;

private:
    std::filesystem::path before_;
};

std::string mistakes(const std::filesystem::path& study) {
    try {
        scenarios::load_study(study, source_library());
        return "no mistake\n";
    } catch (const sim::InputError& error) {
        return std::string(error.what()) + "\n";
    }
}

std::vector<std::filesystem::path> broken_studies() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator("."))
        if (entry.path().filename().string().starts_with("study_") &&
            entry.path().extension() == ".toml")
            files.push_back(entry.path().filename());
    std::sort(files.begin(), files.end());
    return files;
}

} // namespace

TEST_CASE("broken studies are told as the texts beside them say") {
    // Golden texts, read by a person when written: GEMEL_UPDATE_EXPECTED=1 writes them anew.
    const InFolder here(source_folder() / "tests" / "errors");
    const auto files = broken_studies();
    REQUIRE(files.size() >= 4);
    for (const std::filesystem::path& file : files) {
        CAPTURE(file.string());
        auto expected = file;
        expected.replace_extension(".expected");
        const std::string text = mistakes(file);
        if (std::getenv("GEMEL_UPDATE_EXPECTED") != nullptr) write_text(expected, text);
        CHECK(text == read_text(expected));
    }
}

} // namespace gemel::tests
