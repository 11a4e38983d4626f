"""Angles, in rad, counter-clockwise positive."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Array = np.ndarray


def wrap(angle: Float[Array, "..."] | float) -> Float[Array, "..."]:
    """The same direction in (-pi, pi], rad. Any shape; NaN stays NaN."""
    wrapped = np.pi - np.mod(np.pi - np.asarray(angle, dtype=np.float64), 2.0 * np.pi)
    # The remainder of a tiny negative number rounds up to the full turn itself.
    return np.where(wrapped <= -np.pi, np.pi, wrapped)
