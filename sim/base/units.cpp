#include "base/unit_terms.hpp"
#include "base/lane_math.hpp"

#include <gemel/sim/assert.hpp>
#include <gemel/sim/units.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace gemel::sim {
namespace {

/// Integers up to here, and their products up to here, are exact.
constexpr double largest_exact = 9007199254740992.0; // 2^53

bool is_exact_integer(double x) {
    return std::fabs(x) < largest_exact && std::floor(x) == x && x > 0.0;
}

/// 10^n for n >= 0: exact up to 22.
double power_of_ten(int n) {
    double value = 1.0;
    for (int i = 0; i < std::min(n, 400); ++i)
        value *= 10.0;
    return value;
}

double integer_power(double base, int n) {
    double value = 1.0;
    for (int i = 0; i < n; ++i)
        value *= base;
    return value;
}

/// Takes common divisors out, and powers of ten into the decimal exponent, so that long products
/// of units stay exact.
UnitFactor reduced(UnitFactor f) {
    if (!is_exact_integer(f.numerator) || !is_exact_integer(f.denominator)) return f;
    auto top = static_cast<std::int64_t>(f.numerator);
    auto bottom = static_cast<std::int64_t>(f.denominator);
    const std::int64_t common = std::gcd(top, bottom);
    top /= common;
    bottom /= common;
    for (; top % 10 == 0; top /= 10)
        ++f.decimal;
    for (; bottom % 10 == 0; bottom /= 10)
        --f.decimal;
    f.numerator = static_cast<double>(top);
    f.denominator = static_cast<double>(bottom);
    return f;
}

std::string combined_text(const Unit& a, const Unit& b, double exponent_of_b) {
    auto terms = parse_unit_terms(a.text, nullptr);
    const auto other = parse_unit_terms(b.text, nullptr);
    if (!terms || !other)
        return "(" + a.text + ")" + (exponent_of_b < 0 ? "/(" : ".(") + b.text + ")";
    terms->multiply(*other, exponent_of_b);
    return terms->text();
}

} // namespace

UnitFactor::UnitFactor(double top, double bottom, int power_of_ten)
    : numerator(top),
      denominator(bottom),
      decimal(power_of_ten) {
    *this = reduced(*this);
}

UnitFactor::operator double() const {
    return decimal >= 0 ? numerator * power_of_ten(decimal) / denominator
                        : numerator / (denominator * power_of_ten(-decimal));
}

UnitFactor UnitFactor::times(const UnitFactor& other) const {
    // 6/7 · 7/6: crossing out before multiplying keeps products below 2^53 where it can.
    const UnitFactor first{numerator, other.denominator, decimal};
    const UnitFactor second{other.numerator, denominator, other.decimal};
    return {first.numerator * second.numerator,
            first.denominator * second.denominator,
            first.decimal + second.decimal};
}

UnitFactor UnitFactor::inverse() const {
    return {denominator, numerator, -decimal};
}

UnitFactor UnitFactor::power(double exponent) const {
    constexpr double largest_repeated = 64.0;
    if (exponent < 0.0) return inverse().power(-exponent);
    if (std::floor(exponent) == exponent && exponent <= largest_repeated) {
        const int n = static_cast<int>(exponent);
        return {integer_power(numerator, n), integer_power(denominator, n), decimal * n};
    }
    const double decimals = std::clamp(decimal * exponent, -1e6, 1e6);
    const double whole = std::floor(decimals);
    return {lane_pow(numerator / denominator, exponent) * lane_pow(10.0, decimals - whole),
            1.0,
            static_cast<int>(whole)};
}

std::optional<Unit> parse_unit(std::string_view text, std::string* why) {
    const auto terms = parse_unit_terms(text, why);
    if (!terms) return std::nullopt;
    return Unit{terms->dimension, terms->factor, terms->text()};
}

double conversion_factor(const Unit& from, const Unit& to) {
    GEMEL_ASSERT(from.dimension == to.dimension, "units that convert have one dimension");
    return from.factor.times(to.factor.inverse());
}

Unit operator*(const Unit& a, const Unit& b) {
    return {a.dimension * b.dimension, a.factor.times(b.factor), combined_text(a, b, 1.0)};
}

Unit operator/(const Unit& a, const Unit& b) {
    return {
        a.dimension / b.dimension, a.factor.times(b.factor.inverse()), combined_text(a, b, -1.0)};
}

Unit power(const Unit& unit, double exponent) {
    return {unit.dimension.power(exponent),
            unit.factor.power(exponent),
            combined_text(Unit{}, unit, exponent)};
}

std::optional<Quantity> parse_quantity(std::string_view text, std::string* why) {
    const auto fail = [&](std::string reason) -> std::optional<Quantity> {
        if (why) *why = std::move(reason);
        return std::nullopt;
    };
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && blank(text.back()))
        text.remove_suffix(1);
    const bool is_negative = text.starts_with('-');
    if (is_negative || text.starts_with('+')) text.remove_prefix(1);
    if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '.'))
        return fail("it does not begin with a number");
    Quantity quantity;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), quantity.value);
    if (error == std::errc::result_out_of_range)
        return fail("the number is too large or too small");
    if (error != std::errc{}) return fail("it does not begin with a number");
    quantity.value = is_negative ? -quantity.value : quantity.value;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.starts_with(',')) return fail("numbers are written with a decimal point");
    while (!text.empty() && blank(text.front()))
        text.remove_prefix(1);
    if (text.empty()) return quantity;
    std::string reason;
    const auto unit = parse_unit(text, &reason);
    if (!unit) return fail(reason);
    quantity.unit = *unit;
    return quantity;
}

} // namespace gemel::sim
