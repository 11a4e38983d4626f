"""Work that may crash, hang or eat memory, in a child process: its death is one failure, and the rest goes on."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import resource
import signal
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Protocol

STEPS_A_REPORT = 200


@dataclass(frozen=True)
class Failure:
    """What must not happen: at which step, of which kind (bug, crash, hang), what in one line, and a traceback."""

    index: int
    kind: str
    what: str
    detail: str = ""


class Work(Protocol):
    """Something done step by step. `counts` is what it counts on the way."""

    counts: Counter[str]

    def step(self, index: int) -> list[Failure]:
        """One step; every index gives the same input in every run."""


@dataclass
class Outcome:
    """What came of all steps."""

    steps: int = 0
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "steps": self.steps, "seconds": round(self.seconds, 1), "counts": dict(sorted(self.counts.items())),
            "failures": [asdict(failure) for failure in self.failures],
        }  # fmt: skip


def supervised(
    make: Callable[..., Work], arguments: tuple[Any, ...], steps: range, patience_s: float = 10.0,
    memory_bytes: int = 2 << 30, start_patience_s: float = 300.0, failures_max: int = 50,
    progress: Callable[[int], None] = lambda done: None,
) -> Outcome:  # fmt: skip
    """Do `make(*arguments).step(index)` for all steps, in a child that is replaced when it dies or hangs.

    `patience_s`: longest time of one step. `memory_bytes`: address space that steps may take beyond what `make` took.
    Gives up after `failures_max` failures.
    """
    found, since, first = Outcome(), time.monotonic(), steps.start
    while first < steps.stop and len(found.failures) < failures_max:
        first = _child(make, arguments, range(first, steps.stop), patience_s, memory_bytes, start_patience_s, found,
                       failures_max, progress)  # fmt: skip
    found.seconds = time.monotonic() - since
    return found


def _child(
    make: Callable[..., Work], arguments: tuple[Any, ...], steps: range, patience_s: float, memory_bytes: int,
    start_patience_s: float, found: Outcome, failures_max: int, progress: Callable[[int], None],
) -> int:  # fmt: skip
    """One child, until it ends or dies; the step to go on with."""
    context = multiprocessing.get_context("spawn")
    at = context.Value("q", -1, lock=False)
    ours, theirs = context.Pipe(duplex=False)
    dump = tempfile.NamedTemporaryFile("r+", prefix="behaviors_crash_")  # noqa: SIM115
    child = context.Process(target=_run, args=(make, arguments, steps, memory_bytes, at, theirs, dump.name))
    child.start()
    theirs.close()
    last, moved, hung = -1, time.monotonic(), False
    while True:
        _receive(ours, found, 0.2)
        progress(max(at.value - steps.start, 0))
        if at.value != last:
            last, moved = at.value, time.monotonic()
        hung = time.monotonic() - moved > (patience_s if last >= 0 else start_patience_s)
        if hung or not child.is_alive() or len(found.failures) >= failures_max:
            break
    ended = not child.is_alive()
    if not ended:
        child.kill()
    child.join()
    _receive(ours, found, 0.0)
    reached = at.value
    if ended and child.exitcode == 0:
        found.steps += len(steps)
        return steps.stop
    found.steps += max(reached + 1 - steps.start, 0)
    if hung and not ended:
        found.failures.append(Failure(reached, "hang", f"takes longer than {patience_s:g} s"))
    elif ended:
        code = child.exitcode or 0
        what = f"ends with {signal.Signals(-code).name}" if code < 0 else f"ends with exit code {code}"
        found.failures.append(Failure(reached, "crash", f"the process {what}", dump.read()[:4000]))
    return reached + 1 if reached >= 0 else steps.stop


def _receive(pipe: Connection, found: Outcome, patience_s: float) -> None:
    try:
        while pipe.poll(patience_s):
            counts, failures = pipe.recv()
            found.counts.update(counts)
            found.failures.extend(failures)
            patience_s = 0.0
    except (EOFError, OSError):
        time.sleep(0.05)


def _run(
    make: Callable[..., Work], arguments: tuple[Any, ...], steps: range, memory_bytes: int, at: Any, pipe: Connection,
    dump: str,
) -> None:  # fmt: skip
    """In the child; where it crashes, its stack goes to the file `dump`."""
    faulthandler.enable(open(dump, "w"))  # noqa: SIM115
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    work = make(*arguments)
    limit = _address_space() + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    told: Counter[str] = Counter()
    for number, index in enumerate(steps):
        at.value = index
        failures = work.step(index)
        if failures or number % STEPS_A_REPORT == 0 or index == steps[-1]:
            pipe.send((work.counts - told, failures))
            told = work.counts.copy()
    pipe.close()
    os._exit(0)  # neither the nodes' middleware nor helper processes need be taken down in order


def _address_space() -> int:
    """Of this process, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
