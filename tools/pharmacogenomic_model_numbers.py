#!/usr/bin/env python3
"""Expected numbers of the pharmacogenomic library models' [[tests]], by methods this program does not use.

Linear models by the matrix exponential in 40 digits (mpmath); the others are written down once more here
and integrated by SciPy's DOP853 and LSODA at rtol 1e-12, which must agree to 1e-7. Levels under a constant
rate and ratios of exposures are closed forms.
"""
import numpy as np
from mechanistic_model_numbers import linear, matrix
from mpmath import log, mp, mpf
from scipy.integrate import solve_ivp


def show(what, values, digits=10):
    print(what, "[" + ", ".join(mp.nstr(mpf(x), digits) for x in values) + "]")


def integrate(rates, start, doses, times):
    """Values at times before doses at the same time, [n_times x n_states]; doses: (time, state, amount)."""
    found = []
    for method in ("DOP853", "LSODA"):
        y, now, rows = np.array(start, float), 0.0, []
        events = [(t, 0, None, None) for t in times] + [(t, 1, i, x) for t, i, x in doses]
        for t, _, state, amount in sorted(events, key=lambda e: e[:2]):
            if t > now:
                scale = np.maximum(np.abs(y), 1e-6 * np.max(np.abs(y)) + 1e-6)
                y = solve_ivp(rates, (now, t), y, method, rtol=1e-12, atol=1e-14 * scale).y[:, -1]
                now = t
            if state is None:
                rows.append(y.copy())
            else:
                y[state] += amount
        found.append(np.array(rows))
    a, b = found
    worst = np.max(np.abs(a - b) / np.maximum(np.abs(a), 1e-6 * np.abs(a).max()))
    assert worst < 1e-7, worst
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


def rows_of(rates, events, times, states):
    """States `states` at times, one list each."""
    out = linear(rates, events, times)
    return [[row[i] for row in out] for i in states]


def mat(n, entries):
    m = matrix(n, n)
    for (i, j), x in entries.items():
        m[i, j] += x
    return m


def two_compartments(ka, cl, v1, q, v2):
    """depot, central, peripheral."""
    return mat(3, {(0, 0): -ka, (1, 0): ka, (1, 1): -(cl + q) / v1, (1, 2): q / v2, (2, 1): q / v1, (2, 2): -q / v2})


def at_steady_state(rates, state, dose, every, after):
    """The vector `after` a dose of a regimen that has been going on for ever: (1 - exp(A·every))^-1."""
    start = matrix(rates.rows, 1)
    start[state] = dose
    start = mp.lu_solve(mp.eye(rates.rows) - mp.expm(rates * every), start)
    return mp.expm(rates * after) * start


# Tacrolimus, Andrews 2019.

def tacrolimus():
    for name, factor in (("non-expresser", 1), ("expresser", mpf("1.62"))):
        cl = mpf("22.5") * factor
        m = two_compartments(mpf("3.70"), cl, mpf(685), mpf("10.6"), mpf(6590))
        events = [(12 * i + mpf("0.39"), 0, 5) for i in range(14)]
        c, = rows_of(m, events, [2, 12, 96, 168], [1])
        show(f"tacrolimus {name}", [1000 * x / 685 for x in c])
        trough = at_steady_state(m, 0, cl * 210 / 1000, mpf(12), 12 - mpf("0.39"))[1]
        show(f"tacrolimus {name} trough at AUC 210", [1000 * trough / 685])
    cl = mpf("22.5") * mpf("1.62") * (mpf(40) / mpf("55.72")) ** mpf("-0.5") * (mpf("2.2") / mpf("1.93")) ** mpf("0.72")
    show("tacrolimus CL 40 a 2.2 m2", [cl])
    show("tacrolimus level of 1 mg/h", [1000 / cl])


# Efavirenz, Dhoro 2015.

def efavirenz():
    ka, v = mpf("0.18"), mpf(150)
    for name, cl in (("*1/*1", mpf("7.01") * mpf("1.931")), ("*1/*6", mpf("7.01")), ("*6/*6", mpf("7.01") * mpf("0.366")),
                     ("*6/*18", mpf("2.26")), ("*18/*18", mpf("0.539") * mpf("1.931"))):
        m = mat(2, {(0, 0): -ka, (1, 0): ka, (1, 1): -cl / v})
        c, = rows_of(m, [(24 * i, 0, 600) for i in range(14)], [4, 24, 180, 336], [1])
        show(f"efavirenz {name}", [x / v for x in c])
        show(f"efavirenz {name} level of 25 mg/h", [25 / cl])
    cl = mpf("7.01") * (1 + mpf("0.211") * 2) * mpf("1.222")
    show("efavirenz woman of 80 kg, *1/*6, level of 25 mg/h", [25 / cl])


