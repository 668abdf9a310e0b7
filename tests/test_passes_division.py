"""What simt-to-gpu makes of `//` and `%` computes what Python and NumPy do, on whole arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.dialects import arith, func
from xdsl.dialects.builtin import FloatAttr, IntegerAttr
from xdsl.ir import Operation, SSAValue

from stepwell.lowering.parse import parse_module
from stepwell.lowering.pipeline import Pipeline

Array = NDArray[Any]
DTYPES: dict[str, type[Any]] = {
    "i8": np.int8,
    "f16": np.float16,
    "f32": np.float32,
    "f64": np.float64,
}


def unsigned(a: Array) -> Array:
    return a.view(a.dtype.str.replace("i", "u"))


def divide(a: Array, b: Array) -> Array:
    """C's division of integers, which traps."""
    assert not (b == 0).any(), "a division by zero"
    assert not ((b == -1) & (a == np.iinfo(a.dtype).min)).any(), "a quotient that overflows"
    quotient = np.abs(a.astype(np.int64)) // np.abs(b.astype(np.int64))
    return np.where((a < 0) == (b < 0), quotient, -quotient).astype(a.dtype)


Compute = Callable[..., Array]
Unary = Callable[[Array], Array]
Binary = Callable[[Array, Array], Array]


def on_unsigned(compute: Binary) -> Binary:
    """The operation on the same bits without a sign."""
    return lambda a, b: compute(unsigned(a), unsigned(b)).view(a.dtype)


def to_dtype(dtype: type[np.generic]) -> Unary:
    return lambda a: a.astype(dtype)


def remainder(a: Array, b: Array) -> Array:
    return a - divide(a, b) * b


def less_unsigned(a: Array, b: Array) -> Array:
    return unsigned(a) < unsigned(b)


OPS: dict[str, Compute] = {
    "arith.addi": np.add,
    "arith.subi": np.subtract,
    "arith.muli": np.multiply,
    "arith.andi": np.bitwise_and,
    "arith.xori": np.bitwise_xor,
    "arith.shrsi": np.right_shift,
    "arith.divsi": divide,
    "arith.remsi": remainder,
    "arith.divui": on_unsigned(np.floor_divide),
    "arith.remui": on_unsigned(np.remainder),
    "arith.maxui": on_unsigned(np.maximum),
    "arith.select": np.where,
    "arith.addf": np.add,
    "arith.subf": np.subtract,
    "arith.divf": np.divide,
    "arith.remf": np.fmod,
    "math.floor": np.floor,
    "math.copysign": np.copysign,
    "arith.extf": to_dtype(np.float32),
    "arith.truncf": to_dtype(np.float16),
}
CMPI: dict[int, Compute] = {
    0: np.equal,
    1: np.not_equal,
    2: np.less,
    6: less_unsigned,
}
CMPF: dict[int, Compute] = {1: np.equal, 2: np.greater, 4: np.less, 13: np.not_equal}


def evaluate(op: Operation, operands: list[Array], shape: tuple[int, ...]) -> Array:
    if isinstance(op, arith.ConstantOp):
        value = op.value
        assert isinstance(value, IntegerAttr | FloatAttr)
        return np.full(shape, value.value.data, DTYPES[str(op.result.type)])
    if isinstance(op, arith.CmpiOp):
        return CMPI[op.predicate.value.data](*operands)
    if isinstance(op, arith.CmpfOp):
        return CMPF[op.predicate.value.data](*operands)
    return OPS[op.name](*operands)


def lowered(name: str, type_: str, a: Array, b: Array, constant: int | None = None) -> Array:
    """`a op b` by what the pass makes of it; with a constant, `b` is known to be that."""
    define = f"%b = arith.constant {constant} : {type_}\n" if constant is not None else ""
    parameter = "%unused" if constant is not None else "%b"
    module = parse_module(
        f"""func.func @f(%a: {type_}, {parameter}: {type_}) -> {type_} {{
        {define}%r = simt.{name} %a, %b : {type_}
        func.return %r : {type_} }}"""
    )
    Pipeline.parse("simt-to-gpu").run(module)
    module.verify()
    function = module.body.block.first_op
    assert isinstance(function, func.FuncOp)
    values: dict[SSAValue, Array] = dict(zip(function.body.block.args, (a, b), strict=True))
    with np.errstate(all="ignore"):
        for op in function.body.block.ops:
            operands = [values[v] for v in op.operands]
            if isinstance(op, func.ReturnOp):
                return operands[0]
            values[op.results[0]] = evaluate(op, operands, a.shape)
    raise AssertionError("the function returns")


def all_pairs(values: Array) -> tuple[Array, Array]:
    a, b = np.meshgrid(values, values)
    return a.ravel(), b.ravel()


REFERENCE = {"floordiv": np.floor_divide, "mod": np.remainder}


@pytest.mark.parametrize("name", ["floordiv", "mod"])
def test_integers_divide_as_in_numpy_for_all_i8(name: str):
    a, b = all_pairs(np.arange(-128, 128).astype(np.int8))
    with np.errstate(all="ignore"):
        expected = REFERENCE[name](a, b)
    np.testing.assert_array_equal(lowered(name, "i8", a, b), expected)


@pytest.mark.parametrize("name", ["floordiv", "mod"])
def test_integers_divide_by_constants(name: str):
    a = np.arange(-128, 128).astype(np.int8)
    powers = [1 << n for n in range(7)]
    for constant in sorted({*range(-9, 13), *powers, *(-n for n in powers), 100, 127, -127, -128}):
        b = np.full(a.shape, constant, np.int8)
        with np.errstate(all="ignore"):
            expected = REFERENCE[name](a, b)
        result = lowered(name, "i8", a, b, constant)
        np.testing.assert_array_equal(result, expected, f"by {constant}")


@pytest.mark.parametrize("name", ["floordiv", "mod"])
@pytest.mark.parametrize("type_", ["f16", "f32", "f64"])
def test_floats_divide_as_in_numpy_bit_for_bit(name: str, type_: str):
    dtype = DTYPES[type_]
    info = np.finfo(dtype)
    special = [0.0, 1.0, 0.5, 3.0, 0.1, 7.25, 1e3, np.inf, np.nan]
    special += [float(info.max), float(info.tiny), float(info.smallest_subnormal)]
    noise = np.random.default_rng(1).normal(size=40) * 10.0
    values = np.concatenate([special, np.negative(special), noise]).astype(dtype)
    a, b = all_pairs(values)
    with np.errstate(all="ignore"):
        expected = REFERENCE[name](a, b)
    result = lowered(name, type_, a, b)
    nan = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(result), nan)
    bits = f"u{np.dtype(dtype).itemsize}"
    np.testing.assert_array_equal(result[~nan].view(bits), expected[~nan].view(bits))
