#include <gemel/io/text_table.hpp>

#include <algorithm>

namespace gemel::io {

std::size_t text_width(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0U) != 0x80U; }));
}

std::string padded(const std::string& text, std::size_t columns) {
    const std::size_t width = text_width(text);
    return text + std::string(columns > width ? columns - width : 0, ' ');
}

std::string aligned_right(const std::string& text, std::size_t columns) {
    const std::size_t width = text_width(text);
    return std::string(columns > width ? columns - width : 0, ' ') + text;
}

std::string text_table(const std::vector<std::vector<std::string>>& rows, Alignment others) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], text_width(row[i]));
    }
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i)
            line += i == 0 || others == Alignment::left ? "  " + padded(row[i], widths[i])
                                                        : "   " + aligned_right(row[i], widths[i]);
        text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
}

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
        digits.insert(static_cast<std::size_t>(i), ",");
    return digits;
}

} // namespace gemel::io
