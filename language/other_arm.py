"""The arm of `if sw.target.nvidia():` that this device does not take: checked, not compiled.

It is walked dry, as for the first machine under which it would be taken, and what the walk found
out about the function is forgotten: types of variables, what is written, breaks and returns.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .conditions import condition
from .emitter import Emitter
from .machines import MACHINES
from .values import Static
from .variables import Plan

if TYPE_CHECKING:
    from .frame import Frame

_MOST_WALKS = 50


def check_other_arm(frame: Frame, test: ast.expr, wanted: bool, walk: Callable[[], object]) -> None:
    """Walk the arm for which `test` is `wanted`, so that its errors are reported here too."""
    unit = frame.unit
    own, asked = unit.machine, unit.machine_asked
    try:
        for machine in MACHINES:
            unit.machine = machine
            with _dry(frame):
                found = condition(frame, test)
            if not isinstance(found, Static) or bool(found.value) is wanted:
                _walk_dry(frame, walk)
                break
    finally:
        unit.machine, unit.machine_asked = own, asked + 1


def _walk_dry(frame: Frame, walk: Callable[[], object]) -> None:
    """Walk until the types of variables hold still; the arm may have loops."""
    types: Plan | None = None
    for _ in range(_MOST_WALKS):
        with _dry(frame):
            if types is not None:
                _take_types(frame.plan, types)
            walk()
            types = frame.plan
        if not types.dirty:
            return


def _take_types(plan: Plan, found: Plan) -> None:
    plan.returns, plan.return_site = found.returns, found.return_site
    for name, variable in plan.variables.items():
        other = found.variables[name]
        variable.in_cell, variable.declared = other.in_cell, other.declared
        variable.type, variable.first = other.type, other.first


@contextmanager
def _dry(frame: Frame) -> Generator[None]:
    """Inside the `with` nothing is emitted; after it the frame is as before."""
    unit = frame.unit
    emit, plan, returned = frame.emit, frame.plan, frame.returned
    assigned = None if frame.assigned is None else set(frame.assigned)
    axes = unit.axes_used
    written = [(root, root.written) for root in frame.roots]
    loops = [(loop, list(loop.breaks), list(loop.continues), loop.flag) for loop in frame.loops]
    frame.emit = Emitter(True, unit.fastmath, lambda: frame.location_at(frame.node))
    frame.plan = _copied(plan)
    try:
        yield
    finally:
        frame.emit, frame.plan, frame.returned = emit, plan, returned
        frame.assigned, unit.axes_used = assigned, axes
        del frame.roots[len(written) :]
        for root, before in written:
            root.written = before
        for loop, breaks, continues, flag in loops:
            loop.breaks, loop.continues, loop.flag = breaks, continues, flag


def _copied(plan: Plan) -> Plan:
    made = copy.copy(plan)
    made.dirty = False
    made.variables = {name: copy.copy(variable) for name, variable in plan.variables.items()}
    for variable in made.variables.values():
        variable.sites = dict(variable.sites)
        variable.changed_in = list(variable.changed_in)
    return made
