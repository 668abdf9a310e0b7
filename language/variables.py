"""Local variables of a kernel: one type each, found by walking the function until it holds still.

A variable that is assigned at one place is *bound* to the value itself. One that is assigned at
several, or is read where its value's block does not dominate, lives in *cells*, one for each scalar
of its type. What exists only while compiling (arrays, functions, strings) is always bound.
"""

from __future__ import annotations

import ast
import enum
from collections.abc import Iterable
from typing import TYPE_CHECKING

from xdsl.ir import SSAValue

from .convert import store_value
from .promotion import WEAK
from .types import DType, Leaf, StructType, TupleType, Type, leaves
from .typing_of import describe, join_types, settle_type, type_of
from .values import Scalar, Static, StructValue, TupleValue, Value, Weak

if TYPE_CHECKING:
    from .frame import Frame


class Variable:
    """What is known of one variable; `Plan.start` forgets what belongs to one walk."""

    def __init__(self, name: str):
        self.name = name
        self.in_cell = False
        self.declared: Type | None = None
        self.type: Type | None = None
        self.first: ast.AST | None = None
        self.owner = ""
        """Who else may hold the object that the variable stands for, as in `StructValue`."""
        self.start()

    def start(self) -> None:
        """Begin a walk."""
        self.value: Value | None = None
        self.region = 0
        self.sites: dict[int, bool] = {}
        self.read = False
        self.cells: list[SSAValue] | None = None
        self.shared = False
        """Whether another name may stand for the object by now."""
        self.shares_parts = False
        """Whether another name may stand for a struct inside the object by now."""
        self.changed: ast.AST | None = None
        """Where a field was changed, and in which loops."""
        self.changed_in: list[object] = []


class Plan:
    """What inference found out about a function; kept from walk to walk."""

    def __init__(self, names: set[str]):
        self.variables = {name: Variable(name) for name in sorted(names)}
        self.returns: Type | None = None
        self.return_site: ast.AST | None = None
        self.return_count = 0
        self.dirty = False

    def start(self) -> None:
        """Begin a walk."""
        self.dirty = False
        self.return_count = 0
        for variable in self.variables.values():
            variable.start()

    def settle(self) -> bool:
        """Give what is only literals its type; whether that changed anything."""
        changed = False
        for variable in self.variables.values():
            if variable.in_cell and variable.type is not None:
                settled = settle_type(variable.type)
                changed |= settled != variable.type
                variable.type = settled
        if self.returns is not None:
            settled = settle_type(self.returns)
            changed |= settled != self.returns
            self.returns = settled
        return changed


def assign(
    frame: Frame, name: str, value: Value, site: ast.AST, *, loop_target: bool = False
) -> None:
    """Give a variable a value at a place of the program."""
    variable = frame.variable(name)
    if variable.declared is not None:
        value = store_value(frame, site, value, variable.declared, f"variable {name}")
    type_ = type_of(value)
    if isinstance(value, StructValue):
        variable.owner = variable.owner or value.owner
    if type_ is None:
        _bind_static(frame, variable, value, site)
    else:
        _meet_type(frame, variable, type_, site, loop_target)
        if not variable.in_cell and _needs_cell(frame, variable, site, loop_target):
            variable.in_cell = True
            frame.again(f"{name} is assigned more than once")
        if variable.in_cell:
            set_cells(frame, variable, value, site)
        else:
            variable.value = value
            variable.region = frame.regions[-1]
    variable.sites[id(site)] = loop_target
    if frame.assigned is not None:
        frame.assigned.add(name)


def _needs_cell(frame: Frame, variable: Variable, site: ast.AST, loop_target: bool) -> bool:
    others = [loop for other, loop in variable.sites.items() if other != id(site)]
    if others and not (loop_target and all(others)):
        return True
    # The same place again, from an unrolled loop: a nested block must not hide the outer value.
    nested = variable.region != frame.regions[-1] and variable.region in frame.regions
    return variable.value is not None and nested


def _meet_type(
    frame: Frame, variable: Variable, type_: Type, site: ast.AST, loop_target: bool
) -> None:
    """One type for all assignments; a loop's target may be another one in another loop."""
    if variable.type is None:
        if variable.value is not None and variable.first is not None:
            raise _clash(frame, variable, describe(variable.value), str(type_), site)
        variable.type, variable.first = type_, site
        return
    joined = join_types(variable.type, type_)
    if joined is None:
        if loop_target and not variable.in_cell:
            variable.type, variable.first = type_, site
            return
        raise _clash(frame, variable, str(variable.type), str(type_), site)
    if joined != variable.type:
        variable.type = joined
        if variable.in_cell and (variable.read or not frame.emit.dry):
            frame.again(f"{variable.name} changed its type")


def _clash(frame: Frame, variable: Variable, one: str, other: str, site: ast.AST) -> Exception:
    assert variable.first is not None, "it has a type from somewhere"
    return frame.refuse(
        site,
        f"variable {variable.name} is {one} at line {frame.line_of(variable.first)} "
        f"and {other} here; a variable has one type",
        hint="use two names, cast one of the values, or start with a literal of the right kind "
        "(0.0 rather than 0)",
    )


