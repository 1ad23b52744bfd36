#include "keys.hpp"

#include <gemel/pkpd/data_file.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace gemel::pkpd {
namespace {

const std::vector<std::string> rules{"locf", "nocb", "linear"};

Interpolation rule_in(io::Fields& fields, const char* key, const char* about) {
    int chosen = -1;
    fields.choice(optional_key(key, about, "\"nocb\""), rules, chosen);
    return static_cast<Interpolation>(chosen + 1);
}

std::optional<sim::Unit> unit_in(io::Fields& fields, const char* about, const char* example) {
    sim::Unit unit;
    unit.text.clear();
    fields.unit(optional_key("unit", about, example), unit);
    if (unit.text.empty()) return std::nullopt;
    return unit;
}

void describe_outputs(io::Fields& fields, DataColumnWords& words) {
    fields.keyed(
        optional_key("outputs",
                     "of DVID or CMT: what its values stand for",
                     "{ 1 = { output = \"Cp\", unit = \"mg/L\" } }"),
        [&](const std::string& value, io::Fields& row) {
            DataOutputWords& output = words.outputs.emplace_back();
            output.value = value;
            output.span = row.span();
            row.text(required_key("output",
                                  "an output of the model, or \"none\": the values are not used",
                                  "\"Cp\""),
                     output.output);
            output.span = row.has("output") ? row.span("output") : output.span;
            output.unit = unit_in(row, "of its values; that of DV", "\"mg/L\"");
        });
}

void describe_categories(io::Fields& fields, DataColumnWords& words) {
    fields.any(optional_key("categories",
                            "of a covariate: which category a text in the file stands for",
                            "{ 0 = \"female\", 1 = \"male\" }"),
               "a table of texts in the file and categories",
               [&](const io::TomlView& view) {
                   words.categories_span = view.span();
                   for (const auto& [text, category] : view.members())
                       words.categories.emplace_back(text, category.text().value_or(""));
                   if (words.categories.empty() ||
                       std::ranges::any_of(words.categories,
                                           [](const auto& one) { return one.second.empty(); }))
                       fields.mistake("categories",
                                      "categories are a table of texts in the file and names",
                                      "as in { 0 = \"female\", 1 = \"male\" }");
               });
}

void describe_column(const std::string& name, io::Fields& fields, DataColumnWords& words) {
    words.name = name;
    words.span = fields.span();
    fields.text(optional_key("column", "the header, where it is another", "\"USUBJID\""),
                words.column);
    words.unit = unit_in(fields, "of the numbers in the file", "\"ug/L\"");
    fields.text(optional_key("output", "of DV: the output that was measured", "\"Cp\""),
                words.output);
    describe_outputs(fields, words);
    describe_categories(fields, words);
    words.interpolation =
        rule_in(fields, "interpolation", "of a covariate that goes otherwise than `covariates`");
    fields.flag(optional_key("carry", "only carried along: the name means something else", "true"),
                words.is_carried);
    words.column_span = fields.span("column");
    words.unit_span = fields.span("unit");
    words.output_span = fields.span("output");
    words.outputs_span = fields.span("outputs");
    words.interpolation_span = fields.span("interpolation");
}

void describe_reading(io::Fields& fields, DataWords& words) {
    fields.texts(optional_key("missing",
                              "cells that hold no value; [\".\", \"NA\", \"\"]",
                              "[\".\", \"NA\", \"\", \"-99\"]"),
                 words.missing);
    fields.texts(optional_key("header",
                              "names of the columns, where the file has none above its data",
                              "[\"ID\", \"TIME\", \"AMT\", \"DV\"]"),
                 words.header);
    words.header_span = fields.span("header");
    fields.text(optional_key("ignore",
                             "rows that begin so are left out; \"@\": with a letter or @",
                             "\"C\""),
                words.ignore);
    words.ignore_span = fields.span("ignore");
    fields.flag(optional_key("clock", "TIME, with DATE if there is one, is a time of day", "true"),
                words.has_clock);
    int order = -1;
    const std::vector<std::string> orders{"y-m-d", "m/d/y", "d/m/y"};
    fields.choice(
        optional_key("date", "the order of a date's parts; y-m-d", "\"m/d/y\""), orders, order);
    if (order >= 0) words.date = orders[static_cast<std::size_t>(order)];
}

} // namespace

void describe_data(io::Fields& fields, DataWords& words) {
    words.span = fields.span();
    fields.text(required_key("file", "a CSV file, beside this one", "\"theophylline.csv\""),
                words.file);
    words.file_span = fields.span("file");
    int preset = -1;
    fields.choice(optional_key("preset", "names of columns of another convention", "\"adppk\""),
                  {"adppk"},
                  preset);
    if (preset == 0) words.preset = "adppk";
    fields.keyed(optional_key("columns",
                              "units, headers and meanings of columns: those of the convention "
                              "and the model's covariates",
                              "{ DV = { output = \"Cp\", unit = \"ug/L\" } }"),
                 [&](const std::string& name, io::Fields& row) {
                     describe_column(name, row, words.columns.emplace_back());
                 });
    words.covariates =
        rule_in(fields,
                "covariates",
                "how covariates go between rows: needed once one varies within a subject");
    int pending = 0;
    fields.choice(
        optional_key("pending", "additional doses still to come at a reset or SS 1", "\"cancel\""),
        {"give", "cancel"},
        pending);
    words.cancels_pending = pending == 1;
    fields.text(optional_key("occasion",
                             "the column that tells occasions apart: effects of occasions (iov) "
                             "are drawn for each",
                             "\"OCC\""),
                words.occasion);
    words.occasion_span = fields.span("occasion");
    int doses = 0;
    fields.choice(optional_key("doses",
                               "of the file, in arms of the study's own: beside the regimen's, or "
                               "left out with the file's resets",
                               "\"ignore\""),
                  {"give", "ignore"},
                  doses);
    words.ignores_doses = doses == 1;
    words.doses_span = fields.span("doses");
    fields.flag(optional_key("any_scale",
                             "DV may be a hundred times off what the model predicts; otherwise "
                             "that is a mistake",
                             "true"),
                words.has_any_scale);
    describe_reading(fields, words);
}

} // namespace gemel::pkpd
