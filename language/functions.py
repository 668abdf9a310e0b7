"""Functions that have a meaning in kernels: what a row of their tables says."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
