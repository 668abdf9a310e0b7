"""spirv-update-vce: derive what a spirv.module requires, version, capabilities and extensions.

    spirv.module Logical GLSL450 {             spirv.module Logical GLSL450
      … spirv.AtomicIAdd … i64 …                 requires #spirv.vce<v1.0, [Shader, Int64Atomics],
    }                                              [SPV_KHR_storage_buffer_storage_class]> { … }

What came into the language later than the version is had by an extension where there is one, else
by a later version. With a `spirv.target_env` on the module or around it, the version is at least
that of the target, and what the target has not is an error at each op that needs it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ..dialects import spirv
from ..dialects.diagnostics import CompileError, location_of
from ..dialects.spirv.grammar import BY_EXTENSION, Requirement, enumeration
from ..dialects.walking import ops_of
from .analyses.spirv_requirements import Need, enumerant_needs, requirements

KERNEL = frozenset(("Kernel", "Addresses", "Linkage"))
"""Capabilities of OpenCL: the last choice where a shader has another."""
Version = tuple[int, int]


def derive_vce(module: spirv.ModuleOp, least: Version = (1, 0)) -> spirv.VceAttr:
    """The least that a module requires, of versions from `least` on.

    Raises CompileError for what no version and no extension has.
    """
    return _Derivation(least).run(requirements(module))


@cache
def implied(name: str) -> frozenset[str]:
    """A capability and all that it declares implicitly."""
    found = {name}
    for other in enumeration("Capability").by_name[name].needs.capabilities:
        found |= implied(other)
    return frozenset(found)


def closure(names: Iterable[str]) -> set[str]:
    """Capabilities and all that they declare implicitly."""
    found: set[str] = set()
    for name in names:
        found |= implied(name)
    return found


class _Derivation:
    """The capabilities, extensions and the version so far."""

    def __init__(self, least: Version) -> None:
        self.version = least
        self.capabilities: set[str] = set()
        self.late: dict[Requirement, Operation] = {}

    def run(self, needs: Iterable[Need]) -> spirv.VceAttr:
        open_choices: dict[tuple[str, ...], Operation] = {}
        for op, requirement in needs:
            if len(requirement.capabilities) == 1:
                self.add(requirement.capabilities[0], op)
            elif requirement.capabilities:
                open_choices.setdefault(requirement.capabilities, op)
            self.late.setdefault(requirement, op)
        for choices, op in open_choices.items():
            if not closure(self.capabilities) & set(choices):
                shader = [name for name in choices if name not in KERNEL]
                self.add((shader or choices)[0], op)
        extensions = self.extensions()
        return spirv.VceAttr.of(self.version, self.minimal(), sorted(extensions))

    def add(self, name: str, op: Operation) -> None:
        """A capability with what it needs itself."""
        if name not in self.capabilities:
            self.capabilities.add(name)
            self.late.setdefault(enumerant_needs("Capability", name), op)

    def minimal(self) -> list[str]:
        """The capabilities that no other declares; Shader is said in any case."""
        kept = {
            name
            for name in self.capabilities
            if name == "Shader"
            or not any(name in implied(other) for other in self.capabilities - {name})
        }
        return sorted(kept, key=enumeration("Capability").value)

    def extensions(self) -> set[str]:
        """The extensions for what the version has not; raises the version where there is none."""
        for requirement, op in self.late.items():
            if self.version >= requirement.version or requirement.extensions:
                continue
            if requirement.version == BY_EXTENSION:
                if requirement.capabilities:
                    continue  # the capability brings the extension
                raise CompileError(f"{op.name} is in no version of SPIR-V", location_of(op))
            self.version = requirement.version
        return {
            requirement.extensions[0]
            for requirement in self.late
            if requirement.extensions and self.version < requirement.version
        }


# --- against a target -----------------------------------------------------------------------------


def check_target(module: spirv.ModuleOp, target: spirv.TargetEnvAttr) -> None:
    """Raises one CompileError that lists each op that needs what a target has not."""
    has = target.data.vce.data
    capabilities = closure(has.capabilities)
    reasons: dict[Operation, dict[str, None]] = {}
    for op, requirement in requirements(module, every_op=True):
        reason = _lacking(requirement, has, capabilities)
        if reason is not None:
            reasons.setdefault(op, {})[reason] = None
    errors = [
        CompileError(f"{op.name}: needs {' and '.join(found)}", location_of(op))
        for op, found in reasons.items()
    ]
    if errors:
        raise CompileError.collect("the target lacks what the module needs", errors)


def _lacking(requirement: Requirement, has: spirv.Vce, capabilities: set[str]) -> str | None:
    if requirement.capabilities and not capabilities & set(requirement.capabilities):
        return f"capability {' or '.join(requirement.capabilities)}"
    late = has.version < requirement.version
    if late and requirement.extensions and not set(has.extensions) & set(requirement.extensions):
        version = requirement.version
        by_version = "" if version == BY_EXTENSION else f" or SPIR-V {version[0]}.{version[1]}"
        return f"{' or '.join(requirement.extensions)}{by_version}"
    if late and not requirement.extensions and requirement.version != BY_EXTENSION:
        return f"SPIR-V {requirement.version[0]}.{requirement.version[1]}"
    return None


def target_of(module: spirv.ModuleOp) -> spirv.TargetEnvAttr | None:
    """The target that a module or an op around it names."""
    op: Operation | None = module
    while op is not None:
        found = op.attributes.get("spirv.target_env")
        if isinstance(found, spirv.TargetEnvAttr):
            return found
        op = op.parent_op()
    return None


@dataclass(frozen=True)
class SpirvUpdateVce(ModulePass):
    """Writes into each spirv.module what it requires."""

    name = "spirv-update-vce"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for module in ops_of(op):
            if not isinstance(module, spirv.ModuleOp):
                continue
            target = target_of(module)
            least = (1, 0)
            if target is not None:
                check_target(module, target)
                least = target.data.vce.data.version
            module.properties["vce_triple"] = derive_vce(module, least)
