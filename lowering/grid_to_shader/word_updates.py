"""Loops that change a word, or a part of one, unless somebody else has in between.

    %start = memref.load %words[%at]
    %old = scf.while (%seen = %start) : (i32) -> i32 {
      %new = …                                         // what the word becomes, from %seen
      %found = gpux.atomic_cas %seen, %new, %words[%at] order … scope … : i32, …
      %again = arith.cmpi ne, %found, %seen
      scf.condition(%again) %found
    } do { … }

What was there before is `%old`: when the loop ends, the word found is the one that was expected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import AnyFloat
from xdsl.ir import Block, Operation, Region, SSAValue

from ...dialects import gpux
from ..math.calculator import Calculator, Number
from ..memref_views import as_memref

_INTEGER: dict[str, type[Operation]] = {
    "add": arith.AddiOp,
    "mins": arith.MinSIOp,
    "minu": arith.MinUIOp,
    "maxs": arith.MaxSIOp,
    "maxu": arith.MaxUIOp,
    "and": arith.AndIOp,
    "or": arith.OrIOp,
    "xor": arith.XOrIOp,
}
_FLOAT: dict[str, type[Operation]] = {
    "add": arith.AddfOp,
    "min": arith.MinnumfOp,
    "max": arith.MaxnumfOp,
}


@dataclass(frozen=True)
class Place:
    """One word of an array of words, and how atomics of it are ordered."""

    words: SSAValue
    at: SSAValue
    order: str = "relaxed"
    scope: str = "device"

    def exchange(self, c: Calculator, expected: Number, desired: Number) -> Number:
        """The word found; it is `desired` from now on if it was `expected`."""
        op = gpux.AtomicCASOp(
            expected.value, desired.value, self.words, [self.at], self.order, self.scope
        )
        return c.number(c.add(op).results[0])

    def load(self, c: Calculator) -> Number:
        """The word as it is now."""
        kind = as_memref(self.words.type)
        made = memref.LoadOp.create(
            operands=[self.words, self.at], result_types=[kind.element_type]
        )
        return c.number(c.add(made).results[0])

    def store(self, c: Calculator, word: Number) -> None:
        """The word is this from now on."""
        c.add(memref.StoreOp.create(operands=[word.value, self.words, self.at]))


def update(
    c: Calculator, place: Place, change: Callable[[Calculator, Number], Number]
) -> Number:  # fmt: skip
    """Changes a word in one step; the word as it was before."""
    start = place.load(c)
    before, after = Block(arg_types=[start.type]), Block(arg_types=[start.type])
    head = Calculator(c.anchor, c.type, before)
    seen = head.number(before.args[0])
    found = place.exchange(head, seen, change(head, seen))
    again = found.differs(seen)
    head.add(scf.ConditionOp.create(operands=[again.value, found.value]))
    body = Calculator(c.anchor, c.type, after)
    body.add(scf.YieldOp.create(operands=after.args))
    loop = scf.WhileOp.create(
        operands=[start.value], result_types=[start.type], regions=[Region(before), Region(after)]
    )
    return c.number(c.add(loop).results[0])


def combined(c: Calculator, kind: str, old: Number, value: Number) -> Number:
    """What an atomic of this kind stores."""
    if kind == "exchange":
        return value
    if isinstance(old.type, AnyFloat):
        return c.op(_FLOAT[kind], old, value)
    return c.op(_INTEGER[kind], old, value)
