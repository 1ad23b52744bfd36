#include <gemel/pkpd/covariate_function.hpp>

#include <algorithm>
#include <limits>
#include <unordered_map>

namespace gemel::pkpd {

std::vector<sim::Expr> nodes_of(const sim::ExpressionGraph& graph, sim::Expr e) {
    std::vector<char> is_needed(e.id + 1, 0);
    is_needed[e.id] = 1;
    std::vector<sim::Expr> nodes;
    for (std::uint32_t i = e.id + 1; i-- > 0;) {
        if (is_needed[i] == 0) continue;
        nodes.push_back({i});
        const sim::Node& node = graph.node({i});
        for (sim::Expr operand : {node.a, node.b, node.c})
            if (operand.is_set()) is_needed[operand.id] = 1;
    }
    std::reverse(nodes.begin(), nodes.end());
    return nodes;
}

CovariateFunction CovariateFunction::expression(const sim::ExpressionGraph& graph,
                                                sim::Expr e,
                                                std::vector<CovariateLeaf> leaves) {
    CovariateFunction function;
    std::unordered_map<std::uint32_t, std::uint32_t> step_of;
    for (sim::Expr at : nodes_of(graph, e)) {
        const sim::Node& node = graph.node(at);
        Step step;
        step.op = node.op;
        step.value = node.value;
        const auto operand = [&](sim::Expr x) { return x.is_set() ? step_of.at(x.id) : 0u; };
        step.a = operand(node.a);
        step.b = operand(node.b);
        step.c = operand(node.c);
        if (node.op == sim::Op::leaf) step.leaf = leaves[static_cast<std::size_t>(node.leaf.index)];
        step_of[at.id] = static_cast<std::uint32_t>(function.steps_.size());
        function.steps_.push_back(step);
    }
    return function;
}

CovariateFunction
CovariateFunction::curve(std::size_t along, std::vector<double> at, std::vector<double> values) {
    CovariateFunction function;
    function.along_ = along;
    function.at_ = std::move(at);
    function.values_ = std::move(values);
    return function;
}

std::vector<std::size_t> CovariateFunction::needs() const {
    if (steps_.empty()) return {along_};
    std::vector<std::size_t> needed;
    for (const Step& step : steps_)
        if (step.op == sim::Op::leaf &&
            std::find(needed.begin(), needed.end(), step.leaf.covariate) == needed.end())
            needed.push_back(step.leaf.covariate);
    return needed;
}

std::optional<CovariateFunction::Domain> CovariateFunction::domain() const {
    if (!steps_.empty()) return std::nullopt;
    return Domain{along_, at_.front(), at_.back()};
}

namespace {

void read_leaf(const CovariateLeaf& leaf,
               std::span<const double> covariate,
               std::span<const std::uint32_t> subjects,
               std::vector<double>& values) {
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        const double x = covariate[subjects[i]];
        values[i] = leaf.category ? (x == *leaf.category ? 1.0 : 0.0) : x;
    }
}

} // namespace

double CovariateFunction::on_curve(double x) const {
    if (!(x >= at_.front() && x <= at_.back())) return std::numeric_limits<double>::quiet_NaN();
    const auto above = std::upper_bound(at_.begin() + 1, at_.end() - 1, x);
    const auto i = static_cast<std::size_t>(above - at_.begin());
    const double share = (x - at_[i - 1]) / (at_[i] - at_[i - 1]);
    return values_[i - 1] + share * (values_[i] - values_[i - 1]);
}

std::vector<double> CovariateFunction::evaluate(std::span<const double> covariates,
                                                std::size_t count,
                                                std::span<const std::uint32_t> subjects) const {
    const std::size_t n = subjects.size();
    if (steps_.empty()) {
        std::vector<double> result;
        result.reserve(n);
        for (std::uint32_t s : subjects)
            result.push_back(on_curve(covariates[along_ * count + s]));
        return result;
    }
    std::vector<std::vector<double>> values(steps_.size(), std::vector<double>(n));
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        const Step& step = steps_[i];
        if (step.op == sim::Op::constant)
            std::fill(values[i].begin(), values[i].end(), step.value);
        else if (step.op == sim::Op::leaf)
            read_leaf(step.leaf,
                      covariates.subspan(step.leaf.covariate * count, count),
                      subjects,
                      values[i]);
        else
            sim::apply(step.op,
                       values[i],
                       values[step.a].data(),
                       values[step.b].data(),
                       values[step.c].data());
    }
    return values.back();
}

} // namespace gemel::pkpd
