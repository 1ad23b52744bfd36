#include "population_words.hpp"

#include "keys.hpp"

namespace gemel::pkpd {
namespace {

const char* const measures[] = {"kendall", "spearman", "latent"};

void describe_correlation(io::Fields& fields, CorrelationWords& words) {
    words.span = fields.span();
    fields.texts(required_key("of", "covariates that go together", "[\"WT\", \"HT\"]"), words.of);
    words.of_span = fields.span("of");
    const auto matrix = [&](const char* name, const char* about) {
        fields.any(optional_key(name, about, "[[0.4]]"),
                   "rows of the lower triangle, without the diagonal",
                   [&words, name](const io::TomlView& view) {
                       words.measure = name;
                       words.matrix = view;
                   });
    };
    matrix("kendall", "Kendall's τ");
    matrix("spearman", "Spearman's ρ");
    matrix("latent", "Pearson's correlation of the normal scores");
    fields.one_of({measures[0], measures[1], measures[2]}, true);
}

/// A list of covariates that are called alike in the table, or a table of covariates and columns.
void read_columns(const io::TomlView& view, io::Fields& fields, RowsWords& words) {
    for (const io::TomlView& element : view.elements())
        if (const auto name = element.text())
            words.columns.push_back({*name, *name, "", element.span()});
        else
            fields.mistake("columns", "a list of names of covariates is expected");
    if (view.kind() != io::TomlKind::table) {
        if (view.elements().empty())
            fields.mistake(
                "columns", "a list of names of covariates is expected", "as in [\"WT\", \"AGE\"]");
        return;
    }
    for (const auto& [covariate, member] : view.members()) {
        std::vector<std::string> unknown;
        RowsColumn column{covariate, member.text().value_or(""), "", member.span()};
        if (member.kind() == io::TomlKind::table) {
            for (const auto& [key, value] : member.members())
                if (key == "column" || key == "unit")
                    (key == "unit" ? column.unit : column.header) = value.text().value_or("");
                else
                    unknown.push_back(key);
        }
        if (!unknown.empty())
            fields.mistake("columns",
                           fmt::format("the column of {} has no key '{}'", covariate, unknown[0]),
                           "a column has `column`, its name, and `unit`");
        if (column.header.empty())
            fields.mistake(
                "columns",
                "a column of the file is expected for each covariate",
                "as in { WT = \"Weight\", HT = { column = \"Height\", unit = \"cm\" } }");
        words.columns.push_back(column);
    }
}

void describe_rows(io::Fields& fields, RowsWords& words) {
    words.span = fields.span();
    fields.text(required_key("file", "a CSV file, beside this one", "\"cohort.csv\""), words.file);
    words.file_span = fields.span("file");
    fields.any(
        required_key("columns", "which covariates the rows give", "[\"WT\", \"AGE\"]"),
        "a list of covariates that name columns, or a table of covariates and columns, each a "
        "name or { column, unit }",
        [&](const io::TomlView& view) { read_columns(view, fields, words); });
    fields.text(optional_key("weights", "the column of the rows' weights", "\"weight\""),
                words.weights);
    words.weights_span = fields.span("weights");
    int use = 0;
    fields.choice(optional_key("use",
                               "of the weights: resample draws rows by them and all patients count "
                               "alike; carry draws rows alike and patients count by them; of a "
                               "table without weights: in_order makes patient n of row n",
                               "\"resample\""),
                  {"resample", "carry", "in_order"},
                  use);
    words.use = static_cast<RowsWords::Use>(use);
    if (fields.has("weights") && !fields.has("use"))
        fields.mistake("weights",
                       "what the weights are for is not said",
                       "write use = \"resample\" or use = \"carry\"");
    const bool is_in_order = words.use == RowsWords::Use::in_order;
    if (fields.has("use") && !fields.has("weights") && !is_in_order)
        fields.mistake("use", "there are no weights to use", "name their column: weights = \"…\"");
    if (fields.has("weights") && is_in_order)
        fields.mistake("weights",
                       "rows taken in order are not drawn by weights",
                       "write use = \"resample\" or use = \"carry\", or leave the weights out");
}

void describe_part(io::Fields& fields, PartWords& part) {
    const auto keep = [](io::TomlView& view) {
        return [&view](const io::TomlView& given) { view = given; };
    };
    fields.any(optional_key("ancestry",
                            "groups the patients come from; proportions sum to 1",
                            "{ EUR = 0.5, EAS = 0.5 }"),
               "a group, or a table of groups and proportions",
               keep(part.ancestry));
    fields.any(
        optional_key(
            "covariates",
            "a law or a value for each covariate of the model, and for covariates of the "
            "population's own, which declare a unit or categories",
            "{ WT = { lognormal = { median = \"75 kg\", sd = 0.2 }, within = [\"40 kg\", \"140 "
            "kg\"] } }"),
        "per covariate: a value, a category, an expression of covariates, { derived = \"NAME\" }, "
        "{ "
        "normal = { mean, sd } }, { lognormal = { median, sd or cv } }, { lms = { L, M, S } }, { "
        "uniform = [ lower, upper ] }, { categorical = { … } }; with within = [ lower, upper ]; a "
        "number may be an expression or a curve { by, at, value }",
        keep(part.covariates));
    fields.list(
        optional_key("correlation", "covariates whose ranks go together", ""),
        [&](io::Fields& row) { describe_correlation(row, part.correlations.emplace_back()); });
    part.has_correlations = fields.has("correlation");
    fields.table(optional_key("rows", "a table whose rows patients are drawn from", ""),
                 [&](io::Fields& row) { describe_rows(row, part.rows.emplace()); });
}

} // namespace

bool RowsWords::gives(const std::string& covariate) const {
    for (const RowsColumn& column : columns)
        if (column.covariate == covariate) return true;
    return false;
}

void describe_linked(io::Fields& fields, LinkedWords& words) {
    words.span = fields.span();
    fields.texts(required_key("genes", "that lie side by side", "[\"CYP2C9\", \"CYP2C19\"]"),
                 words.genes);
    words.genes_span = fields.span("genes");
    fields.any(
        required_key("haplotypes",
                     "an allele of each gene in their order, and how often they come together; "
                     "of everybody, or a table of these by ancestry group",
                     "{ \"*1 *1\" = 0.6, \"*2 *1\" = 0.4 }"),
        "frequencies that sum to 1",
        [&](const io::TomlView& view) { words.haplotypes = view; });
    fields.integer(
        not_negative(optional_key(
            "subjects",
            "in how many of each group they were counted: for frequencies = \"uncertain\"",
            "150")),
        words.subjects);
}

void describe_layer(io::Fields& fields, LayerWords& layer) {
    layer.span = fields.span();
    describe_part(fields, layer.everybody);
    fields.keyed(optional_key("strata", "parts of the population with laws of their own", ""),
                 [&](const std::string& name, io::Fields& row) {
                     StratumWords& stratum = layer.strata.emplace_back();
                     stratum.name = name;
                     stratum.span = row.span();
                     row.number(not_negative(required_key(
                                    "share", "of the patients; shares sum to 1", "0.5")),
                                stratum.share);
                     describe_part(row, stratum.part);
                 });
}

} // namespace gemel::pkpd
