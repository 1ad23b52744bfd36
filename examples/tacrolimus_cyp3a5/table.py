#!/usr/bin/env python3
"""Who is below, in and above the range, if each patient is dosed by what is known of CYP3A5.

    table.py OUTCOMES.csv SUBJECTS.csv [GROUP]

The files are written by `gemel export FILE --what outcomes` and `--what subjects`. Each line is a way of choosing between
the study's two arms, for the same patients; intervals are Wilson's, 95 %.
"""
import csv
import math
import sys

RANGE = (10.0, 15.0)  # ug/L


def expresses(diplotype):
    """One copy that works is enough."""
    return "*1" in diplotype.split("/")


def by_test_of_3(diplotype):
    """What is not *3 reads as *1."""
    return "/".join("*3" if allele == "*3" else "*1" for allele in diplotype.split("/"))


WAYS = {
    "no genotype": lambda diplotype: "usual",
    "CYP3A5 as it is": lambda diplotype: "more" if expresses(diplotype) else "usual",
    "a test of *3 alone": lambda diplotype: "more" if expresses(by_test_of_3(diplotype)) else "usual",
}


def wilson(n_hits, n):
    z, p = 1.959963985, n_hits / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def cell(hits):
    low, high = wilson(sum(hits), len(hits))
    return f"{100 * sum(hits) / len(hits):.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def column(rows, name):
    """Headers carry their units: "trough [ug/L]"."""
    return next(key for key in rows[0] if key.split(" ")[0] == name)


def main():
    outcomes, subjects = (list(csv.DictReader(open(path, encoding="utf-8"))) for path in sys.argv[1:3])
    group = sys.argv[3] + ", " if len(sys.argv) > 3 else ""
    name = column(outcomes, "trough")
    trough = {(row["arm"], row["subject"]): float(row[name]) for row in outcomes}
    diplotype = {row["subject"]: row[column(subjects, "CYP3A5")] for row in subjects}
    for way, choose in WAYS.items():
        reached = [trough[choose(diplotype[subject]), subject] for subject in diplotype]
        below = [value < RANGE[0] for value in reached]
        above = [value > RANGE[1] for value in reached]
        within = [not a and not b for a, b in zip(below, above)]
        print(f"| {group}{way} | {cell(below)} | {cell(within)} | {cell(above)} |")
    taken = [s for s, d in diplotype.items() if expresses(by_test_of_3(d)) and not expresses(d)]
    if taken:
        for arm in ("usual", "more"):
            above = [trough[arm, subject] > RANGE[1] for subject in taken]
            print(f"taken for expressers, on {arm}: {len(taken)}, above {cell(above)}")


if __name__ == "__main__":
    main()
