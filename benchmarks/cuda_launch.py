"""The host's part of a CUDA launch, over a driver that returns at once: microseconds of Python.

    python benchmarks/cuda_launch.py

Needs no GPU: the kernels are loaded by the driver of the tests, whose launch is then replaced by
one that does nothing. A real launch takes longer by what `cuLaunchKernel` and cuda.bindings take.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from timeit import repeat
from typing import Any

import numpy as np

import stepwell as sw

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

LAUNCHES, REPEATS = 1500, 15


def saxpy(a, x, y):
    i = sw.global_id(0)
    y[i] = a * x[i] + y[i]


def open_device() -> Any:
    """A device whose launches do nothing, once they were bound."""
    from oracles.cuda_driver.device import open_simulated

    return open_simulated()


def microseconds(device: Any, run: Callable[[], object]) -> float:
    """The quickest of several rows of launches; what can report is collected between them."""
    run()
    for bound in device.core.default.launchers.values():
        bound.__self__.start = lambda place, extra: (0,)
        bound.__self__.current = lambda number=device.core.context.number: (0, number)
    taken = repeat(run, setup=device.synchronize, number=LAUNCHES, repeat=REPEATS)
    return min(taken) / LAUNCHES * 1e6


def main() -> None:
    """Print the table."""
    device = open_device()
    x, y = (device.array(np.ones(1000, np.float32)) for _ in range(2))
    a = np.float32(2)
    for name, checks in (("no checks", False), ("checked, with a report buffer", True)):
        kernel = sw.kernel(checks=checks)(saxpy)
        bound = kernel.over(1000, device=device)
        for text, run in (
            ("launch(a, x, y)", lambda bound=bound: bound(a, x, y)),
            ("kernel.over(n)(a, x, y)", lambda k=kernel: k.over(1000, device=device)(a, x, y)),
        ):
            print(f"{name:<30} {text:<24} {microseconds(device, run):6.2f} µs")


if __name__ == "__main__":
    main()
