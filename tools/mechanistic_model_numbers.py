#!/usr/bin/env python3
"""Expected numbers of the mechanistic library models and the reference trajectories of tests/pkpd/data.

    tools/mechanistic_model_numbers.py [OUTPUT_FOLDER]

Everything in 40 digits (mpmath), by methods this program does not use: linear models by the matrix
exponential of the augmented system (state, rate of infusion), the others by a Taylor series of degree 30
in time whose coefficients follow from the equations one after the other, with a step by the last two
coefficients. With OUTPUT_FOLDER the trajectories are written there (tests/pkpd/data).
"""
import pathlib
import sys

from mpmath import exp, expm, matrix, mp, mpf, sqrt

mp.dps = 40
DEGREE = 30
TOLERANCE = mpf(10) ** -24


# Power series in time, one coefficient after the other.

class Series:
    def __init__(self, *operands):
        self.operands = operands
        self.c = []

    def __add__(self, other): return Sum(self, series(other))
    def __radd__(self, other): return Sum(series(other), self)
    def __sub__(self, other): return Sum(self, Product(series(-1), series(other)))
    def __rsub__(self, other): return Sum(series(other), Product(series(-1), self))
    def __mul__(self, other): return Product(self, series(other))
    def __rmul__(self, other): return Product(series(other), self)
    def __truediv__(self, other): return Quotient(self, series(other))
    def __rtruediv__(self, other): return Quotient(series(other), self)
    def __neg__(self): return Product(series(-1), self)


class Constant(Series):
    def __init__(self, value):
        super().__init__()
        self.value = mpf(value)

    def next(self, k):
        return self.value if k == 0 else mpf(0)


class State(Series):
    def next(self, k):  # set from outside: k-th coefficient = (k-1)-th of the rate / k
        return self.c[k]


class Sum(Series):
    def next(self, k):
        a, b = self.operands
        return a.c[k] + b.c[k]


class Product(Series):
    def next(self, k):
        a, b = (x.c for x in self.operands)
        if isinstance(self.operands[0], Constant):
            return a[0] * b[k]
        if isinstance(self.operands[1], Constant):
            return a[k] * b[0]
        return mp.fdot((a[i], b[k - i]) for i in range(k + 1))


class Quotient(Series):
    def next(self, k):  # a = q·b
        a, b = (x.c for x in self.operands)
        return (a[k] - mp.fdot((self.c[i], b[k - i]) for i in range(k))) / b[0]


class Root(Series):
    def next(self, k):  # a = r²
        a = self.operands[0].c
        if k == 0:
            return sqrt(a[0])
        return (a[k] - mp.fdot((self.c[i], self.c[k - i]) for i in range(1, k))) / (2 * self.c[0])


class Exponential(Series):
    def next(self, k):  # e' = a'·e
        a = self.operands[0].c
        if k == 0:
            return exp(a[0])
        return mp.fdot((i * a[i], self.c[k - i]) for i in range(1, k + 1)) / k


class Cosine(Series):
    """cos of a linear function of time."""

    def next(self, k):
        a, w = self.operands[0].c[0], self.operands[0].c[1] if len(self.operands[0].c) > 1 else mpf(0)
        return mp.cos(a + k * mp.pi / 2) * w ** k / mp.factorial(k)


def series(x):
    return x if isinstance(x, Series) else Constant(x)


def in_order(roots):
    found, seen = [], set()

    def visit(node):
        if id(node) in seen:
            return
        seen.add(id(node))
        for operand in node.operands:
            visit(operand)
        if not isinstance(node, State):
            found.append(node)

    for root in roots:
        visit(root)
    return found


class Taylor:
    """y' = f(t, y): `rates` makes the rates from series of time and states."""

    def __init__(self, n, rates):
        self.time, self.states = State(), [State() for _ in range(n)]
        self.rates = [series(rate) for rate in rates(self.time, self.states)]
        self.nodes = in_order(self.rates)

    def coefficients(self, t, y):
        for node in self.nodes:
            node.c = []
        self.time.c = [t, mpf(1)] + [mpf(0)] * DEGREE
        for state, value in zip(self.states, y):
            state.c = [value]
        for k in range(DEGREE):
            for node in self.nodes:
                node.c.append(node.next(k))
            for state, rate in zip(self.states, self.rates):
                state.c.append(rate.c[k] / (k + 1))

    def step(self):
        """Where both of the last two terms fall below the tolerance, relative to the states."""
        size = max(abs(state.c[0]) for state in self.states)
        steps = [mpf(1000)]
        for state in self.states:
            scale = TOLERANCE * max(abs(state.c[0]), size * mpf(10) ** -12)
            for k in (DEGREE - 1, DEGREE):
                if state.c[k] != 0:
                    steps.append((scale / abs(state.c[k])) ** (mpf(1) / k))
        return min(steps) * mpf("0.9")

    def run(self, t, y, end):
        while t < end:
            self.coefficients(t, y)
            h = min(self.step(), end - t)
            y = [mp.polyval(state.c[::-1], h) for state in self.states]
            t = end if h == end - t else t + h
        return y


