"""Random values of whole kernels: elements, variables, parts of objects and tuples, calls."""

from __future__ import annotations

from conformance.whole_parts import IDS, PLACES, Draw, Parameter, Program
from hypothesis import strategies as st

KINDS = (
    *("read", "variable", "pair", "pair", "pair", "choice", "cast", "extreme"),
    *("ordered", "last", "item", "part", "sum", "sum"),
)
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


def larger(pair, a):
    if pair.a < a:
        return Pair(a, pair.b)
    return pair


def sum_of(row, value):
    for item in row:
        if item == value:
            break
        value += item
    else:
        value -= 1
    return value


def change(row, place, value):
    if place >= len(row):
        return
    row[place] = value
    for at in range(place + 1, len(row)):
        row[at] += value


"""


def element(draw: Draw, program: Program, array: Parameter) -> str:
    """The thread's own element of an array; of a row one of its elements."""
    index, _ = PLACES[array.place]
    at = draw(st.sampled_from(("0", "1", "2", *program.counters)))
    return f"{array.name}[{index(program.ids).replace('ROW', at)}]"


def own_row(draw: Draw, program: Program, array: Parameter) -> str:
    """Some of the thread's own row."""
    part = draw(st.sampled_from(("", ", :", ", 1:", ", ::2", ", :-1", ", -2:")))
    return f"{array.name}[{', '.join(program.ids)}{part}]"


def read(draw: Draw, program: Program, dtype: str) -> str:
    """An element that the thread may read."""
    array = draw(st.sampled_from([p for p in program.parameters if p.dtype == dtype]))
    if array.place:
        return element(draw, program, array)
    return f"{array.name}[{', '.join(near(draw, program, array))}]"


def near(draw: Draw, program: Program, array: Parameter) -> list[str]:
    """Indices around the thread's own, some of which may be outside."""
    indices: list[str] = []
    for axis, name in enumerate(program.ids):
        last = f"{array.name}.shape[{axis}] - 1"
        forms = (
            *(f"{name} + 1", name, f"{name} + 2", f"min(max({name} - 1, 0), {last})"),
            *(f"min({name} + 2, {last})", f"({name} * 3 + 1) % {array.name}.shape[{axis}]"),
            *(f"({name} if {name} > 0 else {last})", f"({last}) - {name}", "0"),
        )
        indices.append(draw(st.sampled_from(forms)))
    return indices


def view(draw: Draw, program: Program, dtype: str) -> str:
    """One axis of an array that is only read, or a part of it; a row of the thread's own."""
    arrays = [p for p in program.parameters if p.dtype == dtype and p.place in ("", "row")]
    array = draw(st.sampled_from(arrays))
    if array.place:
        return own_row(draw, program, array)
    indices = near(draw, program, array)
    axis = draw(st.integers(0, program.rank - 1))
    indices[axis] = draw(st.sampled_from((":", ":4", "1:5", "::3", "-3:", f"{IDS[axis]}:", "n:4")))
    return f"{array.name}[{', '.join(indices)}]"


def expression(draw: Draw, program: Program, dtype: str, depth: int = 2) -> str:
    """A value of type `dtype`."""
    kind = draw(st.sampled_from(KINDS))
    parts = parts_of(program, dtype)
    if kind == "part" and parts:
        return draw(st.sampled_from(parts))
    if depth == 0 or kind in ("read", "variable", "part"):
        known = program.variables.get(dtype)
        return known if known and kind == "variable" else read(draw, program, dtype)
    one = expression(draw, program, dtype, depth - 1)
    if kind == "cast":
        return f"to_{dtype}({draw(st.sampled_from((*program.ids, *program.counters)))} * 2) + {one}"
    if kind == "sum":
        return f"sum_of({view(draw, program, dtype)}, {one})"
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


def parts_of(program: Program, dtype: str) -> list[str]:
    """What has the type among the parts of objects, tuples and structured arrays."""
    found: list[str] = []
    for name, types in program.pairs.items():
        fields = ("[0]", "[1]") if name.startswith("t") else (".a", ".b")
        found += [f"{name}{part}" for part, t in zip(fields, types, strict=True) if t == dtype]
    for array in program.parameters:
        types = array.dtype.split(",")
        if len(types) > 1:
            own = f"{array.name}[{', '.join(program.ids)}]"
            found += [f"{own}.{f}" for f, t in zip("ab", types, strict=True) if t == dtype]
            if types[0] == dtype:
                pair = f"Pair({own}.a, {own}.b)"
                found.append(f"larger({pair}, {program.variables[dtype]}).a")
    return found


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
        dtype = draw(st.sampled_from(sorted(program.variables)))
        return f"{expression(draw, program, dtype, 0)} {relation} 1"
    return f"n {relation} 3" if kind == "shared" else text
