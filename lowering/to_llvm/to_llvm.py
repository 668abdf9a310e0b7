"""`to-llvm`: the cpu level, or any mix of scf, arith, math, memref and func, to the llvm dialect.

    func.func @k(%x: memref<?xf32>, %i: index)       llvm.func @k(%x: !llvm.ptr, %n: i64, %i: i64)
      %v = memref.load %x[%i] : memref<?xf32>          %p = llvm.getelementptr inbounds %x[%i] …
      func.return                                      %v = llvm.load %p : !llvm.ptr -> f32
                                                       llvm.return

The rules stand in one file for each dialect: scf, arith, math, memref, func, gpux, vector. Another
LLVM target adds its own to `RULES` and gives its `LlvmTarget`.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ..conversion import Legality, Rules, convert
from ..emit.machine import host_machine
from ..emit.symbols import REPORT
from . import arith, func, gpux, math, memref, memref_allocation, scf
from .late_loads import late_loads
from .target import LlvmTarget, State, type_map


def _vector_rules() -> Rules:
    from . import vector, vector_memory  # xDSL's dialect takes 5 ms, and few kernels need it

    return Rules(vector.RULES, vector_memory.RULES)


RULES = Rules(
    *(
        arith.RULES,
        func.RULES,
        gpux.RULES,
        math.RULES,
        memref.RULES,
        memref_allocation.RULES,
        scf.RULES,
    ),
    on_demand={"vector": _vector_rules},
)
LEGALITY = Legality({"llvm": True, ModuleOp: True})


@dataclass(frozen=True)
class ToLlvm(ModulePass):
    """Lowers a module without gpu ops to the llvm dialect, for a machine with 64-bit `index`."""

    name = "to-llvm"

    half_instructions: bool | None = None
    """Whether the target has instructions that convert f16 (else it is done with integers);
    unless given, as this machine has."""

    scales: bool = False
    """Whether the target is an x86 that multiplies by powers of two (AVX-512, vectors of any
    length)."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Lowers everything, or raises one CompileError that lists what cannot be."""
        half = self.half_instructions
        half = host_machine().converts_half if half is None else half
        target = LlvmTarget(
            half_instructions=half,
            scales=self.scales,
            turns=("subgroup", "block"),
            report_words=("optnone",),
            reporter=REPORT,
        )
        lower(op, target)


def lower(module: ModuleOp, target: LlvmTarget, rules: Rules = RULES) -> None:
    """Lowers a module for a target, with the rules of this folder and maybe others."""
    # Where threads do not take turns, their loops do not become vectors.
    late = late_loads(module) if target.turns else set[Operation]()
    convert(module, rules, LEGALITY, type_map(target), "llvm", State(target, module, late=late))
