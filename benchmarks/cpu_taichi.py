"""Taichi's contenders of `cpu.py`: kernels over its own arrays, with its fast math."""

# Taichi gives annotations a meaning of its own.
# pyright: basic, reportInvalidTypeForm=false

import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from typing import Any

import numpy as np
from cpu_tasks import BINS, STEPS, A, sorting_steps

os.environ["ENABLE_TAICHI_HEADER_PRINT"] = "0"  # standard output is for answers

ti: Any = import_module("taichi")  # after the switch is set

with redirect_stdout(sys.stderr):
    ti.init(
        arch=ti.cpu,
        log_level=ti.ERROR,
        offline_cache=False,
        cpu_max_num_threads=int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)),
    )

Prepared = tuple[Callable[[], Any], Any]
F1, F2 = ti.types.ndarray(ti.f32, 1), ti.types.ndarray(ti.f32, 2)
I1, I2 = ti.types.ndarray(ti.i32, 1), ti.types.ndarray(ti.i32, 2)
U1, F3 = ti.types.ndarray(ti.u8, 1), ti.types.ndarray(ti.f32, 3)


@ti.kernel
def saxpy(a: ti.f32, x: F1, y: F1):
    for i in y:
        y[i] = a * x[i] + y[i]


@ti.kernel
def exp(x: F1, out: F1):
    for i in out:
        out[i] = ti.exp(x[i])


@ti.kernel
def stencil(x: F2, out: F2):
    for i, j in ti.ndrange((1, x.shape[0] - 1), (1, x.shape[1] - 1)):
        around = x[i - 1, j] + x[i + 1, j] + x[i, j - 1] + x[i, j + 1]
        out[i, j] = 0.5 * x[i, j] + 0.125 * around


@ti.kernel
def softmax(x: F2, out: F2):
    for i in range(x.shape[0]):
        most = x[i, 0]
        for j in range(x.shape[1]):
            most = ti.max(most, x[i, j])
        total = 0.0
        for j in range(x.shape[1]):
            out[i, j] = ti.exp(x[i, j] - most)
            total += out[i, j]
        for j in range(x.shape[1]):
            out[i, j] *= 1.0 / total


@ti.kernel
def layernorm(x: F2, out: F2):
    for i in range(x.shape[0]):
        total, square = 0.0, 0.0
        for j in range(x.shape[1]):
            total += x[i, j]
            square += x[i, j] * x[i, j]
        mean = total / x.shape[1]
        scale = 1.0 / ti.sqrt(square / x.shape[1] - mean * mean + 1e-5)
        for j in range(x.shape[1]):
            out[i, j] = (x[i, j] - mean) * scale


@ti.kernel
def add_up(x: F1, out: F1):
    total = 0.0
    for i in x:
        total += x[i]
    out[0] = total


@ti.kernel
def histogram(x: U1, out: I1):
    for i in out:
        out[i] = 0
    for i in x:
        out[ti.cast(x[i], ti.i32)] += 1


@ti.kernel
def transpose(x: F2, out: F2):
    for i, j in out:
        out[i, j] = x[j, i]


@ti.kernel
def fractal(pixel: ti.f32, out: I2):
    for i, j in out:
        cx, cy = -2.2 + j * pixel, -1.5 + i * pixel
        x, y, count = cx, cy, 0
        while count < STEPS and x * x + y * y <= 4.0:
            x, y = x * x - y * y + cx, 2.0 * x * y + cy
            count += 1
        out[i, j] = count


@ti.kernel
def nbody(x: F2, out: F2):
    for i in range(x.shape[1]):
        ax, ay, az = 0.0, 0.0, 0.0
        for j in range(x.shape[1]):
            dx, dy, dz = x[0, j] - x[0, i], x[1, j] - x[1, i], x[2, j] - x[2, i]
            root = 1.0 / ti.sqrt(dx * dx + dy * dy + dz * dz + 1e-4)
            weight = x[3, j] * root * root * root
            ax += dx * weight
            ay += dy * weight
            az += dz * weight
        out[0, i], out[1, i], out[2, i] = ax, ay, az


@ti.func
def normal(x: ti.f32) -> ti.f32:
    k = 1.0 / (1.0 + 0.2316419 * ti.abs(x))
    sums = 1.330274429
    for c in ti.static((-1.821255978, 1.781477937, -0.356563782, 0.319381530)):
        sums = sums * k + c
    tail = ti.exp(-x * x * 0.5) * 0.3989422804014327 * sums * k
    return tail if x < 0.0 else 1.0 - tail


