"""Functions of other packages by their signatures: which is taken, and what is refused."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pytest
from extension_ops import RULES, AverageOp, average, halves
from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp
from xdsl.irdl import AnyAttr, IRDLOperation, irdl_op_definition, operand_def, result_def
from xdsl.passes import ModulePass

import stepwell as sw
from stepwell import registry
from stepwell.language.extension import intrinsic
from stepwell.lowering.conversion import Legality, Rules, convert


def test_values_go_to_the_first_types_that_hold_them_and_literals_to_those_beside_them():
    @sw.kernel
    def mixed(a, b, c, out):
        out[0] = average(a[0], b[0])  # i8 and u8: i16 holds both
        out[1] = average(b[0], c[0])  # u8 and u16
        out[2] = average(a[0], 5)

    a, b, c = (np.array([n], kind) for n, kind in ((-7, "i1"), (200, "u1"), (60000, "u2")))
    out = np.zeros(3, np.int32)
    mixed[1, 1](a, b, c, out)
    assert out.tolist() == [96, 30100, -1]
    lines = [line for line in mixed.ir("simt", a, b, c, out).splitlines() if "exttypes" in line]
    assert [re.findall(r"average\w*|i\d+$", line) for line in lines] == [
        ["average", "i16"],
        ["average_unsigned", "i16"],
        ["average", "i8"],
    ]


def test_constants_have_what_the_function_gives_in_the_signature_s_types():
    @sw.kernel
    def constant(x):
        x[0] = average(np.uint8(201), 100)
        x[1] = halves(7 << 32)[1]

    text = constant.ir("gpu", np.zeros(2, np.int64))
    assert "exttypes" not in text
    assert "150 : i64" in text
    assert "7 : i64" in text


@irdl_op_definition
class PauseOp(IRDLOperation):
    """Waits."""

    name = "exttypes.pause"
    rounds = operand_def(AnyAttr())


def test_an_op_with_effects_stands_there_for_constants_too():
    @intrinsic(f"{__name__}:PauseOp", "(u32) -> ()")
    def pause(rounds):
        raise AssertionError("an op with effects is not folded")

    @sw.kernel
    def waits(x):
        pause(5)
        x[0] = 1

    assert '"exttypes.pause"(%' in waits.ir("simt", np.zeros(1, np.int8))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.float32(1), np.int8(1)), "average takes (i8, i8) or (i16, i16) or (u8, u8) or"),
        ((np.uint16(1), np.int16(1)), "or (u16, u16), got (u16, i16)\n"),
        ((np.bool_(True), np.int8(1)), "got (bool, i8)\n"),
        ((1, 2), "; (int literal, int literal) may be several of them\n"),
        ((np.uint8(1), 256), "256 does not fit u8 (0 to 255)"),
        ((np.uint8(1), 1.5), "got (u8, float literal)\n"),
        (("one", np.int8(1)), "expected a number or bool, got"),
    ],
)
def test_arguments_without_a_signature_are_refused(arguments: tuple[object, ...], message: str):
    @sw.kernel
    def wrong(x):
        x[0] = average(*arguments)

    with pytest.raises(sw.CompileError) as caught:
        wrong.ir("simt", np.zeros(1, np.int8))
    assert message in str(caught.value)
    assert caught.value.location is not None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((1, 2), r"far gave \(1, 2\), its signature says 1 results"),
        (300, r"300 does not fit u8 \(0 to 255\)"),
        (KeyError("x"), "far raised KeyError: 'x'"),
    ],
)
def test_what_the_function_gives_for_constants_is_checked(given: object, message: str):
    @intrinsic("extension_ops:AverageUnsignedOp", "(u8, u8) -> u8")
    def far(a, b):
        if isinstance(given, Exception):
            raise given
        return given

    @sw.kernel
    def constant(x):
        x[0] = far(1, 2)

    with pytest.raises(sw.CompileError, match=f"constant expression: {message}"):
        constant.ir("simt", np.zeros(1, np.uint8))


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("(i32) -> i32", "has 2 parameters \\(a, b\\), a signature of it 1"),
        ("i32, i32 -> i32", "the signature of an intrinsic is 'i32, i32 -> i32'"),
        ("(i32, i33) -> i32", "there is no type 'i33' in the signature"),
    ],
)
def test_a_signature_that_is_none_is_refused(signature: str, message: str):
    with pytest.raises(sw.CompileError, match=message):

        @intrinsic("m:Op", signature)
        def f(a, b):
            return a


def test_ops_of_one_function_are_told_apart_by_signatures():
    with pytest.raises(sw.CompileError, match="intrinsic f has two ops"):

        @intrinsic("m:Op")
        @intrinsic("m:Other", "(i32) -> i32")
        def f(a):
            return a

    with pytest.raises(sw.CompileError, match="intrinsic g has no parameters"):

        @intrinsic("m:Op", of="number")
        def g():
            return 1


@sw.kernel
def calls(x):
    x[0] = average(x[0], x[0])


def lower_by(monkeypatch: pytest.MonkeyPatch, rules: Rules) -> str:
    """What compiling says where the dialect is lowered by other rules."""

    @dataclass(frozen=True)
    class Other(ModulePass):
        name = "lower-otherwise"

        def apply(self, ctx: Context, op: ModuleOp) -> None:
            if rules.table:
                convert(op, rules, Legality({"exttypes": False}, default=True))

    monkeypatch.setitem(registry.LOWERED_BY.registered, "exttypes", Other)
    with pytest.raises(sw.CompileError) as caught:
        calls.ir("gpu", np.zeros(1, np.int8))
    assert "average(x[0], x[0])" in str(caught.value)
    return caught.value.message


def test_a_lowering_that_leaves_its_ops_is_named(monkeypatch: pytest.MonkeyPatch):
    assert lower_by(monkeypatch, Rules()) == "lower-otherwise leaves exttypes.average"


def test_invalid_ir_of_a_lowering_is_found_where_it_was_made(monkeypatch: pytest.MonkeyPatch):
    rules, exact = Rules(), {"fastmath": arith.FastMathFlagsAttr("none")}

    @rules.converts(AverageOp)
    def wrong(op, operands, rw):
        return rw.value(arith.AddfOp, [*operands[0], *operands[1]], op.result.type, exact)

    assert lower_by(monkeypatch, rules).startswith(
        "invalid IR after lower-otherwise: arith.addf: operand 'lhs' at position 0 does not verify:"
        " Unexpected attribute i8"
    )


def test_a_converter_with_too_few_results_is_named(monkeypatch: pytest.MonkeyPatch):
    rules = Rules()
    rules.converts(AverageOp)(lambda op, operands, rw: None)
    assert "average: its converter gave 0 results, it has 1" in lower_by(monkeypatch, rules)


def test_what_goes_wrong_in_a_converter_says_at_which_op(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(RULES.table, AverageOp)

    @RULES.converts(AverageOp)
    def broken(op, operands, rw):
        raise KeyError("x")

    with pytest.raises(KeyError) as caught:
        calls.ir("gpu", np.zeros(1, np.int8))
    converted, in_pass = caught.value.__notes__
    assert re.fullmatch(r"where exttypes\.average is converted, \S+:\d+:12", converted)
    assert in_pass.startswith("in pass lower-exttypes")


def test_lowerings_that_go_in_circles_are_an_error(monkeypatch: pytest.MonkeyPatch):
    rules = {name: Rules() for name in ("exttypes", "othertypes")}

    @irdl_op_definition
    class MeanOp(IRDLOperation):
        name = "othertypes.mean"
        a, b, result = operand_def(AnyAttr()), operand_def(AnyAttr()), result_def(AnyAttr())

    def between(dialect: str) -> type[ModulePass]:
        @dataclass(frozen=True)
        class Between(ModulePass):
            name = f"lower-{dialect}"

            def apply(self, ctx: Context, op: ModuleOp) -> None:
                convert(op, rules[dialect], Legality({dialect: False}, default=True))

        return Between

    rules["exttypes"].rename({AverageOp: MeanOp})
    rules["othertypes"].rename({MeanOp: AverageOp})
    for name in rules:
        monkeypatch.setitem(registry.LOWERED_BY.registered, name, between(name))
    with pytest.raises(sw.CompileError, match="dialects exttypes and othertypes makes ops of"):
        calls.ir("gpu", np.zeros(1, np.int8))
