"""Attributes that are one word in angle brackets, as upstream's enumerations are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.ir import Data

if TYPE_CHECKING:
    from xdsl.parser import AttrParser
    from xdsl.printer import Printer


class KeywordAttr(Data[str]):
    """One word in angle brackets."""

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> str:
        with parser.in_angle_brackets():
            return parser.parse_identifier()

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")
