#!/usr/bin/env python3
"""Expected numbers of the nonlinear library models' [[tests]], by methods of their own.

Closed forms in 40 digits (mpmath) where there are any; elsewhere the equations, written down once
more here, are integrated by SciPy's DOP853 and Radau at rtol 1e-12, and the two must agree.
"""
import numpy as np
from mpmath import mp, mpf, exp, findroot, lambertw, linspace, log, quad, sqrt
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

mp.dps = 40


def show(name, values, digits=10):
    print(name, "[" + ", ".join(mp.nstr(mpf(x), digits) for x in values) + "]")


def integrate(rates, start, times, pieces=(), dense=False):
    """Values at times, [n_times × n_states]. `pieces`: (time, what it does to the state), rising."""
    found = []
    for method in ("DOP853", "Radau"):
        y, now, rows = np.array(start, float), 0.0, []
        stops = [(t, None) for t in times] + list(pieces)
        for t, change in sorted(stops, key=lambda stop: (stop[0], stop[1] is not None)):
            if t > now:
                scale = np.maximum(np.abs(y), 1e-6 * np.max(np.abs(y)) + 1e-300)
                y = solve_ivp(rates, (now, t), y, method, rtol=1e-12, atol=1e-14 * scale).y[:, -1]
                now = t
            if change is None:
                rows.append(y.copy())
            else:
                y = change(y)
        found.append(np.array(rows))
    worst = np.max(np.abs(found[0] - found[1]) / np.maximum(np.abs(found[0]), 1e-6 * np.abs(found[0]).max(axis=0) + 1e-300))
    assert worst < 1e-8, worst
    return found[0]


def michaelis_menten():
    """C = Km·W(C0/Km·exp((C0 − v·t)/Km)), v = Vmax·WT/V."""
    km, v = mpf("5.8"), mpf("8.1") * 70 / 24 / 45
    for dose in (1000, 100):
        c0 = mpf(dose) / 45
        show(f"phenytoin {dose} mg Cp at 1 24 72 168:",
             [km * lambertw(c0 / km * exp((c0 - v * t) / km)).real for t in (1, 24, 72, 168)])
    r = mpf(300)
    show("phenytoin 300 mg/d, steady state Km·R/(Vmax − R):", [km * r / (mpf("8.1") * 70 - r)])


def parallel_elimination():
    """t(C) in closed form by partial fractions, solved for C; k = CL/V, v = Vmax/V, a = k·Km + v."""
    cl, vmax, km, volume = map(mpf, ("1", "10", "0.5", "20"))
    k, v = cl / volume, vmax / volume
    a = k * km + v

    def t_of(c, c0):
        return km / a * log(c0 / c) + v / (a * k) * log((a + k * c0) / (a + k * c))

    for dose in (200, 10):
        c0 = mpf(dose) / volume
        values = []
        for t in (1, 4, 12, 24):
            u = findroot(lambda u: t_of(exp(u), c0) - t, (log(c0) - k * t, log(c0) - a / km * t))
            values.append(exp(u))
        show(f"parallel {dose} mg Cp at 1 4 12 24:", values)


def hiv():
    """Perelson 1996, eq. 6."""
    c, d, v0 = mpf("3.07"), mpf("0.49"), mpf(10) ** 5
    show("HIV V at 0.25 1 2 7:", [
        v0 * exp(-c * t) + c * v0 / (c - d) * (c / (c - d) * (exp(-d * t) - exp(-c * t)) - d * t * exp(-c * t))
        for t in map(mpf, ("0.25", "1", "2", "7"))])


def hcv():
    """Neumann 1998: V = V0·(A·exp(−λ1·t) + (1 − A)·exp(−λ2·t))."""
    c, d, v0 = mpf("6.2"), mpf("0.14"), mpf(5) * 10**6
    for e in map(mpf, ("0.81", "0.95", "0.96")):
        root = sqrt((c - d) ** 2 + 4 * (1 - e) * c * d)
        l1, l2 = (c + d + root) / 2, (c + d - root) / 2
        a = (e * c - l2) / (l1 - l2)
        show(f"HCV efficacy {mp.nstr(e, 3)} V at 0.25 1 2 14:",
             [v0 * (a * exp(-l1 * t) + (1 - a) * exp(-l2 * t)) for t in map(mpf, ("0.25", "1", "2", "14"))])


