"""The dialects that the input adapter may hear."""

from __future__ import annotations

from behaviors_ros.parameters import Parameters
from behaviors_ros.ros.dialects.autoware_engagement import AutowareEngagement, AutowareEngagementParameters
from behaviors_ros.ros.dialects.autoware_predictions import AutowarePredictions, AutowarePredictionsParameters
from behaviors_ros.ros.dialects.autoware_route import AutowareRoute, AutowareRouteParameters
from behaviors_ros.ros.dialects.autoware_signals import AutowareSignals, AutowareSignalsParameters
from behaviors_ros.ros.dialects.autoware_tracks import AutowareTracks, AutowareTracksParameters
from behaviors_ros.ros.dialects.interface import Dialect
from behaviors_ros.ros.dialects.vision_boxes import VisionBoxes, VisionBoxesParameters

INPUTS: dict[str, type[Dialect]] = {
    cls.name: cls
    for cls in (AutowareTracks, AutowarePredictions, AutowareSignals, AutowareRoute, AutowareEngagement, VisionBoxes)
}


class InputDialects(Parameters):
    """Parameters of the dialects, by name; they count where `inputs` names the dialect."""

    autoware_tracks: AutowareTracksParameters = AutowareTracksParameters()
    autoware_predictions: AutowarePredictionsParameters = AutowarePredictionsParameters()
    autoware_signals: AutowareSignalsParameters = AutowareSignalsParameters()
    autoware_route: AutowareRouteParameters = AutowareRouteParameters()
    autoware_engagement: AutowareEngagementParameters = AutowareEngagementParameters()
    vision_boxes: VisionBoxesParameters = VisionBoxesParameters()
