"""Prints what the study found by ancestry, and draws it.

    python3 examples/warfarin_by_ancestry/table.py results/warfarin_by_ancestry.h5 [picture.svg]
needs python3-xarray, python3-h5netcdf; for the picture python3-matplotlib.
"""
import sys

import numpy as np
import xarray as xr

results = sys.argv[1]


def group(name):
    return xr.open_dataset(results, group=name, engine="h5netcdf")


arms = [str(a) for a in xr.open_dataset(results, engine="h5netcdf").arm.values]
outcomes, covariates, genotypes, policies = map(
    group, ["outcomes", "covariates", "genotypes", "policies"])
ancestry = covariates.ancestry
codes = dict(zip(str(ancestry.attrs["flag_meanings"]).split(), ancestry.attrs["flag_values"]))
groups = {name: (ancestry.values == code) for name, code in codes.items()}
pair = genotypes.CYP2C9.values.astype(str)
carrier = np.array([any(a in ("*5", "*6", "*8", "*11") for a in p.split("/")) for p in pair])
groups["SSA with *5, *6, *8, *11"] = groups["SSA"] & carrier
groups["SSA without"] = groups["SSA"] & ~carrier
hours = 30 * 24.0
dose = {"same_for_all": np.full(len(pair), 5.0), "clinical": policies.clinical_iwpc_clinical.values,
        "genotype": policies.genotype_iwpc.values, "model": policies.model_model.values}

print("| arm | group | patients | dose, mg | INR | in 2–3 | above 4 | time in 2–3 | dose/model's |")
print("|---|---|---|---|---|---|---|---|---|")
middle = {}
for index, arm in enumerate(arms):
    for name, chosen in groups.items():
        of = lambda outcome: outcomes[outcome].values[index][chosen]
        inside = np.mean(of("at_least_2")) - np.mean(of("above_3"))
        in_time = (np.mean(of("above_2_for")) - np.mean(of("above_3_for"))) / hours
        ratio = np.exp(np.median(np.log(dose[arm][chosen] / dose["model"][chosen])))
        middle[arm, name] = np.median(of("INR_end"))
        print(f"| {arm} | {name} | {chosen.sum():,} | {np.median(dose[arm][chosen]):.1f} "
              f"| {np.median(of('INR_end')):.2f} | {100 * inside:.0f} % "
              f"| {100 * np.mean(of('above_4')):.0f} % | {100 * in_time:.0f} % | {ratio:.2f} |")

if len(sys.argv) > 2:
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "gemel"
    import matplotlib.pyplot as plt

    colours = {"EUR": "#4477aa", "EAS": "#cc6677", "SSA without": "#117733",
               "SSA with *5, *6, *8, *11": "#999933"}
    figure, axes = plt.subplots(figsize=(6.5, 3), layout="constrained")
    for place, (name, colour) in enumerate(colours.items()):
        axes.bar(np.arange(len(arms)) + 0.2 * (place - 1.5), [middle[a, name] for a in arms],
                 0.19, color=colour, label=name)
    axes.set_xticks(range(len(arms)), [a.replace("_", " ") for a in arms])
    axes.axhspan(2, 3, color="#dddddd", lw=0, zorder=0)
    axes.set_ylabel("median INR on day 90")
    axes.legend(fontsize=7, frameon=False, ncols=4, loc="upper left")
    axes.set_ylim(1, 3.6)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(sys.argv[2], metadata={"Date": None})
