#include "../toml/utf8.hpp"

#include <gemel/io/json.hpp>

#include <fmt/format.h>

namespace gemel::io {

std::string json_text(std::string_view text) {
    std::string quoted = "\"";
    std::size_t at = 0;
    while (at < text.size()) {
        const char32_t code_point = next_code_point(text, at);
        if (code_point == no_code_point) {
            quoted += "\xEF\xBF\xBD"; // U+FFFD
            ++at;
        } else if (code_point == '"' || code_point == '\\') {
            quoted += {'\\', static_cast<char>(code_point)};
        } else if (code_point < 0x20) {
            quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(code_point));
        } else {
            append_code_point(quoted, code_point);
        }
    }
    return quoted + "\"";
}

} // namespace gemel::io
