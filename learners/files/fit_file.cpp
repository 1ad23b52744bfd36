#include "fit_data.hpp"
#include "fit_numbers.hpp"
#include "setup_checks.hpp"

#include <gemel/learners/fit_file.hpp>
#include <gemel/pkpd/file_format.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace gemel::learners {

namespace {

/// Everything a fit meets while it is loaded.
struct FitLoading {
    const io::Library& library;
    sim::DiagnosticList diagnostics;
    FitWords words;
    FitSetup setup;
    std::shared_ptr<const sim::SourceFile> text;
};

void read_fit_words(const FitFileOptions& options, FitLoading& loading) {
    FitSetup& setup = loading.setup;
    setup.overrides = options.overrides;
    // TOML ends at 2^63 − 1: a greater seed stands there as zero and is put in its place later.
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    std::vector<std::string> applied = options.overrides;
    if (options.seed) {
        setup.overrides.push_back(fmt::format("fit.seed={}", *options.seed));
        applied.push_back(*options.seed <= most ? setup.overrides.back() : "fit.seed=0");
    }
    const io::TomlView document =
        pkpd::open_format(setup.file, "fit/1", loading.diagnostics, applied);
    if (!document.is_set()) loading.diagnostics.throw_if_any();
    loading.text = document.span().file;
    io::read_fields(document, loading.diagnostics, [&](io::Fields& fields) {
        describe_fit_words(fields, loading.words);
    });
    setup.name = setup.file.stem().string();
    setup.about = loading.words.about;
    setup.options = loading.words.options;
    setup.options.seed = options.seed.value_or(static_cast<std::uint64_t>(loading.words.seed));
    setup.changes = loading.words.changes;
}

void check_solver(FitLoading& loading) {
    const std::string& name = loading.setup.options.solver;
    if (name.empty() || sim::find_solver(name) != nullptr) return;
    std::vector<std::string> names{"auto"};
    for (const sim::Solver& solver : sim::solvers())
        names.emplace_back(solver.name);
    loading.diagnostics.add(loading.words.solver_span,
                            fmt::format("there is no solver '{}'", name),
                            sim::suggest(name, names));
}

void load_fitted_model(FitLoading& loading) {
    const FitWords& words = loading.words;
    if (words.model.empty()) return; // told already
    const auto file = pkpd::find_model(
        words.model, loading.setup.file, words.model_span, loading.library, loading.diagnostics);
    if (file.empty()) return;
    loading.setup.model =
        pkpd::load_model(file, loading.library, loading.diagnostics, words.changes);
    if (loading.setup.model)
        pkpd::refuse_needs(
            *loading.setup.model, words.model, words.model_span, loading.diagnostics);
}

/// What models say that no method of this program can fit.
void refuse_unfitted(FitLoading& loading) {
    const pkpd::Model& model = *loading.setup.model;
    const auto refuse = [&](const sim::SourceSpan& place, std::string message, const char* help) {
        loading.diagnostics.add(place, std::move(message), help);
    };
    for (const pkpd::Covariate& covariate : model.covariates)
        if (!covariate.proportions.empty())
            refuse(covariate.span,
                   fmt::format("'{}' is a mixture, which no method fits", covariate.name),
                   "make it a covariate that the data give");
    for (const pkpd::ResidualCorrelation& group : model.residual_correlations)
        refuse(loading.words.model_span,
               fmt::format("the errors of {} and {} are correlated, which no method fits",
                           model.system.outputs[static_cast<std::size_t>(group.of[0])].name,
                           model.system.outputs[static_cast<std::size_t>(group.of[1])].name),
               "leave [[residual_correlation]] out of the model");
    for (std::size_t output = 0; output < model.residual_errors.size(); ++output)
        if (model.residual_errors[output].half_time > 0.0)
            refuse(loading.words.model_span,
                   fmt::format("errors of {} go together in time, which no method fits",
                               model.system.outputs[output].name),
                   "give its error below [outputs], without `autocorrelation`");
}

/// An empty table where the file says nothing.
io::TomlView population_words(FitLoading& loading) {
    if (loading.words.population.is_set()) return loading.words.population;
    auto nothing = std::make_shared<sim::SourceFile>(*loading.text);
    nothing->text.clear();
    return io::parse_toml(nothing, loading.diagnostics);
}

bool is_known(const pkpd::GenotypeDistribution& law) {
    using Kind = pkpd::GenotypeDistribution::Kind;
    if (law.kind == Kind::fixed) return true;
    return law.kind == Kind::called && law.missing == nullptr &&
           std::ranges::all_of(law.called->rows, [](const auto& row) { return row.size() == 1; });
}

/// A fit is to what is known of each subject: nothing of them is drawn.
void refuse_drawn(FitLoading& loading) {
    using DrawnBy = pkpd::CovariateDistribution::Law;
    const pkpd::Population& population = loading.setup.population;
    const sim::SourceSpan place = loading.words.population.is_set()
                                      ? loading.words.population.span()
                                      : loading.words.data.span;
    for (const pkpd::Stratum& stratum : population.strata)
        for (std::size_t i = 0; i < stratum.laws.size(); ++i)
            if (stratum.laws[i].law != DrawnBy::fixed && stratum.laws[i].law != DrawnBy::data)
                loading.diagnostics.add(
                    place,
                    fmt::format("{} would be drawn; a fit is to what is known of each subject",
                                population.covariates[i].name),
                    "let a column of the data file give it, or write one value for all");
    for (const pkpd::GenotypeDistribution& law : population.genotypes)
        if (!is_known(law))
            loading.diagnostics.add(
                place,
                fmt::format("genotypes of {} would be drawn; a fit is to what is known of each "
                            "subject",
                            law.gene),
                "name a file of called genotypes, one diplotype per subject");
    if (population.frequencies)
        loading.diagnostics.add(place, "uncertain frequencies are of replicates; a fit has none");
}

/// What of the data is fitted.
void choose_outputs(FitLoading& loading) {
    const pkpd::Model& model = *loading.setup.model;
    std::vector<std::string> names;
    for (const sim::NamedExpr& output : model.system.outputs)
        names.push_back(output.name);
    for (const std::string& name : loading.words.outputs) {
        const int output = model.find_output(name);
        if (output < 0)
            loading.diagnostics.add(loading.words.outputs_span,
                                    fmt::format("'{}' is no output of the model", name),
                                    sim::suggest(name, names));
        else
            loading.setup.outputs.push_back(output);
    }
}

std::vector<char> observed_outputs(const FitSetup& setup) {
    std::vector<char> is_observed(setup.model->system.outputs.size(), 0);
    for (const pkpd::DataSubject& subject : setup.data->subjects)
        for (const pkpd::DataObservation& observation : subject.observations)
            if (is_used(setup, observation))
                is_observed[static_cast<std::size_t>(observation.output)] = 1;
    return is_observed;
}

void check_observed(const std::vector<char>& is_observed, FitLoading& loading) {
    const pkpd::Model& model = *loading.setup.model;
    const pkpd::DataSet& data = *loading.setup.data;
    if (std::ranges::count(is_observed, 1) == 0)
        loading.diagnostics.add(
            data.dv_header.file ? data.dv_header : data.header,
            fmt::format("{} rows and no observation: there is nothing to fit to", data.n_rows()),
            "rows that observe have EVID 0, MDV 0 and a number in DV");
    for (const int output : loading.setup.outputs)
        if (is_observed[static_cast<std::size_t>(output)] == 0)
            loading.diagnostics.add(
                loading.words.outputs_span,
                fmt::format("the data have no observation of {}",
                            model.system.outputs[static_cast<std::size_t>(output)].name));
    for (std::size_t output = 0; output < is_observed.size(); ++output) {
        if (is_observed[output] == 0 ||
            model.residual_errors[output].law != pkpd::ResidualError::Law::none)
            continue;
        const std::string& name = model.system.outputs[output].name;
        loading.diagnostics.add(
            loading.words.model_span,
            fmt::format("{} is observed, and the model does not say with what error", name),
            fmt::format("write [outputs] and below it {} = {{ error = {{ law = \"combined1\", "
                        "proportional = 0.1, additive = 0.5 }} }}",
                        name));
    }
}

/// The subjects of the data file, all of whose effects are 0.
void read_subjects(FitLoading& loading) {
    FitSetup& setup = loading.setup;
    loading.words.data.folder = setup.file.parent_path();
    setup.pending = loading.words.data.cancels_pending ? sim::PendingDoses::cancelled
                                                       : sim::PendingDoses::given;
    if (loading.words.data.ignores_doses)
        loading.diagnostics.add(loading.words.data.doses_span,
                                "a fit needs the doses that subjects received",
                                "leave `doses` out");
    if (loading.words.data.file.empty()) return; // told already
    setup.data = pkpd::read_data(loading.words.data, *setup.model, loading.diagnostics);
    if (setup.data == nullptr) return;
    pkpd::PopulationPlace place{loading.library, setup.file};
    place.data = std::make_shared<const pkpd::DataCohort>(
        pkpd::make_cohort(*setup.data, loading.diagnostics));
    const io::TomlView words = population_words(loading);
    if (!words.is_set()) return;
    const std::size_t n_before = loading.diagnostics.size();
    setup.population =
        pkpd::read_population(words, setup.model, setup.options.seed, loading.diagnostics, place);
    setup.population.has_variability = false;
    if (loading.diagnostics.size() == n_before) refuse_drawn(loading);
}

void meet_model_of_fit(FitLoading& loading) {
    FitSetup& setup = loading.setup;
    refuse_unfitted(loading);
    choose_outputs(loading);
    read_subjects(loading);
    if (setup.data == nullptr) return;
    const std::vector<char> is_observed = observed_outputs(setup);
    check_observed(is_observed, loading);
    setup.numbers = read_numbers(loading.words, *setup.model, is_observed, loading.diagnostics);
}

/// For provenance, and so that results replace none of them.
void keep_inputs_of_fit(FitLoading& loading) {
    FitSetup& setup = loading.setup;
    setup.inputs.push_back({"fit_toml", setup.file, loading.text->text});
    const auto files = pkpd::input_files(*setup.model, setup.data.get(), setup.population);
    setup.inputs.insert(setup.inputs.end(), files.begin(), files.end());
}

} // namespace

FitSetup load_fit(const std::filesystem::path& file,
                  const io::Library& library,
                  const FitFileOptions& options) {
    FitLoading loading{library, {}, {}, {}, {}};
    loading.setup.file = file;
    read_fit_words(options, loading);
    check_solver(loading);
    load_fitted_model(loading);
    if (loading.setup.model != nullptr) meet_model_of_fit(loading);
    loading.diagnostics.throw_if_any();
    check_setup(loading.setup, loading.words, loading.diagnostics);
    loading.diagnostics.throw_if_any();
    keep_inputs_of_fit(loading);
    return std::move(loading.setup);
}

} // namespace gemel::learners
