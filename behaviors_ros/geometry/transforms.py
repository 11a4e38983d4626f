"""Planar rigid motions as homogeneous matrices. They read right to left: `map_from_ego @ p_ego`."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Array = np.ndarray


def pose_matrix(position: Float[Array, "*#lead 2"], yaw: Float[Array, "*#lead"] | float) -> Float[Array, "*lead 3 3"]:
    """Matrix `parent_from_body` of a body at `position` (m) with heading `yaw` (rad), both in the parent frame."""
    position = np.asarray(position, dtype=np.float64)
    cos, sin = np.cos(yaw), np.sin(yaw)
    lead = np.broadcast_shapes(position.shape[:-1], np.shape(cos))
    matrix = np.zeros((*lead, 3, 3))
    matrix[..., 0, 0] = matrix[..., 1, 1] = cos
    matrix[..., 1, 0], matrix[..., 0, 1] = sin, -sin
    matrix[..., :2, 2] = position
    matrix[..., 2, 2] = 1.0
    return matrix


def transform(matrix: Float[Array, "*#lead 3 3"], points: Float[Array, "*#lead 2"]) -> Float[Array, "*lead 2"]:
    """Points (m) moved by `matrix`. Leading axes broadcast: many points a matrix take `matrix[..., None, :, :]`."""
    points = np.asarray(points, dtype=np.float64)
    return np.einsum("...ij,...j->...i", matrix[..., :2, :2], points) + matrix[..., :2, 2]


def inverse(matrix: Float[Array, "*lead 3 3"]) -> Float[Array, "*lead 3 3"]:
    """Inverse of rigid motions: the rotation transposed, the translation rotated back and negated."""
    result = np.zeros_like(matrix)
    result[..., :2, :2] = np.swapaxes(matrix[..., :2, :2], -1, -2)
    result[..., :2, 2] = -np.einsum("...ji,...j->...i", matrix[..., :2, :2], matrix[..., :2, 2])
    result[..., 2, 2] = 1.0
    return result


def rotate(vectors: Float[Array, "*#lead 2"], yaw: Float[Array, "*#lead"] | float) -> Float[Array, "*lead 2"]:
    """Vectors turned counter-clockwise by `yaw` (rad)."""
    vectors = np.asarray(vectors, dtype=np.float64)
    cos, sin = np.cos(yaw), np.sin(yaw)
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)
