#include "data_scales.hpp"
#include "engine.hpp"
#include "outcome_text.hpp"
#include "outcomes/window.hpp"
#include "policies/policy_binding.hpp"
#include "study_words.hpp"
#include "summary.hpp"

#include <gemel/pkpd/residual.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace gemel::scenarios {

namespace {

constexpr double max_saved_times = 1e6;

/// Everything a study meets while it is loaded.
struct Loading {
    const io::Library& library;
    sim::DiagnosticList diagnostics;
    StudyWords words;
    Study study;
    std::vector<char> is_wrong; ///< [outcome] already told for some arm
    std::uint64_t seed = 0;     ///< of the options or the study
};

io::TomlView overridden(io::TomlView document, const StudyOptions& options, Loading& loading) {
    loading.study.overrides = options.overrides;
    if (options.seed)
        loading.study.overrides.push_back(fmt::format("study.seed={}", *options.seed));
    for (const std::string& assignment : options.overrides)
        document = io::with_override(document, assignment, loading.diagnostics);
    if (!options.seed) return document;
    // TOML ends at 2^63 − 1: a greater seed stands there as zero and is put in its place later.
    const bool has_place = *options.seed <= std::numeric_limits<std::int64_t>::max();
    return io::with_override(
        document, has_place ? loading.study.overrides.back() : "study.seed=0", loading.diagnostics);
}

/// A file of another kind is told as such, not as a list of unknown keys.
void refuse_other_kinds(const io::TomlView& document, Loading& loading) {
    const io::TomlView format = document["gemel"];
    const auto kind = format.text();
    if (!kind || kind->starts_with("study/")) return;
    loading.diagnostics.add(format.span(),
                            fmt::format("this file is a \"{}\"; a study is expected", *kind),
                            "a study's first line is gemel = \"study/1\"");
    loading.diagnostics.throw_if_any();
}

/// So that a person sees at once what a file is. A missing one is left to the grammar.
void check_first_key(const io::TomlView& document, Loading& loading) {
    const io::TomlView format = document["gemel"];
    if (!format.is_set() || document.members().front().first == "gemel") return;
    loading.diagnostics.add(format.key_span(),
                            "'gemel' stands after other keys; a file begins with it",
                            "move gemel = \"study/1\" to the first line");
}

void read_words(const StudyOptions& options, Loading& loading) {
    loading.study.text = io::read_source(loading.study.file, loading.diagnostics);
    loading.diagnostics.throw_if_any();
    io::TomlView document = io::parse_toml(loading.study.text, loading.diagnostics);
    loading.diagnostics.throw_if_any();
    document = overridden(document, options, loading);
    if (!document.is_set()) loading.diagnostics.throw_if_any();
    refuse_other_kinds(document, loading);
    check_first_key(document, loading);
    io::read_fields(document, loading.diagnostics, [&](io::Fields& fields) {
        describe_study(fields, loading.words, loading.diagnostics);
    });
}

void load_model_of(Loading& loading) {
    const std::string& reference = loading.words.model;
    if (reference.empty() && !loading.diagnostics.empty()) return; // told already
    const auto file = pkpd::find_model(reference,
                                       loading.study.file,
                                       loading.words.model_span,
                                       loading.library,
                                       loading.diagnostics);
    if (file.empty()) return;
    loading.study.model = pkpd::load_model(file, loading.library, loading.diagnostics);
    if (loading.study.model)
        pkpd::refuse_needs(
            *loading.study.model, reference, loading.words.model_span, loading.diagnostics);
}

void check_arms(Loading& loading) {
    StudyWords& words = loading.words;
    std::vector<std::string> names;
    for (const RegimenWords& regimen : words.regimens)
        names.push_back(regimen.name);
    if (words.arms.empty() && !names.empty() && !words.data) {
        sim::SourceSpan place = words.regimens.front().span;
        loading.diagnostics.add(place,
                                "the study has no arm",
                                fmt::format("add\n[arms.{0}]\nregimen = \"{0}\"", names.front()));
    }
    if (words.arms.empty() && words.data) {
        if (words.data->ignores_doses)
            loading.diagnostics.add(words.data->doses_span,
                                    "the doses of the file are left out, and the study has no arm "
                                    "with doses of its own",
                                    "add [regimens.NAME] and [arms.NAME], or leave `doses` out");
        loading.study.regimens.emplace_back().name = "data";
        loading.study.arms.push_back({"data", "doses of the data file", "data"});
    }
    for (const ArmWords& arm : words.arms) {
        loading.study.arms.push_back(arm.arm);
        if (!arm.arm.regimen.empty() &&
            std::find(names.begin(), names.end(), arm.arm.regimen) == names.end())
            loading.diagnostics.add(arm.regimen_span,
                                    fmt::format("there is no regimen '{}'", arm.arm.regimen),
                                    sim::suggest(arm.arm.regimen, names));
    }
}

void plan_regimens(PolicyBinder& policies, Loading& loading) {
    Study& study = loading.study;
    for (const RegimenWords& words : loading.words.regimens) {
        const std::size_t number = study.regimens.size();
        study.regimens.emplace_back().name = words.name;
        study.knowledge.resize(number); // the data's own regimen knows nothing
        policies.add_knowledge(words.knows);
        study.regimens.back() = pkpd::plan_doses(
            words.name,
            words.doses,
            *study.model,
            study.duration,
            loading.diagnostics,
            [&](const pkpd::DoseWords& dose) { return policies.column(number, dose); });
        study.regimens.back().pending = words.pending;
        study.start = std::min(study.start, study.regimens.back().first_time);
    }
}

void parse_outcomes(Loading& loading) {
    for (const OutcomeWords& words : loading.words.outcomes)
        if (auto outcome = parse_outcome(words.name, words.text, loading.diagnostics))
            loading.study.outcomes.push_back(std::move(*outcome));
}

const pkpd::Regimen* find_regimen(const Study& study, const std::string& name) {
    for (const pkpd::Regimen& regimen : study.regimens)
        if (regimen.name == name) return &regimen;
    return nullptr;
}

std::set<std::string> trigger_names_of(const Study& study) {
    std::set<std::string> names;
    for (const pkpd::Regimen& regimen : study.regimens)
        for (const pkpd::TriggerWords& trigger : regimen.trigger_words)
            if (!trigger.name.empty()) names.insert(trigger.name);
    return names;
}

/// Outcomes met with every arm; those that fit an arm's regimen badly are in `is_wrong`.
void bind_outcomes(Loading& loading) {
    Study& study = loading.study;
    const std::set<std::string> trigger_names = trigger_names_of(study);
    loading.is_wrong.assign(study.outcomes.size(), 0);
    for (const Arm& arm : study.arms) {
        const pkpd::Regimen* regimen = find_regimen(study, arm.regimen);
        if (regimen == nullptr) continue;
        const bool is_dosed_by_data = study.data != nullptr && !study.data->ignores_doses;
        const OutcomeContext context{
            study.model.get(), regimen, study.duration, is_dosed_by_data, &trigger_names};
        auto& bound = study.bound_outcomes.emplace_back();
        for (std::size_t i = 0; i < study.outcomes.size(); ++i) {
            const OutcomeCall& call = study.outcomes[i].call;
            const std::size_t n_before = loading.diagnostics.size();
            bound.push_back(
                find_outcome_function(call.function)->bind(call, context, loading.diagnostics));
            if (loading.diagnostics.size() != n_before) loading.is_wrong[i] = 1;
        }
    }
}

void read_thresholds(Loading& loading) {
    Study& study = loading.study;
    if (study.bound_outcomes.empty()) return;
    for (std::size_t i = 0; i < study.outcomes.size(); ++i) {
        const Outcome& outcome = study.outcomes[i];
        const sim::Unit unit = study.bound_outcomes.front()[i].unit;
        double threshold = std::numeric_limits<double>::quiet_NaN();
        if (!outcome.comparison.empty() && loading.is_wrong[i] == 0)
            threshold = constant_in(outcome.threshold,
                                    unit,
                                    study.model->system.time_unit,
                                    fmt::format("outcome {}", outcome.name),
                                    loading.diagnostics)
                            .value_or(threshold);
        study.outcome_thresholds.push_back(threshold);
        study.outcome_units.push_back(outcome.comparison.empty() ? unit : sim::Unit{});
    }
}

void meet_endpoints(Loading& loading) {
    std::vector<std::string> names;
    for (const OutcomeWords& words : loading.words.outcomes)
        names.push_back(words.name);
    bind_endpoints(loading.words.endpoints, names, loading.study, loading.diagnostics);
    if (!loading.words.dose_search || loading.study.bound_outcomes.empty()) return;
    const auto doses_of = [&](const std::string& name) -> const std::vector<pkpd::DoseWords>* {
        for (const RegimenWords& regimen : loading.words.regimens)
            if (regimen.name == name) return &regimen.doses;
        return nullptr;
    };
    bind_dose_search(
        *loading.words.dose_search, names, doses_of, loading.study, loading.diagnostics);
}

/// from, from + every, … up to `to`; the last one exactly `to` where it should fall there.
std::vector<double> regular_times(double from, double to, double every) {
    const double slack = 1e-9;
    const auto n = static_cast<std::int64_t>(std::floor((to - from) / every + slack));
    std::vector<double> times;
    for (std::int64_t i = 0; i <= n; ++i)
        times.push_back(std::min(from + static_cast<double>(i) * every, to));
    return times;
}

class SaveReader {
public:
    SaveReader(const SaveWords& words, Loading& loading) : words_(words), loading_(loading) {}