def influenza():
    beta, k, delta, p, c, t0, v0 = 3.2e-5, 4.0, 5.2, 4.6e-2, 5.2, 4e8, 7.5e-2

    def rates(_, y):
        t, e, i, v = y
        return [-beta * t * v, beta * t * v - k * e, k * e - delta * i, p * i - c * v]

    y = integrate(rates, [t0, 0, 0, v0], [0.5, 1, 2, 3, 5, 8])
    show("influenza titre at 0.5 1 2 3 5 8:", y[:, 3])
    show("influenza dead at 0.5 1 2 3 5 8:", (1 - y[:, 0] / t0) * 100)


def claret():
    """y = y0·exp(KL·t − KD·E/λ·(1 − exp(−λ·t)))."""
    kl, kd, lam, e, y0 = map(mpf, ("0.015", "0.058", "0.042", "0.95625", "100"))
    show("Claret size at 6 12 40 80:",
         [y0 * exp(kl * t - kd * e / lam * (1 - exp(-lam * t))) for t in (6, 12, 40, 80)])
    nadir = log(kd * e / kl) / lam
    show("Claret nadir, time and size:",
         [nadir, y0 * exp(kl * nadir - kd * e / lam * (1 - exp(-lam * nadir)))])


def glucose():
    sg, si, p2, gb, ib, vg, vi, n, gamma, h, wt = 0.026, 5e-4, 0.025, 92, 11, 1.6, 0.1, 0.14, 0.0035, 95, 70

    def rates(t, y):
        g, x, i = y[0] / (vg * wt), y[1], y[2] / (vi * wt)
        return [-(sg + x) * y[0] + sg * gb * vg * wt, -p2 * x + p2 * si * (i - ib),
                -n * (y[2] - ib * vi * wt) + gamma * max(0, g - h) * t * vi * wt]

    def at(times):
        """Glucose falls through the threshold once, and maybe again: stop exactly there."""
        y, now, rows = np.array([gb * vg * wt + 300 * wt, 0, ib * vi * wt]), 0.0, []
        for t in times:
            while now < t:
                cross = lambda s, z: z[0] / (vg * wt) - h
                cross.terminal = True
                step = solve_ivp(rates, (now, t), y, "DOP853", rtol=1e-13, atol=1e-12, events=cross)
                y, now = step.y[:, -1], step.t[-1]
                if now < t:  # over the kink by its tangent, 1e-9 min
                    y = y + 1e-9 * np.array(rates(now, y))
                    now += 1e-9
            rows.append(y.copy())
        return np.array(rows)

    y = at([10, 30, 60, 120, 180])
    show("IVGTT G at 10 30 60 120 180:", y[:, 0] / (vg * wt))
    show("IVGTT I:", y[:, 2] / (vi * wt))
    rate = 42.0  # m[IU]/min
    i = ib + rate / (n * vi * wt)
    show("clamp-like infusion of 42 mIU/min, I and G:", [i, sg * gb / (sg + si * (i - ib))])


def plasma(t, dose=100):
    """one_compartment_iv at 70 kg, [mg/L], t in h."""
    return mpf(dose) / 42 * exp(-mpf(5) / 42 * t)


def turnover():
    """R is linear in itself: R = R0·exp(−A(t))·(1 + k·∫exp(A(s))·production(s)ds), A = k·∫loss.

    ∫Cp/(C50 + Cp)ds has a closed form: (ln(C50 + C0) − ln(C50 + Cp))·V/CL.
    """
    k, c50, decay = mpf("0.1"), mpf("0.5"), mpf(5) / 42
    share = lambda s: plasma(s) / (c50 + plasma(s))
    summed = lambda s: (log(c50 + plasma(0)) - log(c50 + plasma(s))) / decay
    for name, on_production, on_loss in (("inhibited production", mpf("-0.95"), 0), ("inhibited loss", 0, mpf("-0.95")),
                                         ("stimulated production", 2, 0), ("stimulated loss", 0, 2)):
        a = lambda s: k * (s + on_loss * summed(s))
        show(f"turnover, {name}, 100 mg, R at 2 8 24 72:",
             [100 * exp(-a(t)) * (1 + k * quad(lambda s: exp(a(s)) * (1 + on_production * share(s)), linspace(0, t, 25)))
              for t in map(mpf, (2, 8, 24, 72))])


