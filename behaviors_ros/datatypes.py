"""The nouns, in data-path order: Scene -> Predictions -> Candidates -> Scores -> Plan -> ControlCommand.

Struct of arrays; invalid entries are NaN beside a `valid` mask. SI, radians, REP-103. Positions are in the `map` frame
unless a suffix names another. Step 0 of every time axis is the scene's stamp ("now"). float64 throughout.
Nouns with arrays compare and hash by identity, so that what derives from one (a route's Frenet frame) can be cached
by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum, IntFlag
from functools import cache, cached_property
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Int

from behaviors_ros.geometry.rounding import as_float32, on_lattice

Array = np.ndarray


# --- time ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grid:
    """The one time grid of predictions and candidates: `steps` instants `dt_s` apart, the first one now."""

    dt_s: float = 0.1
    steps: int = 61

    @cached_property
    def time_s(self) -> Float[Array, "step"]:
        """Instants relative to now, in s; not to be written to."""
        return np.arange(self.steps) * self.dt_s

    @property
    def horizon_s(self) -> float:
        """Last instant, in s."""
        return (self.steps - 1) * self.dt_s


# --- scene -----------------------------------------------------------------------------------------------------------


class AgentClass(IntEnum):
    """Class of a road user; numbers are Autoware's ObjectClassification labels."""

    UNKNOWN = 0
    CAR = 1
    TRUCK = 2
    BUS = 3
    TRAILER = 4
    MOTORCYCLE = 5
    BICYCLE = 6
    PEDESTRIAN = 7
    ANIMAL = 8
    HAZARD = 9
    OVER_DRIVABLE = 10
    UNDER_DRIVABLE = 11


VEHICLES = (AgentClass.CAR, AgentClass.TRUCK, AgentClass.BUS, AgentClass.TRAILER, AgentClass.MOTORCYCLE)
VULNERABLE = (AgentClass.BICYCLE, AgentClass.PEDESTRIAN, AgentClass.ANIMAL)


_KINDS = 64  # more than any enumeration of this file has


def among(kind: Int[Array, "*lead"], kinds: Iterable[int]) -> Bool[Array, "*lead"]:
    """Which entries are one of a few kinds: several times as fast as `numpy.isin` on the few agents of a scene."""
    return _flags(tuple(kinds))[np.minimum(np.maximum(kind, -1), _KINDS) + 1]


@cache
def _flags(kinds: tuple[int, ...]) -> Bool[Array, "number"]:
    """Whether a number is one of `kinds`: the numbers from -1 on, which stands for all below 0, to _KINDS."""
    flags = np.zeros(_KINDS + 2, dtype=bool)
    flags[[int(kind) + 1 for kind in kinds]] = True
    return flags


class Degraded(IntFlag):
    """Degraded modes: what the stack drives without. Carried as a bit mask by every planning message."""

    NONE = 0
    NO_MAP = 1
    NO_SIGNALS = 2
    NO_MODEL = 4
    NO_ROUTE = 8
    TRACKS_LATE = 16
    SLOW = 32
    TRACKS_DROPPED = 64
    FAR_AGENTS = 128
    TRACKS_JUMP = 256


@dataclass(frozen=True, eq=False)
class EgoState:
    """The vehicle at its rear axle centre (base_link).

    position (2,) m; yaw rad; speed m/s signed along the body (the rear axle has no lateral speed); acceleration m/s^2
    longitudinal; steering rad, angle of the virtual front wheel, + left; yaw_rate rad/s, + counter-clockwise.
    """

    stamp_ns: int
    position: Float[Array, "2"]
    yaw: float
    speed: float
    acceleration: float = 0.0
    steering: float = 0.0
    yaw_rate: float = 0.0


