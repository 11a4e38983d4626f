"""Situations at traffic lights: red, amber in the dilemma, turning green with a queue."""

from __future__ import annotations

from behaviors_ros.simulation.forms import ReactiveForm, SignalForm
from behaviors_ros.simulation.reactive import Idm
from behaviors_ros.simulation.situations.cast import driving, gaps, stream
from behaviors_ros.simulation.situations.draft import Careful, Draft
from behaviors_ros.simulation.situations.junctions import _through, four_way, oncoming_first
from behaviors_ros.simulation.situations.sites import Junction
from behaviors_ros.simulation.situations.variation import Variation, share

GREEN_S, AMBER_S, CLEAR_S = 25.0, 3.0, 2.0
CYCLE_S = 2.0 * (GREEN_S + AMBER_S + CLEAR_S)


def signal_red(v: Variation) -> Draft:
    """The light is red; the ego has to stop for it and goes when it turns green, with cross traffic in between.

    The ego starts so far away that a stop at the line takes 0.8 (easy) to 2.8 m/s^2 (hard) from its speed after 0.5 s.
    Green comes 6 to 15 s after it would have reached the line; the last of the cross traffic crosses at its amber.
    """
    site = four_way(v, v.one_of((30, 50)))
    oncoming_first(site)
    limit = site.limit_mps
    speed = limit * v.between(0.8, 1.0)
    braking = v.graded(0.8, 2.8)
    far = 1.5 + 3.6 + 0.5 * speed + speed**2 / (2.0 * braking)
    green_s = far / speed + v.between(6.0, 15.0)
    agents: list[ReactiveForm] = []
    for source, target in (("north", "south"), ("south", "north")):
        times = gaps(v.between(1.0, 4.0), *[v.between(2.0, 5.0) for _ in range(v.whole(1, 3))])
        agents += stream(f"from {source}", site.path(source, target), site.inward(source, 0.0), times, 0.8 * limit)
    agents.append(driving("opposite", site.path("east", "west"), 0.8 * limit, site.inward("east", 60.0)))
    why = f"a stop of {braking:.1f} m/s^2"
    return _at_lights(v, site, green_s, v.one_of(("east", "east", "north", "south")), far, speed, agents,
                      share(braking, 0.8, 2.8), why)  # fmt: skip


def signal_amber(v: Variation) -> Draft:
    """The light turns amber as the ego comes: near enough to go through, far enough to stop, or in between.

    When amber comes the ego at its speed v is r seconds from the line, r = 1.2 to 4.8 s. Amber lasts 3 s: up to r = 3
    one is over the line in time; stopping takes v / (2 (r - 0.5 s)), at most 2.8 m/s^2 from r = 3 on at 50 km/h, so one
    of the two is always possible. Hard is near r = 2.9. The next green comes 32 s later.
    """
    site = four_way(v, v.one_of((30, 50, 50)))
    oncoming_first(site)
    speed = site.limit_mps * v.between(0.9, 1.0)
    apart = v.graded(1.8, 0.05)
    rest_s = 2.9 + (apart if v.variant % 2 else -apart)
    amber_s = v.between(1.5, 3.0)
    far = 1.5 + 3.6 + speed * (rest_s + amber_s)
    agents = stream("cross", site.path("north", "south"), site.inward("north", 0.0), gaps(amber_s + 6.0, 4.0), 8.0)
    agents.append(
        driving("opposite", site.path("east", "west"), speed, site.inward("east", speed * v.between(1.0, 4.0)))
    )
    why = f"amber {rest_s:.1f} s before the line"
    return _at_lights(v, site, amber_s - GREEN_S + CYCLE_S, "east", far, speed, agents, share(apart, 1.8, 0.05), why)


def signal_queue(v: Variation) -> Draft:
    """Two to four cars wait at the red light ahead; it turns green as the ego comes up behind them.

    Green comes from 5 s before (easy) to 3 s after (hard: the queue stands still until then) the ego would reach its
    end. The ego starts far enough to stop behind the queue with 1.5 m/s^2. The first car starts 0 to 2 s late.
    """
    site = four_way(v, v.one_of((30, 50)))
    oncoming_first(site)
    limit = site.limit_mps
    speed = limit * v.between(0.8, 1.0)
    target = v.one_of(("east", "east", "south"))
    path = site.path("west", target)
    agents: list[ReactiveForm] = []
    back = 1.5 + 0.8
    for index in range(v.whole(2, 4)):
        place = site.inward("west", back + 2.25)
        driver = Idm(desired_speed_mps=limit * v.between(0.8, 1.0), acceleration_mps2=v.between(1.0, 1.8))
        agents.append(driving(f"queue {index + 1}", path, 0.0, place, driver=driver))
        back += 4.5 + v.between(2.0, 3.0)
    far = min(165.0, back + 3.6 + 2.0 + 0.5 * speed + speed**2 / 3.0)
    wait_s = v.graded(-5.0, 3.0)
    green_s = max(1.0, (far - back) / speed + wait_s)
    agents.append(driving("opposite", site.path("east", "west"), 0.8 * limit, site.inward("east", 40.0)))
    why = f"green {wait_s:+.1f} s after the ego would reach the queue's end"
    return _at_lights(v, site, green_s, target, far, speed, agents, share(wait_s, -5.0, 3.0), why)


def _at_lights(
    v: Variation, site: Junction, green_s: float, target: str, far: float, speed: float, agents: list[ReactiveForm],
    hard: float, why: str,
) -> Draft:  # fmt: skip
    """The ego's road is green from `green_s` on and the cross road half a cycle later; the ego starts with `speed`."""
    groups = []
    for name, arm in site.arms.items():
        offset = green_s if name in ("west", "east") else green_s + 0.5 * CYCLE_S
        groups.append(
            SignalForm(
                id=site.town.signal(arm), offset_s=round(offset - CYCLE_S, 3), green_s=GREEN_S, amber_s=AMBER_S,
                red_s=CYCLE_S - GREEN_S - AMBER_S,
            )
        )  # fmt: skip
    duration = green_s + 2.0 * (far + 80.0) / site.limit_mps + 20.0
    made = _through(v, site, target, far, agents, duration, hard, why, Careful(), signals=tuple(groups))
    begin = made.form.start.model_copy(update={"speed_mps": round(speed, 3)})
    return Draft(made.form.model_copy(update={"start": begin}), made.map, made.careful)
