"""Generated situations: the same again, read back the same, graded, solvable, and not solved by blindness."""

from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.errors import BehaviorsError
from behaviors_ros.geometry.boxes import overlap
from behaviors_ros.simulation import situations
from behaviors_ros.simulation.scenario import load_scenario
from behaviors_ros.simulation.situations import careful, people
from behaviors_ros.simulation.situations.variation import SPREAD
from behaviors_ros.simulation.world import observe, placed, start

pytestmark = pytest.mark.usefixtures("without_shape_checks")

KINDS = situations.kinds()
ALL = [(kind, variant) for kind in KINDS for variant in range(SPREAD)]
# One variant of each kind, spread over the grades; all of them in the slow test.
SOME = [(kind, (3 * index + 2) % SPREAD) for index, kind in enumerate(KINDS)]


def same(one, other):
    """Whether two values hold the same, field by field."""
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and np.array_equal(one, other, equal_nan=True)
    if is_dataclass(one):
        # What is worked out and kept beside the fields is worked out from them.
        return type(one) is type(other) and all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return same(vars(one), vars(other)) if type(one).__name__ == "FrenetFrame" else bool(one == other)


def texts(draft):
    return draft.map.read_text() if isinstance(draft.map, Path) else draft.map.text()


def test_there_are_enough_kinds_and_unknown_ones_are_refused():
    assert len(KINDS) >= 18
    assert len(list(situations.situations())) == 20 * len(KINDS)
    with pytest.raises(BehaviorsError, match="known: unprotected_left"):
        situations.situation("flood", 0)
    with pytest.raises(BehaviorsError, match="from 0 on"):
        situations.situation(KINDS[0], -1)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 200), st.integers(0, 1000))
def test_the_same_arguments_give_the_same_situation(kind, variant, seed):
    one, other = (situations.drafted(kind, variant, seed) for _ in range(2))
    assert one.form == other.form and texts(one) == texts(other) and one.careful == other.careful
    assert situations.drafted(kind, variant, seed + 1).form != one.form
    assert 0.0 <= one.form.difficulty <= 1.0 and "difficulty" in one.form.provenance


@pytest.mark.parametrize("kind", KINDS)
def test_variants_spread_over_the_difficulty(kind):
    hard = [situations.drafted(kind, variant).form.difficulty for variant in range(SPREAD)]
    assert min(hard) < 0.4 and max(hard) > 0.7 and len(set(hard)) > 10


@pytest.mark.parametrize(("kind", "variant"), [*SOME[::4], ("animal", 3)])
def test_a_written_situation_is_read_back_the_same(kind, variant, tmp_path):
    made, built = situations.situation(kind, variant), dict(situations.situations(0, [kind], [variant]))
    read = load_scenario(situations.write(tmp_path, kind, variant))
    assert same(made, read)
    assert same(made, built[made.name]())


def test_same_tells_apart():
    one, other = (situations.situation("animal", 0, seed) for seed in (0, 1))
    assert same(one, one) and not same(one, other)


@pytest.mark.parametrize(("kind", "variant"), SOME[1::3])
def test_a_careful_driver_solves_it(kind, variant):
    solved(kind, variant)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_careful_driver_solves_all(kind, seed):
    for variant in range(SPREAD):
        solved(kind, variant, seed)


def solved(kind, variant, seed=0):
    made = situations.drafted(kind, variant, seed)
    scenario = made.scenario()
    _, tracks, _ = observe(start(scenario))
    box = (tracks.position, tracks.yaw, tracks.length, tracks.width)
    for i in range(len(tracks)):
        touching = np.atleast_1d(overlap(*(column[i] for column in box), *box))
        assert touching.sum() == 1, f"{scenario.name}: {i} starts in contact"
    driven = careful.drive(scenario, made.careful)
    assert driven.contact is None, f"{scenario.name}: contact at {driven.contact}"
    assert driven.arrived and driven.time_s < 0.95 * scenario.duration_s, scenario.name


@pytest.mark.parametrize(
    ("kind", "variant"), [("jaywalker", v) for v in (1, 8, 14)] + [("animal", v) for v in (2, 11, 17)]
)
def test_the_stated_braking_suffices_after_half_a_second(kind, variant):
    # The variant's grade sets the braking between 2 and 4 m/s^2; the ego drives at the limit until it sees a motion.
    made = situations.drafted(kind, variant)
    scenario = made.scenario()
    braking = 2.0 + 2.0 * people.Variation(kind, variant, 0).level
    hit, slowest = braked(scenario, braking + 0.2)
    assert hit is None and slowest < 3.0


@pytest.mark.parametrize("kind", ["jaywalker", "animal", "lead_braking", "cut_in", "double_parked"])
def test_who_sees_nothing_has_contact_in_most_variants(kind):
    hits = [braked(situations.situation(kind, variant), 0.0)[0] is not None for variant in (0, 6, 12, 17)]
    assert sum(hits) >= 2


def braked(scenario, braking):
    """(first contact, least speed) of a drive at the limit that brakes 0.5 s after it sees somebody on foot move."""
    limit = float(scenario.route.speed_limit.min())
    world, noticed = start(scenario), None
    driver = careful._driver(scenario, careful.Careful())
    s, speed, slowest = driver.s, limit, limit
    for _ in range(250):
        tracks = observe(world)[1]
        people_seen = tracks.kind >= 7
        if noticed is None and np.any(people_seen & (tracks.speed > 0.3)):
            noticed = world.time_s
        if noticed is not None and world.time_s >= noticed + 0.5:
            speed = max(0.0, speed - 0.1 * braking)
        s, slowest = s + 0.1 * speed, min(slowest, speed)
        driver = careful.replace(driver, s=s, speed=speed)
        world = placed(world, careful._state(driver, world, 0.1))
        if careful._contact(world) is not None:
            return careful._contact(world), slowest
        if speed == 0.0 or s > driver.path.frame.length - 5.0:
            break
    return None, slowest
