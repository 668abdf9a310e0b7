"""The rows as bars, one panel for each task."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from measure import Row

mpl.use("Agg")
import matplotlib.pyplot as plt

OURS, OTHERS = "#1f6f8b", "#b8b8b8"


def draw(rows: list[Row], path: Path) -> None:
    """Write the picture."""
    tasks = list(dict.fromkeys(row.task for row in rows))
    columns = 2
    lines = -(-len(tasks) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(11, 2.3 * lines), squeeze=False)
    for axis in axes.flat[len(tasks) :]:
        axis.remove()
    for axis, task in zip(axes.flat, tasks, strict=False):
        panel(axis, task, [row for row in rows if row.task == task])
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def panel(axis: plt.Axes, task: str, rows: list[Row]) -> None:
    """Medians as bars, quartiles as whiskers, targets as lines."""
    medians = [row.median for row in rows]
    spread = [
        [row.median - row.low for row in rows],
        [row.high - row.median for row in rows],
    ]
    colours = [OURS if "stepwell" in row.contender else OTHERS for row in rows]
    axis.barh(range(len(rows)), medians, xerr=spread, color=colours, ecolor="#444444")
    axis.set_yticks(range(len(rows)), [row.contender for row in rows], fontsize=8)
    axis.invert_yaxis()
    axis.set_title(f"{task} ({rows[0].unit})", fontsize=9)
    for place, row in enumerate(rows):
        axis.annotate(f" {row.median:.3g}", (row.high, place), va="center", fontsize=7)
        if row.target is not None:
            base = next((r.median for r in rows if r.contender == row.against), 1.0)
            at = row.target * base
            axis.plot([at, at], [place - 0.45, place + 0.45], color="#c0392b", linewidth=1.5)
    axis.margins(x=0.15)
