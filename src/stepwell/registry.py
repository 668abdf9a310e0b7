"""The tables of what can be asked for by name; a row is loaded only when it is asked for.

A `Table` holds our rows, what a running program registered, and what installed packages add by
entry points "name = module:object". Looking for these takes a while, so only a name that is not
ours leads to them, and a name that is ours stays ours (`stepwell doctor` says so).

    stepwell.dialects    a dialect of that name             register_dialect
    stepwell.passes      a pass of that name                register_pass
    stepwell.lowered_by  the pass that lowers a dialect     register_dialect(…, lowered_by=)
    stepwell.levels      a level of that name               register_level     lowering/levels.py
    stepwell.lowerings   a way between two levels           register_lowering  lowering/route.py
    stepwell.targets     a target: its architecture to it   register_target    targets.py
    stepwell.devices     a module that finds devices                           runtime/devices.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .dialects.diagnostics import CompileError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from xdsl.ir import Dialect
    from xdsl.passes import ModulePass

Thing = TypeVar("Thing")

PASSES: dict[str, str] = {
    "annotate-divergence": "stepwell.passes.annotate_divergence:AnnotateDivergence",
    "bound-by-guards": "stepwell.passes.bound_by_guards:BoundByGuards",
    "canonicalize": "stepwell.passes.canonicalize:Canonicalize",
    "check-level": "stepwell.lowering.route:CheckLevel",
    "check-loop-ends": "stepwell.passes.check_loop_ends:CheckLoopEnds",
    "cse": "stepwell.passes.cse:Cse",
    "emulate-types": "stepwell.lowering.grid_to_shader.emulate_types:EmulateTypes",
    "expand-fma": "stepwell.lowering.grid_to_shader.expand_fma:ExpandFma",
    "expand-inexact": "stepwell.lowering.grid_to_shader.expand_inexact:ExpandInexact",
    "expand-math": "stepwell.lowering.math.expand_math:ExpandMath",
    "expand-matrices": "stepwell.lowering.gpu_to_cpu.expand_matrices:ExpandMatrices",
    "fetch-ahead": "stepwell.lowering.gpu_to_vector.fetch_ahead:FetchAhead",
    "flatten-memrefs": "stepwell.lowering.grid_to_shader.flatten_memrefs:FlattenMemrefs",
    "gpu-to-cpu": "stepwell.lowering.gpu_to_cpu.lower:GpuToCpu",
    "gpu-to-nvvm": "stepwell.lowering.gpu_to_nvvm.lower:GpuToNvvm",
    "gpu-to-spirv": "stepwell.lowering.gpu_to_spirv.lower:GpuToSpirv",
    "guard-extents": "stepwell.lowering.gpu_to_grid.guard_extents:GuardExtents",
    "hoist-block-checks": "stepwell.passes.hoist_block_checks:HoistBlockChecks",
    "hoist-uniform-loads": "stepwell.passes.hoist_uniform_loads:HoistUniformLoads",
    "inline": "stepwell.passes.inline:Inline",
    "join-rows": "stepwell.passes.join_rows:JoinRows",
    "legalise-memory": "stepwell.lowering.grid_to_shader.legalise_memory:LegaliseMemory",
    "lower-checks": "stepwell.passes.lower_checks:LowerChecks",
    "lower-matrices": "stepwell.lowering.grid_to_shader.lower_matrices:LowerMatrices",
    "lower-subgroups-to-shared": "stepwell.lowering.grid_to_shader.lower_subgroups_to_shared"
    ":LowerSubgroupsToShared",
    "narrow-indices": "stepwell.passes.narrow_indices:NarrowIndices",
    "number-report-sites": "stepwell.passes.number_report_sites:NumberReportSites",
    "outline-cold-loops": "stepwell.passes.outline_cold_loops:OutlineColdLoops",
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
    "uplift-while-to-for": "stepwell.passes.uplift_while_to_for:UpliftWhileToFor",
    "vectorise-subgroups": "stepwell.lowering.gpu_to_vector.vectorise_subgroups:VectoriseSubgroups",
    "version-row-lengths": "stepwell.passes.version_row_lengths:VersionRowLengths",
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


# The modules of what was registered that decides what comes out of any kernel; caches ask.
deciding_modules: set[str] = set()


def decides_code(function: Callable[..., Any]) -> None:
    """Notes that code from now on depends on a function of another package."""
    deciding_modules.add((function.func if isinstance(function, partial) else function).__module__)


def load_row(row: str) -> Any:
    """The object that a row "module:name" stands for."""
    module, _, name = row.partition(":")
    return getattr(import_module(module), name)


@cache
def plugins(group: str) -> dict[str, tuple[EntryPoint, ...]]:
    """What installed packages add to a table, by name; where packages disagree, of each."""
    from importlib.metadata import entry_points

    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=group):
        others = found.get(point.name, ())
        if point.value not in [other.value for other in others]:
            found[point.name] = (*others, point)
    return found


class Table(Generic[Thing]):
    """All things of one kind, by name. `rows` are ours: things, or "module:object".

    `wrong` says why something that a package adds under a name is none of the kind, else None.
    """

    def __init__(
        self,
        kind: str,
        group: str,
        rows: Mapping[str, Thing | str],
        wrong: Callable[[str, Any], str | None],
    ):
        self.kind = kind
        self.group = group
        self.rows = rows
        self.registered: dict[str, Thing] = {}
        self._wrong = wrong

    def register(self, name: str, thing: Thing) -> None:
        """Adds a thing for this process; CompileError if the name has another one."""
        if name in self.rows or self.registered.get(name, thing) is not thing:
            raise CompileError(f"a {self.kind} named {name!r} exists already")
        self.registered[name] = thing

    def names(self) -> list[str]:
        """All names."""
        return sorted({*self.rows, *self.registered, *plugins(self.group)})

    def get(self, name: str) -> Thing | None:
        """The thing of that name; CompileError if a package adds one that cannot be had."""
        row = self.rows.get(name)
        if row is not None:
            return load_row(row) if isinstance(row, str) else row
        if name in self.registered:
            return self.registered[name]
        points = plugins(self.group).get(name, ())
        if len(points) > 1:
            of = " and ".join(origin(point) for point in points)
            raise CompileError(f"there are several of {self.kind} {name!r}: {of}")
        return self._load(points[0]) if points else None

    def find(self, name: str) -> Thing:
        """`get`; for an unknown name an error that shows the nearest ones."""
        found = self.get(name)
        if found is None:
            hint = near_matches(name, self.names())
            raise CompileError(f"no {self.kind} is called {name!r}", hint=hint)
        return found

    def added(self) -> Iterator[Thing]:
        """What other packages add, all of it: registered or installed."""
        yield from self.registered.values()
        for name in plugins(self.group):
            if name not in self.rows and name not in self.registered:
                yield self.find(name)

    def _load(self, point: EntryPoint) -> Thing:
        what = f"{self.kind} {point.name!r} of {origin(point)}"
        try:
            thing: Any = point.load()
        except Exception as error:  # whatever the package's own code raises
            reason = f"{type(error).__name__}: {error}"
            raise CompileError(f"{what} cannot be loaded: {reason}") from error
        reason = self._wrong(point.name, thing)
        if reason is not None:
            raise CompileError(f"{what} cannot be used: {reason}")
        return thing


def origin(point: EntryPoint) -> str:
    """An entry point as a message names it: the package, and what it says."""
    package = f"package {point.dist.name}" if point.dist is not None else "a package"
    return f"{package} ({point.value})"


def misnamed(name: str, thing: Any) -> str | None:
    """Why a thing whose name is written in it is not the one called `name`; else None."""
    return None if thing.name == name else f"it is called {thing.name!r}"


def _wrong_pass(name: str, thing: Any) -> str | None:
    from xdsl.passes import ModulePass

    if not isinstance(thing, type) or not issubclass(thing, ModulePass):
        return f"expected a subclass of xdsl.passes.ModulePass, got {thing!r}"
    return misnamed(name, thing)


def _wrong_lowered_by(name: str, thing: Any) -> str | None:
    return _wrong_pass(getattr(thing, "name", name), thing)  # under the dialect's name


def _wrong_dialect(name: str, thing: Any) -> str | None:
    from xdsl.ir import Dialect

    if not isinstance(thing, Dialect):
        return f"expected an xdsl.ir.Dialect, got {thing!r}"
    return misnamed(name, thing)


PASS_TABLE: Table[type[ModulePass]] = Table("pass", "stepwell.passes", PASSES, _wrong_pass)
DIALECT_TABLE: Table[Dialect] = Table("dialect", "stepwell.dialects", DIALECTS, _wrong_dialect)
LOWERED_BY: Table[type[ModulePass]] = Table(
    "lowering of dialect", "stepwell.lowered_by", {}, _wrong_lowered_by
)
# All tables by the groups of their entry points.
TABLES = {
    "stepwell.dialects": "stepwell.registry:DIALECT_TABLE",
    "stepwell.passes": "stepwell.registry:PASS_TABLE",
    "stepwell.lowered_by": "stepwell.registry:LOWERED_BY",
    "stepwell.levels": "stepwell.lowering.levels:LEVEL_TABLE",
    "stepwell.lowerings": "stepwell.lowering.route:LOWERING_TABLE",
    "stepwell.targets": "stepwell.targets:TARGET_TABLE",
}
# Dialects whose ops the pipelines lower.
_LOWERED = {*DIALECTS, "builtin", "cf", "func", "math", "memref", "scf", "ub"}


def register_pass(pass_class: type[ModulePass]) -> type[ModulePass]:
    """Makes a pass known by its `name` in pipelines; may be used as a decorator."""
    PASS_TABLE.register(pass_class.name, pass_class)
    return pass_class


def register_dialect(dialect: Dialect, *, lowered_by: type[ModulePass] | None = None) -> Dialect:
    """Makes a dialect known to every context that `make_context` gives from now on.

    `lowered_by`: where a kernel holds ops of the dialect, this pass, made without options, takes
    them to the level around them (simt or gpu) before anything else sees them.
    """
    DIALECT_TABLE.register(dialect.name, dialect)
    if lowered_by is not None:
        LOWERED_BY.register(dialect.name, lowered_by)
    return dialect


def find_lowering(dialect: str) -> type[ModulePass] | None:
    """The pass that another package's dialect is lowered by, if it names one."""
    return None if dialect in _LOWERED else LOWERED_BY.get(dialect)


def pass_names() -> list[str]:
    """The names of all passes that a pipeline may contain."""
    return PASS_TABLE.names()


def find_pass(name: str) -> type[ModulePass]:
    """The pass class of that name; an unknown name is an error that shows the nearest ones."""
    return PASS_TABLE.find(name)


def near_matches(name: str, known: list[str]) -> str:
    """A hint for a name that does not exist: the ones most like it, or all of them."""
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(repr(match) for match in close)}?"
    return f"known are: {', '.join(known)}"
