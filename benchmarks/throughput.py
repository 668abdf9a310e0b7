"""saxpy, a 5-point stencil and a fractal: whole arrays, warm code, beside Numba and NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from measure import Row, interleaved, rows_of

import stepwell as sw

Array = np.ndarray[Any, Any]
NUMBA = {"parallel": True, "fastmath": True}
STEPS = 200


@sw.kernel
def saxpy(a, x, y):
    i = sw.global_id(0)
    if i < y.shape[0]:
        y[i] = a * x[i] + y[i]


@sw.kernel(fastmath=True)
def saxpy_fast(a, x, y):
    i = sw.global_id(0)
    if i < y.shape[0]:
        y[i] = a * x[i] + y[i]


@numba.njit(**NUMBA)
def numba_saxpy(a, x, y):
    for i in numba.prange(y.shape[0]):
        y[i] = a * x[i] + y[i]


@sw.kernel
def stencil(x, out):
    i, j = sw.global_id(0), sw.global_id(1)
    if 0 < i < x.shape[0] - 1 and 0 < j < x.shape[1] - 1:
        around = x[i - 1, j] + x[i + 1, j] + x[i, j - 1] + x[i, j + 1]
        out[i, j] = 0.5 * x[i, j] + 0.125 * around


@numba.njit(**NUMBA)
def numba_stencil(x, out):
    for i in numba.prange(1, x.shape[0] - 1):
        for j in range(1, x.shape[1] - 1):
            around = x[i - 1, j] + x[i + 1, j] + x[i, j - 1] + x[i, j + 1]
            out[i, j] = np.float32(0.5) * x[i, j] + np.float32(0.125) * around


def numpy_stencil(x: Array, out: Array) -> None:
    half, eighth = np.float32(0.5), np.float32(0.125)
    around = x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:]
    out[1:-1, 1:-1] = half * x[1:-1, 1:-1] + eighth * around


@sw.kernel
def fractal(out, left, top, pixel, steps):
    i, j = sw.global_id(0), sw.global_id(1)
    cx, cy = left + np.float32(j) * pixel, top + np.float32(i) * pixel
    x, y = cx, cy
    count = 0
    while count < steps and x * x + y * y <= 4.0:
        x, y = x * x - y * y + cx, 2.0 * x * y + cy
        count += 1
    out[i, j] = count


@numba.njit(**NUMBA)
def numba_fractal(out, left, top, pixel, steps):
    two, four = np.float32(2), np.float32(4)
    for i in numba.prange(out.shape[0]):
        for j in range(out.shape[1]):
            cx, cy = left + np.float32(j) * pixel, top + np.float32(i) * pixel
            x, y = cx, cy
            count = 0
            while count < steps and x * x + y * y <= four:
                x, y = x * x - y * y + cx, two * x * y + cy
                count += 1
            out[i, j] = count


def numpy_fractal(out: Array, left: Any, top: Any, pixel: Any, steps: int) -> None:
    """Only the points that are still inside."""
    rows, columns = out.shape
    cx = np.tile(left + np.arange(columns, dtype=np.float32) * pixel, rows)
    cy = np.repeat(top + np.arange(rows, dtype=np.float32) * pixel, columns)
    counts = out.reshape(-1)
    counts[:] = 0
    active, x, y = np.arange(counts.size), cx, cy
    for _ in range(steps):
        inside = x * x + y * y <= 4
        active, x, y, cx, cy = (part[inside] for part in (active, x, y, cx, cy))
        counts[active] += 1
        x, y = x * x - y * y + cx, np.float32(2) * x * y + cy


def measure_throughput(quick: bool) -> list[Row]:
    """All three."""
    rounds = 3 if quick else 15
    return [
        *measure_saxpy(2**20 if quick else 2**24, rounds),
        *measure_stencil(512 if quick else 4096, rounds),
        *measure_fractal(128 if quick else 1024, 3 if quick else 9),
    ]


def measure_saxpy(size: int, rounds: int) -> list[Row]:
    x = np.random.default_rng(0).random(size, dtype=np.float32)
    device = sw.device("cpu")
    a, ys = np.float32(0.5), {}
    names = ("stepwell", "stepwell, device arrays", "numba", "numpy")
    ys = {name: np.ones_like(x) for name in names}
    spare = np.empty_like(x)
    on_device, y_device = device.array(x), device.array(ys["stepwell, device arrays"])
    bound = saxpy.over(size, device=device)

    def by_numpy() -> None:
        np.multiply(x, a, out=spare)
        np.add(spare, ys["numpy"], out=ys["numpy"])

    contenders: dict[str, Callable[[], Any]] = {
        "stepwell": lambda: bound(a, x, ys["stepwell"]),
        "stepwell, device arrays": lambda: bound(a, on_device, y_device),
        "numba": lambda: numba_saxpy(a, x, ys["numba"]),
        "numpy": by_numpy,
    }
    interleaved(contenders, 2)  # compile, touch all pages
    times = interleaved(contenders, rounds)
    ys["stepwell, device arrays"] = y_device.numpy()
    expected = 1 + (rounds + 2) * 0.5 * x.astype(np.float64)
    correct = {name: np.allclose(y, expected, rtol=1e-5) for name, y in ys.items()}
    return rows_of(
        f"saxpy {size} f32",
        times,
        unit="ms",
        scale=1e3,
        correct=correct,
        against="numba",
        targets={"stepwell": 1.3, "stepwell, device arrays": 1.3},
    )


def measure_stencil(size: int, rounds: int) -> list[Row]:
    x = np.random.default_rng(0).random((size, size), dtype=np.float32)
    names = ("stepwell", "numba", "numpy")
    outs = {name: np.zeros_like(x) for name in names}
    bound = stencil.over(x.shape, device="cpu")
    contenders: dict[str, Callable[[], Any]] = {
        "stepwell": lambda: bound(x, outs["stepwell"]),
        "numba": lambda: numba_stencil(x, outs["numba"]),
        "numpy": lambda: numpy_stencil(x, outs["numpy"]),
    }
    interleaved(contenders, 2)
    times = interleaved(contenders, rounds)
    correct = {name: np.allclose(out, outs["numpy"], rtol=1e-6) for name, out in outs.items()}
    return rows_of(
        f"stencil {size}x{size} f32",
        times,
        unit="ms",
        scale=1e3,
        correct=correct,
        against="numba",
        targets={"stepwell": 1.5},
    )


def measure_fractal(size: int, rounds: int) -> list[Row]:
    names = ("stepwell", "numba", "numpy")
    outs = {name: np.zeros((size, size), np.int32) for name in names}
    window = np.float32(-2.2), np.float32(-1.5), np.float32(3 / size)
    bound = fractal.over((size, size), device="cpu")
    contenders: dict[str, Callable[[], Any]] = {
        "stepwell": lambda: bound(outs["stepwell"], *window, STEPS),
        "numba": lambda: numba_fractal(outs["numba"], *window, STEPS),
        "numpy": lambda: numpy_fractal(outs["numpy"], *window, STEPS),
    }
    interleaved(contenders, 1)
    times = interleaved(contenders, rounds)
    # Numba's fastmath rounds differently, which shows at the edge of the set.
    correct = {
        "stepwell": bool(np.array_equal(outs["stepwell"], outs["numpy"])),
        "numba": float(np.mean(outs["numba"] != outs["numpy"])) < 0.01,
    }
    return rows_of(
        f"fractal {size}x{size}, {STEPS} steps",
        times,
        unit="ms",
        scale=1e3,
        correct=correct,
        against="numba",
        targets={"stepwell": 2.0},
    )