def trajectory(n, rates, start, doses, times):
    """doses: (time, state, amount), given before what is read at the same time."""
    solver, t, y, out = Taylor(n, rates), mpf(0), [mpf(x) for x in start], []
    queue = sorted([(mpf(at), 0, state, mpf(amount)) for at, state, amount in doses]
                   + [(mpf(at), 1, 0, mpf(0)) for at in times])
    for at, is_reading, state, amount in queue:
        y, t = solver.run(t, y, at), at
        if is_reading:
            out.append(list(y))
        else:
            y[state] += amount
    return out


def linear(rates, events, times):
    """events: (time, state, amount) boluses | (time, state, change of rate, 'rate'). State vectors."""
    n = rates.rows
    a = matrix(2 * n, 2 * n)
    for i in range(n):
        for j in range(n):
            a[i, j] = rates[i, j]
        a[i, n + i] = 1
    y, now, out = matrix(2 * n, 1), mpf(0), []
    queue = sorted([(mpf(e[0]), 0, e[1] + (n if len(e) == 4 else 0), mpf(e[2])) for e in events]
                   + [(mpf(t), 1, 0, mpf(0)) for t in times])
    for t, is_reading, state, x in queue:
        if t > now:
            y, now = expm(a * (t - now)) * y, t
        if is_reading:
            out.append([y[i] for i in range(n)])
        else:
            y[state] += x
    return out


def numbers(texts):
    return {name: mpf(text) for name, text in texts.items()}


def show(what, values):
    print(what, "[" + ", ".join(mp.nstr(x, 12) for x in values) + "]")


def write(folder, name, heading, header, rows):
    lines = ["# " + heading, "# by tools/mechanistic_model_numbers.py in 40 digits", ",".join(header)]
    lines += [",".join(mp.nstr(x, 17) for x in row) for row in rows]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


# Codeine and morphine.

CODEINE = numbers(dict(ka="8.74", CL="110", V="427.5", F="0.84", CLmor="357.5", Vmor="22.8", CLc="7.96",
                       Vc="5.36", CLm="9.45", Vm="8.47", R="0.16", fm3="0.6"))


def codeine(score, weight=80):
    p, m = CODEINE, matrix(5, 5)
    size, allometry = mpf(weight) / 80, (mpf(weight) / 80) ** mpf("0.75")
    r = p["R"] * exp(mpf(score) - 2)
    fm, k = r / (1 + r), p["CL"] * allometry / (p["V"] * size)
    kmor = p["CLmor"] * allometry / (p["Vmor"] * size)
    m[0, 0], m[1, 0], m[1, 1] = -p["ka"], p["ka"], -k
    m[2, 1], m[2, 2] = fm * k, -kmor
    m[3, 1], m[3, 3] = (1 - fm) * k, -p["CLc"] / p["Vc"]
    m[4, 2], m[4, 4] = p["fm3"] * kmor, -p["CLm"] / p["Vm"]
    return m, fm, [p["V"] * size, p["Vmor"] * size, p["Vc"], p["Vm"]]


def codeine_numbers():
    p = CODEINE
    for score in (0, "0.5", 1, "1.5", 2, 3):
        m, fm, volumes = codeine(score)
        show(f"codeine fm at score {score}:", [fm])
        out = linear(m, [(0, 0, 30 * p["F"])], ["0.5", 2, 6, 12])
        for i, name in enumerate(("codeine", "morphine", "c6g", "m3g")):
            show(f"  30 mg, {name} at 0.5 2 6 12 h:", [row[i + 1] / volumes[i] for row in out])
    m, fm, volumes = codeine(2, 40)
    out = linear(m, [(6 * i, 0, 15 * p["F"]) for i in range(4)], [4, 24])
    for i, name in enumerate(("codeine", "morphine", "c6g", "m3g")):
        show(f"15 mg q6h x 4, 40 kg, score 2, {name} at 4 24 h:", [row[i + 1] / volumes[i] for row in out])
    m, fm, volumes = codeine("0.5")
    r = mpf(5)
    show("5 mg/h iv, score 0.5, steady state:",
         [r / p["CL"], r * fm / p["CLmor"], r * (1 - fm) / p["CLc"], r * fm * p["fm3"] / p["CLm"]])


