#include "covariate_draw.hpp"
#include "keys.hpp"
#include "population_reading.hpp"

#include <gemel/pkpd/file_format.hpp>
#include <gemel/pkpd/population.hpp>

#include <fmt/format.h>

#include <map>

namespace gemel::pkpd {
namespace {

/// The counter of the random numbers has 48 bits for the subject.
constexpr double most_subjects = 281474976710655.0;

struct PopulationWords {
    std::int64_t size = 0;
    bool has_size = false;
    bool is_of_data = false; ///< then it has its size
    int variability = 0;
    int frequencies = 0;
    std::string like;
    sim::SourceSpan like_span;
    LayerWords layer;
    io::TomlView genotypes;
    std::vector<LinkedWords> linked;
};

void describe(io::Fields& fields, PopulationWords& words) {
    io::Field size =
        optional_key("size", "number of patients; of a data file: its subjects", "1000");
    size.required = !words.is_of_data;
    size.at_least = 1.0;
    size.at_most = most_subjects;
    fields.integer(size, words.size);
    words.has_size = fields.has("size");
    fields.choice(optional_key("variability",
                               "none: every random effect is 0; covariates and genotypes are drawn",
                               "\"none\""),
                  {"full", "none"},
                  words.variability);
    fields.choice(
        optional_key(
            "frequencies",
            "of alleles by ancestry; uncertain: other ones in each replicate, as far as the "
            "people who were tested leave them open",
            "\"uncertain\""),
        {"given", "uncertain"},
        words.frequencies);
    fields.text(optional_key("like",
                             "a file of population/1 that says what is not said here",
                             "\"library:adults_nhanes\""),
                words.like);
    words.like_span = fields.span("like");
    describe_layer(fields, words.layer);
    fields.any(optional_key("genotypes",
                            "diplotypes for each gene of the model's maps",
                            "{ CYP2C9 = { by = \"ancestry\" } }"),
               "per gene: a diplotype, a table of allele frequencies, { diplotypes = { … } }, "
               "{ by = \"ancestry\" }, { file = \"genotypes.csv\" }",
               [&words](const io::TomlView& given) { words.genotypes = given; });
    fields.list(optional_key("linked", "genes whose alleles are inherited together", ""),
                [&](io::Fields& row) { describe_linked(row, words.linked.emplace_back()); });
    if (fields.is_listing()) words.linked.clear();
}

/// Two names with one number would share their random numbers.
void check_purposes(const Population& population,
                    const sim::SourceSpan& place,
                    sim::DiagnosticList& diagnostics) {
    std::vector<std::string> purposes{"ancestry", "stratum", "rows"};
    for (const Covariate& covariate : population.covariates)
        purposes.push_back(drawing_purpose(covariate));
    for (const Parameter& parameter : population.model->parameters) {
        purposes.push_back("eta/" + parameter.name);
        if (parameter.iov) purposes.push_back("iov/" + parameter.name);
    }
    for (const std::string& subject : law_subjects(*population.model))
        purposes.push_back("uncertainty/" + subject);
    for (const sim::NamedExpr& output : population.model->system.outputs)
        purposes.push_back("residual/" + output.name);
    for (const auto& [gene, table] : population.model->genes) {
        purposes.push_back("diplotype/" + gene);
        purposes.push_back("activity/" + gene);
        if (population.has_personal_shares()) purposes.push_back("descent/" + gene);
    }
    for (const LinkedGenes& linked : population.linked) {
        purposes.push_back("diplotype/" + linked.name);
        if (population.has_personal_shares()) purposes.push_back("descent/" + linked.name);
    }
    if (population.has_personal_shares())
        for (const std::string& code : population.ancestors())
            purposes.push_back("admixture/" + code);
    if (population.frequencies)
        for (const UncertainFrequencies::Law& law : population.frequencies->laws)
            for (const FrequencyPosterior::Share& share : law.posterior.shares)
                purposes.push_back(share.purpose);
    std::map<std::uint32_t, std::string> names;
    for (const std::string& purpose : purposes) {
        const auto [at, is_new] = names.emplace(sim::purpose_number(purpose), purpose);
        if (!is_new && at->second != purpose)
            diagnostics.add(
                place,
                fmt::format("'{}' and '{}' would share their random numbers", at->second, purpose),
                "rename one of the two");
    }
}

struct TemplateWords {
    std::string format, name, about, source;
    LayerWords layer;
};

void describe(io::Fields& fields, TemplateWords& words) {
    fields.text(required_key("gemel", "what the file is", "\"population/1\""), words.format);
    fields.table(required_key("population", "who the patients are", ""), [&](io::Fields& table) {
        table.text(required_key("name", "one line", "\"adults, 20 to 80 years\""), words.name);
        table.text(optional_key("about", "more of it", ""), words.about);
        table.text(required_key("source", "where its numbers are from", "\"NHANES 2015-2018\""),
                   words.source);
        describe_layer(table, words.layer);
    });
}

/// The file of `like`; nothing after a mistake.
std::optional<LayerWords> read_template(const PopulationWords& words,
                                        const PopulationPlace& place,
                                        Population& population,
                                        sim::DiagnosticList& diagnostics) {
    const auto path = io::resolve(place.library, "populations", words.like, place.file);
    if (path.empty()) {
        const std::string prefix = "library:";
        const bool from_library = words.like.starts_with(prefix);
        const std::string word = from_library ? words.like.substr(prefix.size()) : words.like;
        diagnostics.add(words.like_span,
                        from_library ? fmt::format("the library has no population '{}'", word)
                                     : fmt::format("there is no file '{}' beside the study", word),
                        from_library ? sim::suggest(word, place.library.names("populations"))
                                     : "name a file relative to the study, or library:NAME");
        return std::nullopt;
    }
    const io::TomlView root = open_format(path, "population/1", diagnostics);
    if (!root.is_set()) return std::nullopt;
    TemplateWords read;
    io::read_fields(root, diagnostics, [&](io::Fields& fields) { describe(fields, read); });
    read.layer.file = path;
    population.files.push_back(
        {"population_" + path.stem().string() + "_toml", path, root.span().file});
    return read.layer;
}

/// The subjects of a data file are as many as they are.
void check_size(const PopulationWords& words,
                const io::TomlView& table,
                Population& population,
                sim::DiagnosticList& diagnostics) {
    if (population.data == nullptr) return;
    population.size = population.data->size();
    if (words.has_size && words.size != static_cast<std::int64_t>(population.size))
        diagnostics.add(table["size"].span(),
                        fmt::format("the data file has {} subjects", population.size),
                        "leave `size` out");
}

} // namespace

Population read_population(const io::TomlView& table,
                           std::shared_ptr<const Model> model,
                           std::uint64_t seed,
                           sim::DiagnosticList& diagnostics,
                           const PopulationPlace& place) {
    const std::size_t n_before = diagnostics.size();
    PopulationWords words;
    words.is_of_data = place.data != nullptr;
    io::read_fields(table, diagnostics, [&](io::Fields& fields) { describe(fields, words); });

    Population population;
    population.model = std::move(model);
    population.seed = seed;
    population.size = static_cast<std::uint64_t>(words.size);
    population.has_variability = words.variability == 0;
    population.data = place.data;
    check_size(words, table, population, diagnostics);
    words.layer.file = place.file;
    std::vector<LayerWords> layers{words.layer};
    if (!words.like.empty()) {
        auto read = read_template(words, place, population, diagnostics);
        if (!read) return population; // what is missing would be told all over
        layers.push_back(std::move(*read));
    }
    read_strata(layers, place.library, population, diagnostics);
    if (population.strata.empty()) return population;
    const bool has_ancestry = !population.groups.empty() || words.layer.everybody.ancestry.is_set();
    read_linked(words.linked, has_ancestry, population, diagnostics);
    read_genotypes(words.genotypes, table.span(), place, has_ancestry, population, diagnostics);
    if (words.frequencies == 1 && diagnostics.size() == n_before)
        make_frequencies_uncertain(table["frequencies"].span(), population, diagnostics);
    if (diagnostics.size() == n_before) check_maps_cover(population, words.genotypes, diagnostics);
    check_purposes(population, table.span(), diagnostics);
    return population;
}

void describe_population_for_reference(io::Fields& fields) {
    PopulationWords words;
    describe(fields, words);
}

void describe_population_file_for_reference(io::Fields& fields) {
    TemplateWords words;
    describe(fields, words);
}

} // namespace gemel::pkpd
