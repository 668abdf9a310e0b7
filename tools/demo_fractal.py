"""An escape-time fractal: counts on the device, colours on the device, a PNG in the current folder.

Counts are compared with NumPy doing the same operations in the same order in f32, all pixels.
"""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import global_id, kernel, unroll
from ..runtime.device import Device
from .demo_common import Array, Outcome, Session

WIDTH, HEIGHT = 960, 540
STEPS = 200
CENTRE = (-0.7436, 0.1318)
PIXEL = 0.0000045


@kernel
def escape_time(counts, left, top, pixel, steps):
    """How many steps of z = z² + c stay within |z| <= 2, per pixel."""
    row, column = global_id(0), global_id(1)
    cx = left + np.float32(column) * pixel
    cy = top + np.float32(row) * pixel
    x, y = cx, cy
    count = 0
    while count < steps and x * x + y * y <= 4.0:
        x, y = x * x - y * y + cx, 2.0 * x * y + cy
        count += 1
    counts[row, column] = count


@kernel
def colour(counts, image, steps):
    """A cosine palette; what never escapes is black."""
    row, column = global_id(0), global_id(1)
    count = counts[row, column]
    if count >= steps:
        image[row, column, 0] = 0
        image[row, column, 1] = 0
        image[row, column, 2] = 0
        return
    t = math.log(1.0 + np.float32(count)) * 1.4
    for channel in unroll(range(3)):
        wave = 0.5 + 0.5 * math.cos(t + 0.55 * channel + 2.6)
        image[row, column, channel] = np.uint8(255.0 * wave)


def run(device: Device) -> tuple[Outcome, Array]:
    """Draw it on one device; the image is (HEIGHT, WIDTH, 3) u8."""
    session = Session(device, "fractal")
    left, top, pixel = window()
    counts = session.upload(np.zeros((HEIGHT, WIDTH), np.int32))
    image = session.upload(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    steps = np.int32(STEPS)

    def enqueue() -> None:
        shape = (HEIGHT, WIDTH)
        escape_time.over(shape, device=device)(counts, left, top, pixel, steps)
        colour.over(shape, device=device)(counts, image, steps)

    session.run(enqueue)
    drawn, got = session.download(image), session.download(counts)
    session.outcome.bytes_moved += got.nbytes * 2 + drawn.nbytes
    different = int(np.count_nonzero(got != expected_counts()))
    session.outcome.expect(different == 0, f"{different} pixels differ from NumPy's")
    far = int(np.abs(drawn.astype(int) - expected_colours(got)).max())
    session.outcome.expect(far <= 1, f"colours differ from NumPy's by up to {far} of 255")
    return session.outcome, drawn


def window() -> tuple[Any, Any, Any]:
    """Left and top edge, size of a pixel."""
    left, top = CENTRE[0] - PIXEL * WIDTH / 2, CENTRE[1] - PIXEL * HEIGHT / 2
    return np.float32(left), np.float32(top), np.float32(PIXEL)


def expected_counts() -> Array:
    """The same by NumPy, in f32, only for the pixels that are still within the circle."""
    left, top, pixel = window()
    cx = np.repeat((left + np.arange(WIDTH, dtype=np.float32) * pixel)[None], HEIGHT, 0).ravel()
    cy = np.repeat((top + np.arange(HEIGHT, dtype=np.float32) * pixel)[:, None], WIDTH, 1).ravel()
    counts = np.zeros(WIDTH * HEIGHT, np.int32)
    active = np.arange(counts.size)
    x, y = cx, cy
    for _ in range(STEPS):
        inside = x * x + y * y <= 4.0
        active = active[inside]
        x, y, cx, cy = (part[inside] for part in (x, y, cx, cy))
        counts[active] += 1
        x, y = x * x - y * y + cx, np.float32(2) * x * y + cy
    return counts.reshape(HEIGHT, WIDTH)


def expected_colours(counts: Array) -> Array:
    """The palette by NumPy in f64."""
    t = np.log1p(counts) * 1.4
    waves = 0.5 + 0.5 * np.cos(t[..., None] + 0.55 * np.arange(3) + 2.6)
    return np.where(counts[..., None] >= STEPS, 0, (255 * waves).astype(int))
