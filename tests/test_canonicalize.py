"""Folding against LLVM's own (mlir-opt), and what must hold of the passes as a whole."""

import itertools
import shutil
import subprocess
from collections.abc import Sequence

import pytest
from xdsl.dialects import arith
from xdsl.dialects import test as xdsl_test
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i32
from xdsl.interfaces import HasFolderInterface
from xdsl.ir import Attribute, Block, OpResult, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, result_def, traits_def
from xdsl.traits import Pure

from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.parse import parse_module, print_module
from stepwell.lowering.pipeline import Pipeline
from stepwell.lowering.verify import verify
from stepwell.passes import canonicalize as canonicalize_file
from stepwell.passes.canonicalize import canonicalize

MLIR_OPT = shutil.which("mlir-opt") or shutil.which("/usr/lib/llvm-19/bin/mlir-opt")

INTEGERS = {
    "i1": [0, 1],
    "i8": [0, 1, 7, -128, -3],
    "i32": [0, 31, -(2**31), -1],
    "i64": [5, 2**63 - 1, -(2**63), -9],
    "index": [0, 40, 1000, -9],
}
INTEGER_OPS = [
    *("addi", "subi", "muli", "divsi", "divui", "remsi", "remui"),
    *("floordivsi", "ceildivsi", "ceildivui", "andi", "ori", "xori"),
    *("shli", "shrsi", "shrui", "minsi", "maxsi", "minui", "maxui"),
]
PREDICATES = ["eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"]
FLOATS = {
    "f16": ["-0.0", "0.1", "65504.0", "6.0e-8"],
    "bf16": ["0.0", "0.1", "-3.5", "3.0e38"],
    "f32": ["0.0", "-0.0", "0.1", "3.0e38", "0x7F800000"],
    "f64": ["-0.0", "0.1", "1.0e308", "5.0e-324"],
}
FLOAT_OPS = ["addf", "subf", "mulf", "divf", "remf", "minimumf", "maximumf", "minnumf", "maxnumf"]
FLOAT_PREDICATES = [
    *("oeq", "ogt", "oge", "olt", "ole", "one", "ord"),
    *("ueq", "ugt", "uge", "ult", "ule", "une", "uno"),
]
INTEGER_CASTS = [
    *[("extsi", a, b) for a, b in (("i1", "i8"), ("i8", "i32"), ("i32", "i64"))],
    *[("extui", a, b) for a, b in (("i1", "i8"), ("i8", "i32"), ("i32", "i64"))],
    *[("trunci", a, b) for a, b in (("i64", "i32"), ("i32", "i8"), ("i8", "i1"))],
    *[("index_cast", a, b) for a, b in (("index", "i32"), ("i8", "index"), ("index", "i64"))],
    *[(op, a, b) for op in ("sitofp", "uitofp") for a in ("i8", "i64") for b in FLOATS],
    *[("bitcast", "i32", "f32"), ("bitcast", "i64", "f64")],
]
FLOAT_CASTS = [
    *[("extf", a, b) for a, b in (("f16", "f32"), ("bf16", "f32"), ("f32", "f64"))],
    *[("truncf", a, b) for a, b in (("f64", "f32"), ("f32", "f16"), ("f32", "bf16"))],
    *[("truncf", "f64", "f16"), ("bitcast", "f32", "i32"), ("bitcast", "f64", "i64")],
    *[(op, a, b) for op in ("fptosi", "fptoui") for a in FLOATS for b in ("i8", "i64")],
    *[("negf", a, a) for a in FLOATS],
]


def cases() -> list[tuple[str, str]]:
    """(expression over constants, its result type) of all ops on all pairs of special values."""
    found: list[tuple[str, str]] = []
    for type, numbers in INTEGERS.items():
        for a, b in itertools.product(numbers, numbers):
            pair = f"{{{a} : {type}}}, {{{b} : {type}}}"
            if type != "i1":
                found += [(f"arith.{op} {pair} : {type}", type) for op in INTEGER_OPS]
            found += [(f"arith.cmpi {p}, {pair} : {type}", "i1") for p in PREDICATES]
    for type, texts in FLOATS.items():
        for a, b in itertools.product(texts, texts):
            pair = f"{{{a} : {type}}}, {{{b} : {type}}}"
            found += [(f"arith.{op} {pair} : {type}", type) for op in FLOAT_OPS]
            found += [(f"arith.cmpf {p}, {pair} : {type}", "i1") for p in FLOAT_PREDICATES]
    for op, source, target in INTEGER_CASTS:
        found += [
            (f"arith.{op} {{{a} : {source}}} : {source} to {target}", target)
            for a in INTEGERS[source]
        ]
    for op, source, target in FLOAT_CASTS:
        suffix = source if op == "negf" else f"{source} to {target}"
        found += [(f"arith.{op} {{{a} : {source}}} : {suffix}", target) for a in FLOATS[source]]
    return found


def program(expressions: list[tuple[str, str]]) -> str:
    """One function that returns all results; `{1 : i8}` is a constant."""
    lines: list[str] = []
    for number, (expression, _) in enumerate(expressions):
        text, constants = expression, 0
        while "{" in text:
            head, _, tail = text.partition("{")
            value, _, tail = tail.partition("}")
            name = f"%c{number}_{constants}"
            lines.append(f"{name} = arith.constant {value}")
            text, constants = f"{head}{name}{tail}", constants + 1
        lines.append(f"%r{number} = {text}")
    names = ", ".join(f"%r{number}" for number in range(len(expressions)))
    types = ", ".join(type for _, type in expressions)
    body = "\n".join(lines)
    return f"func.func @f() -> ({types}) {{\n{body}\nfunc.return {names} : {types}\n}}\n"


