#!/usr/bin/env python3
"""Writes library/genes/GENE.toml from a folder of CPIC-derived tables.

    tools/make_genes.py FOLDER GENE [OUTPUT_FOLDER]

FOLDER holds allele_function.csv, allele_frequency.csv, phenotype_rules.csv and allele_variants.csv
(columns as read below). Numbers are copied as they stand.
"""
import csv
import itertools
import pathlib
import sys

CPIC_DATE = "2026-05-11"
VARIANTS_DATE = "2025-11-05"

# Where CPIC's allele names are sentences: our short name and the aliases, each with its strand.
NAMES = {
    "VKORC1": {
        "rs9923231 reference (C)": ("G", ["-1639G", "rs9923231 C"]),
        "rs9923231 variant (T)": ("A", ["-1639A", "rs9923231 T"]),
    }
}
NOTES = {
    "VKORC1": [
        "VKORC1 lies on the reverse strand: the literature's -1639 G>A is C>T (rs9923231) on the",
        "forward strand of GRCh38, which VCF files use. A bare \"C\" or \"T\" is therefore refused.",
    ]
}
LABELS = {
    "Poor Metabolizer": "PM",
    "Intermediate Metabolizer": "IM",
    "Normal Metabolizer": "NM",
    "Rapid Metabolizer": "RM",
    "Ultrarapid Metabolizer": "UM",
    "Indeterminate": "IND",
}
# Diplotypes with what the rules must give; facts of CPIC's diplotype tables.
TESTS = {
    "CYP2C9": [
        ("*1/*1", 2, "Normal Metabolizer"),
        ("*1/*9", 2, "Normal Metabolizer"),
        ("*1/*2", 1.5, "Intermediate Metabolizer"),
        ("*1/*3", 1, "Intermediate Metabolizer"),
        ("*2/*2", 1, "Intermediate Metabolizer"),
        ("*8/*11", 1, "Intermediate Metabolizer"),
        ("*1/*6", 1, "Intermediate Metabolizer"),
        ("*2/*3", 0.5, "Poor Metabolizer"),
        ("*5/*6", 0.5, "Poor Metabolizer"),
        ("*3/*3", 0, "Poor Metabolizer"),
        ("*1/*7", None, "Indeterminate"),
        ("*3/*57", None, "Indeterminate"),
    ],
    "VKORC1": [
        ("GG", None, "-1639 GG"),
        ("A/G", None, "-1639 AG"),
        ("-1639A/-1639A", None, "-1639 AA"),
        ("rs9923231 C/T", None, "-1639 AG"),
        ("rs9923231 T/rs9923231 T", None, "-1639 AA"),
    ],
}


def rows(folder, name, gene):
    with open(folder / name, newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["gene"] == gene]


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def texts(items):
    return "[" + ", ".join(quoted(item) for item in items) + "]"


