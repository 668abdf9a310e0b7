"""What a launch of a tiny kernel costs from Python, in microseconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from measure import Row, interleaved, rows_of

import stepwell as sw

COUNT = 2000
SIZE = 16


@sw.kernel
def add_one(x):
    i = sw.global_id(0)
    x[i] += 1.0


@numba.njit(fastmath=True)
def numba_add_one(x):
    for i in range(x.shape[0]):
        x[i] += np.float32(1)


def measure_launches(quick: bool) -> list[Row]:
    """Thousands of launches in a row; per launch."""
    count, rounds = (200, 3) if quick else (COUNT, 15)
    device = sw.device("cpu")
    arrays = {name: np.zeros(SIZE, np.float32) for name in ("stepwell", "over", "numba", "numpy")}
    on_device = device.zeros(SIZE, "f32")
    bound = add_one.over(SIZE, device=device)

    def repeat(one: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(count):
                one()

        return run

    contenders = {
        "stepwell, device arrays": repeat(lambda: bound(on_device)),
        "stepwell, NumPy arrays": repeat(lambda: bound(arrays["stepwell"])),
        "stepwell, over() each time": repeat(lambda: add_one.over(SIZE)(arrays["over"])),
        "numba": repeat(lambda: numba_add_one(arrays["numba"])),
        "numpy": repeat(lambda: np.add(arrays["numpy"], 1, out=arrays["numpy"])),
    }
    interleaved(contenders, 1)
    times = interleaved(contenders, rounds)
    expected = count * (rounds + 1)
    found = [on_device.numpy(), *arrays.values()]
    correct = {
        name: bool((array == expected).all()) for name, array in zip(contenders, found, strict=True)
    }
    return rows_of(
        "launch",
        times,
        unit="us",
        scale=1e6 / count,
        correct=correct,
        targets={"stepwell, device arrays": 5, "stepwell, NumPy arrays": 10},
    )