def results(module: ModuleOp) -> list[Attribute | None]:
    """What the function returns, where it is constant."""
    (function,) = module.body.block.ops
    block: Block = function.regions[0].blocks[0]
    assert block.last_op is not None
    makers = [v.op if isinstance(v, OpResult) else None for v in block.last_op.operands]
    return [m.value if isinstance(m, arith.ConstantOp) else None for m in makers]


def same(ours: Attribute, theirs: Attribute) -> bool:
    """Equal to the last bit (true may be 1 or -1)."""
    return ours == theirs or str(ours) == str(theirs)


@pytest.mark.skipif(MLIR_OPT is None, reason="mlir-opt is not installed (Debian: mlir-19-tools)")
def test_constants_fold_as_llvm_folds_them() -> None:
    assert MLIR_OPT is not None
    expressions = cases()
    text = program(expressions)
    done = subprocess.run(
        [MLIR_OPT, "--canonicalize"], input=text, capture_output=True, text=True, check=True
    )
    module = parse_module(text)
    canonicalize(module)
    verify(module)
    compared = 0
    wrong: list[str] = []
    theirs = results(parse_module(done.stdout))
    for (expression, _), a, b in zip(expressions, results(module), theirs, strict=True):
        if a is not None and b is not None:
            compared += 1
            if not same(a, b):
                wrong.append(f"{expression}: {a}, LLVM says {b}")
    assert not wrong, "\n".join(wrong[:20])
    assert compared > 0.9 * len(expressions)


def test_folding_that_does_not_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def swap(op: arith.AddiOp, editor: object) -> bool:
        op.operands = (op.rhs, op.lhs)
        return True

    monkeypatch.setitem(canonicalize_file.RULES, arith.AddiOp, swap)
    module = parse_module(
        "func.func @f(%a: i32, %b: i32) -> i32 {\n"
        "  %0 = arith.addi %a, %b : i32\n"
        "  func.return %0 : i32\n"
        "}",
        "in.mlir",
    )
    with pytest.raises(CompileError, match="canonicalize does not end") as caught:
        canonicalize(module)
    assert caught.value.location is not None
    assert caught.value.location.line == 2


def test_what_is_made_has_the_place_of_what_it_replaces() -> None:
    module = parse_module(
        "func.func @f() -> i32 {\n"
        "  %a = arith.constant 1 : i32\n"
        "  %0 = arith.addi %a, %a : i32\n"
        "  func.return %0 : i32\n"
        "}",
        "in.mlir",
    )
    canonicalize(module)
    assert 'arith.constant 2 : i32 loc("in.mlir":3:3)' in print_module(module, locations=True)


@irdl_op_definition
class DoubledOp(IRDLOperation, HasFolderInterface):
    """Twice a number, and the number."""

    name = "canontest.doubled"
    value, twice, same = operand_def(i32), result_def(i32), result_def(i32)
    traits = traits_def(Pure())

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        """Of constants."""
        made_by = self.value.owner
        if not isinstance(made_by, arith.ConstantOp):
            return None
        number = made_by.value
        assert isinstance(number, IntegerAttr)
        return IntegerAttr(2 * number.value.data, i32), self.value


def test_ops_of_other_packages_fold_as_they_say() -> None:
    four = arith.ConstantOp(IntegerAttr(4, i32))
    first = DoubledOp.create(operands=[four.result], result_types=[i32, i32])
    second = DoubledOp.create(operands=[first.twice], result_types=[i32, i32])
    unknown = xdsl_test.TestOp(result_types=[i32])
    kept = DoubledOp.create(operands=[unknown.results[0]], result_types=[i32, i32])
    user = xdsl_test.TestOp([second.twice, second.same, kept.twice])
    module = ModuleOp([four, first, second, unknown, kept, user])
    canonicalize(module)
    made_by = [operand.owner for operand in user.operands]
    numbers = [op.value for op in made_by if isinstance(op, arith.ConstantOp)]
    assert numbers == [IntegerAttr(16, i32), IntegerAttr(8, i32)]
    assert made_by[2] is kept
    assert first.parent is second.parent is None


def test_a_second_run_changes_nothing() -> None:
    module = parse_module(
        """func.func @f(%n: index, %x: i32, %p: i1) -> (i32, i32) {
             %c0 = arith.constant 0 : index
             %c1 = arith.constant 1 : index
             %two = arith.constant 2 : i32
             %r, %s = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %two) -> (i32, i32) {
               %q = scf.if %p -> (i32) {
                 %t = arith.addi %a, %b : i32
                 scf.yield %t : i32
               } else {
                 scf.yield %a : i32
               }
               scf.yield %q, %b : i32, i32
             }
             func.return %r, %s : i32, i32
           }"""
    )
    pipeline = Pipeline.parse("canonicalize,cse")
    once = print_module(pipeline.run(module))
    verify(module)
    assert print_module(pipeline.run(module)) == once
    assert "iter_args(%a = %x) -> (i32)" in once
