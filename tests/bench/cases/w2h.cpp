#include "baselines.hpp"

namespace gemel::bench {
namespace {

struct W2h {
    static constexpr int n_states = 3, n_inputs = 7, n_outputs = 2;
    double ka, k, by_v, kin, kout, by_ec50, gamma, base;

    void load(const double* in) {
        ka = in[2];
        by_v = 1.0 / in[1];
        k = in[0] * by_v;
        by_ec50 = by_v / in[3]; // of an amount
        kout = in[4];
        base = in[5];
        gamma = in[6];
        kin = kout * base;
    }
    void initial(double* y) const {
        y[0] = y[1] = 0.0;
        y[2] = base;
    }
    double power(double amount) const {
        return amount > 0.0 ? std::exp(gamma * std::log(amount * by_ec50)) : 0.0;
    }
    void rates(const double* y, double* dydt) const {
        const double absorbed = ka * y[0];
        dydt[0] = -absorbed;
        dydt[1] = absorbed - k * y[1];
        dydt[2] = kin / (1.0 + power(y[1])) - kout * y[2];
    }
    void jacobian(const double* y, double* j) const {
        const double u = power(y[1]), by = 1.0 / (1.0 + u);
        j[0] = -ka;
        j[1] = ka;
        j[4] = -k;
        j[5] = y[1] > 0.0 ? -kin * gamma * u * by * by / y[1] : 0.0;
        j[8] = -kout;
    }
    void outputs(const double* y, double* out) const {
        out[0] = by_v * y[1];
        out[1] = y[2];
    }
};

sim::Problem problem() {
    sim::Problem p("W2h", 144.0);
    const sim::Term cl = p.input("CL", 0.135, 0.3), v = p.input("V", 8.0, 0.3),
                    ka = p.input("KA", 1.6, 0.3), ec50 = p.input("EC50", 1.2, 0.3),
                    kout = p.input("KOUT", 0.05, 0.3), base = p.input("E0", 100.0, 0.3),
                    gamma = p.input("GAMMA", 1.5, 0.3);
    const sim::Term depot = p.dosed_state("depot"), central = p.dosed_state("central"),
                    response = p.state("PCA", base);
    const sim::Term c = central / v;
    p.rate(depot, -(ka * depot));
    p.rate(central, ka * depot - cl / v * central);
    p.rate(response, kout * base / (1.0 + pow(c / ec50, gamma)) - kout * response);
    p.output("C", c);
    p.output("PCA", response);
    p.bolus(depot, 100.0);
    p.sample(72);
    scale_by_one(p);
    return p;
}

} // namespace

Case w2h() {
    return case_of<W2h>("W2h", "W2 with a Hill exponent", problem);
}

} // namespace gemel::bench
