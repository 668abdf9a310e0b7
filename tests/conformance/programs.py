"""Random kernels as Python text, for property tests: typed expressions, control flow, barriers.

A program works on variables of fixed types, loaded from arrays and stored back at the end. It is
made so that Python with NumPy scalars means the same as a kernel: both operands of an operator have
one type (or one is a literal that fits it), divisors are odd, casts lose nothing undefined, and
loops are bounded. Statements know whether all threads of the block execute them (`uniform`); only
there may a block exchange values over a barrier. Lanes may meet anywhere (`lanes`), if Python's
threads know which rounds of their loops others are in (`conformance.rounds`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

INTS = ("i32", "u32", "i64", "u8")
FLOATS = ("f32", "f64")
NUMPY = {"i32": "int32", "u32": "uint32", "i64": "int64", "u8": "uint8"} | {
    "f32": "float32",
    "f64": "float64",
}
LITERALS = {
    "i32": ("0", "1", "-1", "7", "-100", "65536", "2147483647"),
    "u32": ("0", "1", "3", "255", "65535", "4294967295"),
    "i64": ("0", "1", "-1", "12", "-4294967296", "9223372036854775807"),
    "u8": ("0", "1", "2", "127", "255"),
    "f32": ("0.0", "1.0", "-2.5", "0.1", "1e10", "3"),
    "f64": ("0.0", "1.0", "-2.5", "0.1", "1e300", "3"),
}
RELATIONS = ("<", "<=", ">", ">=", "==", "!=")
COMBINATIONS = (
    *("reduce_add", "reduce_mul", "reduce_min", "reduce_max", "reduce_and_", "reduce_or_"),
    *("reduce_xor", "inclusive_add", "exclusive_add"),
)
MOVES = (
    *(("shuffle_xor", 1), ("shuffle_up", 1), ("shuffle_up", 3), ("shuffle_down", 2)),
    *(("broadcast", 0), ("shuffle", 3)),
)
BLOCK = 20

Draw = st.DrawFn


@dataclass
class Scope:
    """What a statement may use: variables by type, and where it stands."""

    variables: dict[str, list[str]]
    uniform: bool = False
    loop: bool = False
    lanes: bool = False
    depth: int = 0
    counters: list[str] = field(default_factory=list[str])

    def inner(self, *, uniform: bool, loop: bool | None = None, counter: str = "") -> Scope:
        """The scope of a body below this one."""
        return Scope(
            self.variables,
            self.uniform and uniform,
            self.loop if loop is None else loop,
            self.lanes,
            self.depth + 1,
            [*self.counters, counter] if counter else self.counters,
        )


def expression(draw: Draw, scope: Scope, dtype: str, depth: int = 3) -> str:
    """An expression of type `dtype`; its value is never a bare literal."""
    kinds = ["variable"]
    if depth > 0:
        kinds += ["binary", "binary", "literal", "unary", "choice", "either", "cast", "extreme"]
        kinds += ["division", "shift"] if dtype in INTS else ["quotient", "function"]
        kinds += ["counter"] if scope.counters else []
    kind = draw(st.sampled_from(kinds))
    if kind == "variable":
        return draw(st.sampled_from(scope.variables[dtype]))
    return EXPRESSIONS[kind](draw, scope, dtype, depth - 1)


def binary(draw: Draw, scope: Scope, dtype: str, depth: int) -> str:
    signs = ("+", "-", "*", "&", "|", "^") if dtype in INTS else ("+", "-", "*", "/")
    left, right = (expression(draw, scope, dtype, depth) for _ in range(2))
    return f"({left} {draw(st.sampled_from(signs))} {right})"


def literal(draw: Draw, scope: Scope, dtype: str, depth: int) -> str:
    """A literal beside a value takes its type, so does a choice of literals."""
    value = draw(st.sampled_from(LITERALS[dtype]))
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 2)))):
        other = draw(st.sampled_from(LITERALS[dtype]))
        sides = draw(st.permutations((value, other)))
        value = f"({sides[0]} if {condition(draw, scope, min(depth, 1))} else {sides[1]})"
    sides = [expression(draw, scope, dtype, depth), value]
    if draw(st.booleans()):
        sides.reverse()
    return f"({sides[0]} {draw(st.sampled_from(('+', '-', '*')))} {sides[1]})"


def unary(draw: Draw, scope: Scope, dtype: str, depth: int) -> str:
    signs = ("-", "+", "~", "abs") if dtype in INTS else ("-", "+", "abs")
    return f"{draw(st.sampled_from(signs))}({expression(draw, scope, dtype, depth)})"


def choice(draw: Draw, scope: Scope, dtype: str, depth: int) -> str:
    yes, no = (expression(draw, scope, dtype, depth) for _ in range(2))
    return f"({yes} if {condition(draw, scope, depth)} else {no})"


def either(draw: Draw, scope: Scope, dtype: str, depth: int) -> str:
    """`and` and `or` of numbers give one of them."""
    left, right = (expression(draw, scope, dtype, depth) for _ in range(2))
    return f"({left} {draw(st.sampled_from(('and', 'or')))} {right})"


def cast(draw: Draw, scope: Scope, dtype: str, depth: int) -> str:
    """From any type to a float, from an integer to an integer."""
    sources = [t for t in scope.variables if t in INTS or dtype in FLOATS]
    if not sources:
        return expression(draw, scope, dtype, 0)
    inner = expression(draw, scope, draw(st.sampled_from(sources)), depth)
    return f"{cast_name(dtype)}({inner})"


def cast_name(dtype: str) -> str:
    """NumPy's scalar types refuse integers that do not fit, `.astype` wraps as kernels do."""
    return f"to_{dtype}"


