#pragma once

#include <gemel/sim/expression.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// Numbers that follow from a subject's covariates.
namespace gemel::pkpd {

/// The nodes an expression is made of, operands first: what evaluates it goes through them once.
std::vector<sim::Expr> nodes_of(const sim::ExpressionGraph& graph, sim::Expr e);

/// What an input leaf of an expression of covariates stands for: the covariate's number, or 1 where
/// it is this category, else 0.
struct CovariateLeaf {
    std::size_t covariate = 0; ///< of the population
    std::optional<int> category;
};

/// An expression of covariates, or a line through points along one of them. Evaluated by the maths
/// of the lanes, so that it has the same bits everywhere.
class CovariateFunction {
public:
    /// @param leaves  what input leaf i of the graph is
    static CovariateFunction
    expression(const sim::ExpressionGraph& graph, sim::Expr e, std::vector<CovariateLeaf> leaves);
    /// Straight between the points, NaN beyond the first and the last.
    /// @param at  strictly increasing, as many as values, at least two
    static CovariateFunction
    curve(std::size_t along, std::vector<double> at, std::vector<double> values);

    /// The covariates it reads, each once.
    std::vector<std::size_t> needs() const;
    /// For a curve: the covariate it goes along and between which ends it is known.
    struct Domain {
        std::size_t covariate = 0;
        double lower = 0.0, upper = 0.0;
    };
    std::optional<Domain> domain() const;

    /// The numbers of some subjects.
    /// @param covariates  [n_covariates × count]
    /// @param subjects    which of the count
    /// @returns [subjects.size()]
    std::vector<double> evaluate(std::span<const double> covariates,
                                 std::size_t count,
                                 std::span<const std::uint32_t> subjects) const;

private:
    /// One operation; a, b and c are steps before it.
    struct Step {
        sim::Op op = sim::Op::constant;
        std::uint32_t a = 0, b = 0, c = 0;
        double value = 0.0;   ///< of a constant
        CovariateLeaf leaf{}; ///< of a leaf
    };
    double on_curve(double x) const;

    std::vector<Step> steps_; ///< of an expression; empty for a curve
    std::size_t along_ = 0;
    std::vector<double> at_, values_; ///< of a curve
};

} // namespace gemel::pkpd
