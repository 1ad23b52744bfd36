#include "sim/solve/random_models.hpp"

#include <cmath>
#include <random>

namespace gemel::sim {
namespace {

/// Draws by hand: the library's distributions differ between machines.
class Dice {
public:
    explicit Dice(unsigned seed) : generator_(seed) {}
    double uniform() { return generator_() / 4294967296.0; }
    double between(double low, double high) { return low * std::pow(high / low, uniform()); }
    int below(int n) { return static_cast<int>(uniform() * n); }
    bool happens(double probability) { return uniform() < probability; }

private:
    std::mt19937 generator_;
};

class ModelMaker {
public:
    ModelMaker(Problem& problem, RandomKind kind, unsigned seed)
        : p_(problem),
          kind_(kind),
          dice_(seed) {}

    void make() {
        make_states();
        make_exchange();
        make_elimination();
        if (dice_.happens(0.4)) add_metabolite();
        if (kind_ == RandomKind::stiff) add_fast_part();
        if (dice_.happens(0.4)) add_effect_site();
        if (kind_ != RandomKind::linear) add_response();
        make_absorption();
        for (std::size_t i = 0; i < states_.size(); ++i)
            p_.rate(states_[i], flows_[i]);
        give_doses();
        p_.sample(48);
        p_.functional(FunctionalKind::integral, 0, 0.0, p_.timeline.end);
        p_.functional(FunctionalKind::maximum, 0, 0.0, p_.timeline.end);
    }

private:
    Term input(const std::string& name, double low, double high) {
        return p_.input(name, dice_.between(low, high), 0.2);
    }
    Term rate(const std::string& name) { return input(name, 0.03, 3.0); }

    int add(Term state) {
        states_.push_back(state);
        flows_.push_back(p_.number(0.0));
        return static_cast<int>(states_.size()) - 1;
    }
    int add_dosed(const std::string& name) { return add(p_.dosed_state(name)); }
    Term& flow(int state) { return flows_[static_cast<std::size_t>(state)]; }
    Term state(int i) const { return states_[static_cast<std::size_t>(i)]; }
    void move(int from, int to, Term amount) {
        flow(from) = flow(from) - amount;
        flow(to) = flow(to) + amount;
    }

    void make_states() {
        volume_ = input("V", 5.0, 60.0);
        const int n = 1 + dice_.below(3);
        for (int i = 0; i < n; ++i)
            compartments_.push_back(add_dosed("compartment" + std::to_string(i)));
        central_ = compartments_[0];
        concentration_ = state(central_) / volume_;
        p_.output("C", concentration_);
    }

    /// Each compartment hangs on an earlier one; now and then one more link closes a loop.
    void make_exchange() {
        const int n = static_cast<int>(compartments_.size());
        for (int i = 1; i < n; ++i) {
            const int other = compartments_[static_cast<std::size_t>(dice_.below(i))];
            const int here = compartments_[static_cast<std::size_t>(i)];
            const std::string name = std::to_string(i);
            move(other, here, rate("out" + name) * state(other));
            move(here, other, rate("back" + name) * state(here));
        }
        if (n == 3 && dice_.happens(0.3))
            move(compartments_[2], central_, rate("loop") * state(compartments_[2]));
    }

    /// An enzyme that the drug induces multiplies the elimination.
    Term induction() {
        const Term kdeg = input("kdeg", 0.03, 0.3), most = input("Imax", 0.5, 4.0);
        const Term half = input("IC50", 0.3, 5.0);
        const int enzyme = add(p_.state("enzyme", p_.number(1.0)));
        flow(enzyme) =
            kdeg * (1.0 + most * concentration_ / (half + concentration_) - state(enzyme));
        return state(enzyme);
    }

    void make_elimination() {
        const Term linear = input("k", 0.03, 0.6) * state(central_);
        eliminated_ = linear;
        if (kind_ == RandomKind::linear) return leave();
        const int law = dice_.below(3);
        if (law > 0) {
            const Term most = input("Vmax", 1.0, 20.0), half = input("Km", 0.3, 5.0);
            const Term saturable = most * concentration_ / (half + concentration_);
            eliminated_ = law == 1 ? saturable : linear + saturable;
        }
        if (dice_.happens(0.3)) eliminated_ = eliminated_ * induction();
        leave();
    }
    void leave() { flow(central_) = flow(central_) - eliminated_; }

    /// May return to the central compartment (recirculation), or leave at the rate of the
    /// compartment it comes from.
    void add_metabolite() {
        const int metabolite = add_dosed("metabolite");
        const Term fraction = p_.input("fm", 0.2 + 0.6 * dice_.uniform(), 0.05);
        const Term out = rate("km");
        flow(metabolite) = fraction * eliminated_ - out * state(metabolite);
        if (dice_.happens(0.3)) flow(central_) = flow(central_) + 0.5 * (out * state(metabolite));
        p_.output("M", state(metabolite) / volume_);
    }

