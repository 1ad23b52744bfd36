#include "study_words.hpp"

#include "field_key.hpp"

#include <gemel/sim/solver.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <limits>

namespace gemel::scenarios {

namespace {

using io::Field;
using io::Fields;

Field required(std::string name, std::string about, std::string example) {
    Field field = key(std::move(name), std::move(about), std::move(example));
    field.required = true;
    return field;
}

Field at_least(Field field, double bound) {
    field.at_least = bound;
    return field;
}

Field above(Field field, double bound) {
    field.at_least = bound;
    field.exclusive = true;
    return field;
}

} // namespace

bool is_identifier(const std::string& text) {
    const auto is_word = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
    return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) == 0 &&
           std::all_of(text.begin(), text.end(), is_word);
}

namespace {

/// Names become axis labels and dataset names.
void check_name(Fields& fields, const std::string& what, const std::string& name) {
    if (!fields.is_listing() && !is_identifier(name))
        fields.mistake({},
                       fmt::format("'{}' cannot name {}", name, what),
                       "names are letters, digits and _, and start with no digit");
}

} // namespace

void check_printable(Fields& fields, const std::string& name, const std::string& text) {
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
    if (std::any_of(text.begin(), text.end(), is_control))
        fields.mistake(name,
                       fmt::format("'{}' contains a control character", name),
                       "one line of printable text");
}