# Siponimod, Huth 2019.

def siponimod():
    share = {"*1/*1": 1, "*1/*2": "0.908", "*1/*3": "0.515", "*2/*2": "0.648", "*2/*3": "0.391", "*3/*3": "0.021"}
    for name, activity in share.items():
        cl = mpf("3.12") * (1 - mpf("0.804") * (1 - mpf(activity)))
        m = two_compartments(mpf("0.687"), cl, mpf("43.7"), mpf(30), mpf("72.4"))
        c, = rows_of(m, [(mpf("1.5"), 0, 2 * mpf("0.91"))], [4, 12, 48, 200], [1])
        show(f"siponimod {name}", [1000 * x / mpf("43.7") for x in c])
        show(f"siponimod {name} level of 1 mg/d", [1000 * mpf("0.91") / 24 / cl])
        slow = min(abs(x) for x in mp.eig(m, left=False, right=False))
        show(f"siponimod {name} half-life", [log(2) / slow])


# Voriconazole, Kim 2019.

def voriconazole():
    for name, on_cl, on_floor in (("NM", 0, 0), ("IM", -0.186, -0.51), ("PM", -0.746, -0.44)):
        cl0, floor = 45.3 * np.exp(on_cl), 0.162 * np.exp(on_floor)

        def rates(_, y):
            gut, c, p1, p2, e = y
            conc = c / 35.7
            cl = cl0 * (floor + (1 - floor) * 0.01 / (0.01 + e))
            q1, q2 = 10.9 * (conc - p1 / 58.9), 54.6 * (conc - p2 / 25.4)
            return [-1.23 * gut, 1.23 * gut - cl * conc - q1 - q2, q1, q2, 0.002 * conc]

        doses = [(12 * i + 0.237, 0, 0.876 * 200) for i in range(28)]
        y = integrate(rates, [0] * 5, doses, [2, 12, 324, 336])
        show(f"voriconazole {name} C", y[:, 1] / 35.7)
        show(f"voriconazole {name} AUC", y[:, 4] / 0.002)


# Clopidogrel, Jung 2024.

def clopidogrel():
    logit, expit = lambda p: np.log(p / (1 - p)), lambda x: 1 / (1 + np.exp(-x))
    for name, shift1, shift2 in (("NM", 0, 0), ("IM", -0.450, -1.428), ("PM", -0.996, -2.432)):
        fm1, fm2 = expit(logit(0.125) + shift1), expit(logit(0.960) + shift2)
        show(f"clopidogrel {name} share", [fm1 * fm2])

        def rates(_, y):
            gut, liver, c, p, h4, acid, acid2, pru = y
            lost = 9257.28 / 1463.92 * liver
            to_blood = 845.70 / 1463.92 * (liver - c)
            to_p = 587.93 * (c / 1463.92 - p / 2823.98)
            to_acid2 = 4.476 * (acid / 17.34 - acid2 / 51.89)
            h = 1000 * max(h4, 0) / 51.45
            drive = h**1.851 / (67.32**1.851 + h**1.851)
            return [-19.64 * gut, 19.64 * gut - lost - to_blood, to_blood - to_p, to_p,
                    1.106 * fm1 * fm2 * lost - 74.25 / 51.45 * h4,
                    0.956 * (1 - fm1) * fm2 * lost - 7.248 / 17.34 * acid - to_acid2, to_acid2,
                    1.225 - 0.00576 * (1 + 57.84 * drive) * pru]

        doses = [(0.196, 0, 300)] + [(24 * i + 0.196, 0, 75) for i in range(1, 7)]
        y = integrate(rates, [0] * 7 + [1.225 / 0.00576], doses, [1, 4, 24, 168])
        show(f"clopidogrel {name} H4", 1000 * y[:, 4] / 51.45)
        show(f"clopidogrel {name} acid", 1000 * y[:, 5] / 17.34)
        show(f"clopidogrel {name} parent", 1000 * y[:, 2] / 1463.92)
        show(f"clopidogrel {name} PRU", y[:, 7])


# Atomoxetine, Tobin 2026.

