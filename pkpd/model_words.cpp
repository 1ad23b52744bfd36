#include "model_words.hpp"

#include "keys.hpp"
#include "population_reading.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace gemel::pkpd {

namespace {

using io::Fields;

void describe_unit(Fields& f, DeclaredUnit& declared, const io::Field& field) {
    sim::Unit unit;
    unit.text.clear(); // still empty after a mistake
    f.unit(field, unit);
    declared.span = f.span(field.name);
    declared.is_known = !unit.text.empty();
    if (declared.is_known) declared.unit = unit;
}

std::optional<double> optional_number(Fields& f, const io::Field& field) {
    double value = std::numeric_limits<double>::quiet_NaN(); // still NaN after a mistake
    f.number(field, value);
    return std::isnan(value) ? std::nullopt : std::optional(value);
}

std::optional<sim::SourceText> optional_source(Fields& f, const io::Field& field) {
    sim::SourceText text;
    f.source(field, text);
    return f.has(field.name) && text.start.file ? std::optional(text) : std::nullopt;
}

void describe_molar_mass(Fields& f, std::optional<sim::Quantity>& value) {
    sim::Dimension molar_mass = sim::mass_dimension;
    molar_mass.exponents[sim::Dimension::substance] = -1.0;
    sim::Quantity quantity;
    f.quantity(positive(optional_key("molar_mass",
                                     "lets doses in mg go into states in nmol and back",
                                     "\"308.33 g/mol\"")),
               molar_mass,
               quantity);
    if (f.has("molar_mass") && quantity.value > 0.0) value = quantity;
}

/// Keeps the value as it stands, to be read once what it is about is known.
void keep(Fields& f, const io::Field& field, const std::string& shapes, io::TomlView& view) {
    f.any(field, shapes, [&](const io::TomlView& given) { view = given; });
}

std::map<std::string, std::string> read_with(const io::TomlView& view,
                                             sim::DiagnosticList& diagnostics) {
    std::map<std::string, std::string> with;
    for (const auto& [key, value] : view.members())
        if (const auto text = value.text())
            with[key] = *text;
        else
            diagnostics.add(value.span(), "the name of a quantity of this model is expected here");
    return with;
}

/// "library:NAME", "file.toml", or a table with what the file's names begin with and are given.
void read_use(const io::TomlView& view, sim::DiagnosticList& diagnostics, UseWords& use) {
    use.span = view.span();
    if (const auto text = view.text()) {
        use.file = *text;
        return;
    }
    if (view.kind() != io::TomlKind::table) {
        diagnostics.add(view.span(),
                        fmt::format("{} stands here; the name of a model file is expected",
                                    io::name(view.kind())),
                        "write for example \"library:two_compartment_iv\"");
        return;
    }
    io::TomlView with;
    const std::size_t n_before = diagnostics.size();
    io::read_fields(view, diagnostics, [&](Fields& f) {
        f.text(required_key("file", "", "\"library:two_compartment_iv\""), use.file);
        f.text(optional_key("as", "", "\"drug_\""), use.prefix);
        keep(f, optional_key("with", "", "{ Cp = \"drug_Cp\" }"), "", with);
    });
    if (with.is_set()) use.with = read_with(with, diagnostics);
    if (diagnostics.size() > n_before) use.file.clear(); // its names would only be guessed
}

void describe_use_for_reference(Fields& f) {
    std::string text;
    f.text(required_key("file",
                        "a model of the library, or a file beside this one",
                        "\"library:two_compartment_iv\""),
           text);
    f.text(optional_key("as", "what its names begin with in this model", "\"drug_\""), text);
    f.any(optional_key("with", "names of this model for what it needs", "{ Cp = \"drug_Cp\" }"),
          "names by name",
          [](const io::TomlView&) {});
}

void describe_uses(Fields& f, ModelWords& words) {
    const io::Field field = optional_key("uses",
                                         "models this one is built on, in order; a text stands "
                                         "for `{ file = … }`",
                                         "[\"library:two_compartment_iv\"]");
    if (f.is_listing()) return f.list(field, describe_use_for_reference);
    f.any(field, "list of texts and tables", [&](const io::TomlView& view) {
        if (view.kind() != io::TomlKind::array)
            words.diagnostics->add(view.span(),
                                   "a list of model files is expected",
                                   "write uses = [\"library:two_compartment_iv\"]");
        for (const io::TomlView& element : view.elements())
            read_use(element, *words.diagnostics, words.uses.emplace_back());
    });
}

void describe_tested_with(Fields& f, ModelWords& words) {
    std::vector<std::string> files;
    f.texts(optional_key("tested_with",
                         "models that give what this one needs, for its own tests only",
                         "[\"library:one_compartment_iv\"]"),
            files);
    for (const std::string& file : files)
        words.tested_with.push_back({f.span("tested_with"), file, {}, {}});
}

/// A model that uses others may leave these to them.
io::Field required_alone(const ModelWords& words, io::Field field) {
    field.required = words.uses.empty();
    return field;
}

void describe_head(Fields& f, ModelWords& words) {
    f.text(required_key("name", "one line", "\"one compartment, first-order absorption\""),
           words.name);
    f.text(optional_key("about", "what it is for, and what it is not for", "\"…\""), words.about);
    f.text(required_key("source", "where equations and values are from", "\"Bateman 1910\""),
           words.source);
    describe_unit(f, words.time, required_key("time", "the unit of t and of every d/dt", "\"h\""));
    if (words.time.is_known && !(words.time.unit.dimension == sim::time_dimension)) {
        f.mistake("time",
                  fmt::format("the unit \"{}\" is {}; a unit of time is expected",
                              words.time.unit.text,
                              words.time.unit.dimension.name()),
                  "write for example time = \"h\"");
        words.time.is_known = false;
    }
    describe_molar_mass(f, words.molar_mass);
    describe_uses(f, words);
    describe_tested_with(f, words);
    f.source(
        required_alone(words, required_key("equations", "the equations, see below", "'''…'''")),
        words.equations);
}

void read_value(const io::TomlView& view, ModelWords& words, ParameterWords& parameter) {
    parameter.value_span = view.span();
    if (const auto number = view.number()) {
        parameter.value = *number;
        return;
    }
    const auto text = view.source_text();
    if (!text) {
        words.diagnostics->add(
            view.span(),
            fmt::format("{} stands here; a number, or a text with an expression, "
                        "is expected",
                        io::name(view.kind())));
    } else if (const auto quantity = sim::parse_quantity(text->text)) {
        words.diagnostics->add(
            view.span(),
            "a value is a bare number in the parameter's own unit",
            fmt::format("write value = {:g}, unit = \"{}\"", quantity->value, quantity->unit.text));
    } else {
        parameter.expression = *text;
    }
}

} // namespace

