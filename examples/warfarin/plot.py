"""Draws inr.svg from the study's results: median INR and the middle 90 % of patients, 5 mg daily.

    python3 examples/warfarin/plot.py results/warfarin.h5 examples/warfarin/inr.svg
needs python3-xarray, python3-h5netcdf, python3-matplotlib.
"""
import sys

import matplotlib
import xarray as xr

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "gemel"
import matplotlib.pyplot as plt

results, picture = sys.argv[1:3]
root = xr.open_dataset(results, engine="h5netcdf")
genotypes = xr.open_dataset(results, group="genotypes", engine="h5netcdf")
inr = root.INR.sel(arm="standard")
cyp2c9, vkorc1 = genotypes.CYP2C9, genotypes.VKORC1

colours = {"*1/*1": "#4477aa", "*1/*3": "#cc6677"}
figure, panels = plt.subplots(1, 3, figsize=(9, 3.2), sharey=True, layout="constrained")
for panel, sensitivity in zip(panels, ["G/G", "G/A", "A/A"]):
    panel.axhspan(2, 3, color="#dddddd", lw=0)
    for diplotype, colour in colours.items():
        chosen = inr.values[((cyp2c9 == diplotype) & (vkorc1 == sensitivity)).values]
        low, middle, high = (xr.DataArray(chosen).quantile(q, "dim_0") for q in (0.05, 0.5, 0.95))
        days = inr.time / 24
        panel.fill_between(days, low, high, color=colour, alpha=0.18, lw=0)
        panel.plot(days, middle, color=colour, label=f"CYP2C9 {diplotype} (n = {len(chosen)})")
    panel.set_title(f"VKORC1 {sensitivity}", fontsize=10)
    panel.set_xlabel("day")
    panel.legend(fontsize=7, frameon=False, loc="upper left")
    panel.spines[["top", "right"]].set_visible(False)
panels[0].set_ylabel("INR, 5 mg warfarin daily")
figure.savefig(picture, metadata={"Date": None})
