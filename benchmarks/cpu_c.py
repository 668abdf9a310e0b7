"""Plain C's contenders of `cpu.py`, compiled by the machine's own compiler."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
from c_library import call, library
from cpu_tasks import BINS, A

Prepared = tuple[Callable[[], Any], Any]

_functions, _compiler = library("cpu_tasks.c")
VERSIONS = {"c": _compiler}
_call = partial(call, _functions)


def _saxpy(given: dict[str, Any]) -> Prepared:
    x, y = given["x"], given["y"]
    return _call("saxpy", x.size, A, x, y), y


def _into(name: str, *names: str, shape: Callable[[Any], tuple[int, ...]]) -> Any:
    """A function that takes the sizes in `shape`, inputs, and an output like the first one."""

    def prepare(given: dict[str, Any]) -> Prepared:
        arrays = [given[each] for each in names]
        out = np.zeros_like(arrays[0])
        return _call(name, *shape(arrays[0]), *arrays, out), out

    return prepare


def _fixed(name: str, count: int, dtype: Any) -> Any:
    def prepare(given: dict[str, Any]) -> Prepared:
        x, out = given["x"], np.zeros(count, dtype)
        return _call(name, x.size, x, out), out

    return prepare


def _fractal(given: dict[str, Any]) -> Prepared:
    size = given["size"]
    out = np.zeros((size, size), np.int32)
    return _call("fractal", size, given["pixel"], out), out


def _nbody(given: dict[str, Any]) -> Prepared:
    x = given["x"]
    out = np.zeros((3, x.shape[1]), np.float32)
    return _call("nbody", x.shape[1], x, out), out


def _length(x: Any) -> tuple[int, ...]:
    return (x.size,)


def _side(x: Any) -> tuple[int, ...]:
    return (x.shape[0],)


PREPARE = {
    "saxpy": _saxpy,
    "exp": _into("exp_of", "x", shape=_length),
    "stencil": _into("stencil", "x", shape=_side),
    "softmax": _into("softmax", "x", shape=np.shape),
    "layernorm": _into("layernorm", "x", shape=np.shape),
    "sum": _fixed("sum", 1, np.float32),
    "scan": _into("scan", "x", shape=_length),
    "histogram": _fixed("histogram", BINS, np.int32),
    "transpose": _into("transpose", "x", shape=_side),
    "fractal": _fractal,
    "nbody": _nbody,
    "black-scholes": _into("black_scholes", "price", "strike", "years", shape=_length),
    "convolution": _into("convolution", "x", "w", shape=_side),
    "matmul": _into("matmul", "a", "b", shape=_side),
    "batched matmul": _into("batched", "a", "b", shape=_side),
    "bitonic sort": _into("bitonic_sort", "x", shape=_length),
}


def peak_gflops() -> float:
    """GFLOP/s of fused multiply-adds in registers, with all threads, for some milliseconds."""
    flops = np.zeros(1)
    run = _call("peak", 2_000_000, flops)
    start = perf_counter()
    run()
    return float(flops[0]) / (perf_counter() - start) / 1e9
