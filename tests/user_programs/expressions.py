"""Arithmetic, views, loops, casts, tuples and functions, with everything annotated."""

import math
from typing import Literal, TypeAlias

import numpy as np

import stepwell as sw

LIMIT = 4
Row: TypeAlias = sw.Array[sw.f32, 1]


def smooth(row: Row, i: sw.index) -> sw.f32:
    before = row[max(i - 1, 0)]
    after = row[min(i + 1, len(row) - 1)]
    return sw.f32((before + 2 * row[i] + after) / 4)


def parts(x: sw.f32) -> tuple[sw.i32, sw.f32]:
    whole = math.floor(x)
    return whole, x - whole


def collatz(n: sw.i64) -> sw.i32:
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
        if steps > 1000:
            break
    else:
        return steps
    return -1


@sw.kernel
def numbers(
    x: sw.Array[sw.f32, 2, Literal["strided"]],
    out: sw.Array[sw.f32, 2],
    flags: sw.Array[sw.bool_, 1],
    n: sw.u32,
    offset: sw.f64,
    origin: tuple[sw.i32, sw.i32],
) -> None:
    i = sw.global_id(0)
    row = x[i]
    for j in range(x.shape[1]):
        whole, rest = parts(smooth(x[i, :], j))
        out[i, j] = whole + rest + sw.f32(offset)
    for j, (left, right) in enumerate(zip(row, x[i, ::-1] if False else x[i, 0:], strict=False)):
        out[i, j] += left - right
    for value in reversed(row):
        out[i, -1] += value * 0
    first, second = origin
    count: sw.i32 = sw.i32(n) + first * second
    flags[i] = (count & 3) == 0 or not (i < LIMIT)
    a, b = divmod(count, 3)
    biggest = max(a, b, abs(count), int(offset))

    def square(value: sw.i32) -> sw.i32:
        return value * value

    out[i, 0] += math.sqrt(offset) + np.sqrt(offset) * 0 + square(biggest) * 0
    if (steps := collatz(n)) < 0:
        print(f"no end for {n}")
    assert steps >= 0, f"steps are {steps}"
    out[..., 0][i] += steps + round(0.25) + sum((a, b)) * 0
    out[i, 0] += np.float32(x.dtype == np.float32) + out.ndim * 0 + out.size * 0


def main() -> None:
    x = np.arange(24, dtype=np.float32).reshape(4, 6)[:, ::2]
    out = np.zeros((4, 3), np.float32)
    flags = np.zeros(4, np.bool_)
    numbers.over(4)(x, out, flags, 6, 4.0, (1, 2))
    assert np.allclose(out[0], [0.5 + 4 + 2 + 8 + 1, 2 + 4, 3.5 + 4])
    assert flags.all()


main()
