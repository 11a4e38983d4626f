"""Short scenarios as files, without a map."""

from pathlib import Path

import yaml


def write(folder: Path, name: str = "short", goal_x: float = 12.0, duration_s: float = 4.0, agents=()) -> Path:
    """8 m/s along x from the origin to `goal_x`."""
    form = {
        "name": name,
        "start": {"position": [0.0, 0.0], "yaw_rad": 0.0, "speed_mps": 8.0},
        "goal": {"position": [goal_x, 0.0]},
        "agents": list(agents),
        "duration_s": duration_s,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(form))
    return path


def parked(x: float) -> dict:
    """A car that stands on the way."""
    return {"name": "parked", "kind": "car", "behaviour": "stationary", "position": [x, 0.0]}
