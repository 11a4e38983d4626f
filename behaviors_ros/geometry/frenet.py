"""The Frenet frame of a path: arc length s along it and offset d to its left, both in m."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from behaviors_ros.geometry import projection
from behaviors_ros.geometry.polylines import arc_length, checked, curvatures, tangents

Array = np.ndarray


class FrenetFrame:
    """A path as a frame: x(s, d) = p(s) + d n(s), p the polyline, n the left normal of a direction t(s).

    t is continuous: it is given at the points (see `polylines.tangents`) and linear between them, so x(s, d) has no
    gaps or jumps at the points. This is the pseudo-normal projection of P. Bender, J. Ziegler and C. Stiller,
    "Lanelets: efficient map representation for autonomous driving", IV 2014, with directions in place of slopes, which
    stay finite in hairpins. Beyond both ends the path continues straight along the end segments.

    The feet of a point x are the s where (x - p(s)) . t(s) falls through zero. It falls from +inf to -inf, so there is
    always one: projection is total. Feet beyond the centre of curvature, where x(s, d) runs backwards, are not among
    them. Of several the one with least |d| counts, then the one with least s; a foot beyond an end counts by its
    distance to the end point, so that the imagined straight does not draw points away from the path. Wherever the
    frame is not folded (|d| below the radius of curvature) and no other part of the path is nearer, `project` inverts
    `cartesian`.

    points (point, 2) m, without repetitions; s (point,) m; length m. Points nearer than 1 mm count as one.
    For other numba kernels, `arrays` is (path, blocks, groups), which the kernels of `projection.py` take.
    """

    def __init__(self, points: Float[Array, "point 2"], smoothing_m: float = 2.0) -> None:
        """Frame of the polyline; curvature is smoothed over `smoothing_m` to either side.

        Raises BehaviorsError for non-finite points or fewer than two distinct ones.
        """
        self.points: Float[Array, "distinct 2"] = checked(points)
        self.s: Float[Array, "distinct"] = arc_length(self.points)
        self.length = float(self.s[-1])
        self._curvatures = curvatures(self.points, smoothing_m)
        directions = tangents(self.points)
        bends = projection.bends(self.points, directions, self.s)
        path = np.column_stack([self.points, directions, self.s, bends])
        blocks = projection.bounding_boxes(path, projection.BLOCK)
        groups = projection.bounding_boxes(path, projection.BLOCK * projection.GROUP)
        self.arrays = (path, blocks, groups)

    def project(self, points: Float[Array, "*lead 2"]) -> tuple[Float[Array, "*lead"], Float[Array, "*lead"]]:
        """(s, d) of points, m. Finite (up to 1e100 m) in, finite out; NaN or infinity in, NaN out."""
        points = np.asarray(points, dtype=np.float64)
        result = projection.project_all(*self.arrays, np.ascontiguousarray(points.reshape(-1, 2)))
        return result[0].reshape(points.shape[:-1]), result[1].reshape(points.shape[:-1])

    def project_near(
        self, points: Float[Array, "*#lead 2"], s_hint: Float[Array, "*#lead"] | float, window_m: float
    ) -> tuple[Float[Array, "*lead"], Float[Array, "*lead"]]:
        """(s, d) of points, m, with s within `window_m` of `s_hint`: for paths that cross or come near themselves.

        The answer is that of `project` where the hint is not finite or the window holds no foot.
        """
        points, s_hint = np.asarray(points, dtype=np.float64), np.asarray(s_hint, dtype=np.float64)
        lead = np.broadcast_shapes(points.shape[:-1], s_hint.shape)
        # Copies: a broadcast array may be read-only, another type for which the kernel would be compiled anew.
        queries = np.array(np.broadcast_to(points, (*lead, 2)), order="C").reshape(-1, 2)
        hints = np.array(np.broadcast_to(s_hint, lead), order="C").reshape(-1)
        result = projection.project_all_near(*self.arrays, queries, hints, float(window_m))
        return result[0].reshape(lead), result[1].reshape(lead)

    def cartesian(
        self, s: Float[Array, "*#lead"] | float, d: Float[Array, "*#lead"] | float
    ) -> Float[Array, "*lead 2"]:
        """Points at (s, d), m. Continuous in both."""
        frames, d = self._frames(s), np.asarray(d, dtype=np.float64)
        return np.stack([frames[..., 0] - d * frames[..., 3], frames[..., 1] + d * frames[..., 2]], axis=-1)

    def point(self, s: Float[Array, "*lead"] | float) -> Float[Array, "*lead 2"]:
        """Points of the path at s, m."""
        return self._frames(s)[..., :2]

    def heading(self, s: Float[Array, "*lead"] | float) -> Float[Array, "*lead"]:
        """Direction of the path at s in (-pi, pi], rad; continuous but for full turns."""
        frames = self._frames(s)
        return np.asarray(np.arctan2(frames[..., 3], frames[..., 2]))

    def curvature(self, s: Float[Array, "*lead"] | float) -> Float[Array, "*lead"]:
        """Curvature of the path at s, 1/m, + left; smoothed (see `polylines.curvatures`); 0 beyond both ends."""
        return np.asarray(np.interp(s, self.s, self._curvatures, left=0.0, right=0.0))

    def _frames(self, s: Float[Array, "*lead"] | float) -> Float[Array, "*lead 4"]:
        """x, y and direction at s."""
        s = np.asarray(s, dtype=np.float64)
        result = projection.frames_at(self.arrays[0], np.ascontiguousarray(s.reshape(-1)))
        return result.reshape(*s.shape, 4)
