"""YAML files read with limits: bounded size, no expansion of aliases beyond it, no deep nesting, text keys only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from behaviors_ros.errors import InputError


def read_mapping(path: Path, remedy: str, largest_mb: float = 8.0, largest_nodes: int = 500_000) -> dict[str, Any]:
    """The mapping that a YAML file holds, empty for an empty file.

    A file that cannot be read, is no YAML, or holds anything but a mapping raises `InputError` with that remedy.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(int(largest_mb * 1e6) + 1)
    except OSError as error:
        raise InputError(path, "file", f"cannot be read ({error.strerror or error})", remedy) from None
    if len(content) > largest_mb * 1e6:
        raise InputError(path, "file", f"is larger than {largest_mb:g} MB", remedy)
    try:
        tree = yaml.safe_load(content)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError(path, f"line {mark.line + 1}" if mark else "file", "is not YAML", remedy) from None
    except (ValueError, TypeError, OverflowError, AttributeError) as error:  # a date or a number that is none
        raise InputError(path, "file", f"is not YAML ({' '.join(str(error).split())[:100]})", remedy) from None
    except RecursionError:
        raise InputError(path, "file", "is nested too deeply", remedy) from None
    if tree is not None and not isinstance(tree, dict):
        raise InputError(path, "file", "is not a mapping", remedy)
    _require_plain(tree or {}, path, remedy, largest_nodes)
    return tree or {}


def _require_plain(tree: Mapping[Any, Any], path: Path, remedy: str, largest_nodes: int, deepest: int = 60) -> None:
    """Walk the tree with its aliases expanded, as whatever reads it will."""
    nodes = 0
    todo: list[tuple[Mapping[Any, Any] | list[Any], int]] = [(tree, 0)]
    while todo:
        here, depth = todo.pop()
        nodes += len(here)
        if nodes > largest_nodes or depth > deepest:
            raise InputError(path, "file", "is nested too deeply or expands to too much", remedy)
        leaves = here.values() if isinstance(here, dict) else here
        wrong = [key for key in here if not isinstance(key, str)] if isinstance(here, dict) else []
        if wrong:
            raise InputError(path, str(wrong[0])[:100], "is no text, but a key", remedy)
        todo += [(leaf, depth + 1) for leaf in leaves if isinstance(leaf, (dict, list))]
