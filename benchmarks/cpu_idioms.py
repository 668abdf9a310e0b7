"""Kernels as they are written for GPUs, on the CPU, beside loops in C: where it falls behind.

    python benchmarks/cpu_idioms.py [NAMES]

Both in one process, on the same inputs, with the threads that each takes by itself, checks on; C
with `-O3 -march=native -ffast-math -fopenmp`. Medians and quartiles of rounds; each has several
turns, and runs a while before it is timed. Results are compared. Writes
`benchmarks/results/cpu_idioms-<processor>-<date>.json` where all were run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from time import perf_counter, sleep
from typing import Any, NamedTuple

import cpu_idiom_kernels as kernels
import numpy as np
from c_library import call, library
from machine import short_name
from measure import Row, rows_of
from record import record

Array = np.ndarray[Any, Any]
Launch = Callable[..., Any]
VISITS, ROUNDS = 3, 7
REST_SECONDS, WARM_SECONDS, ROUND_SECONDS = 0.05, 0.15, 0.01
MANY = 1 << 20
FUNCTIONS, COMPILER = library("cpu_idioms.c")


class Idiom(NamedTuple):
    """A launch, what C is called with before the arrays, the inputs, and the output of each.

    `sums` says that a launch adds to what is in the output; `slack`, by how much results may differ
    beside a thousandth.
    """

    name: str
    launch: Launch
    function: str
    sizes: tuple[int, ...]
    inputs: tuple[Any, ...]
    out: Array
    slack: float = 1e-3
    sums: bool = False
    scalars: tuple[Any, ...] = ()


def idioms() -> list[Idiom]:
    """All of them, with inputs."""
    rng = np.random.default_rng(0)
    return [*of_matrices(rng), *of_pictures(rng), *of_lines(rng)]


def of_matrices(rng: np.random.Generator) -> list[Idiom]:
    """Products, and what moves matrices."""
    k, f32 = kernels, partial(rng.random, dtype=np.float32)
    square, wide, row = f32((512, 512)), f32((1024, 1024)), f32(1024)
    small = rng.integers(-128, 128, (1024, 1024), np.int8)
    rows, each = 100_000, 16
    begins = (np.arange(rows + 1) * each).astype(np.int32)
    columns = rng.integers(0, rows, rows * each, np.int32)
    tiles, threads = (32, 32), (k.TILE, k.TILE)
    products = [
        ("product", k.product),
        ("tiled product", k.tiled_product),
        ("turns product", k.turns_product),
    ]
    by_rows = [
        ("times", k.times.over(1024)),
        ("block times", k.block_times[1024, k.THREADS]),
        ("subgroup times", k.subgroup_times[1024, k.THREADS]),
    ]
    return [
        *(
            idiom(name, made[tiles, threads], (512,), square, square, zeros(512, 512), c="product")
            for name, made in products
        ),
        idiom(
            *("sparse", k.sparse.over(rows), (rows,)),
            *(begins, columns, f32(rows * each), f32(rows), zeros(rows)),
        ),
        idiom(
            *("bytes times", k.bytes_times.over(1024), (1024, 1024)),
            *(small, small[0].copy(), zeros(1024, dtype=np.int32)),
            c="bytes_times",
        ),
        *(
            idiom(name, launch, (1024, 1024), wide, row, zeros(1024), c="times")
            for name, launch in by_rows
        ),
        idiom("turned", k.turned[(32, 32), (32, 8)], (1024,), wide, zeros(1024, 1024)),
    ]


def of_pictures(rng: np.random.Generator) -> list[Idiom]:
    """Neighbours and pixels."""
    k, f32 = kernels, partial(rng.random, dtype=np.float32)
    pixels = rng.integers(0, 256, (MANY, 3), np.uint8)
    planes = np.ascontiguousarray(pixels.T)
    cells = rng.integers(0, 2, (1024, 1024), np.uint8)
    cube = f32((128, 128, 128))
    gray, resized = zeros(MANY, dtype=np.uint8), zeros(1500, 1500)
    blurred = zeros(1024, 1024)
    sizes = (1000, 1000, 1500, 1500)
    return [
        idiom("heat", k.heat.over(cube.shape), (128,), cube, np.zeros_like(cube)),
        idiom("gray", k.gray.over(MANY), (MANY,), pixels, gray, slack=1),
        idiom("planes", k.planes.over(MANY), (MANY,), planes, gray.copy(), slack=1),
        idiom("blur", k.blur[(64, 64), (k.TILE, k.TILE)], (1024,), f32((1026, 1026)), blurred),
        idiom("life", k.life.over(cells.shape), (1024,), cells, np.zeros_like(cells)),
        idiom("resize", k.resize.over(resized.shape), sizes, f32((1000, 1000)), resized),
    ]


def of_lines(rng: np.random.Generator) -> list[Idiom]:
    """What goes along one axis."""
    k, f32 = kernels, partial(rng.random, dtype=np.float32)
    line, index = f32(MANY), rng.integers(0, MANY, MANY, np.int32)
    players, length, clouds = 1 << 14, MANY - k.THREADS, 1 << 18
    by_tiles = k.tile_window[length // k.THREADS, k.THREADS]
    windows = [("window", k.window.over(length)), ("tile window", by_tiles)]
    inside, at = zeros(players, dtype=np.int32), zeros(clouds, dtype=np.int32)
    points, centres = f32((clouds, 2)), f32((64, 2))
    return [
        *(
            idiom(name, launch, (length, 33), line, f32(33), zeros(length), c="window")
            for name, launch in windows
        ),
        idiom(
            *("distance", k.distance.over(MANY), (MANY,)),
            *(f32((MANY, 3)), f32((MANY, 3)), zeros(MANY)),
        ),
        idiom(*("darts", k.darts.over(players), (players, 256), inside), scalars=(256,), slack=1),
        idiom("nearest", k.nearest.over(clouds), (clouds, 64), points, centres, at),
        idiom("gather", k.gather.over(MANY), (MANY,), index, line, zeros(MANY)),
        idiom("inner", k.inner[32, k.THREADS], (MANY,), line, f32(MANY), zeros(1), sums=True),
        idiom("largest", k.largest[8, 64], (MANY,), line, zeros(1)),
    ]


def idiom(
    name: str, launch: Launch, sizes: tuple[int, ...], *arrays: Any, c: str = "", **facts: Any
) -> Idiom:
    """One whose function in C has the same name, or another; the output is the last array."""
    *inputs, out = arrays
    return Idiom(name, launch, c or name, sizes, tuple(inputs), out, **facts)


def zeros(*shape: int, dtype: Any = np.float32) -> Array:
    """An output."""
    return np.zeros(shape, dtype)


def measure(one: Idiom) -> list[Row]:
    """Rows of both."""
    theirs = np.zeros_like(one.out)
    c = call(FUNCTIONS, one.function, *one.sizes, *one.inputs, theirs)

    def ours() -> None:
        if one.sums:
            one.out[:] = 0
        one.launch(*one.scalars, *one.inputs, one.out)

    ours()
    c()
    found, wanted = one.out.astype(np.float64), theirs.astype(np.float64)
    correct = np.allclose(found, wanted, rtol=1e-3, atol=one.slack)
    runs = {"stepwell": ours, "c": c}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(VISITS):
        for name, run in runs.items():
            times[name] += _seconds(run)
    right = {"stepwell": correct}
    return rows_of(one.name, times, unit="us", scale=1e6, correct=right, against="c")


def _seconds(run: Callable[[], None]) -> list[float]:
    """What a run takes in some rounds, when the threads of others sleep and its own do not."""
    sleep(REST_SECONDS)
    count, end = 0, perf_counter() + WARM_SECONDS
    while perf_counter() < end:
        run()
        count += 1
    count = max(1, int(count * ROUND_SECONDS / WARM_SECONDS))
    times: list[float] = []
    for _ in range(ROUNDS):
        start = perf_counter()
        for _ in range(count):
            run()
        times.append((perf_counter() - start) / count)
    return times


def main() -> int:
    """Measure what was asked for; 1 if a result was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="of idioms; all by default")
    wanted: list[str] = parser.parse_args().names
    rows: list[Row] = []
    for one in idioms():
        if not wanted or one.name in wanted:
            made = measure(one)
            print(made[0].line(), flush=True)
            rows += made
    if not wanted:
        record(f"cpu_idioms-{short_name()}", rows, tools={"c": COMPILER})
    return 0 if all(row.correct for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
