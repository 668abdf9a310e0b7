"""What each level may contain: a table, checked after the lowering that establishes the level.

    simt        what one thread does, straight from the front end: early exits, cells, checks
    structured  simt with structured control flow only (scf) and one exit, still with cells
    gpu         the waist: upstream gpu, memref, vector, arith, math, scf, func, and our gpux.
                Every memref has an address space; what may fail is explicit.
    cpu         one function that runs all threads of one block, on memory without address spaces
    grid        gpu for devices with threads: extents guarded, math expanded, sites numbered
    nvvm        llvm and the instructions of NVIDIA GPUs
    shader      grid for shading languages: arrays in one dimension, types that the target has
                (lowering/grid_to_shader)
    spirv       instructions of SPIR-V, as one binary has them
    llvm        instructions of LLVM only; no index, no memref, no structured control flow

The prose on what the ops mean is at the head of each dialect's file. `check_level(module, "gpu")`
lists all offenders in one error. Another package adds a level by `register_level`, or by an entry
point of the group `stepwell.levels`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from xdsl.dialects.builtin import MemRefType, NoneAttr, VectorType
from xdsl.ir import Attribute, Operation

from ..dialects.diagnostics import CompileError, location_of
from ..dialects.walking import ops_of
from ..registry import Table, misnamed

TypeCheck: TypeAlias = Callable[[Attribute], str | None]
OpCheck: TypeAlias = Callable[[Operation], str | None]


@dataclass(frozen=True)
class Level:
    """A contract. `ops` holds dialects ("arith") and single ops ("memref.load").

    `types` and `attributes` hold names of types ("memref", "index") and of discardable attributes
    or their dialects; `type_check` and `op_checks` give a reason against what the names allow.
    """

    name: str
    meaning: str
    ops: frozenset[str]
    types: frozenset[str]
    attributes: frozenset[str] = frozenset()
    type_check: TypeCheck | None = None
    op_checks: dict[str, OpCheck] = field(default_factory=dict[str, OpCheck])


SCALARS = frozenset({"integer_type", "bf16", "f16", "f32", "f64"})
VALUES = SCALARS | {"index", "memref", "vector"}
GPU_IDS = frozenset(
    f"gpu.{name}"
    for name in (
        *("thread_id", "block_id", "block_dim", "grid_dim", "global_id", "barrier"),
        *("lane_id", "subgroup_id", "subgroup_size", "num_subgroups"),
        *("shuffle", "subgroup_reduce"),
    )
)
VIEWS = frozenset(
    f"memref.{name}" for name in ("load", "store", "dim", "subview", "cast", "reinterpret_cast")
)
# What the front end makes of arms that are for one vendor; only that vendor's lowering meets it.
VENDOR = frozenset({"nvvm", "llvm.extractvalue", "memref.extract_aligned_pointer_as_index"})
VENDOR_TYPES = frozenset({"llvm.struct"})
MATRICES = frozenset({"gpu.mma_matrix"})
SIMT_FRAME = frozenset({"builtin.module", "gpu.module", "gpu.func", "func.func", "func.call"})


def _has_address_space(type: Attribute) -> str | None:
    if isinstance(type, MemRefType) and isinstance(type.memory_space, NoneAttr):
        text = f"{type}"
        inside = text.removesuffix(">")
        return (
            f"{text} has no address space, expected one such as "
            f"{inside}, #gpu.address_space<global>> (or workgroup, private)"
        )
    return None


def _has_no_address_space(type: Attribute) -> str | None:
    if isinstance(type, MemRefType) and not isinstance(type.memory_space, NoneAttr):
        return f"{type} has an address space, which a CPU does not"
    return None


def _is_signless(type: Attribute) -> str | None:
    text = str(type)
    return f"{text}: integers are signless here" if text.startswith(("si", "ui")) else None


def _is_flat(type: Attribute) -> str | None:
    if not isinstance(type, MemRefType) or (
        type.get_num_dims() == 1 and isinstance(type.layout, NoneAttr)
    ):
        return None
    return f"{type}: arrays have one dimension and no layout here"


def _is_short(type: Attribute) -> str | None:
    if not isinstance(type, VectorType) or type.get_shape() in ((2,), (3,), (4,)):
        return None
    return f"{type}: vectors have 2 to 4 elements here"


def _gives_no_memref(op: Operation) -> str | None:
    arguments = [a for region in op.regions for block in region.blocks for a in block.args]
    chosen = any(isinstance(value.type, MemRefType) for value in (*op.results, *arguments))
    return "control flow does not choose between arrays here" if chosen else None


def _asks_for_bytes(op: Operation) -> str | None:
    source = op.operands[0].owner
    if isinstance(source, Operation) and source.name == "gpu.dynamic_shared_memory":
        return None
    return "the size of an array is a parameter here, or known"


def _all(*checks: TypeCheck) -> TypeCheck:
    def check(type: Attribute) -> str | None:
        return next((reason for one in checks if (reason := one(type)) is not None), None)

    return check


def _ids_are_explicit(op: Operation) -> str | None:
    ids = getattr(op, "ids", ())
    return None if len(ids) == 6 else f"expected 6 ids (block and thread x, y, z), got {len(ids)}"


def _has_no_site(op: Operation) -> str | None:
    if op.properties.get("site") is None:
        return None
    return "has a site, and sites are numbered below this level, as at level grid (--from grid)"


def _is_of_cpus(op: Operation) -> str:
    return "only level cpu has it"


OF_CPUS: dict[str, OpCheck] = dict.fromkeys(("gpux.prefetch", "gpux.scale"), _is_of_cpus)
NO_SITES: dict[str, OpCheck] = dict.fromkeys(("gpux.check", "gpux.print"), _has_no_site)

LEVELS: dict[str, Level] = {
    level.name: level
    for level in (
        Level(
            "simt",
            "what one thread does, as the front end writes it",
            frozenset({"simt", "gpux", "arith", "math", "gpu.return"})
            | GPU_IDS
            | VIEWS
            | VENDOR
            | SIMT_FRAME,
            VALUES | VENDOR_TYPES | {"simt.cell"},
            frozenset({"gpu", "gpux", "simt"}),
            _all(_has_address_space, _is_signless),
            NO_SITES | OF_CPUS,
        ),
        Level(
            "structured",
            "simt with scf for control flow and one exit",
            frozenset({"gpux", "arith", "math", "scf", "ub", "gpu.return", "func.return"})
            | frozenset(f"simt.{n}" for n in ("cell", "get", "set", "check_index", "floordiv"))
            | frozenset(f"simt.{n}" for n in ("mod", "shared", "local"))
            | (GPU_IDS | VIEWS | VENDOR | SIMT_FRAME),
            VALUES | VENDOR_TYPES | {"simt.cell"},
            frozenset({"gpu", "gpux", "simt"}),
            _all(_has_address_space, _is_signless),
            NO_SITES | OF_CPUS,
        ),
        Level(
            "gpu",
            "the waist: what every device can be asked to do",
            frozenset({"gpu", "gpux", "memref", "vector", "arith", "math", "scf", "func", "ub"})
            | {"builtin.module"}
            | VENDOR,
            VALUES | VENDOR_TYPES | MATRICES,
            frozenset({"gpux", "gpu"}),
            _all(_has_address_space, _is_signless),
            NO_SITES | OF_CPUS,
        ),
        Level(
            "cpu",
            "one function that runs all threads of one block",
            frozenset({"memref", "vector", "arith", "math", "scf", "func", "ub", "builtin.module"})
            | frozenset(f"gpux.{n}" for n in ("check", "print", "atomic_rmw", "atomic_cas"))
            | frozenset(OF_CPUS),
            VALUES | {"llvm.ptr"},
            frozenset({"gpux"}),
            _all(_has_no_address_space, _is_signless),
            {"gpux.check": _ids_are_explicit, "gpux.print": _ids_are_explicit},
        ),
        Level(
            "grid",
            "gpu for a device that starts whole blocks: extents guarded, sites numbered",
            frozenset({"gpu", "gpux", "memref", "vector", "arith", "math", "scf", "func", "ub"})
            | {"builtin.module"}
            | VENDOR,
            VALUES | VENDOR_TYPES | MATRICES,
            frozenset({"gpux", "gpu"}),
            _all(_has_address_space, _is_signless),
            OF_CPUS,
        ),
        Level(
            "shader",
            "grid for shading languages: arrays in one dimension, types that the target has",
            frozenset({"gpu", "gpux", "arith", "math", "scf", "ub", "builtin.module"})
            | frozenset(f"memref.{n}" for n in ("load", "store", "alloca", "dim", "view"))
            | frozenset(f"vector.{n}" for n in ("load", "store", "extract", "insert", "shuffle"))
            | {"vector.from_elements", "memref.extract_aligned_pointer_as_index"},
            SCALARS | MATRICES | {"index", "memref", "vector"},
            frozenset({"gpux", "gpu"}),
            _all(_has_address_space, _is_signless, _is_flat, _is_short),
            {
                **OF_CPUS,
                **dict.fromkeys(("memref.dim", "memref.view"), _asks_for_bytes),
                **dict.fromkeys(
                    ("scf.if", "scf.for", "scf.while", "scf.index_switch", "arith.select"),
                    _gives_no_memref,
                ),
            },
        ),
        Level(
            "nvvm",
            "instructions of LLVM and of NVIDIA GPUs",
            frozenset({"llvm", "nvvm", "builtin.module"}),
            SCALARS | {"vector", "llvm"},
            frozenset({"gpux", "llvm", "nvvm"}),
            _is_signless,
        ),
        Level(
            "spirv",
            "instructions of SPIR-V",
            frozenset({"spirv", "builtin.module"}),
            frozenset({"integer_type", "f16", "f32", "f64", "vector", "spirv"}),
            # Decorations have plain names; what else an attribute says, its dialect does.
            frozenset({"gpux", "spirv"}),
        ),
        Level(
            "llvm",
            "instructions of LLVM",
            frozenset({"llvm", "builtin.module"}),
            SCALARS | {"vector", "llvm"},
            frozenset({"gpux", "llvm"}),
            _is_signless,
        ),
    )
}


def _wrong_level(name: str, thing: Any) -> str | None:
    if not isinstance(thing, Level):
        return f"expected a Level, got {thing!r}"
    return misnamed(name, thing)


LEVEL_TABLE: Table[Level] = Table("level", "stepwell.levels", LEVELS, _wrong_level)


def register_level(level: Level) -> Level:
    """Adds the contract of another package's level; CompileError if there is one of the name."""
    LEVEL_TABLE.register(level.name, level)
    return level


