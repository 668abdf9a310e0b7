"""A module in two parts: what LLVM's optimiser gets, and what only the code generator sees.

    llvm.func internal @k.block(…)                       define hidden i32 @k.block(…) {…}
    llvm.func @k(…) attributes {gpux.as_is}       ->     ; --- as it is ---
      llvm.call @k.block(…)                              declare hidden i32 @k.block(…)
                                                         define i32 @k(…) {…}

LLVM's passes take as long over a function that hardly runs as over the one that does the work. So
functions with the attribute `gpux.as_is` (the entry, reports, loops that only fail) stand in a
second text, after a line that says so; native.py links the two when the first is optimised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from ...dialects import llvm
from ...passes.outline_cold_loops import AS_IS

SEPARATOR = "\n; --- as it is ---\n"


@dataclass(frozen=True)
class Part:
    """The ops of one of the texts; of the functions in `foreign` it has declarations only."""

    ops: Sequence[Operation]
    foreign: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    """Symbols that the parts have from each other, which therefore cannot be internal."""


def parts_of(module: ModuleOp) -> list[Part]:
    """The parts of a module: one, or two where functions are marked."""
    ops = tuple(module.body.block.ops)
    functions = [op for op in ops if isinstance(op, llvm.FuncOp)]
    apart = [op for op in functions if _may_stand_apart(op)]
    if not apart:
        return [Part(ops)]
    marked = set[Operation](apart)
    main = [op for op in ops if op not in marked]
    from_main, from_apart = _called(main), _called(apart)
    taken = [op for op in apart if op.symbol in from_main]
    needed = [op for op in functions if op not in marked and op.symbol in from_apart]
    shared = frozenset(op.symbol for op in (*taken, *needed) if op.body.blocks)
    return [
        Part([*taken, *main], frozenset(op.symbol for op in taken), shared),
        Part([*needed, *apart], frozenset(op.symbol for op in needed), shared),
    ]


def _may_stand_apart(op: llvm.FuncOp) -> bool:
    """Whether it is marked, and its own code: addresses of the other part's globals are not."""
    if AS_IS not in op.attributes or not op.body.blocks:
        return False
    return not any(isinstance(inner, llvm.AddressOfOp) for inner in op.walk())


def _called(functions: Sequence[Operation]) -> set[str]:
    calls = (inner for op in functions for inner in op.walk() if isinstance(inner, llvm.CallOp))
    return {call.callee for call in calls if call.callee is not None}
