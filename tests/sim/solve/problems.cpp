#include "sim/solve/problems.hpp"

#include <gemel/sim/random.hpp>

#include <cmath>

namespace gemel::sim {

namespace {

Term combine(Op op, Term a, Term b) {
    return {a.graph, a.graph->binary(op, a.expr, b.expr)};
}
Term constant(Term like, double value) {
    return {like.graph, like.graph->constant(value)};
}

} // namespace

Term operator+(Term a, Term b) {
    return {a.graph, a.graph->add(a.expr, b.expr)};
}
Term operator-(Term a, Term b) {
    return {a.graph, a.graph->subtract(a.expr, b.expr)};
}
Term operator*(Term a, Term b) {
    return {a.graph, a.graph->multiply(a.expr, b.expr)};
}
Term operator/(Term a, Term b) {
    return {a.graph, a.graph->divide(a.expr, b.expr)};
}
Term operator-(Term a) {
    return {a.graph, a.graph->negate(a.expr)};
}
Term operator+(double a, Term b) {
    return constant(b, a) + b;
}
Term operator-(double a, Term b) {
    return constant(b, a) - b;
}
Term operator*(double a, Term b) {
    return constant(b, a) * b;
}
Term operator/(double a, Term b) {
    return constant(b, a) / b;
}
Term operator-(Term a, double b) {
    return a - constant(a, b);
}
Term operator/(Term a, double b) {
    return a / constant(a, b);
}
Term operator<(Term a, double b) {
    return combine(Op::less, a, constant(a, b));
}
Term pow(Term a, Term b) {
    return {a.graph, a.graph->power(a.expr, b.expr)};
}
Term pow(Term a, double b) {
    return pow(a, constant(a, b));
}
Term cos(Term a) {
    return {a.graph, a.graph->unary(Op::cosine, a.expr)};
}
Term select(Term condition, Term if_true, Term if_false) {
    return {condition.graph, condition.graph->select(condition.expr, if_true.expr, if_false.expr)};
}

Problem::Problem(std::string title, double end) : name(std::move(title)) {
    timeline.end = end;
}

// Terms point into a problem's graph, so a problem must not move while it is being built: builders
// make it in place and return it by copy elision.
Term Problem::input(const std::string& title, double median, double sd) {
    const int index = static_cast<int>(system.inputs.size());
    system.inputs.push_back({title, {}, InputClass::per_subject});
    medians.push_back(median);
    sds.push_back(sd);
    return {&system.graph, system.graph.leaf(LeafKind::input, index)};
}

Term Problem::dosed_state(const std::string& title) {
    Term term = state(title, number(0.0));
    definition(term).takes_doses = true;
    return term;
}

Term Problem::state(const std::string& title, Term initial) {
    const int index = static_cast<int>(system.states.size());
    State state;
    state.name = title;
    state.rate = system.graph.constant(0.0);
    state.initial = initial.expr;
    system.states.push_back(state);
    return {&system.graph, system.graph.leaf(LeafKind::state, index)};
}

Term Problem::time() {
    return {&system.graph, system.graph.leaf(LeafKind::time)};
}
Term Problem::number(double value) {
    return {&system.graph, system.graph.constant(value)};
}
State& Problem::definition(Term state) {
    return system.states[static_cast<std::size_t>(system.graph.node(state.expr).leaf.index)];
}
void Problem::rate(Term state, Term value) {
    definition(state).rate = value.expr;
}

int Problem::output(const std::string& title, Term value) {
    system.outputs.push_back({title, {}, title, value.expr});
    return static_cast<int>(system.outputs.size()) - 1;
}

void Problem::bolus(Term state, double amount, double at, double every, int count) {
    Record record;
    record.time = at;
    record.state = system.graph.node(state.expr).leaf.index;
    record.amount = amount;
    record.interval = every;
    record.count = count;
    timeline.records.push_back(record);
}

void Problem::infuse(Term state, double amount, double over, double at, double every, int count) {
    bolus(state, amount, at, every, count);
    timeline.records.back().kind = RecordKind::infuse;
    timeline.records.back().duration = over;
}

void Problem::sample(int n) {
    std::vector<double> times;
    for (int i = 0; i <= n; ++i)
        times.push_back(timeline.end * i / n);
    for (int k = 0; k < static_cast<int>(system.outputs.size()); ++k)
        sample_output(k, times);
}

void Problem::sample_output(int output, std::vector<double> times) {
    observation.sampled.push_back({output, std::move(times)});
}

int Problem::functional(FunctionalKind kind, int output, double from, double to, double threshold) {
    observation.functionals.push_back({kind, output, from, to, threshold});
    return static_cast<int>(observation.functionals.size()) - 1;
}

std::vector<double> Problem::patients(int n_subjects, std::uint64_t seed) const {
    std::vector<double> columns;
    for (std::size_t i = 0; i < medians.size(); ++i)
        for (int subject = 0; subject < n_subjects; ++subject) {
            RandomStream stream({seed, 0, static_cast<std::uint64_t>(subject)},
                                purpose_number("eta/" + system.inputs[i].name));
            const double eta = subject == 0 ? 0.0 : sds[i] * stream.normal();
            columns.push_back(medians[i] * std::exp(eta));
        }
    return columns;
}

BlockResult solve(const Solver& solver,
                  const CompiledSystem& system,
                  const Problem& problem,
                  const std::vector<double>& inputs,
                  const SolverOptions& options) {
    BlockProblem block;
    block.n_subjects = static_cast<int>(inputs.size() / problem.medians.size());
    block.inputs = inputs;
    block.timeline = &problem.timeline;
    block.observation = &problem.observation;
    BlockResult result;
    solver.prepare(system, options)->worker()->solve(block, result);
    return result;
}

Problem rescaled(const Problem& problem, double factor) {
    Problem scaled = problem;
    ExpressionGraph& graph = scaled.system.graph;
    const Expr by = graph.constant(factor);
    std::unordered_map<std::uint32_t, Expr> with;
    std::vector<Expr> expressions;
    for (std::size_t i = 0; i < scaled.system.states.size(); ++i) {
        const Expr leaf = graph.leaf(LeafKind::state, static_cast<int>(i));
        with[leaf.id] = graph.divide(leaf, by);
        expressions.push_back(scaled.system.states[i].rate);
    }
    for (const NamedExpr& output : scaled.system.outputs)
        expressions.push_back(output.value);
    const std::vector<Expr> replaced = graph.substitute(expressions, with);
    std::size_t next = 0;
    for (State& state : scaled.system.states) {
        state.rate = graph.multiply(replaced[next++], by);
        state.initial = graph.multiply(state.initial, by);
        state.scale *= factor;
    }
    for (NamedExpr& output : scaled.system.outputs)
        output.value = replaced[next++];
    for (Record& record : scaled.timeline.records) {
        record.amount *= factor;
        if (record.rate > 0.0) record.rate *= factor;
    }
    return scaled;
}

Problem oral_one_compartment() {
    Problem p("oral, one compartment", 168.0);
    const Term ka = p.input("ka", 1.2, 0.3), cl = p.input("CL", 5.0, 0.25);
    const Term v = p.input("V", 42.0, 0.15);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    p.rate(depot, -ka * depot);
    p.rate(central, ka * depot - cl / v * central);
    p.output("C", central / v);
    p.bolus(depot, 100.0, 0.0, 24.0, 7);
    p.sample(168);
    return p;
}

Problem iv_two_compartments() {
    Problem p("intravenous, two compartments", 72.0);
    const Term cl = p.input("CL", 3.0, 0.3), v1 = p.input("V1", 10.0, 0.2);
    const Term q = p.input("Q", 5.0, 0.3), v2 = p.input("V2", 30.0, 0.3);
    const Term central = p.dosed_state("central"), peripheral = p.dosed_state("peripheral");
    p.rate(central, q / v2 * peripheral - q / v1 * central - cl / v1 * central);
    p.rate(peripheral, q / v1 * central - q / v2 * peripheral);
    p.output("C", central / v1);
    p.output("P", peripheral / v2);
    p.bolus(central, 50.0);
    p.infuse(central, 200.0, 2.0, 12.0, 24.0, 2);
    p.sample(72);
    return p;
}

Problem iv_three_compartments() {
    Problem p("intravenous, three compartments", 48.0);
    const Term cl = p.input("CL", 1.6, 0.3), v1 = p.input("V1", 4.3, 0.2);
    const Term q2 = p.input("Q2", 2.1, 0.3), v2 = p.input("V2", 9.7, 0.3);
    const Term q3 = p.input("Q3", 0.8, 0.3), v3 = p.input("V3", 120.0, 0.3);
    const Term central = p.dosed_state("central");
    const Term fast = p.dosed_state("fast"), slow = p.dosed_state("slow");
    p.rate(central, q2 / v2 * fast + q3 / v3 * slow - (cl + q2 + q3) / v1 * central);
    p.rate(fast, q2 / v1 * central - q2 / v2 * fast);
    p.rate(slow, q3 / v1 * central - q3 / v3 * slow);
    p.output("C", central / v1);
    p.bolus(central, 20.0);
    p.infuse(central, 60.0, 6.0, 1.0);
    p.infuse(central, 30.0, 6.0, 4.0);
    p.sample(96);
    return p;
}

Problem transit_absorption() {
    Problem p("transit absorption, linear", 48.0);
    const Term ktr = p.input("ktr", 2.0, 0.3), cl = p.input("CL", 5.0, 0.25);
    const Term v = p.input("V", 42.0, 0.15), q = p.input("Q", 4.0, 0.3);
    std::vector<Term> chain;
    for (int i = 0; i < 5; ++i)
        chain.push_back(p.dosed_state("transit" + std::to_string(i)));
    const Term central = p.dosed_state("central"), peripheral = p.dosed_state("peripheral");
    p.rate(chain[0], -ktr * chain[0]);
    for (int i = 1; i < 5; ++i)
        p.rate(chain[i], ktr * chain[i - 1] - ktr * chain[i]);
    p.rate(central, ktr * chain[4] - (cl + q) / v * central + q / 60.0 * peripheral);
    p.rate(peripheral, q / v * central - q / 60.0 * peripheral);
    p.output("C", central / v);
    p.bolus(chain[0], 100.0, 0.0, 12.0, 3);
    p.infuse(central, 40.0, 3.0, 5.0);
    p.sample(96);
    return p;
}

Problem lag_and_bioavailability() {
    Problem p("lag, bioavailability and a baseline", 96.0);
    const Term ka = p.input("ka", 0.9, 0.3), k = p.input("k", 0.12, 0.25);
    const Term lag = p.input("lag", 0.7, 0.4), f = p.input("F", 0.6, 0.2);
    const Term kin = p.input("kin", 0.4, 0.2);
    const Term depot = p.dosed_state("depot"), central = p.state("central", kin / k);
    p.definition(central).takes_doses = true;
    p.definition(depot).lag = lag.expr;
    p.definition(depot).bioavailability = f.expr;
    p.rate(depot, -ka * depot);
    p.rate(central, kin + ka * depot - k * central);
    p.output("A", central);
    p.bolus(depot, 30.0, 0.0, 12.0, 8);
    p.infuse(depot, 10.0, 5.0, 3.0, 24.0, 4);
    p.sample(192);
    return p;
}

namespace {

/// Warfarin-like: oral drug inhibits the production of a response.
Problem turnover(const std::string& title, bool is_hill) {
    Problem p(title, 144.0);
    const Term ka = p.input("ka", 1.2, 0.3), k = p.input("k", 0.017, 0.25);
    const Term v = p.input("V", 8.0, 0.2), kout = p.input("kout", 0.05, 0.2);
    const Term base = p.input("base", 96.0, 0.1), ec50 = p.input("EC50", 1.2, 0.3);
    const Term gamma = is_hill ? p.input("gamma", 1.8, 0.2) : p.number(1.0);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    const Term response = p.state("response", base);
    const Term c = central / v;
    const Term effect =
        is_hill ? pow(c, gamma) / (pow(ec50, gamma) + pow(c, gamma)) : c / (ec50 + c);
    p.rate(depot, -ka * depot);
    p.rate(central, ka * depot - k * central);
    p.rate(response, kout * (base * (1.0 - effect) - response));
    p.output("C", c);
    p.output("R", response);
    p.bolus(depot, 100.0);
    p.sample(72);
    return p;
}

} // namespace

Problem turnover_emax() {
    return turnover("turnover, Emax", false);
}
Problem turnover_hill() {
    return turnover("turnover, Hill", true);
}

Problem michaelis_menten() {
    Problem p("Michaelis-Menten elimination", 96.0);
    const Term ka = p.input("ka", 0.8, 0.3), vmax = p.input("Vmax", 18.0, 0.25);
    const Term km = p.input("Km", 4.0, 0.3), v = p.input("V", 50.0, 0.15);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    const Term c = central / v;
    p.rate(depot, -ka * depot);
    p.rate(central, ka * depot - vmax * c / (km + c));
    p.output("C", c);
    p.bolus(depot, 300.0, 0.0, 24.0, 3);
    p.infuse(central, 200.0, 4.0, 30.0);
    p.sample(96);
    return p;
}

Problem target_mediated() {
    // Full model of Mager and Jusko (2001), J Pharmacokinet Pharmacodyn 28:507-532; days and
    // nmol/L, binding some thousand times faster than elimination.
    Problem p("target-mediated disposition, stiff", 14.0);
    p.is_stiff = true;
    const Term ka = p.input("ka", 0.5, 0.2), kel = p.input("kel", 0.06, 0.2);
    const Term kon = p.input("kon", 10.0, 0.3), koff = p.input("koff", 2.0, 0.3);
    const Term kint = p.input("kint", 0.4, 0.2), kdeg = p.input("kdeg", 0.6, 0.2);
    const Term r0 = p.input("R0", 12.0, 0.3);
    const Term depot = p.dosed_state("depot"), drug = p.dosed_state("drug");
    const Term target = p.state("target", r0), complex = p.dosed_state("complex");
    const Term binding = kon * drug * target - koff * complex;
    p.rate(depot, -ka * depot);
    p.rate(drug, ka * depot - kel * drug - binding);
    p.rate(target, kdeg * (r0 - target) - binding);
    p.rate(complex, binding - kint * complex);
    p.output("drug", drug);
    p.output("target", target);
    p.output("complex", complex);
    p.bolus(depot, 200.0, 0.0, 7.0, 2);
    p.sample(56);
    return p;
}

Problem van_der_pol() {
    // On the slow branch: a fast rate of about 3·mu beside a slow one of about 1/mu.
    Problem p("Van der Pol, mildly stiff", 10.0);
    p.is_stiff = true;
    const Term mu = p.input("mu", 20.0, 0.05);
    const Term x = p.state("x", p.number(2.0)), v = p.state("v", p.number(0.0));
    p.definition(x).scale = 2.0;
    p.definition(v).scale = 0.1;
    p.rate(x, v);
    p.rate(v, mu * (1.0 - x * x) * v - x);
    p.output("x", x);
    p.sample(50);
    return p;
}

Problem modulated_growth() {
    // y' = a·cos(w·t)·y: y = y0·exp(a/w·sin(w·t)).
    Problem p("modulated growth, not autonomous", 10.0);
    const Term a = p.input("a", 2.0, 0.2), w = p.input("w", 3.0, 0.1), y0 = p.input("y0", 1.0, 0.3);
    const Term y = p.state("y", y0);
    p.rate(y, a * cos(w * p.time()) * y);
    p.output("y", y);
    p.sample(50);
    return p;
}

Problem tumour_growth() {
    // Simeoni et al. (2004), Cancer Res 64:1094-1101: growth that turns from exponential to linear,
    // a transit chain of dying cells.
    Problem p("tumour growth with transit", 30.0);
    const Term k = p.input("k", 1.5, 0.2), potency = p.input("k2", 0.03, 0.3);
    const Term death = p.input("k1", 0.8, 0.2), fast = p.input("l0", 0.27, 0.2);
    const Term linear = p.input("l1", 0.75, 0.2), w0 = p.input("w0", 0.2, 0.2);
    const Term drug = p.dosed_state("drug");
    const Term cells = p.state("cells", w0);
    std::vector<Term> dying;
    for (int i = 0; i < 3; ++i) {
        dying.push_back(p.state("dying" + std::to_string(i), p.number(0.0)));
        p.definition(dying.back()).scale = 0.2;
    }
    const Term weight = cells + dying[0] + dying[1] + dying[2];
    const Term brake = pow(1.0 + pow(fast / linear * weight, 20.0), 1.0 / 20.0);
    p.rate(drug, -k * drug);
    p.rate(cells, fast * cells / brake - potency * drug * cells);
    p.rate(dying[0], potency * drug * cells - death * dying[0]);
    p.rate(dying[1], death * dying[0] - death * dying[1]);
    p.rate(dying[2], death * dying[1] - death * dying[2]);
    p.output("weight", weight);
    p.bolus(drug, 30.0, 8.0, 4.0, 3);
    p.sample(60);
    return p;
}

std::vector<Problem> all_problems() {
    std::vector<Problem> problems;
    for (auto make : {oral_one_compartment,
                      iv_two_compartments,
                      iv_three_compartments,
                      transit_absorption,
                      lag_and_bioavailability,
                      turnover_emax,
                      turnover_hill,
                      michaelis_menten,
                      target_mediated,
                      van_der_pol,
                      modulated_growth,
                      tumour_growth})
        problems.push_back(make());
    return problems;
}

} // namespace gemel::sim
