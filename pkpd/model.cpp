#include "model_changes.hpp"
#include "model_lowering.hpp"
#include "model_maps.hpp"
#include "model_random.hpp"
#include "model_tests.hpp"
#include "model_uses.hpp"
#include "model_words.hpp"
#include "residual_reading.hpp"

#include <gemel/pkpd/model.hpp>
#include <gemel/pkpd/uncertainty.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::pkpd {

namespace {

template <class Rows>
int find_name(const Rows& rows, const std::string& name) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i].name == name) return static_cast<int>(i);
    return -1;
}

void check_bounds(const ParameterWords& words, sim::DiagnosticList& diagnostics) {
    const auto tell = [&](std::string message) {
        diagnostics.add(words.value_span, std::move(message));
    };
    if (words.lower && words.upper && !(*words.lower < *words.upper))
        tell(fmt::format("the lower bound {:g} of '{}' is not below the upper bound {:g}",
                         *words.lower,
                         words.name,
                         *words.upper));
    if (!words.value) return;
    if (words.lower && *words.value < *words.lower)
        tell(fmt::format("{:g} is below the lower bound {:g}", *words.value, *words.lower));
    if (words.upper && *words.value > *words.upper)
        tell(fmt::format("{:g} is above the upper bound {:g}", *words.value, *words.upper));
    if (!std::isfinite(*words.value)) tell("a value is a finite number");
}

void check_law(const ParameterWords& words,
               const Variability& iiv,
               sim::DiagnosticList& diagnostics) {
    const bool is_logarithmic =
        iiv.law != VariabilityLaw::normal && iiv.law != VariabilityLaw::logit;
    if (is_logarithmic && words.value && !(*words.value > 0.0))
        diagnostics.add(words.value_span,
                        fmt::format("law \"{}\" needs a typical value above 0, not {:g}",
                                    name(iiv.law),
                                    *words.value),
                        "a value that may be 0 or negative varies by law = \"normal\"");
    if (iiv.law != VariabilityLaw::logit) return;
    if (!words.unit.unit.is_dimensionless())
        diagnostics.add(words.iiv.is_set() ? words.iiv.span() : words.iov.span(),
                        "law \"logit\" is for fractions, numbers without unit");
    else if (words.value && !(*words.value > 0.0 && *words.value < 1.0))
        diagnostics.add(words.value_span, "law \"logit\" is for fractions between 0 and 1");
}

void read_parameters(const ModelWords& words, Model& model, sim::DiagnosticList& diagnostics) {
    for (const ParameterWords& given : words.parameters) {
        Parameter parameter;
        parameter.name = given.name;
        parameter.about = given.about;
        parameter.span = given.span;
        parameter.unit = given.unit.unit;
        parameter.is_computed = given.expression.has_value();
        parameter.value = given.value.value_or(std::numeric_limits<double>::quiet_NaN());
        parameter.lower = given.lower;
        parameter.upper = given.upper;
        if (given.iiv.is_set()) parameter.iiv = read_iiv(given.iiv, parameter.unit, diagnostics);
        if (given.iov.is_set())
            parameter.iov = read_iov(given.iov, parameter.law(), parameter.unit, diagnostics);
        if (parameter.law()) check_law(given, *parameter.law(), diagnostics);
        check_bounds(given, diagnostics);
        model.parameters.push_back(std::move(parameter));
    }
}

void check_categories(const CovariateWords& words, sim::DiagnosticList& diagnostics) {
    for (std::size_t i = 0; i < words.categories.size(); ++i)
        if (std::ranges::count(words.categories, words.categories[i]) > 1 &&
            std::ranges::find(words.categories, words.categories[i]) ==
                words.categories.begin() + static_cast<std::ptrdiff_t>(i))
            diagnostics.add(words.span,
                            fmt::format("the category '{}' stands twice", words.categories[i]));
    if (words.categories.size() == 1)
        diagnostics.add(words.span,
                        words.is_mixture ? "one sub-population is no mixture; name at least two"
                                         : "one category is no choice; name at least two");
}

void read_covariates(const ModelWords& words, Model& model, sim::DiagnosticList& diagnostics) {
    for (const CovariateWords& given : words.covariates) {
        Covariate covariate;
        covariate.name = given.name;
        covariate.about = given.about;
        covariate.unit = given.unit.unit;
        covariate.categories = given.categories;
        covariate.proportions = given.proportions;
        covariate.span = given.span;
        check_categories(given, diagnostics);
        if (given.reference.is_set() && given.unit.is_known)
            covariate.reference = read_covariate_value(covariate, given.reference, diagnostics);
        model.covariates.push_back(std::move(covariate));
    }
}