void describe_effects(Fields& f, io::TomlView& iiv, io::TomlView& iov) {
    if (f.is_listing()) {
        f.table(optional_key("iiv", "variability between patients", "{ sd = 0.3 }"),
                describe_iiv_for_reference);
        f.table(optional_key("iov", "variability between a patient's occasions", "{ sd = 0.15 }"),
                describe_iov_for_reference);
    } else {
        keep(f, optional_key("iiv", "", ""), "", iiv);
        keep(f, optional_key("iov", "", ""), "", iov);
    }
}

void describe_bounds(Fields& f, std::optional<double>& lower, std::optional<double>& upper) {
    lower = optional_number(f, optional_key("lower", "least typical value, in `unit`", "0"));
    upper = optional_number(f, optional_key("upper", "largest typical value, in `unit`", "10"));
}

namespace {

void describe_parameter(Fields& f, ModelWords& words, ParameterWords& parameter) {
    f.any(required_key("value",
                       "typical value in `unit`, or an expression of covariates, maps and other "
                       "parameters",
                       "5.0"),
          "number or expression",
          [&](const io::TomlView& view) { read_value(view, words, parameter); });
    describe_unit(f, parameter.unit, required_key("unit", "of the value", "\"L/h\""));
    describe_effects(f, parameter.iiv, parameter.iov);
    parameter.scale = optional_source(
        f,
        optional_key("scale", "what multiplies the value; without unit", "\"(WT / 70[kg])^0.75\""));
    describe_bounds(f, parameter.lower, parameter.upper);
    f.text(optional_key("about", "one line", "\"clearance\""), parameter.about);
    f.text(optional_key(
               "source", "where the value is from, if not from the model's source", "\"assumed\""),
           parameter.source);
}

void describe_otherwise_for_reference(Fields& f) {
    int by = 0;
    std::string source;
    const auto ignore = [](const io::TomlView&) {};
    f.choice(required_key("by", "what gives the value instead", "\"activity_score\""),
             {"activity_score", "phenotype"},
             by);
    f.any(optional_key("table",
                       "values; without it a map by activity score is asked with the drawn score",
                       "{ \"2\" = 1, \"1\" = 0.5 }"),
          "numbers by text",
          ignore);
    f.any(optional_key("uncertain_activity",
                       "activities an allele of unknown function may have, with probabilities",
                       "{ \"0\" = 0.25, \"0.5\" = 0.5, \"1\" = 0.25 }"),
          "probabilities by activity",
          ignore);
    f.text(required_key("source", "why this may be assumed", "\"assumed: …\""), source);
}

} // namespace

