"""The table of faults in the documentation, made from a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from behaviors_ros.errors import InputError
from behaviors_ros.ros.faults.case import FaultCase
from behaviors_ros.ros.faults.suite import Row

BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"


def markdown(rows: Sequence[Row], cases: Mapping[str, tuple[Path, FaultCase]], checked: int) -> str:
    """The rows as a table, with a line that sums them up."""
    passed, invalid = sum(row.passed for row in rows), sum(row.invalid_published for row in rows)
    lines = [
        f"{passed} of {len(rows)} faults react as asserted; {sum(row.crashes for row in rows)} node crashes; {invalid} "
        f"invalid of {checked} published trajectories.",
        "", "| fault | what happens | expected | observed | reaction | outcome | |", "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row in rows:
        reaction = "" if row.reaction_ms is None else f"{row.reaction_ms:.0f} ms"
        cells = (row.fault, cases[row.fault][1].about, row.expected, row.observed, reaction, row.outcome)
        shown = " | ".join(cell.replace("|", "or").replace("\n", " ") for cell in cells)
        lines.append(f"| {shown} | {'' if row.passed else 'FAILED: ' + row.why.replace('|', '/')} |")
    return "\n".join(lines)


def write_table(
    page: Path, rows: Sequence[Row], cases: Mapping[str, tuple[Path, FaultCase]], checked: int
) -> None:  # fmt: skip
    """Put the table between the marks of a page; a new page is made of the marks alone."""
    text = page.read_text() if page.exists() else f"{BEGIN}\n{END}\n"
    if BEGIN not in text or END not in text:
        raise InputError(page, "--table", "has no place for the table", f"put {BEGIN} and {END} into it")
    head, _, rest = text.partition(BEGIN)
    page.write_text(f"{head}{BEGIN}\n{markdown(rows, cases, checked)}\n{END}{rest.partition(END)[2]}")