    std::vector<double> times() {
        if (!words_.every) return listed();
        const double end = loading_.study.duration;
        const double from = words_.from ? in_study(*words_.from, words_.from_span) : 0.0;
        const double to = words_.to ? in_study(*words_.to, words_.to_span) : end;
        const double every = model_time(*words_.every);
        if (!(every > 0.0) || !(end > 0.0)) return {}; // already told
        if (from > to) return mistake(words_.from_span, "the times end before they start");
        if ((to - from) / every >= max_saved_times)
            return mistake(words_.every_span,
                           fmt::format("this makes more than {} times",
                                       grouped(static_cast<std::uint64_t>(max_saved_times))));
        return regular_times(from, to, every);
    }

private:
    std::vector<double> listed() {
        std::vector<double> times;
        for (const sim::Quantity& time : words_.at)
            times.push_back(in_study(time, words_.at_span));
        for (std::size_t i = 1; i < times.size(); ++i)
            if (!(times[i - 1] < times[i])) return mistake(words_.at_span, "the times do not rise");
        return times;
    }

    double model_time(const sim::Quantity& time) const {
        return time.in(loading_.study.model->system.time_unit);
    }

    double in_study(const sim::Quantity& time, const sim::SourceSpan& span) {
        const double value = model_time(time);
        const std::string unit = loading_.study.model->system.time_unit.text;
        if (value < 0.0 || value > loading_.study.duration)
            loading_.diagnostics.add(
                span,
                fmt::format("{:g} {} is not within the study, which lasts {:g} {}",
                            value,
                            unit,
                            loading_.study.duration,
                            unit));
        return value;
    }

