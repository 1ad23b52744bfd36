#!/usr/bin/env python3
"""The tables of docs/benchmarks.md from a benchmark's JSON.

taskset -c 1 build/release/tests/bench/cases_bench --benchmark_repetitions=5 \\
    --benchmark_report_aggregates_only=true --benchmark_out=cases.json --benchmark_out_format=json
tools/bench_table.py cases.json        # several files are read as one

Rows are named <case>/<engine>/<method>/<rtol>, and compared at equal rms error: times of one
method are interpolated over its tolerances, both on logarithmic scales; of several methods of an
engine the cheapest counts. Rows named <feature>/<engine> (feature_costs) are divided by the plain
one of their engine.
"""
import json
import math
import sys

BASELINES = ("odeint", "cvode", "cvode-klu")
LANES = ("lanes-native", "lanes-interpreter")
OWN = ("exact",) + LANES
ERRORS = (1e-6, 1e-7)


def runs_of(paths):
    """Medians where there are repetitions, single runs otherwise."""
    runs = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            runs += json.load(file)["benchmarks"]
    chosen = [run for run in runs if run.get("aggregate_name") == "median"] or [
        run for run in runs if run["run_type"] == "iteration"]
    return [run for run in chosen if not run.get("error_occurred")]


def curves(runs):
    """{case: {engine: {method: [(rtol, run)]}}}; rtol is None for what has none."""
    found = {}
    for run in runs:
        case, engine, *rest = run["run_name"].removesuffix("/process_time").split("/")
        method = rest[0] if rest else ""
        rtol = float(rest[1]) if len(rest) > 1 else None
        engines = found.setdefault(case, {})
        engines.setdefault(engine, {}).setdefault(method, []).append((rtol, run))
    return found


def cost_at(points, error, measure="rms"):
    """µs per patient at an error, and whether it is reached with less; None if not reached."""
    points = sorted((run[measure], run["us"]) for _, run in points)
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


def best(methods, error, measure="rms"):
    """(µs, method, is_less) of the cheapest method of an engine at an error."""
    found = []
    for method, points in methods.items():
        cost = cost_at(points, error, measure)
        if cost:
            found.append((cost[0], method, cost[1]))
    return min(found) if found else None


def digits(number):
    """Three of them, without exponents."""
    return f"{number:.0f}" if number >= 99.95 else f"{number:.3g}"


def shown(cost):
    if cost is None:
        return "–"
    us, method, is_less = cost
    return f"{digits(us)}{'*' if is_less else ''}" + (f" {method}" if method in METHODS else "")


METHODS = ("rodas5p", "tsit5", "rodas5p-split", "tsit5-split", "taylor9")


def table(title, header, rows):
    if not rows:
        return
    if title:
        print(title + "\n")
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def equal_error(cases, error):
    engines = [e for e in BASELINES + LANES if any(e in found for found in cases.values())]
    ratios = [(own, base) for own in engines if own in LANES for base in engines if base in BASELINES]
    rows = []
    for case, found in cases.items():
        costs = {e: best(found[e], error) if e in found else None for e in engines}
        row = [case] + [shown(costs[e]) for e in engines]
        for own, base in ratios:
            row.append(digits(costs[base][0] / costs[own][0]) if costs[own] and costs[base] else "–")
        rows.append(row)
    table(f"µs per patient at an rms error of {error:.0e} (* cheapest, whose error is less), and how many times faster",
          ["case"] + engines + [f"{own.removeprefix('lanes-')}: × {base}" for own, base in ratios], rows)


def equal_tolerance(cases, rtol):
    rows = []
    for case, found in cases.items():
        for engine, methods in found.items():
            for method, points in methods.items():
                for at, run in points:
                    if at in (rtol, None) and run.get("rms", 0.0) > 0.0:
                        rows.append([case, engine, method, digits(run["us"]), f"{run['steps']:.0f}",
                                     f"{run['rejected']:.1f}", f"{run['rms']:.1e}", f"{run['max']:.1e}"])
    table(f"Each by itself at rtol {rtol:.0e}",
          ["case", "engine", "method", "µs", "steps", "rejected", "rms", "max"], rows)


# The least a step can take: one vector operation of eight lanes a cycle.
WIDTH, CYCLE_NS = 8, 0.27


def operation_bound(cases, rtol):
    rows = []
    for case, found in cases.items():
        for engine in (e for e in OWN if e in found):
            for method, points in found[engine].items():
                for at, run in points:
                    if at == rtol and "operations" in run:
                        tries = run["steps"] + run["rejected"]
                        bound = 1e-3 * tries * run["operations"] * CYCLE_NS / WIDTH
                        rows.append([case, engine, method, f"{run['operations']:.0f}", digits(bound),
                                     digits(run["us"]), f"{run['us'] / bound:.2f}"])
    table("Steps against their operations: one vector operation of eight lanes a cycle of 0.27 ns",
          ["case", "engine", "method", "operations a step", "bound, µs", "µs", "× bound"], rows)