class Gene:
    def __init__(self, folder, gene):
        self.gene = gene
        self.functions = rows(folder, "allele_function.csv", gene)
        self.frequencies = rows(folder, "allele_frequency.csv", gene)
        self.rules = rows(folder, "phenotype_rules.csv", gene)
        self.variants = rows(folder, "allele_variants.csv", gene)
        kinds = {row["rule"] for row in self.rules}
        if kinds == {"activity_score"}:
            self.by = "activity_score"
        elif kinds <= {"function_pair", "variant_pair"} and kinds:
            self.by = "function_pair"
        else:
            sys.exit(f"{gene}: rules of kind {sorted(kinds)} cannot be written as a gene file")

    def name(self, allele):
        return NAMES.get(self.gene, {}).get(allele, (allele, []))[0]

    def aliases(self, allele):
        return NAMES.get(self.gene, {}).get(allele, (allele, []))[1]

    def function_matching(self, word):
        """`Decreased function`, or the one function that names a variant: `… (-1639G)`."""
        found = {
            row["clinical_function"]
            for row in self.functions
            if word == row["clinical_function"] or f"({word})" in row["clinical_function"]
        }
        if len(found) != 1:
            sys.exit(f"{self.gene}: the rule's function {word!r} matches {sorted(found)}")
        return found.pop()

    def head(self):
        unknown = [r["phenotype"] for r in self.rules if r["function_1"] == "n/a"]
        yield f"# {self.gene}, made by tools/make_genes.py; change the tool or its tables, not this file."
        yield "#"
        yield f"# Functions, rules, frequencies: CPIC, https://cpicpgx.org/, tables of {CPIC_DATE}, CC0 1.0."
        yield f"# Defining variants (GRCh38, forward strand): ClinPGx (www.clinpgx.org), CPIC and PharmVar,"
        yield f"# {VARIANTS_DATE}, CC BY-SA 4.0."
        yield "# CPIC sets the reference allele to one minus the others: its frequency is an upper bound"
        yield "# where few alleles were tested (`subjects`)."
        for line in NOTES.get(self.gene, []):
            yield "# " + line
        yield 'gemel = "gene/1"'
        yield ""
        yield "[gene]"
        yield f"name         = {quoted(self.gene)}"
        yield 'source       = "CPIC gene tables, https://cpicpgx.org/; variants: ClinPGx, CPIC, PharmVar"'
        yield f"date         = {quoted(CPIC_DATE)}"
        yield 'licence      = "CC0-1.0; variants CC-BY-SA-4.0"'
        yield f"reference    = {quoted(self.name(self.functions[0]['allele']))}"
        yield f"phenotype_by = {quoted(self.by)}"
        if unknown:
            yield f"unknown      = {quoted(unknown[0])}"

    def allele_lines(self):
        yield "[alleles]"
        for row in self.functions:
            parts = [f"function = {quoted(row['clinical_function'])}"]
            if row["activity_value"] not in ("", "n/a"):
                parts.append(f"activity = {row['activity_value']}")
            if self.aliases(row["allele"]):
                parts.append(f"aliases = {texts(self.aliases(row['allele']))}")
            variants = [v for v in self.variants if v["allele"] == row["allele"]]
            if variants:
                parts.append("variants = [" + ", ".join(map(self.variant, variants)) + "]")
            yield f"{quoted(self.name(row['allele']))} = {{ {', '.join(parts)} }}"

    @staticmethod
    def variant(row):
        rsid = f"rsid = {quoted(row['rsid'])}, " if row["rsid"] else ""
        optional = ", optional = true" if row["optional"] == "1" else ""
        return (
            f"{{ {rsid}chrom = {quoted(row['chrom'])}, pos = {row['pos_grch38']}, "
            f"ref = {quoted(row['ref'])}, alt = {quoted(row['alt'])}{optional} }}"
        )

    @staticmethod
    def label(phenotype):
        """"Likely Poor Metabolizer" is "likely PM"; "-1639 AG" is "AG"."""
        for certainty in ("Likely ", "Possible "):
            if phenotype.startswith(certainty):
                return certainty.lower() + LABELS[phenotype.removeprefix(certainty)]
        return LABELS.get(phenotype, phenotype.split()[-1])

    def phenotype_lines(self):
        yield "[phenotypes]"
        for phenotype in dict.fromkeys(row["phenotype"] for row in self.rules):
            group = [r for r in self.rules if r["phenotype"] == phenotype and r["function_1"] != "n/a"]
            label = self.label(phenotype)
            parts = [f"label = {quoted(label)}"]
            if group and self.by == "activity_score":
                low = min(float(r["score_min"]) for r in group)
                high = max(float(r["score_max"]) for r in group)
                parts.append(f"score = [{low:g}, {high:g}]")
            elif group:
                pairs = [
                    texts([self.function_matching(r["function_1"]), self.function_matching(r["function_2"])])
                    for r in group
                ]
                parts.append(f"pairs = [{', '.join(pairs)}]")
            yield f"{quoted(phenotype)} = {{ {', '.join(parts)} }}"

    def frequency_lines(self):
        for group in sorted({row["group"] for row in self.frequencies}):
            yield f"[frequencies.{group}.alleles]"
            for row in self.frequencies:
                if row["group"] == group:
                    yield (
                        f"{quoted(self.name(row['allele']))} = "
                        f"{{ frequency = {row['frequency']}, subjects = {row['n_subjects']} }}"
                    )
            yield ""

    def test_lines(self):
        for diplotype, score, phenotype in TESTS.get(self.gene, []):
            yield "[[tests]]"
            yield f"diplotype = {quoted(diplotype)}"
            if score is not None:
                yield f"score     = {score}"
            yield f"phenotype = {quoted(phenotype)}"
            yield ""

    def text(self):
        parts = [self.head(), [""], self.allele_lines(), [""], self.phenotype_lines(), [""]]
        parts += [self.frequency_lines(), self.test_lines()]
        return "\n".join(itertools.chain(*parts)).rstrip("\n") + "\n"


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    folder, gene = pathlib.Path(sys.argv[1]), sys.argv[2]
    root = pathlib.Path(__file__).resolve().parent.parent
    output = pathlib.Path(sys.argv[3]) if len(sys.argv) == 4 else root / "library" / "genes"
    output.mkdir(parents=True, exist_ok=True)
    (output / f"{gene}.toml").write_text(Gene(folder, gene).text(), encoding="utf-8")


if __name__ == "__main__":
    main()