def extreme(draw: Draw, scope: Scope, dtype: str, depth: int) -> str:
    """min and max of integers; Python and IEEE disagree about NaN and the sign of zero."""
    if dtype in FLOATS:
        return binary(draw, scope, dtype, depth)
    left, right = (expression(draw, scope, dtype, depth) for _ in range(2))
    return f"{draw(st.sampled_from(('min', 'max')))}({left}, {right})"


def division(draw: Draw, scope: Scope, dtype: str, depth: int) -> str:
    left, right = (expression(draw, scope, dtype, depth) for _ in range(2))
    return f"({left} {draw(st.sampled_from(('//', '%')))} ({right} | 1))"


def shift(draw: Draw, scope: Scope, dtype: str, depth: int) -> str:
    left, right = (expression(draw, scope, dtype, depth) for _ in range(2))
    return f"({left} {draw(st.sampled_from(('<<', '>>')))} ({right} & 7))"


def quotient(draw: Draw, scope: Scope, dtype: str, depth: int) -> str:
    left, right = (expression(draw, scope, dtype, depth) for _ in range(2))
    return f"({left} {draw(st.sampled_from(('//', '%')))} {right})"


def function(draw: Draw, scope: Scope, dtype: str, depth: int) -> str:
    """The functions that IEEE 754 wants correctly rounded."""
    name = draw(st.sampled_from(("sqrt", "floor", "ceil", "trunc", "rint")))
    return f"np.{name}({expression(draw, scope, dtype, depth)})"


def counter(draw: Draw, scope: Scope, dtype: str, depth: int) -> str:
    """The variable of a loop around it: small and never negative."""
    return f"{cast_name(dtype)}({draw(st.sampled_from(scope.counters))})"


EXPRESSIONS = {
    "binary": binary,
    "literal": literal,
    "unary": unary,
    "choice": choice,
    "either": either,
    "cast": cast,
    "extreme": extreme,
    "division": division,
    "shift": shift,
    "quotient": quotient,
    "function": function,
    "counter": counter,
}


def condition(draw: Draw, scope: Scope, depth: int = 2) -> str:
    """A condition on values of one type, chained, negated or combined."""
    if depth > 0 and draw(st.integers(0, 3)) == 0:
        word = draw(st.sampled_from(("and", "or", "not")))
        left, right = (condition(draw, scope, depth - 1) for _ in range(2))
        return f"(not {left})" if word == "not" else f"({left} {word} {right})"
    dtype = draw(st.sampled_from(sorted(scope.variables)))
    terms = [expression(draw, scope, dtype, min(depth, 1)) for _ in range(draw(st.integers(2, 3)))]
    text = terms[0]
    for term in terms[1:]:
        text += f" {draw(st.sampled_from(RELATIONS))} {term}"
    return f"({text})"


