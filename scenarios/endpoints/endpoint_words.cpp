#include "endpoints/endpoint_words.hpp"

#include "field_key.hpp"
#include "study_words.hpp"

#include <fmt/format.h>

namespace gemel::scenarios {

namespace {

const std::string endpoint_help =
    "write a call such as \"geometric_mean(AUC)\", or a table such as { value = "
    "\"geometric_mean(AUC)\", by = \"ancestry\" }";

void read_cuts(const io::TomlView& view, StratificationWords& words) {
    words.cuts = view.kind() == io::TomlKind::array ? view.elements() : std::vector{view};
}

} // namespace

void describe_stratification(io::Fields& f, StratificationWords& words) {
    f.source(
        key("by",
            "what subjects are split by: GENE.phenotype, GENE.diplotype, ancestry, a covariate "
            "with categories, a condition, or a number with cuts",
            "\"CYP2D6.phenotype\""),
        words.by);
    f.any(key("cuts", "where strata of a number begin", "[\"40[kg]\", \"60[kg]\"]"),
          "texts with units, in rising order",
          [&](const io::TomlView& view) { read_cuts(view, words); });
    words.cuts_span = f.span("cuts");
}

void describe_interval(io::Fields& f, double& level, int& interval) {
    io::Field field = key("level", "probability of the interval", "0.95");
    field.at_least = 0.0;
    field.at_most = 1.0;
    field.exclusive = true;
    f.number(field, level);
    f.choice(
        key("interval", "of a proportion", "\"wilson\""), {"wilson", "clopper_pearson"}, interval);
}

void describe_endpoint(io::Fields& f, EndpointWords& words) {
    io::Field value = key("value", "a call of an endpoint function", "\"geometric_mean(AUCtau)\"");
    value.required = true;
    f.source(value, words.value);
    describe_stratification(f, words.stratification);
    describe_interval(f, words.level, words.interval);
    f.text(key("label", "for reports", "\"exposure by phenotype\""), words.label);
    check_printable(f, "label", words.label);
    words.level_span = f.span("level");
    words.interval_span = f.span("interval");
    if (!f.has("level")) words.level = 0.0;
    if (!f.has("interval")) words.interval = -1;
}

void read_endpoints(const io::TomlView& view,
                    std::vector<EndpointWords>& endpoints,
                    sim::DiagnosticList& diagnostics) {
    if (view.kind() != io::TomlKind::table) {
        diagnostics.add(view.span(),
                        fmt::format("endpoints is {}; a table is expected", io::name(view.kind())),
                        "[endpoints]\nexposure = \"geometric_mean(AUC)\"");
        return;
    }
    for (const auto& [name, value] : view.members()) {
        EndpointWords words;
        words.name = name;
        words.name_span = value.key_span();
        words.interval = -1;
        if (!is_identifier(name))
            diagnostics.add(value.key_span(),
                            fmt::format("'{}' cannot name an endpoint", name),
                            "names are letters, digits and _, and start with no digit");
        if (const auto text = value.source_text())
            words.value = *text;
        else if (value.kind() == io::TomlKind::table)
            io::read_fields(
                value, diagnostics, [&](io::Fields& f) { describe_endpoint(f, words); });
        else
            diagnostics.add(value.span(),
                            fmt::format("endpoints.{} is {}; a text or a table is expected",
                                        name,
                                        io::name(value.kind())),
                            endpoint_help);
        endpoints.push_back(std::move(words));
    }
}

} // namespace gemel::scenarios
