"""What code for Vulkan is compiled for: a profile, and what it means for the lowering.

A profile is written as one word: the SPIR-V version, the subgroup size, then capabilities in the
order of the alphabet, `1.6+sg8+bda+float64+int64`. A device says its own; `MINIMUM` is what every
device of Vulkan 1.1 with subgroup operations has. `short_loops` is no capability but a limit: the
device (Mesa's llvmpipe) ends the loops of a thread after 65535 rounds, which is then checked; nor
is `index64`, a choice: an index has 64 bits then, for arrays of 2^31 elements and more. That device
also has `strong_atomics` and no `fences`: it makes a barrier of the block of each fence, also under
a branch, and drops the threads that come to more of them than the last ones (seen with Mesa 22.3).
What code relies on of the two stands in its artifact, so that no device runs the other's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from xdsl.dialects.builtin import ModuleOp, VectorType
from xdsl.ir import Attribute, Operation

from ...dialects import marks, spirv
from ...dialects.diagnostics import CompileError
from ...registry import near_matches
from ...runtime.vulkan.profile import CAPABILITIES, INDEX64, MATRIX_WORD
from ..grid_to_shader.matrix_words import MatrixUnit, units_in

MINIMUM = (
    "1.3+sg32+short_loops+subgroup_arithmetic+subgroup_ballot+subgroup_basic+subgroup_shuffle"
    "+subgroup_shuffle_relative+subgroup_vote"
)
_ORDERED = ("semantics", "equal_semantics", "unequal_semantics")  # of atomics, not of barriers
PUSH_CONSTANT_BYTES = 128  # what every device has
_PROFILE = re.compile(r"1\.([3-6])\+sg(1|2|4|8|16|32|64|128)((?:\+[a-z0-9_]+)*)")


@dataclass(frozen=True)
class SpirvTarget:
    """A parsed profile."""

    minor: int
    subgroup_size: int
    capabilities: frozenset[str]

    @property
    def arch(self) -> str:
        """The profile as one word."""
        return "+".join((f"1.{self.minor}", f"sg{self.subgroup_size}", *sorted(self.capabilities)))

    @property
    def addresses(self) -> bool:
        """Whether buffers are passed by their addresses, else as bindings."""
        return "bda" in self.capabilities

    @property
    def wide_index(self) -> bool:
        """Whether an index has 64 bits, for arrays of 2^31 elements and more; else 32."""
        return INDEX64 in self.capabilities

    @property
    def suits_llvmpipe(self) -> bool:
        """Whether code is (also) for Mesa's llvmpipe, which alone ends loops early.

        Its compiler gets signed comparisons of an extended word with a constant wrong (seen with
        22.3), puts a loop over the lanes in place of each access to memory, so that loops are
        better left as they are, and lets lanes that stand for no thread go round in loops.
        """
        return "short_loops" in self.capabilities

    @property
    def units(self) -> tuple[MatrixUnit, ...]:
        """The products of matrices that a subgroup has instructions for."""
        return units_in(self.capabilities)

    def has(self, capability: str) -> bool:
        """Whether the profile has a capability."""
        assert capability in CAPABILITIES, f"{capability} is a capability"
        return capability in self.capabilities


def target_for(profile: str) -> SpirvTarget:
    """The target of a profile ("" is `MINIMUM`); CompileError for one that cannot be read."""
    match = _PROFILE.fullmatch(profile or MINIMUM)
    if match is None:
        raise CompileError(
            f"{profile!r} is no profile of a Vulkan device",
            hint=f"a profile is version, subgroup size and capabilities, such as {MINIMUM!r}",
        )
    names = frozenset(match[3].split("+")[1:])
    for name in sorted(names - CAPABILITIES):
        if MATRIX_WORD.fullmatch(name):
            continue
        raise CompileError(
            f"profile {profile!r} has the unknown capability {name!r}",
            hint=near_matches(name, sorted(CAPABILITIES)),
        )
    if INDEX64 in names and not names >= {"int64", "bda"}:
        raise CompileError(
            f"profile {profile!r}: indices of 64 bits need int64 and buffers by address",
            hint=f"leave out {INDEX64}, or add int64 and bda",
        )
    return SpirvTarget(int(match[1]), int(match[2]), _usable(names))


def _usable(names: frozenset[str]) -> frozenset[str]:
    """Storage of narrow numbers is of use only with arithmetic on them, which few devices lack."""
    useless = {f"storage{width}" for width in (8, 16) if f"int{width}" not in names}
    return names - useless


# What a module declares, and the capability of a profile that stands for it.
_NEEDS = {
    "PhysicalStorageBufferAddresses": "bda",
    "Int8": "int8",
    "Int16": "int16",
    "Int64": "int64",
    "Float16": "float16",
    "Float64": "float64",
    "StorageBuffer8BitAccess": "storage8",
    "StorageBuffer16BitAccess": "storage16",
    "AtomicFloat32AddEXT": "float32_atomic_add",
    "AtomicFloat64AddEXT": "float64_atomic_add",
    "Int64Atomics": "int64_atomics",
    "CooperativeMatrixKHR": "cooperative_matrix",
    "VulkanMemoryModel": "memory_model",
    "GroupNonUniform": "subgroup_basic",
    "GroupNonUniformVote": "subgroup_vote",
    "GroupNonUniformArithmetic": "subgroup_arithmetic",
    "GroupNonUniformBallot": "subgroup_ballot",
    "GroupNonUniformShuffle": "subgroup_shuffle",
}


def needs_of(capabilities: Iterable[str]) -> tuple[str, ...]:
    """What a device's profile must have for a module that declares these capabilities."""
    return tuple(sorted({_NEEDS[name] for name in capabilities if name in _NEEDS}))


