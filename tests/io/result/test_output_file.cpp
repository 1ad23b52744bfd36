#include "trial.hpp"

#include <gemel/io/output_file.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>
#include <sstream>

namespace gemel::io::test {

namespace {

namespace fs = std::filesystem;

void write_text(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

std::string text_of(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

/// What a refused output says; "" if it was not refused.
std::string refusal(const fs::path& path, std::string_view signature = "GMT") {
    try {
        const OutputFile output(path, signature);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return {};
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("An output has its name when published, and leaves nothing when not") {
    const Folder folder("output");
    {
        OutputFile output(folder.path / "x");
        write_text(output.part(), "new");
        CHECK_FALSE(fs::exists(folder.path / "x"));
        output.publish();
    }
    CHECK(text_of(folder.path / "x") == "new");
    { const OutputFile output(folder.path / "x"); }
    CHECK(text_of(folder.path / "x") == "new");
    CHECK_FALSE(fs::exists(folder.path / "x.part"));
}

TEST_CASE("A link stays a link; its target is replaced") {
    const Folder folder("output_link");
    fs::create_directory(folder.path / "there");
    write_text(folder.path / "there/target", "old");
    fs::create_symlink("there/target", folder.path / "link");
    {
        OutputFile output(folder.path / "link");
        write_text(output.part(), "new");
        output.publish();
    }
    CHECK(fs::is_symlink(folder.path / "link"));
    CHECK(text_of(folder.path / "there/target") == "new");
    fs::create_symlink("nowhere", folder.path / "dangling");
    CHECK(has(refusal(folder.path / "dangling"), "link to nothing"));
}

TEST_CASE("Only files are replaced") {
    const Folder folder("output_kind");
    CHECK(has(refusal(folder.path), "is a folder"));
    REQUIRE(::mkfifo((folder.path / "pipe").c_str(), 0600) == 0);
    CHECK(has(refusal(folder.path / "pipe"), "is no file"));
    CHECK(fs::is_fifo(folder.path / "pipe"));
    REQUIRE(::mkfifo((folder.path / "x.part").c_str(), 0600) == 0);
    CHECK(has(refusal(folder.path / "x"), "x.part"));
    CHECK(fs::is_fifo(folder.path / "x.part"));
}

TEST_CASE("A part in the making is left alone, one of a killed run is taken over") {
    const Folder folder("output_part");
    const fs::path path = folder.path / "x", part = folder.path / "x.part";
    {
        const OutputFile first(path, "GMT");
        CHECK(has(refusal(path), "is being written by another run"));
        CHECK(fs::exists(part));
    }
    for (const char* left : {"", "GMT and more"}) {
        write_text(part, left);
        CHECK(refusal(path).empty());
        CHECK_FALSE(fs::exists(part)); // taken over, then removed as unfinished
    }
    for (const char* foreign : {"G", "somebody's text"}) {
        write_text(part, foreign);
        CHECK(has(refusal(path), "remove it"));
        CHECK(text_of(part) == foreign);
    }
    fs::remove(part);
    write_text(folder.path / "elsewhere", "GMT");
    fs::create_symlink("elsewhere", part);
    CHECK(has(refusal(path), "x.part"));
    CHECK(text_of(folder.path / "elsewhere") == "GMT");
}

TEST_CASE("A result file takes over what a killed run left") {
    // A copy of an unfinished file is what a killed run leaves: no lock is on it.
    const Folder folder("output_killed");
    {
        const ResultFile unfinished(folder.path / "a.h5");
        fs::copy_file(folder.path / "a.h5.part", folder.path / "b.h5.part");
        CHECK_THROWS_AS(ResultFile(folder.path / "a.h5"), std::runtime_error);
    }
    CHECK(fs::file_size(folder.path / "b.h5.part") > 0);
    CHECK(write_trial(folder.path / "b.h5").size() == 64);
}

} // namespace gemel::io::test
