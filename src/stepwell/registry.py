"""The tables of what can be asked for by name; a row is loaded only when it is asked for.

Another package adds rows by `register_pass` and `register_dialect`, or without being imported by
entry points of the groups `stepwell.passes` and `stepwell.dialects` (name = "module:object"). The
group `stepwell.lowerings` names for a dialect the pass that lowers it when a kernel is compiled.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .dialects.diagnostics import CompileError

if TYPE_CHECKING:
    from xdsl.ir import Dialect
    from xdsl.passes import ModulePass

PASSES: dict[str, str] = {
    "annotate-divergence": "stepwell.passes.annotate_divergence:AnnotateDivergence",
    "canonicalize": "stepwell.passes.canonicalize:Canonicalize",
    "check-level": "stepwell.lowering.route:CheckLevel",
    "check-loop-ends": "stepwell.passes.check_loop_ends:CheckLoopEnds",
    "cse": "stepwell.passes.cse:Cse",
    "emulate-types": "stepwell.lowering.grid_to_shader.emulate_types:EmulateTypes",
    "expand-fma": "stepwell.lowering.grid_to_shader.expand_fma:ExpandFma",
    "expand-inexact": "stepwell.lowering.grid_to_shader.expand_inexact:ExpandInexact",
    "expand-math": "stepwell.lowering.math.expand_math:ExpandMath",
    "expand-matrices": "stepwell.lowering.gpu_to_cpu.expand_matrices:ExpandMatrices",
    "flatten-memrefs": "stepwell.lowering.grid_to_shader.flatten_memrefs:FlattenMemrefs",
    "gpu-to-cpu": "stepwell.lowering.gpu_to_cpu.lower:GpuToCpu",
    "gpu-to-nvvm": "stepwell.lowering.gpu_to_nvvm.lower:GpuToNvvm",
    "gpu-to-spirv": "stepwell.lowering.gpu_to_spirv.lower:GpuToSpirv",
    "guard-extents": "stepwell.lowering.gpu_to_grid.guard_extents:GuardExtents",
    "hoist-block-checks": "stepwell.passes.hoist_block_checks:HoistBlockChecks",
    "hoist-uniform-loads": "stepwell.passes.hoist_uniform_loads:HoistUniformLoads",
    "inline": "stepwell.passes.inline:Inline",
    "legalise-memory": "stepwell.lowering.grid_to_shader.legalise_memory:LegaliseMemory",
    "lower-checks": "stepwell.passes.lower_checks:LowerChecks",
    "lower-matrices": "stepwell.lowering.grid_to_shader.lower_matrices:LowerMatrices",
    "lower-subgroups-to-shared": "stepwell.lowering.grid_to_shader.lower_subgroups_to_shared"
    ":LowerSubgroupsToShared",
    "narrow-indices": "stepwell.passes.narrow_indices:NarrowIndices",
    "number-report-sites": "stepwell.passes.number_report_sites:NumberReportSites",
    "outline-cold-loops": "stepwell.passes.outline_cold_loops:OutlineColdLoops",
    "peel-partial-vectors": "stepwell.passes.peel_partial_vectors:PeelPartialVectors",
    "promote-arrays": "stepwell.passes.promote_arrays:PromoteArrays",
    "promote-variables": "stepwell.passes.promote_variables:PromoteVariables",
    "remove-proven-checks": "stepwell.passes.remove_proven_checks:RemoveProvenChecks",
    "simt-to-gpu": "stepwell.lowering.simt_to_gpu:SimtToGpu",
    "spirv-update-vce": "stepwell.passes.spirv_update_vce:SpirvUpdateVce",
    "split-checked-loops": "stepwell.passes.split_checked_loops:SplitCheckedLoops",
    "split-vectors": "stepwell.lowering.grid_to_shader.split_vectors:SplitVectors",
    "stream-stores": "stepwell.lowering.gpu_to_vector.stream_stores:StreamStores",
    "structure-early-exits": "stepwell.passes.structure_early_exits:StructureEarlyExits",
    "to-llvm": "stepwell.lowering.to_llvm.to_llvm:ToLlvm",
    "unpack-arguments": "stepwell.lowering.to_llvm.unpack_arguments:UnpackArguments",
    "unroll-array-loops": "stepwell.passes.unroll_array_loops:UnrollArrayLoops",
    "vectorise-subgroups": "stepwell.lowering.gpu_to_vector.vectorise_subgroups:VectoriseSubgroups",
}

DIALECTS: dict[str, str] = {
    "arith": "stepwell.dialects.arith_lanes:ARITH",
    "gpu": "stepwell.dialects.gpu_matrix:GPU",
    "gpux": "stepwell.dialects.gpux_matrix:GPUX",
    "llvm": "stepwell.dialects.llvm:LLVM",
    "nvvm": "stepwell.dialects.nvvm:NVVM",
    "simt": "stepwell.dialects.simt:SIMT",
    "spirv": "stepwell.dialects.spirv:SPIRV",
    "vector": "stepwell.dialects.vector:VECTOR",
}

# What other packages registered while running: a row, or the thing itself.
_registered_passes: dict[str, type[ModulePass]] = {}
_registered_dialects: dict[str, Dialect] = {}
_registered_lowerings: dict[str, type[ModulePass]] = {}
# Dialects whose ops the pipelines lower.
_LOWERED = {*DIALECTS, "builtin", "cf", "func", "math", "memref", "scf", "ub"}


def load_row(row: str) -> Any:
    """The object that a row "module:name" stands for."""
    module, _, name = row.partition(":")
    return getattr(import_module(module), name)


@cache
def _plugin_rows(group: str) -> dict[str, str]:
    """The rows that installed packages add to a table."""
    from importlib.metadata import entry_points

    return {point.name: point.value for point in entry_points(group=group)}


def register_pass(pass_class: type[ModulePass]) -> type[ModulePass]:
    """Makes a pass known by its `name` in pipelines; may be used as a decorator."""
    name = pass_class.name
    if name in PASSES or _registered_passes.get(name, pass_class) is not pass_class:
        raise CompileError(f"a pass named {name!r} exists already")
    _registered_passes[name] = pass_class
    return pass_class


def register_dialect(dialect: Dialect, *, lowered_by: type[ModulePass] | None = None) -> Dialect:
    """Makes a dialect known to every context that `make_context` gives from now on.

    `lowered_by`: where a kernel holds ops of the dialect, this pass, made without options, takes
    them to the level around them (simt or gpu) before anything else sees them.
    """
    if _registered_dialects.get(dialect.name, dialect) is not dialect or dialect.name in DIALECTS:
        raise CompileError(f"a dialect named {dialect.name!r} exists already")
    _registered_dialects[dialect.name] = dialect
    if lowered_by is not None:
        _registered_lowerings[dialect.name] = lowered_by
    return dialect


def find_lowering(dialect: str) -> type[ModulePass] | None:
    """The pass that another package's dialect is lowered by, if it names one."""
    if dialect in _LOWERED:
        return None
    if dialect in _registered_lowerings:
        return _registered_lowerings[dialect]
    row = _plugin_rows("stepwell.lowerings").get(dialect)
    return None if row is None else load_row(row)


def pass_names() -> list[str]:
    """The names of all passes that a pipeline may contain."""
    return sorted({*PASSES, *_registered_passes, *_plugin_rows("stepwell.passes")})


def find_pass(name: str) -> type[ModulePass]:
    """The pass class of that name; an unknown name is an error that shows the nearest ones."""
    if name in PASSES:
        return load_row(PASSES[name])
    if name in _registered_passes:
        return _registered_passes[name]
    plugins = _plugin_rows("stepwell.passes")
    if name in plugins:
        return load_row(plugins[name])
    raise CompileError(f"no pass is called {name!r}", hint=near_matches(name, pass_names()))


def near_matches(name: str, known: list[str]) -> str:
    """A hint for a name that does not exist: the ones most like it, or all of them."""
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(repr(match) for match in close)}?"
    return f"known are: {', '.join(known)}"


def dialect_rows() -> dict[str, str]:
    """The rows of all dialects of ours and of installed packages; ours replace xDSL's."""
    return {**_plugin_rows("stepwell.dialects"), **DIALECTS}


def registered_dialects() -> dict[str, Dialect]:
    """The dialects that were registered while running."""
    return dict(_registered_dialects)
