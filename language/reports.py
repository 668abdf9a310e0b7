"""`assert` and `print`: messages with values that a thread sends to the host."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

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
from .values import Scalar, Static, StructValue, Text, TupleValue, Value, Weak

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
        if part.format_spec is not None:
            raise frame.refuse(
                part,
                "a format specification is not in the language",
                hint="write {value} alone; floats print with all their digits",
            )
        parts.append(frame.eval(part.value))
    if all(isinstance(part, str) for part in parts):
        return Static("".join(part for part in parts if isinstance(part, str)))
    return Text(tuple(parts))


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