    /// A target that binds the drug, or a compartment in fast exchange.
    void add_fast_part() {
        if (dice_.happens(0.5)) {
            const int fast = add_dosed("fast");
            const Term k = input("kfast", 300.0, 3000.0);
            move(central_, fast, k * state(central_));
            move(fast, central_, 2.0 * (k * state(fast)));
            return;
        }
        const Term kon = input("kon", 10.0, 100.0), koff = input("koff", 3.0, 30.0);
        const Term kdeg = input("krec", 0.1, 1.0), r0 = input("R0", 3.0, 30.0);
        const int target = add(p_.state("target", r0)), bound = add_dosed("complex");
        const Term binding = kon * concentration_ * state(target) - koff * state(bound);
        flow(central_) = flow(central_) - binding;
        flow(target) = kdeg * (r0 - state(target)) - binding;
        flow(bound) = binding - rate("kint") * state(bound);
        p_.output("target", state(target));
    }

    void add_effect_site() {
        const int site = add(p_.state("site", p_.number(0.0)));
        p_.definition(state(site)).scale = 1.0;
        flow(site) = rate("ke0") * (concentration_ - state(site));
        driver_ = state(site);
        has_driver_ = true;
        p_.output("Ce", state(site));
    }

    /// A turnover whose production or loss the drug inhibits or stimulates, maybe at the end of a
    /// chain of precursors that it feeds back on.
    void add_response() {
        const Term driver = has_driver_ ? driver_ : concentration_;
        const Term kout = input("kout", 0.03, 0.6), base = input("base", 3.0, 100.0);
        const Term half = input("EC50", 0.3, 5.0), most = p_.input("Emax", 0.8, 0.05);
        const bool is_hill = dice_.happens(0.4);
        const Term gamma = is_hill ? input("gamma", 1.2, 3.0) : p_.number(1.0);
        const Term up = is_hill ? pow(driver, gamma) : driver;
        const Term down = is_hill ? pow(half, gamma) : half;
        const Term effect = most * up / (down + up);
        const Term factor = dice_.happens(0.5) ? 1.0 - effect : 1.0 + effect;
        const bool on_production = dice_.happens(0.5);
        const int n_chain = dice_.happens(0.4) ? 1 + dice_.below(3) : 0;
        const int response = add(p_.state("response", base));
        Term inflow = kout * base;
        if (n_chain > 0) inflow = inflow * pow(base / state(response), input("feedback", 0.1, 0.4));
        if (on_production) inflow = inflow * factor;
        for (int i = 0; i < n_chain; ++i) {
            const int precursor = add(p_.state("precursor" + std::to_string(i), base));
            flow(precursor) = inflow - kout * state(precursor);
            inflow = kout * state(precursor);
        }
        const Term loss = kout * state(response);
        flow(response) = inflow - (on_production ? loss : loss * factor);
        p_.output("R", state(response));
    }

    /// Chains have one rate, and so equal eigenvalues.
    void make_absorption() {
        const int n = dice_.below(3) == 0 ? 0 : 1 + dice_.below(4);
        entry_ = central_;
        if (n == 0) return;
        const Term ka = input("ka", 0.3, 3.0);
        int last = -1;
        for (int i = 0; i < n; ++i) {
            const int here = add_dosed("depot" + std::to_string(i));
            if (i == 0) entry_ = here;
            if (last >= 0) flow(here) = ka * state(last);
            flow(here) = flow(here) - ka * state(here);
            last = here;
        }
        flow(central_) = flow(central_) + ka * state(last);
    }

    void give_doses() {
        State& entry = p_.definition(state(entry_));
        if (dice_.happens(0.5)) entry.lag = input("lag", 0.1, 1.5).expr;
        if (dice_.happens(0.5)) entry.bioavailability = p_.input("F", 0.7, 0.1).expr;
        const double every = 6.0 * (1 + dice_.below(4));
        p_.bolus(state(entry_), dice_.between(10.0, 100.0), 0.0, every, 1 + dice_.below(4));
        if (dice_.happens(0.5))
            p_.infuse(state(central_), dice_.between(5.0, 50.0), 0.5 + 5.0 * dice_.uniform(), 3.0);
    }

    Problem& p_;
    RandomKind kind_;
    Dice dice_;
    std::vector<Term> states_, flows_;
    std::vector<int> compartments_;
    int central_ = 0, entry_ = 0;
    Term volume_, concentration_, eliminated_, driver_;
    bool has_driver_ = false;
};

const char* name(RandomKind kind) {
    switch (kind) {
    case RandomKind::linear:
        return "random linear ";
    case RandomKind::nonlinear:
        return "random nonlinear ";
    case RandomKind::stiff:
        break;
    }
    return "random stiff ";
}

} // namespace

Problem random_model(RandomKind kind, unsigned number) {
    Problem problem(name(kind) + std::to_string(number), 48.0);
    problem.is_stiff = kind == RandomKind::stiff;
    ModelMaker(problem, kind, 1000 * static_cast<unsigned>(kind) + number).make();
    return problem;
}

std::vector<Problem> random_models() {
    std::vector<Problem> problems;
    const auto add = [&](RandomKind kind, unsigned n) {
        for (unsigned number = 1; number <= n; ++number)
            problems.push_back(random_model(kind, number));
    };
    add(RandomKind::linear, 15);
    add(RandomKind::nonlinear, 25);
    add(RandomKind::stiff, 10);
    return problems;
}

} // namespace gemel::sim
