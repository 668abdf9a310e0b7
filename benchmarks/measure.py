"""Rounds in which contenders take turns, and what comes out of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any


@dataclass(frozen=True)
class Row:
    """One contender in one task: times in `unit`, and what the task aims at.

    `target` is the largest ratio to `against` (or, where that is empty, the largest value) that is
    wanted of stepwell; None for the others.
    """

    task: str
    contender: str
    unit: str
    median: float
    low: float
    high: float
    rounds: int
    correct: bool = True
    against: str = ""
    ratio: float | None = None
    target: float | None = None

    def line(self) -> str:
        """As text."""
        text = f"{self.task:<28} {self.contender:<24} {self.median:10.3f} {self.unit}"
        text += f"  ({self.low:.3f} to {self.high:.3f})"
        if self.ratio is not None:
            text += f"  {self.ratio:.2f} x {self.against}"
        if self.target is not None:
            reached = (self.ratio if self.against else self.median) or 0
            text += f"  target {self.target:g}: {'yes' if reached <= self.target else 'NO'}"
        return text if self.correct else f"{text}  WRONG RESULT"


Task = Callable[[bool], list[Row]]


def interleaved(contenders: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each contender in each round; the order turns from round to round."""
    names = list(contenders)
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            start = perf_counter()
            contenders[name]()
            times[name].append(perf_counter() - start)
    return times


def rows_of(
    task: str,
    times: dict[str, list[float]],
    *,
    unit: str,
    scale: float,
    correct: dict[str, bool] | None = None,
    against: str = "",
    targets: dict[str, float] | None = None,
) -> list[Row]:
    """One row for each contender; `scale` turns seconds into the unit."""
    rows: list[Row] = []
    base = statistics.median(times[against]) if against else 0.0
    for name, seconds in times.items():
        median = statistics.median(seconds)
        low, _, high = statistics.quantiles(seconds, n=4) if len(seconds) > 1 else (median,) * 3
        target = (targets or {}).get(name)
        rows.append(
            Row(
                task=task,
                contender=name,
                unit=unit,
                median=median * scale,
                low=low * scale,
                high=high * scale,
                rounds=len(seconds),
                correct=(correct or {}).get(name, True),
                against=against if name != against else "",
                ratio=median / base if against and name != against else None,
                target=target,
            )
        )
    return rows
