"""What a process takes: resident memory, threads, open descriptors, from /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """Of one process at one time: resident memory without pages shared with files, MB."""

    rss_mb: float
    threads: int
    descriptors: int


def usage(pid: int) -> Usage | None:
    """What a process takes now; None where it is gone."""
    try:
        folder = Path(f"/proc/{pid}")
        fields = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
        rss_mb = int(fields["RssAnon"].split()[0]) / 1024.0
        return Usage(round(rss_mb, 2), int(fields["Threads"]), len(os.listdir(folder / "fd")))
    except (OSError, KeyError, ValueError):
        return None
