"""What the documents name exists: links, files, commands, topics, launch arguments, keys; the example plugin runs."""

import ast
import dataclasses
import functools
import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
import yaml

from behaviors_ros import pipeline, registry
from behaviors_ros.datatypes import Degraded, EgoState, Goal, Scene, Tracks
from behaviors_ros.evaluation.summary import Latency, Summary
from behaviors_ros.maps.check import Row
from behaviors_ros.maps.route import mapless_route
from behaviors_ros.parameters import Vehicle, validated
from behaviors_ros.ros.graph import NODES, TOPICS

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PAGE_IDS = [str(path.relative_to(ROOT)) for path in PAGES]
TOP = ("behaviors_ros/", "benchmarks/", "config/", "docs/", "launch/", "msg/", "test/")


def text(name: str) -> str:
    return (ROOT / name).read_text()


def prose(page: str) -> str:
    """A page without its code blocks."""
    return re.sub(r"```.*?```", "", page, flags=re.DOTALL)


def anchors(page: str) -> set[str]:
    """Names that a heading can be linked by: lower case, words joined by hyphens."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def block(page: str, language: str, index: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)[index]


@pytest.mark.parametrize("path", PAGES, ids=PAGE_IDS)
def test_links_lead_somewhere(path: Path):
    for target in re.findall(r"\]\(([^)]+)\)", prose(path.read_text())):
        if target.startswith("http"):
            continue
        file, _, anchor = target.partition("#")
        there = path.parent / file if file else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text()), target


@pytest.mark.parametrize("path", PAGES, ids=PAGE_IDS)
def test_files_and_message_types_named_in_the_text_exist(path: Path):
    for name in re.findall(r"`([\w./*-]+)`", prose(path.read_text())):
        message = re.fullmatch(r"behaviors_ros/(?:msg/)?([A-Z]\w+)", name)
        if message:
            assert (ROOT / "msg" / f"{message[1]}.msg").exists(), name
        elif name.startswith(TOP):
            assert list(ROOT.glob(name)), name
        elif name.endswith(".py") and "/" in name:  # relative to the package
            assert list((ROOT / "behaviors_ros").glob(name)), name


def test_make_targets_named_in_the_readme_exist():
    targets = set(re.findall(r"^([\w-]+):", text("Makefile"), re.MULTILINE))
    assert set(re.findall(r"make (demo|test[\w-]*)", text("README.md"))) <= targets


@functools.cache
def commands() -> set[str]:
    """Every command of the command line, groups entered."""
    found: set[str] = set()

    def walk(command, name: str) -> None:
        inner = getattr(command, "commands", None)
        if inner is None:
            found.add(name)
            return
        default = getattr(command, "default_command", None)  # may be left out
        for key, child in inner.items():
            walk(child, name if key == default else f"{name} {key}")

    walk(typer.main.get_command(importlib.import_module("behaviors_ros.ros.cli").application()), "behaviors")
    return found


def test_a_module_of_the_command_line_adds_the_command_of_its_name():
    cli = importlib.import_module("behaviors_ros.ros.cli")
    for name in set(typer.main.get_command(cli.application()).commands):
        assert set(typer.main.get_command(cli.application(name)).commands) == {name}


def test_the_page_on_the_command_line_has_exactly_its_commands():
    rows = re.findall(r"^\| `(behaviors [^`]+)` \|", text("docs/cli.md"), re.MULTILINE)
    documented = {" ".join(word for word in row.split() if not word.isupper()) for row in rows}
    assert documented == commands()


@pytest.mark.parametrize("path", PAGES, ids=PAGE_IDS)
def test_commands_used_in_the_text_exist(path: Path):
    known = commands()
    for line in re.findall(r"(?:^ +|`|bin/)behaviors ([a-z][^`\n]*)", path.read_text(), re.MULTILINE):
        words = re.findall(r"^[a-z][\w-]*(?: [a-z][\w-]*)*", line)[0].split()
        assert any(f"behaviors {' '.join(words[:n])}" in known for n in (1, 2)), line


def test_the_keys_of_json_files_are_documented():
    page = text("docs/cli.md")
    for kind in (Summary, Latency, Row):
        for field in dataclasses.fields(kind):
            assert f"`{field.name}`" in page, field.name
    latency = importlib.import_module("behaviors_ros.ros.latency").Latency
    assert all(f"`{field.name}`" in page for field in dataclasses.fields(latency))


def test_the_tables_of_the_architecture_are_those_of_the_graph():
    page = text("ARCHITECTURE.md").partition("## Nodes and topics")[2].partition("## One cycle")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    nodes = {row[0]: row for row in rows if row[0] in {entry.name for entry in NODES} and len(row) == 4}
    assert [nodes[entry.name][1] for entry in NODES] == [entry.group for entry in NODES]
    for entry in NODES:
        assert tuple(nodes[entry.name][3].split(", ")) == entry.writes
        read = nodes[entry.name][2].replace("the same", "tracks, odometry, signals, route, selected")
        assert tuple(read.split(", ")) == entry.reads
    topics = {row[0]: row[1:] for row in rows if len(row) == 3 and row[0] in TOPICS}
    for name, topic in TOPICS.items():
        if name != "/clock":
            kind = topic.type.replace("/msg/", "/").removeprefix("behaviors_ros/")
            assert topics[name] == [kind, topic.qos], name


def test_the_launch_arguments_of_the_readme_are_those_of_the_launch_files():
    rows = re.findall(r"^\| `(\w+\.launch\.py)` \|[^|]*\| ([^|]+) \|$", text("README.md"), re.MULTILINE)
    assert {name for name, _ in rows} == {path.name for path in (ROOT / "launch").glob("*.launch.py")}
    for name, cell in rows:
        assert set(" ".join(re.findall(r"`([^`]+)`", cell)).split()) == launch_arguments(name), name


def launch_arguments(name: str) -> set[str]:
    """Keys of ARGUMENTS in a launch file; a `**` entry is the topics of INPUTS_AND_OUTPUTS."""
    tables = {
        node.targets[0].id: node.value
        for node in ast.parse(text(f"launch/{name}")).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    found = set()
    for key in tables["ARGUMENTS"].keys:
        found |= {key.value} if key is not None else set(ast.literal_eval(tables["INPUTS_AND_OUTPUTS"]))
    return found


def test_what_the_readme_installs_is_what_the_package_needs():
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    needs = tomllib.loads(text("pyproject.toml"))["project"]["dependencies"]
    named = re.findall(r"^ +pip install (.+)$", text("README.md"), re.MULTILINE)[0].split()
    assert named == [re.split(r"[<>=]", need)[0] for need in needs]


def test_the_vehicle_files_of_the_pages_are_good():
    page = text("docs/vehicle.md")
    validated(Vehicle, yaml.safe_load(block(page, "yaml")), "docs/vehicle.md")
    up = importlib.import_module("behaviors_ros.ros.up")
    config = up.checked(validated(up.GraphConfig, yaml.safe_load(block(page, "yaml", 1)), "up.yaml"), "up.yaml")
    validated(registry.get("scorer", "comfort").parameters, config.nodes["trajectory_scoring"]["comfort"], "up.yaml")
    assert set(config.remap) <= set(TOPICS)


def test_the_dialects_of_the_page_are_those_that_there_are():
    page = text("docs/dialects.md")
    rows = {row[0]: row for row in re.findall(r"^\| `(\w+)` \| `(\w+/\w+)`[^|]*\| `([^`]+)`", page, re.MULTILINE)}
    known = {}
    for name, table in (("trajectory", "TRAJECTORY_OUTPUTS"), ("command", "COMMAND_OUTPUTS")):
        known |= getattr(importlib.import_module(f"behaviors_ros.ros.dialects.{name}_outputs"), table)
    known |= importlib.import_module("behaviors_ros.ros.dialects.inputs").INPUTS
    assert set(rows) == set(known)
    for name, (_, message, topic) in rows.items():
        needs = [need.replace("/msg/", "/").replace("/action/", "/") for need in known[name].needs]
        assert message == needs[0], name
        assert f'"{topic}"' in "".join((ROOT / "config" / file).read_text() for file in (
            "controls_bridge.yaml", "tracking_controller.yaml", "input_adapter.yaml")), name  # fmt: skip


@pytest.mark.parametrize("index", [0, 1])
def test_the_examples_of_dialects_are_good(index: int):
    up = importlib.import_module("behaviors_ros.ros.up")
    tree = yaml.safe_load(block(text("docs/dialects.md"), "yaml", index))
    config = up.checked(validated(up.GraphConfig, tree, "up.yaml"), "up.yaml")
    for node in NODES:
        if node.name in config.nodes:
            validated(node.load().model, config.nodes[node.name], node.name)


def test_the_weights_of_the_decision_are_the_defaults():
    page = text("docs/decisions/0007-gates-and-scorers.md")
    gates, scorers = re.findall(r"^\| (collision, .*) \| (.*) \|$", page, re.MULTILINE)[0]
    assert tuple(gates.split(", ")) == pipeline.GATES
    weights = {name: float(weight) for name, weight in (pair.split() for pair in scorers.split(", "))}
    assert weights == {name: registry.get("scorer", name).parameters().weight for name in pipeline.SCORERS}


def test_the_example_plugin_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    page = text("docs/plugins.md")
    (tmp_path / "my_behaviors").mkdir()
    (tmp_path / "my_behaviors" / "calm.py").write_text(block(page, "python"))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "_plugins", {kind: dict(known) for kind, known in registry._plugins.items()})
    config = yaml.safe_load(block(page, "yaml"))["/behaviors/trajectory_scoring"]["ros__parameters"]
    assert tuple(config["scorers"]) == (*pipeline.SCORERS, "calm")
    ego = EgoState(10**9, np.zeros(2), 0.0, 8.0)
    line = np.stack([np.arange(0.0, 300.0), np.zeros(300)], axis=1)
    scene = Scene(
        10**9, ego, Tracks.empty(10**9), mapless_route(line, ego, Goal(line[-1]), 10.0, 1.75), degraded=Degraded.NO_MAP
    )
    plan = pipeline.plan(scene, pipeline.build(config), 1)
    assert plan.scores is not None and plan.scores.scorers[-1] == "calm" and plan.scores.weight[-1] == 6.0
    raw = np.maximum(plan.trajectory.speed - 3.0, 0.0).mean()
    assert plan.scores.raw[plan.index, -1] == pytest.approx(raw)
    assert plan.scores.score[plan.index, -1] == pytest.approx(max(1.0 - raw / 3.0, 0.0))
