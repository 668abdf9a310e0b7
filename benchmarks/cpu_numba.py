"""Numba's contenders of `cpu.py`: parallel loops with fastmath, as its users write them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from cpu_tasks import BINS, STEPS, A, sorting_steps

Array = np.ndarray[Any, Any]
Prepared = tuple[Callable[[], Any], Any]
jit = numba.njit(parallel=True, fastmath=True)
inline = numba.njit(fastmath=True)
f32 = np.float32


@jit
def saxpy(a, x, y):
    for i in numba.prange(y.shape[0]):
        y[i] = a * x[i] + y[i]


@jit
def exp(x, out):
    for i in numba.prange(x.shape[0]):
        out[i] = math.exp(x[i])


@jit
def stencil(x, out):
    for i in numba.prange(1, x.shape[0] - 1):
        for j in range(1, x.shape[1] - 1):
            around = x[i - 1, j] + x[i + 1, j] + x[i, j - 1] + x[i, j + 1]
            out[i, j] = f32(0.5) * x[i, j] + f32(0.125) * around


@jit
def softmax(x, out):
    for i in numba.prange(x.shape[0]):
        most = x[i, 0]
        for j in range(x.shape[1]):
            most = max(most, x[i, j])
        total = f32(0)
        for j in range(x.shape[1]):
            out[i, j] = math.exp(x[i, j] - most)
            total += out[i, j]
        scale = f32(1) / total
        for j in range(x.shape[1]):
            out[i, j] *= scale


@jit
def layernorm(x, out):
    n = f32(x.shape[1])
    for i in numba.prange(x.shape[0]):
        total, square = f32(0), f32(0)
        for j in range(x.shape[1]):
            total += x[i, j]
            square += x[i, j] * x[i, j]
        mean = total / n
        scale = f32(1) / math.sqrt(square / n - mean * mean + f32(1e-5))
        for j in range(x.shape[1]):
            out[i, j] = (x[i, j] - mean) * scale


@jit
def total_of(x, out):
    total = f32(0)
    for i in numba.prange(x.shape[0]):
        total += x[i]
    out[0] = total


@jit
def scan(x, out, totals):
    parts = totals.shape[0]
    size = -(-x.shape[0] // parts)
    for p in numba.prange(parts):
        total = f32(0)
        for i in range(p * size, min(x.shape[0], (p + 1) * size)):
            total += x[i]
        totals[p] = total
    before = f32(0)
    for p in range(parts):
        total = totals[p]
        totals[p] = before
        before += total
    for p in numba.prange(parts):
        total = totals[p]
        for i in range(p * size, min(x.shape[0], (p + 1) * size)):
            total += x[i]
            out[i] = total


@jit
def histogram(x, own, out):
    parts = own.shape[0]
    size = -(-x.shape[0] // parts)
    for p in numba.prange(parts):
        own[p, :] = 0
        for i in range(p * size, min(x.shape[0], (p + 1) * size)):
            own[p, x[i]] += 1
    for b in range(BINS):
        out[b] = 0
        for p in range(parts):
            out[b] += own[p, b]


@jit
def transpose(x, out):
    for block in numba.prange(-(-x.shape[0] // 32)):
        for column in range(0, x.shape[1], 32):
            for j in range(column, min(column + 32, x.shape[1])):
                for i in range(block * 32, min(block * 32 + 32, x.shape[0])):
                    out[j, i] = x[i, j]


@jit
def fractal(out, pixel):
    for i in numba.prange(out.shape[0]):
        for j in range(out.shape[1]):
            cx, cy = f32(-2.2) + f32(j) * pixel, f32(-1.5) + f32(i) * pixel
            x, y = cx, cy
            count = 0
            while count < STEPS and x * x + y * y <= f32(4):
                x, y = x * x - y * y + cx, f32(2) * x * y + cy
                count += 1
            out[i, j] = count


@jit
def nbody(x, out):
    for i in numba.prange(x.shape[1]):
        ax, ay, az = f32(0), f32(0), f32(0)
        for j in range(x.shape[1]):
            dx, dy, dz = x[0, j] - x[0, i], x[1, j] - x[1, i], x[2, j] - x[2, i]
            root = f32(1) / math.sqrt(dx * dx + dy * dy + dz * dz + f32(1e-4))
            weight = x[3, j] * root * root * root
            ax += dx * weight
            ay += dy * weight
            az += dz * weight
        out[0, i], out[1, i], out[2, i] = ax, ay, az


@inline
def normal(x):
    k = f32(1) / (f32(1) + f32(0.2316419) * abs(x))
    sums = f32(1.330274429)
    sums = sums * k + f32(-1.821255978)
    sums = sums * k + f32(1.781477937)
    sums = sums * k + f32(-0.356563782)
    sums = sums * k + f32(0.319381530)
    tail = math.exp(-x * x * f32(0.5)) * f32(0.3989422804014327) * sums * k
    return tail if x < f32(0) else f32(1) - tail


@jit
def black_scholes(price, strike, years, out):
    for i in numba.prange(out.shape[0]):
        s, k, t = price[i], strike[i], years[i]
        root = f32(0.3) * math.sqrt(t)
        d1 = (math.log(s / k) + f32(0.065) * t) / root
        out[i] = s * normal(d1) - k * math.exp(f32(-0.02) * t) * normal(d1 - root)


@jit
def convolution(x, w, out):
    for i in numba.prange(1, x.shape[0] - 1):
        for j in range(1, x.shape[1] - 1):
            total = f32(0)
            for di in range(3):
                for dj in range(3):
                    total += w[di, dj] * x[i + di - 1, j + dj - 1]
            out[i, j] = total


@jit
def batched(a, b, c):
    for z in numba.prange(a.shape[0]):
        c[z] = 0
        for i in range(64):
            for k in range(64):
                for j in range(64):
                    c[z, i, j] += a[z, i, k] * b[z, k, j]


@jit
def bitonic_step(x, distance, size):
    for i in numba.prange(x.shape[0] // 2):
        low = 2 * i - (i & (distance - 1))
        high = low + distance
        first, second = x[low], x[high]
        if (first > second) == ((low & size) == 0):
            x[low] = second
            x[high] = first


def _saxpy(given: dict[str, Any]) -> Prepared:
    x, y = given["x"], given["y"]
    # Compiled before the run that counts: it would change y.
    saxpy(A, x[:1].copy(), y[:1].copy())
    return lambda: saxpy(A, x, y), y


def _into(function: Any, *names: str) -> Callable[[dict[str, Any]], Prepared]:
    def prepare(given: dict[str, Any]) -> Prepared:
        arrays = [given[name] for name in names]
        out = np.zeros_like(arrays[0])
        return lambda: function(*arrays, out), out

    return prepare


def _sum(given: dict[str, Any]) -> Prepared:
    x, out = given["x"], np.zeros(1, np.float32)
    return lambda: total_of(x, out), out


def _scan(given: dict[str, Any]) -> Prepared:
    x = given["x"]
    out, totals = np.zeros_like(x), np.zeros(4 * numba.get_num_threads(), np.float32)
    return lambda: scan(x, out, totals), out


def _histogram(given: dict[str, Any]) -> Prepared:
    x, out = given["x"], np.zeros(BINS, np.int32)
    own = np.zeros((numba.get_num_threads(), BINS), np.int32)
    return lambda: histogram(x, own, out), out


def _transpose(given: dict[str, Any]) -> Prepared:
    x = given["x"]
    out = np.zeros(x.shape[::-1], np.float32)
    return lambda: transpose(x, out), out


def _fractal(given: dict[str, Any]) -> Prepared:
    out = np.zeros((given["size"], given["size"]), np.int32)
    return lambda: fractal(out, given["pixel"]), out


def _nbody(given: dict[str, Any]) -> Prepared:
    x = given["x"]
    out = np.zeros((3, x.shape[1]), np.float32)
    return lambda: nbody(x, out), out


def _convolution(given: dict[str, Any]) -> Prepared:
    x, w = given["x"], given["w"]
    out = np.zeros_like(x)
    return lambda: convolution(x, w, out), out


def _sort(given: dict[str, Any]) -> Prepared:
    x = given["x"]
    out = np.zeros_like(x)

    def run() -> None:
        out[:] = x
        for distance, size in sorting_steps(x.size):
            bitonic_step(out, distance, size)

    return run, out


PREPARE = {
    "saxpy": _saxpy,
    "exp": _into(exp, "x"),
    "stencil": _into(stencil, "x"),
    "softmax": _into(softmax, "x"),
    "layernorm": _into(layernorm, "x"),
    "sum": _sum,
    "scan": _scan,
    "histogram": _histogram,
    "transpose": _transpose,
    "fractal": _fractal,
    "nbody": _nbody,
    "black-scholes": _into(black_scholes, "price", "strike", "years"),
    "convolution": _convolution,
    "batched matmul": _into(batched, "a", "b"),
    "bitonic sort": _sort,
}