void describe_omega(Fields& f, OmegaWords& omega) {
    omega.span = f.span();
    f.texts(required_key("of", "parameters whose effects are correlated", "[\"CL\", \"V\"]"),
            omega.of);
    omega.of_span = f.span("of");
    int level = 0;
    f.choice(optional_key("level", "of the effects: of iiv or of iov", "\"subject\""),
             {"subject", "occasion"},
             level);
    omega.level = static_cast<Level>(level);
    keep(f,
         optional_key("correlation",
                      "below the diagonal, one row per parameter from the second on",
                      "[[0.6]]"),
         "rows of numbers",
         omega.correlation);
    keep(f,
         optional_key("covariance",
                      "of the effects, with the diagonal, which repeats the variances of iiv",
                      "[[0.09], [0.02, 0.04]]"),
         "rows of numbers",
         omega.covariance);
    f.one_of({"correlation", "covariance"}, true);
}

void describe_map(Fields& f, MapWords& map) {
    map.gene = "?"; // still so after a mistake
    f.text(required_key(
               "gene", "a gene of the library, or a gene file beside the model", "\"CYP2C9\""),
           map.gene);
    map.has_gene = map.gene != "?";
    if (!map.has_gene) map.gene.clear();
    map.gene_span = f.span("gene");
    int by = 0, law = 0;
    f.choice(required_key("by", "what the value depends on", "\"diplotype\""),
             {"diplotype", "allele", "phenotype", "activity_score"},
             by);
    map.by = static_cast<GenotypeMap::By>(by);
    describe_unit(f, map.unit, optional_key("unit", "of the values; absent: factors", "\"mg/L\""));
    map.has_unit = f.has("unit");
    if (!map.has_unit) map.unit.is_known = true;
    f.text(optional_key("reference",
                        "where the factor is exactly 1; required unless the map has a unit",
                        "\"*1/*1\""),
           map.reference);
    map.reference_span = f.span("reference");
    f.choice(optional_key("law", "how a score becomes a factor", "\"power\""),
             {"table", "power", "emax"},
             law);
    map.law = static_cast<GenotypeMap::Law>(law);
    map.exponent = optional_number(
        f, positive(optional_key("exponent", "of law power: (score / reference)^exponent", "1.4")));
    map.half =
        optional_number(f,
                        positive(optional_key(
                            "half", "of law emax: the score with half the largest value", "1.5")));
    keep(f,
         optional_key("table", "values of law table", "{ \"*1/*1\" = 1, \"*1/*2\" = 0.685 }"),
         "numbers by text",
         map.table);
    if (f.is_listing())
        f.table(optional_key(
                    "otherwise", "for what the table does not name; or \"error\"", "\"error\""),
                describe_otherwise_for_reference);
    else
        keep(f, optional_key("otherwise", "", ""), "", map.otherwise);
    std::string text; // for readers only
    f.text(optional_key("about", "one line", "\"S-warfarin clearance\""), text);
    f.text(optional_key("source", "where the values are from", "\"Hamberg 2007\""), text);
}