# Target-mediated disposition; amounts in nmol, concentrations in nmol/L, time in d.

TMDD = numbers(dict(ka="0.25", F="0.6", CL="0.2", V1="3", Q="0.5", V2="2.5", R0="4", kdeg="0.8", kint="0.2",
                    kon="8", koff="2.4"))
KSS = (TMDD["koff"] + TMDD["kint"]) / TMDD["kon"]
TMDD_TIMES = ["0.01", "0.1", "0.5", "1", "2", "4", "7", "10", "14", "21", "28", "35", "42", "56"]
NMOL_PER_MG = 1000 / mpf(150)


def tmdd_full(t, y):
    p = TMDD
    depot, central, peripheral, target, bound = y
    c = central / p["V1"]
    binding = p["kon"] * (c * target) - p["koff"] * bound
    exchange = p["Q"] * (c - peripheral / p["V2"])
    return [-p["ka"] * depot,
            p["ka"] * depot - p["CL"] * c - exchange - p["V1"] * binding,
            exchange,
            p["kdeg"] * p["R0"] - p["kdeg"] * target - binding,
            binding - p["kint"] * bound]


def tmdd_qss_free(central, total):
    difference = central / TMDD["V1"] - total - KSS
    return (difference + Root(difference * difference + 4 * KSS / TMDD["V1"] * central)) / 2


def tmdd_qss(t, y):
    p = TMDD
    depot, central, peripheral, total = y
    c = tmdd_qss_free(central, total)
    bound = total * c / (c + KSS)
    exchange = p["Q"] * (c - peripheral / p["V2"])
    return [-p["ka"] * depot,
            p["ka"] * depot - p["CL"] * c - exchange - p["kint"] * p["V1"] * bound,
            exchange,
            p["kdeg"] * p["R0"] - p["kdeg"] * (total - bound) - p["kint"] * bound]


def tmdd_full_outputs(y):
    return [y[1] / TMDD["V1"], y[3], y[4]]


def tmdd_qss_outputs(y):
    difference = y[1] / TMDD["V1"] - y[3] - KSS
    c = (difference + sqrt(difference ** 2 + 4 * KSS * y[1] / TMDD["V1"])) / 2
    bound = y[3] * c / (KSS + c)
    return [c, y[3] - bound, bound]


TMDD_DOSES = {
    "iv 10 mg": [(0, 1, 10 * NMOL_PER_MG)],
    "iv 300 mg": [(0, 1, 300 * NMOL_PER_MG)],
    "sc 60 mg every 14 d, 3 times": [(14 * i, 0, 60 * NMOL_PER_MG * TMDD["F"]) for i in range(3)],
}


def tmdd_numbers(folder):
    for name, n, rates, start, outputs in (
            ("full", 5, tmdd_full, [0, 0, 0, TMDD["R0"], 0], tmdd_full_outputs),
            ("qss", 4, tmdd_qss, [0, 0, 0, TMDD["R0"]], tmdd_qss_outputs)):
        for i, (what, doses) in enumerate(TMDD_DOSES.items()):
            rows = [outputs(y) for y in trajectory(n, rates, start, doses, TMDD_TIMES)]
            for k, output in enumerate(("C", "target", "complex")):
                show(f"tmdd {name} {what}, {output} at 1 7 21 42 d:",
                     [rows[TMDD_TIMES.index(t)][k] for t in ("1", "7", "21", "42")])
            if folder:
                write(folder, f"reference_tmdd_{name}_{i + 1}.csv", f"tmdd_{name}, {what}",
                      ["time_d", "C", "target", "complex"],
                      [[mpf(t)] + row for t, row in zip(TMDD_TIMES, rows)])
    for c in (mpf("0.2"), mpf(2), mpf(50)):
        p = TMDD
        target = p["kdeg"] * p["R0"] / (p["kdeg"] + p["kint"] * c / KSS)
        bound = target * c / KSS
        rate = p["CL"] * c + p["kint"] * p["V1"] * bound
        show("tmdd steady state, 1000 d of infusion [nmol], C, target, complex:",
             [1000 * rate, c, target, bound])


