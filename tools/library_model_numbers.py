#!/usr/bin/env python3
"""Expected numbers of the library models' [[tests]], by methods of their own (mpmath, 40 digits).

Linear models: the matrix exponential of the augmented system (state, rate of infusion), piece by
piece.
"""
from mpmath import mp, mpf, matrix, expm

mp.dps = 40


def linear(rates, dose_state, events, times, volume, central):
    """events: (time, 'bolus', amount) | (time, 'rate', change). Values of central/volume."""
    n = rates.rows
    a = matrix(n + 1, n + 1)
    for i in range(n):
        for j in range(n):
            a[i, j] = rates[i, j]
    a[dose_state, n] = 1
    y, now, out = matrix(n + 1, 1), mpf(0), []
    queue = sorted([(mpf(t), 0, kind, mpf(x)) for t, kind, x in events]
                   + [(mpf(t), 1, "look", mpf(0)) for t in times])
    for t, _, kind, x in queue:
        y, now = expm(a * (t - now)) * y, t
        if kind == "bolus":
            y[dose_state] += x
        elif kind == "rate":
            y[n] += x
        else:
            out.append(y[central] / volume)
    return out


def mammillary(ka, cl, v1, qs):
    """[depot,] central, peripherals: rates in 1/h."""
    first = 1 if ka else 0
    n = first + 1 + len(qs)
    m = matrix(n, n)
    c = first
    if ka:
        m[0, 0], m[c, 0] = -ka, ka
    m[c, c] = -mpf(cl) / v1
    for k, (q, v) in enumerate(qs):
        p = c + 1 + k
        m[c, c] -= mpf(q) / v1
        m[p, c] += mpf(q) / v1
        m[c, p] += mpf(q) / v
        m[p, p] -= mpf(q) / v
    return m, c


def show(name, values):
    print(name, "[" + ", ".join(mp.nstr(x, 10) for x in values) + "]")


one = (mpf(5), mpf(42), [])
two = (mpf(5), mpf(20), [(mpf(3), mpf(40))])
three = (mpf(5), mpf(15), [(mpf(8), mpf(25)), (mpf("1.5"), mpf(80))])
for label, (cl, v1, qs) in (("one", one), ("two", two), ("three", three)):
    for ka in (None, mpf("1.2")):
        m, c = mammillary(ka, cl, v1, qs)
        route = "oral" if ka else "iv"
        show(f"{label} {route} 100 mg once at 1 4 24:", linear(m, 0, [(0, "bolus", 100)], [1, 4, 24], v1, c))
        show(f"{label} {route} 100 mg q12h x 4 at 11 35 48:",
             linear(m, 0, [(12 * i, "bolus", 100) for i in range(4)], [11, 35, 48], v1, c))
        show(f"{label} {route} 100 mg over 2 h at 1 2 6 24:",
             linear(m, 0, [(0, "rate", 50), (2, "rate", -50)], [1, 2, 6, 24], v1, c))
        w = mpf(35) / 70
        m, c = mammillary(ka, cl * w ** mpf("0.75"), v1 * w, [(q * w ** mpf("0.75"), v * w) for q, v in qs])
        show(f"{label} {route} 100 mg once, 35 kg, at 1 4 24:", linear(m, 0, [(0, "bolus", 100)], [1, 4, 24], v1 * w, c))