def atomoxetine():
    for name, frel, factor, weight in (("NM", 1, 1, 70), ("IM", "1.33", 1, 70), ("PM", "3.02", "0.19", 70), ("child", 1, 1, 35)):
        size = mpf(weight) / 70
        v, cl = mpf("175.94") * size / mpf(frel), mpf("39.03") * size ** mpf("0.75") / mpf(frel) * mpf(factor)
        m = mat(2, {(0, 0): -mpf("27.35"), (1, 0): mpf("27.35"), (1, 1): -cl / v})
        rate = 40 / mpf("0.75")
        events = [e for i in range(4) for e in ((24 * i, 0, rate, "rate"), (24 * i + mpf("0.75"), 0, -rate, "rate"))]
        c, = rows_of(m, events, [mpf("0.5"), 2, 12, 96], [1])
        show(f"atomoxetine {name}", [1000 * x / v for x in c])
        show(f"atomoxetine {name} level of 1 mg/h", [1000 / cl])


# Aripiprazole, Wang 2022.

def aripiprazole():
    q1, p1, q2, p2, vc = mpf("0.591"), mpf(118), mpf("28.8"), mpf(134), mpf("93.4")
    for name, cl in (("NM", "3.71"), ("PM", "1.88")):
        for route, ka, f, dose in (("oral", mpf("0.540"), 1, 10), ("im", mpf("0.000904"), mpf("1.48"), 400)):
            m = mat(4, {(0, 0): -ka, (1, 0): ka, (1, 1): -(mpf(cl) + q1 + q2) / vc, (1, 2): q1 / p1, (1, 3): q2 / p2,
                        (2, 1): q1 / vc, (2, 2): -q1 / p1, (3, 1): q2 / vc, (3, 3): -q2 / p2})
            if route == "oral":
                rate = mpf("9.33")
                events = [e for i in range(14) for e in ((24 * i, 0, rate, "rate"), (24 * i + dose / rate, 0, -rate, "rate"))]
                times = [4, 24, 336]
            else:
                events, times = [(0, 0, dose * f)], [24, 336, 672]
            c, = rows_of(m, events, times, [1])
            show(f"aripiprazole {name} {route}", [1000 * x / vc for x in c])
        show(f"aripiprazole {name} level of 1 mg/h", [1000 / mpf(cl)])


# Metoprolol by the ratios of Blake 2013.

def metoprolol():
    share, flow, clint_nm, v, ka = 1 - 1 / mpf("4.9"), mpf(90), mpf(90), mpf(290), mpf("1.5")
    found = {}
    for name, activity in (("NM", mpf(1)), ("IM", mpf("0.5") ** mpf("1.41")), ("PM", mpf(0)), ("UM", mpf("1.5") ** mpf("1.41"))):
        clint = clint_nm * (1 - share + share * activity)
        f, k = flow / (flow + clint), flow * clint / (flow + clint) / v
        level = lambda t: 1000 * 100 * f * ka / (v * (ka - k)) * (mp.exp(-k * t) - mp.exp(-ka * t))
        show(f"metoprolol {name}", [level(t) for t in (1, 4, 12, 24)])
        show(f"metoprolol {name} level of 1 mg/h", [1000 / clint])
        found[name] = (level(log(ka / k) / (ka - k)), log(2) / k, log(ka / k) / (ka - k))
    (peak, half, when), (peak_pm, half_pm, when_pm) = found["NM"], found["PM"]
    show("metoprolol peak NM, when, 2.3 times it, peak PM, when", [peak, when, peak * mpf("2.3"), peak_pm, when_pm])
    show("metoprolol half-life NM, PM, 2.3 times NM", [half, half_pm, half * mpf("2.3")])


# Phenytoin, Yukawa 1990 and Mamiya 1998.

def phenytoin():
    for name, vmax, km, rate in (("reference", 325, 2.41, 240), ("*1/*3", 325 * 0.58, 2.41, 150), ("2C19 PM", 325, 2.41 * 1.54, 240)):
        def rates(_, y):
            c = y[1] / 36
            return [-1.5 * y[0], 1.5 * y[0] - vmax / 24 * c / (km + c)]

        y = integrate(rates, [0, 0], daily(rate, 0, 28), [4, 24, 168, 672])
        show(f"phenytoin {name}", y[:, 1] / 36)
        show(f"phenytoin {name} steady", [km * rate / (vmax - rate)])
    vmax = mpf(325) * (mpf(80) / 60) ** mpf("0.737") * mpf("1.08")
    show("phenytoin 80 kg with co-medication, 240 mg/d, steady", [mpf("2.41") * mpf("1.32") * 240 / (vmax - 240)])
    show("phenytoin child of 30 kg, 120 mg/d, steady",
         [mpf("2.41") * mpf("0.752") * 120 / (mpf(325) * mpf("0.5") ** mpf("0.737") - 120)])