# Whole body; amounts in mg, volumes in L, time in h. Organ: volume, share of the flow, partition.

BODY = numbers(dict(CO="390", total="73", arterial="1.6", venous="3.7", BP="0.8", fu="0.2", CLint="150",
                    CLrenal="3", ka="1", F="0.9"))
ORGANS = {name: tuple(mpf(x) for x in values) for name, values in dict(
    lung=("0.5", 0, "0.8"), heart=("0.33", "0.04", "1.2"), brain=("1.45", "0.12", "0.6"),
    muscle=(29, "0.17", "1.5"), adipose=("14.5", "0.05", 4), skin=("3.3", "0.05", "1.4"),
    bone=("10.5", "0.05", "0.9"), kidney=("0.31", "0.19", 2), liver=("1.8", "0.065", "2.5"),
    spleen=("0.15", "0.03", "1.3"), stomach=("0.15", "0.01", "1.3"), small_intestine=("0.65", "0.1", "1.6"),
    large_intestine=("0.37", "0.04", "1.6"), pancreas=("0.14", "0.01", "1.3")).items()}
ORGANS["rest"] = (BODY["total"] - BODY["arterial"] - BODY["venous"] - sum(o[0] for o in ORGANS.values()),
                  1 - sum(o[1] for o in ORGANS.values()), mpf(1))
PORTAL = ("spleen", "stomach", "small_intestine", "large_intestine", "pancreas")
PLACES = ["gut_lumen", "venous", "arterial"] + list(ORGANS)
PBPK_TIMES = ["0.05", "0.25", "0.5", "1", "2", "4", "8", "12", "24", "48", "72", "120"]


def pbpk_rates(clint, clrenal):
    b, at = BODY, {name: i for i, name in enumerate(PLACES)}
    m = matrix(len(PLACES), len(PLACES))

    def flow(source, target, rate):  # rate [1/h] of what is in the source
        m[at[source], at[source]] -= rate
        if target:
            m[at[target], at[source]] += rate

    out = {name: b["BP"] / (v * kp) for name, (v, _, kp) in ORGANS.items()}
    portal = sum(ORGANS[name][1] for name in PORTAL) * b["CO"]
    flow("gut_lumen", "small_intestine", b["ka"])
    flow("venous", "lung", b["CO"] / b["venous"])
    flow("lung", "arterial", b["CO"] * out["lung"])
    for name, (_, share, _) in ORGANS.items():
        if name == "lung":
            continue
        q = share * b["CO"]
        flow("arterial", name, q / b["arterial"])
        to = "liver" if name in PORTAL else "venous"
        flow(name, to, (q + (portal if name == "liver" else 0)) * out[name])
    flow("liver", None, b["fu"] * clint / b["BP"] * out["liver"])
    flow("kidney", None, clrenal / b["BP"] * out["kidney"])
    return m


def pbpk_outputs(y):
    at = {name: i for i, name in enumerate(PLACES)}
    return [y[at["venous"]] / BODY["venous"] / BODY["BP"], y[at["liver"]] / ORGANS["liver"][0],
            y[at["brain"]] / ORGANS["brain"][0], sum(y[1:])]


