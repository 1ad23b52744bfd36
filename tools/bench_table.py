#!/usr/bin/env python3
"""The tables of docs/benchmarks.md from a benchmark's JSON.

taskset -c 1 build/release/tests/bench/cases_bench --benchmark_repetitions=5 \\
    --benchmark_report_aggregates_only=true --benchmark_out=cases.json --benchmark_out_format=json
tools/bench_table.py cases.json

Rows are named <case>/<engine>/<method>/<rtol>, and compared at equal rms error: times of one
method are interpolated over its tolerances, both on logarithmic scales; of several methods of an
engine the cheapest counts. Rows named <feature>/<engine> (feature_costs) are divided by the plain
one of their engine.
"""
import json
import math
import sys

BASELINES = ("odeint", "cvode", "cvode-klu")
OWN = ("exact", "lanes-native", "lanes-interpreter")
ERRORS = (1e-6, 1e-7)


def runs_of(path):
    """Medians where there are repetitions, single runs otherwise."""
    with open(path, encoding="utf-8") as file:
        runs = json.load(file)["benchmarks"]
    chosen = [run for run in runs if run.get("aggregate_name") == "median"] or [
        run for run in runs if run["run_type"] == "iteration"]
    return [run for run in chosen if not run.get("error_occurred")]


def curves(runs):
    """{case: {engine: {method: [(rtol, run)]}}}; rtol is None for what has none."""
    found = {}
    for run in runs:
        case, engine, *rest = run["run_name"].split("/")
        method = rest[0] if rest else ""
        rtol = float(rest[1]) if len(rest) > 1 else None
        engines = found.setdefault(case, {})
        engines.setdefault(engine, {}).setdefault(method, []).append((rtol, run))
    return found


def cost_at(points, error):
    """µs per patient at an rms error, and whether it is reached with less; None if not reached."""
    points = sorted((run["rms"], run["us"]) for _, run in points)
    reached = [us for rms, us in points if rms <= error]
    if not reached:
        return None
    above = [point for point in points if point[0] > error]
    if not above:
        return min(reached), True
    below = max((rms, us) for rms, us in points if rms <= error)
    (e0, t0), (e1, t1) = below, above[0]
    if e0 <= 0.0:
        return t0, True
    part = (math.log(error) - math.log(e0)) / (math.log(e1) - math.log(e0))
    return min(math.exp(math.log(t0) + part * (math.log(t1) - math.log(t0))), min(reached)), False


def best(methods, error):
    """(µs, method, is_less) of the cheapest method of an engine at an rms error."""
    found = []
    for method, points in methods.items():
        cost = cost_at(points, error)
        if cost:
            found.append((cost[0], method, cost[1]))
    return min(found) if found else None


def shown(cost):
    if cost is None:
        return "–"
    us, method, is_less = cost
    return f"{us:.3g}{'*' if is_less else ''}" + (f" {method}" if method in METHODS else "")


METHODS = ("rodas5p", "tsit5", "rodas5p-split", "tsit5-split")


def table(header, rows):
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def equal_error(cases, error):
    engines = [e for e in BASELINES + OWN if any(e in found for found in cases.values())]
    ratios = [(own, base) for own in engines if own in OWN for base in engines if base in BASELINES]
    rows = []
    for case, found in cases.items():
        costs = {e: best(found[e], error) if e in found else None for e in engines}
        row = [case] + [shown(costs[e]) for e in engines]
        for own, base in ratios:
            row.append(f"{costs[base][0] / costs[own][0]:.3g}" if costs[own] and costs[base] else "–")
        rows.append(row)
    print(f"µs per patient at an rms error of {error:.0e} (* cheapest, whose error is less)\n")
    table(["case"] + engines + [f"{base} / {own}" for own, base in ratios], rows)


def equal_tolerance(cases, rtol):
    rows = []
    for case, found in cases.items():
        for engine, methods in found.items():
            for method, points in methods.items():
                for at, run in points:
                    if at in (rtol, None):
                        rows.append([case, engine, method, f"{run['us']:.3g}", f"{run['steps']:.0f}",
                                     f"{run['rejected']:.1f}", f"{run['rms']:.1e}", f"{run['max']:.1e}"])
    print(f"Each by itself at rtol {rtol:.0e}\n")
    table(["case", "engine", "method", "µs", "steps", "rejected", "rms", "max"], rows)


def limits(cases):
    rows = []
    for case, found in cases.items():
        if "memset" not in found:
            continue
        fills = {method: points[0][1]["us"] for method, points in found["memset"].items()}
        for engine in ("exact", "exact-population"):
            for method, points in found.get(engine, {}).items():
                us = points[0][1]["us"]
                rows.append([case, engine, method, f"{us:.3f}"] + [f"{us / fill:.2f}" for fill in fills.values()])
    if rows:
        print("Exact propagation, × memset of its output\n")
        table(["case", "engine", "method", "µs"] + [f"memset {m}" for m in fills], rows)


def features(runs):
    found = {}
    for run in runs:
        case, engine = run["run_name"].split("/")[:2]
        found.setdefault(engine, {})[case] = 1.0 / run["items_per_second"]
    for engine, cases in found.items():
        plain = cases["plain"]
        rows = [[case.replace("_", " "), f"{s / plain:.2f}", f"{1e6 * s:.2f}"]
                for case, s in sorted(cases.items(), key=lambda item: (item[0] != "plain", item[0]))]
        table([engine, "× plain", "µs per patient"], rows)


def main():
    runs = runs_of(sys.argv[1])
    if any(run["run_name"].startswith("plain/") for run in runs):
        return features(runs)
    cases = curves(runs)
    for error in ERRORS:
        equal_error(cases, error)
    limits(cases)
    equal_tolerance(cases, 1e-6)


if __name__ == "__main__":
    main()
