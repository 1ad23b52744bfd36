#pragma once

#include <gemel/sim/assert.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// Expressions as one shared graph. Equal expressions are one node (hash-consing), so a graph stays
/// small where the tree would explode, and comparing expressions is comparing numbers.
namespace gemel::sim {

/// What a node computes. Comparisons and logic give 1 or 0; `select` takes its second operand where
/// the first is not 0, its third elsewhere. Semantics per operation (NaN, signed zero, rounding):
/// docs/reference/lane_program.md.
enum class Op : std::uint8_t {
    constant,
    leaf,
    add,
    subtract,
    multiply,
    divide,
    negate,
    power, ///< a^b by C's rules; see ExpressionGraph::power
    minimum,
    maximum,
    absolute,
    square_root,
    exponential,
    logarithm,
    expm1,
    log1p,
    sine,
    cosine,
    hyperbolic_tangent,
    error_function,
    less,
    less_equal,
    equal,
    logical_and,
    logical_or,
    logical_not,
    select,
    fused_multiply_add,          ///< a·b + c, one rounding; made by lowering only
    fused_negative_multiply_add, ///< c − a·b, one rounding; made by lowering only
    rough_inverse_tenth_root     ///< a^(−1/10) for a > 0 within 2e-3 of itself; for step control
};
inline constexpr int n_ops = static_cast<int>(Op::rough_inverse_tenth_root) + 1;

/// Where a leaf's value comes from. The lane program addresses its workspace by the same pair.
enum class LeafKind : std::uint8_t {
    time,      ///< index 0
    state,     ///< amount or level, state index
    input,     ///< a column given per subject: theta, eta, covariate, map factor
    infusion,  ///< zero-order input now running into a state, state index
    derived,   ///< computed from inputs once per subject by the `prepare` program (lowering only)
    scale,     ///< error-control scale of a state (solvers only)
    step,      ///< step size, index 0 (solvers only)
    rate,      ///< of a state at the start of a step, left by the step before (solvers only)
    tolerance, ///< relative tolerance, index 0 (solvers only)
    result,    ///< where programs store (lowering only)
    control    ///< a lane's time, stop, step to try and the like (solvers only)
};
inline constexpr int n_leaf_kinds = 11;

struct Leaf {
    LeafKind kind = LeafKind::time;
    int index = 0;
    bool operator==(const Leaf&) const = default;
};

/// A node of an ExpressionGraph: a number, valid for the graph that made it.
struct Expr {
    std::uint32_t id = UINT32_MAX;
    bool is_set() const { return id != UINT32_MAX; }
    bool operator==(const Expr&) const = default;
};

struct Node {
    Op op = Op::constant;
    Expr a, b, c;
    double value = 0.0; ///< of a constant
    Leaf leaf;          ///< of a leaf
};

/// Builder and owner of nodes. Building simplifies: constants fold, x+0, x·1, x·0, x−x, −(−x),
/// exp(log x), select with a known condition and the like vanish; small integer powers become
/// products. A simplification never depends on what else is in the graph, so adding an expression
/// changes no bit of another's value. Nodes are numbered so that operands precede users.
class ExpressionGraph {
public:
    Expr constant(double value);
    Expr leaf(LeafKind kind, int index = 0);

    Expr add(Expr a, Expr b);
    Expr subtract(Expr a, Expr b);
    Expr multiply(Expr a, Expr b);
    Expr divide(Expr a, Expr b);
    Expr negate(Expr a);
    /// base^exponent. Integer constants up to 64 become products, ±½ a square root. Otherwise a
    /// base that depends on states counts as max(0, base), so that a level that rounding left below
    /// 0 does no harm (docs/decisions/powers.md).
    Expr power(Expr base, Expr exponent);
    Expr select(Expr condition, Expr if_true, Expr if_false);
    Expr unary(Op op, Expr a);          ///< absolute … error_function, logical_not
    Expr binary(Op op, Expr a, Expr b); ///< any two-operand op, the above included
    /// Lowering's fused forms: op is fused_multiply_add or fused_negative_multiply_add.
    Expr fused(Op op, Expr a, Expr b, Expr c);
    /// Any operation from its operands, simplified: what substitute() and rewriting passes call.
    Expr make(Op op, Expr a, Expr b = {}, Expr c = {});

    const Node& node(Expr e) const { return nodes_[e.id]; }
    std::size_t size() const { return nodes_.size(); }
    bool is_constant(Expr e) const { return node(e).op == Op::constant; }
    bool is_constant(Expr e, double value) const;

