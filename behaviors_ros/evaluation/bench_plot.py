"""Cost of a plan over agents and over candidates as one SVG picture, drawn without a plotting library."""

from __future__ import annotations

import math
from collections.abc import Sequence

from behaviors_ros.evaluation.bench_plan import PlanCost

WIDTH, HEIGHT, LEFT, BASE, PLOT_W, PLOT_H = 760, 330, 60, 270, 280, 220
COLORS = {"p50": "#1f6fb4", "p99": "#c4541d"}


def picture(over_agents: Sequence[PlanCost], over_candidates: Sequence[PlanCost]) -> str:
    """Two panels: the given rows over their agents, and over their candidates; p50, p99 and the straight line from the
    origin of the row axis through the last p50, which a linear growth without fixed cost would follow.
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        *_panel(LEFT, "agents", [(row.agents, row) for row in over_agents], _shared(over_agents, "candidates")),
        *_panel(
            LEFT + PLOT_W + 100, "candidates", [(row.candidates, row) for row in over_candidates],
            _shared(over_candidates, "agents"),
        ),
        "</svg>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def _shared(rows: Sequence[PlanCost], name: str) -> str:
    values = [getattr(row, name) for row in rows]
    return f"{min(values)} to {max(values)} {name}" if min(values) != max(values) else f"{values[0]} {name}"


def _panel(left: int, name: str, rows: list[tuple[int, PlanCost]], title: str) -> list[str]:
    """Axes, ticks, two lines of points, and the line of proportional growth."""
    rows = sorted(rows, key=lambda row: row[0])
    right, top = _round_up(max(x for x, _ in rows)), _round_up(max(row.p99_ms for _, row in rows))
    parts = [
        f'<text x="{left + PLOT_W / 2}" y="20" text-anchor="middle">CPU time of one plan, ms ({title})</text>',
        f'<text x="{left + PLOT_W / 2}" y="{BASE + 40}" text-anchor="middle">{name}</text>',
        f'<path d="M{left} {BASE - PLOT_H}V{BASE}H{left + PLOT_W}" fill="none" stroke="#444"/>',
    ]
    for k in range(5):
        x, y = left + PLOT_W * k / 4, BASE - PLOT_H * k / 4
        parts.append(f'<text x="{x}" y="{BASE + 18}" text-anchor="middle">{right * k / 4:g}</text>')
        parts.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{top * k / 4:g}</text>')
        parts.append(f'<path d="M{left} {y}h{PLOT_W}" stroke="#ddd"/>')

    def place(x: float, ms: float) -> tuple[float, float]:
        return round(left + PLOT_W * x / right, 1), round(BASE - PLOT_H * ms / top, 1)

    for number, (label, color) in enumerate(COLORS.items()):
        points = [place(x, getattr(row, f"{label}_ms")) for x, row in rows]
        line = " ".join(f"{x},{y}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{color}"/>' for x, y in points]
        parts.append(f'<text x="{left + 8}" y="{BASE - PLOT_H + 14 + 16 * number}" fill="{color}">{label}</text>')
    (x0, y0), (x1, y1) = place(0, 0.0), place(rows[-1][0], rows[-1][1].p50_ms)
    parts.append(f'<path d="M{x0} {y0}L{x1} {y1}" stroke="{COLORS["p50"]}" stroke-dasharray="4 4"/>')
    return parts


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 6, 8 times a power of ten, which quarters evenly."""
    power = 10.0 ** math.floor(math.log10(max(value, 1e-9)))
    return next(step * power for step in (1.0, 2.0, 4.0, 6.0, 8.0, 10.0) if step * power >= value)
