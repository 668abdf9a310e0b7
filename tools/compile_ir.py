"""`stepwell compile FILE.mlir`: IR text enters at its level and goes down from there."""

from __future__ import annotations

import linecache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dialects.diagnostics import CompileError, location_of
from ..runtime.artifact import Bundle, Parameter, Source

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Attribute, SSAValue

    from ..dialects.gpu import FuncOp

# The level of a file is that of the first of these that occurs in it.
MARKS = (("simt.", "simt"), ("gpu.func", "gpu"), ("gpux.", "cpu"), ("llvm.func", "llvm"))
# Below the waist a function has more parameters than a launch gives.
KERNEL_LEVELS = ("simt", "gpu")


def compile_ir(
    path: Path, start: str | None, target: str, emit: str
) -> dict[str, str | bytes | Bundle]:
    """The module of a file as an artifact or as text at a level, under its kernel's name."""
    from ..compiler import compile_module, lower_and_print
    from ..lowering.levels import check_level
    from ..lowering.parse import parse_module
    from ..lowering.verify import verify
    from ..targets import find_target, versions_of

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CompileError(f"cannot read {path}: {error}") from error
    linecache.checkcache(str(path))
    module = parse_module(text, str(path))
    verify(module)
    level = start or level_of(module, path)
    check_level(module, level)
    if emit not in ("artifact", "spv"):
        return {path.stem: lower_and_print(module, find_target(target), level, emit)}
    if level not in KERNEL_LEVELS:
        raise CompileError(
            f"{path} is at level {level}, which does not say what its parameters are",
            hint=f"an artifact is made of a file at level {' or '.join(KERNEL_LEVELS)}",
        )
    kernel = _only_kernel(module, path)
    name = kernel.sym_name.data
    given = parameters(kernel)
    artifacts = tuple(
        compile_module(module.clone(), name, given, find_target(version), start=level)
        for version in versions_of(target)
    )
    return {name: artifacts[0].payload if emit == "spv" else Bundle(artifacts)}


def level_of(module: ModuleOp, path: Path) -> str:
    """The level that the ops of a module show."""
    names = {op.name for op in module.walk()}
    for mark, level in MARKS:
        if any(name.startswith(mark) for name in names):
            return level
    raise CompileError(
        f"{path} has neither a gpu.func nor another mark of a level",
        hint="put a gpu.func with `kernel` into a gpu.module, or say --from LEVEL",
    )


def _only_kernel(module: ModuleOp, path: Path) -> FuncOp:
    from ..dialects.gpu import FuncOp

    kernels = [op for op in module.walk() if isinstance(op, FuncOp) and op.is_kernel]
    if len(kernels) != 1:
        names = ", ".join(op.sym_name.data for op in kernels) or "none"
        raise CompileError(f"{path}: expected one gpu.func with `kernel`, found {names}")
    return kernels[0]


def over_rank(kernel: FuncOp) -> int | None:
    """The rank of the launches that the kernel is for; None for a plain grid."""
    from xdsl.dialects.builtin import IntegerAttr

    rank = kernel.attributes.get("gpux.over")
    return rank.value.data if isinstance(rank, IntegerAttr) else None


def parameters(kernel: FuncOp) -> tuple[Parameter, ...]:
    """How a launch gives each parameter, as its type says."""
    given = kernel.parameters[:-3] if over_rank(kernel) is not None else kernel.parameters
    return tuple(_parameter(number, value, kernel) for number, value in enumerate(given))


def _parameter(number: int, value: SSAValue, kernel: FuncOp) -> Parameter:
    from xdsl.dialects.builtin import MemRefType

    name, source = value.name_hint or f"arg{number}", Source(number)
    is_buffer = isinstance(value.type, MemRefType)
    if is_buffer:
        return _buffer(name, value.type, source, kernel)
    return Parameter(name, "scalar", _dtype(value.type, kernel), source=source)


def _buffer(name: str, memref: Any, source: Source, kernel: FuncOp) -> Parameter:
    sizes = tuple(None if size < 0 else size for size in memref.get_shape())
    return Parameter(
        name,
        "buffer",
        _dtype(memref.element_type, kernel),
        len(sizes),
        sizes,
        _strides(memref, kernel),
        # IR may write through any view; what is not written is only quicker to launch.
        writes=True,
        source=source,
    )


def _strides(memref: Any, kernel: FuncOp) -> tuple[int | None, ...] | None:
    from xdsl.dialects.builtin import IntAttr, NoneAttr, StridedLayoutAttr

    if isinstance(memref.layout, NoneAttr):
        return None
    if not isinstance(memref.layout, StridedLayoutAttr):
        raise CompileError(f"a parameter of layout {memref.layout}", location_of(kernel))
    return tuple(
        stride.data if isinstance(stride, IntAttr) else None for stride in memref.layout.strides
    )


def _dtype(type_: Attribute, kernel: FuncOp) -> str:
    """The language's name of a type; integers without a sign are taken as signed."""
    from ..runtime.dtypes import DTYPES

    name = {"i1": "bool"}.get(str(type_), str(type_))
    if name not in DTYPES:
        raise CompileError(f"a parameter of type {type_} cannot be launched", location_of(kernel))
    return name
