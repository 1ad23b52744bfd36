#include "baselines.hpp"

namespace gemel::bench {
namespace {

/// Organs between the arteries and the veins, of 70 kg; states [mg], hours.
enum Organ { adipose, bone, brain, heart, kidney, muscle, skin, gut, spleen, rest, n_organs };
constexpr double volume[] = {18.2, 10.5, 1.45, 0.33, 0.31, 29.0, 3.3, 1.2, 0.15, 3.0};
constexpr double flow[] = {19.5, 19.5, 46.8, 15.6, 74.1, 66.3, 19.5, 58.5, 11.7, 29.25};
constexpr double partition[] = {8.0, 1.5, 1.2, 2.0, 3.0, 1.8, 2.2, 2.5, 2.0, 1.6};
constexpr double v_vein = 3.73, v_artery = 1.87, v_lung = 0.5, v_liver = 1.8;
constexpr double k_lung = 1.5, k_liver = 4.0, q_hepatic_artery = 25.35;
constexpr double q_liver = 58.5 + 11.7 + q_hepatic_artery;
constexpr double total_flow() {
    double sum = q_hepatic_artery;
    for (double q : flow)
        sum += q;
    return sum;
}
constexpr double cardiac_output = total_flow(), unbound = 0.1;
/// States: lumen, vein, artery, lung, liver, then the organs.
constexpr int lumen = 0, vein = 1, artery = 2, lung = 3, liver = 4, first_organ = 5;

struct W4 {
    static constexpr int n_states = first_organ + n_organs, n_inputs = 5, n_outputs = 2;
    double ka, vmax, km, clr, by_size;
    double by_organ[n_organs], out_of_organ[n_organs]; ///< 1/(V·Kp), Q/(V·Kp)
    double by_liver, by_lung, by_vein, by_artery;
    double out_of_vein, out_of_lung, out_of_liver, excreted;

