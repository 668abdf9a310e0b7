"""What a name means that is no local variable: closure, globals, builtins, in Python's order."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field
from typing import Any

from .fingerprint import UNFINDABLE
from .values import Origin, Static, Value


@dataclass(frozen=True)
class Scope:
    """The surroundings of a function: how it was found, and values of enclosing locals."""

    function: Any  # a FunctionType, which a checker would take for a method of this class
    origin: Origin | None = ()
    enclosing: dict[str, Value] = field(default_factory=dict[str, Value])

    def find(self, name: str) -> Value | None:
        """The constant that a name stands for, with where it comes from."""
        if name in self.enclosing:
            return self.enclosing[name]
        code = self.function.__code__
        if name in code.co_freevars and self.function.__closure__ is not None:
            try:
                found: Any = self.function.__closure__[code.co_freevars.index(name)].cell_contents
            except ValueError:  # not assigned yet in the enclosing function
                return None
            return Static(found, self._step("closure", name))
        if name in self.function.__globals__:
            return Static(self.function.__globals__[name], self._step("global", name))
        if hasattr(builtins, name):
            return Static(getattr(builtins, name), (("module", "builtins"), ("attr", name)))
        return None

    def names(self) -> set[str]:
        """Names that could have been meant, for the hint of an unknown one."""
        return {*self.enclosing, *self.function.__globals__, *dir(builtins)}

    def _step(self, kind: str, name: str) -> Origin:
        return UNFINDABLE if self.origin is None else (*self.origin, (kind, name))


def attribute_origin(origin: Origin | None, name: str) -> Origin | None:
    """The origin of an attribute of something."""
    return None if origin is None else (*origin, ("attr", name))
