#include "shell_words.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>

namespace gemel::cli {

std::string quoted(const std::string& text) {
    std::string word = "'";
    for (const char c : text)
        word += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return word + "'";
}

std::string word_of(const std::string& text) {
    const bool is_plain =
        !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
            return std::isalnum(c) != 0 || std::strchr("_.,:+/-@%=", c) != nullptr;
        });
    return is_plain ? text : quoted(text);
}

std::string word_of_file(const std::string& path) {
    return word_of(std::filesystem::path(path).filename().string());
}

} // namespace gemel::cli