    /// Volumes grow with size; flows, clearances and the rest do not.
    void load(const double* in) {
        ka = in[0];
        vmax = in[1];
        km = in[2];
        clr = in[3];
        by_size = 1.0 / in[4];
        for (int i = 0; i < n_organs; ++i) {
            by_organ[i] = by_size / (volume[i] * partition[i]);
            out_of_organ[i] = flow[i] * by_organ[i];
        }
        by_liver = by_size / (v_liver * k_liver);
        by_lung = by_size / (v_lung * k_lung);
        by_vein = by_size / v_vein;
        by_artery = by_size / v_artery;
        out_of_vein = cardiac_output * by_vein;
        out_of_lung = cardiac_output * by_lung;
        out_of_liver = q_liver * by_liver;
        excreted = clr * unbound * by_organ[kidney];
    }
    void initial(double* y) const { std::fill_n(y, n_states, 0.0); }
    void rates(const double* y, double* dydt) const {
        const double absorbed = ka * y[lumen], ca = by_artery * y[artery];
        const double cu = unbound * by_liver * y[liver];
        const double from_lung = out_of_lung * y[lung], from_liver = out_of_liver * y[liver];
        double to_vein = from_liver;
        double leaves[n_organs];
        for (int i = 0; i < n_organs; ++i) {
            leaves[i] = out_of_organ[i] * y[first_organ + i];
            dydt[first_organ + i] = flow[i] * ca - leaves[i];
            if (i != gut && i != spleen) to_vein += leaves[i];
        }
        dydt[first_organ + kidney] -= excreted * y[first_organ + kidney];
        dydt[first_organ + gut] += absorbed;
        dydt[lumen] = -absorbed;
        dydt[vein] = to_vein - out_of_vein * y[vein];
        dydt[lung] = out_of_vein * y[vein] - from_lung;
        dydt[artery] = from_lung - cardiac_output * ca;
        dydt[liver] = q_hepatic_artery * ca + leaves[gut] + leaves[spleen] - from_liver -
                      vmax * cu / (km + cu);
    }
    void jacobian(const double* y, double* j) const {
        const auto at = [j](int row, int column) -> double& { return j[column * n_states + row]; };
        at(lumen, lumen) = -ka;
        at(first_organ + gut, lumen) = ka;
        at(vein, vein) = -out_of_vein;
        at(lung, vein) = out_of_vein;
        at(lung, lung) = -out_of_lung;
        at(artery, lung) = out_of_lung;
        at(artery, artery) = -cardiac_output * by_artery;
        at(liver, artery) = q_hepatic_artery * by_artery;
        for (int i = 0; i < n_organs; ++i) {
            at(first_organ + i, artery) = flow[i] * by_artery;
            at(first_organ + i, first_organ + i) = -out_of_organ[i];
            at(i == gut || i == spleen ? liver : vein, first_organ + i) = out_of_organ[i];
        }
        at(first_organ + kidney, first_organ + kidney) -= excreted;
        const double cu = unbound * by_liver * y[liver], by = 1.0 / (km + cu);
        at(vein, liver) = out_of_liver;
        at(liver, liver) = -out_of_liver - vmax * km * by * by * unbound * by_liver;
    }
    void outputs(const double* y, double* out) const {
        out[0] = by_vein * y[vein];
        out[1] = y[liver] * (by_size / v_liver);
    }
};

sim::Problem problem() {
    sim::Problem p("W4", 168.0);
    p.is_stiff = true;
    const sim::Term ka = p.input("KA", 1.0, 0.3), vmax = p.input("VMAX", 40.0, 0.3),
                    km = p.input("KM", 0.8, 0.3), clr = p.input("CLR", 5.0, 0.3),
                    size = p.input("size", 1.0, 0.3);
    const auto state = [&](const char* name) { return p.state(name, p.number(0.0)); };
    const sim::Term in_lumen = p.dosed_state("lumen"), in_vein = state("vein"),
                    in_artery = state("artery"), in_lung = state("lung"), in_liver = state("liver");
    const char* names[] = {
        "adipose", "bone", "brain", "heart", "kidney", "muscle", "skin", "gut", "spleen", "rest"};
    std::vector<sim::Term> in, leaves;
    for (int i = 0; i < n_organs; ++i) {
        in.push_back(state(names[i]));
        leaves.push_back(flow[i] / (size * p.number(volume[i] * partition[i])) * in.back());
    }
    const sim::Term ca = in_artery / (size * p.number(v_artery)),
                    cv = in_vein / (size * p.number(v_vein)),
                    o_lung = in_lung / (size * p.number(v_lung * k_lung)),
                    o_liver = in_liver / (size * p.number(v_liver * k_liver)),
                    cu = unbound * o_liver;
    sim::Term to_vein = q_liver * o_liver;
    for (int i = 0; i < n_organs; ++i) {
        sim::Term rate = flow[i] * ca - leaves[i];
        if (i == kidney)
            rate = rate - clr * (unbound * in[i] / (size * p.number(volume[i] * partition[i])));
        if (i == gut) rate = rate + ka * in_lumen;
        p.rate(in[i], rate);
        if (i != gut && i != spleen) to_vein = to_vein + leaves[i];
    }
    p.rate(in_lumen, -(ka * in_lumen));
    p.rate(in_vein, to_vein - cardiac_output * cv);
    p.rate(in_lung, cardiac_output * (cv - o_lung));
    p.rate(in_artery, cardiac_output * (o_lung - ca));
    p.rate(in_liver,
           q_hepatic_artery * ca + leaves[gut] + leaves[spleen] - q_liver * o_liver -
               vmax * cu / (km + cu));
    p.output("CP", cv);
    p.output("CLV", in_liver / (size * p.number(v_liver)));
    p.bolus(in_lumen, 200.0, 0.0, 12.0, 14);
    p.sample(168);
    scale_by_one(p);
    return p;
}

} // namespace

Case w4() {
    Case w4 = case_of<W4>(
        "W4", "15 organs limited by flow, saturable hepatic clearance, 14 doses", problem);
    w4.n_timed = 64;
    return w4;
}

} // namespace gemel::bench
