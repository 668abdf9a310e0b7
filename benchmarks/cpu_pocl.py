"""PoCL's contenders of `cpu.py`: the kernels of `cpu_tasks.cl`, built with fast math."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from cpu_tasks import A, sorting_steps

if "OMP_NUM_THREADS" in os.environ:
    os.environ["POCL_MAX_PTHREAD_COUNT"] = os.environ["OMP_NUM_THREADS"]

cl: Any = import_module("pyopencl")  # after the number of threads is set

Prepared = tuple[Callable[[], Any], Any]
TILE, ROW, STRETCH = 16, 64, 1024
OPTIONS = "-cl-std=CL1.2 -cl-fast-relaxed-math"


def _device() -> Any:
    """PoCL's device of this processor; OSError where there is none."""
    try:
        platforms: list[Any] = cl.get_platforms()
    except cl.Error as error:
        raise OSError(f"no OpenCL driver: {error}") from error
    for platform in platforms:
        if platform.name == "Portable Computing Language":
            return platform.get_devices()[0]
    raise OSError("PoCL is not among the OpenCL drivers (apt: pocl-opencl-icd)")


_chosen = _device()
_context = cl.Context([_chosen])
_queue = cl.CommandQueue(_context)
_program: Any = cl.Program(_context, Path(__file__).with_name("cpu_tasks.cl").read_text())
_program.build(OPTIONS)
VERSIONS = {"pocl": f"{_chosen.platform.version} {_chosen.name}"}


def _given(array: Any) -> Any:
    flags = cl.mem_flags
    return cl.Buffer(_context, flags.READ_WRITE | flags.COPY_HOST_PTR, hostbuf=array)


def _output(buffer: Any, like: Any) -> Callable[[], Any]:
    def out() -> Any:
        found = np.empty_like(like)
        cl.enqueue_copy(_queue, found, buffer)
        return found

    return out


def _launch(
    name: str, items: tuple[int, ...], group: tuple[int, ...] | None, *arguments: Any
) -> Callable[[], Any]:
    kernel = cl.Kernel(_program, name)
    kernel.set_args(*arguments)

    def run() -> None:
        assert arguments, "a kernel does not keep its buffers"
        cl.enqueue_nd_range_kernel(_queue, kernel, items, group).wait()

    return run


def _over(name: str, *names: str) -> Callable[[dict[str, Any]], Prepared]:
    """A work-item for each element of the output, which is like the first input."""

    def prepare(given: dict[str, Any]) -> Prepared:
        like = np.zeros_like(given[names[0]])
        buffers = [*(_given(given[each]) for each in names), _given(like)]
        return _launch(name, like.shape[::-1], None, *buffers), _output(buffers[-1], like)

    return prepare


def _by_rows(name: str) -> Callable[[dict[str, Any]], Prepared]:
    def prepare(given: dict[str, Any]) -> Prepared:
        x = given["x"]
        out = _given(x)
        items = (x.shape[0] * ROW,)
        arguments = (_given(x), out, np.int32(x.shape[1]))
        return _launch(name, items, (ROW,), *arguments), _output(out, x)

    return prepare


def _tiled(name: str, *names: str) -> Callable[[dict[str, Any]], Prepared]:
    def prepare(given: dict[str, Any]) -> Prepared:
        like = given[names[0]]
        buffers = [*(_given(given[each]) for each in names), _given(like)]
        items = like.shape[::-1]
        group = (TILE, TILE, *(1,) * (len(items) - 2))
        return _launch(name, items, group, *buffers), _output(buffers[-1], like)

    return prepare


def _saxpy(given: dict[str, Any]) -> Prepared:
    y = _given(given["y"])
    return _launch("saxpy", given["y"].shape, None, A, _given(given["x"]), y), _output(
        y, given["y"]
    )


def _sum(given: dict[str, Any]) -> Prepared:
    x = given["x"]
    parts = np.zeros(x.size // STRETCH, np.float32)
    buffer, total = _given(parts), np.zeros(1, np.float32)
    first = _launch("sums", parts.shape, None, _given(x), buffer)

    def run() -> None:
        first()
        cl.enqueue_copy(_queue, parts, buffer)
        parts.sum(out=total[0, ...])

    return run, total


def _fractal(given: dict[str, Any]) -> Prepared:
    like = np.zeros((given["size"], given["size"]), np.int32)
    out = _given(like)
    return _launch("fractal", like.shape, None, out, given["pixel"]), _output(out, like)


def _nbody(given: dict[str, Any]) -> Prepared:
    x = given["x"]
    like = np.zeros((3, x.shape[1]), np.float32)
    out = _given(like)
    return _launch("nbody", (x.shape[1],), None, _given(x), out), _output(out, like)


def _sort(given: dict[str, Any]) -> Prepared:
    x, out = _given(given["x"]), _given(given["x"])
    steps = [
        _launch("bitonic_step", (given["x"].size // 2,), None, out, *map(np.int32, step))
        for step in sorting_steps(given["x"].size)
    ]

    def run() -> None:
        cl.enqueue_copy(_queue, out, x)
        for step in steps:
            step()

    return run, _output(out, given["x"])


PREPARE = {
    "saxpy": _saxpy,
    "exp": _over("exp_of", "x"),
    "stencil": _over("stencil", "x"),
    "softmax": _by_rows("softmax"),
    "layernorm": _by_rows("layernorm"),
    "sum": _sum,
    "transpose": _tiled("transpose", "x"),
    "fractal": _fractal,
    "nbody": _nbody,
    "black-scholes": _over("black_scholes", "price", "strike", "years"),
    "convolution": _over("convolution", "x", "w"),
    "matmul": _tiled("matmul", "a", "b"),
    "batched matmul": _tiled("matmul", "a", "b"),
    "bitonic sort": _sort,
}