def find_level(name: str) -> Level:
    """The contract of that name; an unknown name is an error that shows the nearest ones."""
    return LEVEL_TABLE.find(name)


def check_level(root: Operation, level: str | Level) -> None:
    """Raises one CompileError that lists all that `level` does not allow."""
    contract = find_level(level) if isinstance(level, str) else level
    check = _Check(contract)
    for op in ops_of(root):
        check.op(op)
    if check.errors:
        count = len(check.errors)
        where = f"does not keep to level {contract.name}"
        what = "1 place" if count == 1 else f"{count} places"
        raise CompileError.collect(f"the module {where} in {what}", check.errors)


class _Check:
    """One check under way; types and op classes are looked up once each."""

    def __init__(self, level: Level) -> None:
        self.level = level
        self.errors: list[CompileError] = []
        self._ops: dict[str, bool] = {}
        self._types: dict[int, tuple[Attribute, str | None]] = {}
        self._reported: set[tuple[int, str]] = set()

    def op(self, op: Operation) -> None:
        level, name = self.level, op.name
        legal = self._ops.get(name)
        if legal is None:
            legal = self._ops[name] = name in level.ops or name.partition(".")[0] in level.ops
        if not legal:
            self.report(op, f"this op does not exist at level {level.name}")
            return
        for result in op.results:
            self.type(op, result.type)
        for region in op.regions:
            for block in region.blocks:
                for argument in block.args:
                    self.type(op, argument.type)
        for attribute in op.attributes:
            self.attribute(op, attribute)
        check = level.op_checks.get(name)
        reason = check(op) if check is not None else None
        if reason is not None:
            self.report(op, reason)

    def type(self, op: Operation, type: Attribute) -> None:
        found = self._types.get(id(type))
        if found is None:
            found = self._types[id(type)] = (type, self._reason(type))
        if found[1] is not None:
            self.report(op, found[1])

    def _reason(self, type: Attribute) -> str | None:
        level = self.level
        if type.name not in level.types and type.name.partition(".")[0] not in level.types:
            return f"type {type} does not exist at level {level.name}"
        return level.type_check(type) if level.type_check is not None else None

    def attribute(self, op: Operation, name: str) -> None:
        dialect, dot, _ = name.partition(".")
        if dot and name not in self.level.attributes and dialect not in self.level.attributes:
            self.report(op, f"attribute {name!r} has no meaning at level {self.level.name}")

    def report(self, op: Operation, reason: str) -> None:
        if (id(op), reason) not in self._reported:  # many parameters may be of one type
            self._reported.add((id(op), reason))
            self.errors.append(CompileError(f"{op.name}: {reason}", location_of(op)))
