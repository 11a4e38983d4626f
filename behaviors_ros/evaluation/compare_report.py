"""The page of a comparison: differences with their intervals, scores scenario by scenario, what changed."""

from __future__ import annotations

import html
from dataclasses import asdict
from pathlib import Path

from behaviors_ros.evaluation.compare import Comparison
from behaviors_ros.evaluation.report import packed, template


def write_compare_report(path: Path, comparison: Comparison) -> Path:
    """Write the page; it needs no other file and no network. Returns `path`."""
    title = f"{Path(comparison.a).name} and {Path(comparison.b).name}"
    page = template("compare_report.html").replace("@TITLE@", html.escape(title), 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page.replace("@DATA@", packed(asdict(comparison)), 1))
    return path