# Elagolix, Beck 2022.

def elagolix():
    v1, q, v2, ka = mpf(279), mpf("5.63"), mpf("51.7"), mpf("2.46")
    m = two_compartments(ka, mpf(125), v1, q, v2)
    for name, f in (("*1/*1", 1), ("*1/*5", mpf("1.421")), ("*5/*5", mpf("1.963"))):
        events = [(12 * i + mpf("0.207"), 0, 200 * f) for i in range(14)]
        c, = rows_of(m, events, [1, 4, 12, 168], [1])
        show(f"elagolix {name}", [1000 * x / v1 for x in c])
        show(f"elagolix {name} level of 1 mg/h", [1000 * mpf(f) / 125])


# Warfarin, Rodriguez-Fernandez 2024.

def rodriguez2024():
    for pair, kel, name, ec50, base in (("*1/*1", 0.0189, "GG", 5.88 * 2, 1.84), ("*1/*8", 0.0132, "AG", 5.88 + 4.61, 1.78),
                                        ("*3/*5", 0.0075, "AA", 4.61 * 2, 2.18)):
        def rates(_, y, kel=kel, ec50=ec50):
            x = (max(y[1], 0) / (0.14 * 83) / ec50) ** 1.47
            e = x / (1 + x)
            k1, k2 = 1 / 27.2, 1 / 110.9
            return [-1.19 * y[0], 1.19 * y[0] - kel * y[1],
                    k1 * (1 - e - y[2]), k1 * (y[2] - y[3]), k1 * (y[3] - y[4]),
                    k2 * (1 - e - y[5]), k2 * (y[5] - y[6]), k2 * (y[6] - y[7])]

        y = integrate(rates, [0, 0] + [1] * 6, daily(5, 0, 60), [72, 168, 336, 1440])
        show(f"Rodriguez 2024 {pair} {name} C", y[:, 1] / (0.14 * 83))
        show(f"Rodriguez 2024 {pair} {name} INR", base + 20 * (1 - y[:, 4] * y[:, 7]))
        x = (5 / 24 / kel / (0.14 * 83) / ec50) ** 1.47
        show(f"Rodriguez 2024 {pair} {name} steady", [base + 20 * (1 - (1 - x / (1 + x)) ** 2)])


# Omeprazole in infants, Zhao 2018.

def omeprazole():
    for name, factor, days in (("NM", 1, 38), ("IM", "0.449", 38), ("PM", "0.125", 38), ("NM 80 days", 1, 80)):
        growth = (mpf(days) / 38) ** mpf("0.472")
        ka, v = mpf("0.0497"), mpf("0.513")
        form, sulfone = mpf("0.658") * mpf(factor) * growth, mpf("0.140")
        m = mat(4, {(0, 0): -ka, (1, 0): ka, (1, 1): -(form + sulfone) / v, (2, 1): form / v, (2, 2): -mpf("0.846"),
                    (3, 1): sulfone / v, (3, 3): -mpf("0.130")})
        c = rows_of(m, [(0, 0, 4)], [1, 4, 12, 24], [1, 2, 3])
        for what, row, volume in zip(("parent", "hydroxy", "sulfone"), c, (v, 1, 1)):
            show(f"omeprazole {name} {what}", [x / volume for x in row])


# Risperidone, Feng 2008.

def risperidone():
    v, ka = mpf(444), mpf("1.7")
    for name, cl, share, years in (("NM", "65.4", "0.595", 45), ("IM", "36.0", 1, 45), ("PM", "12.9", "0.96", 45), ("NM 70 a", "65.4", "0.595", 70)):
        cl9 = mpf("8.83") * (mpf(years) / 45) ** mpf("-0.378")
        m = mat(3, {(0, 0): -ka, (1, 0): ka, (1, 1): -mpf(cl) / v, (2, 1): mpf(share) * mpf(cl) / v, (2, 2): -cl9 / v})
        parent, nine = rows_of(m, [(12 * i, 0, 2) for i in range(20)], [2, 12, 120, 240], [1, 2])
        show(f"risperidone {name} parent", [1000 * x / v for x in parent])
        show(f"risperidone {name} nine", [1000 * x / v for x in nine])


# Voriconazole after kidney transplantation, Lin 2018.

