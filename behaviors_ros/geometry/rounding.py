"""Numbers with the precision of a message."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

Array = np.ndarray


def on_lattice(values: Float[Array, "..."], quantum: float) -> Float[Array, "..."]:
    """The nearest multiples of `quantum`, a power of two; halves to even. NaN and infinity stay."""
    return np.asarray(_on_lattice(np.ascontiguousarray(values).reshape(-1), quantum)).reshape(values.shape)


def as_float32(values: Float[Array, "..."]) -> Float[Array, "..."]:
    """The values that float32 has, as float64."""
    return np.asarray(_as_float32(np.ascontiguousarray(values).reshape(-1))).reshape(values.shape)


@no_type_check
@njit(cache=True)
def _on_lattice(values, quantum):
    out = np.empty(len(values))
    for i in range(len(values)):
        out[i] = np.rint(values[i] / quantum) * quantum
    return out


@no_type_check
@njit(cache=True)
def _as_float32(values):
    out = np.empty(len(values))
    for i in range(len(values)):
        out[i] = np.float64(np.float32(values[i]))
    return out
