"""A module in two parts: what LLVM's optimiser gets, and what only the code generator sees.

    llvm.func @k(…)                                      declare hidden i32 @k.cold0(…)
      llvm.call @k.cold0(…)                              define i32 @k(…) {…}
    llvm.func internal @k.cold0(…)                ->     ; --- as it is ---
        attributes {gpux.as_is}                          define hidden i32 @k.cold0(…) {…}

LLVM's passes take as long over a function that hardly runs as over the one that does the work. So
functions with the attribute `gpux.as_is` (loops that only fail, and reports) stand in a
second text, after a line that says so; native.py makes an object file of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from ...dialects import llvm, marks

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
    if not any(marks.AS_IS in op.attributes for op in functions):
        return [Part(ops)]
    uses = {op: _Uses(op) for op in functions}
    # Addresses that a function takes are the first part's.
    apart = [op for op in functions if marks.AS_IS in op.attributes and not uses[op].addresses]
    marked = set[Operation](apart)
    main = [op for op in ops if op not in marked]
    from_apart = {name for op in apart for name in uses[op].calls}
    from_main = {name for op in functions if op not in marked for name in uses[op].calls}
    taken = [op for op in apart if op.symbol in from_main]
    needed = [op for op in functions if op not in marked and op.symbol in from_apart]
    shared = frozenset(op.symbol for op in (*taken, *needed) if op.body.blocks)
    return [
        Part([*taken, *main], frozenset(op.symbol for op in taken), shared),
        Part([*needed, *apart], frozenset(op.symbol for op in needed), shared),
    ]


class _Uses:
    """What a function calls, and whether it takes addresses of globals."""

    def __init__(self, function: llvm.FuncOp) -> None:
        self.calls: set[str] = set()
        self.addresses = False
        for block in function.body.blocks:  # no op of the dialect has regions here
            for op in block.ops:
                kind = op.__class__
                if kind is llvm.CallOp:
                    self.calls.add(cast("llvm.CallOp", op).callee or "")
                elif kind is llvm.AddressOfOp:
                    self.addresses = True


def is_ours(op: llvm.FuncOp) -> bool:
    """Whether a function has no code of the user's, as reports: no debugger need stop there."""
    return marks.AS_IS in op.attributes and marks.PART not in op.attributes
