#pragma once

#include <gemel/io/fields.hpp>
#include <gemel/pkpd/covariate_function.hpp>
#include <gemel/pkpd/model.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gemel::pkpd {

/// What expressions may call the covariates of a population: numbers by their name, categories as
/// NAME_category, 1 or 0.
class CovariateNames {
public:
    explicit CovariateNames(const std::vector<Covariate>& covariates);

    int find(const std::string& name) const; ///< the covariate; −1 if there is none
    const Covariate& at(std::size_t covariate) const { return covariates_[covariate]; }
    std::vector<std::string> names() const;       ///< of covariates
    std::vector<std::string> known_words() const; ///< of expressions

    /// Whether a text is an expression: it mentions one of these words.
    bool are_in(const sim::SourceText& text) const;

    /// An expression brought into a unit; nothing after a mistake. `what` is "the covariate BSA".
    std::optional<CovariateFunction> parse(const sim::SourceText& text,
                                           const sim::Unit& unit,
                                           const std::string& what,
                                           sim::DiagnosticList& diagnostics) const;

private:
    std::vector<Covariate> covariates_;
    std::map<std::string, CovariateLeaf> words_;
};

/// The keys of an input of a published formula: a unit, or categories.
void describe_formula_input(io::Fields& fields, Covariate& input);

} // namespace gemel::pkpd