def uniform_condition(draw: Draw) -> str:
    """A condition that has one value in the whole block, which not every compiler can prove."""
    return draw(
        st.sampled_from(("flags[0] > 0", "flags[1] > 0", "sw.block_id(0) == 1", "flags[2] == 5"))
    )


def body(draw: Draw, scope: Scope, most: int = 4) -> list[str]:
    """One or more statements."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, most))):
        lines += statement(draw, scope)
    return lines


def statement(draw: Draw, scope: Scope) -> list[str]:
    kinds = ["assign", "assign", "augment", "swap"]
    if scope.depth < 3:
        kinds += ["branch", "branch", "for", "while"]
    if scope.uniform:
        kinds += ["exchange", "exchange", "uniform_branch"]
    elif scope.loop:
        kinds += ["leave", "leave"]
    if scope.lanes:
        kinds += ["meet", "meet", "shuffle"]
    if not scope.uniform and "early" in scope.counters:
        kinds += ["finish"]
    return STATEMENTS[draw(st.sampled_from(kinds))](draw, scope)


def assign(draw: Draw, scope: Scope) -> list[str]:
    dtype = draw(st.sampled_from(sorted(scope.variables)))
    name = draw(st.sampled_from(scope.variables[dtype]))
    return [f"{name} = {expression(draw, scope, dtype)}"]


def augment(draw: Draw, scope: Scope) -> list[str]:
    dtype = draw(st.sampled_from(sorted(scope.variables)))
    name = draw(st.sampled_from(scope.variables[dtype]))
    sign = draw(st.sampled_from(("+", "-", "*")))
    return [f"{name} {sign}= {expression(draw, scope, dtype, 2)}"]


def swap(draw: Draw, scope: Scope) -> list[str]:
    dtype = draw(st.sampled_from(sorted(scope.variables)))
    a, b = scope.variables[dtype][:2]
    return [f"{a}, {b} = {b}, {expression(draw, scope, dtype, 1)}"]


def branch(draw: Draw, scope: Scope) -> list[str]:
    # Some threads must not leave a loop of all.
    leave = scope.loop and not scope.uniform
    inner = scope.inner(uniform=False, loop=leave)
    lines = [f"if {condition(draw, scope)}:", *indented(body(draw, inner, 3))]
    if draw(st.booleans()):
        lines += [f"elif {condition(draw, scope)}:", *indented(body(draw, inner, 2))]
    if draw(st.booleans()):
        lines += ["else:", *indented(body(draw, inner, 3))]
    return lines


def uniform_branch(draw: Draw, scope: Scope) -> list[str]:
    inner = scope.inner(uniform=True)
    lines = [f"if {uniform_condition(draw)}:", *indented(body(draw, inner, 3))]
    if draw(st.booleans()):
        lines += ["else:", *indented(body(draw, inner, 3))]
    return lines


def for_loop(draw: Draw, scope: Scope) -> list[str]:
    name = f"k{scope.depth}"
    fixed = draw(st.sampled_from(("0", "1", "3", "1, 4", "0, 7, 3", "5, 0, -2")))
    integers = [t for t in scope.variables if t in INTS]
    if scope.uniform or not integers or draw(st.booleans()):
        bounds, uniform = fixed, True
    else:
        value = expression(draw, scope, draw(st.sampled_from(integers)), 1)
        bounds, uniform = f"to_i32({value} & 3)", False
    inner = scope.inner(uniform=uniform, loop=True, counter=name)
    return [f"for {name} in range({bounds}):", *indented(body(draw, inner, 3)), *tail(draw, scope)]


def while_loop(draw: Draw, scope: Scope) -> list[str]:
    name = f"n{scope.depth}"
    limit = draw(st.integers(0, 4))
    inner = scope.inner(uniform=True, loop=True, counter=name)
    more = "" if scope.uniform else f" and {condition(draw, scope, 1)}"
    inside = [f"{name} += 1", *body(draw, inner, 3)]
    return [
        f"{name} = 0",
        f"while {name} < {limit}{more}:",
        *indented(inside),
        *tail(draw, scope),
    ]


def tail(draw: Draw, scope: Scope) -> list[str]:
    """The `else` of a loop."""
    return ["else:", *indented(assign(draw, scope))] if draw(st.integers(0, 3)) == 0 else []


def leave(draw: Draw, scope: Scope) -> list[str]:
    word = draw(st.sampled_from(("break", "continue")))
    return [f"if {condition(draw, scope, 1)}:", f"    {word}"]


def finish(draw: Draw, scope: Scope) -> list[str]:
    inside = [*stores(scope.variables), "return"]
    return [f"if {condition(draw, scope, 1)}:", *indented(inside)]


def exchange(draw: Draw, scope: Scope) -> list[str]:
    """Every thread gives a value and takes that of another."""
    dtype = draw(st.sampled_from(sorted(scope.variables)))
    target = draw(st.sampled_from(scope.variables[dtype]))
    by = draw(st.integers(1, BLOCK - 1))
    return [
        f"s_{dtype}[t] = {expression(draw, scope, dtype, 1)}",
        "sw.barrier()",
        f"{target} = s_{dtype}[(t + {by}) % {BLOCK}]",
        "sw.barrier()",
    ]


def meet(draw: Draw, scope: Scope) -> list[str]:
    """The active lanes of a subgroup combine values; sums of integers only, whose order is free."""
    dtype = draw(st.sampled_from(sorted(scope.variables)))
    target = draw(st.sampled_from(scope.variables[dtype]))
    if draw(st.integers(0, 3)) == 0:
        vote = draw(st.sampled_from(("sw.any", "sw.all")))
        value = expression(draw, scope, dtype, 1)
        return [f"if {vote}({condition(draw, scope, 1)}):", f"    {target} = {value}"]
    if dtype in FLOATS:
        return assign(draw, scope)
    name = draw(st.sampled_from(COMBINATIONS))
    return [f"{target} = sw.subgroup_{name}({expression(draw, scope, dtype, 2)})"]


def shuffle(draw: Draw, scope: Scope) -> list[str]:
    """A value of another lane; the own one where that is not active."""
    dtype = draw(st.sampled_from(sorted(scope.variables)))
    target = draw(st.sampled_from(scope.variables[dtype]))
    move, lane = draw(st.sampled_from(MOVES))
    return [f"{target} = sw.{move}({expression(draw, scope, dtype, 1)}, {lane})"]


STATEMENTS = {
    "assign": assign,
    "augment": augment,
    "swap": swap,
    "branch": branch,
    "uniform_branch": uniform_branch,
    "for": for_loop,
    "while": while_loop,
    "leave": leave,
    "finish": finish,
    "exchange": exchange,
    "meet": meet,
    "shuffle": shuffle,
}


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def stores(variables: dict[str, list[str]]) -> list[str]:
    """Write the variables back."""
    return [f"{name}_array[i] = {name}" for names in variables.values() for name in names]


@st.composite
def programs(draw: Draw, *, barriers: bool = False, lanes: bool = False) -> tuple[str, list[str]]:
    """The text of a kernel, and the types of its array parameters (after `flags`), in order."""
    types = draw(st.lists(st.sampled_from(INTS + FLOATS), min_size=1, max_size=3, unique=True))
    variables = {dtype: [f"{dtype}_{n}" for n in range(2)] for dtype in types}
    scope = Scope(variables, uniform=barriers, lanes=lanes)
    if not barriers and draw(st.booleans()):
        scope.counters = ["early"]
    names = [name for group in variables.values() for name in group]
    lines = ["i = sw.global_id(0)", "early = 1"]
    lines += [f"{name} = {name}_array[i]" for name in names]
    if barriers:
        lines += ["t = sw.thread_id(0)"]
        lines += [f"s_{dtype} = sw.shared({BLOCK}, sw.{dtype})" for dtype in types]
    lines += body(draw, scope, 6)
    lines += stores(variables)
    head = f"def kernel(flags, {', '.join(f'{name}_array' for name in names)}):"
    return "\n".join([head, *indented(lines), ""]), [name.split("_")[0] for name in names]
