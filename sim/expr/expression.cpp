#include <gemel/sim/expression.hpp>

#include <bit>
#include <utility>

namespace gemel::sim {
namespace {

/// A bijection of 64 bits whose every output bit depends on every input bit.
std::uint64_t mixed(std::uint64_t x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93U;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93U;
    return x ^ (x >> 32);
}
std::uint64_t combined(std::uint64_t seed, std::uint64_t x) {
    return mixed(seed + 0x9e3779b97f4a7c15U + mixed(x));
}
std::uint64_t number(Leaf leaf) {
    return static_cast<std::uint64_t>(leaf.kind) << 32 | static_cast<std::uint32_t>(leaf.index);
}
/// Hash of a node whose operands are named by `operand`.
template <class OperandHash>
std::uint64_t hash_of(const Node& node, OperandHash operand) {
    std::uint64_t hash = mixed(static_cast<std::uint64_t>(node.op) + 1);
    if (node.op == Op::constant) return combined(hash, std::bit_cast<std::uint64_t>(node.value));
    if (node.op == Op::leaf) return combined(hash, number(node.leaf));
    for (const Expr e : {node.a, node.b, node.c})
        if (e.is_set()) hash = combined(hash, operand(e));
    return hash;
}
bool is_same(const Node& x, const Node& y) {
    return x.op == y.op && x.a == y.a && x.b == y.b && x.c == y.c && x.leaf == y.leaf &&
           std::bit_cast<std::uint64_t>(x.value) == std::bit_cast<std::uint64_t>(y.value);
}

} // namespace

ExpressionGraph::Facts ExpressionGraph::facts_of(const Node& n) const {
    Facts facts;
    facts.content = hash_of(n, [&](Expr e) { return facts_[e.id].content; });
    if (n.op == Op::leaf) {
        facts.leaves = std::uint64_t{1} << (mixed(number(n.leaf)) & 63U);
        facts.kinds = 1U << static_cast<int>(n.leaf.kind);
    }
    for (const Expr e : {n.a, n.b, n.c})
        if (e.is_set()) {
            facts.leaves |= facts_[e.id].leaves;
            facts.kinds |= facts_[e.id].kinds;
        }
    return facts;
}

Expr ExpressionGraph::intern(Node candidate) {
    if (2 * (nodes_.size() + 1) > table_.size()) grow_table();
    const Facts facts = facts_of(candidate);
    const std::size_t mask = table_.size() - 1;
    std::size_t at = facts.content & mask;
    for (; table_[at] != UINT32_MAX; at = (at + 1) & mask)
        if (is_same(nodes_[table_[at]], candidate)) return Expr{table_[at]};
    const Expr made{static_cast<std::uint32_t>(nodes_.size())};
    table_[at] = made.id;
    nodes_.push_back(candidate);
    facts_.push_back(facts);
    return made;
}

void ExpressionGraph::grow_table() {
    table_.assign(table_.empty() ? 256 : 2 * table_.size(), UINT32_MAX);
    const std::size_t mask = table_.size() - 1;
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
        std::size_t at = facts_[i].content & mask;
        while (table_[at] != UINT32_MAX)
            at = (at + 1) & mask;
        table_[at] = i;
    }
}

Expr ExpressionGraph::constant(double value) {
    Node n;
    n.op = Op::constant;
    n.value = value;
    return intern(n);
}

Expr ExpressionGraph::leaf(LeafKind kind, int index) {
    Node n;
    n.op = Op::leaf;
    n.leaf = {kind, index};
    return intern(n);
}

bool ExpressionGraph::is_constant(Expr e, double value) const {
    return is_constant(e) && node(e).value == value;
}

bool ExpressionGraph::may_depend_on(Expr e, Leaf leaf) const {
    return depends_on(e, leaf.kind) &&
           (facts_[e.id].leaves >> (mixed(number(leaf)) & 63U) & 1U) != 0;
}

/// Constants, then leaves by kind and index, then the rest by content: an order that is the same
/// whatever else the graph holds.
bool ExpressionGraph::comes_before(Expr a, Expr b) const {
    const auto rank = [&](Expr e) {
        return has_op(e, Op::constant) ? 0 : has_op(e, Op::leaf) ? 1 : 2;
    };
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    if (rank(a) == 1) return number(node(a).leaf) < number(node(b).leaf);
    if (content_hash(a) != content_hash(b)) return content_hash(a) < content_hash(b);
    return a.id < b.id;
}

void ExpressionGraph::order(Expr& a, Expr& b) const {
    if (comes_before(b, a)) std::swap(a, b);
}

/// The node itself, or its value when every operand is constant.
Expr ExpressionGraph::folded(Op op, Expr a, Expr b, Expr c) {
    const auto is_known = [&](Expr e) { return !e.is_set() || is_constant(e); };
    const auto value = [&](Expr e) { return e.is_set() ? node(e).value : 0.0; };
    if (is_known(a) && is_known(b) && is_known(c))
        return constant(apply(op, value(a), value(b), value(c)));
    Node n;
    n.op = op;
    n.a = a;
    n.b = b;
    n.c = c;
    return intern(n);
}

} // namespace gemel::sim
