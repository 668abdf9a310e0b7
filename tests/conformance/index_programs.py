"""Random kernels that index arrays, some of them wrongly: is each wrong access caught, no other?

Indices are built from the thread's id, loaded values, constants, loop variables and sizes; accesses
stand behind guards, in loops over the size, or bare. As Python they take a `CheckedArray`.
"""

from __future__ import annotations

from hypothesis import strategies as st

Draw = st.DrawFn
CONSTANTS = ("0", "1", "2", "3", "5", "7", "8")
THREADS = 5


def index(draw: Draw, names: list[str], depth: int = 2) -> str:
    """A small integer, often near the ends of the array."""
    kind = draw(st.integers(0, 9 if depth else 3))
    if kind <= 2:
        return draw(st.sampled_from(names))
    if kind == 3:
        return draw(st.sampled_from((*CONSTANTS, "n", "x.shape[0]", "len(x) - 1")))
    inner = index(draw, names, depth - 1)
    constant = draw(st.sampled_from(CONSTANTS))
    forms = (
        f"({inner} + {constant})",
        f"({inner} - {constant})",
        f"({constant} - {inner})",
        f"({inner} * 2)",
        f"({inner} // 2)",
        f"({inner} % (x.shape[0] | 1))",
        f"({inner} % 8)",
        f"({inner} & {constant})",
        f"min({inner}, {constant})",
        f"max({inner}, {constant})",
        f"min(max({inner}, 0), x.shape[0] - 1)",
        f"abs({inner})",
        f"({inner} + {index(draw, names, 0)})",
        f"(x.shape[0] - 1 - {inner})",
        f"({inner} if {inner} > {constant} else {constant})",
    )
    return draw(st.sampled_from(forms))


def guard(draw: Draw, names: list[str], wanted: str) -> str:
    """A condition: a full guard of `wanted`, half of one, or something else."""
    other = index(draw, names, 1)
    forms = (
        f"0 <= {wanted} < x.shape[0]",
        f"{wanted} >= 0 and {wanted} < len(x)",
        f"{wanted} < x.shape[0]",
        f"{wanted} > 0 and not {wanted} >= n",
        f"0 <= {wanted} and {wanted} <= x.shape[0] - 1",
        f"{wanted} == {other} and 0 < {other} < x.shape[0]",
        f"{wanted} < {other}",
        f"{wanted} > -1 and {wanted} < n and n <= x.shape[0]",
        f"{wanted} != {other}",
    )
    return draw(st.sampled_from(forms))


def access(draw: Draw, names: list[str], at: str) -> str:
    forms = (
        f"total += x[{at}]",
        f"y[i, {at}] += 1",
        f"total = total * 3 + x[{at}]",
        f"y[i, {at}] = total",
        f"y[i, 1:][{at}] = 5",
        f"total += x[1:][{at}]",
        f"total += x[{at}:][0]",
        f"total += len(x[{at}:{index(draw, names, 1)}])",
    )
    return draw(st.sampled_from(forms))


def statement(draw: Draw, names: list[str], depth: int, loop: bool) -> list[str]:
    kind = draw(st.integers(0, 8 if depth < 3 else 4))
    at = index(draw, names)
    if kind <= 2:
        return [f"if {guard(draw, names, at)}:", f"    {access(draw, names, at)}"]
    if kind == 3:
        return [f"{draw(st.sampled_from(('a', 'b')))} = {index(draw, names)}"]
    if kind == 4:
        leave = draw(st.sampled_from(("break", "continue") if loop else ("return",)))
        return [f"if not ({guard(draw, names, at)}):", f"    {leave}", access(draw, names, at)]
    if kind == 5:
        return [access(draw, names, at)]
    if kind == 6:
        inner = body(draw, names, depth + 1, loop)
        return [
            f"if {guard(draw, names, at)}:",
            *inner,
            "else:",
            *body(draw, names, depth + 1, loop),
        ]
    if kind == 7:
        return for_loop(draw, names, depth)
    return while_loop(draw, names, depth)


def for_loop(draw: Draw, names: list[str], depth: int) -> list[str]:
    name = f"k{depth}"
    ranges = (
        "x.shape[0]",
        "n",
        "1, x.shape[0] - 1",
        "x.shape[0] - 1, -1, -1",
        "i, x.shape[0], 2",
        "a, b",
        "0, n, 3",
        f"{index(draw, names, 1)}, len(x)",
        f"{index(draw, names, 1)}, {index(draw, names, 1)}, {draw(st.sampled_from('123'))}",
    )
    head = f"for {name} in range({draw(st.sampled_from(ranges))}):"
    return [head, *body(draw, [*names, name, name], depth + 1, True)]


def while_loop(draw: Draw, names: list[str], depth: int) -> list[str]:
    name = f"w{depth}"
    start, end = draw(
        st.sampled_from((("0", "x.shape[0]"), ("-1", "n - 1"), ("i", "len(x)"), ("2", "9")))
    )
    first = draw(st.booleans())
    inner = body(draw, [*names, name, name], depth + 1, first)
    step = [f"    {name} += {draw(st.sampled_from('12'))}"]
    inside = [*step, *inner] if first else [*inner, *step]
    # Where the step comes last, a `continue` would skip it.
    inside = inside if first else [line.replace("continue", "break") for line in inside]
    return [f"{name} = {start}", f"while {name} < {end}:", *inside]


def body(draw: Draw, names: list[str], depth: int, loop: bool) -> list[str]:
    """One to three statements, indented."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        lines += statement(draw, names, depth, loop)
    return [f"    {line}" for line in lines]


@st.composite
def index_programs(draw: Draw) -> str:
    """The text of `kernel(x, y, n, values, out)`."""
    lines = ["i = sw.global_id(0)", "a = values[i]", "b = 2", "total = 0"]
    lines += [line[4:] for line in body(draw, ["i", "i", "a", "b"], 0, False)]
    lines += ["out[i] = total"]
    text = "".join(f"    {line}\n" for line in lines)
    return f"def kernel(x, y, n, values, out):\n{text}"