def _bind_static(frame: Frame, variable: Variable, value: Value, site: ast.AST) -> None:
    """Arrays, functions and the like: one value at a time, rebound only in straight-line code."""
    if variable.type is not None:
        raise _clash(frame, variable, str(variable.type), describe(value), site)
    if variable.region in frame.regions and _is_same(variable.value, value):
        return
    known = variable.value is not None and any(other != id(site) for other in variable.sites)
    if known and variable.region != frame.regions[-1] and variable.region in frame.regions:
        assert variable.first is not None, "assigned before"
        raise frame.refuse(
            site,
            f"variable {variable.name} would be {describe(value)} or what line "
            f"{frame.line_of(variable.first)} made it, depending on the path taken",
            hint="derive the enumeration from enum.IntEnum: its members are numbers"
            if isinstance(value, Static) and isinstance(value.value, enum.Enum)
            else "arrays and functions cannot be chosen at run time: "
            "call a function in each branch, or make one array of both, with an axis more",
        )
    variable.first = variable.first or site
    variable.value = value
    variable.region = frame.regions[-1]


def _is_same(one: Value | None, other: Value) -> bool:
    static = isinstance(one, Static) and isinstance(other, Static) and one.value is other.value
    return one is other or static


def read(frame: Frame, name: str, node: ast.AST) -> Value:
    """The value of a local variable."""
    variable = frame.variable(name)
    if frame.assigned is not None and name not in frame.assigned:
        raise _unassigned(frame, variable, node)
    if variable.in_cell:
        variable.read = True
        return _get_cells(frame, variable)
    value = variable.value
    assert value is not None, "an assigned variable has a value"
    if variable.region in frame.regions or isinstance(value, Static):
        return value
    if type_of(value) is not None:
        variable.in_cell = True
        frame.again(f"{name} is read after the block that assigns it")
        variable.read = True
        return value
    raise frame.refuse(
        node,
        f"{name} ({describe(value)}) was made inside a branch or loop and is used after it",
        hint="make it before the branch or loop",
    )


def _unassigned(frame: Frame, variable: Variable, node: ast.AST) -> Exception:
    if not variable.sites:
        message = f"variable {variable.name} is read before it is assigned"
    else:
        message = f"variable {variable.name} is not assigned on every path to here"
    return frame.refuse(
        node, message, hint=f"give {variable.name} a value before the branch or loop"
    )


def set_cells(frame: Frame, variable: Variable, value: Value, site: ast.AST) -> None:
    """Store a value to the cells of its variable."""
    assert variable.type is not None, "a variable in cells has a type"
    type_ = variable.type if not frame.emit.dry else settle_type(variable.type)
    value = store_value(frame, site, value, type_, f"variable {variable.name}")
    if variable.cells is None:
        variable.cells = [
            frame.emit.cell(leaf.dtype, "_".join(map(str, (variable.name, *leaf.path))))
            for leaf in leaves(type_)
        ]
    for cell, scalar in zip(variable.cells, flatten(value), strict=True):
        frame.emit.set(scalar.ssa, cell)


def _get_cells(frame: Frame, variable: Variable) -> Value:
    type_ = variable.type
    assert type_ is not None, "a variable in cells has a type"
    if frame.emit.dry:
        return rebuild(type_, [_unknown(leaf) for leaf in leaves(type_)], variable.owner)
    if variable.cells is None:
        variable.cells = [frame.emit.cell(leaf.dtype, variable.name) for leaf in leaves(type_)]
    scalars = [
        Scalar(leaf.dtype, frame.emit.get(cell, leaf.dtype))
        for cell, leaf in zip(variable.cells, leaves(type_), strict=True)
    ]
    return rebuild(type_, scalars, variable.owner)


def _unknown(leaf: Leaf) -> Value:
    from .emitter import NOTHING

    if leaf.dtype in WEAK:
        return Weak(leaf.dtype, (), lambda tests, dtype: NOTHING)
    return Scalar(leaf.dtype, NOTHING)


def flatten(value: Value) -> list[Scalar]:
    """The scalars of a stored value, in the order of `types.leaves`."""
    if isinstance(value, TupleValue):
        return [scalar for item in value.items for scalar in flatten(item)]
    if isinstance(value, StructValue):
        return [scalar for item in value.fields.values() for scalar in flatten(item)]
    assert isinstance(value, Scalar), "stored values are scalars"
    return [value]


def rebuild(type_: Type, scalars: Iterable[Value], owner: str = "") -> Value:
    """A value of a type from its scalars, in order; `owner` as in `StructValue`."""
    iterator = iter(scalars)
    if isinstance(type_, DType):
        return next(iterator)
    if isinstance(type_, TupleType):
        return TupleValue(tuple(rebuild(item, iterator, owner) for item in type_.items))
    assert isinstance(type_, StructType), "arrays are not stored in cells"
    fields = {field.name: rebuild(field.type, iterator, owner) for field in type_.fields}
    return StructValue(type_, fields, owner)
