"""What predictors are tested on: built data, or any folder of recordings or scenarios."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from behaviors_ros.datatypes import Grid
from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.prediction_rows import Case, Judging
from behaviors_ros.learning.data_recording import Recording
from behaviors_ros.learning.data_resample import resampled
from behaviors_ros.learning.data_sources import READERS, Reader, sources_in
from behaviors_ros.learning.data_split import place_of
from behaviors_ros.learning.data_store import is_built, read_manifest, stored
from behaviors_ros.learning.samples import Windows, samples


@dataclass(frozen=True)
class Protocol:
    """How a data set is tested: the grid's step and horizons, and the windows."""

    dt_s: float
    judging: Judging
    windows: Windows

    @property
    def grid(self) -> Grid:
        """The grid up to the last horizon."""
        return Grid(self.dt_s, round(max(self.judging.horizons_s) / self.dt_s) + 1)


ROAD = Protocol(0.1, Judging(), Windows(every_s=0.5, least_past_s=1.0))
CROWD = Protocol(  # 8 observed and 12 predicted steps of 0.4 s, all of them known
    0.4, Judging(horizons_s=(4.8,)), Windows(every_s=0.4, past_s=2.8, least_past_s=2.8, least_future_s=4.8)
)


def protocol_of(folder: Path) -> Protocol:
    """The standard protocol of what a folder holds: that of ETH/UCY, or the one for roads."""
    if is_built(folder):
        kinds = {entry["source"] for entry in read_manifest(folder)["recordings"]}
    else:
        kinds = {source.kind for source in sources_in(folder)}
    return CROWD if kinds == {"eth_ucy"} else ROAD


def recordings_of(
    folder: Path, splits: Collection[str] = (), wanted: Collection[str] = (), data: Path | None = None,
    readers: Mapping[str, Reader] | None = None, fold: str = "eth",
) -> Iterator[Recording]:  # fmt: skip
    """Recordings of built data or of any folder, in order.

    splits: of built data and of data with a published split; none given: test. wanted: patterns of
    source/location/recording; none: all. readers: of more kinds. A folder without any raises InputError.
    """
    splits = splits or ("test",)
    if is_built(folder):
        found: Iterable[Recording] = stored(folder, splits, data=data)
    else:
        found = _read(folder, splits, {**READERS, **(readers or {})}, fold)
    none = True
    for recording in found:
        place = place_of(recording.origin)
        if len(recording) and (not wanted or any(fnmatch(place, pattern) for pattern in wanted)):
            none = False
            yield recording
    if none:
        what = f"{', '.join(wanted) or 'anything'} in {', '.join(splits)}"
        raise InputError(folder, "recordings", f"there is none that matches {what}", "give other patterns or splits")


def _read(folder: Path, splits: Collection[str], readers: Mapping[str, Reader], fold: str) -> Iterator[Recording]:
    for source in sources_in(folder, fold):
        if source.kind not in readers:
            raise InputError(folder, source.kind, "cannot be read here", "use behaviors test")
        for raw, published in readers[source.kind](source, folder):
            if not published or published in splits:
                yield resampled(raw, source.resampling)


def cases_of(recordings: Iterable[Recording], grid: Grid, windows: Windows) -> Iterator[Case]:
    """All samples of the recordings."""
    for recording in recordings:
        for sample in samples(recording, grid, windows):
            yield Case(place_of(recording.origin), sample)
