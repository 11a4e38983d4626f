"""Generated situations of urban driving: seeded, graded, solvable. See docs/scenarios.md.

`situation(kind, variant, seed)` is one scenario; `situations(seed)` are all of them, built when asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from behaviors_ros.errors import BehaviorsError
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.scenario import Scenario
from behaviors_ros.simulation.situations import (
    junctions,
    kerb,
    leaders,
    lights,
    merging,
    obstacles,
    people,
    riders,
    roundabouts,
)
from behaviors_ros.simulation.situations.draft import Draft
from behaviors_ros.simulation.situations.sites import Street
from behaviors_ros.simulation.situations.stretches import find
from behaviors_ros.simulation.situations.variation import SPREAD, Variation

KINDS: dict[str, Callable[[Variation], Draft]] = {
    "unprotected_left": junctions.unprotected_left,
    "roundabout": roundabouts.roundabout,
    "all_way_stop": junctions.all_way_stop,
    "occluded_junction": junctions.occluded_junction,
    "signal_red": lights.signal_red,
    "signal_amber": lights.signal_amber,
    "signal_queue": lights.signal_queue,
    "crosswalk": people.crosswalk,
    "jaywalker": people.jaywalker,
    "animal": people.animal,
    "cyclist_ahead": riders.cyclist_ahead,
    "cyclist_at_turn": riders.cyclist_at_turn,
    "double_parked": obstacles.double_parked,
    "blocked_lane": obstacles.blocked_lane,
    "narrow_street": obstacles.narrow_street,
    "lead_braking": leaders.lead_braking,
    "cut_in": leaders.cut_in,
    "bus_leaving": leaders.bus_leaving,
    "merge": merging.merge,
    "zipper": merging.zipper,
    "pull_over": kerb.pull_over,
}


ANYWHERE = ("jaywalker", "animal", "lead_braking")


class Situation(NamedTuple):
    """A situation still to be built: its name, and what builds it (for a vehicle, the default one where None)."""

    name: str
    build: Callable[..., Scenario]


def kinds() -> tuple[str, ...]:
    """Names of the kinds."""
    return tuple(KINDS)


def anywhere() -> tuple[str, ...]:
    """Names of the kinds that can be laid on a stretch of any map."""
    return ANYWHERE


def about(kind: str) -> str:
    """What happens in a kind, in one sentence."""
    return (KINDS[kind].__doc__ or "").split("\n")[0]


def stretches(folder: Path) -> tuple[Street, ...]:
    """Stretches of the Lanelet2 maps in a folder; none there raises `InputError`."""
    return find(folder)


def drafted(kind: str, variant: int, seed: int = 0, places: Sequence[Street] = ()) -> Draft:
    """A situation as form, map and the careful driver's solution. An unknown kind raises `BehaviorsError`.

    places: stretches of given maps, taken in turn by the variants.
    """
    if kind not in KINDS:
        raise BehaviorsError(f"situation kind '{kind}' is unknown; known: {', '.join(KINDS)}")
    if variant < 0 or seed < 0:
        raise BehaviorsError(f"situation {kind}: variant {variant}, seed {seed}: give numbers from 0 on")
    if places and kind not in ANYWHERE:
        raise BehaviorsError(f"situation kind '{kind}' needs a road of its own; on given maps: {', '.join(ANYWHERE)}")
    place = places[variant % len(places)] if places else None
    return KINDS[kind](Variation(kind, variant, seed, place))


def situation(kind: str, variant: int, seed: int = 0, vehicle: Vehicle | None = None) -> Scenario:
    """A situation as scenario; the same arguments give the same one. vehicle: instead of the default."""
    return drafted(kind, variant, seed).scenario(vehicle)


def situations(
    seed: int = 0, kinds: Iterable[str] | None = None, variants: int | Iterable[int] = SPREAD
) -> Iterator[Situation]:
    """Situations by kind and variant (a number of them, or which); pairs of a name and what builds the scenario."""
    chosen = range(variants) if isinstance(variants, int) else tuple(variants)
    for kind in KINDS if kinds is None else kinds:
        for variant in chosen:
            name = Variation(kind, variant, seed).name
            yield Situation(name, partial(_built, kind, variant, seed))


def _built(kind: str, variant: int, seed: int, vehicle: Vehicle | None = None) -> Scenario:
    return situation(kind, variant, seed, vehicle)


def write(folder: Path, kind: str, variant: int, seed: int = 0) -> Path:
    """Write a situation as form and map file; gives the form's path, which `load_scenario` reads."""
    return drafted(kind, variant, seed).write(folder)
