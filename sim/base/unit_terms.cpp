#include "base/unit_terms.hpp"

#include "base/unit_table.hpp"
#include "base/utf8.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace gemel::sim {
namespace {

constexpr int deepest_nesting = 20;
constexpr double largest_exponent = 100.0;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_number(const UnitTerm& term) {
    return is_digit(term.symbol.front());
}

/// Symbols are letters, `%`, `°` and UCUM's [brackets] and {braces}.
bool is_symbol_point(char32_t c) {
    const bool is_ascii_letter = (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
    const bool is_operator =
        c == U'·' || c == U'⋅' || c == U'×' || c == U'²' || c == U'³' || c == U'¹';
    return is_ascii_letter || c == U'%' || c == U'_' || (c >= 0x80 && !is_operator && c != U'⁻');
}

/// Reads `text` by descent; the first thing not understood ends it and is told in `why`.
class UnitParser {
public:
    explicit UnitParser(std::string_view text) : text_(text) {}

    std::optional<UnitTerms> parse_all(std::string* why) {
        UnitTerms result;
        skip_blanks();
        if (at_end())
            fail("it is empty; a number without unit is \"1\"");
        else
            result = product(0);
        if (why_.empty() && !at_end())
            fail(fmt::format("'{}' is not understood", text_.substr(position_)));
        const double factor = result.factor;
        if (why_.empty() && !(factor > 0.0 && factor <= 1e300))
            fail("its factor is too large or too small");
        if (why_.empty()) return result;
        if (why) *why = why_;
        return std::nullopt;
    }

private:
    bool at_end() const { return position_ >= text_.size(); }
    char peek() const { return at_end() ? '\0' : text_[position_]; }
    void fail(std::string why) {
        if (why_.empty()) why_ = std::move(why);
        position_ = text_.size();
    }
    void skip_blanks() {
        while (peek() == ' ')
            ++position_;
    }
    bool take(std::string_view token) {
        if (!text_.substr(position_).starts_with(token)) return false;
        position_ += token.size();
        return true;
    }

    UnitTerms product(int depth) {
        UnitTerms result;
        double sign = take("/") ? -1.0 : 1.0;
        while (true) {
            skip_blanks();
            result.multiply(factor(depth), sign);
            skip_blanks();
            if (take("/"))
                sign = -1.0;
            else if (take(".") || take("*") || take("·") || take("⋅") || take("×"))
                sign = 1.0;
            else
                return result;
        }
    }

    UnitTerms factor(int depth) {
        if (peek() == '(') return parenthesis(depth);
        if (is_digit(peek())) return number(depth);
        return symbol();
    }

    UnitTerms parenthesis(int depth) {
        if (depth >= deepest_nesting) {
            fail("it has too many parentheses");
            return {};
        }
        take("(");
        UnitTerms inner = product(depth + 1);
        skip_blanks();
        if (why_.empty() && !take(")")) fail("a ')' is missing");
        return raised(inner);
    }

    /// A number is a factor; what follows it without an operator belongs to it: 1.73m2.
    UnitTerms number(int depth) {
        const std::size_t start = position_;
        std::string digits = read_digits();
        int decimal = 0;
        if (peek() == '.' && position_ + 1 < text_.size() && is_digit(text_[position_ + 1])) {
            take(".");
            const std::string fraction = read_digits();
            decimal = -static_cast<int>(fraction.size());
            digits += fraction;
        }
        if (digits.size() > 15) {
            fail("a number in it has too many digits");
            return {};
        }
        const std::string text(text_.substr(start, position_ - start));
        UnitTerms result;
        result.factor = {std::stod(digits), 1, decimal};
        if (double(result.factor) == 0.0)
            fail("a unit cannot be 0");
        else if (double(result.factor) != 1.0)
            result.terms.push_back({text, 1.0});
        if (text == "10" && ucum_power_of_ten_follows()) {
            take("*");
            result = power_of(result, read_exponent());
        } else if (peek() == '^') {
            result = raised(result);
        }
        if (is_digit(peek()) || at_end()) return result;
        if (is_symbol_point(decode_utf8(text_, position_).value) || peek() == '(' ||
            peek() == '[' || peek() == '{')
            result.multiply(factor(depth), 1.0);
        return result;
    }

    /// UCUM writes 10^9 as 10*9; as a product it would be ninety, which nobody means.
    bool ucum_power_of_ten_follows() const {
        return peek() == '*' && position_ + 1 < text_.size() &&
               (is_digit(text_[position_ + 1]) || text_[position_ + 1] == '-');
    }

    std::string read_digits() {
        const std::size_t start = position_;
        while (is_digit(peek()))
            ++position_;
        return std::string(text_.substr(start, position_ - start));
    }

    UnitTerms symbol() {
        const std::size_t start = position_;
        while (!at_end()) {
            const CodePoint point = decode_utf8(text_, position_);
            if (point.value == U'[' || point.value == U'{')
                skip_bracket(point.value == U'[' ? ']' : '}');
            else if (is_symbol_point(point.value))
                position_ += point.n_bytes;
            else
                break;
        }
        const std::string_view name = text_.substr(start, position_ - start);
        if (name.empty()) {
            fail(at_end() ? "it ends where a unit is expected"
                          : fmt::format("'{}' stands where a unit is expected",
                                        text_.substr(position_)));
            return {};
        }
        const auto found = find_unit_symbol(name);
        if (!found) {
            fail(explain_unknown_unit(name));
            return {};
        }
        return raised({{{found->canonical, 1.0}}, found->dimension, found->factor});
    }

    void skip_bracket(char closing) {
        const std::size_t end = text_.find(closing, position_);
        position_ = end == std::string_view::npos ? text_.size() : end + 1;
    }

    /// What an exponent does that may stand here: m2, m^2, h-1, kg^0.75, m².
    UnitTerms raised(const UnitTerms& unit) {
        if (take("²")) return power_of(unit, 2.0);
        if (take("³")) return power_of(unit, 3.0);
        if (take("⁻¹")) return power_of(unit, -1.0);
        const bool is_marked = take("^");
        const bool is_signed = peek() == '-' || peek() == '+';
        if (is_marked) return power_of(unit, read_decimal());
        if (is_digit(peek()) || is_signed) return power_of(unit, read_exponent());
        return unit;
    }

    double read_exponent() {
        const double sign = take("-") ? -1.0 : (take("+"), 1.0);
        return sign * checked_exponent(read_digits());
    }

    double read_decimal() {
        const double sign = take("-") ? -1.0 : (take("+"), 1.0);
        std::string digits = read_digits();
        if (peek() == '.' && position_ + 1 < text_.size() && is_digit(text_[position_ + 1])) {
            take(".");
            digits += "." + read_digits();
        }
        return sign * checked_exponent(digits);
    }

    double checked_exponent(const std::string& digits) {
        double value = 0.0;
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (digits.empty())
            fail("an exponent is missing");
        else if (value > largest_exponent)
            fail("an exponent is too large");
        return value;
    }

    UnitTerms power_of(const UnitTerms& unit, double exponent) {
        UnitTerms result;
        if (why_.empty()) result.multiply(unit, exponent);
        return result;
    }

    std::string_view text_;
    std::size_t position_ = 0;
    std::string why_;
};

std::string term_text(const std::string& symbol, double exponent) {
    if (exponent == 1.0) return symbol;
    const bool suffix = std::floor(exponent) == exponent && !is_digit(symbol.back());
    return fmt::format("{}{}{:.12g}", symbol, suffix ? "" : "^", exponent);
}

} // namespace

void UnitTerms::multiply(const UnitTerms& other, double exponent) {
    constexpr double vanishing = 1e-9;
    for (const UnitTerm& term : other.terms) {
        auto at = terms.begin();
        while (at != terms.end() && at->symbol != term.symbol)
            ++at;
        if (at == terms.end()) at = terms.insert(at, {term.symbol, 0.0});
        at->exponent += term.exponent * exponent;
        if (std::fabs(at->exponent) < vanishing) terms.erase(at);
    }
    dimension = dimension * other.dimension.power(exponent);
    factor = factor.times(other.factor.power(exponent));
}

/// Numerators joined by ".", each denominator after its own "/"; a number below stands with what
/// follows it: mL/min/(1.73.m2).
std::string UnitTerms::text() const {
    std::string above, below;
    bool is_open = false;
    for (std::size_t i = 0; i < terms.size(); ++i) {
        const UnitTerm& term = terms[i];
        if (term.exponent > 0.0) {
            above += (above.empty() ? "" : ".") + term_text(term.symbol, term.exponent);
            continue;
        }
        const bool opens =
            is_number(term) && !is_open && i + 1 < terms.size() && terms[i + 1].exponent < 0.0;
        below += (is_open ? "." : opens ? "/(" : "/") + term_text(term.symbol, -term.exponent);
        below += is_open ? ")" : "";
        is_open = opens;
    }
    return (above.empty() ? "1" : above) + below;
}

std::optional<UnitTerms> parse_unit_terms(std::string_view text, std::string* why) {
    constexpr std::size_t longest_unit = 400;
    if (text.size() > longest_unit) {
        if (why) *why = "it is too long";
        return std::nullopt;
    }
    return UnitParser(text).parse_all(why);
}

} // namespace gemel::sim