@ti.kernel
def black_scholes(price: F1, strike: F1, years: F1, out: F1):
    for i in out:
        s, k, t = price[i], strike[i], years[i]
        root = 0.3 * ti.sqrt(t)
        d1 = (ti.log(s / k) + 0.065 * t) / root
        out[i] = s * normal(d1) - k * ti.exp(-0.02 * t) * normal(d1 - root)


@ti.kernel
def convolution(x: F2, w: F2, out: F2):
    for i, j in ti.ndrange((1, x.shape[0] - 1), (1, x.shape[1] - 1)):
        total = 0.0
        for di, dj in ti.static(ti.ndrange(3, 3)):
            total += w[di, dj] * x[i + di - 1, j + dj - 1]
        out[i, j] = total


@ti.kernel
def matmul(a: F2, b: F2, out: F2):
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            out[i, j] = 0.0
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                out[i, j] += a[i, k] * b[k, j]


@ti.kernel
def batched(a: F3, b: F3, out: F3):
    for z, i in ti.ndrange(a.shape[0], 64):
        for j in range(64):
            out[z, i, j] = 0.0
        for k in range(64):
            for j in range(64):
                out[z, i, j] += a[z, i, k] * b[z, k, j]


@ti.kernel
def bitonic_step(x: F1, distance: ti.i32, size: ti.i32):
    for i in range(x.shape[0] // 2):
        low = 2 * i - (i & (distance - 1))
        first, second = x[low], x[low + distance]
        if (first > second) == ((low & size) == 0):
            x[low] = second
            x[low + distance] = first


def _array(source: Any) -> Any:
    kinds = {"float32": ti.f32, "int32": ti.i32, "uint8": ti.u8}
    array = ti.ndarray(kinds[source.dtype.name], source.shape)
    array.from_numpy(source)
    return array


def _run(kernel: Any, *arguments: Any) -> Callable[[], None]:
    def run() -> None:
        kernel(*arguments)
        ti.sync()

    return run


def _into(kernel: Any, *names: str) -> Callable[[dict[str, Any]], Prepared]:
    """A kernel whose last argument is an output like the first input."""

    def prepare(given: dict[str, Any]) -> Prepared:
        arrays = [_array(given[each]) for each in names]
        out = _array(np.zeros_like(given[names[0]]))
        return _run(kernel, *arrays, out), out.to_numpy

    return prepare


def _to(kernel: Any, count: int, dtype: Any) -> Callable[[dict[str, Any]], Prepared]:
    def prepare(given: dict[str, Any]) -> Prepared:
        out = _array(np.zeros(count, dtype))
        return _run(kernel, _array(given["x"]), out), out.to_numpy

    return prepare


def _saxpy(given: dict[str, Any]) -> Prepared:
    y = _array(given["y"])
    return _run(saxpy, float(A), _array(given["x"]), y), y.to_numpy


def _fractal(given: dict[str, Any]) -> Prepared:
    out = _array(np.zeros((given["size"], given["size"]), np.int32))
    return _run(fractal, float(given["pixel"]), out), out.to_numpy


def _nbody(given: dict[str, Any]) -> Prepared:
    out = _array(np.zeros((3, given["x"].shape[1]), np.float32))
    return _run(nbody, _array(given["x"]), out), out.to_numpy


def _sort(given: dict[str, Any]) -> Prepared:
    x, out = _array(given["x"]), _array(given["x"])
    steps = list(sorting_steps(given["x"].size))

    def run() -> None:
        out.copy_from(x)
        for distance, size in steps:
            bitonic_step(out, distance, size)
        ti.sync()

    return run, out.to_numpy


PREPARE = {
    "saxpy": _saxpy,
    "exp": _into(exp, "x"),
    "stencil": _into(stencil, "x"),
    "softmax": _into(softmax, "x"),
    "layernorm": _into(layernorm, "x"),
    "sum": _to(add_up, 1, np.float32),
    "histogram": _to(histogram, BINS, np.int32),
    "transpose": _into(transpose, "x"),
    "fractal": _fractal,
    "nbody": _nbody,
    "black-scholes": _into(black_scholes, "price", "strike", "years"),
    "convolution": _into(convolution, "x", "w"),
    "matmul": _into(matmul, "a", "b"),
    "batched matmul": _into(batched, "a", "b"),
    "bitonic sort": _sort,
}
