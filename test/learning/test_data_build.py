"""Built data: splits without leaks, what is written, and that it comes back."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from made_data import made, raw, wandering, write_crowd, write_dut
from pyarrow import parquet

from behaviors_ros.datatypes import Grid
from behaviors_ros.errors import InputError
from behaviors_ros.geometry.transforms import rotate
from behaviors_ros.learning.data_build import Building, build, read_building
from behaviors_ros.learning.data_recording import Origin
from behaviors_ros.learning.data_sources import Source
from behaviors_ros.learning.data_split import LeakSearch, Splitting, split_of
from behaviors_ros.learning.data_store import MANIFEST, SCHEMA, stored, verify
from behaviors_ros.learning.samples import samples


def test_splits_by_pattern_and_share():
    splitting = Splitting(test=("a/x/*",), val=("a/y/1",), leave_out=("a/z/*",), val_share=0.25)
    origin = lambda location, name: Origin("a", name, location, "none")  # noqa: E731
    assert split_of(origin("x", "1"), splitting) == "test" and split_of(origin("y", "1"), splitting) == "val"
    assert split_of(origin("z", "1"), splitting) == ""
    drawn = [split_of(origin("y", f"r{k}"), splitting) for k in range(400)]
    assert 70 <= drawn.count("val") <= 130 and "test" not in drawn  # a quarter of 400 is 100, 8.7 its deviation
    assert drawn == [split_of(origin("y", f"r{k}"), splitting) for k in range(400)]


def test_a_location_is_for_the_test_or_not():
    search = LeakSearch()
    search.add(made("one", wandering(1)), "train")
    search.add(made("two", wandering(2)), "val")
    with pytest.raises(InputError, match="made/here"):
        search.add(made("three", wandering(3)), "test")


@pytest.mark.parametrize("turned", [0.0, 1.0])
def test_the_same_path_in_two_splits_fails(turned):
    """The same 6 s on another map: shifted by a kilometre, turned, 2 s later, under another name and location."""
    path = wandering(1)
    again = rotate(path[10:70], turned) + 1000.0
    search = LeakSearch()
    search.add(made("one", path), "train")
    search.add(made("same split", again), "train")
    with pytest.raises(InputError, match=r"made/here/one, track 0 again, which is for train and not test"):
        search.add(made("two", again, location="there"), "test")


def test_half_a_second_in_common_is_chance():
    path, other = wandering(1), wandering(2)
    search = LeakSearch()
    search.add(made("one", path), "train")
    search.add(made("two", np.vstack([path[:22], other[22:]]), location="there"), "test")


def test_slow_recordings_leak_as_well():
    path = wandering(1, 30, 0.4)
    search = LeakSearch()
    search.add(made("one", path, period=0.4), "train", as_published=True)
    with pytest.raises(InputError, match="again"):
        search.add(made("two", path[5:] + 3.0, period=0.4), "val", as_published=True)


def test_simulated_drivers_may_drive_alike():
    search = LeakSearch()
    for name, location, split in (("one", "here", "train"), ("two", "there", "test")):
        recording = made(name, wandering(1), location=location)
        search.add(replace(recording, origin=replace(recording.origin, simulated=True)), split)


def test_a_recording_counts_once():
    search = LeakSearch()
    search.add(made("one", wandering(1)), "train")
    with pytest.raises(InputError, match="occurs twice"):
        search.add(made("one", wandering(2)), "train")


def building(tmp_path: Path):
    write_crowd(tmp_path / "data" / "crowd")
    write_dut(tmp_path / "data" / "dut", "intersection_01", 5)
    write_dut(tmp_path / "data" / "dut", "roundabout_01", 9)
    sources = (Source(kind="eth_ucy", folder="crowd"), Source(kind="dut", folder="dut"))
    return Building(sources=sources, splitting=Splitting(test=("dut/roundabout/*",), val_share=0.0), shard_rows=200)


def test_build_and_read_back(tmp_path: Path):
    manifest = build(building(tmp_path), tmp_path / "data", tmp_path / "out")
    assert [(each["source"], each["split"]) for each in manifest["recordings"]] == [
        ("eth_ucy", "train"), ("eth_ucy", "val"), ("eth_ucy", "test"), ("dut", "train"), ("dut", "test"),
    ]  # fmt: skip
    assert len(manifest["shards"]) > 1
    table = parquet.read_table(tmp_path / "out" / manifest["shards"][0]["file"])
    assert table.schema.names == SCHEMA.names and set(table["licence"].to_pylist()) == {"none stated"}
    back = list(stored(tmp_path / "out"))
    assert [each.origin.name for each in back] == [each["name"] for each in manifest["recordings"]]
    assert back[4].id == ("p7", "v7") and back[4].kind.tolist() == [7, 1]
    speed = np.hypot(*back[3].velocity.T)
    assert np.nanmax(speed) > 1.0 and back[3].seen.all()
    assert [each.origin.source for each in stored(tmp_path / "out", ("test",), ("dut",))] == ["dut"]


def test_samples_of_built_data_are_those_of_the_recording(tmp_path: Path):
    """float32 for what is not a place: equal to a part in a million."""
    paths = wandering(1), wandering(2, 60)
    build(Building(sources=(Source(kind="here"),)), tmp_path, tmp_path / "out",
          {"here": lambda source, folder: iter([(raw("one", *paths), "train")])})  # fmt: skip
    (back,) = stored(tmp_path / "out")
    direct = samples(
        made(
            "one",
            *paths,
        ),
        Grid(),
    )
    for one, other in zip(direct, samples(back, Grid()), strict=True):
        assert one.scene.tracks.id == other.scene.tracks.id
        assert np.allclose(one.scene.tracks.position, other.scene.tracks.position)
        assert np.array_equal(one.scene.history.valid, other.scene.history.valid)
        assert np.allclose(one.future, other.future, equal_nan=True)


def test_a_leak_fails_the_build(tmp_path: Path):
    given = [(raw("one", wandering(1)), "train"), (raw("two", wandering(1)), "test")]
    with pytest.raises(InputError, match="again"):
        build(Building(sources=(Source(kind="here"),)), tmp_path, tmp_path / "out", {"here": lambda *_: iter(given)})
    assert not (tmp_path / "out" / MANIFEST).exists()


def test_changed_shards_are_found(tmp_path: Path):
    manifest = build(building(tmp_path), tmp_path / "data", tmp_path / "out")
    shard = tmp_path / "out" / manifest["shards"][0]["file"]
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match="sha256"):
        verify(tmp_path / "out")


def test_without_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ray.util.multiprocessing", None)
    with pytest.raises(InputError, match="--workers: ray"):
        build(building(tmp_path), tmp_path / "data", tmp_path / "out", workers=2)


@pytest.mark.slow
def test_with_ray_the_same_is_built(tmp_path: Path):
    pytest.importorskip("ray")
    here = build(building(tmp_path), tmp_path / "data", tmp_path / "one")
    there = build(building(tmp_path), tmp_path / "data", tmp_path / "two", workers=2)
    assert here["shards"] == there["shards"] and here["recordings"] == there["recordings"]


@pytest.mark.parametrize("manifest", ["", "[]", "{}", json.dumps({"format": 99, "recordings": []})])
def test_foreign_manifests(tmp_path: Path, manifest):
    (tmp_path / MANIFEST).write_text(manifest)
    with pytest.raises(InputError):
        list(stored(tmp_path))


def test_nothing_of_others_is_overwritten(tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.parquet").write_text("mine")
    with pytest.raises(InputError, match="something else"):
        build(building(tmp_path), tmp_path / "data", tmp_path / "out")
    assert (tmp_path / "out" / "thesis.parquet").exists()


def test_building_again_takes_the_place_of_what_was_built(tmp_path: Path):
    first = build(building(tmp_path), tmp_path / "data", tmp_path / "out")
    again = build(building(tmp_path), tmp_path / "data", tmp_path / "out")
    assert first["shards"] == again["shards"] and first["recordings"] == again["recordings"]


@pytest.mark.parametrize(
    "tree, field",
    [
        ({}, "sources"),
        ({"sources": ["ngsim"]}, "sources.0"),
        ({"sources": [{"kind": "ngsim", "resampling": {"gap_s": -1.0}}]}, "gap_s"),
        ({"sources": [{"kind": "ngsim"}], "splits": {}}, "splits"),
    ],
)
def test_bad_configurations(tmp_path: Path, tree, field):
    (tmp_path / "build.yaml").write_text(yaml.safe_dump(tree))
    with pytest.raises(InputError, match=field):
        read_building(tmp_path / "build.yaml")


def test_unknown_kind(tmp_path: Path):
    with pytest.raises(InputError, match="known: av2"):
        build(Building(sources=(Source(kind="waymo"),)), tmp_path, tmp_path / "out")


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "config" / "data").glob("*.yaml")), ids=lambda p: p.stem
)
def test_configurations_of_the_checkout(path: Path):
    found = read_building(path)
    assert found.sources and (path.stem != "ngsim" or found.sources[0].resampling.speed_window_s == 0.1)
