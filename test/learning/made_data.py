"""Tiny recordings made by hand, as the files of the data sets and as values."""

import gzip
import json
from pathlib import Path

import numpy as np

from behaviors_ros.datatypes import AgentClass
from behaviors_ros.learning.data_recording import Origin, RawRecording, RawTrack
from behaviors_ros.learning.data_resample import Resampling, resampled

HEADER = "id,frame,label,x_est,y_est"


def wandering(seed, count=80, period=0.1, begin=(0.0, 0.0)):
    """A path that no other one is like, m."""
    generator = np.random.default_rng(seed)
    speed = np.abs(5.0 + np.cumsum(generator.normal(0.0, 0.5, count)))
    heading = np.cumsum(generator.normal(0.0, 0.05, count))
    return (
        np.asarray(begin) + np.cumsum(np.column_stack([np.cos(heading), np.sin(heading)]) * speed[:, None], 0) * period
    )


def raw(name, *paths, source="made", location="here", period=0.1, kind=AgentClass.CAR):
    tracks = tuple(
        RawTrack(str(k), int(kind), 4.0, 2.0, np.arange(len(p)) * period, p, np.full(len(p), np.nan))
        for k, p in enumerate(paths)
    )
    return RawRecording(Origin(source, name, location, "none"), tracks)


def made(name, *paths, **more):
    return resampled(raw(name, *paths, **more), Resampling(speed_window_s=0.1))


def write_crowd(folder: Path):
    """Four text files of one person each, and the split file that names them."""
    names = {"train": "train/biwi_hotel_train.txt", "val": "val/biwi_hotel_val.txt", "test": "all_data/biwi_eth.txt"}
    for seed, name in enumerate(names.values()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        points = wandering(seed, 30, 0.4)
        path.write_text("".join(f"{10 * k}\t{seed + 1}.0\t{x:.2f}\t{y:.2f}\n" for k, (x, y) in enumerate(points)))
    splits = {"eth": {split: [name] for split, name in names.items()}}
    (folder / "splits.json").write_text(json.dumps({"splits": splits}))
    return folder


def write_dut(folder: Path, name="intersection_01", seed=0):
    """One person and one vehicle, as gzipped tables of 23.98 Hz."""
    folder.mkdir(parents=True, exist_ok=True)
    for label, more in (("ped", ""), ("veh", ",psi_est,vel_est")):
        points = wandering(seed + (label == "veh"), 72, 1.0 / 23.98)
        extra = ",0.5,1.0" if more else ",0.0,0.0"
        lines = [HEADER + (more or ",vx_est,vy_est")]
        lines += [f"7,{k},{label},{x},{y}{extra}" for k, (x, y) in enumerate(points)]
        path = folder / f"{name}_traj_{label}_filtered.csv.gz"
        path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return folder
