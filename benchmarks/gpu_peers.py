"""What `gpu_suite.py` compares with, in the same process and on the same arrays, without a copy.

A peer is a function that takes the arguments of a task, of which arrays are stepwell's on the
device, and gives what runs the same task once in CUDA's default stream. Where a package is missing
its peers are left out, and the suite says so.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import stepwell as sw

Run = Callable[[], object]
Maker = Callable[[list[Any], tuple[int, ...], tuple[int, ...]], Run]
Peers = dict[str, dict[str, Maker]]
SOURCES = Path(__file__).parent / "cuda"


def peers() -> tuple[Peers, dict[str, str]]:
    """By name the tasks of each peer; and which are not there, with the reason."""
    makers: dict[str, Callable[[], dict[str, Maker]]] = {
        "PyTorch": torch,
        "CuPy": cupy,
        "CUDA C": cuda_c,
        "Numba": numba,
        "Triton": triton,
    }
    found: Peers = {}
    missing: dict[str, str] = {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except Exception as error:  # of another library: the suite says so
            missing[name] = f"{type(error).__name__}: {error}".split("\n")[0]
    return found, missing


def _converted(convert: Callable[[Any], Any], arguments: list[Any]) -> list[Any]:
    return [convert(a) if isinstance(a, sw.DeviceArray) else a for a in arguments]


def torch() -> dict[str, Maker]:
    """PyTorch's own functions; products are cuBLAS's, f32 without TF32."""
    t = import_module("torch")
    t.backends.cuda.matmul.allow_tf32 = False

    def tasks(run: Callable[..., object]) -> Maker:
        return lambda arguments, grid, block: _bound(run, _converted(t.from_dlpack, arguments))

    return {
        "saxpy": tasks(lambda a, x, y: t.add(y, x, alpha=float(a), out=y)),
        "transpose": tasks(lambda x, out: out.copy_(x.t())),
        "reduction": tasks(lambda x, out: t.sum(x, dim=0, keepdim=True, out=out)),
        "softmax": tasks(lambda x, out: t.softmax(x, 1, out=out)),
        "layernorm": tasks(
            lambda x, out: out.copy_(t.nn.functional.layer_norm(x, x.shape[1:], eps=1e-5))
        ),
        "histogram": tasks(lambda x, out: out.copy_(t.bincount(x, minlength=256))),
        "scan": tasks(lambda x, out: t.cumsum(x, 1, out=out)),
        "matmul": tasks(lambda a, b, c: t.mm(a, b, out=c)),
        "mma_matmul": tasks(lambda a, b, c: t.mm(a, b, out_dtype=t.float32, out=c)),
    }


def _bound(run: Callable[..., object], arguments: list[Any]) -> Run:
    return lambda: run(*arguments)


def cupy() -> dict[str, Maker]:
    """CuPy's own functions."""
    cp = import_module("cupy")
    saxpy = cp.ElementwiseKernel("float32 a, float32 x", "float32 y", "y = a * x + y", "saxpy")

    def tasks(run: Callable[..., object]) -> Maker:
        return lambda arguments, grid, block: _bound(run, _converted(cp.from_dlpack, arguments))

    return {
        "saxpy": tasks(lambda a, x, y: saxpy(a, x, y)),
        "transpose": tasks(lambda x, out: cp.copyto(out, x.T)),
        "reduction": tasks(lambda x, out: cp.sum(x, keepdims=True, out=out)),
        "histogram": tasks(lambda x, out: cp.copyto(out, cp.bincount(x, minlength=256))),
        "scan": tasks(lambda x, out: cp.cumsum(x, 1, out=out)),
        "matmul": tasks(lambda a, b, c: cp.matmul(a, b, out=c)),
    }


