#include "fit_words.hpp"

#include <gemel/learners/fit_file.hpp>
#include <gemel/pkpd/population.hpp>

namespace gemel::learners {

namespace {

using io::Field;
using io::Fields;

Field key(std::string name, std::string about, std::string example) {
    Field field;
    field.name = std::move(name);
    field.about = std::move(about);
    field.example = std::move(example);
    return field;
}

Field required(Field field) {
    field.required = true;
    return field;
}

Field between(Field field, double at_least, double at_most) {
    field.at_least = at_least;
    field.at_most = at_most;
    return field;
}

/// A whole number that an option is.
void describe_number(Fields& f, const Field& field, int& value) {
    std::int64_t number = value;
    f.integer(field, number);
    value = static_cast<int>(number);
}

void describe_head(Fields& f, FitWords& words) {
    f.text(required(key("model",
                        "a model of the library, or a file beside this one",
                        "\"library:one_compartment_oral\"")),
           words.model);
    words.model_span = f.span("model");
    int method = static_cast<int>(words.options.method);
    f.choice(key("method", "how estimates are found; absent: saem", "\"focei\""),
             {std::begin(method_names), std::end(method_names)},
             method);
    words.options.method = static_cast<Method>(method);
    Field seed = key("seed", "of all that is drawn; absent: 1", "1");
    seed.at_least = 0.0;
    f.integer(seed, words.seed);
    describe_number(
        f,
        between(key("starts", "how often the search begins, from other values each", "5"), 1, 1000),
        words.options.n_starts);
    f.texts(key("fixed",
                "numbers that stay as they are, by name: see the guide",
                "[\"CL_WT\", \"iiv.ka\"]"),
            words.fixed);
    words.fixed_span = f.span("fixed");
    f.texts(key("outputs", "those that are fitted; absent: all that the data observe", "[\"Cp\"]"),
            words.outputs);
    words.outputs_span = f.span("outputs");
    f.text(key("about", "one line, for readers", "\"…\""), words.about);
}

void describe_solving(Fields& f, FitWords& words) {
    FitOptions& options = words.options;
    f.number(between(key("rtol", "relative tolerance of the solver", "1e-8"), 1e-12, 1e-2),
             options.rtol);
    Field steps = key("max_steps", "steps per solve", "1000000");
    steps.at_least = 1.0;
    f.integer(steps, options.max_steps);
    f.text(key("solver", "auto: chosen by the model's structure; or a solver's name", "\"auto\""),
           options.solver);
    words.solver_span = f.span("solver");
    if (options.solver == "auto") options.solver.clear();
}

void describe_options(Fields& f, FitWords& words) {
    FitOptions& options = words.options;
    const auto whole = [&](Field field, double least, double most, int& value) {
        describe_number(f, between(std::move(field), least, most), value);
    };
    whole(key("chains",
              "of saem, per subject; 0: 4, or a multiple of it near 100 chains in all",
              "5"),
          0,
          10'000,
          options.n_chains);
    whole(key("exploration", "iterations of saem's first phase, at most", "300"),
          0,
          1'000'000,
          options.n_exploration);
    whole(key("smoothing", "iterations of saem's second phase", "150"),
          1,
          1'000'000,
          options.n_smoothing);
    whole(key("iterations", "of the other methods, at most", "200"),
          0,
          1'000'000,
          options.max_iterations);
    whole(key("draws", "per subject, of the likelihood by importance sampling; 0: none", "2000"),
          0,
          100'000'000,
          options.n_draws);
    whole(key("nodes", "per effect, of quadrature; 0: by the number of effects", "7"),
          0,
          100,
          options.n_nodes);
    whole(key("bootstrap", "refits to resampled subjects, for standard errors; 0: none", "200"),
          0,
          100'000,
          options.n_bootstrap);
    describe_solving(f, words);
}

} // namespace

void describe_fit_words(Fields& f, FitWords& words) {
    f.choice(required(key("gemel", "what the file is; its first line", "\"fit/1\"")),
             {"fit/1"},
             words.format);
    f.table(required(key("fit", "the fit as a whole", "")),
            [&](Fields& g) { describe_head(g, words); });
    f.table(required(key("data", "what was observed in whom", "{ file = \"pk.csv\" }")),
            [&](Fields& g) { pkpd::describe_data(g, words.data); });
    const Field population =
        key("population", "what is known of the subjects beside the data file", "{ … }");
    if (f.is_listing())
        f.table(population, pkpd::describe_population_for_reference);
    else
        f.any(population, "a table", [&](const io::TomlView& view) { words.population = view; });
    pkpd::describe_model_changes(f, words.changes);
    f.table(key("options", "how hard is worked", "{ chains = 5 }"),
            [&](Fields& g) { describe_options(g, words); });
}

void describe_fit_for_reference(Fields& fields) {
    FitWords words;
    describe_fit_words(fields, words);
}

} // namespace gemel::learners
