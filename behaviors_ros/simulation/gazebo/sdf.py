"""Elements of SDF documents: a few words over lxml, so that what is built reads like what is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lxml import etree

VERSION = "1.9"  # the newest that every release from Garden on reads

Element = Any  # lxml's elements carry no types


def element(tag: str, /, *children: Any, text: Any = None, **attributes: str) -> Element:
    """An element with children (elements; None is left out), text and attributes."""
    made = etree.Element(tag, **attributes)
    if text is not None:
        made.text = written(text)
    for child in children:
        if child is not None:
            made.append(child)
    return made


def written(content: Any) -> str:
    """Text of a value: numbers with 9 significant digits, sequences apart by blanks, truth values in lower case."""
    if isinstance(content, bool):
        return str(content).lower()
    if isinstance(content, str):
        return content
    if isinstance(content, Iterable):
        return " ".join(written(part) for part in content)
    return format(float(content), ".9g")


def values(**contents: Any) -> list[Element]:
    """One element a keyword, in order."""
    return [element(name, text=content) for name, content in contents.items()]


def pose(x: float, y: float, z: float, roll: float = 0.0, yaw: float = 0.0) -> Element:
    """A pose relative to the parent, m and rad."""
    return element("pose", text=(x, y, z, roll, 0.0, yaw))


def box(length: float, width: float, height: float) -> Element:
    """Geometry of a box: x, y, z sizes in m."""
    return element("geometry", element("box", element("size", text=(length, width, height))))


def cylinder(radius: float, length: float) -> Element:
    """Geometry of a cylinder along z, m."""
    return element("geometry", element("cylinder", *values(radius=radius, length=length)))


def material(colour: tuple[float, float, float]) -> Element:
    """A plain colour, red green blue in [0, 1]."""
    rgba = (*colour, 1.0)
    return element("material", *values(ambient=rgba, diffuse=rgba))


def inertial(mass: float, moments: tuple[float, float, float], at: Element | None = None) -> Element:
    """Mass in kg and moments of inertia about x, y, z through its centre in kg m^2."""
    xx, yy, zz = moments
    tensor = element("inertia", *values(ixx=xx, ixy=0.0, ixz=0.0, iyy=yy, iyz=0.0, izz=zz))
    return element("inertial", at, element("mass", text=mass), tensor)


def plugin(filename: str, name: str, *children: Element) -> Element:
    """A system."""
    return element("plugin", *children, filename=filename, name=name)


def document(content: Element) -> bytes:
    """A whole SDF file around a world or a model."""
    root = element("sdf", content, version=VERSION)
    return bytes(etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="utf-8"))
