"""Random whole kernels: launches of one to three axes, arrays of any layout, names for one array.

Each thread changes elements of its own only (`PLACES` says which), so that Python, one thread at a
time, gives what every device must give. What is only read is read anywhere: near, clamped, by
remainders, and where the sizes that a launch draws may be too small. All arrays lie in larger
memory (`Memory`), so that a test sees what is written around them and between their elements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from conformance.compare import DTYPES, Array
from hypothesis import strategies as st

Draw = st.DrawFn
Shape = tuple[int, ...]
IDS = ("i", "j", "k")
TYPES = ("i32", "f32", "u8", "f64", "i16", "i64", "f16", "bf16", "u32", "i8", "u64", "u16")
SIZES = (1, 2, 3, 5, 8, 16, 17, 33, 47)
MOST_THREADS = 300
ROW = 3
HELPERS = """\
def ordered(a, b):
    if a < b:
        return a, b
    return b, a


def last_above(a, b, c):
    for value in (c, b):
        if value > a:
            return value
    return a


"""
LAYOUTS = ("plain", "transposed", "every second", "reversed", "padded")
GUARD_BYTES = 64


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
    """An array of a kernel: of a place where it is written, `alias`: may be that other array."""

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
    counters: list[str] = field(default_factory=list[str])
    loops: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        return IDS[: self.rank]

    def written(self, dtype: str = "") -> list[Parameter]:
        """Those that have a place, of a type if one is given."""
        return [p for p in self.parameters if p.place and dtype in ("", p.dtype)]


def element(draw: Draw, program: Program, array: Parameter) -> str:
    """The thread's own element of an array; of a row one of its elements."""
    index, _ = PLACES[array.place]
    at = draw(st.sampled_from(("0", "1", "2", *program.counters)))
    return f"{array.name}[{index(program.ids).replace('ROW', at)}]"


def read(draw: Draw, program: Program, dtype: str) -> str:
    """An element that the thread may read."""
    array = draw(st.sampled_from([p for p in program.parameters if p.dtype == dtype]))
    if array.place:
        return element(draw, program, array)
    indices: list[str] = []
    for axis, name in enumerate(program.ids):
        last = f"{array.name}.shape[{axis}] - 1"
        forms = (
            *(f"{name} + 1", name, f"{name} + 2", f"min(max({name} - 1, 0), {last})"),
            *(f"min({name} + 2, {last})", f"({name} * 3 + 1) % {array.name}.shape[{axis}]"),
            *(f"({name} if {name} > 0 else {last})", f"({last}) - {name}", "0"),
        )
        indices.append(draw(st.sampled_from(forms)))
    return f"{array.name}[{', '.join(indices)}]"


KINDS = (
    *("read", "variable", "pair", "pair", "pair", "choice", "cast", "extreme"),
    *("ordered", "last", "item"),
)


def expression(draw: Draw, program: Program, dtype: str, depth: int = 2) -> str:
    """A value of type `dtype`."""
    kind = draw(st.sampled_from(KINDS))
    if depth == 0 or kind in ("read", "variable"):
        known = program.variables.get(dtype)
        return known if known and kind == "variable" else read(draw, program, dtype)
    one = expression(draw, program, dtype, depth - 1)
    if kind == "cast":
        return f"to_{dtype}({draw(st.sampled_from((*program.ids, *program.counters)))} * 2) + {one}"
    other = expression(draw, program, dtype, depth - 1)
    if kind == "choice":
        return f"({one} if {condition(draw, program)} else {other})"
    if kind == "extreme":
        return f"{draw(st.sampled_from(('min', 'max')))}({one}, {other})"
    if kind == "ordered":
        return f"ordered({one}, {other})[{draw(st.sampled_from(('0', '1')))}]"
    if kind == "last":
        return f"last_above({one}, c={other}, b={read(draw, program, dtype)})"
    if kind == "item":
        at = draw(st.sampled_from((*program.ids, *program.counters)))
        return f"({one}, {other}, {one})[({at} + 3) % 3]"
    return f"({one} {draw(st.sampled_from('+-*'))} {other})"