def voriconazole_lin():
    for name, cl, f in (("NM", "6.41", 0), ("IM", "4.52", 0), ("PM", "2.88", 0), ("NM 90 days", "6.41", "0.43")):
        v, ka = mpf("169.27"), mpf("1.1")
        m = mat(2, {(0, 0): -ka, (1, 0): ka, (1, 1): -mpf(cl) / v})
        c, = rows_of(m, [(12 * i, 0, 200 * mpf("0.58") * mp.exp(mpf(f))) for i in range(28)], [2, 12, 168, 336], [1])
        show(f"Lin 2018 {name}", [x / v for x in c])


# Isoniazid, Chen 2022.

def isoniazid():
    alleles = {"*1": (0, 0), "*5": ("-0.77", "-0.72"), "*6": ("-0.60", "-0.45"), "*7": ("-0.29", "-0.14")}
    for pair in ("*1 *1", "*1 *6", "*6 *6", "*5 *5", "*6 *7"):
        a, b = pair.split()
        cl = mpf("30.2") * mp.exp(mpf(alleles[a][0]) + mpf(alleles[b][0]))
        fm = mpf("0.86") * mp.exp(mpf(alleles[a][1]) + mpf(alleles[b][1]))
        v = mpf("51.4")
        m = mat(3, {(0, 0): -mpf("3.99"), (1, 0): mpf("3.99"), (1, 1): -cl / v,
                    (2, 1): fm * cl / v, (2, 2): -mpf("0.30")})
        c, met = rows_of(m, [(0, 0, 300)], [1, 3, 8, 24], [1, 2])
        show(f"isoniazid {pair}", [1000 * x / mpf("137.14") / v for x in c])
        show(f"isoniazid {pair} met", [1000 * x / mpf("137.14") / mpf("12.4") for x in met])
        show(f"isoniazid {pair} CL", [cl])


# 6-Mercaptopurine, Hawwa 2008.

def mercaptopurine():
    for name, factor, bsa in (("NM", 1, 1), ("IM", mpf("2.56"), 1), ("NM 0.7 m2", 1, mpf("0.7"))):
        ka, k20 = mpf("1.3"), mpf("0.53")
        fm, share, cl = mpf("0.0191") * factor, mpf("0.78"), mpf("0.00914") * mpf(bsa) ** mpf("1.16")
        m = mat(4, {(0, 0): -ka, (1, 0): ka, (1, 1): -k20, (2, 1): fm * share * k20, (2, 2): -cl,
                    (3, 1): (1 - fm) * share * k20, (3, 3): -mpf("0.0228")})
        tgn, mmpn = rows_of(m, [(24 * i, 0, 50 * mpf("0.22")) for i in range(56)], [24, 168, 672, 1344], [2, 3])
        show(f"mercaptopurine {name} TGN", tgn)
        show(f"mercaptopurine {name} mMPN", mmpn)


# Paroxetine, which inactivates CYP2D6.

def paroxetine():
    v, ka, cl_nm, share, fu, kinact, ki, kdeg = 1300, 0.35, 285.2, 0.923212, 0.0487, 10.2, 0.167, 0.0135911

    def course(score, doses, times):
        active = share * (score / 2) ** 1.41

        def rates(_, y):
            unbound = fu * y[1] / v / 329.37 * 1000
            lost = kinact * unbound / (ki + unbound)
            cl = cl_nm * (active * y[2] + 1 - share)
            return [-ka * y[0], ka * y[0] - cl / v * y[1], kdeg * (1 - y[2]) - lost * y[2], y[1] / v]
        return integrate(rates, [0, 0, 1, 0], doses, times)

    for score in (2, 1, 0):
        rows = course(score, daily(20, 0, 10), [5, 24, 240, 312, 480, 720])
        show(f"paroxetine score {score}", 1000 * rows[:, 1] / v)
        show(f"paroxetine score {score} CYP2D6", rows[:, 2])
        rows = course(score, daily(30, 0, 14), [312, 336, 348, 384])
        first = course(score, [(0, 0, 30)], [1000])[0, 3]
        show(f"paroxetine score {score} AUC of the first 30 mg and of the 14th, nmol h/L",
             [1e6 / 329.37 * first, 1e6 / 329.37 * (rows[1, 3] - rows[0, 3])])
        show(f"paroxetine score {score} half-life 12 to 48 h after it", [36 * log(2) / log(rows[2, 1] / rows[3, 1])])


if __name__ == "__main__":
    hamberg2010()
    xia2024()
    tacrolimus()
    efavirenz()
    siponimod()
    voriconazole()
    clopidogrel()
    atomoxetine()
    aripiprazole()
    metoprolol()
    phenytoin()
    elagolix()
    rodriguez2024()
    omeprazole()
    risperidone()
    voriconazole_lin()
    isoniazid()
    mercaptopurine()
    paroxetine()
