"""Kernels that are given as IR of the waist, on any device.

    run_ir(device, text, x, y, grid=2, block=64)

runs the one kernel of a module; `GLOBAL` in the text stands for the address space of buffers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import stepwell as sw
from stepwell.ahead_of_time import LoadedProgram
from stepwell.compiler import compile_module, find_target
from stepwell.dialects.gpu import FuncOp
from stepwell.ir_files import parameters
from stepwell.lowering.levels import check_level
from stepwell.lowering.parse import parse_module
from stepwell.lowering.verify import verify
from stepwell.runtime.artifact import Artifact, Bundle


def run_ir(
    device: sw.Device,
    text: str,
    *arguments: Any,
    grid: int | Sequence[int] = 1,
    block: int | Sequence[int] = 1,
) -> None:
    """Compiles and launches; arrays are changed in place."""
    _program(text, device.target).launch(grid, block, device=device)(*arguments)


def run_on(
    device: sw.Device, artifact: Artifact, *arguments: Any, grid: int = 1, block: int = 1
) -> None:
    """Launches what was compiled already."""
    LoadedProgram(Bundle((artifact,))).launch(grid, block, device=device)(*arguments)


@cache
def _program(text: str, target: str) -> LoadedProgram:
    return LoadedProgram(Bundle((compile_text(text, target),)))


def compile_text(text: str, target: str) -> Artifact:
    """The one kernel of a module at the waist."""
    module = parse_module(text.replace("GLOBAL", "#gpu.address_space<global>"), "kernel.mlir")
    verify(module)
    check_level(module, "gpu")
    (kernel,) = (op for op in module.walk() if isinstance(op, FuncOp) and op.is_kernel)
    way = find_target(target)
    return compile_module(module, kernel.sym_name.data, parameters(kernel), way, start="gpu")


def elementwise(lines: Sequence[str], buffers: Sequence[str]) -> str:
    """A kernel in which each thread has an index %i, and buffers of these types named %x0, %x1 …"""
    given = ", ".join(f"%x{n}: memref<?x{kind}, GLOBAL>" for n, kind in enumerate(buffers))
    body = "\n    ".join(lines)
    return f"""gpu.module @m {{
  gpu.func @kernel({given}) kernel {{
    %i = gpu.global_id x
    {body}
    gpu.return
  }}
}}
"""
