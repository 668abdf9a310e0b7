"""Random structured programs give the same results before and after canonicalize and cse."""

from __future__ import annotations

import random
from itertools import count
from typing import Any

from gpu_interpreter import Thread
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp

from stepwell.lowering.parse import parse_module, print_module
from stepwell.lowering.pipeline import Pipeline
from stepwell.lowering.verify import verify

INTEGER_OPS = ["addi", "subi", "muli", "andi", "ori", "xori", "minsi", "maxsi"]
PREDICATES = ["eq", "ne", "slt", "sle", "ult", "uge"]
HEAD = """%zero = arith.constant 0 : i32
%one = arith.constant 1 : i32
%ones = arith.constant -1 : i32
%five = arith.constant 5 : i32
%true = arith.constant true
%false = arith.constant false
%c0 = arith.constant 0 : index
%c1 = arith.constant 1 : index
%c3 = arith.constant 3 : index"""


class Writer:
    """Writes statements over the i32 values and the i1 conditions in scope."""

    def __init__(self, choose: random.Random) -> None:
        self.choose = choose
        self.lines: list[str] = []
        self.numbers = count()

    def name(self) -> str:
        return f"%v{next(self.numbers)}"

    def new(self, line: str) -> str:
        name = self.name()
        self.lines.append(f"{name} = {line}")
        return name

    def body(self, values: list[str], conditions: list[str], depth: int) -> None:
        """Some statements; what they define is added to the lists."""
        for _ in range(self.choose.randint(1, 5)):
            kinds = [self.compute, self.compare, self.select]
            if depth:
                kinds += [self.if_, self.for_, self.while_]
            self.choose.choice(kinds)(values, conditions, depth)

    def compute(self, values: list[str], conditions: list[str], depth: int) -> None:
        op, a, b = self.choose.choice(INTEGER_OPS), *self.choose.choices(values, k=2)
        values.append(self.new(f"arith.{op} {a}, {b} : i32"))

    def compare(self, values: list[str], conditions: list[str], depth: int) -> None:
        if self.choose.random() < 0.3:
            op, c = self.choose.choice(["xori", "andi", "ori"]), self.choose.choice(conditions)
            other = self.choose.choice([*conditions, "%true", "%false"])
            conditions.append(self.new(f"arith.{op} {c}, {other} : i1"))
            return
        predicate, a, b = self.choose.choice(PREDICATES), *self.choose.choices(values, k=2)
        conditions.append(self.new(f"arith.cmpi {predicate}, {a}, {b} : i32"))

    def select(self, values: list[str], conditions: list[str], depth: int) -> None:
        c, a, b = self.choose.choice(conditions), *self.choose.choices(values, k=2)
        values.append(self.new(f"arith.select {c}, {a}, {b} : i32"))

    def if_(self, values: list[str], conditions: list[str], depth: int) -> None:
        a, b = self.name(), self.name()
        c = self.choose.choice(conditions)
        self.lines.append(f"{a}, {b} = scf.if {c} -> (i32, i1) {{")
        for end in ("} else {", "}"):
            inner, known = [*values], [*conditions]
            self.body(inner, known, depth - 1)
            x, y = self.choose.choice(inner), self.choose.choice([*known, "%true", "%false"])
            self.lines += [f"scf.yield {x}, {y} : i32, i1", end]
        values.append(a)
        conditions.append(b)

    def for_(self, values: list[str], conditions: list[str], depth: int) -> None:
        results, arguments = [self.name(), self.name()], [self.name(), self.name()]
        starts = self.choose.choices(values, k=2)
        upper = self.choose.choice(["%c0", "%c1", "%c3", "%n"])
        pairs = ", ".join(f"{a} = {s}" for a, s in zip(arguments, starts, strict=True))
        index = self.name()
        self.lines.append(
            f"{', '.join(results)} = scf.for {index} = %c0 to {upper} step %c1 "
            f"iter_args({pairs}) -> (i32, i32) {{"
        )
        inner = [*values, *arguments]
        self.body(inner, [*conditions], depth - 1)
        ends = [self.choose.choice([*inner, *arguments, starts[0]]) for _ in range(2)]
        self.lines += [f"scf.yield {', '.join(ends)} : i32, i32", "}"]
        values += results

    def while_(self, values: list[str], conditions: list[str], depth: int) -> None:
        """Counts to three at most; carries a value and passes another one out."""
        counted, result = self.name(), self.name()
        k, x = self.name(), self.name()
        start = self.choose.choice(values)
        self.lines.append(
            f"{counted}, {result} = scf.while ({k} = %zero, {x} = {start}) "
            ": (i32, i32) -> (i32, i32) {"
        )
        inner, known = [*values, x], [*conditions]
        self.body(inner, known, depth - 1)
        less = self.new(f"arith.cmpi slt, {k}, %five : i32")
        go_on = self.new(f"arith.andi {less}, {self.choose.choice([*known, '%true'])} : i1")
        passed, k2, x2 = self.choose.choice([*inner, x]), self.name(), self.name()
        self.lines += [
            f"scf.condition({go_on}) {k}, {passed} : i32, i32",
            "} do {",
            f"^body({k2}: i32, {x2}: i32):",
        ]
        inner = [*values, x2]
        self.body(inner, [*conditions], depth - 1)
        more = self.new(f"arith.addi {k2}, %one : i32")
        self.lines += [f"scf.yield {more}, {self.choose.choice(inner)} : i32, i32", "}"]
        values += [counted, result]


def program(seed: int) -> str:
    choose = random.Random(seed)
    writer = Writer(choose)
    values, conditions = ["%a", "%b", "%zero", "%one", "%ones", "%five"], ["%p"]
    writer.body(values, conditions, 3)
    writer.body(values, conditions, 2)
    results = ", ".join(choose.choices(values, k=3))
    body = "\n".join(writer.lines)
    return (
        "func.func @f(%a: i32, %b: i32, %p: i1, %n: index) -> (i32, i32, i32) {\n"
        f"{HEAD}\n{body}\nfunc.return {results} : i32, i32, i32\n}}\n"
    )


def run(module: ModuleOp, arguments: list[Any]) -> list[Any]:
    (function,) = module.body.block.ops
    block = function.regions[0].blocks[0]
    steps = Thread(dict(zip(block.args, arguments, strict=True)), {}).block(block, ())
    try:
        next(steps)
    except StopIteration as end:
        return end.value
    raise AssertionError("nothing here waits for other threads")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_results_stay_the_same(seed: int) -> None:
    text = program(seed)
    before = parse_module(text)
    after = before.clone()
    Pipeline.parse("canonicalize,cse,canonicalize").run(after)
    verify(after)
    for arguments in ([3, -7, 1, 2], [0, 0, 0, 0], [-(2**31), 5, 0, 4]):
        expected = run(before, list(arguments))
        assert run(after, list(arguments)) == expected, f"{text}\n{print_module(after)}"
