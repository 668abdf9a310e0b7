"""`sw.target`: which machine a kernel is compiled for, as a constant of the compilation."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .functions import Function
from .typing_of import describe
from .values import Static, Value
from .vendor import Target

if TYPE_CHECKING:
    from .frame import Frame


@dataclass(frozen=True)
class Machine:
    """A target's name, and its architecture where it has one: "cuda", "sm_90a"."""

    name: str
    arch: str = ""

    @property
    def sm(self) -> int:
        """The number of an NVIDIA architecture, else 0."""
        found = re.fullmatch(r"sm_(\d+)[a-z]?", self.arch)
        return int(found[1]) if found is not None else 0


CPU = Machine("cpu")
_NUMBERS = (75, 80, 86, 87, 89, 90, 100, 101, 103, 120, 121)
_SUFFIXED = ("90a", "100a", "101a", "103a", "120a", "121a")
MACHINES = (
    CPU,
    *(Machine("cuda", f"sm_{number}") for number in _NUMBERS),
    *(Machine("cuda", f"sm_{name}") for name in _SUFFIXED),
)
"""Machines under which an arm is checked that this one does not take: the first that would."""


def target_attribute(frame: Frame, node: ast.Attribute, name: str) -> Value:
    """`sw.target.name`, `sw.target.nvidia` and the like."""
    frame.unit.machine_asked += 1
    machine = frame.unit.machine
    if name in ("name", "arch"):
        return Static(machine.name if name == "name" else machine.arch)
    if name in QUESTIONS:
        return Static(getattr(Target, name))
    raise frame.refuse(
        node,
        f"sw.target has no attribute {name}",
        hint=f"there are name, arch, {', '.join(f'{known}()' for known in QUESTIONS)}",
    )


def _nvidia(frame: Frame, node: ast.AST, sm: Value | None = None) -> Value:
    machine = frame.unit.machine
    asked = sm.value if isinstance(sm, Static) else None
    if sm is None or (isinstance(sm, Static) and asked is None):
        return Static(machine.name == "cuda")
    if isinstance(asked, str) and asked in _SUFFIXED:
        return Static(machine == Machine("cuda", f"sm_{asked}"))
    if not isinstance(asked, int) or isinstance(asked, bool):
        what = describe(sm)
        raise frame.refuse(
            node,
            f"sm is {what}, expected a constant such as 90 or one of {', '.join(_SUFFIXED)}",
            hint='write sw.target.nvidia(sm=90), or sm="90a" for what only that chip has',
        )
    if asked not in _NUMBERS:
        known = ", ".join(map(str, _NUMBERS))
        raise frame.refuse(node, f"there is no architecture sm_{asked} here; known are {known}")
    return Static(machine.name == "cuda" and machine.sm >= asked)


def _cpu(frame: Frame, node: ast.AST) -> Value:
    return Static(frame.unit.machine.name == "cpu")


QUESTIONS: dict[str, Function] = {
    "nvidia": Function("sw.target.nvidia", _nvidia, ("sm",), ("sm",)),
    "cpu": Function("sw.target.cpu", _cpu),
}
"""The methods of `sw.target`."""
