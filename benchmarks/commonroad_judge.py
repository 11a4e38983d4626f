"""Official judgement of a run on CommonRoad scenarios, by commonroad-drivability-checker in an environment of its own.

    python benchmarks/commonroad_judge.py RUN_FOLDER

Reads rows.jsonl and drives/*.npz of a folder of `behaviors evaluate`, writes judge.json into it. Every executed state
up to the goal is checked against the obstacles and the road boundary (the boundary only where the initial pose is
inside of it); the goal counts as reached when `GoalRegion.is_reached` says so. Needs numpy, commonroad-io and
commonroad-drivability-checker, and knows nothing of behaviors_ros: `make judge` makes the environment.
"""

import gzip
import json
import math
import sys
import tempfile
from pathlib import Path

import commonroad_dc.pycrcc as pycrcc
import numpy as np
from commonroad.common.file_reader import CommonRoadFileReader
from commonroad.scenario.state import CustomState
from commonroad_dc.boundary import boundary
from commonroad_dc.collision.collision_detection.pycrcc_collision_dispatch import create_collision_object

STOPPED_MPS = 0.05  # the benchmark's definition of standing, as in nuPlan
BEHIND_RAD = math.radians(150.0)
AT_FAULT = ("front", "lateral")


def main(folder: Path) -> None:
    """Judge every scenario of the run that is in CommonRoad form."""
    rows = {row["name"]: row for row in map(json.loads, (folder / "rows.jsonl").read_text().splitlines())}
    verdicts = {}
    for number, (name, row) in enumerate(rows.items(), 1):
        drive = folder / "drives" / f"{name}.npz"
        if drive.exists() and ".xml" in row["source"]:
            verdicts[name] = judged(Path(row["source"]), drive)
            print(f"{number}/{len(rows)} {name}: {words(verdicts[name])}", flush=True)
    (folder / "judge.json").write_text(json.dumps(verdicts, indent=1) + "\n")


def judged(source: Path, drive: Path) -> dict:
    """The verdict on one drive."""
    scenario, problem = opened(source)
    states, boxes = executed(drive, problem.initial_state.time_step)
    reached = next((k for k, state in enumerate(states) if problem.goal.is_reached(state)), None)
    last = len(states) - 1 if reached is None else reached
    hit = first_collision(scenario, states[: last + 1], boxes[: last + 1])
    checked, left = first_off_road(scenario, boxes[: last + 1])
    verdict = {
        "goal_reached": reached is not None,
        "goal_time_s": None if reached is None else round(reached * scenario.dt, 3),
        "collision": hit is not None,
        "collision_class": hit[1] if hit else None,
        "collision_time_s": round(hit[0] * scenario.dt, 3) if hit else None,
        "obstacle": hit[2] if hit else None,
        "at_fault": bool(hit) and hit[1] in AT_FAULT,
        "boundary_checked": checked,
        "off_road": left is not None,
        "off_road_time_s": None if left is None else round(left * scenario.dt, 3),
    }
    return {"success": verdict["goal_reached"] and not verdict["collision"] and not verdict["off_road"]} | verdict


def opened(source: Path):
    """Scenario and first planning problem of a file, plain or gzipped."""
    if source.suffix != ".gz":
        scenario, problems = CommonRoadFileReader(str(source)).open()
    else:
        with tempfile.NamedTemporaryFile(suffix=".xml") as plain:
            plain.write(gzip.decompress(source.read_bytes()))
            plain.flush()
            scenario, problems = CommonRoadFileReader(plain.name).open()
    return scenario, next(iter(problems.planning_problem_dict.values()))


def executed(drive: Path, first_step: int):
    """States (box centre) and collision boxes of the drive, one a time step."""
    with np.load(drive) as found:
        position, yaw, speed = found["position"], found["yaw"], found["speed"]
        length, width, offset = found["box"].tolist()
    centre = position + offset * np.stack((np.cos(yaw), np.sin(yaw)), axis=1)
    states = [
        CustomState(time_step=first_step + k, position=centre[k], orientation=float(yaw[k]), velocity=float(speed[k]))
        for k in range(len(centre))
    ]
    boxes = [pycrcc.RectOBB(0.5 * length, 0.5 * width, float(yaw[k]), *map(float, centre[k])) for k in range(len(yaw))]
    return states, boxes


def first_collision(scenario, states, boxes):
    """(step, class, obstacle id) of the first contact with an obstacle, None without one."""
    moving = pycrcc.TimeVariantCollisionObject(states[0].time_step)
    for box in boxes:
        moving.append_obstacle(box)
    found = []
    for obstacle in scenario.obstacles:
        shape = create_collision_object(obstacle)
        if not shape.collide(moving):
            continue
        for k, (state, box) in enumerate(zip(states, boxes, strict=True)):
            alone = pycrcc.TimeVariantCollisionObject(state.time_step)
            alone.append_obstacle(box)
            if shape.collide(alone):
                found.append((k, kind_of(obstacle, state, box), obstacle.obstacle_id))
                break
    return min(found, default=None)


def kind_of(obstacle, state, box) -> str:
    """ego_stopped, rear, front or lateral: how the ego met the obstacle."""
    if abs(state.velocity) <= STOPPED_MPS:
        return "ego_stopped"
    along = np.array((math.cos(state.orientation), math.sin(state.orientation)))
    offset = middle(obstacle.occupancy_at_time(state.time_step).shape) - state.position
    ahead, aside = float(offset @ along), float(along[0] * offset[1] - along[1] * offset[0])
    if abs(math.atan2(aside, ahead)) > BEHIND_RAD:
        return "rear"
    bumper = state.position + box.r_x() * along
    front = pycrcc.TimeVariantCollisionObject(state.time_step)
    front.append_obstacle(pycrcc.RectOBB(1e-3, box.r_y(), state.orientation, float(bumper[0]), float(bumper[1])))
    return "front" if create_collision_object(obstacle).collide(front) else "lateral"


def middle(shape):
    """Centre of a shape; of a group or polygon the mean of its corners."""
    if getattr(shape, "center", None) is not None:
        return np.asarray(shape.center)
    return np.concatenate([part.vertices for part in getattr(shape, "shapes", [shape])]).mean(axis=0)


def first_off_road(scenario, boxes):
    """(whether the boundary counts, step of the first contact with it or None)."""
    _, edge = boundary.create_road_boundary_obstacle(scenario, method="obb_rectangles")
    start = np.array([boxes[0].center()]).reshape(1, 2)
    if not scenario.lanelet_network.find_lanelet_by_position(list(start))[0] or edge.collide(boxes[0]):
        return False, None
    return True, next((k for k, box in enumerate(boxes) if edge.collide(box)), None)


def words(verdict: dict) -> str:
    """A verdict in a few words."""
    if verdict["success"]:
        return f"goal reached at {verdict['goal_time_s']} s"
    hit = [f"{verdict['collision_class']} collision with {verdict['obstacle']} at {verdict['collision_time_s']} s"]
    left = [f"off road at {verdict['off_road_time_s']} s"]
    missed = ["goal not reached"]
    return "; ".join(
        (hit if verdict["collision"] else [])
        + (left if verdict["off_road"] else [])
        + ([] if verdict["goal_reached"] else missed)
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
