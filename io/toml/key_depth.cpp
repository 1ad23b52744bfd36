#include "key_depth.hpp"

#include "utf8.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gemel::io {

namespace {

constexpr int most_parts = 64;

bool is_key_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == ' ' || c == '\t';
}

/// Walks a TOML text as far as needed to tell keys from texts and comments.
class KeyScanner {
public:
    explicit KeyScanner(std::string_view text) : text_(text) {}

    /// Where a key of too many parts begins; npos if there is none.
    std::size_t find_long_key() {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '"' || c == '\'')
                skip_text(c);
            else if (c == '#')
                at_ = std::min(text_.find('\n', at_), text_.size());
            else
                step(c);
            if (n_dots_ >= most_parts) return start_;
        }
        return std::string_view::npos;
    }

private:
    void step(char c) {
        ++at_;
        if (c == '.') {
            ++n_dots_;
        } else if (!is_key_character(c)) {
            n_dots_ = 0;
            start_ = at_;
        }
    }

    void skip_text(char quote) {
        const std::string three(3, quote);
        const bool is_long = text_.substr(at_).starts_with(three);
        at_ += is_long ? 3 : 1;
        while (at_ < text_.size()) {
            if (text_[at_] == '\\' && quote == '"') {
                at_ += 2;
            } else if (is_long ? text_.substr(at_).starts_with(three) : text_[at_] == quote) {
                at_ += is_long ? 3 : 1;
                for (int i = 0; is_long && i < 2 && at_ < text_.size() && text_[at_] == quote; ++i)
                    ++at_; // one or two more quotation marks are the text's own
                return;
            } else if (!is_long && text_[at_] == '\n') {
                return; // not TOML; the parser will say so
            } else {
                ++at_;
            }
        }
    }

    std::string_view text_;
    std::size_t at_ = 0, start_ = 0;
    int n_dots_ = 0;
};

} // namespace

bool check_key_depth(const std::shared_ptr<const sim::SourceFile>& file,
                     sim::DiagnosticList& diagnostics) {
    const std::string_view text = file->text;
    const std::size_t at = KeyScanner(text).find_long_key();
    if (at == std::string_view::npos) return true;
    const TextPlace place = place_of(text, at);
    diagnostics.add({file, place.line, place.column, 1},
                    fmt::format("a key has more than {} parts", most_parts),
                    "no key of Gemel has more than five: is a dot meant as a decimal point?");
    return false;
}

} // namespace gemel::io
