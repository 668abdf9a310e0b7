"""What classes of structs define: properties, methods, operators such as `__add__`."""

from __future__ import annotations

import ast
from types import FunctionType
from typing import TYPE_CHECKING, Any, cast

from .calls import call_value
from .constants import lift
from .operators import SYMBOLS
from .refusals import TEXT
from .structs import REPLACE_METHOD, class_member, class_origin
from .typing_of import describe
from .values import Method, Static, StructValue, TupleValue, Value

if TYPE_CHECKING:
    from .frame import Frame

_METHODS = {
    **{"+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod"},
    **{"**": "pow", "<<": "lshift", ">>": "rshift", "&": "and", "|": "or", "^": "xor"},
    "@": "matmul",
}
_UNARY_METHODS: dict[type[ast.AST], str] = {ast.USub: "neg", ast.UAdd: "pos", ast.Invert: "invert"}


def struct_attribute(frame: Frame, node: ast.AST, value: StructValue, name: str) -> Value:
    """A field, a property, a method or a class constant."""
    if name in value.fields:
        return value.fields[name]
    cls = value.type.cls
    member = None if cls is None else class_member(cls, name)
    if cls is None or member is None:
        known = ", ".join(value.fields)
        raise frame.refuse(node, f"{value.type.name} has no attribute {name}; it has {known}")
    origin = class_origin(cls)
    frame.unit.depend(origin, cls)
    if name == "_replace":
        return Method(Static(REPLACE_METHOD), value, node)
    if isinstance(member, property):
        getter = Static(member.fget, (*origin, ("attr", name), ("attr", "fget")))
        return call_value(frame, node, getter, [value], {})
    if isinstance(member, staticmethod):
        return Static(getattr(cls, name), (*origin, ("attr", name)))
    if isinstance(member, classmethod):
        function = Static(
            cast(Any, member).__func__, (*origin, ("attr", name), ("attr", "__func__"))
        )
        return Method(function, Static(cls, origin), node)
    if isinstance(member, FunctionType):
        return Method(Static(member, (*origin, ("attr", name))), value, node)
    return lift(member)


def _operator_hint(name: str, *operands: Value | None) -> str:
    """What stands for an operator that the operands do not have."""
    if any(isinstance(one, Static) and isinstance(one.value, str) for one in operands):
        return TEXT
    if any(isinstance(one, StructValue) and one.type.cls is None for one in operands):
        return (
            "an array that is annotated with a dataclass, as points: sw.Array[Point, 1], has its "
            f"elements of the class, which may have a method __{name}__"
        )
    return f"give the class a method __{name}__, or combine the fields one by one"


def operator_method(
    frame: Frame, node: ast.AST, op: type[ast.AST], left: Value, right: Value | None
) -> Value:
    """`a + b` where one of them is a struct with `__add__` or `__radd__`."""
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
        hint=_operator_hint(name, left, right),
    )