def condition(draw: Draw, program: Program) -> str:
    """Something about ids, sizes, the number `n`, or a value."""
    name = draw(st.sampled_from(program.ids))
    axis = IDS.index(name)
    sides = ("n", "0", "2", "7", f"sw.global_size({axis}) - 1", f"sw.global_size({axis}) // 2")
    relation = draw(st.sampled_from(("<", "<=", ">", ">=", "==", "!=")))
    text = f"{name} {relation} {draw(st.sampled_from(sides))}"
    kind = draw(st.sampled_from(("one", "one", "two", "value", "shared")))
    if kind == "two":
        return f"({text} {draw(st.sampled_from(('and', 'or')))} {condition(draw, program)})"
    if kind == "value":
        dtype = draw(st.sampled_from(sorted({p.dtype for p in program.parameters})))
        return f"{expression(draw, program, dtype, 0)} {relation} 1"
    return f"n {relation} 3" if kind == "shared" else text


def statements(draw: Draw, program: Program, depth: int) -> list[str]:
    """One to three statements."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        kinds = (
            "store",
            "store",
            "store",
            "variable",
            "swap",
            *(("branch", "loop") if depth < 2 else ()),
        )
        lines += STATEMENTS[draw(st.sampled_from(kinds))](draw, program, depth)
    return lines


def store(draw: Draw, program: Program, depth: int) -> list[str]:
    array = draw(st.sampled_from(program.written()))
    sign = draw(st.sampled_from(("=", "=", "+=", "-=", "*=")))
    value = expression(draw, program, array.dtype)
    return [f"{element(draw, program, array)} {sign} {value}"]


def variable(draw: Draw, program: Program, depth: int) -> list[str]:
    if not program.variables:
        return store(draw, program, depth)
    dtype, name = draw(st.sampled_from(sorted(program.variables.items())))
    return [f"{name} = {expression(draw, program, dtype)}"]


def branch(draw: Draw, program: Program, depth: int) -> list[str]:
    leave = draw(st.sampled_from(("", "", "return", "break", "continue")))
    if leave == "return" or (leave and program.counters):
        return [f"if {condition(draw, program)}:", f"    {leave}"]
    lines = [f"if {condition(draw, program)}:", *indented(statements(draw, program, depth + 1))]
    if draw(st.booleans()):
        lines += ["else:", *indented(statements(draw, program, depth + 1))]
    return lines


def loop(draw: Draw, program: Program, depth: int) -> list[str]:
    program.loops += 1
    name = f"q{program.loops}"
    ends = "3", "1, 3", "2, -1, -1", f"{program.ids[0]} % 3", "min(max(n, 0), 3)"
    items = draw(st.sampled_from((*(f"range({end})" for end in ends), "(2, 0, 1)")))
    program.counters.append(name)
    inside = statements(draw, program, depth + 1)
    program.counters.pop()
    lines = [f"for {name} in {items}:", *indented(inside)]
    # Outside of the loop, since a `break` there would be another loop's.
    if draw(st.integers(0, 3)) == 0:
        lines += ["else:", *indented(store(draw, program, depth))]
    return lines


def swap(draw: Draw, program: Program, depth: int) -> list[str]:
    """A variable and an element change places."""
    known = [array for array in program.written() if array.dtype in program.variables]
    array = draw(st.sampled_from(known))
    name, place = program.variables[array.dtype], element(draw, program, array)
    return [f"{name}, {place} = {place}, {name}"]


STATEMENTS = {
    "store": store,
    "variable": variable,
    "branch": branch,
    "loop": loop,
    "swap": swap,
}


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


@st.composite
def whole_programs(draw: Draw, of: Sequence[str]) -> Program:
    """A kernel of up to five arrays of these types and the number `n`."""
    rank = draw(st.sampled_from((2, 1, 2, 3)))
    types = draw(st.lists(st.sampled_from(of), min_size=1, max_size=2, unique=True))
    places = st.sampled_from([*PLACES] if rank < 3 else [name for name in PLACES if name != "row"])
    arrays = [Parameter("y0", types[0], "ids")]
    arrays += [Parameter(f"y{n}", dtype, draw(places)) for n, dtype in enumerate(types, 1)]
    arrays += [Parameter(f"x{n}", dtype) for n, dtype in enumerate(types)]
    if draw(st.booleans()):
        first = draw(st.sampled_from(arrays[: 1 + len(types)]))
        arrays.append(Parameter("z", first.dtype, first.place, alias=first.name))
    program = Program(rank, arrays, guarded=draw(st.booleans()))
    lines = [f"v_{dtype} = {read(draw, program, dtype)}" for dtype in types]
    program.variables = {dtype: f"v_{dtype}" for dtype in types}
    lines += statements(draw, program, 0)
    if program.guarded:
        inside = [f"{name} < y0.shape[{axis}]" for axis, name in enumerate(program.ids)]
        lines = [f"if {' and '.join(inside)}:", *indented(lines)]
    head = [f"{name} = sw.global_id({axis})" for axis, name in enumerate(program.ids)]
    names = ", ".join(array.name for array in arrays)
    program.text = HELPERS + "\n".join([f"def kernel({names}, n):", *indented([*head, *lines]), ""])
    return program


@dataclass
class Memory:
    """An array in the middle of bytes that nobody may write."""

    whole: Array
    offset: int
    shape: Shape
    strides: Shape
    dtype: str

    @property
    def array(self) -> Array:
        return np.ndarray(
            self.shape, DTYPES[self.dtype], self.whole.data, self.offset, self.strides
        )

    def copy(self) -> Memory:
        """The same, with the same gaps, elsewhere."""
        return Memory(self.whole.copy(), self.offset, self.shape, self.strides, self.dtype)


def laid_out(shape: Shape, dtype: str, layout: str, seed: int) -> Memory:
    """Small numbers in an array of that layout."""
    rank, item = len(shape), DTYPES[dtype].itemsize
    axes = range(rank) if layout == "transposed" else reversed(range(rank))
    strides, step = [0] * rank, item * (2 if layout == "every second" else 1)
    for axis in axes:
        strides[axis] = step
        step *= max(1, shape[axis]) + (layout == "padded")
    offset = GUARD_BYTES + item * (seed % 5)
    whole = np.full(offset + step + GUARD_BYTES, 0xA5, np.uint8)
    if layout == "reversed":
        offset += strides[0] * (max(1, shape[0]) - 1)
        strides[0] = -strides[0]
    made = Memory(whole, offset, shape, tuple(strides), dtype)
    low = 0 if dtype.startswith("u") else -4
    made.array[...] = np.random.default_rng(seed).integers(low, 12, shape).astype(made.array.dtype)
    return made


@dataclass
class Launch:
    """The shape of a launch, as `launch` and `run` take it, its threads, and `n`."""

    shape: dict[str, Any]
    threads: Shape
    n: int


@st.composite
def launches(draw: Draw, rank: int) -> Launch:
    """Narrow and odd shapes: one thread per item, or blocks of up to three axes."""
    n = draw(st.sampled_from((-1, 0, 1, 2, 3, 5, 16, 2**31 - 1, -(2**31))))
    threads: list[int] = []
    for _ in range(rank):
        left = MOST_THREADS // prod(threads)
        threads.append(draw(st.sampled_from([size for size in SIZES if size <= left])))
    if draw(st.booleans()):
        return Launch({"over": tuple(threads)}, tuple(threads), n)
    flat_from = draw(st.sampled_from((1, 1, 2, 3)))
    blocks = [draw(st.sampled_from((1, 2, 3))) for _ in threads]
    grid = [size if axis >= flat_from else blocks[axis] for axis, size in enumerate(threads)]
    block = [1 if axis >= flat_from else size for axis, size in enumerate(threads)]
    whole = tuple(a * b for a, b in zip(grid, block, strict=True))
    return Launch({"grid": tuple(grid), "block": tuple(block)}, whole, n)


@st.composite
def memories(draw: Draw, program: Program, launch: Launch) -> dict[str, Memory]:
    """The arrays of a launch by parameter; some are too small, and some are one array."""
    short = draw(st.integers(0, 5)) == 0
    made: dict[str, Memory] = {}
    for number, array in enumerate(program.parameters):
        if array.alias and draw(st.booleans()):
            made[array.name] = made[array.alias]
            continue
        shape = tuple(size + 2 for size in launch.threads)
        if array.place:
            _, shape_of = PLACES[array.place]
            shape = shape_of(launch.threads)
        less = (short or (program.guarded and array.name == "y0")) and draw(st.booleans())
        shape = (max(1, shape[0] - draw(st.integers(1, 2))), *shape[1:]) if less else shape
        layout = draw(st.sampled_from(LAYOUTS))
        made[array.name] = laid_out(shape, array.dtype, layout, number)
    return made
