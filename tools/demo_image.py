"""A real image through blur, edges and histogram equalisation; each result compared with NumPy's.

All of it is integer arithmetic but the length of the gradient, whose square root is correctly
rounded everywhere, so every device must agree with NumPy exactly.
"""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import atomic_add, barrier, global_id, global_size, kernel, shared, thread_id, u32, unroll
from ..runtime.device import Device
from .demo_common import Array, Outcome, Session

PHOTO = Path(__file__).with_name("data") / "photo.jpg"
BINS = 256
BLOCKS = 32
WEIGHTS = (1, 4, 6, 4, 1)


@kernel
def blur(source, target, down, right):
    """Binomial blur along one axis: (down, right) is the step; edges repeat the last pixel."""
    row, column, channel = global_id(0), global_id(1), global_id(2)
    last_row, last_column = source.shape[0] - 1, source.shape[1] - 1
    total = 0
    for k in unroll(range(5)):
        i = min(max(row + (k - 2) * down, 0), last_row)
        j = min(max(column + (k - 2) * right, 0), last_column)
        total += WEIGHTS[k] * int(source[i, j, channel])
    target[row, column, channel] = np.uint8((total + 8) // 16)


@kernel
def grey(image, out):
    """Luminance (ITU-R BT.601) in 1/256."""
    i, j = global_id(0), global_id(1)
    red, green, blue = int(image[i, j, 0]), int(image[i, j, 1]), int(image[i, j, 2])
    out[i, j] = np.uint8((77 * red + 150 * green + 29 * blue) >> 8)


@kernel
def sobel(light, edges):
    """Length of the gradient; the border stays black."""
    i, j = global_id(0), global_id(1)
    if i == 0 or j == 0 or i >= light.shape[0] - 1 or j >= light.shape[1] - 1:
        edges[i, j] = 0
        return
    across = 0
    down = 0
    for k in unroll(range(3)):
        weight = 2 if k == 1 else 1
        across += weight * (int(light[i + k - 1, j + 1]) - int(light[i + k - 1, j - 1]))
        down += weight * (int(light[i + 1, j + k - 1]) - int(light[i - 1, j + k - 1]))
    length = math.sqrt(float(across * across + down * down))
    edges[i, j] = np.uint8(min(length, 255.0))


@kernel
def histogram(pixels, counts):
    """Each block counts its share in shared memory, then adds it to the total."""
    own = shared(BINS, u32)
    t = thread_id(0)
    own[t] = 0
    barrier()
    for i in range(global_id(0), pixels.shape[0], global_size(0)):
        atomic_add(own, pixels[i], 1)
    barrier()
    atomic_add(counts, t, own[t])


@kernel
def equaliser(counts, table):
    """One block: running sum of the histogram (Hillis and Steele, 1986), scaled to a table."""
    sums = shared(BINS, u32)
    t = thread_id(0)
    sums[t] = counts[t]
    barrier()
    for step in unroll((1, 2, 4, 8, 16, 32, 64, 128)):
        value = sums[t]
        if t >= step:
            value += sums[t - step]
        barrier()
        sums[t] = value
        barrier()
    table[t] = np.uint8(np.uint64(sums[t]) * np.uint64(255) // np.uint64(sums[BINS - 1]))


@kernel
def look_up(pixels, table, out):
    """Replace each value by its entry of the table."""
    i = global_id(0)
    out[i] = table[pixels[i]]


@dataclass(frozen=True)
class Results:
    """What comes out; all u8."""

    blurred: Array
    edges: Array
    equalised: Array
    counts: Array


class ImageError(Exception):
    """A file that is no image, cannot be read or is too large; says which and why."""


def load(path: Path) -> Array:
    """Read an image file as (height, width, 3) u8; ImageError says why it cannot be read."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except UnidentifiedImageError as error:
        raise ImageError(f"{path} is not an image that Pillow can read") from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"{path} is too large: {error}") from error
    except OSError as error:
        raise ImageError(f"cannot read {path}: {error.strerror or error}") from error
    except (SyntaxError, ValueError) as error:  # how Pillow reports some damaged files
        raise ImageError(f"{path} is damaged: {error}") from error


def run(device: Device, image: Array) -> tuple[Outcome, Results]:
    """All filters on one device, the data staying there between them."""
    session = Session(device, "image")
    height, width, _ = image.shape
    source = session.upload(image)
    half, blurred = (session.upload(np.zeros_like(image)) for _ in range(2))
    light, edges, equal = (session.upload(np.zeros((height, width), np.uint8)) for _ in range(3))
    table = session.upload(np.zeros(BINS, np.uint8))
    counts: list[Array] = []

    def enqueue() -> None:
        counts[:] = [session.upload(np.zeros(BINS, np.uint32))]
        blur.over(image.shape, device=device)(source, half, 0, 1)
        blur.over(image.shape, device=device)(half, blurred, 1, 0)
        grey.over((height, width), device=device)(source, light)
        sobel.over((height, width), device=device)(light, edges)
        flat, out = light.reshape(-1), equal.reshape(-1)
        histogram.launch(BLOCKS, BINS, device=device)(flat, counts[0])
        equaliser.launch(1, BINS, device=device)(counts[0], table)
        look_up.over(height * width, device=device)(flat, table, out)

    session.run(enqueue)
    results = Results(*(session.download(a) for a in (blurred, edges, equal, counts[0])))
    session.outcome.bytes_moved += 5 * image.nbytes + 6 * height * width
    check(session.outcome, image, results)
    return session.outcome, results


def check(outcome: Outcome, image: Array, got: Results) -> None:
    """Every pixel against NumPy."""
    light = expected_grey(image)
    counts = np.bincount(light.ravel(), minlength=BINS)
    outcome.expect(np.array_equal(got.blurred, expected_blur(image)), "blur differs from NumPy's")
    outcome.expect(np.array_equal(got.edges, expected_edges(light)), "edges differ from NumPy's")
    outcome.expect(np.array_equal(got.counts, counts), "histogram differs from NumPy's")
    sums = np.cumsum(counts)
    table = (sums * 255 // sums[-1]).astype(np.uint8)
    same = np.array_equal(got.equalised, table[light])
    outcome.expect(same, "equalised image differs from NumPy's")


def expected_blur(image: Array) -> Array:
    """Both axes, rounding after each."""
    for axis in (1, 0):
        count = image.shape[axis]
        total = np.full(image.shape, 8, np.int32)
        for k, weight in enumerate(WEIGHTS):
            at = np.clip(np.arange(count) + k - 2, 0, count - 1)
            total += weight * np.take(image, at, axis).astype(np.int32)
        image = (total // 16).astype(np.uint8)
    return image


def expected_grey(image: Array) -> Array:
    """Luminance."""
    red, green, blue = np.moveaxis(image.astype(np.int32), -1, 0)
    return ((77 * red + 150 * green + 29 * blue) >> 8).astype(np.uint8)


def expected_edges(light: Array) -> Array:
    """Length of the gradient, rounded as f32 does."""
    edges = np.zeros_like(light)
    if min(light.shape) < 3:
        return edges
    p = light.astype(np.int32)
    right, left = p[:, 2:], p[:, :-2]
    across = (right - left)[:-2] + 2 * (right - left)[1:-1] + (right - left)[2:]
    below, above = p[2:], p[:-2]
    down = (below - above)[:, :-2] + 2 * (below - above)[:, 1:-1] + (below - above)[:, 2:]
    length = np.sqrt((across * across + down * down).astype(np.float32))
    edges[1:-1, 1:-1] = np.minimum(length, np.float32(255)).astype(np.uint8)
    return edges
