#!/usr/bin/env python3
"""Writes library/genes/GENE.toml from a folder of CPIC-derived tables.

    tools/make_genes.py FOLDER GENE [OUTPUT_FOLDER]

FOLDER holds allele_function.csv, allele_frequency.csv, phenotype_rules.csv, allele_variants.csv,
structural_alleles.csv and frequency_supplement.csv (columns as read below). Numbers are copied as they
stand; where one is worked out here, its row says `derived` and from what.
"""
import csv
import decimal
import itertools
import pathlib
import re
import sys

CPIC_DATE = "2026-05-11"
VARIANTS_DATE = "2025-11-05"

# Where CPIC's allele names are sentences: our short name and the aliases, each with its strand.
NAMES = {
    "VKORC1": {
        "rs9923231 reference (C)": ("G", ["-1639G", "rs9923231 C"]),
        "rs9923231 variant (T)": ("A", ["-1639A", "rs9923231 T"]),
    },
    "ABCG2": {
        "rs2231142 reference (G)": ("C", ["421C", "rs2231142 G", "rs2231142 reference (G)"]),
        "rs2231142 variant (T)": ("A", ["421A", "rs2231142 T", "rs2231142 variant (T)"]),
    },
    "NAT2": {
        "*5": ("*5", ["legacy *5B"]),
        "*16": ("*16", ["legacy *5A"]),
    },
}
# Genes held per variant: a person's score is the sum of the two lowest activities.
PER_VARIANT = ["DPYD"]
# Genes whose alleles have several names in one, "Telti, Kobe".
LISTS_OF_NAMES = ["G6PD"]
# Where a typical patient does not have the first allele of the table twice.
REFERENCES = {"NAT2": "*4"}
# Alleles of frequency_supplement.csv that stand for a cluster.
CLUSTERS = {
    "NAT2": {
        "*5 cluster": "*5",
        "*6 cluster": "*6",
        "*7 cluster": "*7",
        "*14 cluster": "*14",
        "rapid (*4,*11,*12,*13)": "*4",
    },
}
# Alleles whose chromosomes CPIC's frequencies count twice: allele, where their share belongs, why.
COUNTED_TWICE = {
    "UGT1A1": ("*80", "*1", "CPIC's *1 + *80: chromosomes with *80 are those with *28 or *37"),
}
# Genes that are not CPIC's in all parts: what the head, the source and the licence say instead.
CPIC_RULES = f"Functions, rules: CPIC, https://cpicpgx.org/, tables of {CPIC_DATE}, CC0 1.0."
VARIANTS = [
    "Defining variants (GRCh38, forward strand): ClinPGx (www.clinpgx.org), CPIC and PharmVar,",
    f"{VARIANTS_DATE}, CC BY-SA 4.0.",
]
BY_ROW = [
    "Frequencies: not of a CPIC table; each row says where from, and whether it was seen there, derived",
    "from what was, or is remembered: replace the last before anything leans on it.",
]
HLA_ORIGIN = {
    "head": [
        f"Alleles, rules: CPIC, https://cpicpgx.org/, tables of {CPIC_DATE}, CC0 1.0.",
        *BY_ROW,
        "Typing only: no short variant defines these alleles outside the population it was found to tag",
        "them in.",
    ],
    "source": "CPIC gene tables, https://cpicpgx.org/; frequencies as said in their rows",
    "licence": "CC0-1.0",
}
ORIGINS = {
    "CYP3A4": {
        "head": [
            f"Functions, phenotypes: DPWG through ClinPGx (www.clinpgx.org), {VARIANTS_DATE}, CC BY-SA 4.0.",
            *VARIANTS,
            *BY_ROW,
        ],
        "source": "DPWG through ClinPGx (www.clinpgx.org); variants: ClinPGx, PharmVar; "
        "frequencies as said in their rows",
        "date": VARIANTS_DATE,
        "licence": "CC-BY-SA-4.0",
    },
    "CYP4F2": {
        "head": [
            f"Alleles, frequencies: CPIC, https://cpicpgx.org/, tables of {CPIC_DATE}, CC0 1.0.",
            *VARIANTS,
            "CPIC sets the reference allele to one minus the others: its frequency is an upper bound.",
        ],
    },
    "G6PD": {
        "head": [
            f"Names, variants (GRCh38, forward strand): ClinPGx (www.clinpgx.org), {VARIANTS_DATE}, CC BY-SA 4.0.",
            "WHO class of each: tables of PyPGx, MIT. Rules: CPIC, https://cpicpgx.org/, CC0 1.0.",
            *BY_ROW,
        ],
        "source": "ClinPGx (www.clinpgx.org); WHO classes: PyPGx; rules: CPIC, https://cpicpgx.org/; "
        "frequencies as said in their rows",
        "date": VARIANTS_DATE,
        "licence": "CC-BY-SA-4.0; WHO classes MIT; rules CC0-1.0",
    },
    "HLA-A": HLA_ORIGIN,
    "HLA-B": HLA_ORIGIN,
    "NAT2": {
        "head": [CPIC_RULES, *VARIANTS, *BY_ROW, "Counts of Sabbagh 2008: CC BY 2.0."],
        "source": "CPIC gene tables, https://cpicpgx.org/; variants: ClinPGx, CPIC, PharmVar; "
        "frequencies as said in their rows",
        "licence": "CC0-1.0; variants CC-BY-SA-4.0; counts of Sabbagh 2008 CC-BY-2.0",
    },
}
NOTES = {
    "ABCG2": [
        "ABCG2 lies on the reverse strand: the literature's 421 C>A (Q141K) is G>T (rs2231142) on the",
        "forward strand of GRCh38, which VCF files use. A bare \"G\" or \"T\" is therefore refused.",
    ],
    "TPMT": [
        "*3A carries the variants of *3B and of *3C: without phase *3A/*1 and *3B/*3C look alike.",
        "CPIC has no frequencies for the groups AME and OCE.",
    ],
    "NUDT15": [
        "CPIC has frequencies for four groups, none of them African: EAS, EUR, LAT, SAS.",
        "Those of *3 and *6 rest on 341 to 504 people a group.",
    ],
    "UGT1A1": [
        "*80 (rs887829) tags *28 (and *37): counting both doubles the effect. CPIC's frequencies of AAC, EUR",
        "and LAT take both from *1, *80 from studies of its own; here *80 alone is not drawn, and *1 has its",
        "share back. *80 without the other is of unknown function.",
        "CPIC has no frequencies for the group AME.",
    ],
    "CYP3A4": [
        "*1 is one minus the others: an upper bound, as most alleles were tested in few groups or in none.",
    ],
    "NAT2": [
        "The reference sequence of GRCh38 carries *1. Legacy names: *4 is *4, *5B is *5, *5A is *16.",
        "The frequencies are those of the legacy clusters: *5, *6, *7 and *14 stand for all slow alleles of",
        "their cluster, *4 for the rapid *4, *11, *12 and *13 (legacy). Functions within a cluster are alike,",
        "so that phenotypes are not touched by it.",
    ],
    "CYP4F2": [
        "CPIC assigns neither function nor phenotype: *3 is a term in doses of warfarin. Maps of this gene go",
        "by allele or diplotype. *4 (with the variants of *2 and *3) and what follows it are not in the table.",
        "CPIC has no frequencies for the group OCE, and none of *2 for AAC and AME.",
    ],
    "G6PD": [
        "The gene lies on the X chromosome: who has one of them has one allele, written beside \"Y\". A woman",
        "with one deficient allele is \"Variable\": which of her two X chromosomes is at work differs by cell.",
        "Alleles without a WHO class make the phenotype Indeterminate, which is ours: the rules do not name them.",
        "Gond and Cairo are among them, though the source of their frequencies counts them as deficient.",
        "Frequencies are of the commonest deficient alleles of a group; the reference has all others, and \"A\".",
        "Prevalence in men, for comparison (Koromina 2025): SSA 0.122, SAS 0.035, EAS 0.027, NEA 0.021; for",
        "Europeans, below 0.003, no allele is given, hence no group EUR.",
    ],
    "HLA-A": [
        "One phenotype is positive, whether the allele is there once or twice; \"other\" is every other allele.",
        "EAS is Thai: Japanese 0.094 and Korean 0.051 by their carriers (PMC7261636) differ tenfold.",
    ],
    "HLA-B": [
        "A phenotype names the alleles that are there, once or twice; \"other\" is every other allele.",
        "A group stands here if all three alleles have a frequency in it: what nobody tested is not absent.",
        "Known besides: *57:01 0.0126 and *58:01 0.0202 in AAC (carriers, PMC7261636), *58:01 0.0334 in NEA",
        "(Qatari carriers), *15:02 0.015 in SAS (remembered; 0 to 6 % within India).",
        "EAS mixes Thai (*15:02) and Taiwanese (*58:01); *15:02 is far rarer in Japan and Korea.",
    ],
    "DPYD": [
        "CPIC holds DPYD per variant, not per haplotype. A person's score is the sum of the two lowest",
        "activities among the variants carried, in whatever phase they are. The frequencies are of single",
        "variants; what they leave is the reference, with activity 1.",
        "c.1129-5923C>G and c.1236G>A nearly always come together (HapB3): one variant, not two.",
        "CPIC has no frequencies for the groups AME, NEA and OCE; those of AAC rest on 314 people, those of",
        "SSA on 1,008.",
    ],
    "VKORC1": [
        "VKORC1 lies on the reverse strand: the literature's -1639 G>A is C>T (rs9923231) on the",
        "forward strand of GRCh38, which VCF files use. A bare \"C\" or \"T\" is therefore refused.",
    ],
    "CYP2D6": [
        "`structure` marks what short variants cannot define: the deleted gene (*5), copies (xN), hybrids",
        "with CYP2D7 and tandems; their calls come from outside. \"*1x>=3\" is three or more copies: its",
        "activity, and the score of who carries it, is a lower bound. Scores are multiples of 0.25, so",
        "that CPIC's bands 0 < x < 1.25, 1.25 to 2.25 and > 2.25 are closed ranges here.",
    ],
    "CYP2C19": [
        "The reference sequence of GRCh38 carries *38, not *1: *1 differs from it by variants.",
    ],
    "CYP3A5": ["CPIC has no frequencies for the groups AME and OCE."],
    "CYP2B6": ["CPIC has no frequencies for the group AME."],
    "SLCO1B1": [
        "CPIC has no frequencies for the group LAT; those of AAC rest on 38 people, and *31, which others",
        "find in some per cent of people of African descent, is not among them.",
    ],
}
LABELS = {
    "Poor Metabolizer": "PM",
    "Intermediate Metabolizer": "IM",
    "Normal Metabolizer": "NM",
    "Rapid Metabolizer": "RM",
    "Ultrarapid Metabolizer": "UM",
    "Indeterminate": "IND",
    "Increased Function": "IF",
    "Normal Function": "NF",
    "Decreased Function": "DF",
    "Poor Function": "PF",
    "Not assigned": "none",
}
# Diplotypes with what the rules must give; facts of CPIC's diplotype tables.
TESTS = {
    "ABCG2": [
        ("CC", None, "Normal Function"),
        ("421C/421A", None, "Decreased Function"),
        ("rs2231142 G/T", None, "Decreased Function"),
        ("AA", None, "Poor Function"),
    ],
    "TPMT": [
        ("*1/*1", None, "Normal Metabolizer"),
        ("*1/*8", None, "Normal Metabolizer"),
        ("*1/*3A", None, "Intermediate Metabolizer"),
        ("*3B/*3C", None, "Poor Metabolizer"),
        ("*2/*3A", None, "Poor Metabolizer"),
        ("*3A/*8", None, "Intermediate Metabolizer"),
        ("*8/*8", None, "Intermediate Metabolizer"),
        ("*3C/*24", None, "Possible Intermediate Metabolizer"),
        ("*2/*35", None, "Possible Intermediate Metabolizer"),
        ("*1/*24", None, "Indeterminate"),
        ("*8/*9", None, "Indeterminate"),
        ("*9/*35", None, "Indeterminate"),
    ],
    "NUDT15": [
        ("*1/*1", None, "Normal Metabolizer"),
        ("*1/*5", None, "Normal Metabolizer"),
        ("*1/*3", None, "Intermediate Metabolizer"),
        ("*5/*8", None, "Intermediate Metabolizer"),
        ("*3/*5", None, "Poor Metabolizer"),
        ("*3/*6", None, "Poor Metabolizer"),
        ("*3/*11", None, "Possible Intermediate Metabolizer"),
        ("*1/*11", None, "Indeterminate"),
        ("*5/*12", None, "Indeterminate"),
    ],
    "UGT1A1": [
        ("*1/*1", None, "Normal Metabolizer"),
        ("*1/*36", None, "Normal Metabolizer"),
        ("*36/*36", None, "Normal Metabolizer"),
        ("*1/*28", None, "Intermediate Metabolizer"),
        ("*1/*80+*28", None, "Intermediate Metabolizer"),
        ("*6/*36", None, "Intermediate Metabolizer"),
        ("*28/*28", None, "Poor Metabolizer"),
        ("*28/*80+*28", None, "Poor Metabolizer"),
        ("*6/*28", None, "Poor Metabolizer"),
        ("*37/*80+*37", None, "Poor Metabolizer"),
        ("*1/*80", None, "Indeterminate"),
        ("*28/*80", None, "Indeterminate"),
    ],
    "CYP4F2": [
        ("*1/*1", None, "Not assigned"),
        ("*1/*3", None, "Not assigned"),
    ],
    "G6PD": [
        ("B/Y", None, "Normal"),
        ("A/Y", None, "Normal"),
        ("A- 202A_376G/Y", None, "Deficient"),
        ("Mediterranean/Y", None, "Deficient"),
        ("Guadalajara/Y", None, "Deficient with CNSHA"),
        ("Gond/Y", None, "Indeterminate"),
        ("B/B", None, "Normal"),
        ("A/B", None, "Normal"),
        ("B/A- 202A_376G", None, "Variable"),
        ("B/Viangchan", None, "Variable"),
        ("B/Guadalajara", None, "Variable"),
        ("A- 202A_376G/A- 202A_376G", None, "Deficient"),
        ("Mediterranean/A- 968C_376G", None, "Deficient"),
        ("Canton/Viangchan", None, "Deficient"),
        ("Mediterranean/Guadalajara", None, "Deficient"),
        ("Guadalajara/Kawasaki", None, "Deficient with CNSHA"),
        ("B/Cairo", None, "Indeterminate"),
    ],
    "HLA-A": [
        ("other/other", None, "*31:01 negative"),
        ("*31:01/other", None, "*31:01 positive"),
        ("*31:01/*31:01", None, "*31:01 positive"),
    ],
    "HLA-B": [
        ("other/other", None, "*15:02, *57:01, *58:01 negative"),
        ("*57:01/other", None, "*57:01 positive"),
        ("*57:01/*57:01", None, "*57:01 positive"),
        ("*15:02/other", None, "*15:02 positive"),
        ("other/*58:01", None, "*58:01 positive"),
        ("*15:02/*58:01", None, "*15:02 and *58:01 positive"),
        ("*57:01/*58:01", None, "*57:01 and *58:01 positive"),
    ],
    "DPYD": [
        ("Reference/Reference", 2, "Normal Metabolizer"),
        ("Reference/c.85T>C", 2, "Normal Metabolizer"),
        ("Reference/HapB3", 1.5, "Intermediate Metabolizer"),
        ("Reference/c.2846A>T", 1.5, "Intermediate Metabolizer"),
        ("Reference/*2A", 1, "Intermediate Metabolizer"),
        ("HapB3/c.2846A>T", 1, "Intermediate Metabolizer"),
        ("*9A/*9A/c.1905+1G>A", 1, "Intermediate Metabolizer"),
        ("*9A/*5/HapB3/c.2846A>T", 1, "Intermediate Metabolizer"),
        ("*2A/c.2846A>T", 0.5, "Poor Metabolizer"),
        ("*5/HapB3/HapB3/*13", 0.5, "Poor Metabolizer"),
        ("*2A/*13", 0, "Poor Metabolizer"),
        ("*2A/*2A", 0, "Poor Metabolizer"),
    ],
    "CYP3A4": [
        ("*1/*1", None, "Normal Metabolizer"),
        ("*1/*22", None, "Intermediate Metabolizer"),
        ("*1/*20", None, "Intermediate Metabolizer"),
        ("*22/*22", None, "Poor Metabolizer"),
        ("*18/*20", None, "Poor Metabolizer"),
        ("*6/*26", None, "Poor Metabolizer"),
    ],
    "NAT2": [
        ("*1/*1", None, "Rapid Metabolizer"),
        ("*1/*4", None, "Rapid Metabolizer"),
        ("*4/*5", None, "Intermediate Metabolizer"),
        ("legacy *5B/*4", None, "Intermediate Metabolizer"),
        ("*5/*6", None, "Poor Metabolizer"),
        ("legacy *5A/legacy *5B", None, "Poor Metabolizer"),
        ("*7/*14", None, "Poor Metabolizer"),
        ("*4/*10", None, "Indeterminate"),
        ("*6/*55", None, "Indeterminate"),
    ],
    "CYP2D6": [
        ("*1/*1", 2, "Normal Metabolizer"),
        ("*1/*2", 2, "Normal Metabolizer"),
        ("*1/*10", 1.25, "Normal Metabolizer"),
        ("*1/*41", 1.25, "Normal Metabolizer"),
        ("*1/*17", 1.5, "Normal Metabolizer"),
        ("*4/*2x2", 2, "Normal Metabolizer"),
        ("*10/*1x2", 2.25, "Normal Metabolizer"),
        ("*1/*41x3", 1.75, "Normal Metabolizer"),
        ("*1/*4", 1, "Intermediate Metabolizer"),
        ("*1/*5", 1, "Intermediate Metabolizer"),
        ("*17/*29", 1, "Intermediate Metabolizer"),
        ("*10/*36+*10", 0.5, "Intermediate Metabolizer"),
        ("*10/*10", 0.5, "Intermediate Metabolizer"),
        ("*4/*10", 0.25, "Intermediate Metabolizer"),
        ("*5/*41", 0.25, "Intermediate Metabolizer"),
        ("*4/*4", 0, "Poor Metabolizer"),
        ("*5/*5", 0, "Poor Metabolizer"),
        ("*4/*68+*4", 0, "Poor Metabolizer"),
        ("*4/*4x>=3", 0, "Poor Metabolizer"),
        ("*9x2/*2x2", 2.5, "Ultrarapid Metabolizer"),
        ("*1/*1x2", 3, "Ultrarapid Metabolizer"),
        ("*4/*1x>=3", ">=3", "Ultrarapid Metabolizer"),
        ("*10/*2xN", ">=3.25", "Ultrarapid Metabolizer"),
        ("*1x>=3/*2x>=3", ">=6", "Ultrarapid Metabolizer"),
        ("*1/*22", None, "Indeterminate"),
        ("*61/*2x>=3", None, "Indeterminate"),
    ],
    "CYP2C19": [
        ("*1/*1", None, "Normal Metabolizer"),
        ("*1/*38", None, "Normal Metabolizer"),
        ("*1/*17", None, "Rapid Metabolizer"),
        ("*17/*17", None, "Ultrarapid Metabolizer"),
        ("*1/*2", None, "Intermediate Metabolizer"),
        ("*2/*17", None, "Intermediate Metabolizer"),
        ("*2/*3", None, "Poor Metabolizer"),
        ("*1/*9", None, "Likely Intermediate Metabolizer"),
        ("*9/*17", None, "Likely Intermediate Metabolizer"),
        ("*2/*9", None, "Likely Poor Metabolizer"),
        ("*1/*12", None, "Indeterminate"),
    ],
    "CYP3A5": [
        ("*1/*1", None, "Normal Metabolizer"),
        ("*1/*3", None, "Intermediate Metabolizer"),
        ("*3/*3", None, "Poor Metabolizer"),
        ("*6/*7", None, "Poor Metabolizer"),
        ("*1/*8", None, "Possible Intermediate Metabolizer"),
        ("*3/*9", None, "Indeterminate"),
        ("*8/*9", None, "Indeterminate"),
    ],
    "CYP2B6": [
        ("*1/*1", None, "Normal Metabolizer"),
        ("*1/*5", None, "Normal Metabolizer"),
        ("*1/*4", None, "Rapid Metabolizer"),
        ("*4/*4", None, "Ultrarapid Metabolizer"),
        ("*1/*6", None, "Intermediate Metabolizer"),
        ("*4/*18", None, "Intermediate Metabolizer"),
        ("*1/*18", None, "Intermediate Metabolizer"),
        ("*6/*6", None, "Poor Metabolizer"),
        ("*6/*18", None, "Poor Metabolizer"),
        ("*18/*18", None, "Poor Metabolizer"),
        ("*1/*3", None, "Indeterminate"),
    ],
    "SLCO1B1": [
        ("*1/*1", None, "Normal Function"),
        ("*1/*14", None, "Normal Function"),
        ("*14/*20", None, "Increased Function"),
        ("*1/*5", None, "Decreased Function"),
        ("*14/*15", None, "Decreased Function"),
        ("*5/*15", None, "Poor Function"),
        ("*2/*5", None, "Possible Decreased Function"),
        ("*15/*43", None, "Possible Decreased Function"),
        ("*1/*2", None, "Indeterminate"),
    ],
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


def by_presence(functions, rules):
    """Who carries which of the alleles looked for, as pairs of functions: each set is a phenotype."""
    sought = [row["allele"] for row in functions]
    none = {"allele": "other", "clinical_function": "None of those looked for", "activity_value": ""}
    alleles = [none] + [
        {**row, "clinical_function": f"{row['clinical_function']} {row['allele']}"} for row in functions
    ]
    pairs = []
    for first, second in itertools.combinations_with_replacement(alleles, 2):
        carried = [name for name in sought if name in (first["allele"], second["allele"])]
        phenotype = " and ".join(carried) + " positive" if carried else ", ".join(sought) + " negative"
        functions_of = {"function_1": first["clinical_function"], "function_2": second["clinical_function"]}
        pairs.append({"phenotype": phenotype, **functions_of})
    if not {f"{name} positive" for name in sought} <= {row["phenotype"] for row in rules}:
        sys.exit(f"{functions[0]['gene']}: an allele has no rule")
    return alleles, pairs


def by_x(functions, rules):
    """Men's single copy stands beside an allele Y; "II-III/Deficient" is either of two functions."""
    absent = {"allele": "Y", "clinical_function": "hemizygous", "activity_value": ""}
    known = list(dict.fromkeys(row["clinical_function"] for row in functions))

    def expanded(function):
        word = re.fullmatch(r"II-III(/.*)", function)
        return [f"{grade}{word[1]}" for grade in ("II", "III")] if word else [function]

    pairs = []
    for row in rules:
        both = itertools.product(expanded(row["function_1"]), expanded(row["function_2"]))
        for first, second in dict.fromkeys(tuple(sorted(pair)) for pair in both):
            pairs.append({"phenotype": row["phenotype"], "function_1": first, "function_2": second})
    named = {pair[key] for pair in pairs for key in ("function_1", "function_2")}
    if set(known) - named:
        pairs.append({"phenotype": "Indeterminate", "function_1": "n/a", "function_2": "any"})
    return functions + [absent], pairs


def without_rules(functions, _):
    """A gene whose alleles CPIC names without function or phenotype."""
    return functions, [{"phenotype": "Not assigned", "function_1": "n/a", "function_2": "any"}]


# By the kinds of rule; each makes pairs of functions of them.
RULES = {
    "presence": by_presence,
    "x_linked": by_x,
    "none": without_rules,
}


class Gene:
    def __init__(self, folder, gene):
        self.gene = gene
        self.functions = rows(folder, "allele_function.csv", gene)
        self.rules = rows(folder, "phenotype_rules.csv", gene)
        variants = rows(folder, "allele_variants.csv", gene)
        self.variants = [row for row in variants if row["pos_grch38"]]
        self.structures = {
            row["allele"]: row["kind"] for row in rows(folder, "structural_alleles.csv", gene)
        }
        self.by = self.rule()
        self.reference = REFERENCES.get(gene, self.functions[0]["allele"])
        self.frequencies = self.by_group(
            rows(folder, "allele_frequency.csv", gene) or self.supplement(folder)
        )

    def rule(self):
        """What decides the phenotype; rules that are no pairs of functions become so."""
        self.kinds = {row["rule"] for row in self.rules} or {"none"}
        if self.gene in PER_VARIANT:
            return "two_lowest"
        if self.kinds == {"activity_score"}:
            return "activity_score"
        if len(self.kinds) == 1 and self.kinds <= set(RULES):
            self.functions, self.rules = RULES[min(self.kinds)](self.functions, self.rules)
        elif not self.kinds <= {"function_pair", "variant_pair"}:
            sys.exit(f"{self.gene}: rules of kind {sorted(self.kinds)} cannot be written as a gene file")
        return "function_pair"

    def supplement(self, folder):
        """Clusters become the allele that stands for them."""
        clusters = CLUSTERS.get(self.gene, {})
        return [
            {**row, "allele": clusters.get(row["allele"], row["allele"])}
            for row in rows(folder, "frequency_supplement.csv", self.gene)
            if not row["allele"].startswith("any ")  # a prevalence, of no allele
        ]

    def by_group(self, given):
        groups = {}
        for row in given:
            groups.setdefault(row["group"], []).append(dict(row))
        whole = [group for group in sorted(groups) if self.is_whole(groups[group])]
        return {group: self.completed(groups[group]) for group in whole}

    def is_whole(self, given):
        """Of alleles looked for, one that nobody tested in a group is not absent there."""
        sought = {row["allele"] for row in self.functions} - {self.reference}
        return self.kinds != {"presence"} or sought == {row["allele"] for row in given}

    def completed(self, given):
        """What the others leave belongs to the reference, where the table does not say so itself."""
        given = self.counted_once(given)
        others = [row for row in given if row["allele"] != self.reference]
        left = 1 - sum(decimal.Decimal(row["frequency"]) for row in others)
        stated = [row for row in given if row["allele"] == self.reference]
        if stated and abs(decimal.Decimal(stated[0]["frequency"]) - left) <= decimal.Decimal("2e-5"):
            return given
        why = f"1 - sum; {stated[0]['frequency']} in {stated[0]['source']}" if stated else "1 - sum"
        row = {"allele": self.reference, "frequency": f"{left:f}", "confidence": "derived", "source": why}
        return [row] + others

    def counted_once(self, given):
        twice, belongs, why = COUNTED_TWICE.get(self.gene, (None, None, None))
        share = sum(decimal.Decimal(row["frequency"]) for row in given if row["allele"] == twice)
        for row in given:
            if share and row["allele"] == belongs:
                row["frequency"] = f"{decimal.Decimal(row['frequency']) + share:f}"
                row.update(confidence="derived", source=why)
        return [row for row in given if row["allele"] != twice]

    def name(self, allele):
        return NAMES.get(self.gene, {}).get(allele, (allele, []))[0]

    def aliases(self, allele):
        many = [allele.replace("x>=3", "xN"), allele.replace("x>=3", "x≥3")]
        more = many if allele.endswith("x>=3") else []
        return NAMES.get(self.gene, {}).get(allele, (allele, []))[1] + more + self.parts(allele)

    def parts(self, allele):
        """`c.1905+1G>A (*2A)` is c.1905+1G>A and *2A; `Telti, Kobe` either."""
        known = [row["allele"] for row in self.functions]
        match = re.fullmatch(r"(c\..*) \((.*)\)", allele)
        parts = match.groups() if match else []
        if self.gene in LISTS_OF_NAMES:
            parts = [part.strip() for part in allele.removesuffix(" (reference)").split(",")]
        return [part for part in parts if part not in known]

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

    def origin(self):
        return ORIGINS.get(self.gene, {})

    def head_of_cpic(self):
        yield f"Functions, rules, frequencies: CPIC, https://cpicpgx.org/, tables of {CPIC_DATE}, CC0 1.0."
        yield from VARIANTS
        yield "CPIC sets the reference allele to one minus the others: its frequency is an upper bound"
        yield "where few alleles were tested (`subjects`)."

    def head(self):
        unknown = [r["phenotype"] for r in self.rules if r["function_1"] == "n/a"]
        yield f"# {self.gene}, made by tools/make_genes.py; change the tool or its tables, not this file."
        yield "#"
        for line in [*self.origin().get("head", self.head_of_cpic()), *NOTES.get(self.gene, [])]:
            yield "# " + line
        source = "CPIC gene tables, https://cpicpgx.org/; variants: ClinPGx, CPIC, PharmVar"
        yield 'gemel = "gene/1"'
        yield ""
        yield "[gene]"
        yield f"name         = {quoted(self.gene)}"
        yield f"source       = {quoted(self.origin().get('source', source))}"
        yield f"date         = {quoted(self.origin().get('date', CPIC_DATE))}"
        yield f"licence      = {quoted(self.origin().get('licence', 'CC0-1.0; variants CC-BY-SA-4.0'))}"
        yield f"reference    = {quoted(self.name(self.reference))}"
        yield f"phenotype_by = {quoted(self.by)}"
        if unknown:
            yield f"unknown      = {quoted(unknown[0])}"
        if any(row["allele"] == "Y" for row in self.functions):
            yield 'hemizygous   = "Y"'

    def allele_lines(self):
        yield "[alleles]"
        for row in self.functions:
            parts = [f"function = {quoted(row['clinical_function'])}"]
            if row["activity_value"] not in ("", "n/a"):
                bound = "_at_least" if row["bound"] == ">=" else ""
                parts.append(f"activity{bound} = {row['activity_value']}")
            parts += self.structure(row["allele"])
            if self.aliases(row["allele"]):
                parts.append(f"aliases = {texts(self.aliases(row['allele']))}")
            variants = [v for v in self.variants if v["allele"] == row["allele"]]
            defining = [v for v in variants if v["optional"] != "1"]
            if variants and (defining or row["allele"] not in self.structures):
                parts.append("variants = [" + ", ".join(map(self.variant, variants)) + "]")
            yield f"{quoted(self.name(row['allele']))} = {{ {', '.join(parts)} }}"

    def structure(self, allele):
        """`*36x2+*10` is three copies, hybrids included; `*1x>=3` at least three."""
        kind = self.structures.get(allele)
        if kind is None:
            return []
        if kind == "whole-gene deletion":
            return [f"structure = {quoted(kind)}", "copies = 0"]
        counts = [re.fullmatch(r"[^x]+(?:x(>=)?(\d+))?", part) for part in allele.split("+")]
        copies = sum(int(count[2] or 1) for count in counts)
        bound = "_at_least" if any(count[1] for count in counts) else ""
        return [f"structure = {quoted(kind)}"] + ([f"copies{bound} = {copies}"] if copies > 1 else [])

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
        """"Likely Poor Metabolizer" is "likely PM"; "-1639 AG" is "AG"; "*57:01 positive" is "*57:01"."""
        if phenotype in LABELS:
            return LABELS[phenotype]
        for certainty in ("Likely ", "Possible "):
            if phenotype.startswith(certainty):
                return certainty.lower() + LABELS[phenotype.removeprefix(certainty)]
        if phenotype.endswith(" positive"):
            return phenotype.removesuffix(" positive")
        return phenotype.split()[-1]

    def phenotype_lines(self):
        yield "[phenotypes]"
        for phenotype in dict.fromkeys(row["phenotype"] for row in self.rules):
            group = [r for r in self.rules if r["phenotype"] == phenotype and r["function_1"] != "n/a"]
            label = self.label(phenotype)
            parts = [f"label = {quoted(label)}"]
            if group and self.by != "function_pair":
                low = min(float(r["score_min"]) for r in group)
                high = max(float(r["score_max"] or "inf") for r in group)
                parts.append(f"score = [{low:g}, {high:g}]")
            elif group:
                pairs = [
                    texts([self.function_matching(r["function_1"]), self.function_matching(r["function_2"])])
                    for r in group
                ]
                parts.append(f"pairs = [{', '.join(pairs)}]")
            yield f"{quoted(phenotype)} = {{ {', '.join(parts)} }}"

    def frequency_lines(self):
        for group, given in self.frequencies.items():
            yield f"[frequencies.{group}.alleles]"
            for row in given:
                parts = [f"frequency = {row['frequency']}"]
                if row.get("n_subjects"):
                    parts.append(f"subjects = {row['n_subjects']}")
                for key in ("confidence", "source"):
                    if row.get(key):
                        parts.append(f"{key} = {quoted(row[key])}")
                yield f"{quoted(self.name(row['allele']))} = {{ {', '.join(parts)} }}"
            yield ""

    def test_lines(self):
        for diplotype, score, phenotype in TESTS.get(self.gene, []):
            yield "[[tests]]"
            yield f"diplotype = {quoted(diplotype)}"
            if isinstance(score, str):
                yield f"score_at_least = {score.removeprefix('>=')}"
            elif score is not None:
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