    /// Exact: whether a leaf of that kind is in e.
    bool depends_on(Expr e, LeafKind kind) const {
        return (facts_[e.id].kinds >> static_cast<int>(kind) & 1U) != 0;
    }
    /// Whether e has leaves, and all are inputs.
    bool is_of_inputs(Expr e) const {
        return facts_[e.id].kinds == 1U << static_cast<int>(LeafKind::input);
    }
    /// Equal for equal expressions in any graph: never of the numbering of nodes.
    std::uint64_t content_hash(Expr e) const { return facts_[e.id].content; }

    /// ∂e/∂leaf, memoised; min, max, abs and select differentiate the chosen branch. Powers and
    /// square roots have a finite derivative at 0 (docs/decisions/powers.md).
    Expr differentiate(Expr e, Leaf leaf);

    /// e with leaves replaced; `with` maps leaf nodes to expressions. One memo per call of the
    /// span form, so that substituting a whole system shares its work.
    std::vector<Expr> substitute(std::span<const Expr> expressions,
                                 const std::unordered_map<std::uint32_t, Expr>& with);

    /// Value by the maths of the lanes, one node at a time; `value_of(leaf)` gives leaves. For
    /// tests and single numbers. Lowering fuses operations, so programs may differ in the last bit.
    template <class LeafValue>
    double evaluate(Expr e, LeafValue value_of) const;

    /// The leaves e depends on, each once, in order of kind and index.
    std::vector<Leaf> leaves(std::span<const Expr> expressions) const;

    /// For messages and debugging: infix text with leaf names such as state0, input3, t.
    std::string text(Expr e) const;

private:
    /// What is known of a node besides itself.
    struct Facts {
        std::uint64_t content = 0; ///< hash of the expression
        std::uint64_t leaves = 0;  ///< one bit per leaf, shared when there are many: may depend
        std::uint32_t kinds = 0;   ///< one bit per LeafKind
    };
    Expr intern(Node node);
    Facts facts_of(const Node& node) const;
    void grow_table();
    void order(Expr& a, Expr& b) const;
    bool comes_before(Expr a, Expr b) const;
    bool may_depend_on(Expr e, Leaf leaf) const;
    bool is_boolean(Expr e) const;
    bool has_op(Expr e, Op op) const { return node(e).op == op; }
    Expr integer_power(Expr base, int exponent);
    Expr extreme(Op op, Expr a, Expr b);
    Expr logical(Op op, Expr a, Expr b);
    Expr folded(Op op, Expr a, Expr b = {}, Expr c = {});
    Expr derivative_of(Expr e, Leaf leaf);
    Expr power_derivative(Expr e, Expr da, Expr db);

    std::vector<Node> nodes_;
    std::vector<Facts> facts_;         ///< beside nodes_
    std::vector<std::uint32_t> table_; ///< node numbers by hash, open addressing, a power of two
    std::unordered_map<std::uint64_t, Expr> derivatives_; ///< by leaf node and node
};

/// The derivative of x^g divides by max(x, this), so that it is finite at 0.
inline constexpr double smallest_base = 1e-20;

/// How many operands an operation has: 0 … 3.
int n_operands(Op op);
/// The word for an operation in texts: "add", "fused_multiply_add", …
std::string_view name(Op op);
/// The word for a kind of leaf: "time", "state", …
std::string_view name(LeafKind kind);

/// The value of one operation on doubles, by the same maths the lanes use.
double apply(Op op, double a, double b, double c);
/// The same for columns of one length, side by side in lanes: the bits of one number at a time.
/// @param out      may be one of the operands
/// @param a, b, c  as many as the operation has
void apply(Op op,
           std::span<double> out,
           const double* a,
           const double* b = nullptr,
           const double* c = nullptr);

template <class LeafValue>
double ExpressionGraph::evaluate(Expr e, LeafValue value_of) const {
    std::vector<double> values(e.id + 1, 0.0);
    std::vector<char> needed(e.id + 1, 0);
    needed[e.id] = 1;
    for (std::uint32_t i = e.id + 1; i-- > 0;)
        if (needed[i])
            for (Expr operand : {nodes_[i].a, nodes_[i].b, nodes_[i].c})
                if (operand.is_set()) needed[operand.id] = 1;
    const auto at = [&](Expr x) { return x.is_set() ? values[x.id] : 0.0; };
    for (std::uint32_t i = 0; i <= e.id; ++i) {
        if (!needed[i]) continue;
        const Node& n = nodes_[i];
        if (n.op == Op::constant)
            values[i] = n.value;
        else if (n.op == Op::leaf)
            values[i] = value_of(n.leaf);
        else
            values[i] = apply(n.op, at(n.a), at(n.b), at(n.c));
    }
    return values[e.id];
}

} // namespace gemel::sim