def binary_of(module: ModuleOp) -> spirv.ModuleOp:
    """The one module that becomes a binary; CompileError where there is none or another."""
    found = [op for op in module.body.block.ops if isinstance(op, spirv.ModuleOp)]
    if len(found) != 1:
        raise CompileError(f"expected one spirv.module, got {len(found)}")
    return found[0]


def _shared_bytes(op: Operation) -> int:
    """What a variable takes of a block's memory; that of dynamic size counts at the launch."""
    if not isinstance(op, spirv.GlobalVariableOp) or op.type.storage_class != "Workgroup":
        return 0
    array = op.type.pointee
    assert isinstance(array, spirv.ArrayType), "memory of a block is arrays"
    element: Any = array.element
    return (array.length or 0) * element.bitwidth // 8


def _casts(module: spirv.ModuleOp) -> set[str]:
    """What a device must stand of casts of addresses, which no capability of SPIR-V tells."""
    casts = (op.results[0].type for op in module.walk() if isinstance(op, spirv.OPS["Bitcast"]))
    pointers = (kind for kind in casts if isinstance(kind, spirv.PointerType))
    is_cast = any(isinstance(kind.pointee, VectorType) for kind in pointers)
    return {"vector_access"} if is_cast else set()


def _rounded(module: spirv.ModuleOp, target: SpirvTarget) -> set[str]:
    """That quotients and roots are the device's own."""
    inexact = (spirv.OPS["FDiv"], spirv.OPS["GL.Sqrt"])
    relied_on = target.has("exact_division") and any(
        isinstance(op, inexact) for op in module.walk()
    )
    return {"exact_division"} if relied_on else set()


def _ordering(module: spirv.ModuleOp) -> set[str]:
    """What gives atomics their order: fences, or the device's atomics themselves."""
    found: set[str] = set()
    for op in module.walk():
        words = (op.properties.get(name) for name in _ORDERED)
        asked = any(
            isinstance(word, spirv.MemorySemanticsAttr) and word.data != "None" for word in words
        )
        if marks.STRONG in op.attributes:
            found.add("strong_atomics")
        elif asked or isinstance(op, spirv.OPS["MemoryBarrier"]):
            found.add("fences")
    return found


def _matrix_units(module: spirv.ModuleOp) -> set[str]:
    """The products of matrices that a device must have instructions for."""
    found: set[str] = set()
    for op in module.walk():
        if not isinstance(op, spirv.OPS["KHR.CooperativeMatrixMulAdd"]):
            continue
        a, b, c = (value.type for value in op.operands)
        assert isinstance(a, spirv.CooperativeMatrixType), "the op was verified"
        assert isinstance(b, spirv.CooperativeMatrixType), "the op was verified"
        assert isinstance(c, spirv.CooperativeMatrixType), "the op was verified"
        signs = op.enum("matrix_operands") if "matrix_operands" in op.properties else ""
        types = (_signed(a.element, "ASigned" in signs), _signed(c.element, "CSigned" in signs))
        found.add(str(MatrixUnit(a.rows.data, b.columns.data, a.columns.data, *types)))
    return found


def _signed(element: Attribute, signed: bool) -> str:
    """The word for a type of a matrix unit; integers have a sign there."""
    return str(element).replace("i", "s" if signed else "u")


def manifest_fields(module: ModuleOp, target: SpirvTarget) -> dict[str, Any]:
    """What the manifest of an artifact says of a module: how it takes arguments, what it needs."""
    inner = binary_of(module)
    addresses = inner.enum("addressing_model") != "Logical"
    needs = inner.vce.data.capabilities if inner.vce is not None else ()
    return {
        "abi": "bda" if addresses else "bindings",
        "block_in_memory": marks.BLOCK_IN_MEMORY in inner.attributes,
        "features": tuple(
            sorted(
                {
                    *(*needs_of(needs), *_casts(inner)),
                    *(*_rounded(inner, target), *_matrix_units(inner), *_ordering(inner)),
                }
            )
        ),
        # Where a device lacks a type, arrays of it are larger than the waist says.
        "static_shared_bytes": sum(map(_shared_bytes, inner.block.ops)),
    }