    std::vector<double> mistake(const sim::SourceSpan& span, std::string message) {
        loading_.diagnostics.add(span, std::move(message));
        return {};
    }

    const SaveWords& words_;
    Loading& loading_;
};

/// Names an output cannot have in the file, where axes and groups have them.
void check_free_name(const SaveWords& words, Loading& loading) {
    static const std::set<std::string> taken{
        "arm",         "subject",    "time",      "event",       "outcomes",
        "parameters",  "covariates", "genotypes", "maps",        "population",
        "diagnostics", "events",     "summary",   "quantile",    "status",
        "subjects",    "n_solves",   "endpoints", "stratum",     "provenance",
        "replicate",   "sample",     "samples",   "uncertainty", "policies"};
    if (taken.count(words.output) != 0 || words.output.starts_with("time_") ||
        words.output.starts_with("subject_") || words.output.starts_with("sample_") ||
        words.output.starts_with("stratum_"))
        loading.diagnostics.add(
            words.span,
            fmt::format("an output named '{}' cannot be saved: the result file uses that name",
                        words.output),
            "rename the output in the model");
}

void read_saves(Loading& loading) {
    const pkpd::Model& model = *loading.study.model;
    std::vector<std::string> names;
    for (const sim::NamedExpr& output : model.system.outputs)
        names.push_back(output.name);
    for (const SaveWords& words : loading.words.saves) {
        if (model.find_output(words.output) < 0)
            loading.diagnostics.add(words.span,
                                    fmt::format("the model has no output '{}'", words.output),
                                    sim::suggest(words.output, names));
        check_free_name(words, loading);
        const std::uint64_t all = loading.study.population.size;
        Save save{words.output, SaveReader(words, loading).times(), 0, false};
        save.n_subjects =
            std::min(words.n_subjects.value_or(loading.study.writes_subjects ? all : 0), all);
        save.has_summary = words.has_summary.value_or(save.n_subjects < all);
        if (all > 0 && save.n_subjects == 0 && !save.has_summary)
            loading.diagnostics.add(
                words.summary_span,
                fmt::format("neither subjects nor a summary of '{}' would be written",
                            words.output),
                "leave `summary` or the whole curve out");
        loading.study.saves.push_back(std::move(save));
    }
}

/// Why an output cannot be sampled, or "".
std::string why_not_sampled(const Study& study, const std::string& output) {
    const int index = study.model->find_output(output);
    if (index < 0) return fmt::format("the model has no output '{}'", output);
    if (study.model->residual_errors[static_cast<std::size_t>(index)].law ==
        pkpd::ResidualError::Law::none)
        return fmt::format("the model says nothing of the error of '{}'", output);
    for (const Samples& other : study.samples)
        for (const char* suffix : {"_value", "_censored"})
            if (other.output + suffix == output || output + suffix == other.output)
                return fmt::format(
                    "'{}' and '{}' would have one name in the result file", other.output, output);
    return {};
}

void read_samples(Loading& loading) {
    if (loading.words.data && !loading.words.samples.empty())
        return loading.diagnostics.add(loading.words.samples.front().times.span,
                                       "the times of samples are those of the data file's rows",
                                       "leave [samples] or [data] out");
    const pkpd::Model& model = *loading.study.model;
    for (const SamplesWords& words : loading.words.samples) {
        const std::string& output = words.times.output;
        const int index = model.find_output(output);
        if (const std::string why = why_not_sampled(loading.study, output); !why.empty()) {
            std::vector<std::string> names;
            for (const sim::NamedExpr& known : model.system.outputs)
                names.push_back(known.name);
            loading.diagnostics.add(
                words.times.span,
                why,
                index < 0
                    ? sim::suggest(output, names)
                    : fmt::format("say how it is measured in the model: {} = {{ …, error = "
                                  "{{ law = \"proportional\", proportional = 0.15 }} }}; [save] "
                                  "keeps the model's own values",
                                  output));
            continue;
        }
        const auto at = static_cast<std::size_t>(index);
        Samples samples{
            output, SaveReader(words.times, loading).times(), model.residual_errors[at].limits};
        pkpd::read_limits(words.lloq,
                          words.uloq,
                          model.system.outputs[at].unit,
                          samples.limits,
                          loading.diagnostics);
        loading.study.samples.push_back(std::move(samples));
    }
}

void read_settings(Loading& loading) {
    const StudyWords& words = loading.words;
    Study& study = loading.study;
    study.title = words.title;
    study.rtol = words.rtol;
    study.max_steps = words.max_steps;
    study.writes_subjects = words.saves_subjects;
    study.max_failures = static_cast<std::uint64_t>(words.max_failures);
    study.n_replicates = static_cast<std::uint32_t>(words.replicates);
    study.solver = words.solver == "auto" ? "" : words.solver;
    if (study.solver.empty() || sim::find_solver(study.solver) != nullptr) return;
    std::vector<std::string> names{"auto"};
    for (const sim::Solver& solver : sim::solvers())
        names.emplace_back(solver.name);
    loading.diagnostics.add(words.solver_span,
                            fmt::format("there is no solver '{}'", study.solver),
                            sim::suggest(study.solver, names));
    study.solver.clear();
}

/// A mixture that the population draws by proportions of its own.
void refuse_given_mixtures(const pkpd::UncertaintyWords& words, Loading& loading) {
    const pkpd::Population& population = loading.study.population;
    for (const pkpd::LawNumber& number : population.uncertainty->numbers) {
        if (number.kind != pkpd::LawNumber::Kind::proportion) continue;
        const auto covariate = static_cast<std::size_t>(number.first);
        const bool is_used = std::any_of(
            population.strata.begin(), population.strata.end(), [&](const pkpd::Stratum& stratum) {
                return stratum.laws[covariate].is_of_mixture;
            });
        if (!is_used)
            loading.diagnostics.add(
                words.span,
                fmt::format("{} is not used: the population says itself how often its categories "
                            "of {} are",
                            number.name,
                            population.covariates[covariate].name),
                "leave one of the two out");
    }
}

/// What differs by replicate needs some.
void check_replicates(const char* what, const sim::SourceSpan& place, Loading& loading) {
    if (loading.study.n_replicates == 0)
        loading.diagnostics.add(place,
                                fmt::format("{} differ by replicate, and the study has none", what),
                                "write for example replicates = 200 in [study]");
}

void read_uncertainty(Loading& loading) {
    if (!loading.words.uncertainty) return;
    const pkpd::UncertaintyWords& words = *loading.words.uncertainty;
    Study& study = loading.study;
    check_replicates("values", words.span, loading);
    if (words.is_of_model && study.model->uncertainty == nullptr)
        return loading.diagnostics.add(words.span,
                                       "the model does not say what is uncertain of it",
                                       "a model file that gemel fit writes has [uncertainty]");
    study.population.uncertainty =
        pkpd::read_uncertainty(words.is_of_model ? *study.model->uncertainty : words,
                               *study.model,
                               words.is_of_model ? study.model->file : study.file,
                               loading.seed,
                               study.n_replicates,
                               loading.diagnostics);
    if (study.population.uncertainty) refuse_given_mixtures(words, loading);
}

void keep_frequencies(Loading& loading) {
    pkpd::Population& population = loading.study.population;
    if (!population.frequencies) return;
    check_replicates(
        "uncertain frequencies", loading.words.population["frequencies"].span(), loading);
    auto kept = std::make_shared<pkpd::UncertainFrequencies>(*population.frequencies);
    kept->keep(loading.study.n_replicates);
    population.frequencies = std::move(kept);
}

/// Starts of `occasions = [ … ]` or `{ every = … }`.
class OccasionReader {
public:
    explicit OccasionReader(Loading& loading) : loading_(loading), view_(loading.words.occasions) {}

