"""Explicit casts: `sw.i32(x)`, `int(x)`, `float(x)`, `bool(x)`, `np.float32(x)`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from .convert import cast_to, saturate, truth
from .emitter import nearest
from .types import DType, bool_
from .typing_of import static_type
from .values import Static, Value, is_numpy_scalar

if TYPE_CHECKING:
    from .frame import Frame


def cast_call(
    frame: Frame,
    node: ast.AST,
    target: Any,
    dtype: DType,
    arguments: list[Value],
    keywords: dict[str, Value],
) -> Value:
    """`target(value)`; Python's own types keep a constant a literal."""
    if keywords or len(arguments) > 1:
        raise frame.refuse(node, f"a cast to {dtype} takes one value, got {len(arguments)}")
    value = arguments[0] if arguments else Static(0)
    if dtype is bool_:
        return truth(frame, node, value)
    if isinstance(value, Static) and static_type(value.value) is not None:
        folded = _fold(frame, node, target, dtype, value)
        if folded is not None:
            return folded
    if isinstance(value, Static) and isinstance(value.value, str):
        return Static(_number_of(frame, node, target, dtype, value.value))
    return cast_to(frame, node, value, dtype)


def _number_of(frame: Frame, node: ast.AST, target: Any, dtype: DType, text: str) -> int | float:
    """The number that a text says, as in `float("-inf")`."""
    if target not in (int, float):
        raise frame.refuse(node, f"cannot cast {text!r} to {dtype}", hint='float("…") takes a text')
    try:
        return target(text)
    except ValueError as error:
        raise frame.refuse(node, f"constant expression: {error}") from None


def _fold(frame: Frame, node: ast.AST, target: Any, dtype: DType, value: Static) -> Value | None:
    number = value.value
    if target in (int, float):
        if is_numpy_scalar(number):
            return None
        try:
            return Static(target(number))
        except (ValueError, OverflowError) as error:
            raise frame.refuse(node, f"constant expression: {error}") from None
    if dtype.name == "index":
        return None
    source = static_type(number)
    if source is not None and source.is_float and not dtype.is_float:
        return Static(dtype(saturate(float(number), dtype)))
    if not dtype.is_float:
        bits = (1 << dtype.bits) - 1
        wrapped = int(number) & bits
        if dtype.is_signed and wrapped >> (dtype.bits - 1):
            wrapped -= 1 << dtype.bits
        return Static(dtype(wrapped))
    is_integer = source is not None and source.is_integer
    return Static(dtype(nearest(int(number) if is_integer else float(number), dtype)))
