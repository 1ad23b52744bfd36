#!/usr/bin/env python3
"""Exposure numbers with 50 digits, from the formulas alone, for tests/pkpd/data/nca_reference.csv.

    python3 tools/nca_numbers.py > tests/pkpd/data/nca_reference.csv     # needs mpmath

Independent of the program: textbook sums for the regression, the plain quotients of the trapezoidal
rules (Gibaldi and Perrier 1982, appendix D), no shared code. Concentrations and times are the decimals of the files.
"""
import csv
import pathlib

from mpmath import exp, log, mp, mpf, nstr

mp.dps = 50
DATA = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data"


def profiles(name):
    by_subject = {}
    with open(DATA / name, newline="") as file:
        for row in csv.DictReader(file):
            if row["DV"] != ".":
                by_subject.setdefault(row["ID"], []).append((mpf(row["TIME"]), mpf(row["DV"])))
    return by_subject


def line(points):
    n = len(points)
    x = [t for t, c in points]
    y = [log(c) for t, c in points]
    sx, sy = sum(x), sum(y)
    sxx = sum(a * a for a in x) - sx * sx / n
    syy = sum(b * b for b in y) - sy * sy / n
    sxy = sum(a * b for a, b in zip(x, y)) - sx * sy / n
    slope = sxy / sxx
    r2 = sxy ** 2 / (sxx * syy)
    return {"k": -slope, "b": (sy - slope * sx) / n, "r2": r2, "adj": 1 - (1 - r2) * (n - 1) / (n - 2), "n": n}


def terminal(points, route):
    positive = [p for p in points if p[1] > 0]
    peak = max(range(len(positive)), key=lambda i: (positive[i][1], -i))
    usable = positive[peak if route == "bolus" else peak + 1:]
    fits = [line(usable[i:]) for i in range(len(usable) - 2)]
    fits = [f for f in fits if f["k"] > 0]
    best = max(f["adj"] for f in fits)
    return max((f for f in fits if best - f["adj"] < mpf("1e-4")), key=lambda f: f["n"])


def areas(points, rule):
    auc = aumc = mpf(0)
    for (t1, c1), (t2, c2) in zip(points, points[1:]):
        dt = t2 - t1
        if rule == "log" and 0 < c2 < c1:
            k = log(c1 / c2) / dt
            auc += (c1 - c2) / k
            aumc += (t1 * c1 - t2 * c2) / k + (c1 - c2) / k ** 2
        else:
            auc += dt * (c1 + c2) / 2
            aumc += dt * (t1 * c1 + t2 * c2) / 2
    return auc, aumc


def analyse(points, route, dose, duration, rule):
    fit = terminal(points, route)
    k = fit["k"]
    full = list(points)
    if full[0][0] != 0:
        start = mpf(0)
        if route == "bolus":
            (t1, c1), (t2, c2) = full[0], full[1]
            start = c1 * exp(log(c1 / c2) / (t2 - t1) * t1) if c1 > c2 > 0 else c1
        full.insert(0, (mpf(0), start))
    last = max(i for i, p in enumerate(full) if p[1] > 0)
    full = full[: last + 1]
    t, c = full[-1]
    pred = exp(fit["b"] - k * t)
    auc, aumc = areas(full, rule)
    inf, inf_pred = auc + c / k, auc + pred / k
    minf = aumc + c * t / k + c / k ** 2
    minf_pred = aumc + pred * t / k + pred / k ** 2
    half = duration / 2 if route == "infusion" else mpf(0)
    mrt = minf / inf - half
    result = {
        "lambda_z_n_points": fit["n"], "lambda_z": k, "half_life": log(2) / k, "r_squared": fit["r2"], "adj_r_squared": fit["adj"],
        "clast_pred": pred, "auclast": auc, "aucinf_obs": inf, "aucinf_pred": inf_pred, "aumclast": aumc, "aumcinf_obs": minf,
        "aumcinf_pred": minf_pred, "aucpext_obs": 100 * (c / k) / inf, "mrt_last": aumc / auc - half, "mrt_obs": mrt,
    }
    suffix = "_f" if route == "oral" else ""
    result["cl" + suffix + "_obs"] = dose / inf
    result["vz" + suffix + "_obs"] = dose / inf / k
    if route != "oral":
        result["vss_obs"] = dose / inf * mrt
    if route == "bolus":
        result["c0"] = full[0][1]
        result["aucpbext_obs"] = 100 * areas(full[:2], rule)[0] / inf
    return result


def main():
    print("# Written by tools/nca_numbers.py: 50-digit arithmetic, printed with 20 digits. Doses 320 mg and 25 mg, infusion 0.25 h.")
    print("set,subject,rule,parameter,value")
    for name, file, route, dose in (
        ("theophylline", "theophylline.csv", "oral", 320),
        ("bolus", "indomethacin.csv", "bolus", 25),
        ("infusion", "indomethacin.csv", "infusion", 25),
    ):
        for subject, points in profiles(file).items():
            for rule in ("linear", "log"):
                for key, value in analyse(points, route, mpf(dose), mpf("0.25"), rule).items():
                    print(f"{name},{subject},{rule},{key},{nstr(mpf(value), 20)}")


if __name__ == "__main__":
    main()
