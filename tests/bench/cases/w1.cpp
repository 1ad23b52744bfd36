#include "baselines.hpp"

namespace gemel::bench {
namespace {

struct W1 {
    static constexpr int n_states = 2, n_inputs = 3, n_outputs = 1;
    double ka, k, by_v;

    void load(const double* in) {
        ka = in[2];
        by_v = 1.0 / in[1];
        k = in[0] * by_v;
    }
    void initial(double* y) const { y[0] = y[1] = 0.0; }
    void rates(const double* y, double* dydt) const {
        const double absorbed = ka * y[0];
        dydt[0] = -absorbed;
        dydt[1] = absorbed - k * y[1];
    }
    void jacobian(const double*, double* j) const {
        j[0] = -ka;
        j[1] = ka;
        j[3] = -k;
    }
    void outputs(const double* y, double* out) const { out[0] = by_v * y[1]; }
};

sim::Problem problem() {
    sim::Problem p("W1", 336.0);
    const sim::Term cl = p.input("CL", 5.0, 0.3), v = p.input("V", 50.0, 0.3),
                    ka = p.input("KA", 1.0, 0.3);
    const sim::Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    p.rate(depot, -(ka * depot));
    p.rate(central, ka * depot - cl / v * central);
    p.output("C", central / v);
    p.bolus(depot, 100.0, 0.0, 24.0, 14);
    p.sample(336);
    scale_by_one(p);
    return p;
}

} // namespace

Case w1() {
    return case_of<W1>("W1", "one compartment, oral, 14 daily doses, hourly", problem);
}

} // namespace gemel::bench
