#include "keys.hpp"
#include "model_tests.hpp"
#include "names_of.hpp"

#include <gemel/pkpd/file_format.hpp>
#include <gemel/pkpd/published_effect.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace gemel::pkpd {

namespace {

constexpr const char* metric_names[] = {"auc", "cmax", "trough", "clearance"};

/// Effects are published with two or three digits.
constexpr double rtol_of_effects = 1e-7;

struct SideWords {
    TestWords patient;
    bool has_doses = false;
};

struct EffectWords {
    PublishedEffect effect;
    std::string model, output;
    sim::SourceSpan model_span, output_span, window_span;
    std::vector<DoseWords> doses;
    std::vector<sim::Quantity> window;
    SideWords test, reference;
};

void keep(io::Fields& f, const io::Field& field, const char* shapes, io::TomlView& view) {
    f.any(field, shapes, [&](const io::TomlView& given) { view = given; });
}

void describe_side(io::Fields& f, SideWords& side) {
    side.patient.span = f.span();
    side.has_doses = f.has("doses");
    f.list(optional_key("doses", "instead of the effect's", "[ { dose = \"100 mg\" } ]"),
           [&](io::Fields& dose) { describe_dose(dose, side.patient.doses.emplace_back()); });
    keep(f,
         optional_key("genotypes", "diplotypes by gene; absent: reference", "{}"),
         "diplotypes by gene",
         side.patient.genotypes);
    keep(f,
         optional_key("covariates", "values that differ from the model's reference", "{}"),
         "values by covariate",
         side.patient.covariates);
    keep(f,
         optional_key("parameters", "typical values that differ from the model's", "{}"),
         "numbers by parameter",
         side.patient.parameters);
}

void describe_metric(io::Fields& f, EffectWords& words) {
    std::vector<std::string> names(std::begin(metric_names), std::end(metric_names));
    int metric = 0;
    f.choice(required_key("metric",
                          "of the window: area, maximum, value at its end; clearance is 1/auc",
                          "\"auc\""),
             names,
             metric);
    words.effect.metric = static_cast<EffectMetric>(metric);
    f.quantities(required_key("window", "from when to when", "[\"0 h\", \"24 h\"]"),
                 sim::time_dimension,
                 words.window);
    words.window_span = f.span("window");
}

void describe_observed(io::Fields& f, PublishedEffect& effect) {
    f.number(positive(required_key("ratio", "published: of `test` to `reference`", "4.7")),
             effect.observed);
    f.number(positive(optional_key("low", "of its interval", "3.9")), effect.low);
    f.number(positive(optional_key("high", "of its interval", "5.6")), effect.high);
    io::Field people = optional_key("n", "people it was seen in", "24");
    people.at_least = 1;
    f.integer(people, effect.n);
    f.text(required_key("source", "where it was published", "\"Huth 2019\""), effect.source);
    const std::vector<std::string> ways{"abstract", "page", "transcription", "remembered"};
    int way = 3;
    f.choice(required_key("seen", "in what the figure was read", "\"abstract\""), ways, way);
    effect.seen = ways[static_cast<std::size_t>(way)];
    f.flag(required_key("independent", "of what the model was made from", "true"),
           effect.is_independent);
}

void describe_effect(io::Fields& f, EffectWords& words) {
    words.effect.span = f.span();
    f.text(required_key("drug", "", "\"siponimod\""), words.effect.drug);
    f.text(required_key("contrast", "in words", "\"CYP2C9 *3/*3 to *1/*1\""),
           words.effect.contrast);
    f.text(required_key("model",
                        "of the library, or a file beside this one",
                        "\"library:siponimod_huth2019\""),
           words.model);
    words.model_span = f.span("model");
    f.text(required_key("output", "of the model", "\"C\""), words.output);
    words.output_span = f.span("output");
    describe_metric(f, words);
    f.list(optional_key("doses", "of both patients", "[ { dose = \"2 mg\" } ]"),
           [&](io::Fields& dose) { describe_dose(dose, words.doses.emplace_back()); });
    f.table(optional_key("test", "the patient of interest", ""),
            [&](io::Fields& side) { describe_side(side, words.test); });
    f.table(optional_key("reference", "the patient compared with", ""),
            [&](io::Fields& side) { describe_side(side, words.reference); });
    describe_observed(f, words.effect);
}

void describe_file(io::Fields& f, std::vector<EffectWords>& effects) {
    std::string format;
    f.text(required_key("gemel", "what the file is", "\"effects/1\""), format);
    f.keyed(required_key("effects", "one each", ""), [&](const std::string& key, io::Fields& row) {
        EffectWords& words = effects.emplace_back();
        words.effect.name = key;
        describe_effect(row, words);
    });
}

/// Brings effects and their models together; a model of several effects is loaded once.
class EffectReader {
public:
    EffectReader(const std::filesystem::path& file,
                 const io::Library& library,
                 sim::DiagnosticList& diagnostics)
        : file_(file),
          library_(library),
          diagnostics_(diagnostics) {}

