#include "baselines.hpp"

namespace gemel::bench {
namespace {

struct Wg {
    static constexpr int n_states = 6, n_inputs = 7, n_outputs = 2;
    double ka, k, by_v, growth, slope, potency, death, w0;

    void load(const double* in) {
        ka = in[2];
        by_v = 1.0 / in[1];
        k = in[0] * by_v;
        growth = in[3];
        slope = in[3] / 0.3;
        potency = in[4] * by_v; // per amount
        death = in[5];
        w0 = in[6];
    }
    void initial(double* y) const {
        std::fill_n(y, 6, 0.0);
        y[2] = w0;
    }
    void rates(const double* y, double* dydt) const {
        const double absorbed = ka * y[0], kill = potency * y[1] * y[2];
        const double weight = (y[2] + y[3]) + (y[4] + y[5]);
        dydt[0] = -absorbed;
        dydt[1] = absorbed - k * y[1];
        dydt[2] = growth * y[2] / (1.0 + slope * weight) - kill;
        dydt[3] = kill - death * y[3];
        dydt[4] = death * (y[3] - y[4]);
        dydt[5] = death * (y[4] - y[5]);
    }
    void jacobian(const double* y, double* j) const {
        const double by = 1.0 / (1.0 + slope * ((y[2] + y[3]) + (y[4] + y[5])));
        const double by_weight = -growth * y[2] * slope * by * by;
        const double by_drug = potency * y[2], by_cells = potency * y[1];
        j[0] = -ka;
        j[1] = ka;
        j[7] = -k;
        j[8] = -by_drug;
        j[9] = by_drug;
        j[14] = growth * by + by_weight - by_cells;
        j[15] = by_cells;
        j[20] = by_weight;
        j[21] = -death;
        j[22] = death;
        j[26] = by_weight;
        j[28] = -death;
        j[29] = death;
        j[32] = by_weight;
        j[35] = -death;
    }
    void outputs(const double* y, double* out) const {
        out[0] = by_v * y[1];
        out[1] = (y[2] + y[3]) + (y[4] + y[5]);
    }
};

sim::Problem problem() {
    sim::Problem p("WG", 28.0);
    const sim::Term cl = p.input("CL", 2.0, 0.3), v = p.input("V", 2.0, 0.3),
                    ka = p.input("KA", 10.0, 0.3), growth = p.input("L0", 0.27, 0.3),
                    potency = p.input("K2", 0.1, 0.3), death = p.input("K1", 0.8, 0.3),
                    w0 = p.input("W0", 0.2, 0.3);
    const sim::Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    const sim::Term cells = p.state("cells", w0);
    const sim::Term zero = p.number(0.0);
    const sim::Term x1 = p.state("dying1", zero), x2 = p.state("dying2", zero),
                    x3 = p.state("dying3", zero);
    const sim::Term weight = cells + x1 + x2 + x3;
    const sim::Term kill = potency / v * central * cells;
    p.rate(depot, -(ka * depot));
    p.rate(central, ka * depot - cl / v * central);
    p.rate(cells, growth * cells / (1.0 + growth / 0.3 * weight) - kill);
    p.rate(x1, kill - death * x1);
    p.rate(x2, death * x1 - death * x2);
    p.rate(x3, death * x2 - death * x3);
    p.output("C", central / v);
    p.output("weight", weight);
    p.bolus(depot, 10.0, 4.0, 4.0, 2);
    p.sample(56);
    scale_by_one(p);
    return p;
}

} // namespace

Case wg() {
    return case_of<Wg>("WG", "tumour growth with transit of dying cells, oral doses", problem);
}

} // namespace gemel::bench
