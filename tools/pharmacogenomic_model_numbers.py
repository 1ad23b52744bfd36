#!/usr/bin/env python3
"""Expected numbers of the pharmacogenomic library models' [[tests]], by methods this program does not use.

Linear models by the matrix exponential in 40 digits (mpmath); the others are written down once more here
and integrated by SciPy's DOP853 and Radau at rtol 1e-12, which must agree to 1e-8. Levels under a constant
rate and ratios of exposures are closed forms.
"""
import numpy as np
from mechanistic_model_numbers import linear, matrix
from mpmath import exp, log, mp, mpf
from scipy.integrate import solve_ivp


def show(what, values, digits=10):
    print(what, "[" + ", ".join(mp.nstr(mpf(x), digits) for x in values) + "]")


def integrate(rates, start, doses, times):
    """Values at times before doses at the same time, [n_times x n_states]; doses: (time, state, amount)."""
    found = []
    for method in ("DOP853", "Radau"):
        y, now, rows = np.array(start, float), 0.0, []
        events = [(t, 0, None, None) for t in times] + [(t, 1, i, x) for t, i, x in doses]
        for t, _, state, amount in sorted(events, key=lambda e: e[:2]):
            if t > now:
                scale = np.maximum(np.abs(y), 1e-6 * np.max(np.abs(y)))
                y = solve_ivp(rates, (now, t), y, method, rtol=1e-12, atol=1e-14 * scale).y[:, -1]
                now = t
            if state is None:
                rows.append(y.copy())
            else:
                y[state] += amount
        found.append(np.array(rows))
    a, b = found
    assert np.max(np.abs(a - b) / np.maximum(np.abs(a), 1e-6 * np.abs(a).max(axis=0) + 1e-300)) < 1e-8
    return a


def daily(dose, state, n, every=24.0):
    return [(every * i, state, dose) for i in range(n)]


# Warfarin, K-PD: Hamberg 2010 and Xia 2024.

def kpd(cl, ec50, gamma, mtt1, mtt2, base, share, v=14.3):
    kde, edk50 = cl / v, cl * ec50

    def inr(y):
        return base + 20 * (1 - (y[3] + y[6]) / 2)

    def rates(_, y):
        x = (max(kde * y[0], 0) / edk50) ** gamma
        e = x / (1 + x)
        k1, k2 = 3 / mtt1, 3 / mtt2
        return [-kde * y[0],
                k1 * (1 - e - y[1]), k1 * (y[1] - y[2]), k1 * (y[2] - y[3]),
                k2 * (1 - e - y[4]), k2 * (y[4] - y[5]), k2 * (y[5] - y[6])]

    def steady(dose_per_day):
        x = (share * dose_per_day / 24 / edk50) ** gamma
        return base + 20 * x / (1 + x)

    def by_doses(dose, times):
        doses = daily(share * dose, 0, int(max(times) // 24) + 1)
        return [inr(y) for y in integrate(rates, [0] + [1] * 6, doses, times)]

    return steady, by_doses


CL_ALLELE = {"*1": 0.174, "*2": 0.0879, "*3": 0.0422}


def hamberg2010():
    for pair, ec50, name in (("*1 *1", 4.10, "GG"), ("*1 *3", 3.01, "AG"), ("*3 *3", 1.92, "AA"), ("*2 *2", 4.10, "GG")):
        cl = sum(CL_ALLELE[a] for a in pair.split())
        steady, by_doses = kpd(cl, ec50, 1.15, 28.6, 118.3, 1.0, 0.5)
        show(f"Hamberg 2010 {pair} {name}: 5 mg daily, INR at 72 168 336 1008 h:", by_doses(5, [72, 168, 336, 1008]))
        show("  INR under 5 mg/d for ever:", [steady(5)])
    steady, _ = kpd(0.348, 4.10, 1.15, 28.6, 118.3, 1.0, 0.5)
    show("  reference, INR under 7.71 mg/d for ever:", [steady(7.71)])
    cl = 0.348 * (1 - 0.00571 * (51 - 71))
    steady, _ = kpd(cl, 4.10, 1.15, 28.6, 118.3, 1.0, 0.5)
    show("  51 years, 5 mg/d for ever:", [steady(5)])


def xia2024():
    for pair, ec50, name, scale in (("*1 *1", 2.28, "AA", 1), ("*1 *3", 2.28, "AA", 1), ("*1 *1", 5.44, "AG", 1),
                                    ("*1 *1", 2.28, "AA amiodarone", 0.398), ("*1 *1", 2.28, "AA 75 kg", 1.25 ** 1.34)):
        cl = sum(CL_ALLELE[a] for a in pair.split())
        steady, by_doses = kpd(cl, ec50 * scale, 1.39, 27.2, 110.9, 1.13, 1.0)
        show(f"Xia 2024 {pair} {name}: 3 mg daily, INR at 72 168 336 1008 h:", by_doses(3, [72, 168, 336, 1008]))
        show("  INR under 3 mg/d for ever:", [steady(3)])


if __name__ == "__main__":
    hamberg2010()
    xia2024()
