#include "covariate_names.hpp"
#include "keys.hpp"
#include "model_words.hpp"
#include "names_of.hpp"

#include <gemel/pkpd/derived_covariates.hpp>
#include <gemel/pkpd/file_format.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::pkpd {
namespace {

struct FormulaTestWords {
    sim::SourceSpan span;
    io::TomlView given;
    double expect = 0.0, within = 1e-6;
};

struct FormulaWords {
    DerivedCovariate row;
    std::vector<FormulaTestWords> tests;
};

struct FileWords {
    std::string format;
    std::vector<Covariate> inputs;
    std::vector<FormulaWords> formulas;
};

void describe_test(io::Fields& fields, FormulaTestWords& test) {
    test.span = fields.span();
    fields.any(required_key("given", "the inputs", "{ WT = \"70 kg\" }"),
               "a table of inputs and values",
               [&test](const io::TomlView& view) { test.given = view; });
    fields.number(required_key("expect", "value in the formula's unit", "1.84"), test.expect);
    fields.number(positive(optional_key("within", "relative", "1e-6")), test.within);
}

void describe_formula(io::Fields& fields, FormulaWords& words) {
    fields.text(required_key("about", "what it is", "\"body surface area\""), words.row.about);
    fields.unit(required_key("unit", "of the result", "\"m2\""), words.row.unit);
    fields.source(required_key("formula", "an expression of the inputs", "\"WT / HT^2\""),
                  words.row.formula);
    fields.text(required_key("source", "where it is published", "\"Mosteller 1987\""),
                words.row.source);
    fields.list(optional_key("tests", "what the formula must give", ""),
                [&](io::Fields& row) { describe_test(row, words.tests.emplace_back()); });
}

void describe(io::Fields& fields, FileWords& words) {
    fields.text(required_key("gemel", "what the file is", "\"covariates/1\""), words.format);
    fields.keyed(required_key("inputs", "what formulas may mention", ""),
                 [&](const std::string& name, io::Fields& row) {
                     words.inputs.emplace_back().name = name;
                     describe_formula_input(row, words.inputs.back());
                 });
    fields.keyed(required_key("covariates", "formulas", ""),
                 [&](const std::string& name, io::Fields& row) {
                     words.formulas.emplace_back().row.name = name;
                     describe_formula(row, words.formulas.back());
                 });
}

void read_test(const FormulaTestWords& words,
               const CovariateNames& names,
               DerivedCovariate& row,
               sim::DiagnosticList& diagnostics) {
    DerivedCovariate::Test test;
    test.span = words.span;
    test.expect = words.expect;
    test.within = words.within;
    test.given.assign(names.names().size(), std::numeric_limits<double>::quiet_NaN());
    if (words.given.kind() != io::TomlKind::table) {
        diagnostics.add(words.given.span(), "a table of inputs and values is expected");
        return;
    }
    for (const auto& [name, view] : words.given.members()) {
        const int input = names.find(name);
        if (input < 0) {
            diagnostics.add(view.key_span(),
                            fmt::format("'{}' is no input of this file", name),
                            sim::suggest(name, names.names()));
            continue;
        }
        const auto i = static_cast<std::size_t>(input);
        if (const auto value = read_covariate_value(names.at(i), view, diagnostics))
            test.given[i] = *value;
    }
    row.tests.push_back(std::move(test));
}

} // namespace

const DerivedCovariate* DerivedCovariates::find(const std::string& name) const {
    const auto found = std::find_if(
        rows.begin(), rows.end(), [&](const DerivedCovariate& row) { return row.name == name; });
    return found == rows.end() ? nullptr : &*found;
}

std::shared_ptr<const DerivedCovariates> load_derived_covariates(const std::filesystem::path& file,
                                                                 sim::DiagnosticList& diagnostics) {
    const std::size_t n_before = diagnostics.size();
    const io::TomlView root = open_format(file, "covariates/1", diagnostics);
    if (!root.is_set()) return nullptr;
    FileWords words;
    io::read_fields(root, diagnostics, [&](io::Fields& fields) { describe(fields, words); });
    auto covariates = std::make_shared<DerivedCovariates>();
    covariates->file = root.span().file;
    covariates->inputs = words.inputs;
    const CovariateNames names(words.inputs);
    for (FormulaWords& formula : words.formulas) {
        if (!formula.row.formula.text.empty())
            names.parse(formula.row.formula,
                        formula.row.unit,
                        fmt::format("the covariate {}", formula.row.name),
                        diagnostics);
        for (const FormulaTestWords& test : formula.tests)
            read_test(test, names, formula.row, diagnostics);
        covariates->rows.push_back(std::move(formula.row));
    }
    return diagnostics.size() == n_before ? covariates : nullptr;
}

std::string run_derived_test(const DerivedCovariates& covariates,
                             const DerivedCovariate& row,
                             const DerivedCovariate::Test& test) {
    sim::DiagnosticList diagnostics;
    const auto function =
        CovariateNames(covariates.inputs).parse(row.formula, row.unit, row.name, diagnostics);
    if (!function) return diagnostics.render();
    const std::uint32_t subject[] = {0};
    const double value = function->evaluate(test.given, 1, subject).front();
    if (std::abs(value - test.expect) <= test.within * std::abs(test.expect)) return {};
    return fmt::format(
        "{} is {:.8g} {}; {:.8g} is expected", row.name, value, row.unit.text, test.expect);
}

void describe_derived_covariates_for_reference(io::Fields& fields) {
    FileWords words;
    describe(fields, words);
}

} // namespace gemel::pkpd
