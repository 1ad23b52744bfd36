#!/usr/bin/env python3
"""Writes library/recommendations/DRUG.toml from a table of CPIC's recommendations in categories.

    tools/make_recommendations.py FOLDER [OUTPUT_FOLDER]

FOLDER holds cpic_recommendations.csv: drug, key, population, implication, action, start_dose_factor_min,
start_dose_factor_max, dose_limit, alternatives, tdm, strength, guideline_year, basis. Every row becomes
one row; categories and numbers are copied as they stand.
"""
import csv
import pathlib
import re
import sys

HEAD = """\
# {drug}, made by tools/make_recommendations.py; change the tool or its table, not this file.
#
# Actions by genotype after the guidelines of CPIC, https://cpicpgx.org/ (content CC0 1.0), in the years
# named by row, condensed to categories: neither quotations nor advice. Each row says on what its reading
# rests; a row whose basis is remembered alone is to be checked against the guideline before use.
"""

BASIS = {
    "p": "guideline text as carried by PyPGx, about January 2024",
    "c": "guideline text in example reports of PharmCAT 3.1, November 2025",
    "c-data": "text of CPIC's warfarin diagram",
    "k": "guideline text of 2018-2021 as carried by KGrid",
    "n": "label or paper of a model",
    "r": "remembered",
}

# Keys that are not phenotypes: what the gene must be, and, where that is not all, in words.
OTHERS = {
    "CYP2C9+VKORC1+CYP4F2": ({"CYP2C9": '"known"', "VKORC1": '"known"', "CYP4F2": '"known"'}, ""),
    "CYP2C9+VKORC1 with CYP2C9*5,*6,*8,*11 tested":
        ({"CYP2C9": '"known"', "VKORC1": '"known"'}, "tested for CYP2C9*5, *6, *8 and *11"),
    "CYP2C9*5,*6,*8,*11 not tested": ({}, "not tested for CYP2C9*5, *6, *8 and *11"),
}


# What reads as an order in the table, as a statement.
STATEMENTS = {
    "then reduce 15-30% per *5/*6/*8/*11 carrier status (20-40% if homozygous) and 10-25% for "
    "rs12777823 A carriers (African American)":
        "IWPC or Gage dosing equation, 15-30% lower for carriers of *5, *6, *8 or *11 (20-40% if "
        "homozygous), 10-25% lower for rs12777823 A carriers (African American)",
    "IWPC or Gage dosing equation (see dose_equations.toml)": "IWPC or Gage dosing equation",
    "avoid carbamazepine and oxcarbazepine": "neither carbamazepine nor oxcarbazepine",
}


def text(words):
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'


def condition(gene, words):
    """What one gene must be: a phenotype, a range of scores, diplotypes, alleles carried or not."""
    if words.startswith("*") and words.endswith(" carrier"):
        return f'{{ carries = [{text(words.split()[0])}] }}'
    if gene.startswith("HLA"):
        allele, sign = words.rsplit(" ", 1)
        return f'{{ {"carries" if sign == "positive" else "carries_none"} = [{text(allele)}] }}'
    if match := re.fullmatch(r"AS ([\d.]+)(?:-([\d.]+))? \((\w+)\)", words):
        low, high, label = match.groups()
        return f'{{ phenotype = "{label}", score = [{low}, {high or low}] }}'
    if match := re.fullmatch(r"AS(>=|<)([\d.]+) \((\w+)\)", words):
        sign, bound, label = match.groups()
        # Scores are multiples of a quarter.
        span = f"[{bound}, inf]" if sign == ">=" else f"[0, {float(bound) - 0.25:g}]"
        return f'{{ phenotype = "{label}", score = {span} }}'
    if match := re.fullmatch(r"(\S+/\S+) \(or (\w+)\)", words):
        return text(match.group(2))  # the diplotype has that phenotype
    if "/" in words:
        return f'{{ diplotypes = [{text(words)}] }}'
    return text(words)


def name_of(gene):
    return gene if re.fullmatch(r"[A-Za-z0-9_-]+", gene) else text(gene)


def genotype(key):
    if key in OTHERS:
        return OTHERS[key]
    return {gene: condition(gene, words)
            for gene, words in (part.split("=", 1) for part in key.split(";"))}, ""


def row_text(row):
    conditions, remark = genotype(row["key"])
    fields = []
    if conditions:
        inner = ", ".join(f"{name_of(gene)} = {value}" for gene, value in conditions.items())
        fields.append(f"genotype = {{ {inner} }}")
    if remark:
        fields.append(f"condition = {text(remark)}")
    fields.append(f"patients = {text(row['population'])}")
    fields.append(f"action = {text(row['action'])}")
    if row["start_dose_factor_min"]:
        fields.append(f"dose_factor = [{row['start_dose_factor_min']}, {row['start_dose_factor_max']}]")
    for column, key in (("dose_limit", "dose_limit"), ("tdm", "monitoring")):
        if row[column]:
            fields.append(f"{key} = {text(row[column])}")
    if row["alternatives"]:
        words = STATEMENTS.get(row["alternatives"], row["alternatives"])
        fields.append("alternatives = [" + ", ".join(text(a) for a in words.split("|")) + "]")
    fields.append(f"implication = {text(row['implication'])}")
    fields.append(f"strength = {text(row['strength'])}")
    fields.append(f"year = {row['guideline_year']}")
    fields.append("basis = [" + ", ".join(text(b) for b in row["basis"].split(",")) + "]")
    return "    { " + ", ".join(fields) + " },\n"


def file_text(drug, rows):
    used = [letter for letter in BASIS if any(letter in row["basis"].split(",") for row in rows)]
    basis = "".join(f"{letter:<6} = {text(BASIS[letter])}\n" for letter in used)
    return (HEAD.format(drug=drug.capitalize()) + 'gemel = "recommendations/1"\n\n'
            f"# On what a row rests.\n[basis]\n{basis}\n"
            f"[recommendations]\ndrug    = {text(drug)}\n"
            'source  = "CPIC guidelines, https://cpicpgx.org/, condensed; where a row is after a label or '
            'DPWG its strength says so"\n'
            'licence = "CC0-1.0"\n'
            "rows    = [\n" + "".join(row_text(row) for row in rows) + "]\n")


def main():
    folder = pathlib.Path(sys.argv[1])
    root = pathlib.Path(__file__).resolve().parent.parent
    output = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else root / "library/recommendations"
    output.mkdir(parents=True, exist_ok=True)
    rows = list(csv.DictReader(open(folder / "cpic_recommendations.csv", encoding="utf-8")))
    for drug in sorted({row["drug"] for row in rows}):
        file = output / (drug.replace(" ", "_") + ".toml")
        file.write_text(file_text(drug, [row for row in rows if row["drug"] == drug]),
                        encoding="utf-8")
    print(f"{len(rows)} rows")


if __name__ == "__main__":
    main()