def pbpk_numbers(folder):
    b = BODY
    m = pbpk_rates(b["CLint"], b["CLrenal"])
    for i, (what, events) in enumerate({
            "iv 100 mg": [(0, 1, 100)],
            "oral 100 mg": [(0, 0, 100 * b["F"])],
            "iv 100 mg over 2 h": [(0, 1, 50, "rate"), (2, 1, -50, "rate")]}.items()):
        rows = [pbpk_outputs(y) for y in linear(m, events, PBPK_TIMES)]
        for k, output in enumerate(("Cp", "C_liver", "C_brain", "in_body")):
            show(f"pbpk {what}, {output} at 0.25 1 4 24 72 h:",
                 [rows[PBPK_TIMES.index(t)][k] for t in ("0.25", "1", "4", "24", "72")])
        if folder:
            write(folder, f"reference_pbpk_15_organs_{i + 1}.csv", f"pbpk_15_organs, {what}",
                  ["time_h", "Cp", "C_liver", "C_brain", "in_body"],
                  [[mpf(t)] + row for t, row in zip(PBPK_TIMES, rows)])
    # Steady state by balances: every organ that eliminates nothing is in equilibrium with the artery.
    ql = (ORGANS["liver"][1] + sum(ORGANS[n][1] for n in PORTAL)) * b["CO"]
    qk = ORGANS["kidney"][1] * b["CO"]
    el = b["fu"] * b["CLint"] / b["BP"]
    el, ek = el / (ql + el), (b["CLrenal"] / b["BP"]) / (qk + b["CLrenal"] / b["BP"])
    c = mpf(10) / (ql * el + qk * ek)  # blood, at 10 mg/h
    kept = {"liver": 1 - el, "kidney": 1 - ek}
    amount = c * (b["arterial"] + b["venous"]) + sum(
        c * v * kp / b["BP"] * kept.get(name, 1) for name, (v, _, kp) in ORGANS.items())
    show("pbpk 10 mg/h, steady state: Cp, C_liver, C_brain, in_body:",
         [c / b["BP"], c * ORGANS["liver"][2] / b["BP"] * (1 - el), c * ORGANS["brain"][2] / b["BP"], amount])
    vss = b["BP"] * (b["arterial"] + b["venous"]) + sum(v * kp for v, _, kp in ORGANS.values())
    show("pbpk without elimination, 100 mg at equilibrium: Vss, Cp:", [vss, 100 / vss])


# The same body with a liver that saturates: Vmax·Cu/(Km + Cu) of the unbound concentration that leaves it.

VMAX, KM = mpf(60), mpf("0.4")


def pbpk_saturable(t, y):
    m, liver, b = pbpk_rates(mpf(0), BODY["CLrenal"]), PLACES.index("liver"), BODY
    rates = []
    for i in range(m.rows):
        rate = Constant(0)
        for j in range(m.cols):
            if m[i, j] != 0:
                rate = rate + m[i, j] * y[j]
        rates.append(rate)
    unbound = b["fu"] / (ORGANS["liver"][0] * ORGANS["liver"][2]) * y[liver]
    rates[liver] = rates[liver] - VMAX * unbound / (KM + unbound)
    return rates


def pbpk_saturable_numbers(folder):
    b, times = BODY, [t for t in PBPK_TIMES if mpf(t) <= 24]
    for i, (what, doses) in enumerate({"iv 1000 mg": [(0, 1, 1000)], "oral 300 mg": [(0, 0, 300 * b["F"])]}.items()):
        rows = [pbpk_outputs(y) for y in trajectory(len(PLACES), pbpk_saturable, [0] * len(PLACES), doses, times)]
        for k, output in enumerate(("Cp", "C_liver", "C_brain", "in_body")):
            show(f"pbpk_saturable {what}, {output} at 0.25 1 4 24 h:",
                 [rows[times.index(t)][k] for t in ("0.25", "1", "4", "24")])
        if folder:
            write(folder, f"reference_pbpk_15_organs_saturable_{i + 1}.csv", f"pbpk_15_organs_saturable, {what}",
                  ["time_h", "Cp", "C_liver", "C_brain", "in_body"],
                  [[mpf(t)] + row for t, row in zip(times, rows)])
    # Steady state by balances, for the unbound concentration in the liver that is chosen.
    ql = (ORGANS["liver"][1] + sum(ORGANS[n][1] for n in PORTAL)) * b["CO"]
    qk = ORGANS["kidney"][1] * b["CO"]
    clk = qk * (b["CLrenal"] / b["BP"]) / (qk + b["CLrenal"] / b["BP"])
    for unbound in (mpf("0.1"), mpf(1)):
        out = unbound / b["fu"] * b["BP"]
        gone = VMAX * unbound / (KM + unbound)
        blood = out + gone / ql
        show("pbpk_saturable steady state, 1000 h of infusion [mg], Cp, C_liver:",
             [1000 * (gone + clk * blood), blood / b["BP"], out * ORGANS["liver"][2] / b["BP"]])


# Parent and metabolite, recirculation, auto-induction; mg, L, h.

