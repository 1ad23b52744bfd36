#include "policies/policy_words.hpp"

#include "field_key.hpp"

#include <gemel/pkpd/dosing.hpp>

#include <fmt/format.h>

#include <cmath>

namespace gemel::scenarios {

namespace {

const char* why_no_amount(const std::optional<pkpd::DoseAmount>& dose) {
    if (!dose || dose->per) return "an amount such as \"30 mg\" is expected";
    return "an amount above 0 is expected";
}

void describe_amount_of_policy(io::Fields& fields, const io::Field& field, AmountWords& words) {
    fields.any(field, "an amount", [&](const io::TomlView& view) {
        words.span = view.span();
        sim::DiagnosticList found;
        words.amount = read_amount(view, found);
        for (const sim::Diagnostic& mistake : found.items())
            fields.mistake(field.name, mistake.message, mistake.help);
    });
}

/// A table, or a list of two, read when the rest of the study is.
void keep(io::Fields& fields, const io::Field& field, const char* shapes, io::TomlView& kept) {
    fields.any(field, shapes, [&](const io::TomlView& view) {
        const bool is_list = field.name == "within";
        if (view.kind() == (is_list ? io::TomlKind::array : io::TomlKind::table))
            kept = view;
        else
            fields.mistake(field.name,
                           fmt::format("{} stands here; {} is expected",
                                       io::name(view.kind()),
                                       is_list ? "a list of two amounts" : "a table"),
                           fmt::format("as in {} = {}", field.name, field.example));
    });
}

/// What says what the policy is.
void describe_kind(io::Fields& fields, PolicyWords& words) {
    using Kind = PolicyWords::Kind;
    fields.text(
        key("equation", "a dose equation: of the library, or a file", "\"library:warfarin_iwpc\""),
        words.file);
    fields.text(key("recommendations",
                    "recommendations of a drug by genotype: of the library, or a file",
                    "\"library:codeine\""),
                words.file);
    fields.source(key("matches",
                      "an outcome that the dose brings to what it is in the reference patient, or "
                      "to `target`, by this study's model in a typical patient of each genotype",
                      "\"auc(Cp, last_interval)\""),
                  words.matches);
    fields.one_of({"equation", "recommendations", "matches"}, true);
    if (fields.has("equation")) words.kind = Kind::equation;
    if (fields.has("recommendations")) words.kind = Kind::recommendations;
    if (fields.has("matches")) words.kind = Kind::matches;
    words.file_span = fields.span(words.kind == Kind::equation ? "equation" : "recommendations");
}

/// A key that says nothing in a policy of another kind.
void check_kind(io::Fields& fields, const PolicyWords& words) {
    using Kind = PolicyWords::Kind;
    struct Belongs {
        const char* key;
        std::vector<Kind> kinds;
        const char* where;
    };
    const Belongs belongs[] = {
        {"given", {Kind::equation, Kind::matches}, "equation or matches"},
        {"patients", {Kind::recommendations}, "recommendations"},
        {"assume", {Kind::recommendations}, "recommendations"},
        {"part_of_range", {Kind::recommendations}, "recommendations"},
        {"usual", {Kind::recommendations, Kind::matches}, "recommendations or matches"},
        {"target", {Kind::matches}, "matches"},
        {"reference", {Kind::matches}, "matches"},
        {"not_known", {Kind::matches}, "matches"},
    };
    if (words.kind == Kind::none) return;
    for (const Belongs& row : belongs)
        if (fields.has(row.key) &&
            std::find(row.kinds.begin(), row.kinds.end(), words.kind) == row.kinds.end())
            fields.mistake(
                row.key, fmt::format("`{}` goes with `{}`", row.key, row.where), "leave it out");
    if (words.kind != Kind::equation && !fields.has("usual"))
        fields.mistake({},
                       "the usual dose is missing",
                       "write usual = \"30 mg\": what is given without a genotype");
    if (words.kind == Kind::matches && fields.has("target") && fields.has("reference"))
        fields.mistake("reference",
                       "a policy with a `target` has no reference patient",
                       "leave one of the two out");
}

} // namespace

std::optional<sim::Quantity> read_amount(const io::TomlView& view,
                                         sim::DiagnosticList& diagnostics) {
    const auto text = view.text();
    const auto dose = text ? pkpd::parse_dose(*text) : std::nullopt;
    if (dose && !dose->per && dose->amount.value > 0.0 && std::isfinite(dose->amount.value))
        return dose->amount;
    diagnostics.add(view.span(), why_no_amount(dose));
    return std::nullopt;
}

void describe_policy(io::Fields& f, PolicyWords& words) {
    words.span = f.span();
    describe_kind(f, words);
    keep(f,
         key("given",
             "inputs of the equation, or covariates of the typical patient, that are the same for "
             "all",
             "{ AMIODARONE = \"no\" }"),
         "values by name",
         words.given);
    f.text(key("patients", "whose recommendations, where a drug has several kinds", "\"ACS/PCI\""),
           words.patients);
    words.patients_span = f.span("patients");
    keep(f,
         key("assume",
             "of an action without a number: a factor of the usual dose, or \"withhold\"",
             "{ reduce_start = 0.75 }"),
         "factors by action",
         words.assume);
    f.choice(key("part_of_range", "of a factor that is a range", "\"middle\""),
             {"lower", "middle", "upper"},
             words.part_of_range);
    describe_amount_of_policy(f,
                              key("usual",
                                  "the dose without genotype: what factors multiply, or what the "
                                  "reference patient receives",
                                  "\"30 mg\""),
                              words.usual);
    f.source(key("target", "the outcome aimed at, in place of the reference patient's", "\"2.5\""),
             words.target);
    keep(f,
         key("reference",
             "genotypes of the reference patient; else the genes' references",
             "{ CYP2D6 = \"*1/*1\" }"),
         "diplotypes by gene",
         words.reference);
    describe_amount_of_policy(f,
                              key("not_known",
                                  "the dose where the genotype gives no number; else a mistake",
                                  "\"30 mg\""),
                              words.not_known);
    describe_amount_of_policy(f,
                              key("round_to",
                                  "each dose is a multiple of this, the nearest; what rounds to 0 "
                                  "is no dose",
                                  "\"0.5 mg\""),
                              words.round_to);
    keep(f,
         key("within",
             "smallest and largest amount of a dose, after rounding",
             "[\"0.5 mg\", \"15 mg\"]"),
         "two amounts",
         words.within);
    if (!f.is_listing()) check_kind(f, words);
}

} // namespace gemel::scenarios
