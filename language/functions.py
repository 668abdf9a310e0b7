"""Functions that have a meaning in kernels: rows of tables, found by the Python object called."""

from __future__ import annotations

import ast
import builtins
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from . import extension, intrinsics, matrix, nvidia, vendor
from .values import Static, Value

if TYPE_CHECKING:
    from .frame import Frame

Handler = Callable[..., Value]


@dataclass(frozen=True)
class Function:
    """One row: how to compile a call, how many arguments it takes, which by keyword.

    `positional` are the names of the parameters in order; those in `optional` may be left out, and
    `many` allows any number of positional ones. `folds`: constants give Python's own result.
    """

    name: str
    handler: Handler
    positional: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    many: bool = False
    folds: Callable[..., Any] | None = None

    def call(
        self, frame: Frame, node: ast.AST, arguments: list[Value], keywords: dict[str, Value]
    ) -> Value:
        """Compile one call."""
        if self.many:
            unknown = [name for name in keywords if name not in self.optional]
            if unknown:
                raise frame.refuse(node, f"{self.name} has no parameter {unknown[0]}")
        else:
            arguments, keywords = self._bind(frame, node, arguments, keywords)
        values = [*arguments, *keywords.values()]
        if self.folds is not None and values and all(_is_number(value) for value in values):
            return _fold(frame, node, self.folds, values)
        return self.handler(frame, node, *arguments, **keywords)

    def _bind(
        self, frame: Frame, node: ast.AST, arguments: list[Value], keywords: dict[str, Value]
    ) -> tuple[list[Value], dict[str, Value]]:
        least = len(self.positional) - len([n for n in self.positional if n in self.optional])
        if not least <= len(arguments) + sum(n in self.positional for n in keywords):
            raise frame.refuse(node, f"{self.name} takes {self._shape()}, got {len(arguments)}")
        if len(arguments) > len(self.positional):
            raise frame.refuse(node, f"{self.name} takes {self._shape()}, got {len(arguments)}")
        bound = dict(zip(self.positional, arguments, strict=False))
        for name, value in keywords.items():
            if name not in self.positional and name not in self.optional:
                raise frame.refuse(node, f"{self.name} has no parameter {name}")
            if name in bound:
                raise frame.refuse(node, f"{self.name} got two values for {name}")
            bound[name] = value
        first: list[Value] = []
        for name in self.positional:
            if name not in bound:
                break
            first.append(bound.pop(name))
        return first, bound

    def _shape(self) -> str:
        if not self.positional:
            return "no arguments"
        required = [name for name in self.positional if name not in self.optional]
        extra = len(self.positional) - len(required)
        count = str(len(required)) + (f" to {len(self.positional)}" if extra else "")
        return f"{count} argument{'s' if count != '1' else ''} ({', '.join(self.positional)})"


def _is_number(value: Value) -> bool:
    return isinstance(value, Static) and type(value.value) in (bool, int, float)


def _fold(frame: Frame, node: ast.AST, function: Callable[..., Any], values: list[Value]) -> Value:
    try:
        found = function(*(value.value for value in values if isinstance(value, Static)))
    except (ArithmeticError, ValueError, TypeError) as error:
        raise frame.refuse(node, f"constant expression: {error}") from None
    from .constants import lift

    return lift(found)


@cache
def _tables() -> dict[int, tuple[object, Function]]:
    """By identity: not everything that can be called can be hashed."""
    from .builtin_functions import BUILTINS
    from .intrinsic_functions import INTRINSICS
    from .machines import QUESTIONS
    from .math_functions import MATH

    found: dict[int, tuple[object, Function]] = {}
    tables: tuple[tuple[object, dict[str, Function]], ...] = (
        *((builtins, BUILTINS), (intrinsics, INTRINSICS), (math, MATH)),
        (vendor.Target, QUESTIONS),
    )
    for holder, table in tables:
        for name, function in table.items():
            target = getattr(holder, name, None)
            if target is not None:  # a function of a newer Python
                found[id(target)] = (target, function)
    return found


def _vendor_function(target: Any) -> Function | None:
    """Rows that few kernels need."""
    from .nvidia_functions import NVIDIA, VENDOR

    table = VENDOR if target is vendor.inline_ptx else NVIDIA
    return table.get(target.__name__)


def _module_of(target: Any) -> str:
    name = getattr(target, "__module__", None)
    return name if isinstance(name, str) else ""


def find_function(target: Any) -> Function | None:
    """The row for a Python object, if it has one."""
    row = _tables().get(id(target))
    if row is not None:
        return row[1]
    if _module_of(target) == matrix.__name__:
        from .matrix_functions import MATRIX

        return MATRIX.get(target.__name__)
    if target is vendor.inline_ptx or _module_of(target).startswith(f"{nvidia.__name__}."):
        return _vendor_function(target)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        from .numpy_functions import NUMPY

        name = getattr(target, "__name__", None)
        if isinstance(target, numpy.ufunc) or getattr(numpy, str(name), None) is target:
            return NUMPY.get(str(name))
    found = extension.find_intrinsic(target)
    if found is not None:
        return found
    from dataclasses import replace

    from . import struct_operators

    if target is replace or target is struct_operators.REPLACE_METHOD:
        return struct_operators.REPLACE
    return None