namespace {

void describe_covariate(Fields& f, CovariateWords& covariate) {
    describe_unit(f, covariate.unit, optional_key("unit", "of a number", "\"kg\""));
    if (!f.has("unit")) covariate.unit.is_known = true;
    f.texts(
        optional_key("categories", "of a covariate that is no number", "[\"male\", \"female\"]"),
        covariate.categories);
    f.one_of({"unit", "categories"}, true);
    keep(
        f,
        optional_key("reference", "the typical patient's, for tests; never a silent default", "70"),
        "number in `unit`, or a category",
        covariate.reference);
    f.text(optional_key("about", "one line", "\"body weight\""), covariate.about);
}

void read_proportions(const io::TomlView& view,
                      sim::DiagnosticList* diagnostics,
                      CovariateWords& mixture) {
    for (const auto& [name, value] : view.members())
        mixture.categories.push_back(name);
    for (const auto& [name, share] : read_probabilities(view, "proportions", *diagnostics))
        mixture.proportions.push_back(share);
}

void describe_mixture(Fields& f, ModelWords& words, CovariateWords& mixture) {
    mixture.is_mixture = true;
    mixture.unit.is_known = true;
    f.any(required_key("proportions",
                       "of the sub-populations, which sum to 1",
                       "{ slow = 0.3, fast = 0.7 }"),
          "numbers by name",
          [&](const io::TomlView& view) { read_proportions(view, words.diagnostics, mixture); });
    keep(f,
         optional_key("reference", "the typical patient's, for tests", "\"fast\""),
         "a sub-population",
         mixture.reference);
    f.text(optional_key("about", "one line", "\"acetylation\""), mixture.about);
    std::string text; // for readers only
    f.text(optional_key("source", "where the proportions are from", "\"assumed\""), text);
}

void describe_state(Fields& f, StateWords& state) {
    describe_unit(f, state.unit, required_key("unit", "of the state", "\"mg\""));
    f.number(
        positive(optional_key("scale",
                              "its usual size in `unit`, for error control; absent: from doses "
                              "or baseline",
                              "100")),
        state.scale);
    describe_molar_mass(f, state.molar_mass);
    io::Field keeps =
        optional_key("keeps_doses",
                     "with transits(…): how many doses may be on their way at a time; "
                     "4 without it",
                     "8");
    keeps.at_least = 1;
    keeps.at_most = 32;
    f.integer(keeps, state.keeps_doses);
    state.says_keeps_doses = f.has("keeps_doses");
    f.text(optional_key("about", "one line", "\"gut\""), state.about);
}

void describe_need(Fields& f, NeedWords& need) {
    describe_unit(f, need.unit, required_key("unit", "it has a unit of this kind", "\"mg/L\""));
    f.text(optional_key("about", "one line", "\"concentration that acts\""), need.about);
}

void describe_route(Fields& f, RouteWords& route) {
    f.text(required_key("into", "the state a dose goes into", "\"depot\""), route.into);
    route.into_span = f.span("into");
    f.flag(optional_key("default", "for doses that name no route", "true"), route.is_default);
    f.text(optional_key("about", "one line", "\"tablet\""), route.about);
}

/// Which numbers a law takes, beside each other so that the rules stay one table.
struct ErrorLaw {
    const char* name;
    ResidualError::Law law;
    bool additive, proportional, exponent, sd;
};
constexpr ErrorLaw error_laws[] = {
    {"additive", ResidualError::Law::additive, true, false, false, false},
    {"proportional", ResidualError::Law::proportional, false, true, false, false},
    {"combined1", ResidualError::Law::combined1, true, true, false, false},
    {"combined2", ResidualError::Law::combined2, true, true, false, false},
    {"lognormal", ResidualError::Law::lognormal, false, false, false, true},
    {"power", ResidualError::Law::power, false, true, true, false},
};

void check_error_number(Fields& f, const ErrorLaw& law, const char* key, bool is_taken) {
    if (f.has(key) && !is_taken)
        f.mistake(key, fmt::format("law \"{}\" takes no '{}'", law.name, key));
    if (!f.has(key) && is_taken)
        f.mistake("law", fmt::format("law \"{}\" needs '{}'", law.name, key));
}

} // namespace

