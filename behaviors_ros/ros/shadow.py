"""Shadow mode: a candidate model beside the predictor that drives, on its own thread and without effect on driving.

The thread is given a scene after the predictions of it were published, and only when it is done with the one before;
scenes in between are skipped. It runs at a low priority. What the candidate raises is kept as words.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

from behaviors_ros.datatypes import Grid, Predictions, Scene
from behaviors_ros.evaluation.divergence import Divergence, added
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.prediction.interface import Predictor


class ShadowParameters(Parameters):
    """A model that predicts beside the predictor that drives, to be compared with it."""

    model: str = value("", "model file or folder of models of the candidate; empty: no shadow mode")
    every: int = value(1, "cycles from one scene that the candidate is shown to the next", low=1, high=1000)
    niceness: int = value(10, "how far the candidate's thread stands back (nice)", low=0, high=19)


class Shadow:
    """The candidate and what is known of how far it diverges."""

    def __init__(self, candidate: Predictor, grid: Grid, parameters: ShadowParameters) -> None:
        """Start the thread."""
        seconds = range(1, int(grid.horizon_s + 1e-9) + 1)
        self.divergence = Divergence.none(tuple(float(second) for second in seconds))
        self.skipped, self.failures, self.last_failure, self.cpu_ms = 0, 0, "", 0.0
        self._candidate, self._grid, self._every, self._seen = candidate, grid, parameters.every, 0
        self._pool = ThreadPoolExecutor(1, "shadow", _stand_back, (parameters.niceness,))
        self._pending: Future[tuple[Divergence, float]] | None = None

    def show(self, scene: Scene, active: Predictions) -> None:
        """Hand over a scene and what was predicted of it; returns at once."""
        self._seen += 1
        if (self._seen - 1) % self._every:
            return
        if not self.collect():
            self.skipped += 1
            return
        self._pending = self._pool.submit(self._compared, scene, active, self.divergence)

    def collect(self) -> bool:
        """Take over what the thread has found; False while it is still busy."""
        if self._pending is None:
            return True
        if not self._pending.done():
            return False
        error = self._pending.exception()
        if error is not None:
            self.failures, self.last_failure = self.failures + 1, f"{type(error).__name__}: {error}".splitlines()[0]
        else:
            self.divergence, self.cpu_ms = self._pending.result()
        self._pending = None
        return True

    def _compared(self, scene: Scene, active: Predictions, so_far: Divergence) -> tuple[Divergence, float]:
        begun = time.thread_time()
        found = added(so_far, active, self._candidate.predict(scene, self._grid))
        return found, 1e3 * (time.thread_time() - begun)

    def facts(self) -> dict[str, str]:
        """For diagnostics: divergence of all classes by horizon, and how it went."""
        self.collect()
        rows = self.divergence.rows()
        shown = {
            f"shadow {row['class']} at {row['horizon_s']:g} s": (
                f"likeliest {row['likeliest_m']:.2f} m, mean {row['mean_m']:.2f} m, n {row['agents']}"
            )
            for row in rows
        }
        counts = {"scenes": self.divergence.scenes, "skipped": self.skipped, "failures": self.failures,
                  "warnings": self.divergence.warnings}  # fmt: skip
        shown |= {f"shadow {name}": str(number) for name, number in counts.items()}
        shown["shadow cpu ms"] = f"{self.cpu_ms:.1f}"
        return shown | ({"shadow last failure": self.last_failure} if self.last_failure else {})

    def stop(self) -> None:
        """End the thread, after the scene it has."""
        self._pool.shutdown(wait=True)


def _stand_back(niceness: int) -> None:
    """Lower the priority of this thread; on Linux every thread has its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + niceness)