    std::vector<double> read() {
        if (view_.kind() == io::TomlKind::array) return listed();
        const io::TomlView every =
            view_.kind() == io::TomlKind::table ? view_["every"] : io::TomlView();
        if (!every.is_set() || view_.members().size() > 1)
            return mistake(view_, "a list of times or { every = … } is expected");
        const auto interval = time(every);
        if (!interval) return {};
        if (!(*interval > 0.0)) return mistake(every, "an interval is above 0");
        const double end = loading_.study.duration;
        if (end / *interval > most) return mistake(every, "this makes more than 10,000 occasions");
        std::vector<double> starts;
        for (double start = 0.0; start < end;
             start = static_cast<double>(starts.size()) * *interval)
            starts.push_back(start);
        return starts;
    }

private:
    std::vector<double> listed() {
        std::vector<double> starts;
        for (const io::TomlView& element : view_.elements()) {
            const auto start = time(element);
            if (!start) return {};
            if (starts.empty() && *start != 0.0)
                return mistake(element, "the first occasion begins at 0");
            if (!starts.empty() && !(*start > starts.back()))
                return mistake(element, "the times of occasions do not rise");
            if (!(*start < loading_.study.duration))
                return mistake(element,
                               fmt::format("{:g} {} is not within the study, which lasts {:g} {}",
                                           *start,
                                           unit().text,
                                           loading_.study.duration,
                                           unit().text));
            starts.push_back(*start);
        }
        if (starts.empty() || starts.size() > most)
            return mistake(view_, "between 1 and 10,000 occasions are expected");
        return starts;
    }

