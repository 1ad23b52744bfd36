#include "utf8.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gemel::io {

namespace {

/// Bytes of the sequence a lead byte opens, and the bits it contributes; 0 for no lead byte.
int sequence_length(unsigned char lead, char32_t& bits) {
    if (lead < 0x80) return bits = lead, 1;
    if (lead >= 0xC2 && lead < 0xE0) return bits = lead & 0x1F, 2;
    if (lead >= 0xE0 && lead < 0xF0) return bits = lead & 0x0F, 3;
    if (lead >= 0xF0 && lead < 0xF5) return bits = lead & 0x07, 4;
    return 0;
}

bool is_well_formed(char32_t code_point, int length) {
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    return code_point >= smallest[length] && code_point <= 0x10FFFF && !surrogate;
}

} // namespace

char32_t next_code_point(std::string_view text, std::size_t& at) {
    char32_t code_point = 0;
    const int length = sequence_length(static_cast<unsigned char>(text[at]), code_point);
    if (length == 0 || at + static_cast<std::size_t>(length) > text.size()) return no_code_point;
    for (int i = 1; i < length; ++i) {
        const auto byte = static_cast<unsigned char>(text[at + static_cast<std::size_t>(i)]);
        if ((byte & 0xC0) != 0x80) return no_code_point;
        code_point = (code_point << 6) | (byte & 0x3F);
    }
    if (!is_well_formed(code_point, length)) return no_code_point;
    at += static_cast<std::size_t>(length);
    return code_point;
}

void append_code_point(std::string& text, char32_t code_point) {
    const auto tail = [&](int shift) {
        text += static_cast<char>(0x80 | ((code_point >> shift) & 0x3F));
    };
    if (code_point < 0x80) {
        text += static_cast<char>(code_point);
    } else if (code_point < 0x800) {
        text += static_cast<char>(0xC0 | (code_point >> 6));
        tail(0);
    } else if (code_point < 0x10000) {
        text += static_cast<char>(0xE0 | (code_point >> 12));
        tail(6);
        tail(0);
    } else {
        text += static_cast<char>(0xF0 | (code_point >> 18));
        tail(12);
        tail(6);
        tail(0);
    }
}

std::size_t count_code_points(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

std::string code_point_name(char32_t code_point) {
    return fmt::format("U+{:04X}", static_cast<unsigned>(code_point));
}

TextPlace place_of(std::string_view text, std::size_t byte) {
    const std::string_view before = text.substr(0, byte);
    const std::size_t line_start = before.rfind('\n') + 1; // npos + 1 is 0
    return {1 + static_cast<int>(std::count(before.begin(), before.end(), '\n')),
            1 + static_cast<int>(count_code_points(before.substr(line_start)))};
}

LineIndex::LineIndex(std::string_view text) : text_(text), starts_{0} {
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] == '\n') starts_.push_back(i + 1);
}

std::string_view LineIndex::line(int number) const {
    const auto index = static_cast<std::size_t>(number - 1);
    if (number < 1 || index >= starts_.size()) return {};
    const std::size_t start = starts_[index];
    return text_.substr(start, text_.find('\n', start) - start);
}

std::size_t LineIndex::byte_of(int line, int column) const {
    const auto index = static_cast<std::size_t>(line - 1);
    if (line < 1 || index >= starts_.size()) return text_.size();
    std::size_t at = starts_[index];
    for (int i = 1; i < column && at < text_.size(); ++i)
        if (next_code_point(text_, at) == no_code_point) ++at;
    return at;
}

} // namespace gemel::io
