"""Which network is trained."""

from __future__ import annotations

from typing import Literal

from torch import nn

from behaviors_ros.learning.model import Forecaster, ModelParameters
from behaviors_ros.learning.residual import Residual, ResidualParameters
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.prediction.learned_features import FeatureSchema


class NetworkParameters(Parameters):
    """The network and its size."""

    kind: Literal["residual", "rollout"] = value(
        "residual", "residual: beside the future of physics; rollout: behind the queue by a corrected law"
    )
    residual: ResidualParameters = ResidualParameters()
    rollout: ModelParameters = ModelParameters()


def network(schema: FeatureSchema, values: NetworkParameters) -> nn.Module:
    """A network before training."""
    if values.kind == "rollout":
        return Forecaster(schema, values.rollout)
    return Residual(schema, values.residual)
