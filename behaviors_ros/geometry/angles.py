"""Angles, in rad, counter-clockwise positive."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

Array = np.ndarray


def wrap(angle: Float[Array, "..."] | float) -> Float[Array, "..."]:
    """The same direction in (-pi, pi], rad. Any shape; NaN stays NaN."""
    wrapped = np.pi - np.mod(np.pi - np.asarray(angle, dtype=np.float64), 2.0 * np.pi)
    # The remainder of a tiny negative number rounds up to the full turn itself.
    return np.where(wrapped <= -np.pi, np.pi, wrapped)


def unwrapped(angle: Float[Array, " step"]) -> Float[Array, " step"]:
    """Without jumps of more than half a turn, rad: `numpy.unwrap`, ten times as fast on the few steps of a motion."""
    out = np.empty(len(angle))
    _unwrap(np.ascontiguousarray(angle, dtype=np.float64), out)
    return out


@no_type_check
@njit(cache=True)
def _unwrap(angle, out):
    turned = 0.0
    for i in range(len(angle)):
        if i:
            step = angle[i] - angle[i - 1]
            if not abs(step) < np.pi:
                wrapped = (step + np.pi) % (2.0 * np.pi) - np.pi
                turned += (np.pi if wrapped == -np.pi and step > 0.0 else wrapped) - step
        out[i] = angle[i] + turned


@no_type_check
@njit(cache=True, inline="always")
def cos_sin(angle):
    """(cosine, sine) of an angle in rad, to 1e-15 up to a few thousand turns: for loops over many angles.

    Series of the half angle after whole turns are taken off. No branches: loops of it compile to vector instructions,
    which those of the mathematical library do not. NaN stays NaN.
    """
    x = 0.5 * (angle - 2.0 * np.pi * np.floor(angle * (0.5 / np.pi) + 0.5))
    u = -x * x
    sine, cosine = 1.0 + u * (1.0 / 420.0), 1.0 + u * (1.0 / 380.0)
    # Each factor is 1 / (n (n - 1)) of the powers n of x, from the highest down.
    sine = 1.0 + u * (1.0 / 272.0) * (1.0 + u * (1.0 / 342.0) * sine)
    sine = 1.0 + u * (1.0 / 156.0) * (1.0 + u * (1.0 / 210.0) * sine)
    sine = 1.0 + u * (1.0 / 72.0) * (1.0 + u * (1.0 / 110.0) * sine)
    sine = x * (1.0 + u * (1.0 / 6.0) * (1.0 + u * (1.0 / 20.0) * (1.0 + u * (1.0 / 42.0) * sine)))
    cosine = 1.0 + u * (1.0 / 240.0) * (1.0 + u * (1.0 / 306.0) * cosine)
    cosine = 1.0 + u * (1.0 / 132.0) * (1.0 + u * (1.0 / 182.0) * cosine)
    cosine = 1.0 + u * (1.0 / 56.0) * (1.0 + u * (1.0 / 90.0) * cosine)
    cosine = 1.0 + u * (1.0 / 2.0) * (1.0 + u * (1.0 / 12.0) * (1.0 + u * (1.0 / 30.0) * cosine))
    return 1.0 - 2.0 * sine * sine, 2.0 * sine * cosine
