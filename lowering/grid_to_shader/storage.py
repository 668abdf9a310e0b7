"""How elements of a type lie in an array of another type: whole, as bits, packed, in halves.

Whole    i8 in an i32, bool in an i8: one word for each element, its upper bits 0
Bits     f32 in an i32: what atomics of integers work on
Packed   four i8 or two bf16 in an i32: a buffer as the host lays it out
Halves   an i64 in two i32, the low one first
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    FixedBitwidthType,
    IndexType,
    IntegerType,
    i1,
    i8,
    i32,
    i64,
)
from xdsl.ir import Attribute, SSAValue

from ..math.calculator import Calculator, Number
from .word_updates import Place, combined, update

_INDEX = IndexType()


def width_of(kind: Attribute) -> int:
    """Bits of an element in memory; a bool is a byte."""
    assert isinstance(kind, FixedBitwidthType), "an element of an array has a size"
    return max(8, kind.bitwidth)


def as_bits(c: Calculator, value: Number) -> Number:
    """An integer as wide as the value (a bool stays one)."""
    if value.is_int:
        return value
    return c.op_of(arith.BitcastOp, (value,), IntegerType(width_of(value.type)))


def to_word(c: Calculator, value: Number, word: Attribute) -> Number:
    """The value's bits in a word, above them zeros."""
    if value.type == word:
        return value
    bits = as_bits(c, value)
    return bits if bits.type == word else c.op_of(arith.ExtUIOp, (bits,), word)


def from_word(c: Calculator, word: Number, kind: Attribute) -> Number:
    """The value whose bits are the lowest of a word."""
    if word.type == kind:
        return word
    if kind == i1:
        byte = word if word.type == i8 else word & 0xFF
        return byte.differs(0)
    integer = IntegerType(width_of(kind))
    bits = word if word.type == integer else c.op_of(arith.TruncIOp, (word,), integer)
    return bits if kind == integer else c.op_of(arith.BitcastOp, (bits,), kind)


@dataclass(frozen=True)
class Access:
    """An element that is accessed: the array, the index in elements, how atomics are ordered."""

    words: SSAValue
    index: SSAValue
    order: str = "relaxed"
    scope: str = "device"


@dataclass(frozen=True)
class Whole:
    """One word for each element; `Bits` where both have one width."""

    kind: Attribute
    word: Attribute
    words_per_element = 1

    def place(self, c: Calculator, access: Access) -> Place:
        """The element's word."""
        return Place(access.words, access.index, access.order, access.scope)

    def load(self, c: Calculator, access: Access) -> Number:
        """The element."""
        return from_word(c, self.place(c, access).load(c), self.kind)

    def store(self, c: Calculator, access: Access, value: Number) -> None:
        """The element is this from now on."""
        self.place(c, access).store(c, to_word(c, value, self.word))

    def modify(self, c: Calculator, access: Access, kind: str, value: Number) -> Number:
        """An atomic of a kind; the old element."""

        def change(c: Calculator, seen: Number) -> Number:
            return to_word(c, combined(c, kind, from_word(c, seen, self.kind), value), self.word)

        return from_word(c, update(c, self.place(c, access), change), self.kind)

    def compare_exchange(
        self, c: Calculator, access: Access, expected: Number, desired: Number
    ) -> Number:
        """A compare-exchange of bits; the old element."""
        words = to_word(c, expected, self.word), to_word(c, desired, self.word)
        return from_word(c, self.place(c, access).exchange(c, *words), self.kind)


@dataclass(frozen=True)
class Packed:
    """Elements of 8 or 16 bits side by side in words of 32, the first one `first` elements in."""

    kind: Attribute
    first: SSAValue | None = None
    word: Attribute = i32

    def field(self, c: Calculator, access: Access) -> tuple[Place, Number]:
        """The word, and by how much the element is shifted in it."""
        width = width_of(self.kind)
        index = c.number(access.index)
        if self.first is not None:
            index = index + c.number(self.first)
        per = 32 // width
        at = index.shifted_out(per.bit_length() - 1)
        part = c.op_of(arith.IndexCastOp, (index & (per - 1),), i32)
        place = Place(access.words, at.value, access.order, access.scope)
        return place, part << (width.bit_length() - 1)

    def load(self, c: Calculator, access: Access) -> Number:
        """The element."""
        place, shift = self.field(c, access)
        return from_word(c, place.load(c).shifted_out(shift), self.kind)

    def store(self, c: Calculator, access: Access, value: Number) -> None:
        """The element is this from now on; its neighbours are what others make them."""
        place, shift = self.field(c, access)
        bits = to_word(c, value, i32) << shift
        mask = self.mask(c, shift)
        update(c, place, lambda c, seen: (seen & mask) | bits)

    def mask(self, c: Calculator, shift: Number) -> Number:
        """Ones for the other elements of the word."""
        return ~(c.const((1 << width_of(self.kind)) - 1, i32) << shift)

    def modify(self, c: Calculator, access: Access, kind: str, value: Number) -> Number:
        """An atomic of a kind; the old element."""
        place, shift = self.field(c, access)
        mask = self.mask(c, shift)

        def change(c: Calculator, seen: Number) -> Number:
            old = from_word(c, seen.shifted_out(shift), self.kind)
            new = to_word(c, combined(c, kind, old, value), i32)
            return (seen & mask) | (new << shift)

        return from_word(c, update(c, place, change).shifted_out(shift), self.kind)

    def compare_exchange(
        self, c: Calculator, access: Access, expected: Number, desired: Number
    ) -> Number:
        """A compare-exchange of bits; the old element."""
        place, shift = self.field(c, access)
        mask = self.mask(c, shift)
        wanted, new = (to_word(c, value, i32) << shift for value in (expected, desired))

        def change(c: Calculator, seen: Number) -> Number:
            same = (seen & ~mask).equals(wanted)
            return c.select(same, (seen & mask) | new, seen)

        return from_word(c, update(c, place, change).shifted_out(shift), self.kind)


@dataclass(frozen=True)
class Halves:
    """Elements of 64 bits as two words, which are read and written one after the other."""

    kind: Attribute
    word: Attribute = i32
    words_per_element = 2

    def places(self, c: Calculator, access: Access) -> tuple[Place, Place]:
        """The low word and the high one."""
        low = c.number(access.index) << 1
        place = Place(access.words, low.value, access.order, access.scope)
        return place, replace(place, at=(low + 1).value)

    def load(self, c: Calculator, access: Access) -> Number:
        """The element."""
        halves = (place.load(c) for place in self.places(c, access))
        low, high = (c.op_of(arith.ExtUIOp, (half,), i64) for half in halves)
        whole = low | (high << 32)
        return whole if self.kind == i64 else c.op_of(arith.BitcastOp, (whole,), self.kind)

    def store(self, c: Calculator, access: Access, value: Number) -> None:
        """The element is this from now on."""
        bits = as_bits(c, value)
        for place, part in zip(self.places(c, access), (bits, bits.shifted_out(32)), strict=True):
            place.store(c, c.op_of(arith.TruncIOp, (part,), i32))


Storage = Whole | Packed | Halves
