"""The state of compiling one function: where ops go, what names mean, what has been assigned."""

from __future__ import annotations

import ast
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from xdsl.dialects.builtin import FileLineColLoc, IntAttr, LocationAttr, NameLoc, StringAttr
from xdsl.ir import Block

from ..dialects.diagnostics import CompileError
from .emitter import Emitter
from .source import Source
from .values import RecordView, Root, TensorMapValue, Value, View
from .variables import Plan, Variable

if TYPE_CHECKING:
    from .scope import Scope
    from .unit import Specialisation, Unit


class RestartError(Exception):
    """A variable turned out to need another type or a cell: walk the function again."""


@dataclass(eq=False)
class Loop:
    """A loop that is being compiled: the assigned names where it is left by `break`."""

    breaks: list[set[str]] = field(default_factory=list[set[str]])
    continues: list[set[str]] = field(default_factory=list[set[str]])
    flag: Any = None
    """The cell that says `break` was met, for an unrolled loop that also has `continue`."""


ExpressionTable = dict[type[ast.expr], Callable[["Frame", Any], Value]]
StatementTable = dict[type[ast.stmt], Callable[["Frame", Any], None]]


class Frame:
    """One walk over one function. Handlers of syntax get it as their first argument."""

    expressions: ClassVar[ExpressionTable] = {}
    statements: ClassVar[StatementTable] = {}

    def __init__(
        self,
        unit: Unit,
        source: Source,
        scope: Scope,
        plan: Plan,
        *,
        dry: bool,
        is_kernel: bool,
    ):
        self.unit = unit
        self.source = source
        self.scope = scope
        self.plan = plan
        self.emit = Emitter(dry, unit.fastmath, lambda: self.location_at(self.node))
        self.node: ast.AST = source.node
        self.is_kernel = is_kernel
        self.assigned: set[str] | None = set()
        """Names that have a value on every path to here; None where no path leads."""
        self.loops: list[Loop] = []
        self.regions: list[int] = [0]
        self.callees: list[Specialisation] = []
        self.roots: list[Root] = []
        self.returned: Value | None = None
        """What the last return gave back."""
        self._region_count = 0
        self._locations: dict[tuple[int, int], LocationAttr] = {}
        plan.start()

    # Places

    def location_at(self, node: ast.AST) -> LocationAttr:
        """The place of a node as an attribute."""
        key: tuple[int, int] = (node.lineno, node.col_offset)  # pyright: ignore
        found = self._locations.get(key)
        if found is None:
            place = self.source.locate(node)
            found = FileLineColLoc(
                StringAttr(place.file), IntAttr(place.line), IntAttr(place.column)
            )
            if not self.is_kernel:  # reports name the function, also after inlining
                found = NameLoc(StringAttr(self.source.name), found)
            self._locations[key] = found
        return found

    def refuse(self, node: ast.AST, message: str, *, hint: str | None = None) -> CompileError:
        """An error at a node of the function, to be raised."""
        return CompileError(message, self.source.locate(node), hint=hint)

    def line_of(self, node: ast.AST) -> int:
        """The line of a node."""
        return self.source.locate(node).line

    def text_of(self, node: ast.AST) -> str:
        """A node as source text."""
        return ast.unparse(node)

    # Walking

    def eval(self, node: ast.expr) -> Value:
        """The value of an expression; ops that it needs go to the current block."""
        handler = self.expressions.get(type(node))
        if handler is None:
            from .refusals import refuse_expression

            raise refuse_expression(self, node)
        outer, self.node = self.node, node
        value = handler(self, node)
        self.node = outer
        return value

    def run(self, statements: Sequence[ast.stmt]) -> None:
        """Statements in order; those after a return, break or continue are unreachable."""
        for statement in statements:
            if self.assigned is None:
                return
            handler = self.statements.get(type(statement))
            if handler is None:
                from .refusals import refuse_statement

                raise refuse_statement(self, statement)
            outer, self.node = self.node, statement
            handler(self, statement)
            self.node = outer

    @contextmanager
    def at(self, node: ast.AST) -> Generator[None]:
        """Ops emitted inside the `with` come from `node`."""
        outer, self.node = self.node, node
        yield
        self.node = outer

    @contextmanager
    def region(self, arguments: Sequence[Any] = ()) -> Generator[Block]:
        """A nested block; values made in it cannot be used after it."""
        self._region_count += 1
        self.regions.append(self._region_count)
        try:
            with self.emit.region(arguments) as block:
                yield block
        finally:
            self.regions.pop()

    # Variables

    def variable(self, name: str) -> Variable:
        """The record of a local variable."""
        return self.plan.variables[name]

    def again(self, reason: str) -> None:
        """The plan changed: a dry walk goes on and is repeated, a real one starts over now."""
        self.plan.dirty = True
        if not self.emit.dry:
            raise RestartError(reason)

    def mark_written(self, view: View | RecordView | TensorMapValue) -> None:
        """Remember that the array behind a view is stored to."""
        for leaf in view.leaves if isinstance(view, RecordView) else (view,):
            leaf.root.written = True


def merge(states: Sequence[set[str] | None]) -> set[str] | None:
    """The names that have a value on all of several paths; None if there is no path."""
    live = [state for state in states if state is not None]
    return set[str].intersection(*live) if live else None
