"""Kernels that are written as IR text: they enter at their level and go down from there."""

from __future__ import annotations

import linecache
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .dialects.diagnostics import CompileError, location_of
from .registry import near_matches
from .runtime.artifact import ArgumentPart, Artifact, Bundle, Parameter
from .tracebacks import tells_in_short

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Attribute, SSAValue

    from .dialects.gpu import FuncOp

# The level of a module is that of the first of these that occurs in it.
MARKS = (
    *(("simt.", "simt"), ("gpu.func", "gpu"), ("spirv.", "spirv"), ("nvvm.", "nvvm")),
    *(("gpux.", "cpu"), ("llvm.func", "llvm")),
)
# Below the waist a function has more parameters than a launch gives.
KERNEL_LEVELS = ("simt", "gpu")


@tells_in_short
def compile_ir(
    source: str | os.PathLike[str] | ModuleOp,
    *,
    target: str = "cpu",
    kernel: str | None = None,
    level: str | None = None,
) -> Bundle:
    """Compile one kernel of IR, at level simt or gpu: a path, the text itself, or a module.

    `sw.load` makes a program of the result, `.save(path)` writes it. `target` is as in `compile`,
    `kernel` names one of several, `level` is otherwise seen from the ops. The kernel's parameters
    are those of its `gpu.func`: scalars and memrefs. CompileError for what is wrong in it.
    """
    module, origin = _read(source)
    wanted = [] if kernel is None else [kernel]
    results = compile_module(module, origin, target, kernels=wanted, start=level)
    if len(results) != 1:
        names = ", ".join(results)
        raise CompileError(f"{origin} has several kernels: {names}", hint="name one by kernel=")
    (bundle,) = results.values()
    assert isinstance(bundle, Bundle), "an artifact was asked for"
    return bundle


def compile_file(
    path: Path, target: str, emit: str, *, kernels: Sequence[str] = (), start: str | None = None
) -> dict[str, str | bytes | Bundle]:
    """The kernels of a file, all or those named, by name: artifacts, or texts at a level."""
    module, origin = _read(path)
    return compile_module(module, origin, target, emit, kernels=kernels, start=start)


def _read(source: str | os.PathLike[str] | ModuleOp) -> tuple[ModuleOp, str]:
    """The module, and what it is called in messages."""
    from .lowering.parse import parse_module

    if isinstance(source, str) and "\n" in source:
        return parse_module(source, "<text>"), "the text"
    if not isinstance(source, (str, os.PathLike)):
        return source.clone(), "the module"
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CompileError(f"cannot read {path}: {error}") from error
    linecache.checkcache(str(path))
    return parse_module(text, str(path)), str(path)


def compile_module(
    module: ModuleOp,
    origin: str,
    target: str,
    emit: str = "artifact",
    *,
    kernels: Sequence[str] = (),
    start: str | None = None,
) -> dict[str, str | bytes | Bundle]:
    """See `compile_file`; the module is used up."""
    from .targets import versions_of

    versions = versions_of(target)
    if len(versions) == 1 or emit != "artifact":
        return _compile_for_one(module, origin, target, emit, kernels, start)
    bundles: dict[str, list[Artifact]] = {}
    for version in versions:
        made = _compile_for_one(module.clone(), origin, version, emit, kernels, start)
        for name, bundle in made.items():
            assert isinstance(bundle, Bundle), "an artifact was asked for"
            bundles.setdefault(name, []).extend(bundle.artifacts)
    return {name: Bundle(tuple(artifacts)) for name, artifacts in bundles.items()}


def _compile_for_one(
    module: ModuleOp, origin: str, target: str, emit: str, kernels: Sequence[str], start: str | None
) -> dict[str, str | bytes | Bundle]:
    """`compile_module` for one machine."""
    from .compiler import lower_and_print
    from .targets import find_target

    level = _settle(module, origin, target, start, as_it_is=emit)
    is_text = emit not in ("artifact", "spv")
    if is_text and (level not in KERNEL_LEVELS or not _kernels(module)):
        if kernels:
            raise CompileError(f"{origin} has no gpu.func to choose by --kernel")
        return {Path(origin).stem: lower_and_print(module, find_target(target), level, emit)}
    results: dict[str, str | bytes | Bundle] = {}
    for name, alone in _each(module, origin, level, kernels).items():
        if is_text:
            results[name] = lower_and_print(alone, find_target(target), level, emit)
        else:
            bundle = _bundle(alone, name, target, level)
            results[name] = bundle.only().payload if emit == "spv" else bundle
    return results


def kernels_of_file(
    path: Path, target: str, kernels: Sequence[str] = (), start: str | None = None
) -> tuple[str, dict[str, ModuleOp]]:
    """The level of a file, simt or gpu, and a module for each kernel of it, all or those named."""
    module, origin = _read(path)
    level = _settle(module, origin, target, start)
    return level, _each(module, origin, level, kernels)


def _settle(
    module: ModuleOp, origin: str, target: str, start: str | None, as_it_is: str = ""
) -> str:
    """The level of a module, held to its contract; `as_it_is` is a level that is only shown."""
    from .compiler import lower_extensions
    from .dialects.marks import LEVEL
    from .lowering.levels import check_level
    from .lowering.verify import verify

    verify(module)
    level = start or level_of(module, origin, target)
    module.attributes.pop(LEVEL, None)  # it is of another one soon
    if level == as_it_is:
        return level
    lower_extensions(module)
    check_level(module, _contract(module, level))
    return _enter(module, level, target)


