"""`assert` and `print`: messages with values that a thread sends to the host."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, StringAttr, i32
from xdsl.traits import is_side_effect_free

from ..dialects import gpux, simt
from .checks import check
from .conditions import condition
from .convert import materialise
from .emitter import body
from .operators import negate
from .types import bool_
from .typing_of import describe
from .values import Formatted, Scalar, Static, StructValue, Text, TupleValue, Value, Weak

if TYPE_CHECKING:
    from .frame import Frame


def joined_string(frame: Frame, node: ast.JoinedStr) -> Value:
    """An f-string; its values are formatted on the host."""
    parts: list[str | Value] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
            continue
        assert isinstance(part, ast.FormattedValue), "an f-string has text and values"
        value = frame.eval(part.value)
        spec = "" if part.format_spec is None else _specification(frame, part.format_spec)
        is_plain = not spec and not (part.conversion == ord("r") and isinstance(value, Static))
        parts.append(value if is_plain else _formatted(frame, part, value, spec))
    if all(isinstance(part, str) for part in parts):
        return Static("".join(part for part in parts if isinstance(part, str)))
    return Text(tuple(parts))


def _specification(frame: Frame, node: ast.expr) -> str:
    """What stands behind the colon: text, in which constants may be named in braces."""
    assert isinstance(node, ast.JoinedStr), "a specification is an f-string"
    texts: list[str] = []
    for part in node.values:
        value: Value = Static(None)
        if isinstance(part, ast.Constant):
            value = Static(part.value)
        elif isinstance(part, ast.FormattedValue) and part.format_spec is None:
            value = frame.eval(part.value)
        if not isinstance(value, Static):
            raise frame.refuse(
                part, f"a format specification has constants in it, got {describe(value)}"
            )
        texts.append(str(value.value))
    return "".join(texts)


_CONVERSIONS: dict[int, tuple[str, Callable[[Any], Any]]] = {
    -1: ("", lambda value: value),
    ord("s"): ("!s", str),
    ord("r"): ("!r", repr),
    ord("a"): ("!a", ascii),
}


def _formatted(frame: Frame, part: ast.FormattedValue, value: Value, spec: str) -> Value:
    """A value as its specification says: a constant now, a number of the run on the host."""
    how, conversion = _CONVERSIONS[part.conversion]
    known = isinstance(value, Static)
    if not known and not isinstance(value, (Scalar, Weak)):
        raise frame.refuse(
            part,
            f"a format specification of {describe(value)}",
            hint="format its parts, one by one",
        )
    number = None if known else materialise(frame, part, value)
    sample: Any = value.value if isinstance(value, Static) else _sample(number)
    try:
        if "{" in spec or "}" in spec:
            raise ValueError("braces in the specification")
        text = format(conversion(sample), spec)
    except (ValueError, TypeError) as error:
        raise frame.refuse(part, f"format {spec!r} of {describe(value)}: {error}") from None
    return Static(text) if number is None else Formatted(number, f"{how}:{spec}")


def _sample(number: Scalar | None) -> Any:
    """What Python would format in a number's place."""
    assert number is not None, "what is no constant is a number of the run"
    return True if number.dtype is bool_ else 1.0 if number.dtype.is_float else 1


def message_of(frame: Frame, node: ast.AST, value: Value) -> tuple[str, list[Scalar]]:
    """The text of a value, with `{}` where a run-time scalar stands, and these scalars."""
    if isinstance(value, Text):
        texts: list[str] = []
        scalars: list[Scalar] = []
        for part in value.parts:
            text = Static(part) if isinstance(part, str) else part
            message, found = message_of(frame, node, text)
            texts.append(message)
            scalars += found
        return "".join(texts), scalars
    if isinstance(value, Static):
        return _escaped(str(value.value)), []
    if isinstance(value, (Scalar, Weak)):
        return "{}", [materialise(frame, node, value)]
    if isinstance(value, Formatted):
        return f"{{{value.how}}}", [value.number]
    if isinstance(value, TupleValue):
        items = [_item(frame, node, item) for item in value.items]
        text = ", ".join(part[0] for part in items)
        text = f"({text},)" if len(items) == 1 else f"({text})"
        return text, [scalar for part in items for scalar in part[1]]
    if isinstance(value, StructValue):
        named = [(name, _item(frame, node, item)) for name, item in value.fields.items()]
        text = ", ".join(f"{name}={part[0]}" for name, part in named)
        return f"{value.type.name}({text})", [s for _, part in named for s in part[1]]
    raise frame.refuse(
        node, f"{describe(value)} cannot be printed", hint="print its elements one by one"
    )


def _item(frame: Frame, node: ast.AST, value: Value) -> tuple[str, list[Scalar]]:
    if isinstance(value, Static) and isinstance(value.value, str):
        return _escaped(repr(value.value)), []
    return message_of(frame, node, value)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def print_call(
    frame: Frame,
    node: ast.AST,
    *values: Value,
    sep: Value | None = None,
    end: Value | None = None,
) -> Value:
    """`print(…)`: one line of the launch's output."""
    between = _text(frame, node, "sep", sep, " ")
    ending = _text(frame, node, "end", end, "\n")
    if not ending.endswith("\n"):
        raise frame.refuse(
            node,
            f"print in a kernel ends its line: end={ending!r} does not end in a newline",
            hint="print all values of the line at once",
        )
    parts = [message_of(frame, node, value) for value in values]
    message = _escaped(between).join(text for text, _ in parts) + _escaped(ending[:-1])
    scalars = [scalar for _, found in parts for scalar in found]
    frame.emit.add(
        gpux.PrintOp,
        [scalar.ssa for scalar in scalars],
        (),
        {
            "message": StringAttr(message),
            "formats": ArrayAttr([StringAttr(scalar.dtype.name) for scalar in scalars]),
            "operandSegmentSizes": DenseArrayBase.from_list(i32, [len(scalars), 0]),
        },
    )
    return Static(None)


def _text(frame: Frame, node: ast.AST, name: str, value: Value | None, default: str) -> str:
    if value is None or (isinstance(value, Static) and value.value is None):
        return default
    if not isinstance(value, Static) or not isinstance(value.value, str):
        raise frame.refuse(node, f"{name} must be a constant string, got {describe(value)}")
    return value.value


def assert_statement(frame: Frame, node: ast.Assert) -> None:
    """`assert condition, message`; without checks nothing of it is compiled."""
    if not frame.unit.checks:
        return
    test = condition(frame, node.test)
    if isinstance(test, Static):
        if test.value:
            return
        test = Scalar(bool_, frame.emit.constant(False, bool_))
    assert isinstance(test, Scalar), "a condition is a bool"
    if node.msg is None:
        check(frame, test.ssa, "assert", _escaped(frame.text_of(node.test)))
        return
    with frame.region() as block:
        text, scalars = message_of(frame, node.msg, frame.eval(node.msg))
    emit = frame.emit
    if emit.dry:
        return
    if all(is_side_effect_free(op) for op in block.ops):
        emit.splice(block)
        check(frame, test.ssa, "assert", text, tuple(scalars))
        return
    # Python evaluates the message only if the condition is false.
    failed = negate(frame, test)
    assert isinstance(failed, Scalar), "not of a run-time bool"
    outer, emit.block = emit.block, block
    check(frame, emit.constant(False, bool_), "assert", text, tuple(scalars))
    emit.add(simt.YieldOp)
    emit.block = outer
    from xdsl.ir import Region

    emit.add(simt.IfOp, (failed.ssa,), regions=(body(block), Region()))
