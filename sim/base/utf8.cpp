#include "base/utf8.hpp"

namespace gemel::sim {
namespace {

constexpr CodePoint invalid{U'\uFFFD', 1};

/// Bytes of the sequence that `lead` opens, 0 if it opens none.
std::size_t sequence_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead < 0xE0) return 2;
    if (lead >= 0xE0 && lead < 0xF0) return 3;
    if (lead >= 0xF0 && lead < 0xF5) return 4;
    return 0;
}

bool is_overlong_or_surrogate(char32_t value, std::size_t n_bytes) {
    return (n_bytes == 3 && value < 0x800) || (n_bytes == 4 && value < 0x10000) ||
           value > 0x10FFFF || (value >= 0xD800 && value < 0xE000);
}

} // namespace

CodePoint decode_utf8(std::string_view text, std::size_t position) {
    const auto lead = static_cast<unsigned char>(text[position]);
    const std::size_t n_bytes = sequence_length(lead);
    if (n_bytes == 0 || position + n_bytes > text.size()) return invalid;
    if (n_bytes == 1) return {lead, 1};
    char32_t value = lead & (0x7Fu >> n_bytes);
    for (std::size_t i = 1; i < n_bytes; ++i) {
        const auto next = static_cast<unsigned char>(text[position + i]);
        if ((next & 0xC0) != 0x80) return invalid;
        value = (value << 6) | (next & 0x3Fu);
    }
    return is_overlong_or_surrogate(value, n_bytes) ? invalid : CodePoint{value, n_bytes};
}

std::u32string code_points(std::string_view text) {
    std::u32string points;
    for (std::size_t i = 0; i < text.size();) {
        const CodePoint point = decode_utf8(text, i);
        points += point.value;
        i += point.n_bytes;
    }
    return points;
}

std::string encode_utf8(char32_t value) {
    const auto tail = [&](int shift) {
        return static_cast<char>(0x80 | ((value >> shift) & 0x3F));
    };
    if (value < 0x80) return {static_cast<char>(value)};
    if (value < 0x800) return {static_cast<char>(0xC0 | (value >> 6)), tail(0)};
    if (value < 0x10000) return {static_cast<char>(0xE0 | (value >> 12)), tail(6), tail(0)};
    return {static_cast<char>(0xF0 | (value >> 18)), tail(12), tail(6), tail(0)};
}

int display_width(char32_t value) {
    const auto within = [value](char32_t first, char32_t last) {
        return value >= first && value <= last;
    };
    if (within(0x0300, 0x036F) || within(0x200B, 0x200F) || within(0xFE00, 0xFE0F)) return 0;
    const bool is_wide = within(0x1100, 0x115F) || within(0x2E80, 0xA4CF) ||
                         within(0xAC00, 0xD7A3) || within(0xF900, 0xFAFF) ||
                         within(0xFE30, 0xFE6F) || within(0xFF00, 0xFF60) ||
                         within(0xFFE0, 0xFFE6) || within(0x1F300, 0x1F64F) ||
                         within(0x1F900, 0x1F9FF) || within(0x20000, 0x3FFFD);
    return is_wide ? 2 : 1;
}

} // namespace gemel::sim
