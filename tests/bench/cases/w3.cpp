#include "baselines.hpp"

namespace gemel::bench {
namespace {

constexpr double q = 0.5, v2 = 3.0, k21 = q / v2, koff = 1.0;

/// Amounts [nmol] of the drug, concentrations [nM] of target and complex, days.
struct W3 {
    static constexpr int n_states = 5, n_inputs = 8, n_outputs = 3;
    double ka, f, kel, k12, kon, ksyn, kdeg, kint, r0, v, by_v;

    void load(const double* in) {
        ka = in[2];
        v = in[1];
        by_v = 1.0 / v;
        kel = in[0] * by_v;
        k12 = q * by_v;
        kon = in[3];
        r0 = in[4];
        kdeg = in[5];
        ksyn = kdeg * r0;
        kint = in[6];
        f = in[7];
    }
    void initial(double* y) const {
        y[0] = y[1] = y[2] = y[4] = 0.0;
        y[3] = r0;
    }
    void rates(const double* y, double* dydt) const {
        const double absorbed = ka * y[0], c = by_v * y[1];
        const double binding = kon * c * y[3] - koff * y[4];
        const double out = k12 * y[1], back = k21 * y[2];
        dydt[0] = -absorbed;
        dydt[1] = f * absorbed - kel * y[1] - out + back - v * binding;
        dydt[2] = out - back;
        dydt[3] = ksyn - kdeg * y[3] - binding;
        dydt[4] = binding - kint * y[4];
    }
    void jacobian(const double* y, double* j) const {
        const double by_target = kon * by_v * y[1], by_drug = kon * by_v * y[3];
        j[0] = -ka;
        j[1] = f * ka;
        j[6] = -kel - k12 - v * by_drug;
        j[7] = k12;
        j[8] = -by_drug;
        j[9] = by_drug;
        j[11] = k21;
        j[12] = -k21;
        j[16] = -v * by_target;
        j[18] = -kdeg - by_target;
        j[19] = by_target;
        j[21] = v * koff;
        j[23] = koff;
        j[24] = -koff - kint;
    }
    void outputs(const double* y, double* out) const {
        out[0] = by_v * y[1];
        out[1] = y[3];
        out[2] = y[4];
    }
};

sim::Problem problem() {
    sim::Problem p("W3", 84.0);
    p.is_stiff = true;
    const sim::Term cl = p.input("CL", 0.4, 0.3), v = p.input("V", 3.0, 0.3),
                    ka = p.input("KA", 0.3, 0.3), kon = p.input("KON", 17.0, 0.3),
                    r0 = p.input("R0", 5.0, 0.3), kdeg = p.input("KDEG", 2.0, 0.3),
                    kint = p.input("KINT", 0.5, 0.3), f = p.input("F", 0.6, 0.0);
    const sim::Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    const sim::Term peripheral = p.state("peripheral", p.number(0.0));
    const sim::Term target = p.state("R", r0), complex = p.state("RC", p.number(0.0));
    const sim::Term c = central / v, binding = kon * c * target - koff * complex;
    p.rate(depot, -(ka * depot));
    p.rate(central,
           f * ka * depot - cl / v * central - q / v * central + q / v2 * peripheral - v * binding);
    p.rate(peripheral, q / v * central - q / v2 * peripheral);
    p.rate(target, kdeg * r0 - kdeg * target - binding);
    p.rate(complex, binding - kint * complex);
    p.output("C", c);
    p.output("R", target);
    p.output("RC", complex);
    p.bolus(depot, 1500.0, 0.0, 21.0, 4);
    p.sample(168);
    scale_by_one(p);
    return p;
}

} // namespace

Case w3() {
    Case w3 = case_of<W3>("W3", "target-mediated disposition, 4 doses, stiff", problem);
    w3.n_timed = 128;
    return w3;
}

} // namespace gemel::bench
