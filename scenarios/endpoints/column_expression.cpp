#include "endpoints/column_expression.hpp"

#include <gemel/pkpd/covariate_function.hpp>

#include <algorithm>
#include <limits>

namespace gemel::scenarios {

namespace {

using Kind = pkpd::InputSource::Kind;

/// What a name stands for, in a graph that begins as the model's own.
class Names {
public:
    Names(const pkpd::Population& population, sim::ExpressionGraph& graph)
        : model_(*population.model),
          covariates_(population.covariates),
          graph_(graph) {}

    std::optional<sim::TypedExpr> resolve(const std::string& name) const {
        if (auto covariate = covariate_of(name)) return covariate;
        for (const sim::NamedExpr& parameter : model_.system.parameters)
            if (parameter.name == name) return sim::TypedExpr{parameter.value, parameter.unit};
        for (std::size_t i = 0; i < model_.inputs.size(); ++i)
            if (model_.inputs[i].kind == Kind::map && map_of(i).name == name)
                return sim::TypedExpr{graph_.leaf(sim::LeafKind::input, static_cast<int>(i)),
                                      map_of(i).unit};
        return std::nullopt;
    }

private:
    const pkpd::GenotypeMap& map_of(std::size_t input) const {
        return model_.maps[static_cast<std::size_t>(model_.inputs[input].index)];
    }

    /// `WT`, or `SEX_female` for 1 where SEX is female.
    std::optional<sim::TypedExpr> covariate_of(const std::string& name) const {
        for (std::size_t i = 0; i < covariates_.size(); ++i) {
            const pkpd::Covariate& covariate = covariates_[i];
            const sim::Expr leaf = graph_.leaf(sim::LeafKind::input,
                                               static_cast<int>(model_.system.inputs.size() + i));
            if (covariate.categories.empty() && covariate.name == name)
                return sim::TypedExpr{leaf, covariate.unit};
            for (std::size_t c = 0; c < covariate.categories.size(); ++c)
                if (covariate.name + "_" + covariate.categories[c] == name)
                    return sim::TypedExpr{graph_.binary(sim::Op::equal,
                                                        leaf,
                                                        graph_.constant(static_cast<double>(c))),
                                          sim::Unit{}};
        }
        return std::nullopt;
    }

    const pkpd::Model& model_;
    const std::vector<pkpd::Covariate>& covariates_;
    sim::ExpressionGraph& graph_;
};

bool is_nan(double x) {
    return x != x;
}

/// The operation where all it depends on is known; NaN where a condition depends on what is not, as
/// in Kleene's logic of three values: false and unknown is false, true and unknown is unknown.
double apply_known(sim::Op op, double a, double b, double c) {
    using sim::Op;
    constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
    switch (op) {
    case Op::less:
    case Op::less_equal:
    case Op::equal:
        return is_nan(a) || is_nan(b) ? unknown : sim::apply(op, a, b, c);
    case Op::logical_and:
        if (a == 0.0 || b == 0.0) return 0.0;
        return is_nan(a) || is_nan(b) ? unknown : 1.0;
    case Op::logical_or:
        if ((!is_nan(a) && a != 0.0) || (!is_nan(b) && b != 0.0)) return 1.0;
        return is_nan(a) || is_nan(b) ? unknown : 0.0;
    case Op::logical_not:
    case Op::select:
        return is_nan(a) ? unknown : sim::apply(op, a, b, c);
    default:
        return sim::apply(op, a, b, c);
    }
}

} // namespace

std::vector<std::string> ColumnExpression::names(const pkpd::Population& population) {
    const pkpd::Model& model = *population.model;
    std::vector<std::string> names;
    for (const pkpd::Covariate& covariate : population.covariates) {
        if (covariate.categories.empty()) names.push_back(covariate.name);
        for (const std::string& category : covariate.categories)
            names.push_back(covariate.name + "_" + category);
    }
    for (const sim::NamedExpr& parameter : model.system.parameters)
        names.push_back(parameter.name);
    for (const pkpd::InputSource& input : model.inputs)
        if (input.kind == Kind::map)
            names.push_back(model.maps[static_cast<std::size_t>(input.index)].name);
    return names;
}

std::optional<ColumnExpression> ColumnExpression::parse(const sim::SourceText& text,
                                                        const pkpd::Population& population,
                                                        sim::DiagnosticList& diagnostics) {
    ColumnExpression result;
    const sim::OdeSystem& system = population.model->system;
    result.graph_ = system.graph;
    result.n_inputs_ = system.inputs.size();
    const Names meaning(population, result.graph_);
    sim::ExpressionContext context;
    context.graph = &result.graph_;
    context.time_unit = system.time_unit;
    context.allows_time = false;
    context.resolve = [&](const std::string& name) { return meaning.resolve(name); };
    context.known_names = names(population);
    sim::DiagnosticList found;
    context.diagnostics = &found;
    const sim::TypedExpr typed = sim::parse_expression(text, context);
    diagnostics.append(found);
    if (!found.empty() || typed.is_mistake) return std::nullopt;
    result.expr_ = typed.expr;
    result.unit_ = typed.unit;
    result.order_ = pkpd::nodes_of(result.graph_, typed.expr);
    return result;
}

bool ColumnExpression::is_condition() const {
    using sim::Op;
    const Op op = graph_.node(expr_).op;
    return op == Op::less || op == Op::less_equal || op == Op::equal || op == Op::logical_and ||
           op == Op::logical_or || op == Op::logical_not;
}

std::vector<double> ColumnExpression::evaluate(const pkpd::CohortBlock& block) const {
    const auto count = static_cast<std::size_t>(block.range.count);
    std::vector<double> values(order_.size() * count);
    std::vector<std::size_t> row(expr_.id + 1, 0);
    const auto at = [&](sim::Expr e, std::size_t s) {
        return e.is_set() ? values[row[e.id] * count + s] : 0.0;
    };
    for (std::size_t i = 0; i < order_.size(); ++i) {
        const sim::Node& node = graph_.node(order_[i]);
        row[order_[i].id] = i;
        double* to = values.data() + i * count;
        if (node.op == sim::Op::constant) {
            std::fill_n(to, count, node.value);
        } else if (node.op == sim::Op::leaf) {
            const auto input = static_cast<std::size_t>(node.leaf.index);
            const double* from = input < n_inputs_
                                     ? block.inputs.data() + input * count
                                     : block.covariates.data() + (input - n_inputs_) * count;
            std::copy_n(from, count, to);
        } else {
            for (std::size_t s = 0; s < count; ++s)
                to[s] = apply_known(node.op, at(node.a, s), at(node.b, s), at(node.c, s));
        }
    }
    return {values.end() - static_cast<std::ptrdiff_t>(count), values.end()};
}

} // namespace gemel::scenarios
