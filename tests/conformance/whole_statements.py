"""Random statements of whole kernels."""

from __future__ import annotations

from conformance.whole_expressions import condition, element, expression, own_row
from conformance.whole_parts import Draw, Program, indented
from hypothesis import strategies as st


def statements(draw: Draw, program: Program, depth: int) -> list[str]:
    """One to three statements."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        kinds = (
            *("store", "store", "store", "variable", "swap", "part", "pair", "change"),
            *(("branch", "branch", "loop", "loop", "repeat", "cases") if depth < 2 else ()),
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
    return [f"for {name} in {items}:", *indented(inside), *tail(draw, program, depth)]


def repeat(draw: Draw, program: Program, depth: int) -> list[str]:
    """A `while` of up to three rounds."""
    program.loops += 1
    name = f"w{program.loops}"
    program.counters.append(f"(3 - {name})")
    inside = statements(draw, program, depth + 1)
    program.counters.pop()
    more = draw(st.sampled_from(("", f" and {condition(draw, program)}")))
    lines = [f"{name} = 3", f"while {name} > 0{more}:", f"    {name} -= 1", *indented(inside)]
    return [*lines, *tail(draw, program, depth)]


def tail(draw: Draw, program: Program, depth: int) -> list[str]:
    """The `else` of a loop: a store, since a `break` there would be another loop's."""
    return ["else:", *indented(store(draw, program, depth))] if draw(st.integers(0, 3)) == 0 else []


def cases(draw: Draw, program: Program, depth: int) -> list[str]:
    """A `match` on numbers, with names and guards."""
    first = f"{draw(st.sampled_from((*program.ids, *program.counters)))} % 4"
    patterns = ("(0, _)", "(1 | 2, 0)", "(_, 1)", "(one, two) if one > two", "(_, two) if two < 2")
    chosen = draw(st.lists(st.sampled_from(patterns), min_size=1, max_size=3, unique=True))
    lines = [f"match ({first}, n % 3):"]
    for pattern in (*chosen, *draw(st.sampled_from(((), ("_",))))):
        lines += [f"    case {pattern}:", *indented(indented(statements(draw, program, depth + 1)))]
    return lines


def swap(draw: Draw, program: Program, depth: int) -> list[str]:
    """A variable and an element change places."""
    known = [array for array in program.written() if array.dtype in program.variables]
    array = draw(st.sampled_from(known))
    name, place = program.variables[array.dtype], element(draw, program, array)
    return [f"{name}, {place} = {place}, {name}"]


def part(draw: Draw, program: Program, depth: int) -> list[str]:
    """A field of an object, or of an element of a structured array, is set."""
    places = [("p", types) for name, types in program.pairs.items() if name == "p"]
    for array in program.parameters:
        first, *rest = array.dtype.split(",")
        if rest:
            places.append((f"{array.name}[{', '.join(program.ids)}]", (first, rest[0])))
    if not places:
        return store(draw, program, depth)
    place, types = draw(st.sampled_from(places))
    field, dtype = draw(st.sampled_from(tuple(zip("ab", types, strict=True))))
    sign = draw(st.sampled_from(("=", "+=")))
    return [f"{place}.{field} {sign} {expression(draw, program, dtype)}"]


def pair(draw: Draw, program: Program, depth: int) -> list[str]:
    """An object, a tuple, or an element of a structured array is set as a whole."""
    name = draw(st.sampled_from(sorted(program.pairs)))
    types = program.pairs[name]
    first, second = (expression(draw, program, dtype, 1) for dtype in types)
    if name == "t":
        return [f"t = t[1], {second}" if types[0] == types[1] else f"t = {first}, {second}"]
    if draw(st.booleans()):
        return [f"p = larger(Pair({first}, {second}), {first})"]
    structured = [array.name for array in program.parameters if "," in array.dtype]
    if structured and draw(st.booleans()):
        return [f"{structured[0]}[{', '.join(program.ids)}] = Pair({first}, {second})"]
    return [f"p = Pair({first}, {second})"]


def change(draw: Draw, program: Program, depth: int) -> list[str]:
    """A function changes some of the thread's own row."""
    rows = [array for array in program.written() if array.place == "row"]
    if not rows:
        return store(draw, program, depth)
    array = draw(st.sampled_from(rows))
    at = draw(st.sampled_from(("0", "1", "2", *program.counters)))
    value = expression(draw, program, array.dtype, 1)
    return [f"change({own_row(draw, program, array)}, {at}, {value})"]


STATEMENTS = {
    "store": store,
    "variable": variable,
    "branch": branch,
    "loop": loop,
    "repeat": repeat,
    "cases": cases,
    "swap": swap,
    "part": part,
    "pair": pair,
    "change": change,
}
