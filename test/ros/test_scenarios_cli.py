"""`behaviors scenarios`."""

import json
import struct
import zlib

import pytest
from typer.testing import CliRunner

from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.picture import pixels, png
from behaviors_ros.ros.cli import application
from behaviors_ros.simulation import situations
from behaviors_ros.simulation.scenario import load_scenario

pytestmark = pytest.mark.usefixtures("without_shape_checks")


def run(*arguments):
    return CliRunner().invoke(application(), ["scenarios", *map(str, arguments)], catch_exceptions=True)


def test_list_names_the_kinds_and_their_difficulty(tmp_path):
    file = tmp_path / "kinds.json"
    assert run("list", "--kinds", "animal, crosswalk", "--variants", 4, "--json", file).exit_code == 0
    rows = json.loads(file.read_text())
    assert [row["kind"] for row in rows] == ["animal", "crosswalk"]
    assert all(0.0 <= row["difficulty"]["min"] < row["difficulty"]["max"] <= 1.0 for row in rows)
    assert "An animal stands" in rows[0]["about"]


def test_generate_writes_what_can_be_loaded(tmp_path):
    assert run("generate", tmp_path / "set", "--kinds", "animal", "--variants", 2, "--seed", 5).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == [
        "animal_00.osm", "animal_00.yaml", "animal_01.osm", "animal_01.yaml"
    ]  # fmt: skip
    scenario = load_scenario(tmp_path / "set" / "animal_01.yaml")
    assert scenario.provenance == situations.situation("animal", 1, 5).provenance


def test_maps_given_by_the_user(tmp_path):
    situations.write(tmp_path / "maps", "lead_braking", 0)
    assert run("generate", tmp_path / "set", "--maps", tmp_path / "maps", "--variants", 1).exit_code == 0
    found = sorted(path.stem for path in (tmp_path / "set").glob("*.yaml"))
    assert found == sorted(f"{kind}_00" for kind in situations.anywhere())
    scenario = load_scenario(tmp_path / "set" / "animal_00.yaml")
    assert scenario.map.name == "animal_00" and scenario.route.goal_s > 100.0
    (tmp_path / "none").mkdir()
    assert isinstance(run("generate", tmp_path / "set", "--maps", tmp_path / "none").exception, InputError)


def test_show_draws(tmp_path):
    picture, page = tmp_path / "a.png", tmp_path / "a.html"
    assert run("show", "crosswalk_03", "--png", picture, "--html", page).exit_code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "<svg" in page.read_text() and "crosswalk" in page.read_text()


@pytest.mark.parametrize("arguments", [("list", "--kinds", "flood"), ("show", "crosswalk"), ("show", "nowhere.yaml")])
def test_wrong_use_is_one_line(arguments):
    assert isinstance(run(*arguments).exception, InputError)


def test_a_png_holds_the_pixels_it_was_made_from():

    image = pixels(situations.situation("animal", 0))
    data = png(image)
    # Signature 8 bytes, IHDR 12 + 13: width and height begin at byte 16; IDAT's data at byte 41.
    width, height = struct.unpack(">II", data[16:24])
    length = struct.unpack(">I", data[33:37])[0]
    rows = zlib.decompress(data[41 : 41 + length])
    assert (height, width) == image.shape[:2] and len(rows) == height * (3 * width + 1)
    assert rows[1:4] == image[0, 0].tobytes()
    # The ego's blue, the route, the goal's green and the animal's brown are there.
    colours = {tuple(pixel) for pixel in image.reshape(-1, 3)[::3]}
    assert {(11, 79, 160), (28, 126, 214), (81, 207, 102)} <= colours