def cuda_c() -> dict[str, Maker]:
    """The same kernels in CUDA C (`cuda/*.cu`), by NVRTC through CuPy."""
    cp = import_module("cupy")

    def kernel(name: str, sizes: Callable[[list[Any]], tuple[int, ...]]) -> Maker:
        def make(arguments: list[Any], grid: tuple[int, ...], block: tuple[int, ...]) -> Run:
            source = (SOURCES / f"{name}.cu").read_text(encoding="utf-8")
            defined = ("-DINDEX=int", "-DINFINITY=__int_as_float(0x7f800000)")
            module = cp.RawModule(code=source, options=("--std=c++17", *defined))
            function = module.get_function(name)
            addresses = _converted(lambda array: np.uint64(array.address), arguments)
            values = (*addresses, *map(np.int32, sizes(arguments)))  # CuPy may have no bfloat16
            return lambda: function(grid, block, values)

        return make

    def product(given: list[Any]) -> tuple[int, ...]:
        return given[0].shape[0], given[1].shape[1], given[0].shape[1]

    rows = {
        "saxpy": lambda g: g[2].shape,
        "transpose": lambda g: g[0].shape,
        "reduction": lambda g: g[0].shape,
        "softmax": lambda g: g[0].shape[1:],
        "matmul": product,
        "mma_matmul": product,
    }
    return {name: kernel(name, sizes) for name, sizes in rows.items()}


def numba() -> dict[str, Maker]:
    """Kernels in Python, compiled by Numba."""
    if not hasattr(np, "row_stack"):  # gone in NumPy 2.5, and numba-cuda 0.30 still asks for it
        np.row_stack = np.vstack
    cuda: Any = import_module("numba.cuda")
    kernels = import_module("gpu_peers_numba")

    def launched(function: Any) -> Maker:
        def make(arguments: list[Any], grid: tuple[int, ...], block: tuple[int, ...]) -> Run:
            given, launch = _converted(cuda.as_cuda_array, arguments), function[grid, block]
            return lambda: launch(*given)

        return make

    def cold(function: Any) -> Maker:
        def make(arguments: list[Any], grid: tuple[int, ...], block: tuple[int, ...]) -> Run:
            given = _converted(cuda.as_cuda_array, arguments)
            return lambda: cuda.jit(function.py_func)[grid, block](*given)

        return make

    names = ("saxpy", "reduction", "stencil", "histogram")
    colds = ("saxpy", "reduction")
    return {
        **{name: launched(getattr(kernels, name)) for name in names},
        **{f"cold compile, {name}": cold(getattr(kernels, name)) for name in colds},
    }


def triton() -> dict[str, Maker]:
    """Kernels of blocks, compiled by Triton."""
    t, kernels = import_module("torch"), import_module("cuda_compile_triton")

    def saxpy(arguments: list[Any], grid: tuple[int, ...], block: tuple[int, ...]) -> Run:
        a, x, y = _converted(t.from_dlpack, arguments)
        launch = kernels.saxpy_kernel[(-(-y.numel() // 1024),)]
        return lambda: launch(float(a), x, y, y.numel(), 1024)

    def reduction(arguments: list[Any], grid: tuple[int, ...], block: tuple[int, ...]) -> Run:
        x, out = _converted(t.from_dlpack, arguments)
        return lambda: kernels.reduction_kernel[grid](x, out, x.numel(), 256)

    def product(arguments: list[Any], grid: tuple[int, ...], block: tuple[int, ...]) -> Run:
        a, b, c = _converted(t.from_dlpack, arguments)
        launch, n = kernels.mma_matmul_kernel[grid], a.shape[0]
        return lambda: launch(a, b, c, n, n, 128, 32)

    def rows(kernel: Any) -> Maker:
        def make(arguments: list[Any], grid: tuple[int, ...], block: tuple[int, ...]) -> Run:
            x, out = _converted(t.from_dlpack, arguments)
            launch, columns = kernel[(x.shape[0],)], x.shape[1]
            width = max(1024, 1 << (columns - 1).bit_length())
            return lambda: launch(x, out, columns, width, num_warps=8)

        return make

    def cold(kernel: Any, *words: int) -> Maker:
        def make(arguments: list[Any], grid: tuple[int, ...], block: tuple[int, ...]) -> Run:
            given = [float(a) if isinstance(a, np.floating) else a for a in arguments]
            given = _converted(t.from_dlpack, given)
            return lambda: jit(kernel.fn)[grid](*given, given[-2].numel(), *words)

        return make

    jit = import_module("triton").jit
    per_row = import_module("gpu_peers_triton")
    return {
        "saxpy": saxpy,
        "reduction": reduction,
        "softmax": rows(per_row.softmax_kernel),
        "layernorm": rows(per_row.layernorm_kernel),
        "mma_matmul": product,
        "cold compile, saxpy": cold(kernels.saxpy_kernel, 1024),
        "cold compile, reduction": cold(kernels.reduction_kernel, 256),
    }