def effect_compartment():
    ke0, decay, c0 = mpf("0.3"), mpf(5) / 42, plasma(0)
    ce = [c0 * ke0 / (ke0 - decay) * (exp(-decay * t) - exp(-ke0 * t)) for t in map(mpf, (1, 4, 12, 24))]
    show("effect compartment 100 mg Ce at 1 4 12 24:", ce)
    show("effect compartment 100 mg E:", [10 + 80 * c ** mpf("2.5") / (1 + c ** mpf("2.5")) for c in ce])
    peak = log(ke0 / decay) / (ke0 - decay)
    show("largest Ce, when and how much:", [peak, plasma(peak)])


def friberg():
    k10, k12, k21, k13, k31, v1 = 5.2, 1.06, 1.51, 1.26, 0.084, 7.4
    circ0, ktr, gamma, slope = 5.05, 4 / 88.7, 0.161, 8.58

    def rates_with(infusion):
        def rates(_, y):
            kill = slope * y[0] / v1
            return [infusion - (k10 + k12 + k13) * y[0] + k21 * y[1] + k31 * y[2], k12 * y[0] - k21 * y[1],
                    k13 * y[0] - k31 * y[2], ktr * y[3] * ((1 - kill) * (circ0 / y[7]) ** gamma - 1),
                    *[ktr * (y[i - 1] - y[i]) for i in range(4, 8)]]
        return rates

    dose = 180 / 807.88 * 1000  # umol, over 1 h
    start = integrate(rates_with(dose), [0, 0, 0] + 5 * [circ0], [1.0])[0]
    times = [t - 1.0 for t in (1, 12, 72, 168, 264, 504)]
    y = integrate(rates_with(0.0), start, times)
    show("docetaxel 180 mg over 1 h, Cp at 1 12 72 168 264 504:", y[:, 0] / v1)
    show("docetaxel 180 mg over 1 h, neutrophils:", y[:, 7])
    solution = solve_ivp(rates_with(0.0), (0, 600), start, "DOP853", rtol=1e-12, atol=1e-14, dense_output=True,
                         events=lambda t, z: z[6] - z[7])
    show("docetaxel nadirs and peaks, when:", [t + 1 for t in solution.t_events[0]])
    show("docetaxel nadirs and peaks, count:", [z[7] for z in solution.y_events[0]])


def simeoni():
    l0, l1, k1, k2, decay = 0.273, 0.814, 0.968, 6.29e-4, 5 * 24 / 42

    def rates(_, y):
        x, w = y[1:], sum(y[1:])
        growth = l0 * x[0] / (1 + (l0 / l1 * w) ** 20) ** (1 / 20)
        c = y[0] / 42 * 1000  # ng/mL
        return [-decay * y[0], growth - k2 * c * x[0], k2 * c * x[0] - k1 * x[1], k1 * (x[1] - x[2]), k1 * (x[2] - x[3])]

    give = lambda y: y + np.array([100, 0, 0, 0, 0])
    y = integrate(rates, [0, 0.055, 0, 0, 0], [8, 12, 16, 20, 30], [(8.0, give), (12.0, give), (16.0, give)])
    show("Simeoni 100 mg at 8 12 16 d, weight at 8 12 16 20 30:", y[:, 1:].sum(axis=1))
    y = integrate(lambda t, y: rates(t, np.array([0, *y]))[1:], [0.055, 0, 0, 0], [5, 20, 30])
    show("Simeoni untreated, weight at 5 20 30:", y.sum(axis=1))


def kill():
    """R = R0·exp(growth·t − kill·D/CL·(1 − exp(−CL/V·t)))."""
    show("irreversible kill 100 mg R at 6 12 24 72:",
         [mpf(10) ** 6 * exp(mpf("0.1") * t - mpf("0.3") * 100 / 5 * (1 - plasma(t) / plasma(0))) for t in map(mpf, (6, 12, 24, 72))])


