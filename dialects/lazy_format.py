"""Declarative assembly formats that cost nothing until an op is parsed or printed.

xDSL builds the format of an op when its class is defined, about 0.3 ms each; a launch that only
compiles never prints, so `@op_with_format("…")` builds it at the first use instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from xdsl.irdl import IRDLOperation, irdl_op_definition

if TYPE_CHECKING:
    from xdsl.irdl.declarative_assembly_format import FormatProgram
    from xdsl.parser import Parser
    from xdsl.printer import Printer

OpT = TypeVar("OpT", bound=IRDLOperation)


def op_with_format(text: str) -> Callable[[type[OpT]], type[OpT]]:
    """Define the decorated class as an op whose custom syntax is the declarative format `text`."""

    def define(cls: type[OpT]) -> type[OpT]:
        cls = irdl_op_definition(cls)

        @cache
        def program() -> FormatProgram:
            from xdsl.irdl.declarative_assembly_format import FormatProgram

            return FormatProgram.from_str(text, cls.get_irdl_definition())

        def parse(cls: type[OpT], parser: Parser) -> OpT:
            return program().parse(parser, cls)

        def print_op(self: OpT, printer: Printer) -> None:
            program().print(printer, self)

        setattr(cls, "parse", classmethod(parse))  # noqa: B010
        setattr(cls, "print", print_op)  # noqa: B010
        return cls

    return define
