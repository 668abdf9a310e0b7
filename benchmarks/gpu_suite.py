"""The CUDA kernels on an NVIDIA GPU: built, checked against NumPy, timed.

    python benchmarks/gpu_suite.py [--rounds N] [--simulate]

Needs a GPU, its driver and `pip install cuda-python`; says so and ends with 1 where one is missing.
The kernels of `cuda_kernels.py`, without checks and for small launches, become PTX, which the
driver assembles. Each runs over inputs that are larger than the caches; times are medians of CUDA
events, beside a copy on the device of the same size. `--simulate` runs small inputs in the
interpreter of the tests instead, once, which checks this script and measures nothing.
Writes `benchmarks/results/gpu_suite-<date>.json`.
"""

from __future__ import annotations

import argparse
import ctypes
import datetime
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from cuda_kernels import BLOCK, SUBJECTS, Subject
from machine import machine, versions

HERE = Path(__file__).parent
RESULTS = HERE / "results"
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Case:
    """Arguments of a kernel (the last array is written), its launch, what it should give."""

    arguments: list[Any]
    grid: tuple[int, int]
    block: tuple[int, int]
    expected: Array
    bytes_moved: int = 0
    operations: int = 0


def saxpy(n: int, rng: Any) -> Case:
    x, y = (rng.random(n * n, np.float32) for _ in range(2))
    a = np.float32(2)
    return Case([a, x, y], (-(-n * n // BLOCK), 1), (BLOCK, 1), a * x + y, 12 * n * n)


def transpose(n: int, rng: Any) -> Case:
    x = rng.random((n, n), np.float32)
    return Case([x, np.zeros_like(x)], (n // 32, n // 32), (32, 8), x.T.copy(), 8 * n * n)


def reduction(n: int, rng: Any) -> Case:
    x, blocks = rng.random(n * n, np.float32), min(1024, -(-n * n // BLOCK))
    whole = np.array([x.sum(dtype=np.float64)], np.float32)
    return Case([x, np.zeros(1, np.float32)], (blocks, 1), (BLOCK, 1), whole, 4 * n * n)


def softmax(n: int, rng: Any) -> Case:
    x = rng.random((n, n), np.float32)
    powers = np.exp(x - x.max(1, keepdims=True))
    expected = powers / powers.sum(1, keepdims=True)
    return Case([x, np.zeros_like(x)], (n, 1), (BLOCK, 1), expected, 8 * n * n)


def matmul(n: int, rng: Any) -> Case:
    a, b = (rng.random((n, n), np.float32) for _ in range(2))
    tiles = (n // 16, n // 16)
    return Case([a, b, np.zeros_like(a)], tiles, (16, 16), a @ b, operations=2 * n**3)


def mma_matmul(n: int, rng: Any) -> Case:
    a, b = (rng.random((n, n), np.float32).astype(ml_dtypes.bfloat16) for _ in range(2))
    c, tiles = np.zeros((n, n), np.float32), (n // 128, n // 128)
    expected = a.astype(np.float32) @ b.astype(np.float32)
    return Case([a, b, c], tiles, (BLOCK, 1), expected, operations=2 * n**3)


# By the name of the kernel: the case, the side of its arrays.
CASES: dict[str, tuple[Callable[[int, Any], Case], int]] = {
    "saxpy": (saxpy, 8192),
    "transpose": (transpose, 8192),
    "reduction": (reduction, 8192),
    "softmax": (softmax, 8192),
    "matmul": (matmul, 4096),
    "mma_matmul": (mma_matmul, 4096),
}
SIMULATED_SIDE = 128


class Gpu:
    """The first GPU, by the driver's own functions."""

    def __init__(self) -> None:
        from cuda.bindings import driver

        self.driver = driver
        self.call("cuInit", 0)
        device = self.call("cuDeviceGet", 0)
        self.call("cuCtxSetCurrent", self.call("cuDevicePrimaryCtxRetain", device))
        kinds = driver.CUdevice_attribute
        major, minor = (
            self.call("cuDeviceGetAttribute", getattr(kinds, f"{name}"), device)
            for name in (
                "CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR",
                "CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR",
            )
        )
        self.arch = f"sm_{major}{minor}"
        self.name = self.call("cuDeviceGetName", 128, device).rstrip(b"\0").decode()
        self.events = [self.call("cuEventCreate", 0) for _ in range(2)]

    def call(self, name: str, *arguments: Any) -> Any:
        """What a function of the driver gives, or an error that names it."""
        status, *found = getattr(self.driver, name)(*arguments)
        if int(status) != 0:
            raise RuntimeError(f"{name}: {status.name}")
        return found[0] if found else None

    def upload(self, array: Array) -> int:
        address = self.call("cuMemAlloc", array.nbytes)
        self.call("cuMemcpyHtoD", address, array.ctypes.data, array.nbytes)
        return int(address)

    def download(self, address: int, array: Array) -> None:
        self.call("cuMemcpyDtoH", array.ctypes.data, address, array.nbytes)

    def copy_ms(self, nbytes: int, rounds: int) -> float:
        """A copy of as many bytes read as written, which are `nbytes` together."""
        one, other = (self.call("cuMemAlloc", nbytes // 2) for _ in range(2))
        taken = self.time(lambda: self.call("cuMemcpyDtoD", one, other, nbytes // 2), rounds)
        for address in (one, other):
            self.call("cuMemFree", address)
        return taken

    def kernel(self, ptx: str, name: str) -> Any:
        module = self.call("cuModuleLoadData", ptx.encode() + b"\0")
        return self.call("cuModuleGetFunction", module, name.encode())

    def launch(self, kernel: Any, case: Case, values: Sequence[Any]) -> None:
        pointers = (ctypes.c_void_p * len(values))(*(ctypes.addressof(v) for v in values))
        place = ctypes.addressof(pointers)
        self.call("cuLaunchKernel", kernel, *case.grid, 1, *case.block, 1, 0, 0, place, 0)

    def time(self, run: Callable[[], object], rounds: int) -> float:
        """Median milliseconds, after one run that does not count."""
        run()
        taken: list[float] = []
        for _ in range(rounds):
            self.call("cuEventRecord", self.events[0], 0)
            run()
            self.call("cuEventRecord", self.events[1], 0)
            self.call("cuEventSynchronize", self.events[1])
            taken.append(float(self.call("cuEventElapsedTime", *self.events)))
        return statistics.median(taken)


class Simulated:
    """The interpreter of the tests, with the same methods."""

    arch, name = "sm_80", "PTX interpreter"

    def __init__(self) -> None:
        sys.path.insert(0, str(HERE.parent / "tests"))
        from oracles.ptx.module import Memory, Module

        self.memory, self.module = Memory(), Module

    def upload(self, array: Array) -> int:
        address = self.memory.allocate(array.nbytes)
        self.memory.write(address, array)
        return address

    def download(self, address: int, array: Array) -> None:
        data = self.memory.read(address, array.nbytes)
        array[...] = np.frombuffer(data, array.dtype).reshape(array.shape)

    def kernel(self, ptx: str, name: str) -> Any:
        return self.module(ptx, self.memory), name

    def launch(self, kernel: Any, case: Case, values: Sequence[Any]) -> None:
        module, name = kernel
        module.run(name, case.grid, case.block, [bytes(v) for v in values])

    def copy_ms(self, nbytes: int, rounds: int) -> float:
        return 0.0

    def time(self, run: Callable[[], object], rounds: int) -> float:
        return 0.0


@dataclass(frozen=True)
class Row:
    """One kernel."""

    kernel: str
    ms: float
    copy_ms: float
    gigabytes_per_second: float
    teraflops: float
    correct: bool

    def line(self) -> str:
        return (
            f"{self.kernel:<12} {self.ms:9.4f} {self.copy_ms:9.4f} "
            f"{self.gigabytes_per_second:9.1f} {self.teraflops:8.2f}  {self.correct}"
        )


def packed(gpu: Gpu | Simulated, case: Case) -> tuple[list[Any], int]:
    """The parameters as the kernel takes them, and the address of what it writes."""
    values: list[Any] = []
    address = 0
    for argument in case.arguments:
        if isinstance(argument, np.ndarray):
            address = gpu.upload(argument)
            values += [ctypes.c_uint64(n) for n in (address, *argument.shape)]
        else:
            values.append(ctypes.c_float(argument))
    return values, address


def run(gpu: Gpu | Simulated, subject: Subject, rounds: int) -> Row:
    """Build, launch, check, time."""
    make, side = CASES[subject.name]
    side = SIMULATED_SIDE if isinstance(gpu, Simulated) else side
    case = make(side, np.random.default_rng(0))
    kernel = gpu.kernel(subject.ptx(gpu.arch, checks=False, small=True), subject.name)
    values, address = packed(gpu, case)
    gpu.launch(kernel, case, values)
    found = np.empty_like(case.arguments[-1])
    gpu.download(address, found)
    correct = bool(np.allclose(found, case.expected, rtol=1e-4, atol=1e-5))
    ms = gpu.time(lambda: gpu.launch(kernel, case, values), rounds)
    copy = gpu.copy_ms(case.bytes_moved, rounds) if case.bytes_moved else 0.0
    per_ms = 1 / ms if ms else 0.0
    rates = case.bytes_moved * per_ms / 1e6, case.operations * per_ms / 1e9
    return Row(subject.name, ms, copy, *rates, correct)


def main() -> int:
    """Run everything, write it down; 1 without a GPU or where a result is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--simulate", action="store_true")
    asked = parser.parse_args()
    try:
        gpu = Simulated() if asked.simulate else Gpu()
    except ImportError as error:
        print(f"no GPU can be asked: {error} (pip install cuda-python)")
        return 1
    except RuntimeError as error:
        print(f"no GPU here, nothing was measured: {error}")
        return 1
    print(f"{gpu.name}, {gpu.arch}")
    print(f"{'kernel':<12} {'ms':>9} {'copy ms':>9} {'GB/s':>9} {'TFLOP/s':>8}  correct")
    rows: list[Row] = []
    for subject in SUBJECTS:
        rows.append(run(gpu, subject, asked.rounds))
        print(rows[-1].line(), flush=True)
    if not asked.simulate:
        write(gpu.name, rows)
    return int(not all(row.correct for row in rows))


def write(gpu: str, rows: list[Row]) -> None:
    """The JSON file."""
    now = datetime.datetime.now(datetime.UTC)
    content = {
        "date": now.isoformat(timespec="seconds"),
        "gpu": gpu,
        "machine": machine(),
        "versions": versions(),
        "rows": [asdict(row) for row in rows],
    }
    path = RESULTS / f"gpu_suite-{now:%Y-%m-%d}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path}")


if __name__ == "__main__":
    sys.exit(main())
