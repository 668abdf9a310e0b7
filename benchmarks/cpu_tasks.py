"""The tasks of `cpu.py`: their inputs, and what comes out of them in float64.

Sizes are one that stays in the cache and one that does not (for tasks that only compute: a small
and a large one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Inputs = dict[str, Any]

STEPS = 200
BINS = 256
A = np.float32(0.5)


@dataclass(frozen=True)
class Task:
    """`make(rng, size)` gives the inputs, `expected(inputs)` the output; `rtol` of the largest."""

    name: str
    sizes: tuple[int, int]
    make: Callable[[np.random.Generator, int], Inputs]
    expected: Callable[[Inputs], Array]
    rtol: float = 1e-5
    # Of how many values a share may differ, where rounding decides (the edge of a fractal).
    share: float = 0.0


def _vector(rng: np.random.Generator, size: int) -> Inputs:
    return {"x": rng.random(size, dtype=np.float32)}


def _square(rng: np.random.Generator, size: int) -> Inputs:
    return {"x": rng.random((size, size), dtype=np.float32)}


def _rows(rng: np.random.Generator, size: int) -> Inputs:
    return {"x": rng.standard_normal((size, 1024), dtype=np.float32)}


def _saxpy(rng: np.random.Generator, size: int) -> Inputs:
    return {"x": rng.random(size, dtype=np.float32), "y": np.ones(size, np.float32)}


def _stencil(given: Inputs) -> Array:
    x = given["x"].astype(np.float64)
    out = np.zeros_like(x)
    around = x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:]
    out[1:-1, 1:-1] = 0.5 * x[1:-1, 1:-1] + 0.125 * around
    return out


def _softmax(given: Inputs) -> Array:
    x = given["x"].astype(np.float64)
    powers = np.exp(x - x.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def _layernorm(given: Inputs) -> Array:
    x = given["x"].astype(np.float64)
    return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)


def _bytes(rng: np.random.Generator, size: int) -> Inputs:
    return {"x": rng.integers(0, BINS, size).astype(np.uint8)}


def _window(rng: np.random.Generator, size: int) -> Inputs:
    return {"size": size, "pixel": np.float32(3 / size)}


def _fractal(given: Inputs) -> Array:
    """In f32, as everybody computes it: what rounding decides may differ."""
    size, pixel = given["size"], given["pixel"]
    side = np.arange(size, dtype=np.float32) * pixel
    cx = np.tile(np.float32(-2.2) + side, size)
    cy = np.repeat(np.float32(-1.5) + side, size)
    counts = np.zeros(size * size, np.int32)
    active, x, y = np.arange(counts.size), cx, cy
    for _ in range(STEPS):
        inside = x * x + y * y <= 4
        active, x, y, cx, cy = (part[inside] for part in (active, x, y, cx, cy))
        counts[active] += 1
        x, y = x * x - y * y + cx, np.float32(2) * x * y + cy
    return counts.reshape(size, size)


def _bodies(rng: np.random.Generator, size: int) -> Inputs:
    return {"x": rng.random((4, size), dtype=np.float32)}


def _nbody(given: Inputs) -> Array:
    """The accelerations of some bodies: all of them would take too long here."""
    x = given["x"].astype(np.float64)
    out = np.zeros((3, x.shape[1]))
    for start in range(0, x.shape[1], 256):
        part = slice(start, start + 256)
        d = x[:3, None, :] - x[:3, part, None]
        inverse = (d * d).sum(0) + 1e-4
        out[:, part] = (d * (x[3] * inverse**-1.5)).sum(2)
    return out


def _options(rng: np.random.Generator, size: int) -> Inputs:
    price = 5 + 25 * rng.random(size, dtype=np.float32)
    strike = 1 + 99 * rng.random(size, dtype=np.float32)
    years = np.float32(0.25) + np.float32(9.75) * rng.random(size, dtype=np.float32)
    return {"price": price, "strike": strike, "years": years}


def _black_scholes(given: Inputs) -> Array:
    s, k, t = (given[name].astype(np.float64) for name in ("price", "strike", "years"))
    root = 0.3 * np.sqrt(t)
    d1 = (np.log(s / k) + (0.02 + 0.045) * t) / root
    return s * _normal(d1) - k * np.exp(-0.02 * t) * _normal(d1 - root)


def _normal(x: Array) -> Array:
    """Abramowitz and Stegun 26.2.17, which all contenders compute."""
    k = 1 / (1 + 0.2316419 * np.abs(x))
    sums = 1.330274429
    for c in (-1.821255978, 1.781477937, -0.356563782, 0.319381530):
        sums = sums * k + c
    tail = np.exp(-x * x / 2) * 0.3989422804014327 * sums * k
    return np.where(x < 0, tail, 1 - tail)


def _filtered(rng: np.random.Generator, size: int) -> Inputs:
    return {**_square(rng, size), "w": rng.random((3, 3), dtype=np.float32)}


def _convolve(given: Inputs) -> Array:
    x, w = given["x"].astype(np.float64), given["w"].astype(np.float64)
    out = np.zeros_like(x)
    height, width = x.shape
    for i in range(3):
        for j in range(3):
            out[1:-1, 1:-1] += w[i, j] * x[i : height - 2 + i, j : width - 2 + j]
    return out


def _factors(rng: np.random.Generator, size: int) -> Inputs:
    return {name: rng.random((size, size), dtype=np.float32) for name in ("a", "b")}


def _batch(rng: np.random.Generator, size: int) -> Inputs:
    return {name: rng.random((size, 64, 64), dtype=np.float32) for name in ("a", "b")}


def _product(given: Inputs) -> Array:
    return np.matmul(given["a"].astype(np.float64), given["b"].astype(np.float64))


def sorting_steps(count: int) -> Iterator[tuple[int, int]]:
    """Distance of what is compared, and size of what is sorted, in each step of a bitonic sort."""
    size = 2
    while size <= count:
        distance = size // 2
        while distance:
            yield distance, size
            distance //= 2
        size *= 2


TASKS = (
    Task("saxpy", (1 << 16, 1 << 25), _saxpy, lambda g: A * g["x"].astype(np.float64) + g["y"]),
    Task("exp", (1 << 16, 1 << 25), _vector, lambda g: np.exp(g["x"].astype(np.float64))),
    Task("stencil", (512, 4096), _square, _stencil),
    Task("softmax", (128, 4096), _rows, _softmax),
    Task("layernorm", (128, 4096), _rows, _layernorm),
    Task(
        "sum",
        (1 << 17, 1 << 26),
        _vector,
        lambda g: g["x"].sum(keepdims=True, dtype=np.float64),
        rtol=1e-4,
    ),
    Task(
        "scan",
        (1 << 17, 1 << 24),
        _vector,
        lambda g: np.cumsum(g["x"], dtype=np.float64),
        rtol=1e-2,
    ),
    Task(
        "histogram",
        (1 << 17, 1 << 24),
        _bytes,
        lambda g: np.bincount(g["x"], minlength=BINS),
        rtol=0,
    ),
    Task("transpose", (512, 4096), _square, lambda g: g["x"].T, rtol=0),
    Task("fractal", (256, 2048), _window, _fractal, rtol=0, share=0.01),
    Task("nbody", (1024, 16384), _bodies, _nbody, rtol=1e-3),
    Task("black-scholes", (1 << 16, 1 << 24), _options, _black_scholes, rtol=1e-4),
    Task("convolution", (512, 2048), _filtered, _convolve),
    Task("matmul", (256, 1024), _factors, _product),
    Task("batched matmul", (16, 1024), _batch, _product),
    Task("bitonic sort", (1 << 14, 1 << 20), _vector, lambda g: np.sort(g["x"]), rtol=0),
)


def is_right(task: Task, inputs: Inputs, found: Array) -> bool:
    """Whether an output is what the task's float64 says, but for rounding."""
    expected = task.expected(inputs)
    if found.shape != expected.shape:
        return False
    if task.rtol == 0:
        return float(np.mean(found != expected)) <= task.share
    largest = float(np.abs(expected).max()) or 1.0
    return float(np.abs(found - expected).max()) <= task.rtol * largest