@dataclass(frozen=True, eq=False)
class Tracks:
    """Road users as tracked by perception, at one stamp.

    id: 32 lower-case hex digits (a UUID); position: box centre, m; velocity and acceleration: map frame, m/s, m/s^2;
    length along yaw, width across, m; covariance: of the position, m^2; existence: probability in [0, 1].
    occluders: outlines of what else one cannot see past (buildings, fences, hedges), as perceived, (point, 2) m each.
    """

    stamp_ns: int
    id: tuple[str, ...]
    kind: Int[Array, "agent"]
    position: Float[Array, "agent 2"]
    yaw: Float[Array, "agent"]
    velocity: Float[Array, "agent 2"]
    acceleration: Float[Array, "agent 2"]
    yaw_rate: Float[Array, "agent"]
    length: Float[Array, "agent"]
    width: Float[Array, "agent"]
    covariance: Float[Array, "agent 2 2"]
    existence: Float[Array, "agent"]
    occluders: tuple[Array, ...] = ()

    def __len__(self) -> int:
        """Number of agents."""
        return len(self.id)

    @property
    def speed(self) -> Float[Array, "agent"]:
        """Magnitude of the velocity, m/s."""
        return np.hypot(self.velocity[:, 0], self.velocity[:, 1])

    def take(self, index: Array) -> Tracks:
        """The agents at `index` (integers or a mask), in that order."""
        index = np.flatnonzero(index) if index.dtype == bool else index
        arrays = {name: getattr(self, name)[index] for name in _TRACK_ARRAYS}
        return replace(self, id=tuple(self.id[i] for i in index), **arrays)

    @staticmethod
    def empty(stamp_ns: int) -> Tracks:
        """No agents."""
        return Tracks(
            stamp_ns, (), np.zeros(0, np.int64), np.zeros((0, 2)), np.zeros(0), np.zeros((0, 2)), np.zeros((0, 2)),
            np.zeros(0), np.zeros(0), np.zeros(0), np.zeros((0, 2, 2)), np.zeros(0),
        )  # fmt: skip


