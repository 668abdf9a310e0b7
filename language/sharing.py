"""Which names may stand for one mutable object.

A struct is held by value, so Python's sharing of one mutable object by two names is only allowed
where it cannot be seen: a field of an object that another name may stand for is not changed.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterable
from types import FunctionType
from typing import TYPE_CHECKING, Any

from .annotations import is_struct_class
from .types import StructType, TupleType, Type
from .values import Static, StructValue, TupleValue, Value

if TYPE_CHECKING:
    from .frame import Frame


def note_sharing(
    frame: Frame, source: ast.expr, value: Value, names: Iterable[str], *, targets: int = 1
) -> None:
    """A place after which several names may stand for one mutable object.

    `names` are given the value of `source`, or parts of it, by so many targets.
    """
    if not holds_mutable(value):
        return
    shared = _shared_names(frame, source)
    if targets < 2 and not shared:
        return
    copies = _copied(frame, source) is not None
    makes = targets == 1 and (copies or is_struct_class(_callee(frame, source)))
    for name in shared.union(names):
        variable = frame.plan.variables.get(name)
        if variable is None:
            continue
        if makes and (copies or name not in shared):
            variable.shares_parts = True  # an object of its own, with parts that others have
            continue
        variable.shared = True
        # A change before this one is not seen by the other name, unless a loop comes back.
        again = any(loop in variable.changed_in for loop in frame.loops)
        if variable.changed is not None and again:
            raise refusal(frame, name, variable.changed)


def holds_mutable(value: Value) -> bool:
    """Whether a value is, or has in it, an object whose fields Python lets change."""
    if isinstance(value, StructValue):
        return is_mutable(value.type) or any(map(holds_mutable, value.fields.values()))
    return isinstance(value, TupleValue) and any(map(holds_mutable, value.items))


def names_in(target: ast.AST) -> set[str]:
    """The names in the target of an assignment."""
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def owner_of(value: Value | None) -> str:
    """Who else may see a change in an object, or in one of its parts."""
    parts: Iterable[Value] = value.items if isinstance(value, TupleValue) else ()
    if isinstance(value, StructValue):
        if value.owner:
            return value.owner
        parts = value.fields.values()
    owners = [owner_of(part) for part in parts]
    return next((owner for owner in owners if owner), "")


def is_mutable(type_: StructType) -> bool:
    """Whether Python allows a field of such an object to be assigned."""
    parameters = getattr(type_.cls, "__dataclass_params__", None)
    return parameters is not None and not parameters.frozen


def refusal(frame: Frame, name: str, node: ast.AST) -> Exception:
    """The error for a change that another name would see."""
    return frame.refuse(
        node,
        f"a field of {name} is changed, and another name may stand for the same object",
        hint="make a new object: dataclasses.replace(p, x=…)",
    )


def _shared_names(frame: Frame, node: ast.expr) -> set[str]:
    """Names whose object an expression's value may be, or hold."""
    if isinstance(node, ast.Name):
        return {node.id}
    parts = [part for part in _parts(frame, node) if _may_hold(frame, part)]
    names = {name for part in parts for name in _shared_names(frame, part)}
    return {name for name in names if _has_mutable(_type_of_variable(frame, name))}


def _parts(frame: Frame, node: ast.expr) -> list[ast.expr]:
    """The expressions whose objects the value of one may be, or hold."""
    if isinstance(node, (ast.Attribute, ast.Subscript, ast.NamedExpr, ast.Starred)):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, (ast.Tuple, ast.List)):
        return node.elts
    if isinstance(node, ast.BinOp):  # tuples are joined
        return [node.left, node.right]
    return _given(frame, node) if isinstance(node, ast.Call) else []


def _given(frame: Frame, node: ast.Call) -> list[ast.expr]:
    """What a call's value may be or hold; functions that are compiled along say it by `owner`."""
    fields = [keyword.value for keyword in node.keywords]
    copied = _copied(frame, node)
    if copied is not None:
        type_ = _type_of(frame, copied)
        is_flat = isinstance(type_, StructType) and not any(
            _has_mutable(field.type) for field in type_.fields
        )
        return fields if is_flat else [copied, *fields]
    callee = _callee(frame, node)
    is_compiled = callee is None or isinstance(callee, FunctionType)
    return [] if is_compiled else [*node.args, *fields]


def _copied(frame: Frame, node: ast.expr) -> ast.expr | None:
    """The object in a call of `replace` or `_replace`."""
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Attribute) and node.func.attr == "_replace":
        return node.func.value
    is_replace = isinstance(node.func, ast.Attribute) and node.func.attr == "replace"
    if node.args and (is_replace or _callee(frame, node) is dataclasses.replace):
        return node.args[0]
    return None


def _callee(frame: Frame, node: ast.expr) -> Any:
    name = node.func if isinstance(node, ast.Call) else None
    found = frame.scope.find(name.id) if isinstance(name, ast.Name) else None
    return found.value if isinstance(found, Static) else None


def _may_hold(frame: Frame, node: ast.expr) -> bool:
    type_ = _type_of(frame, node)
    return type_ is None or _has_mutable(type_)


def _type_of(frame: Frame, node: ast.expr) -> Type | None:
    """The type of a name or of its field; of other expressions it is not known."""
    if isinstance(node, ast.Name):
        return _type_of_variable(frame, node.id)
    if not isinstance(node, ast.Attribute):
        return None
    inner = _type_of(frame, node.value)
    field = inner.field(node.attr) if isinstance(inner, StructType) else None
    return field.type if field is not None else None


def _type_of_variable(frame: Frame, name: str) -> Type | None:
    variable = frame.plan.variables.get(name)
    return None if variable is None else variable.type


def _has_mutable(type_: Type | None) -> bool:
    if isinstance(type_, StructType):
        return is_mutable(type_) or any(_has_mutable(field.type) for field in type_.fields)
    return isinstance(type_, TupleType) and any(map(_has_mutable, type_.items))