namespace {

/// What a data file says in its place need not be said.
Field required_without_data(const StudyWords& words, Field field) {
    field.required = !words.data;
    return field;
}

void describe_settings(Fields& f, StudyWords& words) {
    f.text(required("model", "model file, or library:NAME", "\"library:one_compartment_oral\""),
           words.model);
    f.text(key("title", "one line for reports and results", "\"Loading dose\""), words.title);
    check_printable(f, "title", words.title);
    f.integer(at_least(required("seed", "of every random number", "1"), 0), words.seed);
    const Field duration = required_without_data(
        words, key("duration", "end of the study; of a data file its last time", "\"14 d\""));
    f.quantity(above(duration, 0), sim::time_dimension, words.duration);
    words.has_duration = f.has("duration");
    f.choice(key("design",
                 "counterfactual: every subject in every arm; true effects, no trial p-values",
                 "\"counterfactual\""),
             {"counterfactual"},
             words.design);
    f.any(key("occasions",
              "when effects of occasions (iov) are drawn anew: starts, the first \"0 h\", or an "
              "interval; absent: all is one occasion",
              "{ every = \"7 d\" }"),
          "list of times, or { every }",
          [&](const io::TomlView& view) { words.occasions = view; });
    Field replicates =
        at_least(key("replicates",
                     "the study so many times, with other patients and, by [uncertainty], other "
                     "values; absent: once",
                     "200"),
                 1);
    replicates.at_most = 65535; // of 16 bits
    f.integer(replicates, words.replicates);
    f.text(key("solver",
               "auto: chosen by the model's structure, then by counts per arm; or a solver's name",
               "\"auto\""),
           words.solver);
    Field rtol = at_least(key("rtol", "relative tolerance", "1e-6"), 1e-12);
    rtol.at_most = 1e-2;
    f.number(rtol, words.rtol);
    f.integer(at_least(key("max_steps", "steps per subject and arm", "1000000"), 1),
              words.max_steps);
    f.integer(at_least(key("max_failures", "subjects that may fail before exit code 3", "0"), 0),
              words.max_failures);
    words.replicates_span = f.span("replicates");
    words.model_span = f.span("model");
    words.duration_span = f.span("duration");
    words.solver_span = f.span("solver");
}

void describe_regimen(Fields& f, RegimenWords& regimen) {
    check_name(f, "a regimen", regimen.name);
    regimen.span = f.span();
    f.list(required("doses",
                    "the doses and what else happens; at one time in this order; [] for none",
                    "[ { dose = \"100 mg\" } ]"),
           [&](Fields& g) {
               pkpd::DoseWords dose;
               pkpd::describe_dose(g, dose);
               regimen.doses.push_back(std::move(dose));
           });
    int pending = 0;
    f.choice(key("pending",
                 "doses still to come at a reset or a steady state that replaces what there is; "
                 "else as [data] says, or given",
                 "\"cancel\""),
             {"give", "cancel"},
             pending);
    f.any(key("knows",
              "genes of the population that its policies may see, or how: true, or a panel that "
              "reads them; all others are not known",
              "[\"CYP2C9\", \"VKORC1\"]"),
          "list of genes, or panels by gene",
          [&](const io::TomlView& view) { regimen.knows = view; });
    if (f.has("pending"))
        regimen.pending = pending == 1 ? sim::PendingDoses::cancelled : sim::PendingDoses::given;
}

void describe_arm(Fields& f, ArmWords& words) {
    check_name(f, "an arm", words.arm.name);
    f.text(required("regimen", "what its subjects receive", "\"loaded\""), words.arm.regimen);
    f.text(key("label", "for reports", "\"200 mg, then 100 mg daily\""), words.arm.label);
    check_printable(f, "label", words.arm.label);
    words.regimen_span = f.span("regimen");
}

void read_outcomes(const io::TomlView& view, StudyWords& words, sim::DiagnosticList& diagnostics) {
    if (view.kind() != io::TomlKind::table) {
        diagnostics.add(view.span(),
                        fmt::format("outcomes is {}; a table is expected", io::name(view.kind())),
                        "[outcomes]\nAUC = \"auc(Cp, last_interval)\"");
        return;
    }
    for (const auto& [name, value] : view.members()) {
        const auto text = value.source_text();
        if (!is_identifier(name))
            diagnostics.add(value.key_span(),
                            fmt::format("'{}' cannot name an outcome", name),
                            "names are letters, digits and _, and start with no digit");
        if (name == "arm" || name == "subject")
            diagnostics.add(value.key_span(),
                            fmt::format("an outcome cannot be named '{}': an axis is", name),
                            "choose another name");
        if (text)
            words.outcomes.push_back({name, *text});
        else
            diagnostics.add(
                value.span(),
                fmt::format("outcomes.{} is {}; a text is expected", name, io::name(value.kind())),
                "write a call such as \"auc(Cp, last_interval)\"");
    }
}

void read_subjects(const io::TomlView& view, SaveWords& save, sim::DiagnosticList& diagnostics) {
    const auto number = view.integer();
    const auto text = view.text();
    if (number && *number >= 0)
        save.n_subjects = static_cast<std::uint64_t>(*number);
    else if (text && *text == "none")
        save.n_subjects = 0;
    else if (text && *text == "all")
        save.n_subjects = std::numeric_limits<std::uint64_t>::max();
    else
        diagnostics.add(view.span(),
                        "subjects is neither \"all\", \"none\" nor a whole number",
                        "subjects = 100 saves the first 100");
}

/// `every` with `from` and `to`, or `at`.
void describe_times(Fields& f, SaveWords& save) {
    save.span = f.span();
    sim::Quantity every, from, to;
    f.quantity(above(key("every", "times from `from` to `to`, so far apart", "\"1 h\""), 0),
               sim::time_dimension,
               every);
    f.quantities(key("at", "these times, in rising order", "[\"1 h\", \"4 h\"]"),
                 sim::time_dimension,
                 save.at);
    f.quantity(
        at_least(key("from", "first time; else 0", "\"0 h\""), 0), sim::time_dimension, from);
    f.quantity(above(key("to", "last time; else the end of the study", "\"24 h\""), 0),
               sim::time_dimension,
               to);
    f.one_of({"every", "at"}, true);
    // What is no time was told while reading and must not be used as one.
    const auto is_time = [](const sim::Quantity& read) {
        return read.unit.dimension == sim::time_dimension;
    };
    const auto set = [&](const char* name, const sim::Quantity& read, auto& value) {
        if (f.has(name) && is_time(read)) value = read;
    };
    const bool names_no_time = f.has("at") && save.at.empty();
    std::erase_if(save.at, std::not_fn(is_time));
    set("every", every, save.every);
    set("from", from, save.from);
    set("to", to, save.to);
    if (names_no_time)
        f.mistake(
            "at", "`at` names no time", "write at = [\"1 h\", \"4 h\"], or leave the curve out");
    save.every_span = f.span("every");
    save.at_span = f.span("at");
    save.from_span = f.span("from");
    save.to_span = f.span("to");
    if (f.has("at") && (f.has("from") || f.has("to")))
        f.mistake(f.has("from") ? "from" : "to", "`at` names all times; from and to go with every");
}

void describe_save(Fields& f, SaveWords& save, sim::DiagnosticList& diagnostics) {
    describe_times(f, save);
    f.any(key("subjects", "whose curves are written; else as save.subjects", "\"all\""),
          "\"all\" | \"none\" | N, the first N",
          [&](const io::TomlView& view) { read_subjects(view, save, diagnostics); });
    bool has_summary = false;
    f.flag(key("summary",
               "quantiles, mean and sd over all subjects, by arm and time; else unless all "
               "subjects are written",
               "true"),
           has_summary);
    if (f.has("summary")) save.has_summary = has_summary;
    save.summary_span = f.span("summary");
}

void describe_samples(Fields& f, SamplesWords& samples) {
    describe_times(f, samples.times);
    f.any(key("lloq", "lower limit of quantification; else that of the model", "\"0.1 mg/L\""),
          "number in the output's unit, or a text with a unit",
          [&](const io::TomlView& view) { samples.lloq = view; });
    f.any(key("uloq", "upper limit of quantification; else that of the model", "\"50 mg/L\""),
          "number in the output's unit, or a text with a unit",
          [&](const io::TomlView& view) { samples.uloq = view; });
}

Field saved_subjects() {
    return key("subjects",
               "whether outcomes, covariates, genotypes, parameters and diagnostics of every "
               "subject are written; none: summaries stand in their place",
               "\"all\"");
}

/// The names of [save]: `subjects`, or an output.
void read_save(const std::string& name,
               const io::TomlView& view,
               StudyWords& words,
               sim::DiagnosticList& diagnostics) {
    if (name == "subjects") {
        const auto text = view.text();
        words.saves_subjects = !text || *text != "none";
        if (!text || (*text != "none" && *text != "all"))
            diagnostics.add(view.span(), "save.subjects is neither \"all\" nor \"none\"");
    } else if (view.kind() == io::TomlKind::table) {
        SaveWords save;
        save.output = name;
        io::read_fields(view, diagnostics, [&](Fields& g) { describe_save(g, save, diagnostics); });
        words.saves.push_back(std::move(save));
    } else {
        const bool is_misspelt =
            !sim::nearest_name(name, std::vector{saved_subjects().name}).empty();
        if (is_misspelt)
            diagnostics.add(view.key_span(),
                            fmt::format("unknown key '{}' in [save]", name),
                            "did you mean 'subjects'?");
        else
            diagnostics.add(
                view.span(),
                fmt::format("'save.{}' is {}; a table is expected", name, io::name(view.kind())),
                "for example: Cp = { every = \"1 h\" }");
    }
}

void describe_saves(Fields& f, StudyWords& words, sim::DiagnosticList& diagnostics) {
    const Field field =
        key("save", "what the file holds of subjects", "{ Cp = { every = \"1 h\" } }");
    if (f.is_listing())
        return f.table(field, [&](Fields& g) {
            g.choice(saved_subjects(), {"all", "none"}, words.format);
            SaveWords save;
            g.table(key("NAME", "the curve of an output", "{ every = \"1 h\" }"),
                    [&](Fields& h) { describe_save(h, save, diagnostics); });
        });
    f.any(field, "a table", [&](const io::TomlView& view) {
        if (view.kind() != io::TomlKind::table)
            diagnostics.add(view.span(),
                            fmt::format("save is {}; a table is expected", io::name(view.kind())),
                            "[save]\nCp = { every = \"1 h\" }");
        for (const auto& [name, member] : view.members())
            read_save(name, member, words, diagnostics);
    });
}

void describe_population(Fields& f, StudyWords& words) {
    const Field field =
        required_without_data(words, key("population", "who is drawn", "{ size = 1000 }"));
    if (f.is_listing())
        f.table(field, pkpd::describe_population_for_reference);
    else
        f.any(field, "a table", [&](const io::TomlView& view) { words.population = view; });
}

void describe_endpoints(Fields& f, StudyWords& words, sim::DiagnosticList& diagnostics) {
    const Field field = key("endpoints",
                            "one number per arm, or per arm and stratum; NAME = \"call\" for short",
                            "{ exposure = \"geometric_mean(AUC)\" }");
    if (f.is_listing())
        f.keyed(field, [](const std::string&, Fields& g) {
            EndpointWords endpoint;
            describe_endpoint(g, endpoint);
        });
    else
        f.any(field, "texts and tables by name", [&](const io::TomlView& view) {
            read_endpoints(view, words.endpoints, diagnostics);
        });
}

void describe_arms(Fields& f, StudyWords& words) {
    Field field = key("arms", "what is compared, in the order of the file; at least one", "");
    // Absent, the mistake is told with the name of a regimen, see load_study.
    field.required = f.is_listing();
    words.has_arms = f.has("arms");
    f.keyed(field, [&](const std::string& name, Fields& g) {
        ArmWords arm;
        arm.arm.name = name;
        describe_arm(g, arm);
        words.arms.push_back(std::move(arm));
    });
}

} // namespace

