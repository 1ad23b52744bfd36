#pragma once

#include <gemel/io/result_file.hpp>

#include <filesystem>
#include <string>
#include <vector>

/// A small trial written by test code: what check_layout.py and the tests of reading look at.
namespace gemel::io::test {

struct TrialOptions {
    std::vector<std::string> arms = {"low", "high"};
    std::uint64_t n_subjects = 150; ///< no multiple of 64
    std::uint64_t block = 64;
    bool writes_backwards = false;
    bool has_second_output = true;
    double shift = 0.0; ///< added to one value of one subject
};

/// 10·arm + subject + time/100 [mg/L]; subject 3 is missing in arm 1.
double trial_value(std::size_t arm, std::uint64_t subject, std::size_t time);

/// @returns results_sha256
std::string write_trial(const std::filesystem::path& path, const TrialOptions& options = {});

/// A folder for one test, empty before and gone after it.
struct Folder {
    explicit Folder(const std::string& name);
    ~Folder();
    std::filesystem::path path;
};

} // namespace gemel::io::test