void describe_error(Fields& f, ErrorWords& words) {
    ResidualError& error = words.law;
    std::vector<std::string> names;
    for (const ErrorLaw& law : error_laws)
        names.emplace_back(law.name);
    int law = -1;
    f.choice(required_key("law", "of the residual error", "\"combined2\""), names, law);
    f.number(not_negative(optional_key("additive", "sd in the output's unit", "0.02")),
             error.additive);
    f.number(not_negative(optional_key("proportional", "sd as a fraction of the value", "0.15")),
             error.proportional);
    f.number(optional_key("exponent", "of law power: sd = proportional · value^exponent", "0.5"),
             error.exponent);
    f.number(not_negative(optional_key("sd", "of law lognormal: sd of the log", "0.3")),
             error.log_sd);
    f.table(optional_key("autocorrelation", "of errors of one output", "{ half_time = \"12 h\" }"),
            [&](Fields& g) {
                g.quantity(positive(required_key("half_time",
                                                 "errors this far apart have a correlation of 1/2, "
                                                 "twice as far 1/4",
                                                 "\"12 h\"")),
                           sim::time_dimension,
                           words.half_time);
            });
    keep(f,
         optional_key("lloq", "lower limit of quantification: number or quantity", "\"0.1 mg/L\""),
         "number or quantity",
         words.lloq);
    keep(f,
         optional_key("uloq", "upper limit of quantification: number or quantity", "\"50 mg/L\""),
         "number or quantity",
         words.uloq);
    if (f.is_listing() || law < 0) return;
    const ErrorLaw& chosen = error_laws[law];
    error.law = chosen.law;
    check_error_number(f, chosen, "additive", chosen.additive);
    check_error_number(f, chosen, "proportional", chosen.proportional);
    check_error_number(f, chosen, "exponent", chosen.exponent);
    check_error_number(f, chosen, "sd", chosen.sd);
}

namespace {

void describe_output(Fields& f, OutputWords& output) {
    describe_unit(f, output.unit, required_key("unit", "it is reported in", "\"mg/L\""));
    f.text(optional_key("label", "for axes and tables", "\"plasma concentration\""), output.label);
    f.table(optional_key("error", "residual error of a measurement", "{ law = \"proportional\" }"),
            [&](Fields& e) { describe_error(e, output.error); });
}

void describe_test(Fields& f, TestWords& test) {
    test.span = f.span();
    f.list(optional_key("doses", "as in a regimen", "[ { dose = \"100 mg\" } ]"),
           [&](Fields& dose) { describe_dose(dose, test.doses.emplace_back()); });
    f.quantities(required_key("at", "when to look, rising", "[\"1 h\", \"4 h\"]"),
                 sim::time_dimension,
                 test.at);
    test.at_span = f.span("at");
    keep(f,
         required_key("expect", "values of outputs, in their units", "{ Cp = [1.5, 1.6] }"),
         "rows of numbers by output",
         test.expect);
    f.number(positive(optional_key("within", "largest relative difference", "1e-3")), test.within);
    keep(f,
         optional_key("genotypes", "diplotypes by gene; absent: reference", "{}"),
         "diplotypes by gene",
         test.genotypes);
    keep(f,
         optional_key("covariates", "values that differ from the reference", "{}"),
         "values by covariate",
         test.covariates);
    keep(f,
         optional_key("parameters", "typical values that differ from the file's", "{}"),
         "numbers by parameter",
         test.parameters);
    f.text(optional_key("about", "what it shows", "\"…\""), test.about);
    f.text(required_key("source", "where the expected numbers are from", "\"closed form\""),
           test.source);
}

void describe_residual_correlation(Fields& f, ResidualCorrelationWords& words) {
    f.texts(required_key("of", "outputs that are measured together", "[\"Cp\", \"E\"]"), words.of);
    words.of_span = f.span("of");
    keep(f,
         required_key("correlation", "of their errors at one time, below the diagonal", "[[0.4]]"),
         "rows of numbers",
         words.correlation);
}

} // namespace

