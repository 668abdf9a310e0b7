"""Arithmetic of the interpreter of kernels: `evaluate` runs one op of arith on Python numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from xdsl.dialects.builtin import (
    FixedBitwidthType,
    Float32Type,
    Float64Type,
    FloatAttr,
    IndexType,
    IntegerAttr,
)
from xdsl.ir import Attribute

FLOATS = {Float32Type: "f4", Float64Type: "f8"}


def bits_of(type_: Attribute) -> int:
    """Bits of an integer; an index has 64."""
    return (
        64
        if isinstance(type_, IndexType) or not isinstance(type_, FixedBitwidthType)
        else (type_.bitwidth)
    )


def dtype_of(type_: Attribute) -> np.dtype[Any]:
    """The NumPy type of an array's elements."""
    if isinstance(type_, Float32Type | Float64Type):
        return np.dtype(FLOATS[type(type_)])
    bits = bits_of(type_)
    return np.dtype(bool) if bits == 1 else np.dtype(f"i{bits // 8}")


def signed(value: int, type_: Attribute) -> int:
    """The number that the low bits of `value` stand for."""
    bits = bits_of(type_)
    value &= (1 << bits) - 1
    return value - (1 << bits) if bits > 1 and value >> (bits - 1) else value


def unsigned(value: int, type_: Attribute) -> int:
    """The same bits as a number from 0 on."""
    return int(value) & ((1 << bits_of(type_)) - 1)


def _quotient(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


SIGNED: dict[str, Callable[[Any, Any], Any]] = {
    "addi": operator.add,
    "subi": operator.sub,
    "muli": operator.mul,
    "andi": lambda a, b: a & b,
    "ori": lambda a, b: a | b,
    "xori": lambda a, b: a ^ b,
    "minsi": min,
    "maxsi": max,
    "divsi": _quotient,
    "remsi": lambda a, b: a - b * _quotient(a, b),
    "shli": lambda a, b: a << b,
    "shrsi": lambda a, b: a >> b,
}
UNSIGNED: dict[str, Callable[[Any, Any], Any]] = {
    "minui": min,
    "maxui": max,
    "divui": lambda a, b: a // b,
    "remui": operator.mod,
    "shrui": lambda a, b: a >> b,
}
FLOAT: dict[str, Callable[[Any, Any], Any]] = {
    "addf": operator.add,
    "subf": operator.sub,
    "mulf": operator.mul,
    "minimumf": np.minimum,
    "maximumf": np.maximum,
}
COMPARISONS: list[Callable[[Any, Any], Any]] = [
    *(operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge),
    *(operator.lt, operator.le, operator.gt, operator.ge),
]
NEUTRAL = {"add": 0, "mul": 1, "and": -1, "or": 0, "xor": 0}
COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "mul": operator.mul,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "minsi": min,
    "maxsi": max,
    "minimumf": min,
    "maximumf": max,
}


def evaluate(op: Any, operands: list[Any]) -> Any:
    """The result of an op of the arith dialect."""
    name, type_ = op.name.removeprefix("arith."), op.results[0].type
    if name == "constant":
        return constant(op.value, type_)
    if name in SIGNED:
        return signed(SIGNED[name](*operands), type_)
    if name in UNSIGNED:
        plain = [unsigned(value, type_) for value in operands]
        return signed(UNSIGNED[name](*plain), type_)
    if name in FLOAT:
        return FLOAT[name](*operands)
    if name == "cmpi":
        predicate = op.predicate.value.data
        if predicate >= 6:
            operands = [unsigned(value, op.lhs.type) for value in operands]
        return 1 if COMPARISONS[predicate](*operands) else 0
    if name == "select":
        return operands[1] if operands[0] else operands[2]
    return convert(name, operands[0], op.operands[0].type, type_)


def constant(value: Attribute, type_: Attribute) -> Any:
    """The number of a constant."""
    if isinstance(value, FloatAttr):
        return dtype_of(type_).type(value.value.data)
    assert isinstance(value, IntegerAttr), "a constant is a number"
    return signed(value.value.data, type_)


def convert(name: str, value: Any, given: Attribute, wanted: Attribute) -> Any:
    """A cast."""
    if name == "extui":
        return unsigned(value, given)
    if name in ("index_cast", "extsi", "trunci"):
        return signed(-value if name == "extsi" and bits_of(given) == 1 else value, wanted)
    assert name in ("sitofp", "uitofp"), f"the interpreter has no arith.{name}"
    return dtype_of(wanted).type(value)