void describe_study(Fields& f, StudyWords& words, sim::DiagnosticList& diagnostics) {
    f.choice(required("gemel", "what the file is; its first line", "\"study/1\""),
             {"study/1"},
             words.format);
    if (f.has("data") || f.is_listing())
        f.table(key("data", "a data file, whose subjects are simulated", "{ file = \"pk.csv\" }"),
                [&](Fields& g) { pkpd::describe_data(g, words.data.emplace()); });
    if (f.is_listing()) words.data.reset();
    f.table(required("study", "what is simulated", "{ … }"),
            [&](Fields& g) { describe_settings(g, words); });
    describe_population(f, words);
    f.table(
        key("uncertainty",
            "typical values, variances, errors and proportions that differ by replicate: what a "
            "calibration leaves open",
            "{ rse = { CL = 0.08 } }"),
        [&](Fields& g) {
            words.uncertainty.emplace();
            pkpd::describe_uncertainty(g, *words.uncertainty);
        });
    f.keyed(key("policies", "doses that follow from what is known of a subject", "{ … }"),
            [&](const std::string& name, Fields& g) {
                words.policies.emplace_back().name = name;
                check_name(g, "a policy", name);
                describe_policy(g, words.policies.back());
            });
    f.keyed(required_without_data(words, key("regimens", "dose sequences by name", "{ … }")),
            [&](const std::string& name, Fields& g) {
                RegimenWords regimen;
                regimen.name = name;
                describe_regimen(g, regimen);
                words.regimens.push_back(std::move(regimen));
            });
    describe_arms(f, words);
    f.any(key("outcomes", "one number per subject and arm", "{ AUC = \"auc(Cp, last_interval)\" }"),
          "NAME = \"call\" | \"call >= constant\"",
          [&](const io::TomlView& view) { read_outcomes(view, words, diagnostics); });
    describe_endpoints(f, words, diagnostics);
    f.table(key("find_dose", "what `gemel find-dose` looks for", "{ … }"), [&](Fields& g) {
        words.dose_search.emplace();
        describe_dose_search(g, *words.dose_search);
    });
    describe_saves(f, words, diagnostics);
    f.keyed(key("samples",
                "outputs that are measured in every subject, with residual error",
                "{ Cp = { at = [\"1 h\", \"4 h\"] } }"),
            [&](const std::string& output, Fields& g) {
                SamplesWords samples;
                samples.times.output = output;
                describe_samples(g, samples);
                words.samples.push_back(std::move(samples));
            });
}

} // namespace gemel::scenarios
