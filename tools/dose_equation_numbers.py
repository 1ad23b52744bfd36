#!/usr/bin/env python3
"""Doses by the published equations, worked out from their printed coefficients alone: what the
[[tests]] of library/doses expect. Prints a line per test: equation, patient, dose.

    python3 tools/dose_equation_numbers.py
"""
import math

IWPC_2C9 = {"*1/*1": 0, "*1/*2": -0.5211, "*1/*3": -0.9357, "*2/*2": -1.0616, "*2/*3": -1.9206,
            "*3/*3": -2.3312, None: -0.2188}
IWPC_VKORC1 = {"G/G": 0, "A/G": -0.8677, "A/A": -1.6974, None: -0.4854}
IWPC_RACE = {"white": 0, "asian": -0.1092, "black": -0.2760, "mixed_or_missing": -0.1032}
CLINICAL_RACE = {"white": 0, "asian": -0.6752, "black": 0.4060, "mixed_or_missing": 0.0443}
EU_PACT_K = {"*1/*1": 0.0189, "*1/*2": 0.0158, "*1/*3": 0.0132, "*2/*2": 0.0130, "*2/*3": 0.0090,
             "*3/*3": 0.0075}


def count(allele, diplotype):
    return diplotype.split("/").count(allele)


def iwpc(age, height, weight, cyp2c9, vkorc1, race="white", inducer=0, amiodarone=0):
    """[mg/wk]"""
    root = (5.6044 - 0.2614 * (age // 10) + 0.0087 * height + 0.0128 * weight
            + IWPC_VKORC1[vkorc1] + IWPC_2C9[cyp2c9] + IWPC_RACE[race]
            + 1.1816 * inducer - 0.5503 * amiodarone)
    return root * root


def iwpc_clinical(age, height, weight, race="white", inducer=0, amiodarone=0):
    """[mg/wk]"""
    root = (4.0376 - 0.2546 * (age // 10) + 0.0118 * height + 0.0134 * weight
            + CLINICAL_RACE[race] + 1.2799 * inducer - 0.5695 * amiodarone)
    return root * root


def eu_pact(age, height, weight, cyp2c9, vkorc1, amiodarone=0, inducer=0):
    """[mg/wk]"""
    root = (5.6044 - 0.02614 * age + 0.0087 * height + 0.0128 * weight
            + IWPC_VKORC1[vkorc1] + IWPC_2C9[cyp2c9] + 1.1816 * inducer - 0.5503 * amiodarone)
    return root * root


def eu_pact_day3(age, height, weight, cyp2c9, vkorc1, amiodarone=0, inducer=0):
    """[mg]"""
    daily = eu_pact(age, height, weight, cyp2c9, vkorc1, amiodarone, inducer) / 7
    x = math.exp(-EU_PACT_K[cyp2c9] * 24)
    return daily / ((1 - x) * (1 + x + x * x))


def gage(age, bsa, cyp2c9, vkorc1, target=2.5, amiodarone=0, smoker=0, black=0, dvt=0):
    """[mg/d]"""
    return math.exp(0.9751 - 0.3238 * count("A", vkorc1) + 0.4317 * bsa
                    - 0.4008 * count("*3", cyp2c9) - 0.00745 * age - 0.2066 * count("*2", cyp2c9)
                    + 0.2029 * target - 0.2538 * amiodarone + 0.0922 * smoker - 0.0901 * black
                    + 0.0664 * dvt)


def gage_clinical(age, bsa, target=2.5, amiodarone=0, smoker=0, black=0, dvt=0):
    """[mg/d]"""
    return math.exp(0.613 + 0.425 * bsa - 0.0075 * age + 0.156 * black + 0.216 * target
                    - 0.257 * amiodarone + 0.108 * smoker + 0.0784 * dvt)


def sconce(age, height, cyp2c9, vkorc1):
    """[mg/d]"""
    code = {"G/G": 1, "A/G": 2, "A/A": 3}[vkorc1]
    root = (0.628 - 0.0135 * age - 0.240 * count("*2", cyp2c9) - 0.370 * count("*3", cyp2c9)
            - 0.241 * code + 0.0162 * height)
    return root * root


def andrews(age, bsa, expresser, carries_22):
    """[mg/d], two doses"""
    return 2 * (222 * 22.5 * 1.62 ** expresser * 0.814 ** carries_22 * (age / 56) ** -0.50
                * (bsa / 1.93) ** 0.72) / 1000


def main():
    for equation, *patients in (
        (iwpc, (60, 170, 80, "*1/*1", "G/G"), (60, 170, 80, "*1/*1", "A/G"),
         (60, 170, 80, "*1/*1", "A/A"), (71, 170, 75, "*2/*3", "A/A"),
         (59.9, 165, 62, None, "A/G", "asian", 0, 1), (48, 172, 90, "*1/*3", None, "black", 1, 0),
         (110, 150, 50, "*1/*2", "G/G", "mixed_or_missing")),
        (iwpc_clinical, (60, 170, 80), (59.9, 165, 62, "asian", 0, 1),
         (48, 172, 90, "black", 1, 0), (71, 150, 50, "mixed_or_missing")),
        (eu_pact, (60, 170, 80, "*1/*1", "G/G"), (71, 170, 75, "*2/*3", "A/A"),
         (45.5, 165, 62, "*1/*3", "A/G", 1)),
        (eu_pact_day3, (60, 170, 80, "*1/*1", "G/G"), (71, 170, 75, "*2/*3", "A/A"),
         (71, 170, 75, "*3/*3", "A/G")),
        (gage, (71, 1.88, "*1/*1", "G/G"), (71, 1.88, "*1/*1", "A/A"), (71, 1.88, "*2/*3", "A/G"),
         (50, 2.1, "*2/*2", "A/G", 3.0, 1, 1, 0, 1), (50, 2.1, "*3/*3", "G/G", 2.5, 0, 0, 1, 0)),
        (gage_clinical, (71, 1.88), (50, 2.1, 3.0, 1, 1, 0, 1), (50, 2.1, 2.5, 0, 0, 1, 0)),
        (sconce, (60, 170, "*1/*1", "G/G"), (71, 165, "*1/*3", "A/A"), (50, 180, "*2/*2", "A/G")),
        (andrews, (56, 1.93, 0, 0), (56, 1.93, 1, 0), (40, 1.75, 1, 1), (70, 2.2, 0, 1)),
    ):
        for patient in patients:
            print(f"{equation.__name__:14} {str(patient):60} {equation(*patient):.8g}")


if __name__ == "__main__":
    main()
