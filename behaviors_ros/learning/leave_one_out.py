"""The ETH/UCY benchmark: learn on four scenes, test on the fifth, for every scene and several seeds.

Each seed has its own networks; nothing is shared between seeds. A network or a result that is already in the folder is
not made again, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from behaviors_ros.datatypes import Array
from behaviors_ros.errors import InputError
from behaviors_ros.learning.crowd_model import CrowdNetwork
from behaviors_ros.learning.crowd_training import CrowdTraining, Views, hypotheses, restored, saved, trained
from behaviors_ros.learning.crowd_windows import Cutting, Framed, framed, windows
from behaviors_ros.learning.data_pedestrians import read_eth_ucy
from behaviors_ros.learning.reduction import Reduction, reduced
from behaviors_ros.parameters import Parameters, validated, value
from behaviors_ros.yaml_files import read_mapping

Row = dict[str, Any]
SETTINGS = "settings.json"


class LeaveOneOut(Parameters):
    """What is learned and tested."""

    scenes: tuple[str, ...] = value(("eth", "hotel", "univ", "zara1", "zara2"), "the scenes left out in turn")
    seeds: int = value(5, "repetitions", low=1, high=1000)
    members: int = value(3, "networks of a seed, whose hypotheses are reduced together", low=1, high=100)
    cutting: Cutting = Cutting()
    training: CrowdTraining = CrowdTraining()
    views: Views = Views()
    reduction: Reduction = Reduction()


def read_leave_one_out(path: Path) -> LeaveOneOut:
    """A configuration file as config/learning/eth_ucy.yaml."""
    return validated(LeaveOneOut, read_mapping(path, "give a file as config/learning/eth_ucy.yaml"), str(path))


def leave_one_out(
    settings: LeaveOneOut, data: Path, out: Path, threads: int = 1, progress: Callable[[str], None] = lambda _: None
) -> list[Row]:
    """Train and test what is missing in the folder `out`; one row a seed and scene.

    data: the folder with splits.json. Rows: scene, seed, windows, minade, minfde, network_minade, network_minfde; the
    latter two of one network and view alone, mean of the members, m.
    """
    _same_settings(settings, out)
    torch.set_num_threads(threads)
    rows = []
    for seed in range(settings.seeds):
        for scene in settings.scenes:
            result = out / scene / f"seed{seed}.json"
            if not result.exists():
                networks = [
                    _network(settings, data, out, scene, seed, member, progress) for member in range(settings.members)
                ]
                progress(f"{scene}, seed {seed}: test")
                row = {"scene": scene, "seed": seed} | tested(networks, shown(data, scene, "test", settings), settings)
                result.write_text(json.dumps(row) + "\n")
            rows.append(json.loads(result.read_text()))
    return rows


def shown(data: Path, scene: str, split: str, settings: LeaveOneOut) -> Framed:
    """The windows of a split of the fold in which `scene` is left out."""
    recordings = [recording for recording, its in read_eth_ucy(data, scene) if its == split]
    return framed(windows(recordings, settings.cutting), settings.cutting)


def tested(networks: list[CrowdNetwork], data: Framed, settings: LeaveOneOut) -> Row:
    """The errors of the reduced hypotheses, and of the networks alone; means over the windows, m."""
    sets = hypotheses(networks, data.past, data.others, settings.views)
    few, _ = reduced(sets, settings.reduction)
    first = range(0, sets.shape[1], sets.shape[1] // len(networks))
    alone = [least(sets[:, k], data.future) for k in first]
    mean, final = least(few, data.future)
    return {
        "windows": len(few), "minade": mean, "minfde": final,
        "network_minade": float(np.mean([one[0] for one in alone])),
        "network_minfde": float(np.mean([one[1] for one in alone])),
    }  # fmt: skip


def least(samples: Float[Array, "window sample step 2"], truth: Float[Array, "window step 2"]) -> tuple[float, float]:
    """minADE and minFDE over all samples, each with its own nearest one; means over the windows, m."""
    away = np.linalg.norm(samples - truth[:, None], axis=3)
    return float(away.mean(axis=2).min(axis=1).mean()), float(away[..., -1].min(axis=1).mean())


def means(rows: list[Row]) -> list[Row]:
    """Each scene over its seeds, then the mean of the scenes of each seed over the seeds; with standard deviations."""
    seeds = sorted({row["seed"] for row in rows})
    table = [_over_seeds(scene, [[row] for row in rows if row["scene"] == scene]) for scene in _scenes(rows)]
    return [*table, _over_seeds("mean", [[row for row in rows if row["seed"] == seed] for seed in seeds])]


def _scenes(rows: list[Row]) -> list[str]:
    return list(dict.fromkeys(row["scene"] for row in rows))


def _over_seeds(name: str, groups: list[list[Row]]) -> Row:
    """Mean and standard deviation over groups, of the mean of each group."""
    out: Row = {"scene": name, "seeds": len(groups), "windows": sum(row["windows"] for row in groups[0])}
    for key in ("minade", "minfde", "network_minade", "network_minfde"):
        each = [float(np.mean([row[key] for row in group])) for group in groups]
        out |= {key: float(np.mean(each)), f"{key}_sd": float(np.std(each))}
    return out


def _network(
    settings: LeaveOneOut, data: Path, out: Path, scene: str, seed: int, member: int, progress: Callable[[str], None]
) -> CrowdNetwork:
    """A network of the folder, trained when it is not there."""
    path = out / scene / f"seed{seed}-{member}.pt"
    if path.exists():
        return restored(path, settings.cutting, settings.training.size)
    progress(f"{scene}, seed {seed}: network {member + 1} of {settings.members}")
    learned = shown(data, scene, "train", settings)
    network = trained(learned, settings.cutting, settings.training, settings.members * seed + member)
    saved(network, path)
    return network


def _same_settings(settings: LeaveOneOut, out: Path) -> None:
    """A folder holds what one configuration gave; more seeds or scenes may come."""
    out.mkdir(parents=True, exist_ok=True)
    own = settings.model_dump(mode="json", exclude={"seeds", "scenes"})
    place = out / SETTINGS
    if place.exists() and json.loads(place.read_text()) != own:
        raise InputError(out, SETTINGS, "is of another configuration", "give a new folder")
    for scene in settings.scenes:
        (out / scene).mkdir(exist_ok=True)
    place.write_text(json.dumps(own, indent=1) + "\n")