    std::optional<double> time(const io::TomlView& view) {
        const auto text = view.text();
        const auto quantity = text ? sim::parse_quantity(*text) : std::nullopt;
        if (quantity && quantity->unit.dimension == sim::time_dimension)
            return quantity->in(unit());
        mistake(view, "a time such as \"7 d\" is expected");
        return std::nullopt;
    }

    const sim::Unit& unit() const { return loading_.study.model->system.time_unit; }

    std::vector<double> mistake(const io::TomlView& view, std::string message) {
        loading_.diagnostics.add(
            view.span(), std::move(message), "as in [\"0 h\", \"7 d\"] or { every = \"7 d\" }");
        return {};
    }

    static constexpr double most = 10000.0;

    Loading& loading_;
    const io::TomlView& view_;
};

void read_occasions(Loading& loading) {
    if (!loading.words.occasions.is_set()) return;
    Study& study = loading.study;
    const auto& parameters = study.model->parameters;
    if (std::none_of(parameters.begin(), parameters.end(), [](const pkpd::Parameter& parameter) {
            return parameter.iov.has_value();
        }))
        loading.diagnostics.add(loading.words.occasions.span(),
                                "no parameter of the model has iov: nothing differs between "
                                "occasions",
                                "write for example CL = { …, iov = { cv = 0.15 } } in the model");
    if (loading.words.data)
        loading.diagnostics.add(loading.words.occasions.span(),
                                "occasions of a data file's subjects are those of its rows",
                                "name their column, as in occasion = \"OCC\" in [data]");
    study.occasions = OccasionReader(loading).read();
    study.population.n_occasions =
        static_cast<std::uint32_t>(std::max<std::size_t>(1, study.occasions.size()));
}

/// A dose is looked for in one trial; which of many, would be a choice that nobody made.
void refuse_replicated_search(Loading& loading) {
    if (loading.words.dose_search && loading.study.n_replicates > 0)
        loading.diagnostics.add(loading.words.replicates_span,
                                "[find_dose] looks for a dose in one trial, not in replicates",
                                "leave `replicates` out");
}

/// The subjects of a data file and its times; the study lasts as long as they do, or longer.
std::shared_ptr<const pkpd::DataCohort> read_data_of(Loading& loading) {
    pkpd::DataWords& words = *loading.words.data;
    Study& study = loading.study;
    words.folder = study.file.parent_path();
    study.data = pkpd::read_data(words, *study.model, loading.diagnostics);
    if (study.data == nullptr) return nullptr;
    study.pending = words.cancels_pending ? sim::PendingDoses::cancelled : sim::PendingDoses::given;
    study.start = std::min(0.0, study.data->first_time);
    constexpr double shortest = 1.0; // [model time], for a file whose times end at 0 or before
    if (!loading.words.has_duration)
        study.duration = study.data->last_time > 0.0 ? study.data->last_time : shortest;
    else if (study.duration < study.data->last_time)
        loading.diagnostics.add(loading.words.duration_span,
                                fmt::format("the data go on until {:g} {}, after the study's end",
                                            study.data->last_time,
                                            study.model->system.time_unit.text),
                                "make the study longer, or leave `duration` out");
    return std::make_shared<const pkpd::DataCohort>(
        pkpd::make_cohort(*study.data, loading.diagnostics));
}

/// An empty table where the study says nothing.
io::TomlView population_words(Loading& loading) {
    if (loading.words.population.is_set() || !loading.words.data) return loading.words.population;
    auto nothing = std::make_shared<sim::SourceFile>(*loading.study.text);
    nothing->text.clear();
    return io::parse_toml(nothing, loading.diagnostics);
}

void meet_model(Loading& loading) {
    Study& study = loading.study;
    if (loading.words.duration.unit.dimension == sim::time_dimension)
        study.duration = loading.words.duration.in(study.model->system.time_unit);
    pkpd::PopulationPlace place{loading.library, loading.study.file};
    if (loading.words.data) place.data = read_data_of(loading);
    if (loading.words.data && place.data == nullptr) return; // told already
    if (const io::TomlView words = population_words(loading); words.is_set())
        study.population =
            pkpd::read_population(words, study.model, loading.seed, loading.diagnostics, place);
    read_uncertainty(loading);
    keep_frequencies(loading);
    refuse_replicated_search(loading);
    if (!(study.duration > 0.0))
        return; // a mistake already told; times would all be wrong after it
    read_occasions(loading);
    PolicyBinder policies(loading.words.policies, loading.library, study, loading.diagnostics);
    policies.read();
    plan_regimens(policies, loading);
    bind_outcomes(loading);
    read_thresholds(loading);
    meet_endpoints(loading);
    read_saves(loading);
    read_samples(loading);
    if (const std::string why = why_not_applicable(study); !why.empty())
        loading.diagnostics.add(loading.words.solver_span, why, "solver = \"auto\" chooses one");
    policies.bind();
}

/// For provenance, and so that results replace none of them.
void keep_inputs(Loading& loading) {
    Study& study = loading.study;
    study.inputs.push_back({"study_toml", study.file, study.text->text});
    const auto files = pkpd::input_files(*study.model, study.data.get(), study.population);
    study.inputs.insert(study.inputs.end(), files.begin(), files.end());
    study.inputs.insert(study.inputs.end(), study.policy_files.begin(), study.policy_files.end());
}

} // namespace

