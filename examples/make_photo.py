"""Make the photograph-like picture that `stepwell demo` works on: mountains, a lake, evening light.

    python examples/make_photo.py OUT.jpg

Everything is fractal noise: the picture has the smooth areas, edges, texture, grain and lopsided
histogram of a photograph taken against the light, and belongs to nobody.
"""

# NumPy's types know little of what mgrid and linspace give.
# pyright: basic

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from PIL import Image

Array = np.ndarray[Any, np.dtype[np.float64]]
WIDTH, HEIGHT = 640, 427
HORIZON = 0.62


def noise(
    shape: tuple[int, int], rng: np.random.Generator, octaves: int, roughness: float
) -> Array:
    """Fractal noise in 0..1: octaves of smoothly interpolated random lattices."""
    total = np.zeros(shape)
    for octave in range(octaves):
        cells = 2 ** (octave + 1)
        lattice = rng.random((cells + 2, cells * 2 + 2))
        total += roughness**octave * stretch(stretch(lattice, shape[0]).T, shape[1]).T
    total -= total.min()
    return total / total.max()


def stretch(rows: Array, count: int) -> Array:
    """Interpolate `count` rows between the given ones, with a smooth step."""
    at: Any = np.linspace(0, rows.shape[0] - 1.001, count)
    low = at.astype(int)
    part = at - low
    part = (part * part * (3 - 2 * part))[:, None]
    return rows[low] * (1 - part) + rows[low + 1] * part


def ridge(rng: np.random.Generator, base: float, height: float, roughness: float) -> Array:
    """The skyline of one range of mountains, as a fraction of the picture's height per column."""
    line = noise((2, WIDTH), rng, 9, roughness)[0]
    return base - height * line


def sky(rng: np.random.Generator) -> Array:
    """Dusk from blue above to orange at the horizon, a low sun, torn clouds."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] / np.array([HEIGHT, WIDTH])[:, None, None]
    t = np.clip(y / HORIZON, 0, 1)[..., None] ** 1.4
    colour = np.array([0.20, 0.33, 0.56]) * (1 - t) + np.array([0.98, 0.72, 0.46]) * t
    away = np.hypot((x - 0.68) * 1.5, y - 0.50)
    colour += (np.exp(-away * 7) * 0.7)[..., None] * np.array([1.0, 0.85, 0.6])
    colour += (away < 0.030)[..., None] * 0.5
    cloud = np.clip(noise((HEIGHT, WIDTH), rng, 8, 0.58) * 2.4 - 1.25, 0, 1) * (1 - t[..., 0] * 0.5)
    lit = np.array([1.0, 0.80, 0.68]) * (0.55 + 0.6 * np.exp(-away * 2.5))[..., None]
    return colour * (1 - cloud[..., None] * 0.75) + lit * cloud[..., None] * 0.75


def land(picture: Array, rng: np.random.Generator) -> Array:
    """Four ranges, each nearer one darker and more contoured."""
    rows = (np.arange(HEIGHT) / HEIGHT)[:, None]
    layers = [
        (0.60, 0.30, 0.50, (0.46, 0.45, 0.55), 0.10),
        (0.62, 0.22, 0.52, (0.28, 0.30, 0.38), 0.16),
        (0.63, 0.14, 0.55, (0.15, 0.18, 0.20), 0.20),
        (0.635, 0.06, 0.66, (0.06, 0.08, 0.06), 0.12),
    ]
    for base, height, roughness, colour, contour in layers:
        top = ridge(rng, base, height, roughness)
        inside = np.clip((rows - top) * HEIGHT, 0, 1) * (rows < HORIZON)
        shade = 1 + contour * 4 * (noise((HEIGHT, WIDTH), rng, 9, 0.72) - 0.5)
        haze = np.clip((rows - top) * 2.5, 0, 1)[..., None] * 0.25
        body = np.array(colour) * shade[..., None] * (1 - haze) + np.array([0.75, 0.6, 0.5]) * haze
        picture = picture * (1 - inside[..., None]) + body * inside[..., None]
    return picture


def lake(picture: Array, rng: np.random.Generator) -> Array:
    """What is above the shore, mirrored, darker, and broken by waves that grow towards us."""
    shore = int(HORIZON * HEIGHT)
    waves = noise((HEIGHT, WIDTH), rng, 8, 0.75) - 0.5
    for row in range(shore, HEIGHT):
        depth = (row - shore) / (HEIGHT - shore)
        shift = waves[row] * (4 + 60 * depth)
        source = np.clip(shore - 1 - (row - shore) * 1.25 + shift, 0, shore - 1).astype(int)
        tint = np.array([0.62, 0.68, 0.74]) * (1 - 0.35 * depth)
        picture[row] = picture[source, np.arange(WIDTH)] * tint
        picture[row] += (np.clip(waves[row] - 0.30, 0, 1) * 0.9)[:, None]
    return picture


def make() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The picture, (HEIGHT, WIDTH, 3)."""
    rng = np.random.default_rng(1957)
    picture: Any = lake(land(sky(rng), rng), rng)
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    picture *= (1 - 0.18 * (x * x + y * y))[..., None]
    picture += rng.normal(0, 0.012, picture.shape)
    picture = np.clip(picture, 0, None)
    exposed = picture * 0.80 / (0.35 + picture * 0.80)
    return np.clip(exposed * 255, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/make_photo.py OUT.jpg")
    Image.fromarray(make()).save(sys.argv[1], quality=88)
