"""Sets of scenarios: a list, a folder, one file, recorded logs, generated situations."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.options import BMW_320I, Options
from behaviors_ros.evaluation.recorded_drive import Expert, from_argoverse, from_kitti
from behaviors_ros.simulation.scenario import Scenario, load_scenario

SCENARIOS = (".xml", ".xml.gz", ".yaml", ".yml")
GENERATED = "generated"
ARGOVERSE = "city_SE3_egovehicle.feather"


@dataclass(frozen=True)
class Case:
    """One scenario of a set. name: unique in the set; source: the file, `folder#sequence`, or `generated#name`."""

    name: str
    source: str


@dataclass(frozen=True, eq=False)
class Task:
    """A loaded case: the scenario and, for a recorded drive, what its driver did."""

    scenario: Scenario
    expert: Expert | None = None


def data_folder(given: Path | None = None) -> Path:
    """Where lists and the files they name are looked up: what is given, else `BEHAVIORS_DATA`, else ../shared/data."""
    from_environment = os.environ.get("BEHAVIORS_DATA")
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return given or (Path(from_environment) if from_environment else beside)


def find(name: str, data: Path, seed: int = 0) -> tuple[Case, ...]:
    """The cases of a set: a path (list, folder, scenario, log) or the name of a list below the data folder."""
    if name == GENERATED:
        from behaviors_ros.simulation import situations

        return tuple(Case(found.name, f"{GENERATED}#{found.name}") for found in situations.situations(seed))
    path = Path(name)
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        path = _known(name, data)
    if path.suffix == ".txt":
        return _listed(path, data)
    if path.name.endswith(SCENARIOS):
        return (Case(stem(path), str(path)),)
    raise InputError(path, "set", "is of no known kind", f"known: .txt lists, folders, {', '.join(SCENARIOS)}")


def chosen(cases: tuple[Case, ...], patterns: Sequence[str] | None) -> tuple[Case, ...]:
    """The cases whose name fits one of the patterns (with `*`); all without patterns. None that fits: InputError."""
    found = tuple(case for case in cases if not patterns or any(fnmatchcase(case.name, each) for each in patterns))
    if not found:
        remedy = f"some names: {', '.join(case.name for case in cases[:5])}"
        raise InputError("evaluate", "--only", f"{', '.join(patterns or ())} fits no scenario of the set", remedy)
    return found


def stem(path: Path) -> str:
    """The file's name without what says its kind."""
    return path.name.removesuffix(".gz").rpartition(".")[0]


def load(case: Case, options: Options) -> Task:
    """Read a case. CommonRoad scenarios and recorded drives are driven by a BMW 320i unless the options say else."""
    source, _, part = case.source.partition("#")
    if source == GENERATED:
        return Task(_generated(part, options))
    path = Path(source)
    if path.is_dir():
        vehicle = options.vehicle or BMW_320I
        _require_recorded(case, options)
        return Task(*(from_kitti(path, part, vehicle) if part else from_argoverse(path, vehicle)))
    ours = path.suffix in (".yaml", ".yml")
    return Task(load_scenario(path, options.traffic, options.vehicle if ours else options.vehicle or BMW_320I))


def _generated(name: str, options: Options) -> Scenario:
    from behaviors_ros.simulation import situations

    builders = {found.name: found for found in situations.situations(options.seed)}
    if name not in builders:
        raise InputError(GENERATED, name, "is no generated situation", f"known: {', '.join(list(builders)[:10])}, ...")
    return builders[name].build(options.vehicle)


def _require_recorded(case: Case, options: Options) -> None:
    if options.traffic != "recorded":
        raise InputError(case.name, "--traffic", "recorded logs have no reactive road users", "give recorded")


def _folder(folder: Path) -> tuple[Case, ...]:
    """Argoverse 2 logs, KITTI sequences, or all scenario files below the folder."""
    logs = sorted(path.parent for path in folder.rglob(ARGOVERSE))
    if logs:
        return tuple(Case(f"av2-{log.name[:8]}", str(log)) for log in logs)
    if (folder / "oxts").is_dir() and (folder / "label").is_dir():
        sequences = sorted({path.name.partition(".")[0] for path in (folder / "oxts").iterdir()})
        return tuple(Case(f"kitti-{sequence}", f"{folder}#{sequence}") for sequence in sequences)
    return _named(
        sorted(path for path in folder.rglob("*") if path.is_file() and path.name.endswith(SCENARIOS)), folder
    )


def _named(files: Iterable[Path], folder: Path) -> tuple[Case, ...]:
    """Cases by file name; where two files have the same name, by their place below the folder."""
    files = list(files)
    if not files:
        raise InputError(folder, "set", "holds no scenario", f"known kinds: {', '.join(SCENARIOS)}")
    names = [stem(path) for path in files]
    places = [stem(path) if names.count(stem(path)) == 1 else _place(path, folder) for path in files]
    return tuple(Case(name, str(path)) for name, path in zip(places, files, strict=True))


def _place(path: Path, folder: Path) -> str:
    return "-".join((*path.relative_to(folder).parent.parts, stem(path)))


def _known(name: str, data: Path) -> Path:
    found = sorted(data.rglob(f"{name}.txt")) if data.is_dir() else []
    if not found:
        remedy = f"give a list, a folder, a scenario, or a list's name below {data} (--data, BEHAVIORS_DATA)"
        raise InputError(name, "set", "is neither a file nor a known list", remedy)
    return found[0]


def _listed(path: Path, data: Path) -> tuple[Case, ...]:
    """The files that a list names, one a line; # begins a comment. Looked up beside the list and below the data."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    places = _places(data) | _places(path.parent)
    cases = []
    for name in filter(None, lines):
        file = Path(name)
        found = file if file.is_file() else places.get(file.name) or places.get(f"{file.name}.gz")
        if found is None:
            raise InputError(path, name, f"there is no such file below {data}", "give --data or BEHAVIORS_DATA")
        cases.append(Case(stem(found), str(found)))
    if len(set(cases)) < len(cases):
        raise InputError(path, "list", "names a scenario twice", "give each line once")
    return tuple(cases)


@cache
def _places(folder: Path) -> dict[str, Path]:
    """Every scenario file below a folder by its name; of equal names the first in order."""
    files = (path for path in folder.rglob("*") if path.name.endswith(SCENARIOS))
    return {path.name: path for path in sorted(files, reverse=True)}
