"""stepwell's contenders of `cpu.py` that work in blocks: sum, scan, histogram, bitonic sort."""

from __future__ import annotations

from typing import Any

import numpy as np
from cpu_common import Inputs, Prepare, Prepared, ceil, kernel, zeros
from cpu_tasks import BINS

import stepwell as sw

MOST_BLOCKS = 64
"""More blocks would only begin and end more often."""


@kernel()
def ask_lanes(out):
    out[0] = sw.subgroup_size()


def _lanes() -> int:
    """How many threads of a block work together."""
    found = np.zeros(1, np.int32)
    ask_lanes[1, 1](found)
    return int(found[0])


LANES = _lanes()
THREADS = 64


@kernel(fastmath="reassoc", block=THREADS)
def add_up(x, total, each):
    """Each block adds up so many values."""
    first, t = sw.block_id(0) * each, sw.thread_id(0)
    own = 0.0
    for i in range(first + t, min(first + each, x.shape[0]), THREADS):
        own += x[i]
    sw.atomic_add(total, 0, own)


def _prepare_sum(given: Inputs) -> Prepared:
    x, total = given["x"], zeros(given, (1,))
    each = max(1 << 14, ceil(x.size, MOST_BLOCKS))
    launch = add_up[ceil(x.size, each), THREADS]

    def run() -> None:
        total[0] = 0
        launch(x, total, each)

    return run, total


PIECE = LANES * 256


@kernel(fastmath="reassoc", block=THREADS)
def piece_totals(x, totals):
    """Each block adds up a piece of the values."""
    piece, t = sw.block_id(0), sw.thread_id(0)
    own = 0.0
    for i in range(piece * PIECE + t, min((piece + 1) * PIECE, x.shape[0]), THREADS):
        own += x[i]
    sw.atomic_add(totals, piece, own)


@kernel()
def sums_before(totals):
    """Each total becomes the sum of those before it."""
    before = 0.0
    for k in range(totals.shape[0]):
        total = totals[k]
        totals[k] = before
        before += total


@kernel(block=LANES)
def scan_pieces(x, out, totals):
    """A subgroup goes through each piece."""
    piece = sw.block_id(0)
    before = totals[piece]
    for start in range(piece * PIECE, (piece + 1) * PIECE, LANES):
        i = start + sw.thread_id(0)
        value = x[i] if i < x.shape[0] else 0.0
        sums = before + sw.subgroup_inclusive_add(value)
        if i < x.shape[0]:
            out[i] = sums
        before = sw.shuffle(sums, LANES - 1)


def _prepare_scan(given: Inputs) -> Prepared:
    x = given["x"]
    totals = zeros(given, (ceil(x.size, PIECE),), name="totals")
    out = zeros(given, x.shape)
    first, second = piece_totals[totals.size, THREADS], sums_before[1, 1]
    third = scan_pieces[totals.size, LANES]

    def run() -> None:
        totals[:] = 0
        first(x, totals)
        second(totals)
        third(x, out, totals)

    return run, out


@kernel(block=LANES)
def histogram(x, bins, each):
    """A histogram in shared memory for so many values, added to the one of all; a subgroup goes
    through them."""
    t = sw.thread_id(0)
    own = sw.shared((BINS,), sw.i32)
    for b in range(t, BINS, LANES):
        own[b] = 0
    sw.barrier()
    first = sw.block_id(0) * each
    for i in range(first + t, min(first + each, x.shape[0]), LANES):
        sw.atomic_add(own, x[i], 1)
    sw.barrier()
    for b in range(t, BINS, LANES):
        sw.atomic_add(bins, b, own[b])


def _prepare_histogram(given: Inputs) -> Prepared:
    x, bins = given["x"], zeros(given, (BINS,), np.int32)
    each = max(1 << 16, ceil(x.size, MOST_BLOCKS))
    launch = histogram[ceil(x.size, each), LANES]

    def run() -> None:
        bins[:] = 0
        launch(x, bins, each)

    return run, bins


EACH = 8
TILE = LANES * EACH
BETWEEN_LANES = tuple(1 << k for k in reversed(range(LANES.bit_length() - 1)))
BETWEEN_OWN = (4, 2, 1)
BETWEEN_PARTS = (8, 4, 2, 1)


def exchange(own, apart, count):
    """Order the values of a thread that are so far apart."""
    for r in sw.unroll(range(count)):
        if r & apart == 0:
            low = min(own[r], own[r + apart])
            own[r + apart] = max(own[r], own[r + apart])
            own[r] = low


def exchange_with_lanes(own, distance):
    """Order values of lanes that are so far apart: the lower lane keeps the smaller one."""
    is_lower = sw.lane_id() & distance == 0
    for r in sw.unroll(range(EACH)):
        other = sw.shuffle_xor(own[r], distance)
        own[r] = min(own[r], other) if is_lower else max(own[r], other)


def turn(own, first, size):
    """Where a part is to descend its values have the other sign."""
    for r in sw.unroll(range(EACH)):
        own[r] = -own[r] if (first + r * LANES) & size != 0 else own[r]


@kernel(block=LANES)
def bitonic_tiles(x, size, last):
    """Steps at distances within a tile, for sizes up to `last`; each lane has EACH values."""
    first = sw.block_id(0) * TILE + sw.thread_id(0)
    own = sw.local((EACH,), sw.f32)
    for r in sw.unroll(range(EACH)):
        own[r] = x[first + r * LANES]
    while size <= last:
        turn(own, first, size)
        for apart in sw.unroll(BETWEEN_OWN):
            if apart * LANES < size:
                exchange(own, apart, EACH)
        for distance in sw.unroll(BETWEEN_LANES):
            if distance < size:
                exchange_with_lanes(own, distance)
        turn(own, first, size)
        size *= 2
    for r in sw.unroll(range(EACH)):
        x[first + r * LANES] = own[r]


@kernel()
def bitonic_steps(x, distance, size, count: sw.Const):
    """Steps at several distances, down to `distance`, with `count` values in each thread."""
    first = sw.global_id(0) * (count * distance) + sw.global_id(1)
    sign = 1.0 if first & size == 0 else -1.0
    own = sw.local((count,), sw.f32)
    for r in sw.unroll(range(count)):
        own[r] = x[first + r * distance] * sign
    for apart in sw.unroll(BETWEEN_PARTS):
        if apart < count:
            exchange(own, apart, count)
    for r in sw.unroll(range(count)):
        x[first + r * distance] = own[r] * sign


def _bitonic_launches(count: int) -> list[tuple[Any, tuple[int, ...]]]:
    """Launches with their arguments after the array, in order."""
    tiles = bitonic_tiles[count // TILE, LANES]
    launches: list[tuple[Any, tuple[int, ...]]] = [(tiles, (2, TILE))]
    size = 2 * TILE
    while size <= count:
        distance = size
        while distance > TILE:
            parts = min(2 * BETWEEN_PARTS[0], distance // TILE)
            distance //= parts
            steps = bitonic_steps.over((count // (parts * distance), distance))
            launches.append((steps, (distance, size, parts)))
        launches.append((tiles, (size, size)))
        size *= 2
    return launches


def _prepare_sort(given: Inputs) -> Prepared:
    x = given["x"]
    out = zeros(given, x.shape)
    launches = _bitonic_launches(x.size)

    def run() -> None:
        out[:] = x
        for launch, arguments in launches:
            launch(out, *arguments)

    return run, out


PREPARE: dict[str, Prepare] = {
    "sum": _prepare_sum,
    "scan": _prepare_scan,
    "histogram": _prepare_histogram,
    "bitonic sort": _prepare_sort,
}
