#include "model_changes.hpp"

#include "keys.hpp"
#include "names_of.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::pkpd {

namespace {

/// What stands there of one parameter.
struct ParameterChange {
    io::TomlView value, iiv, iov;
    std::optional<double> lower, upper;
};

void describe_change(io::Fields& f, ParameterChange& change) {
    f.any(optional_key("value", "typical value in the model's unit: where a fit begins", "5.0"),
          "number",
          [&](const io::TomlView& view) { change.value = view; });
    describe_effects(f, change.iiv, change.iov);
    describe_bounds(f, change.lower, change.upper);
}

void describe_changed_output(io::Fields& f, ErrorWords& error) {
    f.table(required_key("error", "residual error of a measurement", "{ law = \"proportional\" }"),
            [&](io::Fields& e) { describe_error(e, error); });
}

void keep_table(io::Fields& f, const io::Field& field, io::TomlView& view) {
    f.any(field, "tables by name", [&](const io::TomlView& given) { view = given; });
}

class ModelChanger {
public:
    ModelChanger(ModelWords& words, sim::DiagnosticList& diagnostics)
        : words_(words),
          diagnostics_(diagnostics) {}

    void change_parameter(const std::string& name, const io::TomlView& given) {
        ParameterWords* row = find(words_.parameters, name, given, "parameter");
        if (row == nullptr) return;
        ParameterChange change;
        io::read_fields(given, diagnostics_, [&](io::Fields& f) { describe_change(f, change); });
        row->value_span = given.span(); // of messages about bounds
        if (change.value.is_set()) set_value(change.value, *row);
        if (change.iiv.is_set()) set_effects(change.iiv, row->iiv);
        if (change.iov.is_set()) set_effects(change.iov, row->iov);
        if (change.lower) row->lower = change.lower;
        if (change.upper) row->upper = change.upper;
    }

    void change_output(const std::string& name, const io::TomlView& given) {
        OutputWords* row = find(words_.outputs, name, given, "output");
        if (row == nullptr) return;
        ErrorWords error;
        io::read_fields(
            given, diagnostics_, [&](io::Fields& f) { describe_changed_output(f, error); });
        row->error = error;
    }

    void change_omega(const io::TomlView& groups) {
        words_.omega.clear();
        if (groups.kind() != io::TomlKind::array)
            diagnostics_.add(groups.span(),
                             fmt::format("{} stands here; a list of tables is expected",
                                         io::name(groups.kind())),
                             "write [[omega]], or omega = [] for effects that are independent");
        for (const io::TomlView& group : groups.elements())
            if (is_table(group))
                io::read_fields(group, diagnostics_, [&](io::Fields& f) {
                    describe_omega(f, words_.omega.emplace_back());
                });
    }

    bool is_table(const io::TomlView& view) {
        if (view.kind() == io::TomlKind::table) return true;
        diagnostics_.add(view.span(),
                         fmt::format("{} stands here; a table is expected", io::name(view.kind())));
        return false;
    }

private:
    /// nullptr after a mistake.
    template <class Row>
    Row* find(std::vector<Row>& rows,
              const std::string& name,
              const io::TomlView& given,
              const std::string& what) {
        const auto row = std::ranges::find(rows, name, &Row::name);
        if (row == rows.end())
            diagnostics_.add(given.key_span(),
                             fmt::format("'{}' is no {} of the model", name, what),
                             sim::suggest(name, names_of(rows)));
        return row != rows.end() && is_table(given) ? &*row : nullptr;
    }

    void set_value(const io::TomlView& value, ParameterWords& row) {
        row.value_span = value.span();
        const auto number = value.number();
        if (!number || !std::isfinite(*number))
            return diagnostics_.add(
                value.span(),
                fmt::format("{} stands here; a number in {} is expected",
                            number ? "no finite number" : io::name(value.kind()),
                            row.unit.is_known ? row.unit.unit.text : "the parameter's unit"),
                "an expression is written in the model");
        row.value = number;
        row.expression.reset();
    }

    static void set_effects(const io::TomlView& given, io::TomlView& effects) {
        effects = takes_away(given) ? io::TomlView() : given;
    }

    ModelWords& words_;
    sim::DiagnosticList& diagnostics_;
};

} // namespace

bool takes_away(const io::TomlView& effects) {
    return effects.text() == "none" || effects.boolean() == false;
}

void describe_model_changes(io::Fields& f, ModelChanges& changes) {
    const io::Field parameters = optional_key(
        "parameters", "what of the model's parameters is other than in its file", "{ … }");
    const io::Field omega =
        optional_key("omega", "correlated variability, instead of all of the model's", "");
    const io::Field outputs =
        optional_key("outputs", "errors of outputs, instead of the model's", "{ … }");
    if (!f.is_listing()) {
        keep_table(f, parameters, changes.parameters);
        keep_table(f, omega, changes.omega);
        return keep_table(f, outputs, changes.outputs);
    }
    ParameterChange parameter;
    OmegaWords group;
    ErrorWords error;
    f.keyed(parameters,
            [&](const std::string&, io::Fields& row) { describe_change(row, parameter); });
    f.list(omega, [&](io::Fields& row) { describe_omega(row, group); });
    f.keyed(outputs,
            [&](const std::string&, io::Fields& row) { describe_changed_output(row, error); });
}

void apply_changes(const ModelChanges& changes,
                   ModelWords& words,
                   sim::DiagnosticList& diagnostics) {
    ModelChanger changer(words, diagnostics);
    if (changes.parameters.is_set() && changer.is_table(changes.parameters))
        for (const auto& [name, given] : changes.parameters.members())
            changer.change_parameter(name, given);
    if (changes.omega.is_set()) changer.change_omega(changes.omega);
    if (changes.outputs.is_set() && changer.is_table(changes.outputs))
        for (const auto& [name, given] : changes.outputs.members())
            changer.change_output(name, given);
}

} // namespace gemel::pkpd
