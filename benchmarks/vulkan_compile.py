"""Time from a Python function to a SPIR-V binary, in a warm process without cache.

    python benchmarks/vulkan_compile.py

The profile is that of a device with buffer addresses and all narrow types. CPU time of the process,
since these machines are shared; wall time beside it.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

import numpy as np
from cuda_kernels import reduction, saxpy, softmax, transpose
from measure import Row, rows_of
from record import record
from vulkan_kernels import matmul

import stepwell as sw
from stepwell.compiler import compile_kernel
from stepwell.runtime.artifact import Form

PROFILE = (
    "vulkan:1.6+sg32+bda+float16+float32_atomic_add+float64+int16+int64+int8+storage16+storage8"
    "+subgroup_arithmetic+subgroup_ballot+subgroup_basic+subgroup_shuffle+subgroup_vote"
)
LIMITS = {"saxpy": 25.0, "reduction": 60.0}
ROUNDS = 21


def main() -> None:
    x, m = np.zeros(1, np.float32), np.zeros((1, 1), np.float32)
    subjects: list[tuple[Callable[..., None], tuple[Any, ...]]] = [
        (saxpy, (np.float32(1), x, x)),
        (reduction, (x, x)),
        (transpose, (m, m)),
        (softmax, (m, m)),
        (matmul, (m, m, m)),
    ]
    rows: list[Row] = []
    for function, arguments in subjects:
        rows += measured(function, arguments)
    for row in rows:
        print(row.line())
    record("vulkan_compile", rows, profile=PROFILE)


def measured(function: Callable[..., None], arguments: tuple[Any, ...]) -> list[Row]:
    """Compiles anew in each round, after two that warm up."""
    kernel = sw.kernel(function)
    types = kernel.parameter_types(arguments)
    times: dict[str, list[float]] = {"stepwell": [], "stepwell, CPU": []}
    gc.disable()  # as where a kernel is compiled for a launch
    for round_ in range(ROUNDS + 2):
        wall, cpu = perf_counter(), process_time()
        compile_kernel(kernel, types, PROFILE, Form())
        if round_ >= 2:
            times["stepwell"].append(perf_counter() - wall)
            times["stepwell, CPU"].append(process_time() - cpu)
    gc.enable()
    limit = LIMITS.get(function.__name__)
    targets = {"stepwell": limit} if limit is not None else None
    return rows_of(function.__name__, times, unit="ms", scale=1e3, targets=targets)


if __name__ == "__main__":
    main()
