"""What random whole kernels are made of: parameters, and where a thread's own elements are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod

from hypothesis import strategies as st

Draw = st.DrawFn
Shape = tuple[int, ...]
IDS = ("i", "j", "k")
ROW = 3


# Where a thread's own element is, in an array for `n` threads: its index, and the array's shape.
PLACES: dict[str, tuple[Callable[[Sequence[str]], str], Callable[[Shape], Shape]]] = {
    "ids": (", ".join, tuple),
    "shifted": (lambda ids: ", ".join([f"{ids[0]} + 2", *ids[1:]]), lambda n: (n[0] + 2, *n[1:])),
    "turned": (lambda ids: ", ".join([*ids[1:], ids[0]]), lambda n: (*n[1:], n[0])),
    "even": (lambda ids: ", ".join([*ids[:-1], f"{ids[-1]} * 2"]), lambda n: (*n[:-1], 2 * n[-1])),
    "flat": (lambda ids: flat(ids), lambda n: (prod(n),)),
    "row": (lambda ids: ", ".join([*ids, "ROW"]), lambda n: (*n, ROW)),
}


def flat(ids: Sequence[str]) -> str:
    """The number of a thread, the last axis fastest."""
    text = ids[0]
    for axis, name in enumerate(ids[1:], 1):
        text = f"({text}) * sw.global_size({axis}) + {name}"
    return text


@dataclass(frozen=True)
class Parameter:
    """An array of a kernel: of a place where it is written, `alias`: may be that other array.

    Its type is one of numbers, or two of them with a comma: then its elements are pairs.
    """

    name: str
    dtype: str
    place: str = ""
    alias: str = ""


@dataclass
class Program:
    """A kernel's text, and what its launches take."""

    rank: int
    parameters: list[Parameter]
    guarded: bool = False
    text: str = ""
    variables: dict[str, str] = field(default_factory=dict[str, str])
    pairs: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """Names of objects of `Pair` and of tuples, with the types of both parts."""

    counters: list[str] = field(default_factory=list[str])
    loops: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        return IDS[: self.rank]

    def written(self, dtype: str = "") -> list[Parameter]:
        """Those of numbers that have a place, of a type if one is given."""
        numbers = [p for p in self.parameters if p.place and "," not in p.dtype]
        return [p for p in numbers if dtype in ("", p.dtype)]


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
