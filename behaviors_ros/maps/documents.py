"""Map and scenario files as bytes and XML trees, read with limits: no entities, no network, bounded size.

A file that cannot be used raises one `InputError` that names it, the place in it and the remedy.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

from lxml import etree

from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Parameters, value


class Limits(Parameters):
    """What a map file may hold before it is refused."""

    file_mb: float = value(200.0, "largest file, after decompression", low=0.001, high=4000.0)
    elements: int = value(20_000_000, "largest number of XML elements", low=1, high=1_000_000_000)
    coordinate_m: float = value(2e7, "largest magnitude of a coordinate", low=1.0, high=1e9)
    lane_points: int = value(100_000, "largest number of points of one boundary", low=2, high=10_000_000)
    speed_mps: float = value(150.0, "largest speed limit that is believed", low=1.0, high=1000.0)


def read_bytes(path: str | Path, limits: Limits | None = None) -> bytes:
    """The content of a file, decompressed when its name ends in .gz; raises `InputError` when it cannot be had."""
    path, largest = Path(path), int((limits or Limits()).file_mb * 1e6)
    if path.is_dir():
        raise InputError(path, "path", "is a directory", "give the map file in it")
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            content = stream.read(largest + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(path, "gzip", f"cannot be decompressed ({error})", "fetch the file again") from None
    except FileNotFoundError:
        raise InputError(path, "path", "no such file", "check the path") from None
    except OSError as error:
        raise InputError(path, "path", f"cannot be read ({error.strerror or error})", "check its permissions") from None
    if len(content) > largest:
        raise InputError(path, "size", f"more than {largest / 1e6:g} MB", "cut the map to the area that is driven")
    if not content.strip():
        raise InputError(path, "content", "the file is empty", "fetch the file again")
    return content


def parse_xml(path: str | Path, root: str, limits: Limits | None = None) -> etree._Element:
    """Root element of an XML file, which must be called `root`. Document type declarations are refused."""
    limits = limits or Limits()
    content = read_bytes(path, limits)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        tree = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise InputError(path, f"line {error.lineno}", f"is not XML ({error.msg})", "fetch the file again") from None
    if tree.getroottree().docinfo.internalDTD is not None:
        raise InputError(path, "document type", "declarations and entities are not accepted", "remove the DOCTYPE")
    if tree.tag != root:
        raise InputError(path, "root element", f"is <{tree.tag}>, not <{root}>", "give a file of this format")
    count = sum(1 for _ in tree.iter())
    if count > limits.elements:
        raise InputError(path, "size", f"{count} XML elements, at most {limits.elements}", "cut the map")
    return tree


def finite(text: str | None, source: object, field: str, largest: float = math.inf) -> float:
    """A finite number of magnitude at most `largest`, or `InputError`."""
    try:
        number = float(text or "")
    except ValueError:
        number = math.nan
    if not abs(number) <= largest:
        wanted = "a finite number" if math.isinf(largest) else f"a number between -{largest:g} and {largest:g}"
        raise InputError(source, field, f"is {text!r}", f"give {wanted}")
    if math.isinf(number):
        raise InputError(source, field, f"is {text!r}", "give a finite number")
    return number


def integer(text: str | None, source: object, field: str) -> int:
    """An integer of at most 18 digits, or `InputError`."""
    try:
        number = int(text or "")
    except ValueError:
        raise InputError(source, field, f"is {text!r}", "give an integer") from None
    if abs(number) >= 2**63:
        raise InputError(source, field, f"is {text!r}", "give an integer of at most 18 digits")
    return number
