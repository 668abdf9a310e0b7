"""Units of a launch on the CPU: the blocks that its code runs, which need not be the user's.

A kernel whose threads cannot tell in which block they are (`any_block` of its manifest) is one loop
over all threads, whatever blocks it is launched in. So the workers get pieces of it: as many as
they can share well, but none so small that calling it is what takes the time (20 ns each), and
whole vectors. What such a kernel reports is told with the user's blocks.
"""

from __future__ import annotations

from .artifact import Manifest
from .launch_shape import Dim3
from .report import Decoded

_PER_THREAD = 8
_LEAST, _MOST = 256, 4096
_MOST_STREAMED = 65536
"""Stores past the caches take a fifth to a quarter longer in shorter pieces (exp, a stencil)."""
_VECTORS = 64
"""Threads that are whole vectors of any type, two and more at once."""


def units_of(manifest: Manifest, grid: Dim3, block: Dim3, threads: int) -> tuple[Dim3, Dim3]:
    """The grid and block to run instead of these, for so many threads of the machine."""
    if not manifest.any_block or manifest.known_block is not None:
        return grid, block
    sizes = [blocks * size for blocks, size in zip(grid, block, strict=True)]
    fair = sizes[0] * sizes[1] * sizes[2] // (_PER_THREAD * threads)
    left = min(max(fair, _LEAST), _MOST_STREAMED if manifest.streams else _MOST)
    unit: list[int] = []
    for axis, (size, usual) in enumerate(zip(sizes, block, strict=True)):
        step = _VECTORS if axis == 0 else 1
        if axis >= manifest.block_rank:
            length = 1  # the code takes the ids of this axis for those of blocks
        elif manifest.over is not None:  # the code ends where the items do
            length = min(size, -(-left // step) * step)
        else:
            length = _divisor(size, left, step) or usual
        unit.append(length)
        left = max(1, left // length)
    x, y, z = unit
    return (-(-sizes[0] // x), -(-sizes[1] // y), -(-sizes[2] // z)), (x, y, z)


def _divisor(size: int, most: int, step: int) -> int:
    """The largest divisor of a size that is a multiple of `step` and at most `most`, or all."""
    if size <= most:
        return size
    return next((n for n in range(most - most % step, 0, -step) if size % n == 0), 0)


def in_blocks(decoded: Decoded, unit: Dim3, block: Dim3) -> Decoded:
    """Reports of threads in units as those of threads in the user's blocks."""
    if unit == block:
        return decoded
    reports = [
        report._replace(
            block=_each(report.block, report.thread, unit, block, 0),
            thread=_each(report.block, report.thread, unit, block, 1),
        )
        for report in decoded.reports
    ]
    return decoded._replace(reports=reports)


def _each(number: Dim3, thread: Dim3, unit: Dim3, block: Dim3, part: int) -> Dim3:
    """Block (part 0) or thread (part 1) of the user's blocks, by axis."""
    x, y, z = (
        divmod(b * u + t, size)[part]
        for b, t, u, size in zip(number, thread, unit, block, strict=True)
    )
    return x, y, z