def lifespan():
    """Cells alive at t: those produced before, times the gamma law's survival; S(t) = Q(8, 8·t/L)."""
    r0, life = mpf(250), mpf(240)
    share = lambda s: 3 * plasma(s) / (mpf("0.5") + plasma(s))
    alive = lambda age: mp.gammainc(8, 8 * age / life, regularized=True)
    show("cell lifespan 100 mg R at 24 120 240 480 h:",
         [r0 + r0 / life * quad(lambda s: share(s) * alive(t - s), linspace(0, t, 30)) for t in map(mpf, (24, 120, 240, 480))])


def transit_central(doses, t, n, mtt, ka, ke, lag=0):
    """Amount in the central compartment: Σ D·∫g(s)·Bateman(t − s)ds with g the gamma law of the
    transit; each exponential by ∫g(s)·exp(−λ(t − s))ds = (k/(k − λ))^(n+1)·exp(−λt)·P(n + 1, (k − λ)t)."""
    k = (n + 1) / mtt

    def part(lam, age):
        p = mp.gammainc(n + 1, 0, (k - lam) * age, regularized=True)
        return (k / (k - lam)) ** (n + 1) * exp(-lam * age) * p

    ages = [(dose, t - lag - at) for at, dose in doses if t - lag > at]
    return sum(dose * ka / (ka - ke) * (part(ke, age) - part(ka, age)) for dose, age in ages)


def transit():
    n, mtt, ka, ke, v = map(mpf, ("3.7", "1.5", "1.2", "5", "42"))
    ke, every = ke / v, [mpf(t) for t in (0, 12, 24)]
    show("transit 100 mg once, Cp at 0.5 1 2 4 12 24:",
         [transit_central([(0, 100)], t, n, mtt, ka, ke) / v for t in map(mpf, ("0.5", "1", "2", "4", "12", "24"))])
    show("transit 100 mg q12h x 3, Cp at 12 14 26 48:",
         [transit_central([(t, 100) for t in every], t, n, mtt, ka, ke) / v for t in map(mpf, (12, 14, 26, 48))])
    # test_transit.cpp: ka 0.5, ke 0.1, V 10; doses of 100 overlap
    overlap = [(mpf(t), mpf(80)) for t in (0, 2, 4, 6)]
    show("overlapping q2h x 4, F 0.8, lag 0.7, n 2.3, mtt 5, at 1 3 5 8 12 24:",
         [transit_central(overlap, t, mpf("2.3"), mpf(5), mpf("0.5"), mpf("0.1"), mpf("0.7")) / 10 for t in map(mpf, (1, 3, 5, 8, 12, 24))])
    late = [(mpf(0), mpf(100))]
    show("late, n 80, mtt 100, at 60 80 100 120 150:",
         [transit_central(late, t, mpf(80), mpf(100), mpf("0.5"), mpf("0.1")) / 10 for t in map(mpf, (60, 80, 100, 120, 150))])
    show("n 0.5, mtt 1, at 0.01 0.1 1 10:",
         [transit_central(late, t, mpf("0.5"), mpf(1), mpf("0.5"), mpf("0.1")) / 10 for t in map(mpf, ("0.01", "0.1", "1", "10"))])
    show("n 0, mtt 0.8, at 0.1 1 10:",
         [transit_central(late, t, mpf(0), mpf("0.8"), mpf("0.5"), mpf("0.1")) / 10 for t in map(mpf, ("0.1", "1", "10"))])
    show("log gamma at 1 1.5 2 3.3 4.7 12 30.25 150 1000.5:",
         [mp.loggamma(mpf(z)) for z in ("1", "1.5", "2", "3.3", "4.7", "12", "30.25", "150", "1000.5")], 18)
    show("digamma there:", [mp.digamma(mpf(z)) for z in ("1", "1.5", "2", "3.3", "4.7", "12", "30.25", "150", "1000.5")], 18)


for numbers in (transit, turnover, effect_compartment, friberg, simeoni, kill, lifespan, michaelis_menten, parallel_elimination, hiv, hcv, influenza, claret, glucose):
    numbers()
