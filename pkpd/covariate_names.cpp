#include "covariate_names.hpp"

#include "keys.hpp"
#include "names_of.hpp"

#include <algorithm>

namespace gemel::pkpd {

CovariateNames::CovariateNames(const std::vector<Covariate>& covariates) : covariates_(covariates) {
    for (std::size_t c = 0; c < covariates.size(); ++c) {
        const Covariate& covariate = covariates[c];
        if (covariate.categories.empty()) words_[covariate.name] = {c, std::nullopt};
        for (std::size_t k = 0; k < covariate.categories.size(); ++k)
            words_[covariate.name + "_" + covariate.categories[k]] = {c, static_cast<int>(k)};
    }
}

int CovariateNames::find(const std::string& name) const {
    for (std::size_t c = 0; c < covariates_.size(); ++c)
        if (covariates_[c].name == name) return static_cast<int>(c);
    return -1;
}

std::vector<std::string> CovariateNames::names() const {
    return names_of(covariates_);
}

std::vector<std::string> CovariateNames::known_words() const {
    std::vector<std::string> known;
    for (const auto& [word, leaf] : words_)
        known.push_back(word);
    return known;
}

bool CovariateNames::are_in(const sim::SourceText& text) const {
    const std::vector<std::string> mentioned = sim::names_in(text);
    return std::any_of(mentioned.begin(), mentioned.end(), [&](const std::string& word) {
        return words_.contains(word);
    });
}

std::optional<CovariateFunction> CovariateNames::parse(const sim::SourceText& text,
                                                       const sim::Unit& unit,
                                                       const std::string& what,
                                                       sim::DiagnosticList& diagnostics) const {
    const std::size_t n_before = diagnostics.size();
    sim::ExpressionGraph graph;
    std::vector<CovariateLeaf> leaves;
    sim::ExpressionContext context;
    context.graph = &graph;
    context.allows_time = false;
    context.known_names = known_words();
    context.diagnostics = &diagnostics;
    context.resolve = [&](const std::string& word) -> std::optional<sim::TypedExpr> {
        const auto found = words_.find(word);
        if (found == words_.end()) return std::nullopt;
        leaves.push_back(found->second);
        const int index = static_cast<int>(leaves.size()) - 1;
        const Covariate& covariate = covariates_[found->second.covariate];
        return sim::TypedExpr{graph.leaf(sim::LeafKind::input, index),
                              covariate.categories.empty() ? covariate.unit : sim::Unit{}};
    };
    const sim::TypedExpr typed = sim::parse_expression(text, context);
    if (typed.is_mistake || diagnostics.size() != n_before) return std::nullopt;
    const sim::Expr value = sim::convert(typed, unit, what, text.start, context);
    if (diagnostics.size() != n_before) return std::nullopt;
    return CovariateFunction::expression(graph, value, leaves);
}

void describe_formula_input(io::Fields& fields, Covariate& input) {
    input.span = fields.span();
    fields.unit(optional_key("unit", "of a number", "\"kg\""), input.unit);
    fields.texts(
        optional_key("categories", "of a covariate that has some", "[\"female\", \"male\"]"),
        input.categories);
    fields.text(optional_key("about", "what it is", "\"body weight\""), input.about);
    fields.one_of({"unit", "categories"}, true);
}

} // namespace gemel::pkpd