void read_routes(const ModelWords& words, Model& model, sim::DiagnosticList& diagnostics) {
    const RouteWords* first_default = nullptr;
    for (const RouteWords& given : words.routes) {
        const int state = model.find_state(given.into);
        if (state < 0) {
            std::vector<std::string> known;
            for (const StateWords& words_of_state : words.states)
                known.push_back(words_of_state.name);
            if (std::ranges::count(known, given.into) == 0 && !given.into.empty())
                diagnostics.add(given.into_span,
                                fmt::format("'{}' is no state", given.into),
                                sim::suggest(given.into, known));
        } else if (const sim::State& into = model.system.states[static_cast<std::size_t>(state)];
                   !into.takes_doses) {
            diagnostics.add(given.into_span,
                            fmt::format("'{}' is in {} ({}); a dose goes into an amount",
                                        given.into,
                                        into.unit.text,
                                        into.unit.dimension.name()));
        }
        if (given.is_default && first_default)
            diagnostics.add(given.span,
                            fmt::format("the default route is already '{}'", first_default->name));
        if (given.is_default && !first_default) first_default = &given;
        model.routes.push_back({given.name, given.about, state, given.is_default});
    }
    if (model.routes.size() == 1) model.routes.front().is_default = true;
}

/// Checked by itself: what replicates would be drawn is known to a study alone.
void keep_uncertainty(const UncertaintyWords& words,
                      Model& model,
                      sim::DiagnosticList& diagnostics) {
    if (words.is_of_model)
        diagnostics.add(words.span, "the model's own uncertainty is what is to be said here");
    else
        read_uncertainty(words, model, model.file, 0, 0, diagnostics);
    model.uncertainty = std::make_shared<UncertaintyWords>(words);
}

void read_head(const ModelWords& words, Model& model) {
    model.name = words.name;
    model.about = words.about;
    model.source = words.source;
    model.drug = words.drug;
}

} // namespace

int Model::find_parameter(const std::string& name_) const {
    return find_name(parameters, name_);
}
int Model::find_covariate(const std::string& name_) const {
    return find_name(covariates, name_);
}
int Model::find_output(const std::string& name_) const {
    return find_name(system.outputs, name_);
}
int Model::find_state(const std::string& name_) const {
    return find_name(system.states, name_);
}
int Model::find_route(const std::string& name_) const {
    if (!name_.empty()) return find_name(routes, name_);
    for (std::size_t i = 0; i < routes.size(); ++i)
        if (routes[i].is_default) return static_cast<int>(i);
    return -1;
}

std::shared_ptr<const Model> load_model(const std::filesystem::path& file,
                                        const io::Library& library,
                                        sim::DiagnosticList& diagnostics,
                                        const ModelChanges& changes) {
    const std::size_t n_before = diagnostics.size();
    ModelWords words;
    if (!read_model_words(file, words, diagnostics)) return nullptr;
    compose(words, file, library, diagnostics);
    apply_changes(changes, words, diagnostics);

    auto model = std::make_shared<Model>();
    model->id = file.stem().string();
    model->file = file;
    model->text = words.root.span().file;
    model->used = words.used_files;
    for (const NeedWords& need : words.needs)
        if (need.scope == 0) model->needs.push_back({need.name, need.unit.unit, need.span});
    read_head(words, *model);
    read_parameters(words, *model, diagnostics);
    read_covariates(words, *model, diagnostics);
    read_maps(words, library, *model, diagnostics);
    ModelLowering(words, *model, diagnostics).run();
    read_routes(words, *model, diagnostics);
    read_omega(words, *model, diagnostics);
    read_residual_correlations(words, *model, diagnostics);
    // A test meets the whole model, so it is read only with one that is whole.
    if (diagnostics.size() == n_before + words.n_mistakes_in_tests)
        read_tests(words, *model, diagnostics);
    if (words.uncertainty && diagnostics.size() == n_before)
        keep_uncertainty(*words.uncertainty, *model, diagnostics);
    return diagnostics.size() == n_before ? model : nullptr;
}

void describe_model_for_reference(io::Fields& fields) {
    ModelWords words;
    describe_model(fields, words);
}

} // namespace gemel::pkpd