_TRACK_ARRAYS = (
    "kind", "position", "yaw", "velocity", "acceleration", "yaw_rate", "length", "width", "covariance", "existence",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class TrackHistory:
    """Past track states, oldest first; the last step is the tracks' stamp. `past` axis is 0.1 s apart.

    position (agent, past, 2) m box centre; yaw rad; speed m/s; valid where a track was seen.
    """

    stamp_ns: int
    id: tuple[str, ...]
    position: Float[Array, "agent past 2"]
    yaw: Float[Array, "agent past"]
    speed: Float[Array, "agent past"]
    valid: Bool[Array, "agent past"]


class LaneKind(IntEnum):
    """What a lane is for."""

    ROAD = 0
    BICYCLE = 1
    CROSSWALK = 2
    WALKWAY = 3
    SHOULDER = 4
    PARKING = 5
    BUS = 6


class Turn(IntEnum):
    """Turn direction of a lane inside a junction."""

    NONE = 0
    STRAIGHT = 1
    LEFT = 2
    RIGHT = 3


@dataclass(frozen=True, eq=False)
class Lane:
    """One lane (lanelet). Lines run in driving direction, m, map frame; bounds need not share the centre's points.

    speed_limit m/s; left/right: same-direction neighbour that may be changed into, or None; oncoming: neighbour of
    opposite direction on the left, or None; stop_line (2, 2) or None; signals: ids of the signal groups that control
    it; yields_to: lanes with right of way over this one; stop: a stop sign obliges to halt at the stop line.
    """

    id: int
    kind: LaneKind
    centre: Float[Array, "point 2"]
    left_bound: Float[Array, "left 2"]
    right_bound: Float[Array, "right 2"]
    speed_limit: float = 13.89
    successors: tuple[int, ...] = ()
    predecessors: tuple[int, ...] = ()
    left: int | None = None
    right: int | None = None
    oncoming: int | None = None
    turn: Turn = Turn.NONE
    stop_line: Float[Array, "2 2"] | None = None
    signals: tuple[int, ...] = ()
    yields_to: tuple[int, ...] = ()
    stop: bool = False


@dataclass(frozen=True, eq=False)
class Crosswalk:
    """Where pedestrians cross. polygon (point, 2) m; lanes: ids of the road lanes it crosses; stop lines by lane id."""

    id: int
    polygon: Float[Array, "point 2"]
    lanes: tuple[int, ...] = ()
    stop_lines: dict[int, Array] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class LaneMap:
    """The lane graph and what regulates it. `areas`: more drivable polygons (parking, intersections), (point, 2) m."""

    name: str
    lanes: dict[int, Lane]
    crosswalks: tuple[Crosswalk, ...] = ()
    areas: tuple[Array, ...] = ()
    left_hand_traffic: bool = False


class SignalColor(IntEnum):
    """Colour of a signal group; numbers are Autoware's TrafficLightElement colours."""

    UNKNOWN = 0
    RED = 1
    AMBER = 2
    GREEN = 3


@dataclass(frozen=True, eq=False)
class Signals:
    """State of signal groups at a stamp. id: of groups; color: `SignalColor` numbers; next_change_s: NaN unknown."""

    stamp_ns: int
    id: tuple[int, ...]
    color: Int[Array, "signal"]
    next_change_s: Float[Array, "signal"]

    def color_of(self, group: int) -> SignalColor:
        """Colour of one group, UNKNOWN when it is not reported."""
        return SignalColor(int(self.color[self.id.index(group)])) if group in self.id else SignalColor.UNKNOWN


@dataclass(frozen=True, eq=False)
class Goal:
    """Where to arrive. position (2,) m is always set; the rest constrains the arrival where given.

    polygon (point, 2) m: region for the box centre; yaw, speed, time: inclusive intervals in rad, m/s, s since start.
    anywhere: the place is not asked for, `position` only says which way to go on. alternatives: goals that count as
    well when they are reached, though the route does not lead to them.
    """

    position: Float[Array, "2"]
    polygon: Float[Array, "point 2"] | None = None
    yaw: tuple[float, float] | None = None
    speed: tuple[float, float] | None = None
    time: tuple[float, float] | None = None
    anywhere: bool = False
    alternatives: tuple[Goal, ...] = ()


class StopKind(IntEnum):
    """Why the route may have to be halted at a point."""

    SIGNAL = 0
    STOP_SIGN = 1
    YIELD = 2
    CROSSWALK = 3
    GOAL = 4


@dataclass(frozen=True, eq=False)
class StopPoint:
    """A place on the route where a rule may demand a halt: the front bumper must not pass `s` while it does.

    s: arc length of the line on the route path, m; clear_s: arc length at which the conflict area is left again, m;
    signals: controlling groups (SIGNAL); polygon: the crosswalk (CROSSWALK); yields_to: lanes with priority (YIELD).
    """

    kind: StopKind
    id: int
    s: float
    clear_s: float
    signals: tuple[int, ...] = ()
    polygon: Float[Array, "point 2"] | None = None
    yields_to: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Route:
    """The way to the goal, sampled each 0.5 m or so of its reference path (lane centre lines joined, changes blended).

    s m; path (point, 2) m; speed_limit m/s; lane: lane id at each point (-1: none, mapless); the four widths are
    distances from the path to a boundary, m, left positive and right positive too: `left_lane`/`right_lane` to the edge
    of the ego's own lane, `left_drivable`/`right_drivable` to the edge of everything drivable, oncoming lanes included;
    `left_same`/`right_same` to the edge of lanes of the ego's own direction. stops sorted by s.
    The goal lies at `goal_s`, its region from `goal_from_s` to `goal_to_s`. The path may go on past it.
    stamp_ns: when the route was set, from which the goal's times count; 0: unknown.
    """

    lanes: tuple[int, ...]
    goal: Goal
    goal_s: float
    s: Float[Array, "point"]
    path: Float[Array, "point 2"]
    speed_limit: Float[Array, "point"]
    lane: Int[Array, "point"]
    left_lane: Float[Array, "point"]
    right_lane: Float[Array, "point"]
    left_same: Float[Array, "point"]
    right_same: Float[Array, "point"]
    left_drivable: Float[Array, "point"]
    right_drivable: Float[Array, "point"]
    stops: tuple[StopPoint, ...] = ()
    goal_from_s: float = float("nan")
    goal_to_s: float = float("nan")
    stamp_ns: int = 0


@dataclass(frozen=True, eq=False)
class Scene:
    """All a stage may read. `stamp_ns` is "now": the ego state's stamp; tracks and signals may be older.

    `previous` is the last plan, a value handed round so that stages keep no memory. `map` None: mapless mode.
    """

    stamp_ns: int
    ego: EgoState
    tracks: Tracks
    route: Route
    map: LaneMap | None = None
    signals: Signals | None = None
    history: TrackHistory | None = None
    previous: Plan | None = None
    degraded: Degraded = Degraded.NONE


# --- predictions -----------------------------------------------------------------------------------------------------


class Intent(IntEnum):
    """What a predicted mode means."""

    UNKNOWN = 0
    KEEP_LANE = 1
    CHANGE_LEFT = 2
    CHANGE_RIGHT = 3
    TURN_LEFT = 4
    TURN_RIGHT = 5
    STOP = 6
    CROSS = 7
    FREE = 8


@dataclass(frozen=True, eq=False)
class Predictions:
    """Futures of the agents on the grid, relative to `stamp_ns` (= the scene's stamp).

    id as in the tracks; probability sums to 1 over the valid modes of an agent; position: box centre, m; speed m/s
    along yaw; covariance: of the position, m^2, growing with time; invalid modes are NaN with probability 0.
    model_hash: checksum of the learned model, where one was used. For diagnostics, not in messages: notes counts agents
    by what was done about them, warning says in words what went wrong.
    """

    stamp_ns: int
    time_s: Float[Array, "step"]
    id: tuple[str, ...]
    kind: Int[Array, "agent"]
    length: Float[Array, "agent"]
    width: Float[Array, "agent"]
    valid: Bool[Array, "agent mode"]
    probability: Float[Array, "agent mode"]
    intent: Int[Array, "agent mode"]
    position: Float[Array, "agent mode step 2"]
    yaw: Float[Array, "agent mode step"]
    speed: Float[Array, "agent mode step"]
    covariance: Float[Array, "agent mode step 2 2"]
    model_hash: str = ""
    degraded: Degraded = Degraded.NONE
    notes: dict[str, int] = field(default_factory=dict)
    warning: str = ""

    def __len__(self) -> int:
        """Number of agents."""
        return len(self.id)

    def take(self, index: Int[Array, "chosen"]) -> Predictions:
        """The agents at `index`, in that order."""
        arrays: dict[str, Any] = {name: getattr(self, name)[index] for name in _PREDICTION_ARRAYS}
        return replace(self, id=tuple(self.id[i] for i in index), **arrays)


_PREDICTION_ARRAYS = (
    "kind", "length", "width", "valid", "probability", "intent", "position", "yaw", "speed", "covariance",
)  # fmt: skip

# --- candidates, trajectories ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One motion of the rear axle centre. time_s relative to `stamp_ns`; position m; yaw rad; speed m/s (signed);
    acceleration m/s^2 longitudinal; curvature 1/m, + left.
    """

    stamp_ns: int
    time_s: Float[Array, "step"]
    position: Float[Array, "step 2"]
    yaw: Float[Array, "step"]
    speed: Float[Array, "step"]
    acceleration: Float[Array, "step"]
    curvature: Float[Array, "step"]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Motions the ego could make, rear axle centre, on the grid; same units as `Trajectory`.

    s, d: Frenet coordinates of the rear axle on the route path, m. label: what it means, in words ("keep lane at
    8.3 m/s", "stop at signal 12"). generator: the plugin that made it. is_stop: ends at standstill, or brakes as hard
    as it can where the horizon is too short for that, and may serve as the standing safe stop.
    """

    stamp_ns: int
    time_s: Float[Array, "step"]
    generator: tuple[str, ...]
    label: tuple[str, ...]
    is_stop: Bool[Array, "candidate"]
    position: Float[Array, "candidate step 2"]
    yaw: Float[Array, "candidate step"]
    speed: Float[Array, "candidate step"]
    acceleration: Float[Array, "candidate step"]
    curvature: Float[Array, "candidate step"]
    s: Float[Array, "candidate step"]
    d: Float[Array, "candidate step"]

    def __len__(self) -> int:
        """Number of candidates."""
        return len(self.generator)

    def trajectory(self, index: int) -> Trajectory:
        """One candidate as a trajectory."""
        arrays = (getattr(self, name)[index] for name in ("position", "yaw", "speed", "acceleration", "curvature"))
        return Trajectory(self.stamp_ns, self.time_s, *arrays)

    def take(self, index: Int[Array, "chosen"]) -> Candidates:
        """The candidates at `index`, in that order."""
        changes: dict[str, Any] = {name: getattr(self, name)[index] for name in _CANDIDATE_ARRAYS}
        changes |= {name: tuple(getattr(self, name)[i] for i in index) for name in ("generator", "label")}
        return replace(self, **changes)


_CANDIDATE_ARRAYS = ("is_stop", "position", "yaw", "speed", "acceleration", "curvature", "s", "d")


# --- scores, plan ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Verdict:
    """One gate over all candidates. value is what was compared with limit, in the gate's unit; NaN: could not be
    computed, which fails. passed: True admits.
    """

    passed: Bool[Array, "candidate"]
    value: Float[Array, "candidate"]
    limit: float


@dataclass(frozen=True, eq=False)
class Terms:
    """One scorer over all candidates: raw in the scorer's unit, score in [0, 1], higher is better."""

    raw: Float[Array, "candidate"]
    score: Float[Array, "candidate"]


@dataclass(frozen=True, eq=False)
class Scores:
    """The (candidate, scorer) table: the explanation. total = all gates x weighted mean of the scores."""

    gates: tuple[str, ...]
    passed: Bool[Array, "candidate gate"]
    value: Float[Array, "candidate gate"]
    limit: Float[Array, "gate"]
    scorers: tuple[str, ...]
    raw: Float[Array, "candidate scorer"]
    score: Float[Array, "candidate scorer"]
    weight: Float[Array, "scorer"]
    total: Float[Array, "candidate"]
    evaluated: Bool[Array, "candidate"] | None = None  # None: all; the rest was left out for want of time
    units: tuple[str, ...] = ()  # of the gates' values and limits

    @property
    def admissible(self) -> Bool[Array, "candidate"]:
        """Candidates that pass every gate."""
        return np.all(self.passed, axis=1)

    def first_reason(self, index: int) -> str:
        """Name of the first gate that forbids a candidate, '' if none does."""
        failed = np.flatnonzero(~self.passed[index])
        return self.gates[failed[0]] if failed.size else ""


class Manoeuvre(IntEnum):
    """What a candidate means; the subject of each in brackets."""

    KEEP_LANE = 0
    FOLLOW = 1  # (agent ahead)
    YIELD = 2  # (agent): pass the common area after it
    PASS_BEFORE = 3  # (agent): pass the common area first
    STOP = 4  # (line, goal, end of the path, or agent that blocks)
    CHANGE_LEFT = 5  # (agent behind the gap, else the one ahead)
    CHANGE_RIGHT = 6  # likewise
    PASS_LEFT = 7  # (agent): overtake or pass it on its left
    PASS_RIGHT = 8  # likewise
    RETURN = 9  # to the own lane
    CREEP = 10  # (line)
    PULL_OVER = 11
    MINIMAL_RISK_STOP = 12
    EMERGENCY_STOP = 13


class Order(IntEnum):
    """In which order a candidate and an agent use an area that both use: the candidate's homotopy class."""

    NEVER = 0  # they share none
    BEFORE = 1  # the ego first
    BEHIND = 2  # the agent first


@dataclass(frozen=True, eq=False)
class Decisions:
    """What every candidate means.

    subjects: ids of the agents of the predictions, then the places to stop at ("signal 12"); subject: index into it,
    -1 none; at_s: when the subject reaches the common area, or the ego its place to stop, s, NaN where neither; order:
    `Order` towards each agent; contested: both come to the common area at nearly the same time; entered: the ego is in
    it now, and the agent does not go its way; travelled m.
    """

    subjects: tuple[str, ...]
    manoeuvre: Int[Array, "candidate"]
    subject: Int[Array, "candidate"]
    at_s: Float[Array, "candidate"]
    order: Int[Array, "candidate agent"]
    contested: Bool[Array, "candidate agent"]
    entered: Bool[Array, "candidate agent"]
    travelled: Float[Array, "candidate"]

    def subject_of(self, index: int) -> str:
        """Id of a candidate's subject, '' for none."""
        return self.subjects[self.subject[index]] if self.subject[index] >= 0 else ""


@dataclass(frozen=True)
class Decision:
    """What the selected candidate means, and since when.

    subject as in `Decisions`, '' for none; since_ns: when manoeuvre and subject were decided; lead: total by which it
    leads the best candidate of another decision, negative while it is kept against one; before, behind: agents that
    the ego goes before or after in a contested area; doubt_since_ns: since when going first instead has led, 0 not;
    waits_since_ns: since when the ego has been kept waiting, 0 while it drives.
    """

    manoeuvre: Manoeuvre
    subject: str = ""
    since_ns: int = 0
    lead: float = 0.0
    before: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    doubt_since_ns: int = 0
    waits_since_ns: int = 0


class Outcome(IntEnum):
    """How selection ended, and what follows."""

    SELECTED = 0  # the best admissible candidate drives
    KEPT = 1  # an admissible continuation of the previous plan's choice drives: the best is not better enough
    STOPPING = 2  # only stops are admissible: the gentlest admissible stop drives
    EMERGENCY = 3  # nothing is admissible: the stop with the least harm drives


@dataclass(frozen=True, eq=False)
class Plan:
    """The decision of one cycle. `stop` is the standing safe stop that goes with the trajectory.

    index: the chosen candidate; reason: in words; valid_until_ns: after it the stop is to be driven. Stamps in ns.
    evaluated: candidates that were scored, 0 not told.
    """

    stamp_ns: int
    plan_id: int
    trajectory: Trajectory
    stop: Trajectory
    valid_until_ns: int
    index: int
    stop_index: int
    generator: str
    label: str
    outcome: Outcome
    reason: str
    degraded: Degraded = Degraded.NONE
    scores: Scores | None = None
    decision: Decision | None = None
    decisions: Decisions | None = None
    evaluated: int = 0


# --- control ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ControlCommand:
    """To the actuators. steering rad, virtual front wheel, + left; its rate rad/s; speed m/s; acceleration m/s^2."""

    stamp_ns: int
    steering: float
    steering_rate: float
    speed: float
    acceleration: float


class Mode(IntEnum):
    """Rung of the degradation ladder of the controls bridge."""

    STANDBY = 0
    NOMINAL = 1
    DEGRADED = 2
    COMFORT_STOP = 3
    EMERGENCY_STOP = 4


# --- precision -------------------------------------------------------------------------------------------------------

POSITION_QUANTUM_M = 2.0**-13  # 0.12 mm: float32 offsets from a whole-metre origin are exact within 1 km

Handed = TypeVar("Handed", Predictions, Candidates)


def rounded(value: Handed) -> Handed:
    """The value with the precision of a message: positions on a 2^-13 m lattice, the rest float32.

    Stages hand on rounded values, so that a node graph, which exchanges messages, decides exactly as `pipeline.plan`.
    """
    changes: dict[str, Any] = {}
    for name, array in vars(value).items():
        if isinstance(array, np.ndarray) and array.dtype == np.float64 and name != "time_s":
            # One memory layout whatever the number of agents: kernels are compiled for each layout they meet.
            changes[name] = on_lattice(array, POSITION_QUANTUM_M) if name == "position" else as_float32(array)
    return replace(value, **changes)
