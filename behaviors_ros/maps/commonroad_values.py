"""Values of CommonRoad files: numbers, intervals, points, shapes."""

from __future__ import annotations

import numpy as np
import shapely
from jaxtyping import Float
from lxml import etree

from behaviors_ros.datatypes import Array
from behaviors_ros.errors import InputError
from behaviors_ros.geometry.transforms import rotate
from behaviors_ros.maps.documents import finite, integer

CIRCLE_POINTS = 24  # corners of the polygon that stands for a circle


def number(parent: etree._Element, tag: str, source: object, field: str, missing: float = float("nan")) -> float:
    """Value of a state element: exact, or the middle of its interval; `missing` where the element is absent."""
    interval = bounds(parent, tag, source, field)
    return missing if interval is None else 0.5 * (interval[0] + interval[1])


def bounds(parent: etree._Element, tag: str, source: object, field: str) -> tuple[float, float] | None:
    """(low, high) of an exact or interval element, None where it is absent."""
    element = parent.find(tag)
    if element is None:
        return None
    where = f"{field}, {tag}"
    exact = element.findtext("exact")
    if exact is None and element.find("intervalStart") is None:
        exact = element.text if not len(element) else None
    if exact is not None:
        value = finite(exact, source, where)
        return value, value
    low = finite(element.findtext("intervalStart"), source, where)
    return low, finite(element.findtext("intervalEnd"), source, where)


def points(parent: etree._Element, source: object, field: str, largest: float) -> Float[Array, "point 2"]:
    """The <point> children as (point, 2) m."""
    rows = [
        (finite(p.findtext("x"), source, field, largest), finite(p.findtext("y"), source, field, largest))
        for p in parent.iterfind("point")
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def reference(element: etree._Element, source: object, field: str) -> int:
    """The id that an element refers to."""
    return integer(element.get("ref"), source, field)


def shape_polygons(parent: etree._Element, source: object, field: str, largest: float) -> list[Float[Array, "point 2"]]:
    """Rectangles, circles and polygons below `parent` as polygons, m."""
    found = []
    for shape in parent:
        if shape.tag == "rectangle":
            found.append(_rectangle(shape, source, field, largest))
        elif shape.tag == "circle":
            angle = np.linspace(0.0, 2.0 * np.pi, CIRCLE_POINTS, endpoint=False)
            radius = _size(shape, "radius", source, field, largest)
            found.append(
                _centre(shape, source, field, largest) + radius * np.column_stack([np.cos(angle), np.sin(angle)])
            )
        elif shape.tag == "polygon":
            ring = points(shape, source, f"{field}, polygon", largest)
            if len(ring) < 3:
                raise InputError(source, f"{field}, polygon", f"has {len(ring)} points", "give at least three")
            found.append(ring)
    return found


def oriented_box(ring: Float[Array, "point 2"]) -> tuple[Float[Array, "2"], float, float, float]:
    """Smallest rectangle round points: centre (2,), yaw of its long side in [0, pi), length, width; m, rad."""
    hull = shapely.oriented_envelope(shapely.MultiPoint(ring))
    corners = np.array(hull.exterior.coords) if hull.geom_type == "Polygon" else np.repeat(ring[:1], 5, axis=0)
    sides = np.diff(corners[:3], axis=0)
    lengths = np.hypot(*sides.T)
    long = int(np.argmax(lengths))
    yaw = float(np.arctan2(sides[long, 1], sides[long, 0]) % np.pi)
    return corners[:4].mean(axis=0), yaw, float(lengths[long]), float(lengths[1 - long])


def _rectangle(shape: etree._Element, source: object, field: str, largest: float) -> Float[Array, "4 2"]:
    half = 0.5 * np.array(
        [_size(shape, "length", source, field, largest), _size(shape, "width", source, field, largest)]
    )
    corners = half * np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
    yaw = finite(shape.findtext("orientation", "0"), source, f"{field}, orientation")
    return rotate(corners, yaw) + _centre(shape, source, field, largest)


def _size(shape: etree._Element, tag: str, source: object, field: str, largest: float) -> float:
    size = finite(shape.findtext(tag), source, f"{field}, {tag}", largest)
    if size <= 0.0:
        raise InputError(source, f"{field}, {tag}", f"is {size:g}", "give a size above 0")
    return size


def _centre(shape: etree._Element, source: object, field: str, largest: float) -> Float[Array, "2"]:
    centre = shape.find("center")
    if centre is None:
        return np.zeros(2)
    x = finite(centre.findtext("x"), source, f"{field}, center", largest)
    return np.array([x, finite(centre.findtext("y"), source, f"{field}, center", largest)])
