"""How we drive: the comfort limits and following rules that generators share."""

from __future__ import annotations

from behaviors_ros.parameters import Parameters, value


class Driving(Parameters):
    """Comfort limits of generated speed profiles, and the gaps kept."""

    acceleration_mps2: float = value(1.4, "acceleration when starting off or speeding up", low=0.1, high=4.0)
    deceleration_mps2: float = value(1.4, "braking before slower stretches and behind agents", low=0.1, high=4.0)
    deceleration_hard_mps2: float = value(4.0, "strongest braking of a profile that is not a stop", low=0.5, high=9.0)
    jerk_mps3: float = value(1.5, "jerk of ordinary driving", low=0.2, high=10.0)
    lateral_acceleration_mps2: float = value(2.0, "lateral acceleration that limits speed in curves", low=0.3, high=6.0)
    steering_share: float = value(0.7, "share of the largest steering rate that is used", low=0.1, high=1.0)
    preview_s: float = value(1.0, "time ahead at which the speed profile meets the limit there", low=0.2, high=3.0)
    headway_s: float = value(1.3, "time gap to a leading agent", low=0.2, high=4.0)
    gap_m: float = value(2.5, "gap to a leading agent at standstill", low=0.2, high=10.0)
    parked_gap_m: float = value(9.0, "gap to an agent that is parked in the way: room to pull out", low=0.2, high=30.0)
    queue_m: float = value(
        30.0, "who stands within this before a stop point waits there and is not parked", low=0.0, high=200.0
    )
    lateral_gap_m: float = value(0.3, "distance beside the path within which an agent leads", low=0.0, high=2.0)
    beside_1ps: float = value(10.0, "speed past who is parked, per gap beside the ego", low=1.0, high=100.0)
    beside_least_m: float = value(0.12, "part of that gap for which there is no speed", low=0.0, high=1.0)
    beside_least_mps: float = value(1.5, "speed past who is parked at least", low=0.2, high=10.0)
    stop_margin_m: float = value(0.8, "front bumper to the line when halted", low=0.0, high=5.0)
    hold_m: float = value(0.5, "at standstill, a place to halt nearer than this is taken as reached", low=0.0, high=3.0)
    restart_mps2: float = value(0.15, "acceleration wanted before a standstill is left", low=0.0, high=1.0)
    smoothing_m: float = value(1.5, "standard deviation of the smoothing of the route path", low=0.2, high=5.0)
    spacing_m: float = value(0.25, "finest sampling of a path", low=0.05, high=1.0)
    samples: int = value(240, "most samples of a path; longer ones are sampled more coarsely", low=50.0, high=4000.0)
    stops: int = value(2, "stop points ahead for which candidates that halt are made", low=0.0, high=10.0)