def _each(module: ModuleOp, origin: str, level: str, kernels: Sequence[str]) -> dict[str, ModuleOp]:
    """The kernels asked for, or all, each in a module of its own."""
    if level not in KERNEL_LEVELS:
        raise CompileError(
            f"{origin} is at level {level}, which does not say what its parameters are",
            hint=f"an artifact is made of a file at level {' or '.join(KERNEL_LEVELS)}",
        )
    return {name: only(module, name) for name in _chosen(module, origin, kernels)}


def _bundle(module: ModuleOp, name: str, target: str, level: str) -> Bundle:
    from .compiler import compile_module
    from .targets import find_target

    (kernel,) = _kernels(module)
    given = parameters(kernel)
    return Bundle((compile_module(module, name, given, find_target(target), start=level),))


def level_of(module: ModuleOp, origin: str, target: str) -> str:
    """The level that a module says that it has, else the one that its ops show."""
    from xdsl.dialects.builtin import StringAttr

    from .dialects.marks import LEVEL
    from .lowering.levels import find_level

    said = module.attributes.get(LEVEL)
    if isinstance(said, StringAttr):
        return find_level(said.data).name
    names = {op.name for op in module.walk()}
    foreign = _level_of_package(names)
    if foreign is not None:
        return foreign
    for mark, level in MARKS:
        if any(name.startswith(mark) for name in names):
            is_nvidia = level == "llvm" and target.startswith("cuda")
            return "nvvm" if is_nvidia else level
    raise CompileError(
        f"{origin} has neither a gpu.func nor another mark of a level",
        hint="put a gpu.func with `kernel` into a gpu.module, or say --from LEVEL",
    )


def _level_of_package(names: set[str]) -> str | None:
    """The level of another package that all these ops are of, if some are of none of ours."""
    from .lowering.levels import LEVEL_TABLE, LEVELS
    from .registry import find_lowering

    ours = {name.partition(".")[0] for level in LEVELS.values() for name in level.ops}
    others = {name.partition(".")[0] for name in names} - ours
    if all(find_lowering(dialect) is not None for dialect in others):
        return None
    fitting = [
        level.name
        for level in LEVEL_TABLE.added()
        if all(name in level.ops or name.partition(".")[0] in level.ops for name in names)
    ]
    if len(fitting) > 1:
        raise CompileError(f"the ops are of levels {', '.join(fitting)}", hint="say --from LEVEL")
    return fitting[0] if fitting else None


def _enter(module: ModuleOp, level: str, target: str) -> str:
    """Takes a module of another package's level to the nearest one of the target; which it is."""
    from xdsl.context import Context

    from .lowering.levels import LEVELS
    from .lowering.route import way_down
    from .targets import find_target

    way = find_target(target)
    if level in LEVELS or level in way.levels:
        return level
    lowerings = way_down(level, ("simt", *way.levels))
    for lowering in lowerings:
        lowering.pipeline(**way.parameters()).run(module, Context())
    return lowerings[-1].gives


def _contract(module: ModuleOp, level: str) -> str:
    """Checked indices may stand in simt's control flow or in scf's, which have different exits."""
    has_scf = level == "simt" and any(op.name.startswith("scf.") for op in module.walk())
    return "structured" if has_scf else level


def _kernels(module: ModuleOp) -> list[FuncOp]:
    from .dialects.gpu import FuncOp

    return [op for op in module.walk() if isinstance(op, FuncOp) and op.is_kernel]


def _chosen(module: ModuleOp, origin: str, wanted: Sequence[str]) -> list[str]:
    known = [op.sym_name.data for op in _kernels(module)]
    if not known:
        raise CompileError(f"{origin}: expected a gpu.func with `kernel`, found none")
    for name in wanted:
        if name not in known:
            raise CompileError(f"{origin} has no kernel {name!r}", hint=near_matches(name, known))
    return list(dict.fromkeys(wanted)) or known


def only(module: ModuleOp, name: str) -> ModuleOp:
    """A copy without the other kernels, whose helpers nothing outside of it can call."""
    from xdsl.dialects.builtin import StringAttr
    from xdsl.dialects.func import FuncOp as Helper

    copy = module.clone()
    for kernel in _kernels(copy):
        if kernel.sym_name.data != name:
            kernel.detach()
            kernel.erase()
    for op in copy.walk():
        if isinstance(op, Helper) and not op.is_declaration:
            op.sym_visibility = StringAttr("private")
    return copy


def parameters(kernel: FuncOp) -> tuple[Parameter, ...]:
    """How a launch gives each parameter, as its type says."""
    from .dialects import gpux

    given = kernel.parameters[: len(kernel.parameters) - len(gpux.extents(kernel))]
    return tuple(_parameter(number, value, kernel) for number, value in enumerate(given))


def _parameter(number: int, value: SSAValue, kernel: FuncOp) -> Parameter:
    from xdsl.dialects.builtin import MemRefType

    name, source = value.name_hint or f"arg{number}", ArgumentPart(number)
    is_buffer = isinstance(value.type, MemRefType)
    if is_buffer:
        return _buffer(name, value.type, source, kernel)
    return Parameter(name, "scalar", _dtype(value.type, kernel), source=source)


def _buffer(name: str, memref: Any, source: ArgumentPart, kernel: FuncOp) -> Parameter:
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
    from .runtime.dtypes import DTYPES

    name = {"i1": "bool"}.get(str(type_), str(type_))
    if name not in DTYPES:
        raise CompileError(f"a parameter of type {type_} cannot be launched", location_of(kernel))
    return name
