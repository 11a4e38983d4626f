"""Errors of wrong use. Expected outcomes are values (enums in `datatypes`), never exceptions."""

from __future__ import annotations


class BehaviorsError(Exception):
    """Wrong use or bad input. Its text is one line a user can act on; commands print it without a traceback."""


class InputError(BehaviorsError):
    """A file, message or parameter that cannot be used: names the source, the field and the remedy."""

    def __init__(self, source: object, field: str, problem: str, remedy: str) -> None:
        """Say what is wrong (`problem`) with which `field` of which `source`, and what to do about it (`remedy`)."""
        super().__init__(f"{source}: {_short(field)}: {_short(problem)}; {_short(remedy)}")
        self.source, self.field, self.problem, self.remedy = str(source), field, problem, remedy


def _short(text: object, most: int = 300) -> str:
    """On one line that a person reads, whatever a file has put into it."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else f"{line[:most]}..."
