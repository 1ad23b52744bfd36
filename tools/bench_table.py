#!/usr/bin/env python3
"""Ratios of a benchmark's medians to the plain case of the same engine, as a table.

build/release/tests/bench/feature_costs --benchmark_repetitions=5 \
    --benchmark_report_aggregates_only=true --benchmark_out=costs.json --benchmark_out_format=json
tools/bench_table.py costs.json
"""
import json
import sys


def medians(path):
    with open(path, encoding="utf-8") as file:
        runs = json.load(file)["benchmarks"]
    found = {}
    for run in runs:
        if run.get("aggregate_name") != "median" or run.get("error_occurred"):
            continue
        case, engine = run["run_name"].split("/")[:2]
        found.setdefault(engine, {})[case] = 1.0 / run["items_per_second"]
    return found


def main():
    for engine, cases in medians(sys.argv[1]).items():
        plain = cases["plain"]
        print(f"\n| {engine} | × plain | µs per patient |\n|---|---|---|")
        for case, seconds in sorted(cases.items(), key=lambda item: (item[0] != "plain", item[0])):
            print(f"| {case.replace('_', ' ')} | {seconds / plain:.2f} | {1e6 * seconds:.2f} |")


if __name__ == "__main__":
    main()