def parent_metabolite_numbers():
    p = numbers(dict(ka="1.5", F="0.9", CLint="60", Q="90", CLr="4", V="120", fm="0.7", ratio="0.95", CLm="18",
                     Vm="60"))
    e = p["CLint"] / (p["Q"] + p["CLint"])
    clh, made = p["Q"] * e, p["fm"] * p["ratio"]
    m = matrix(3, 3)
    m[0, 0], m[1, 0], m[2, 0] = -p["ka"], p["ka"] * (1 - e), made * p["ka"] * e
    m[1, 1], m[2, 1], m[2, 2] = -(clh + p["CLr"]) / p["V"], made * clh / p["V"], -p["CLm"] / p["Vm"]
    for what, events in (("oral 100 mg", [(0, 0, 100 * p["F"])]), ("iv 100 mg", [(0, 1, 100)])):
        rows = linear(m, events, ["0.5", 2, 6, 24])
        show(f"parent_metabolite {what}, parent at 0.5 2 6 24 h:", [y[1] / p["V"] for y in rows])
        show(f"parent_metabolite {what}, metabolite at 0.5 2 6 24 h:", [y[2] / p["Vm"] for y in rows])
    for what, given, first in (("oral", 5 * p["F"], e), ("iv", mpf(5), mpf(0))):
        parent = given * (1 - first) / (clh + p["CLr"])
        show(f"parent_metabolite 5 mg/h {what}, steady state: parent, metabolite:",
             [parent, made * (given * first + clh * parent) / p["CLm"]])


RECIRCULATION = numbers(dict(ka="1", kf="0.25", CL="6", CLb="9", V="50", kb="0.05", km="1.5", width="20"))


def recirculation(t, y):
    p, (gut, central, gall) = RECIRCULATION, y
    meals = [Exponential(p["width"] * (Cosine((t - meal) * (2 * mp.pi / 24)) - 1)) for meal in (8, 13, 19)]
    emptying = (p["kb"] + p["km"] * (meals[0] + meals[1] + meals[2])) * gall
    return [emptying - (p["ka"] + p["kf"]) * gut,
            p["ka"] * gut - (p["CL"] + p["CLb"]) / p["V"] * central,
            p["CLb"] / p["V"] * central - emptying]


def recirculation_numbers():
    p = RECIRCULATION
    for what, doses in (("oral 100 mg", [(0, 0, 100)]),
                        ("iv 100 mg every 24 h, 3 times", [(24 * i, 1, 100) for i in range(3)])):
        rows = trajectory(3, recirculation, [0, 0, 0], doses, [2, 9, 14, 36, 72])
        show(f"recirculation {what}, Cp at 2 9 14 36 72 h:", [y[1] / p["V"] for y in rows])
        show(f"recirculation {what}, gall bladder at 2 9 14 36 72 h:", [y[2] for y in rows])
    back = p["ka"] / (p["ka"] + p["kf"])
    for what, share in (("oral", back), ("iv", mpf(1))):
        c = 5 * share / (p["CL"] + p["CLb"] * (1 - back))
        show(f"recirculation without meals, 5 mg/h {what}, steady state: Cp, gall bladder:",
             [c, p["CLb"] * c / p["kb"]])


INDUCTION = numbers(dict(ka="0.6", CL="2", V="80", Emax="2", EC50="4", k="0.01"))


def induction(t, y):
    p, (depot, central, enzyme) = INDUCTION, y
    c = central / p["V"]
    return [-p["ka"] * depot, p["ka"] * depot - p["CL"] * (enzyme * c),
            p["k"] * (1 + p["Emax"] * c / (p["EC50"] + c) - enzyme)]


def induction_numbers():
    p = INDUCTION
    for what, doses in (("oral 400 mg", [(0, 0, 400)]),
                        ("oral 400 mg every 24 h, 14 times", [(24 * i, 0, 400) for i in range(14)])):
        rows = trajectory(3, induction, [0, 0, 1], doses, [4, 24, 100, 336])
        show(f"auto_induction {what}, Cp at 4 24 100 336 h:", [y[1] / p["V"] for y in rows])
        show(f"auto_induction {what}, enzyme at 4 24 100 336 h:", [y[2] for y in rows])
    for rate in (mpf(5), mpf(40)):  # CL·(1 + Emax)·C² + (CL·EC50 − rate)·C − rate·EC50 = 0
        a, b, c = p["CL"] * (1 + p["Emax"]), p["CL"] * p["EC50"] - rate, -rate * p["EC50"]
        conc = (-b + sqrt(b * b - 4 * a * c)) / (2 * a)
        show(f"auto_induction {mp.nstr(rate, 3)} mg/h, steady state: Cp, enzyme:", [conc, rate / p["CL"] / conc])


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
    codeine_numbers()
    tmdd_numbers(folder)
    pbpk_numbers(folder)
    pbpk_saturable_numbers(folder)
    parent_metabolite_numbers()
    recirculation_numbers()
    induction_numbers()


if __name__ == "__main__":
    main()
