"""The dialects that the controls bridge may speak besides our own trajectory and nav_msgs/Path."""

from __future__ import annotations

from behaviors_ros.parameters import Parameters
from behaviors_ros.ros.dialects.autoware_planning_factors import AutowarePlanningFactors, PlanningFactorsParameters
from behaviors_ros.ros.dialects.autoware_trajectory import AutowareTrajectory, AutowareTrajectoryParameters
from behaviors_ros.ros.dialects.interface import Dialect
from behaviors_ros.ros.dialects.nav2_follow_path import Nav2FollowPath, Nav2FollowPathParameters
from behaviors_ros.ros.dialects.nav_trajectory import NavTrajectory, NavTrajectoryParameters

TRAJECTORY_OUTPUTS: dict[str, type[Dialect]] = {
    cls.name: cls for cls in (AutowareTrajectory, NavTrajectory, Nav2FollowPath, AutowarePlanningFactors)
}


class TrajectoryDialects(Parameters):
    """Parameters of the dialects, by name; they count where `outputs` names the dialect."""

    autoware_trajectory: AutowareTrajectoryParameters = AutowareTrajectoryParameters()
    nav_trajectory: NavTrajectoryParameters = NavTrajectoryParameters()
    nav2_follow_path: Nav2FollowPathParameters = Nav2FollowPathParameters()
    autoware_planning_factors: PlanningFactorsParameters = PlanningFactorsParameters()
