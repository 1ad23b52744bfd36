"""A result file opens cleanly where users open it: xarray by both engines, h5py, ncdump.

usage: check_layout.py TEST_IO          (the test program, which writes the file)
       check_layout.py --run GEMEL STUDY    (a study with genes, two arms, 700 subjects)
       check_layout.py --fit TEST_LEARNERS  (the test program, which writes a fit of theophylline)

The expected values of the first values are those of tests/io/result/trial.cpp: 10·arm + subject + time/100.
"""

import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import xarray as xr

GROUPS = ["", "outcomes", "covariates", "genotypes", "diagnostics", "endpoints"]


def write_trial(program, folder):
    subprocess.run(
        [program, "--no-skip", "--test-case=write the trial that check_layout.py reads"],
        env={**os.environ, "GEMEL_LAYOUT_FOLDER": folder},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return os.path.join(folder, "trial.h5")


def check_h5py(path, layout="gemel-trajectory/1", source="study_toml"):
    with h5py.File(path, "r") as file:
        # Fixed-length text, which R needs, is bytes in h5py.
        assert file.attrs["layout"].decode() == layout
        assert file.attrs["Conventions"].decode() == "CF-1.10"
        assert len(file.attrs["results_sha256"]) == 64

        def check(name, item):
            tracked = item.id.get_create_plist()  # a group's or a dataset's
            assert tracked.get_attr_creation_order() == 3, f"{name} forgets the order of attributes"
            if not isinstance(item, h5py.Dataset):
                return
            assert not tracked.get_obj_track_times(), name
            assert "units" in item.attrs, f"{name} has no units"
            assert item.dtype.kind != "V", f"{name} is a compound"
            if name.startswith("provenance/") or h5py.h5ds.is_scale(item.id):
                return
            for axis, dimension in enumerate(item.dims):
                assert len(dimension) == 1, f"axis {axis} of {name} has no scale"
            if item.dtype.kind == "f":
                assert np.isnan(item.fillvalue) and np.isnan(item.attrs["_FillValue"]), name
            if item.dtype.kind == "O":
                info = h5py.check_string_dtype(item.dtype)
                assert info.encoding == "utf-8" and info.length is None, name

        file.visititems(check)
        assert file["provenance/" + source].asstr()[()].startswith("gemel")


def check_xarray(path, engine):
    with xr.open_dataset(path, engine=engine) as root:
        assert set(root.dims) == {"arm", "subject", "time", "time_INR"}, root.dims
        assert root.Cp.dims == ("arm", "subject", "time")
        assert root.Cp.units == "mg/L" and root.time.units == "h"
        assert root.time.dtype == np.float64  # hours stay numbers
        assert list(root.arm.values) == ["low", "high"]
        assert float(root.Cp.sel(arm="high", subject=71, time=5)) == 10 + 70 + 0.05
        assert bool(root.Cp.sel(arm="high", subject=4).isnull().all())
        assert int(root.Cp.isnull().sum()) == 25
        assert root.attrs["title"] == "a trial µ"
    for group in GROUPS:
        with xr.open_dataset(path, engine=engine, group=group or None) as ds:
            assert not any("phony" in str(dim) for dim in ds.dims), (engine, group, ds.dims)
            for name in ds.data_vars:
                assert "units" in ds[name].attrs, (engine, group, name)
    with xr.open_dataset(path, engine=engine, group="genotypes") as ds:
        assert list(ds.CYP2C9.values[:2]) == ["*1/*1", "*1/*3"]
        assert ds.CYP2C9.attrs["long_name"] == "diplotype µ"
    with xr.open_dataset(path, engine=engine, group="diagnostics") as ds:
        assert ds.status.attrs["flag_meanings"] == "ok failed_nonfinite"
        assert list(ds.status.attrs["flag_values"]) == [0, 1]
        assert int(ds.status.sum()) == 1


def check_ncdump(path):
    header = subprocess.run(["ncdump", "-h", path], check=True, capture_output=True, text=True)
    text = header.stdout
    assert header.stderr == "", header.stderr
    assert "phony" not in text
    for line in [
        "double Cp(arm, subject, time) ;",
        'Cp:units = "mg/L" ;',
        "Cp:_FillValue = NaN ;",
        "string arm(arm) ;",
        "int64 subject(subject) ;",
        "double AUC(arm, subject) ;",
        "string CYP2C9(subject) ;",
        "ubyte status(arm, subject) ;",
        ':Conventions = "CF-1.10" ;',
    ]:
        assert line in text, f"{line}\nis missing in\n{text}"


def check_summary(path, engine, group, sizes):
    """Quantiles over subjects rise with the share of subjects below, between the extremes."""
    with xr.open_dataset(path, engine=engine, group=group) as ds:
        assert not any("phony" in str(dim) for dim in ds.dims), (engine, group, ds.dims)
        assert dict(ds["mean"].sizes) == sizes, (engine, group, ds["mean"].sizes)
        assert dict(ds.quantiles.sizes) == {**sizes, "quantile": 5}, ds.quantiles.sizes
        assert bool((ds.quantiles.diff("quantile") >= 0).all())
        assert ds.quantiles.units == ds["mean"].units == ds.sd.units
        assert ds.n.dtype == np.int64 and bool((ds.n == 700).all())


def check_run_without_subjects(program, study, folder):
    path = os.path.join(folder, "none.h5")
    subprocess.run(
        [program, "run", study, "--quiet", "-o", path, "--set", "save.subjects=none"], check=True
    )
    check_h5py(path)
    for engine in ["netcdf4", "h5netcdf"]:
        with xr.open_dataset(path, engine=engine) as root:
            assert set(root.dims) == {"arm", "time", "quantile", "status", "event"}, root.dims
            n_times = root.sizes["time"]
        check_summary(path, engine, "summary/Cp", {"arm": 2, "time": n_times})
        check_summary(path, engine, "summary/outcomes/AUC", {"arm": 2})
        with xr.open_dataset(path, engine=engine, group="summary") as ds:
            assert ds.n_solves.dims == ("arm", "status") and int(ds.n_solves.sum()) == 1400


def check_fit(program):
    """A fit of 12 subjects and 132 observations, 9 numbers and 3 effects, made by hand."""
    with tempfile.TemporaryDirectory(prefix="gemel_layout_") as folder:
        subprocess.run(
            [program, "--test-case=the result file holds*"],
            env={**os.environ, "GEMEL_LAYOUT_FOLDER": folder},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        path = os.path.join(folder, "fit.h5")
        check_h5py(path, "gemel-fit/1", "fit_toml")
        for engine in ["netcdf4", "h5netcdf"]:
            for group, sizes in {
                "estimates": {"number": 9},
                "individuals": {"subject": 12, "effect": 3, "effect_of": 3},
                "observations/Cp": {"observation_Cp": 132},
                "covariance": {"estimated": 9, "estimated_of": 9},
                "trace": {"iteration": 2, "number": 9},
            }.items():
                with xr.open_dataset(path, engine=engine, group=group) as ds:
                    assert dict(ds.sizes) == sizes, (engine, group, ds.sizes)
        with h5py.File(path, "r") as file:
            names = list(file["number"].asstr())
            assert names[0] == "ka" and names[-1] == "error.Cp.proportional", names
            assert file["estimates/unit"].asstr()[0] == "1/h"
            assert file["estimates/value"][0] == 1.1 * 1.5
            assert file["observations/Cp/dv"][0] == 0.74 and file["observations/Cp/line"][0] == 3
            assert file["individuals/mode"][3, 0] == 0.1 * 3
            assert abs(file["covariance/linearised"][0, 0] - (0.1 * 1.65) ** 2) < 1e-15


def check_run(program, study):
    """A file of a real run: the invariants of the layout, and what this study must have."""
    with tempfile.TemporaryDirectory(prefix="gemel_layout_") as folder:
        path = os.path.join(folder, "run.h5")
        saved = "save.Cp.subjects=100"
        subprocess.run([program, "run", study, "--quiet", "-o", path, "--set", saved], check=True)
        check_h5py(path)
        with h5py.File(path, "r") as file:
            groups = [name for name in file if isinstance(file[name], h5py.Group)]
        assert {"outcomes", "covariates", "genotypes", "parameters", "events"} <= set(groups)
        groups.remove("provenance")  # texts without axes
        for engine in ["netcdf4", "h5netcdf"]:
            for group in [None, *groups]:
                with xr.open_dataset(path, engine=engine, group=group) as ds:
                    assert not any("phony" in str(dim) for dim in ds.dims), (engine, group, ds.dims)
                    for name in ds.data_vars:
                        assert "units" in ds[name].attrs, (engine, group, name)
            with xr.open_dataset(path, engine=engine) as root:
                assert root.Cp.dims == ("arm", "subject_100", "time"), root.Cp.dims
                assert root.sizes["subject_100"] == 100 and root.sizes["subject"] == 700
                assert not bool(root.Cp.isnull().any())
            with xr.open_dataset(path, engine=engine, group="genotypes") as ds:
                assert all("/" in str(text) for text in ds.CYP2C9.values)
            check_summary(path, engine, "summary/Cp", {"arm": 2, "time": root.sizes["time"]})
        header = subprocess.run(["ncdump", "-h", path], check=True, capture_output=True, text=True)
        assert header.stderr == "" and "phony" not in header.stdout, header.stderr
        check_run_without_subjects(program, study, folder)


def main():
    if sys.argv[1] == "--run":
        check_run(*sys.argv[2:])
        print("h5py, xarray (netcdf4, h5netcdf) and ncdump read the file of a run")
        return
    if sys.argv[1] == "--fit":
        check_fit(sys.argv[2])
        print("h5py and xarray (netcdf4, h5netcdf) read the file of a fit")
        return
    with tempfile.TemporaryDirectory(prefix="gemel_layout_") as folder:
        path = write_trial(sys.argv[1], folder)
        check_h5py(path)
        for engine in ["netcdf4", "h5netcdf"]:
            check_xarray(path, engine)
        check_ncdump(path)
    print("h5py, xarray (netcdf4, h5netcdf) and ncdump read the file as it was meant")


if __name__ == "__main__":
    main()