    bool read(EffectWords& words) {
        PublishedEffect& effect = words.effect;
        effect.model = model(words);
        if (!effect.model || !read_window(words)) return false;
        effect.output = effect.model->find_output(words.output);
        if (effect.output < 0)
            diagnostics_.add(words.output_span,
                             fmt::format("'{}' is no output of {}", words.output, words.model),
                             sim::suggest(words.output, names_of(effect.model->system.outputs)));
        const std::size_t n_before = diagnostics_.size();
        effect.test = side(words, words.test);
        effect.reference = side(words, words.reference);
        return effect.output >= 0 && diagnostics_.size() == n_before;
    }

private:
    std::shared_ptr<const Model> model(const EffectWords& words) {
        if (words.model.empty()) return nullptr; // told already
        const auto known = models_.find(words.model);
        if (known != models_.end()) return known->second;
        const auto path = find_model(words.model, file_, words.model_span, library_, diagnostics_);
        return models_[words.model] =
                   path.empty() ? nullptr : load_model(path, library_, diagnostics_);
    }

    bool read_window(EffectWords& words) {
        if (words.window.size() != 2) {
            if (words.window_span.line > 0)
                diagnostics_.add(words.window_span, "a window has a beginning and an end");
            return false;
        }
        const sim::Unit& unit = words.effect.model->system.time_unit;
        words.effect.from = time_in(words.window[0], unit);
        words.effect.to = time_in(words.window[1], unit);
        const bool is_right = words.effect.from >= 0.0 && words.effect.from < words.effect.to;
        if (!is_right)
            diagnostics_.add(words.window_span,
                             "a window begins at 0 or later and ends after it begins");
        return is_right;
    }

    ModelTest side(const EffectWords& words, SideWords& side) {
        if (!side.has_doses) side.patient.doses = words.doses;
        if (side.patient.span.line <= 0) side.patient.span = words.effect.span;
        side.patient.at = {words.window[1]};
        side.patient.at_span = words.window_span;
        return read_test(side.patient, *words.effect.model, diagnostics_);
    }

    std::filesystem::path file_;
    const io::Library& library_;
    sim::DiagnosticList& diagnostics_;
    std::map<std::string, std::shared_ptr<const Model>> models_;
};

sim::Observation observation_of(const PublishedEffect& effect) {
    using Kind = sim::FunctionalKind;
    sim::Observation observation;
    if (effect.metric == EffectMetric::trough)
        observation.sampled.push_back({effect.output, {effect.to}});
    else
        observation.functionals.push_back(
            {effect.metric == EffectMetric::cmax ? Kind::maximum : Kind::integral,
             effect.output,
             effect.from,
             effect.to});
    return observation;
}

double exposure(const PublishedEffect& effect, const ModelTest& patient) {
    const sim::BlockResult result =
        solve_typical(*effect.model, patient, observation_of(effect), "", rtol_of_effects);
    if (result.status[0] != sim::SolverStatus::ok) return std::numeric_limits<double>::quiet_NaN();
    const double value =
        effect.metric == EffectMetric::trough ? result.sampled[0][0] : result.functionals[0];
    return effect.metric == EffectMetric::clearance ? 1.0 / value : value;
}

} // namespace

std::string_view name(EffectMetric metric) {
    return metric_names[static_cast<std::size_t>(metric)];
}

std::vector<PublishedEffect> load_effects(const std::filesystem::path& file,
                                          const io::Library& library,
                                          sim::DiagnosticList& diagnostics) {
    const io::TomlView root = open_format(file, "effects/1", diagnostics);
    if (!root.is_set()) return {};
    std::vector<EffectWords> words;
    io::read_fields(root, diagnostics, [&](io::Fields& f) { describe_file(f, words); });
    std::vector<PublishedEffect> effects;
    EffectReader reader(file, library, diagnostics);
    for (EffectWords& entry : words)
        if (reader.read(entry)) effects.push_back(std::move(entry.effect));
    return effects;
}

void describe_effects_for_reference(io::Fields& fields) {
    std::vector<EffectWords> words;
    describe_file(fields, words);
}

double predicted_ratio(const PublishedEffect& effect) {
    return exposure(effect, effect.test) / exposure(effect, effect.reference);
}

double fold_error(double predicted, double observed) {
    return std::max(predicted / observed, observed / predicted);
}

double geometric_mean_fold_error(std::span<const double> predicted,
                                 std::span<const double> observed) {
    double sum = 0.0;
    for (std::size_t i = 0; i < predicted.size(); ++i)
        sum += std::log(fold_error(predicted[i], observed[i]));
    return predicted.empty() ? std::numeric_limits<double>::quiet_NaN()
                             : std::exp(sum / static_cast<double>(predicted.size()));
}

} // namespace gemel::pkpd
