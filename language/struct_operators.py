"""Functions and operators on structs: `dataclasses.replace`, `_replace`, `__add__` and its kin."""

from __future__ import annotations

import ast
from types import FunctionType
from typing import TYPE_CHECKING

from .convert import store_value
from .functions import Function
from .operators import SYMBOLS
from .structs import class_member, class_origin
from .typing_of import describe, settle_type
from .values import Static, StructValue, TupleValue, Value

if TYPE_CHECKING:
    from .frame import Frame


def _replace_call(frame: Frame, node: ast.AST, obj: Value, **changes: Value) -> Value:
    if not isinstance(obj, StructValue):
        raise frame.refuse(node, f"replace takes a dataclass instance, got {describe(obj)}")
    fields = dict(obj.fields)
    for name, value in changes.items():
        field = obj.type.field(name)
        if name not in fields or field is None:
            raise frame.refuse(node, f"{obj.type.name} has no field {name}")
        fields[name] = store_value(frame, node, value, settle_type(field.type), f"field {name}")
    return StructValue(obj.type, fields)


class _ReplaceFunction(Function):
    """`dataclasses.replace` and `_replace`: any keyword is a field."""

    def call(
        self, frame: Frame, node: ast.AST, arguments: list[Value], keywords: dict[str, Value]
    ) -> Value:
        """Compile one call."""
        if len(arguments) != 1:
            raise frame.refuse(node, "replace takes one object and its new fields by name")
        return _replace_call(frame, node, arguments[0], **keywords)


REPLACE = _ReplaceFunction("replace", _replace_call)


def _replace_marker() -> None:
    """Stands for a NamedTuple's `_replace` where a Python object is needed."""


REPLACE_METHOD = _replace_marker

_METHODS = {
    **{"+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod"},
    **{"**": "pow", "<<": "lshift", ">>": "rshift", "&": "and", "|": "or", "^": "xor"},
    "@": "matmul",
}
_UNARY_METHODS: dict[type[ast.AST], str] = {ast.USub: "neg", ast.UAdd: "pos", ast.Invert: "invert"}


def operator_method(
    frame: Frame, node: ast.AST, op: type[ast.AST], left: Value, right: Value | None
) -> Value:
    """`a + b` where one of them is a struct with `__add__` or `__radd__`."""
    from .calls import call_value

    name = _UNARY_METHODS[op] if right is None else _METHODS[SYMBOLS[op]]
    attempts = [(left, f"__{name}__", right), (right, f"__r{name}__", left)]
    for owner, method, other in attempts:
        if isinstance(owner, StructValue) and owner.type.cls is not None:
            member = class_member(owner.type.cls, method)
            if isinstance(member, FunctionType):
                origin = class_origin(owner.type.cls)
                frame.unit.depend(origin, owner.type.cls)
                function = Static(member, (*origin, ("attr", method)))
                arguments: list[Value] = [owner] if other is None else [owner, other]
                return call_value(frame, node, function, arguments, {})
    if isinstance(left, TupleValue) and isinstance(right, TupleValue) and op is ast.Add:
        return TupleValue((*left.items, *right.items))
    what = describe(left) if right is None else f"{describe(left)} and {describe(right)}"
    raise frame.refuse(
        node,
        f"operator {SYMBOLS[op]} is not defined for {what}",
        hint=f"give the class a method __{name}__, or combine the fields one by one",
    )
