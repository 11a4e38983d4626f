"""Drive a peer through CommonRoad scenarios; the run folder is what `benchmarks/commonroad_judge.py` judges.

Perfect tracking, recorded traffic that does not react, the scenario's own time step, vehicle 2 (BMW 320i). Each
scenario runs in a process of its own with a limit of CPU time; what goes wrong there is its row, and a scenario that
has a row is not driven again. A run folder holds

    rows.jsonl          a row a scenario: name, source (its file), peer, version, prediction, dt_s, initial_step,
                        ended (goal, time, no plan, error or cpu limit), error, no_plan, plan_ms and predict_ms
                        (CPU time of each planning cycle and of its prediction)
    drives/NAME.npz     executed states, entry i at time step initial_step + i: position (step, 2) of the box centre in
                        m, yaw and steering (step,) in rad, speed (step,) in m/s; box: length, width, 0.0 (the way from
                        `position` to the box centre along the heading, as in the runs of `behaviors evaluate`)

    python closed_loop.py --peer fiss --prediction lane_following --out RUN_FOLDER
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import resource
import signal
import subprocess
import sys
import warnings
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
PEERS = {
    "fiss": ("drive_fiss", {}),
    "fiss_smoothed": ("drive_fiss", {"smoother": True}),
    "frenetix": ("drive_frenetix", {}),
    "reactive": ("drive_reactive", {}),
}
STATES = ("position", "yaw", "speed", "steering", "box")


def drive(peer: str, prediction: str, path: Path) -> dict[str, object]:
    """Drive one scenario to its goal, to the end of its goal's time, or until there is no plan."""
    scene = importlib.import_module("scene").load(path)
    name, options = PEERS[peer]
    module = importlib.import_module(name)
    if prediction not in module.PREDICTIONS:
        raise SystemExit(f"closed_loop: {peer} knows the predictions {', '.join(module.PREDICTIONS)}")
    driver, states, ended = module.Driver(scene, prediction, **options), [scene.start], "time"
    for step in range(scene.first_step, scene.last_step):
        state = driver.step(step)
        if state is None:
            ended = "no plan"
            break
        states.append(state)
        if scene.reached(step + 1, state):
            ended = "goal"
            break
    about = {"version": version(module.PACKAGE), "dt_s": scene.dt, "initial_step": scene.first_step}
    return {**about, **columns(states), "plan_ms": driver.plan_ms, "predict_ms": driver.predict_ms,
            "ended": ended, "error": ""}  # fmt: skip


def columns(states: list) -> dict[str, object]:
    """The executed states as columns, with the vehicle's box."""
    scene, rows = importlib.import_module("scene"), [asdict(state) for state in states]
    found = {name: [row[name] for row in rows] for name in ("yaw", "speed", "steering")}
    box = [scene.LENGTH_M, scene.WIDTH_M, 0.0]
    return {**found, "position": [[row["x"], row["y"]] for row in rows], "box": box}


def apart(given: argparse.Namespace, path: Path) -> dict[str, object]:
    """Drive one scenario in a process of its own; what goes wrong there becomes its row."""
    command = [sys.executable, __file__, "--peer", given.peer, "--prediction", given.prediction, "--one", str(path)]
    limit = (given.limit_s, given.limit_s + 5)
    done = subprocess.run(
        command, capture_output=True, text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, limit)
    )
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return {"ended": "cpu limit", "error": f"more than {given.limit_s} s of CPU time"}
    return {"ended": "error", "error": raised(done.stderr)}


def raised(text: str) -> str:
    """The line of a traceback that names the exception, the last line of a text without one."""
    lines = text[text.rfind("Traceback") :].strip().splitlines() if "Traceback" in text else []
    named = [line for line in lines[1:] if line[:1].strip() and ":" in line and not line.startswith("nanobind")]
    return (named or text.strip().splitlines()[-1:] or ["no message"])[0][:300]


def find(folder: Path, name: str) -> Path:
    """The scenario file of that name anywhere below a folder, plain or packed."""
    found = sorted(folder.rglob(f"{name}.xml*"))
    if not found:
        raise SystemExit(f"closed_loop: no {name} below {folder}; --data names the folder of the scenarios")
    return found[0]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", choices=PEERS, required=True)
    parser.add_argument("--prediction", default="ground_truth")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the scenarios")
    parser.add_argument("--set", type=Path, help="file that lists the scenarios; default: benchmark53.txt of --data")
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--only", nargs="*", help="names of scenarios, instead of the whole set")
    parser.add_argument("--limit-s", type=int, default=120, help="CPU time for one scenario")
    parser.add_argument("--one", type=Path, help="drive this file and print its run")
    return parser.parse_args()


def main() -> None:
    """Drive what has not been driven yet."""
    given = arguments()
    if given.one:
        logging.disable(logging.CRITICAL)
        warnings.simplefilter("ignore")
        print(json.dumps(drive(given.peer, given.prediction, given.one)))
        return
    listed = given.set or given.data / "commonroad_benchmark" / "benchmark53.txt"
    names = given.only or listed.read_text().split()
    (given.out / "drives").mkdir(parents=True, exist_ok=True)
    rows = given.out / "rows.jsonl"
    known = {json.loads(line)["name"] for line in rows.read_text().splitlines()} if rows.exists() else set()
    for number, name in enumerate(names, 1):
        scenario = name.split(".")[0]
        if scenario not in known:
            source = find(given.data, scenario)
            about = {"name": scenario, "source": str(source), "peer": given.peer, "prediction": given.prediction}
            row = about | keep(given.out / "drives" / f"{scenario}.npz", apart(given, source))
            with rows.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(f"{number}/{len(names)} {scenario}: {row['ended']} {row['error']}", flush=True)


def keep(drive: Path, run: dict[str, object]) -> dict[str, object]:
    """Write the executed states, where there are any, and give the rest of the row."""
    arrays = {name: np.array(run.pop(name)) for name in STATES if name in run}
    if arrays:
        np.savez_compressed(drive, **arrays)
    return {"plan_ms": [], "predict_ms": []} | run | {"no_plan": run["ended"] == "no plan"}


if __name__ == "__main__":
    main()
