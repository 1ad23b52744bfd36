#include "model_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::pkpd {

namespace {

std::optional<double> read_category(const Covariate& covariate,
                                    const io::TomlView& view,
                                    sim::DiagnosticList& diagnostics) {
    const auto text = view.text();
    const auto& known = covariate.categories;
    const auto found = text ? std::ranges::find(known, *text) : known.end();
    if (found != known.end()) return static_cast<double>(found - known.begin());
    diagnostics.add(view.span(),
                    fmt::format("one of the categories of '{}' is expected", covariate.name),
                    sim::suggest(text.value_or(""), known));
    return std::nullopt;
}

std::optional<double> read_quantity(const Covariate& covariate,
                                    const std::string& text,
                                    const sim::SourceSpan& span,
                                    sim::DiagnosticList& diagnostics) {
    std::string why;
    const auto quantity = sim::parse_quantity(text, &why);
    if (!quantity) {
        diagnostics.add(span, fmt::format("\"{}\" is no quantity: {}", text, why));
        return std::nullopt;
    }
    if (!(quantity->unit.dimension == covariate.unit.dimension)) {
        diagnostics.add(span,
                        fmt::format("\"{}\" is {}; '{}' is {} in {}",
                                    text,
                                    quantity->unit.dimension.name(),
                                    covariate.name,
                                    covariate.unit.dimension.name(),
                                    covariate.unit.text));
        return std::nullopt;
    }
    return quantity->in(covariate.unit);
}

} // namespace

std::optional<double> read_covariate_value(const Covariate& covariate,
                                           const io::TomlView& view,
                                           sim::DiagnosticList& diagnostics) {
    if (!covariate.categories.empty()) return read_category(covariate, view, diagnostics);
    if (const auto number = view.number(); number && !std::isfinite(*number)) {
        diagnostics.add(view.span(),
                        fmt::format("{} stands here; a finite number is expected", *number));
        return std::nullopt;
    } else if (number) {
        return number;
    }
    if (const auto text = view.text())
        return read_quantity(covariate, *text, view.span(), diagnostics);
    diagnostics.add(view.span(),
                    fmt::format("{} stands here; a number is expected", io::name(view.kind())));
    return std::nullopt;
}

} // namespace gemel::pkpd
