#pragma once

#include <gemel/io/result_file.hpp>
#include <gemel/scenarios/run_study.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

/// Studies of tests/studies, run into a folder that vanishes with the test.
namespace gemel::tests {

class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "gemel-test-XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

inline std::filesystem::path source_folder() {
    return GEMEL_SOURCE_DIR;
}
inline io::Library source_library() {
    return {{source_folder() / "library"}};
}

inline scenarios::Study load(const std::string& name, std::vector<std::string> overrides = {}) {
    return scenarios::load_study(source_folder() / "tests" / "studies" / name,
                                 source_library(),
                                 {std::move(overrides), std::nullopt});
}

inline scenarios::StudyReport run(const scenarios::Study& study,
                                  const std::filesystem::path& output,
                                  int n_threads = 1,
                                  int width = 0) {
    scenarios::RunStudyOptions options;
    options.output = output;
    options.n_threads = n_threads;
    options.width = width;
    options.command = "gemel run";
    options.version = "test";
    return scenarios::run_study(study, options);
}

inline std::string read_text(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

inline void write_text(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file, std::ios::binary) << text;
}

} // namespace gemel::tests
