#pragma once

#include <gemel/pkpd/population.hpp>
#include <gemel/sim/equations.hpp>

#include <optional>
#include <span>
#include <vector>

namespace gemel::scenarios {

/// An expression of what is known of a subject: covariates, the values of genotype maps, individual
/// parameters. Evaluated column by column with the maths of the lanes.
class ColumnExpression {
public:
    /// @returns nothing after a mistake
    static std::optional<ColumnExpression> parse(const sim::SourceText& text,
                                                 const pkpd::Population& population,
                                                 sim::DiagnosticList& diagnostics);

    const sim::Unit& unit() const { return unit_; }
    /// Whether it is a comparison or a logical combination: 1 or 0.
    bool is_condition() const;
    /// @returns  [n_subjects]; NaN where it depends on what is not known, conditions too
    std::vector<double> evaluate(const pkpd::CohortBlock& block) const;

    /// The names that can stand in it.
    static std::vector<std::string> names(const pkpd::Population& population);

private:
    sim::ExpressionGraph graph_;
    sim::Expr expr_;
    sim::Unit unit_;
    std::vector<sim::Expr> order_; ///< the nodes expr_ needs, operands first
    std::size_t n_inputs_ = 0;     ///< input leaves from here on are covariates
};

} // namespace gemel::scenarios