const pkpd::Regimen& regimen_of(const Study& study, const Arm& arm) {
    const pkpd::Regimen* regimen = find_regimen(study, arm.regimen);
    GEMEL_ASSERT(regimen != nullptr, "an arm's regimen is in its study");
    return *regimen;
}

Study load_study(const std::filesystem::path& file,
                 const io::Library& library,
                 const StudyOptions& options) {
    Loading loading{library, {}, {}, {}, {}, 0};
    loading.study.id = file.stem().string();
    loading.study.file = file;
    read_words(options, loading);
    loading.seed = options.seed.value_or(static_cast<std::uint64_t>(loading.words.seed));
    read_settings(loading);
    check_arms(loading);
    parse_outcomes(loading);
    load_model_of(loading);
    if (loading.study.model != nullptr) meet_model(loading);
    loading.diagnostics.throw_if_any();
    if (loading.words.data && !loading.words.data->has_any_scale)
        check_scales(loading.study, loading.diagnostics);
    loading.diagnostics.throw_if_any();
    keep_inputs(loading);
    return std::move(loading.study);
}

void describe_study_for_reference(io::Fields& fields) {
    StudyWords words;
    sim::DiagnosticList diagnostics;
    describe_study(fields, words, diagnostics);
}

} // namespace gemel::scenarios
