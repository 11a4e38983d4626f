"""Fitted weights as a profile: a ROS parameter file of the scoring node."""

from __future__ import annotations

from behaviors_ros.learning.weights import Fit, Quality, delay_s

NODE = "/behaviors/trajectory_scoring"


def profile_text(found: Fit, before: Quality, after: Quality, sources: str) -> str:
    """YAML with the fitted weights, each with its interval and the weight before; held-out figures in the head."""
    head = [
        f"# Weights fitted by `behaviors weights fit` to {sources}.",
        f"# On {after.choices} held-out choices, before and after: log-likelihood {before.likelihood:.3f} and "
        f"{after.likelihood:.3f}, the chosen is the best in {before.best:.1%} and {after.best:.1%}.",
        f"{NODE}:",
        "  ros__parameters:",
    ]
    names = ", ".join(f'"{name}"' for name in found.scorers)
    lines = [f"    scorers: [{names}]"]
    for k, name in enumerate(found.scorers):
        interval = f"[{found.low[k]:.2f}, {found.high[k]:.2f}]"
        worth = ""
        if "progress" in found.scorers and name != "progress":
            progress = float(found.weight[found.scorers.index("progress")])
            worth = f"; 0.1 less: {delay_s(0.1, float(found.weight[k]), progress):.2f} s"
        weight = f"      weight: {found.weight[k]:.3f}  # {interval}, before {found.prior[k]:g}{worth}"
        lines += [f"    {name}:", weight]
    return "\n".join([*head, *lines]) + "\n"
