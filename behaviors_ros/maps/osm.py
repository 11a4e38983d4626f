"""The raw content of an OSM file, checked, so that the Lanelet2 library only ever sees a sound one.

The library reads everything else. Left alone it puts nodes without coordinates at (0, 0) and gives lanelets empty
bounds where something is missing (see docs/decisions/0002-lanelet2-files.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from behaviors_ros.errors import InputError
from behaviors_ros.maps.documents import Limits, finite, integer, parse_xml


@dataclass(frozen=True)
class Relation:
    """One relation: its tags and its members as (type, role, ref)."""

    tags: dict[str, str]
    members: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class OsmDocument:
    """Nodes (metres when `local`, else latitude and longitude in degrees), ways (node ids) and relations by id."""

    local: bool
    nodes: dict[int, tuple[float, float]]
    ways: dict[int, tuple[int, ...]]
    relations: dict[int, Relation]


def read_osm(path: str | Path, limits: Limits | None = None) -> OsmDocument:
    """Read and check an OSM file; raises `InputError` at the first thing that makes it unusable."""
    limits = limits or Limits()
    root = parse_xml(path, "osm", limits)
    elements = {kind: _by_id(root, kind, path) for kind in ("node", "way", "relation")}
    if not elements["node"]:
        raise InputError(path, "node", "the map is empty", "give a map with at least one lanelet")
    tags = {id_: _tags(node) for id_, node in elements["node"].items()}
    local = all("local_x" in t and "local_y" in t for t in tags.values())
    nodes = {id_: _coordinates(node, tags[id_], local, path, limits) for id_, node in elements["node"].items()}
    ways = {
        id_: tuple(integer(nd.get("ref"), path, f"way {id_}, nd") for nd in way.iterfind("nd"))
        for id_, way in elements["way"].items()
    }
    document = OsmDocument(local, nodes, ways, {i: _relation(r, i, path) for i, r in elements["relation"].items()})
    _check_references(document, path)
    return document


def _by_id(root: etree._Element, kind: str, path: object) -> dict[int, etree._Element]:
    found: dict[int, etree._Element] = {}
    for element in root.iterfind(kind):
        if element.get("action") == "delete":
            continue
        id_ = integer(element.get("id"), path, f"{kind} id on line {element.sourceline}")
        if id_ in found:
            raise InputError(path, f"{kind} {id_}", "occurs twice", "give each its own id")
        found[id_] = element
    return found


def _tags(element: etree._Element) -> dict[str, str]:
    return {tag.get("k", ""): tag.get("v", "") for tag in element.iterfind("tag")}


def _coordinates(
    node: etree._Element, tags: dict[str, str], local: bool, path: object, limits: Limits
) -> tuple[float, float]:
    where = f"node {node.get('id')}"
    if local:
        x = finite(tags["local_x"], path, f"{where}, local_x", limits.coordinate_m)
        return x, finite(tags["local_y"], path, f"{where}, local_y", limits.coordinate_m)
    return finite(node.get("lat"), path, f"{where}, lat", 90.0), finite(node.get("lon"), path, f"{where}, lon", 180.0)


def _relation(element: etree._Element, id_: int, path: object) -> Relation:
    members = tuple(
        (m.get("type", ""), m.get("role", ""), integer(m.get("ref"), path, f"relation {id_}, member"))
        for m in element.iterfind("member")
    )
    return Relation(_tags(element), members)


def _check_references(document: OsmDocument, path: object) -> None:
    for id_, way in document.ways.items():
        for ref in way:
            if ref not in document.nodes:
                raise InputError(path, f"way {id_}", f"refers to the missing node {ref}", "add the node or cut the way")
    for id_, relation in document.relations.items():
        if relation.tags.get("type") == "lanelet":
            _check_lanelet(document, id_, relation, path)
        if any(kind == "relation" and ref == id_ for kind, _, ref in relation.members):
            raise InputError(path, f"relation {id_}", "is a member of itself", "remove that member")


def _check_lanelet(document: OsmDocument, id_: int, relation: Relation, path: object) -> None:
    for side in ("left", "right"):
        refs = [ref for kind, role, ref in relation.members if kind == "way" and role == side]
        if len(refs) != 1:
            raise InputError(path, f"lanelet {id_}", f"has {len(refs)} {side} bounds", "give it exactly one way a side")
        if refs[0] not in document.ways:
            raise InputError(path, f"lanelet {id_}", f"refers to the missing way {refs[0]}", "add the way")
        if len(set(document.ways[refs[0]])) < 2:
            raise InputError(path, f"way {refs[0]}", f"of lanelet {id_} has no length", "give it two different nodes")
