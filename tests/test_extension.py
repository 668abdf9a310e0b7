"""Other packages' functions in kernels: an op of their own dialect, lowered by a pass of theirs."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Dialect
from xdsl.irdl import AnyAttr, IRDLOperation, VarConstraint, operand_def, result_def, traits_def
from xdsl.passes import ModulePass
from xdsl.traits import Pure

import stepwell as sw
from stepwell.dialects.lazy_format import op_with_format
from stepwell.language.extension import intrinsic
from stepwell.language.fingerprint import fingerprint_function
from stepwell.lowering.conversion import Legality, Rules, convert
from stepwell.registry import register_dialect

EXACT = {"fastmath": arith.FastMathFlagsAttr("none")}


@op_with_format("$a `,` $b attr-dict `:` type($result)")
class FartherOp(IRDLOperation):
    """The operand that is farther from 0, plus 1 (so that it is seen that the op was made)."""

    name = "exttest.farther"
    T: ClassVar = VarConstraint("T", AnyAttr())
    a = operand_def(T)
    b = operand_def(T)
    result = result_def(T)
    traits = traits_def(Pure())


RULES = Rules()


@RULES.converts(FartherOp)
def _lower(op, operands, rw):
    (a,), (b,) = operands
    kind = rw.type(op.result.type)
    one = rw.value(arith.ConstantOp, [], kind, {"value": FloatAttr(1.0, kind)})
    larger = rw.value(arith.MaximumfOp, [a, b], kind, EXACT)
    return rw.value(arith.AddfOp, [larger, one], kind, EXACT)


@dataclass(frozen=True)
class LowerTest(ModulePass):
    """Lowers the dialect."""

    name = "lower-exttest"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        convert(op, RULES, Legality({"exttest": False}, default=True), goal="gpu")


register_dialect(Dialect("exttest", [FartherOp], []), lowered_by=LowerTest)


@intrinsic(f"{__name__}:FartherOp")
def farther(a, b):
    """The larger one, plus 1."""
    return max(a, b) + 1


@sw.kernel
def apply(x, y):
    i = sw.global_id(0)
    y[i] = farther(x[i], 2)


def test_a_call_becomes_the_op_and_is_lowered():
    x = np.arange(5, dtype=np.float32)
    assert "exttest.farther %" in apply.ir("simt", x, x)
    assert "exttest" not in apply.ir("gpu", x, x)
    y = np.zeros_like(x)
    apply.over(5)(x, y)
    assert list(y) == [3, 3, 3, 4, 5]


def test_the_body_is_the_meaning_in_python_and_of_constants():
    @sw.kernel
    def constant(y):
        y[0] = farther(4, 2)

    assert farther(4, 2) == 5
    text = constant.ir("simt", np.zeros(1, np.float32))
    assert "5.000000e+00" in text
    assert "exttest" not in text


def test_halves_are_computed_as_floats():
    x = np.arange(5, dtype=np.float16)
    assert "exttest.farther" in apply.ir("simt", x, x)
    assert ": f32" in next(
        line for line in apply.ir("simt", x, x).splitlines() if "exttest" in line
    )


def test_numbers_of_any_type_meet_where_the_op_takes_them():
    @intrinsic(f"{__name__}:FartherOp", of="number")
    def any_number(a, b):
        return a + b

    @sw.kernel
    def sum_of(x, y):
        x[0] = any_number(x[0], y[0])

    text = sum_of.ir("simt", np.zeros(1, np.int64), np.zeros(1, np.int32))
    assert ": i64" in next(line for line in text.splitlines() if "exttest" in line)


def test_a_wrong_number_of_arguments_is_refused():
    @sw.kernel
    def lacking(x):
        x[0] = farther(x[0])  # pyright: ignore[reportCallIssue]

    with pytest.raises(sw.CompileError, match=r"farther takes 2 arguments \(a, b\), got 1"):
        lacking.ir("simt", np.zeros(1, np.float32))


def test_ir_with_the_op_is_compiled():
    space = "memref<?xf32, #gpu.address_space<global>>"
    bundle = sw.compile_ir(f"""
gpu.module @m {{
  gpu.func @k(%x: {space}) kernel {{
    %i = gpu.global_id x
    %v = memref.load %x[%i] : {space}
    %w = exttest.farther %v, %v : f32
    memref.store %w, %x[%i] : {space}
    gpu.return
  }}
}}
""")
    x = np.arange(3, dtype=np.float32)
    sw.load(bundle)[1, 3](x)
    assert list(x) == [1, 2, 3]


def test_the_disk_cache_sees_when_the_package_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "extpackage.py"
    file.write_text("def f(a):\n    return a\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    def stamp() -> bytes:
        module = types.ModuleType("extpackage")
        module.__file__ = str(file)
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), vars(module))
        monkeypatch.setitem(sys.modules, "extpackage", module)
        return fingerprint_function(intrinsic("extpackage:Op")(module.f))

    before = stamp()
    assert stamp() == before
    (tmp_path / "lowering.py").write_text("# another file of it\n", encoding="utf-8")
    assert stamp() != before


@pytest.mark.parametrize("row", ["exttestnowhere:Op", f"{__name__}:NoOp"])
def test_an_op_that_is_not_there_is_named_at_the_call(row: str):
    @intrinsic(row)
    def lost(a):
        return a

    @sw.kernel
    def calls(x):
        x[0] = lost(x[0])

    with pytest.raises(sw.CompileError, match=f"the op '{row}' cannot be loaded: ") as caught:
        calls.ir("simt", np.zeros(1, np.float32))
    assert caught.value.location is not None


def test_what_is_no_intrinsic_is_refused():
    with pytest.raises(sw.CompileError, match="the op of an intrinsic is 'geo'"):
        intrinsic("geo")
    with pytest.raises(sw.CompileError, match="is a function in Python"):
        intrinsic("geo:Op")(max)
    with pytest.raises(sw.CompileError, match="has the parameter"):
        intrinsic("geo:Op")(lambda *values: values)
