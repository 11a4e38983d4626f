"""The data path as one function: Scene -> Plan. Planning nodes run one line of it each; simulation and evaluation run all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from behaviors_ros import registry
from behaviors_ros.datatypes import Candidates, Grid, Plan, Predictions, Scene, Scores, rounded
from behaviors_ros.generation.generate import generate
from behaviors_ros.generation.interface import Generator
from behaviors_ros.parameters import Vehicle, validated
from behaviors_ros.prediction.interface import Predictor
from behaviors_ros.scoring.interface import Gate, Scorer
from behaviors_ros.scoring.score import score
from behaviors_ros.scoring.select import Selection, select


@dataclass(frozen=True)
class Stages:
    """The plugins and parameters of the data path."""

    grid: Grid
    vehicle: Vehicle
    predictor: Predictor
    generators: tuple[Generator, ...]
    gates: tuple[Gate, ...]
    scorers: tuple[Scorer, ...]
    selection: Selection
