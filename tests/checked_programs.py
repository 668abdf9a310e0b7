"""Random programs with many checks, and what runs them with all values small.

`index` has 8 bits, so that wrapping round, which proofs have to rule out, happens all the time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue

from stepwell.dialects import gpu, gpux, simt
from stepwell.passes.utils.block_editing import integer_bits

INDEX_BITS = 8
LIMIT = 1 << (INDEX_BITS - 3)
FUEL = 400
VIEW = "memref<?x?xf32, #gpu.address_space<global>>"
WIDTHS = {"index": INDEX_BITS, "i5": 5, "i7": 7, "i1": 1}
BINARY = [
    *("addi", "addi", "subi", "subi", "muli", "minsi", "maxsi", "minui", "maxui", "andi"),
    *("remsi", "remui", "divsi", "divui", "mod", "floordiv", "shrsi", "shrui", "ori", "xori"),
]
DEFINITIONS = ["binary"] * 3 + ["launch", "size", "cast", "compare", "logic", "choice"]
CASTS = [
    *(("index_cast", "i5", "index"), ("index_cast", "i7", "index")),
    *(("index_cast", "index", "i5"), ("index_cast", "index", "i7")),
    *(("extsi", "i5", "i7"), ("extui", "i5", "i7"), ("trunci", "i7", "i5")),
]
PREDICATES = ["eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"]


class Failed(Exception):
    """A check failed: the thread ends."""


class OutOfFuel(Exception):
    """The program runs too long to be of use."""


def width(type_: Attribute) -> int:
    return integer_bits(type_) or INDEX_BITS


def signed(value: int, bits: int) -> int:
    if bits == 1:
        return value & 1
    return (value + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))


def compute(name: str, a: int, b: int, bits: int) -> int:
    """The signed result of a binary op; division by zero is 0."""
    ua, ub = a % (1 << bits), b % (1 << bits)
    if "div" in name or "rem" in name or name == "mod":
        if b == 0:
            return 0
        truncated = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return {
            "divsi": truncated,
            "remsi": a - truncated * b,
            "divui": ua // ub,
            "remui": ua % ub,
            "floordiv": a // b,
            "mod": a % b,
        }[name]
    shift = ub % bits
    return {
        "addi": a + b,
        "subi": a - b,
        "muli": a * b,
        "minsi": min(a, b),
        "maxsi": max(a, b),
        "minui": min(ua, ub),
        "maxui": max(ua, ub),
        "andi": a & b,
        "ori": a | b,
        "xori": a ^ b,
        "shrsi": a >> shift,
        "shrui": ua >> shift,
    }[name]


def compare(predicate: int, a: int, b: int, bits: int) -> int:
    if predicate >= 6:
        a, b = a % (1 << bits), b % (1 << bits)
        predicate -= 4
    tests: list[Callable[[int, int], bool]] = [
        *(lambda a, b: a == b, lambda a, b: a != b, lambda a, b: a < b),
        *(lambda a, b: a <= b, lambda a, b: a > b, lambda a, b: a >= b),
    ]
    return int(tests[predicate](a, b))


class Run:
    """One thread's run of the program; `known_block` is the block of every launch, if known."""

    def __init__(self, chance: random.Random, known_block: Sequence[int] = ()):
        self.fuel = FUEL
        self.values: dict[SSAValue, Any] = {}
        self.sizes: dict[tuple[SSAValue, int], int] = {}
        self.chance = chance
        self.launch: dict[tuple[str, int], int] = {}
        for axis in range(2):
            # block * grid stays a possible size
            block = known_block[axis] if known_block else chance.choice([1, 2, 4])
            grid = chance.randint(1, LIMIT // 4)
            self.launch["gpu.block_dim", axis] = block
            self.launch["gpu.grid_dim", axis] = grid
            self.launch["gpu.thread_id", axis] = chance.randrange(block)
            self.launch["gpu.block_id", axis] = chance.randrange(grid)
            self.launch["gpu.global_id", axis] = (
                self.launch["gpu.block_id", axis] * block + self.launch["gpu.thread_id", axis]
            )

    def size(self, view: SSAValue, axis: int) -> int:
        key = (view, axis)
        if key not in self.sizes:
            self.sizes[key] = self.chance.choice([0, 1, 2, 3, LIMIT, self.chance.randint(0, LIMIT)])
        return self.sizes[key]

    def arguments(self, block: Block) -> None:
        for argument in block.args:
            bits = width(argument.type)
            near = self.chance.choice([0, 1, -1, 1 << (bits - 1), self.chance.getrandbits(bits)])
            self.values[argument] = signed(near + self.chance.randint(-1, 1), bits)

    def block(self, block: Block) -> tuple[int, ...]:
        for op in block.ops:
            self.fuel -= 1
            if self.fuel < 0:
                raise OutOfFuel
            values = tuple(self.values[v] for v in op.operands)
            if op.next_op is None:
                return values
            results = self.op(op, values)
            for result, value in zip(op.results, results, strict=True):
                self.values[result] = signed(value, width(result.type))
        raise AssertionError("a block ends in a terminator")

    def op(self, op: Operation, values: tuple[int, ...]) -> tuple[int, ...]:
        name = op.name.partition(".")[2]
        if name in BINARY:
            a, b = values
            return (compute(name, a, b, width(op.results[0].type)),)
        if isinstance(op, gpu.DimensionOp):
            return (self.launch[op.name, op.axis],)
        run: Callable[..., tuple[int, ...]] = getattr(self, "run_" + name)
        return run(op, *values)

    def run_constant(self, op: arith.ConstantOp) -> tuple[int]:
        assert isinstance(op.value, IntegerAttr)
        return (op.value.value.data,)

    def run_cmpi(self, op: arith.CmpiOp, a: int, b: int) -> tuple[int]:
        return (compare(op.predicate.value.data, a, b, width(op.lhs.type)),)

    def run_select(self, op: Operation, c: int, a: int, b: int) -> tuple[int]:
        return (a if c else b,)

    def run_index_cast(self, op: Operation, a: int) -> tuple[int]:
        return (a,)

    run_extsi = run_trunci = run_index_cast

    def run_extui(self, op: Operation, a: int) -> tuple[int]:
        return (a % (1 << width(op.operands[0].type)),)

    def run_dim(self, op: memref.DimOp, _: int, axis: int) -> tuple[int]:
        return (self.size(op.source, axis),)

    def run_if(self, op: scf.IfOp, c: int) -> tuple[int, ...]:
        region = op.true_region if c else op.false_region
        return self.block(region.block) if region.blocks else ()

    def run_for(self, op: scf.ForOp, low: int, high: int, step: int, *rest: int) -> tuple[int, ...]:
        while low < high:
            self.values |= dict(zip(op.body.block.args, (low, *rest), strict=True))
            rest = self.block(op.body.block)
            low = signed(low + step, width(op.lb.type))
        return rest

    def run_while(self, op: scf.WhileOp, *carried: int) -> tuple[int, ...]:
        while True:
            before, after = op.before_region.block, op.after_region.block
            self.values |= dict(zip(before.args, carried, strict=True))
            go, *passed = self.block(before)
            if not go:
                return tuple(passed)
            self.values |= dict(zip(after.args, passed, strict=True))
            carried = self.block(after)

    def run_check_index(self, op: simt.CheckIndexOp, index: int, _: int) -> tuple[()]:
        if not 0 <= index < self.size(op.view, op.dimension.value.data):
            raise Failed(op.view_name.data)
        return ()

    def run_check(self, op: gpux.CheckOp, condition: int, *_: int) -> tuple[()]:
        if not condition:
            raise Failed(op.message.data)
        return ()


class Writer:
    """Writes a random kernel with many checks, each with a name of its own."""

    def __init__(self, chance: random.Random):
        self.chance = chance
        self.lines: list[str] = []
        self.count = 0
        self.scopes: list[dict[str, list[str]]] = [
            {"index": ["%m"], "i5": ["%k"], "i7": ["%l"], "i1": ["%p"]}
        ]

    def define(self, type_: str, text: str) -> str:
        self.count += 1
        name = f"%v{self.count}"
        self.lines.append(f"{name} = {text}")
        self.scopes[-1][type_].append(name)
        return name

    def value(self, type_: str) -> str:
        """A value in scope, rather a new one."""
        known = [name for scope in self.scopes for name in scope[type_]]
        recent = known[-6:] if self.chance.random() < 0.7 else known
        return self.chance.choice(recent)

    def constant(self, type_: str) -> str:
        bits = WIDTHS[type_]
        value = self.chance.choice([0, 1, 1, 2, 3, -1, (1 << (bits - 1)) - 1, -(1 << (bits - 1))])
        return self.define(type_, f"arith.constant {value} : {type_}")

    def define_something(self) -> None:
        getattr(self, "define_" + self.chance.choice(DEFINITIONS))()

    def define_binary(self) -> None:
        type_ = self.chance.choice(["index", "index", "index", "i5", "i7"])
        op = self.chance.choice(BINARY)
        dialect = "simt" if op in ("mod", "floordiv") else "arith"
        other = self.constant(type_) if self.chance.random() < 0.6 else self.value(type_)
        if op.startswith("shr"):
            other = self.define(type_, f"arith.constant {self.chance.randint(0, 3)} : {type_}")
        self.define(type_, f"{dialect}.{op} {self.value(type_)}, {other} : {type_}")

    def define_launch(self) -> None:
        op = self.chance.choice(["thread_id", "block_id", "block_dim", "grid_dim", "global_id"])
        self.define("index", f"gpu.{op} {self.chance.choice('xy')}")

    def define_size(self) -> None:
        axis = self.define("index", f"arith.constant {self.chance.randint(0, 1)} : index")
        self.define("index", f"memref.dim {self.chance.choice(['%x', '%y'])}, {axis} : {VIEW}")

    def define_cast(self) -> None:
        op, source, target = self.chance.choice(CASTS)
        self.define(target, f"arith.{op} {self.value(source)} : {source} to {target}")

    def define_compare(self) -> None:
        type_ = self.chance.choice(["index", "index", "i5", "i7"])
        a, b = self.value(type_), self.value(type_)
        self.define("i1", f"arith.cmpi {self.chance.choice(PREDICATES)}, {a}, {b} : {type_}")

    def define_logic(self) -> None:
        op = self.chance.choice(["andi", "ori", "xori"])
        other = self.value("i1")
        if op == "xori" and self.chance.random() < 0.7:
            other = self.define("i1", "arith.constant true")
        self.define("i1", f"arith.{op} {self.value('i1')}, {other} : i1")

    def define_choice(self) -> None:
        type_ = self.chance.choice(["index", "index", "i5", "i1"])
        a, b, c = self.value(type_), self.value(type_), self.value("i1")
        if self.chance.random() < 0.5:
            self.define(type_, f"arith.select {c}, {a}, {b} : {type_}")
            return
        self.count += 1
        result = f"%v{self.count}"
        self.lines.append(f"{result} = scf.if {c} -> ({type_}) {{")
        for separator in ("} else {", "}"):
            self.scopes.append({name: [] for name in WIDTHS})
            self.define_something()
            self.lines.append(f"scf.yield {self.value(type_)} : {type_}")
            self.lines.append(separator)
            self.scopes.pop()
        self.scopes[-1][type_].append(result)

    def check(self) -> None:
        self.count += 1
        if self.chance.random() < 0.2:
            condition = self.value("i1")
            self.lines.append(f'gpux.check {condition}, "assert", "c{self.count}" formats []')
            return
        index, view = self.value("index"), self.chance.choice(["%x", "%y"])
        axis = self.chance.randint(0, 1)
        self.lines.append(
            f'simt.check_index {index}, {view}, {axis} : i64 as "c{self.count}" : {VIEW}'
        )

    def guard(self) -> None:
        """A comparison with a size, and a check of that index under it."""
        axis, view = self.chance.randint(0, 1), self.chance.choice(["%x", "%y"])
        number = self.define("index", f"arith.constant {axis} : index")
        size = self.define("index", f"memref.dim {view}, {number} : {VIEW}")
        index = self.value("index")
        predicate = self.chance.choice(["slt", "ult", "sle"])
        condition = self.define("i1", f"arith.cmpi {predicate}, {index}, {size} : index")
        self.region(f"scf.if {condition} {{")

    def region(self, head: str, arguments: Sequence[str] = (), yields: str = "") -> None:
        """A region with `index` arguments, which may yield a value of a type."""
        self.lines.append(head)
        self.scopes.append({name: [] for name in WIDTHS})
        self.scopes[-1]["index"] += arguments
        self.statements()
        end = f"scf.yield {self.value(yields)} : {yields}" if yields else "scf.yield"
        self.lines += [end, "}"]
        self.scopes.pop()

    def loop(self) -> None:
        self.count += 1
        index = f"%v{self.count}"
        low, high = self.value("index"), self.value("index")
        step = self.define("index", f"arith.constant {self.chance.choice([1, 1, 2, 5])} : index")
        if self.chance.random() < 0.2:
            step = self.define("index", "gpu.block_dim x")
        head = f"scf.for {index} = {low} to {high} step {step}"
        if self.chance.random() < 0.5:
            self.region(f"{head} {{", [index])
            return
        result, carried, first = f"%r{self.count}", f"%a{self.count}", self.value("index")
        head = f"{result} = {head} iter_args({carried} = {first}) -> (index) {{"
        self.region(head, [index, carried], "index")
        self.scopes[-1]["index"].append(result)

    def while_loop(self) -> None:
        self.count += 1
        result, before, after = (f"%{letter}{self.count}" for letter in "rba")
        start = self.value("index")
        self.lines.append(f"{result} = scf.while ({before} = {start}) : (index) -> (index) {{")
        self.scopes.append({name: [] for name in WIDTHS})
        self.scopes[-1]["index"].append(before)
        self.define_compare()
        self.check()
        self.lines.append(f"scf.condition({self.value('i1')}) {self.value('index')} : index")
        self.lines += ["} do {", f"^bb0({after}: index):"]
        self.scopes[-1] = {name: [] for name in WIDTHS}
        self.scopes[-1]["index"].append(after)
        self.statements()
        self.lines += [f"scf.yield {self.value('index')} : index", "}"]
        self.scopes.pop()
        self.scopes[-1]["index"].append(result)

    def statements(self) -> None:
        for _ in range(self.chance.randint(1, 4)):
            self.define_something()
        for _ in range(self.chance.randint(1, 3)):
            self.check()
        if len(self.scopes) < 4:
            kind = self.chance.choice(["guard", "guard", "if", "loop", "while"])
            if kind == "if":
                self.region(f"scf.if {self.value('i1')} {{")
            elif kind == "guard":
                self.guard()
            elif kind == "loop":
                self.loop()
            else:
                self.while_loop()
        self.check()

    def kernel(self) -> str:
        for type_ in ("index", "i5", "i7"):
            self.constant(type_)
        for _ in range(2):
            self.statements()
        body = "\n".join(self.lines)
        return f"""gpu.module @m {{
gpu.func @kernel(%x: {VIEW}, %y: {VIEW}, %m: index, %k: i5, %l: i7, %p: i1) kernel {{
{body}
gpu.return
}}
}}"""