sim::SourceSpan key_place(const ModelWords& words,
                          const std::string& section,
                          const Fields& f,
                          const std::string& key) {
    if (f.is_listing()) return {};
    return words.root[section][key].key_span();
}

void describe_model(Fields& f, ModelWords& words) {
    f.text(required_key("gemel", "what the file is", "\"model/1\""), words.format);
    f.table(required_key("model", "the model as a whole", ""),
            [&](Fields& head) { describe_head(head, words); });
    f.table(
        optional_key("drug", "what drug it is a model of, for advice", "{ name = \"codeine\" }"),
        [&](Fields& drug) { describe_drug(drug, words.drug.emplace()); });
    describe_keyed(f,
                   words,
                   optional_key("needs", "what a model that uses this one has to give", ""),
                   words.needs,
                   describe_need);
    describe_keyed(
        f, words, optional_key("routes", "ways in for doses", ""), words.routes, describe_route);
    describe_keyed(
        f,
        words,
        optional_key("parameters", "numbers with units", ""),
        words.parameters,
        [&](Fields& row, ParameterWords& entry) { describe_parameter(row, words, entry); });
    f.list(optional_key("omega", "correlated variability", ""),
           [&](Fields& row) { describe_omega(row, words.omega.emplace_back()); });
    describe_keyed(
        f, words, optional_key("maps", "from genotype to number", ""), words.maps, describe_map);
    describe_keyed(f,
                   words,
                   optional_key("covariates", "what is known of a patient", ""),
                   words.covariates,
                   describe_covariate);
    describe_keyed(
        f,
        words,
        optional_key("mixtures", "sub-populations that nobody observes", ""),
        words.covariates,
        [&](Fields& row, CovariateWords& entry) { describe_mixture(row, words, entry); });
    describe_enzymes(f, words);
    describe_keyed(f,
                   words,
                   required_alone(words, required_key("states", "one for each d/dt line", "")),
                   words.states,
                   describe_state);
    describe_keyed(f,
                   words,
                   required_alone(words, required_key("outputs", "what is reported", "")),
                   words.outputs,
                   describe_output);
    f.list(optional_key("residual_correlation", "errors of outputs that go together", ""),
           [&](Fields& row) {
               describe_residual_correlation(row, words.residual_correlations.emplace_back());
           });
    f.table(optional_key("uncertainty",
                         "what a calibration left open, for studies that say `uncertainty.from = "
                         "\"model\"`",
                         "{ rse = { CL = 0.08 } }"),
            [&](Fields& table) {
                words.uncertainty = std::make_shared<UncertaintyWords>();
                describe_uncertainty(table, *words.uncertainty);
            });
    const auto n_mistakes = [&] { return words.diagnostics ? words.diagnostics->size() : 0; };
    const std::size_t n_before = n_mistakes();
    f.list(optional_key("tests", "what the model must reproduce", ""),
           [&](Fields& row) { describe_test(row, words.tests.emplace_back()); });
    words.n_mistakes_in_tests = n_mistakes() - n_before;
}

} // namespace gemel::pkpd