def exact_limits(cases):
    rows = []
    for case, found in cases.items():
        if "memset" not in found:
            continue
        fills = {method: points[0][1]["us"] for method, points in found["memset"].items()}
        odeint = [best(found["odeint"], error) for error in ERRORS] if "odeint" in found else []
        for part, fill in fills.items():
            for method, points in found.get(f"exact-{part}", {}).items():
                us = points[0][1]["us"]
                rows.append([case, method, part, f"{us:.3f}", f"{fill:.3f}", f"{us / fill:.2f}"]
                            + [f"{cost[0] / us:.0f}" for cost in odeint])
    table("Exact propagation of 10,000 patients at once and in blocks over each other, memset of the same output",
          ["case", "method", "output", "µs", "memset, µs", "× memset"]
          + [f"× odeint at {error:.0e}" for error in ERRORS][: len(odeint)], rows)


# mrgsolve 2.0.2.9000 and rxode2 5.1.6 (lsoda), µs per patient of one thread by the largest error over the patient's
# peak, measured on a machine of this kind (2 virtual cores of an AMD EPYC Zen 4); closed form: whatever the error.
PEER_ERRORS = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
PEERS = {
    "P1": {"mrgsolve": (192, 225, 263, 306, 356), "rxode2": (312, 375, 453, 517, 591), "mrgsolve closed form": 5 * (64,)},
    "P2": {"mrgsolve": (44, 54, 65, 74, 86), "rxode2": (70, 83, 103, 118, 137)},
    "P3": {"mrgsolve": (186, 251, 334, 442, 603), "rxode2": (268, 367, 491, 649, 875)},
    "P4": {"mrgsolve": (1544, 2071, 2828, 4211, 6101), "rxode2": (2028, 2738, 3743, 5599, 8152)},
}


def against_peers(cases):
    rows = []
    for study in (name for name in PEERS if name in cases):
        for engine in (e for e in OWN if e in cases[study]):
            for i, error in enumerate(PEER_ERRORS[1:4], start=1):
                cost = best(cases[study][engine], error, "peak")
                row = [study, engine, f"{error:.0e}", shown(cost)]
                peers = [PEERS[study].get(p, ())[i : i + 1] for p in ("mrgsolve", "rxode2", "mrgsolve closed form")]
                row += [f"{p[0]} ({digits(p[0] / cost[0])}×)" if p and cost else "–" for p in peers]
                rows.append(row)
    table("P1 … P4 at equal error (largest over 100 patients, of each one's peak), µs per patient (ratio)",
          ["study", "engine", "error", "Gemel", "mrgsolve", "rxode2 lsoda", "mrgsolve closed form"], rows)
    rows = []
    for study, found in cases.items():
        for engine, methods in found.items():
            if engine in ("draw", "run"):
                for method, points in methods.items():
                    us, seconds = points[0][1]["us"], points[0][1]["real_time"]
                    rows.append([study, engine, method, digits(us), f"{seconds:.0f}"])
    table("Drawing alone; a whole run: loading, drawing, solving, writing",
          ["study", "part", "threads", "µs CPU per patient", "ms in all, by the clock"], rows)


def latencies(cases):
    rows = [[case, engine.removesuffix("-latency"), method, f"{points[0][1]['cpu_time']:.3g}"]
            for case, found in cases.items() for engine, methods in found.items()
            if engine.endswith("-latency") for method, points in methods.items()]
    table("From equations to the first step, ms of CPU time",
          ["case", "engine", "method", "ms"], rows)


def scaling(cases):
    sizes = {}
    for case, found in cases.items():
        size, n = case.split(":")
        for engine, methods in found.items():
            for method, points in methods.items():
                run = points[0][1]
                sizes.setdefault((size, engine, method), []).append((n, run["us"], run["steps"]))
    for (size, engine, method), points in sizes.items():
        table("",
          [f"{size} ({engine} {method})"] + [n for n, _, _ in points],
              [["µs per patient"] + [digits(us) for _, us, _ in points],
               ["steps"] + [f"{steps:.0f}" for _, _, steps in points]])


def features(runs):
    found = {}
    for run in runs:
        case, engine = run["run_name"].split("/")[:2]
        found.setdefault(engine, {})[case] = 1.0 / run["items_per_second"]
    for engine, cases in found.items():
        plain = cases["plain"]
        rows = [[case.replace("_", " "), f"{s / plain:.2f}", f"{1e6 * s:.2f}"]
                for case, s in sorted(cases.items(), key=lambda item: (item[0] != "plain", item[0]))]
        table("",
          [engine, "× plain", "µs per patient"], rows)


def main():
    runs = runs_of(sys.argv[1:])
    if any(run["run_name"].startswith("plain/") for run in runs):
        return features(runs)
    cases = curves(runs)
    if any(name in PEERS for name in cases):
        return against_peers(cases)
    if all(":" in name for name in cases):
        return scaling(cases)
    for error in ERRORS:
        equal_error(cases, error)
    exact_limits(cases)
    operation_bound(cases, 1e-6)
    latencies(cases)
    equal_tolerance(cases, 1e-6)


if __name__ == "__main__":
    main()
