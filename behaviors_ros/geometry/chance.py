"""Chance that two boxes overlap whose relative position is uncertain: pure kernels of numbers, for loops of others.

No branches and no tables, so that loops over instants compile to vector instructions.
"""

from __future__ import annotations

import math
from typing import no_type_check

from numba import njit

# Cumulative normal distribution less one half, over x, in u = 2 (x / 4.5)^2 - 1, lowest power first: Chebyshev fit on
# [-4.5, 4.5], error below 3e-7; beyond it the value at the end is taken, which is 3.4e-6 from the limit.
_C0, _C1, _C2, _C3 = 0.156904930491, -0.0771897565404, 0.0547011906519, -0.0401912998821
_C4, _C5, _C6, _C7 = 0.0282839308289, -0.0185612461653, 0.0114392265236, -0.00630227822802
_C8, _C9, _C10, _C11 = 0.00271627740018, -0.00128928582835, 0.000980692601133, -0.000382083675311
FUSED = {"contract", "nsz"}


@no_type_check
@njit(cache=True, error_model="numpy", fastmath=FUSED)
def normal(x):
    """Cumulative standard normal distribution less one half; error below 4e-6."""
    x = min(max(x, -4.5), 4.5)
    u = (2.0 / 20.25) * x * x - 1.0
    high = _C6 + u * (_C7 + u * (_C8 + u * (_C9 + u * (_C10 + u * _C11))))
    return x * (_C0 + u * (_C1 + u * (_C2 + u * (_C3 + u * (_C4 + u * (_C5 + u * high))))))


@no_type_check
@njit(cache=True, error_model="numpy", fastmath=FUSED, inline="always")
def mass(mean, half, scale):
    """Probability that a Gaussian lies in [-half, half]; scale: 1 / deviation. 0 beyond 4.5 deviations."""
    return normal((half - mean) * scale) - normal((-half - mean) * scale)


@no_type_check
@njit(cache=True, error_model="numpy", fastmath=FUSED, inline="always")
def box_probability(dx, dy, c, s, other_c, other_s, xx, xy, yy, ego_length, ego_width, length, width):
    """Probability mass of the relative position over the rectangle, in the ego's axes, in which the boxes overlap.

    dx, dy: from the ego's centre to the other's; c, s, other_c, other_s: cos and sin of the yaws; xx, xy, yy:
    covariance; half sizes. The rectangle encloses the Minkowski sum of the boxes, exact where they are parallel or
    square to each other and too large otherwise; the correlation of the two axes is left out. After "Analytic Collision
    Risk Calculation for Autonomous Vehicle Navigation", ICRA 2019, which integrates over the sum's octagon instead.
    """
    cos, sin = abs(other_c * c + other_s * s), abs(other_s * c - other_c * s)
    across2 = max(s * s * xx - 2.0 * c * s * xy + c * c * yy, 1e-6)
    along2 = max(c * c * xx + 2.0 * c * s * xy + s * s * yy, 1e-6)
    # One division for both scales.
    along, across = math.sqrt(along2), math.sqrt(across2)
    both = 1.0 / (along * across)
    beside = mass(dy * c - dx * s, ego_width + length * sin + width * cos, both * along)
    return beside * mass(dx * c + dy * s, ego_length + length * cos + width * sin, both * across)
