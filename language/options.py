"""What `@kernel` says of a kernel beside the function. Imports no xDSL."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

from ..dialects.diagnostics import CompileError, Location

if TYPE_CHECKING:
    from xdsl.ir import Attribute

    from .machines import Machine

MOST_CLUSTERED = 8  # blocks that a cluster may have on every GPU with clusters
_RANGES = {"min_blocks_per_sm": (1, 32), "max_registers": (16, 255)}
_ATTRIBUTES = {"min_blocks_per_sm": "nvvm.minctasm", "max_registers": "nvvm.maxnreg"}
CLUSTER = "nvvm.cluster_dim"


class Hints(NamedTuple):
    """How NVIDIA GPUs run a kernel; None for nothing.

        @kernel(block=256, min_blocks_per_sm=2)     gpu.func @k(…) kernel
                                                        attributes {nvvm.minctasm = 2 : i32}

    Registers and blocks are hints, which other devices have no use for. A cluster is part of what
    the kernel means, and is refused where there are none.
    """

    min_blocks_per_sm: int | None = None
    max_registers: int | None = None
    cluster: tuple[int, int, int] | None = None

    def check(self) -> None:
        """CompileError for values that no GPU takes."""
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and (type(value) is not int or not low <= value <= high):
                raise CompileError(
                    f"{name}= is {value!r}, expected an integer from {low} to {high}"
                )
        if self.min_blocks_per_sm is not None and self.max_registers is not None:
            raise CompileError(
                "min_blocks_per_sm= and max_registers= both limit the registers of a thread",
                hint="give one of them",
            )
        if self.cluster is not None and not 1 <= prod(self.cluster) <= MOST_CLUSTERED:
            raise CompileError(
                f"cluster= is {self.cluster}, {prod(self.cluster)} blocks, expected 1 to "
                f"{MOST_CLUSTERED}"
            )

    def attributes(self, machine: Machine, where: Location | None) -> dict[str, Attribute]:
        """What the kernel's op says; CompileError for clusters that a machine does not have."""
        if self.cluster is not None and machine.sm < 90:
            raise CompileError(
                f"cluster= needs sm_90 or later, the kernel is compiled for "
                f"{machine.arch or machine.name}",
                where,
                hint="make a kernel without cluster= for other devices",
            )
        if machine.name != "cuda" or self == Hints():
            return {}
        from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, i32

        found: dict[str, Attribute] = {
            attribute: IntegerAttr(getattr(self, name), i32)
            for name, attribute in _ATTRIBUTES.items()
            if getattr(self, name) is not None
        }
        if self.cluster is not None:
            found[CLUSTER] = DenseArrayBase.from_list(i32, self.cluster)
        return found


class Options(NamedTuple):
    """Options of a kernel, as in `Kernel`; `fastmath` are the flags in LLVM's order."""

    checks: bool = True
    fastmath: tuple[str, ...] = ()
    block: tuple[int, int, int] | None = None
    hints: Hints = Hints()
