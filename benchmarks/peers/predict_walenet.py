"""WaleNet (pip package wale-net) on cases that `behaviors test --write-cases` wrote; its answers are judged by ours.

Runs in an environment of its own (requirements_walenet.txt), without our package:

    python predict_walenet.py CASES ANSWERS

Its network, weights and preprocessing are the package's own: 3 s of history, a grid of neighbours, an image of the
lanes' bounds, all in the frame of the road user. The published weights predict 4 s; from there on to 5 s everybody goes
on at the last velocity, which does it more good than running its decoder on. The format of the files is told in
`behaviors_ros/learning/peer_cases.py`.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import prediction
import torch
from prediction.utils.geometry import transform_back, transform_trajectories
from prediction.utils.model import predictionNet
from prediction.utils.preprocessing import generate_nbr_array, generate_self_rendered_sc_img

STEPS = 50
PUBLISHED = 40  # steps that the network was trained to predict
HISTORY = 30
LEAST = 10  # states of history that an agent must have, 1 s


def network() -> tuple[predictionNet, dict]:
    """The published network with its weights."""
    folder = Path(prediction.__file__).parent
    settings = json.loads((folder / "configs" / "best_config.json").read_text())
    settings |= {"use_cuda": False, "online_layer": None, "on_pred_learn_method": None, "out_length": PUBLISHED}
    net = predictionNet(settings)
    net.load_state_dict(torch.load(folder / "trained_models" / "best_model.tar", map_location="cpu", weights_only=True))
    return net.eval(), settings


def lanes(cases: dict[str, np.ndarray]) -> SimpleNamespace:
    """The map as far as the package's renderer reads it."""
    found = []
    for k, (left, right) in enumerate(cases["beside"]):
        bounds = {
            f"{side}_vertices": cases[side][cases[f"{side}_first"][k] : cases[f"{side}_first"][k + 1]]
            for side in ("left", "right")
        }
        found.append(SimpleNamespace(**bounds, adj_left=True if left else None, adj_right=True if right else None))
    return SimpleNamespace(lanelet_network=SimpleNamespace(lanelets=found))


def inputs(row: int, history: np.ndarray, yaw: np.ndarray, scenario: SimpleNamespace, radius: float) -> tuple:
    """History, neighbours and image of one road user, as WaleNet._preprocessing makes them."""
    translation, rotation = history[row, -1], float(yaw[row]) - np.pi / 2
    past = transform_trajectories([history[row, -HISTORY:]], translation, rotation)[0]
    around = transform_trajectories(list(history), translation, rotation)
    neighbours = generate_nbr_array(around, history.shape[1] - 1, pp=HISTORY)[0]
    neighbours = np.swapaxes(neighbours.reshape(-1, *neighbours.shape[2:]), 0, 1)
    try:
        image = generate_self_rendered_sc_img(radius, scenario, translation, rotation)
    except ValueError:  # the renderer cannot draw a place without a lane
        image = np.zeros((256, 256))
    return np.nan_to_num(past), np.nan_to_num(neighbours), image


def answered(rows: np.ndarray, history: np.ndarray, yaw: np.ndarray, scenario: SimpleNamespace, net, radius) -> list:
    """Positions and covariances of some road users of one scene, all in one batch."""
    past, neighbours, image = zip(*(inputs(row, history, yaw, scenario, radius) for row in rows), strict=True)
    with torch.no_grad():
        out = net(
            torch.FloatTensor(np.stack(past, axis=1)),
            torch.FloatTensor(np.concatenate(neighbours, axis=1)),
            torch.FloatTensor(np.stack(image)[:, None]),
        ).numpy()
    frames = [(history[row, -1], float(yaw[row]) - np.pi / 2) for row in rows]
    return [longer(*transform_back(out[:, k].copy(), *frame)) for k, frame in enumerate(frames)]


def longer(position: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions and covariances of all steps: after the published ones at the velocity of the last 0.5 s."""
    more = np.arange(1, STEPS - PUBLISHED + 1)
    beyond = position[-1] + more[:, None] * (position[-1] - position[-6]) / 5.0
    last = np.tile(covariance[-1], (len(more), 1, 1))
    return np.concatenate([position, beyond]), np.concatenate([covariance, last])


def answer(path: Path, out: Path, net, radius: float) -> int:
    """Answer one file of cases; how many road users that were."""
    cases = dict(np.load(path, allow_pickle=False))
    count = len(cases["id"])
    position, covariance = np.full((count, STEPS, 2), np.nan), np.full((count, STEPS, 2, 2), np.nan)
    cpu_ms, scenario = [], lanes(cases)
    for begin, end in zip(cases["first"][:-1], cases["first"][1:], strict=True):
        history, yaw = cases["history"][begin:end], cases["yaw"][begin:end]
        rows = np.flatnonzero(np.isfinite(history[:, -1 - LEAST, 0]))
        since = time.process_time()
        found = answered(rows, history, yaw, scenario, net, radius) if len(rows) else []
        cpu_ms.append((time.process_time() - since) * 1e3)
        for row, (places, spread) in zip(rows, found, strict=True):
            position[begin + row], covariance[begin + row] = places, spread
    np.savez_compressed(out, position=position, covariance=covariance, cpu_ms=np.array(cpu_ms))
    return count


def main() -> None:
    """Answer all cases of a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", type=Path)
    parser.add_argument("answers", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.answers.mkdir(parents=True, exist_ok=True)
    net, settings = network()
    for path in sorted(given.cases.glob("*.npz")):
        if not (given.answers / path.name).exists():
            print(path.name, answer(path, given.answers / path.name, net, settings["watch_radius"]), flush=True)


if __name__ == "__main__":
    main()
