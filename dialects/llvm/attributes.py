"""Attributes of the llvm dialect: keywords and flags in angle brackets, hints for loops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.ir import Attribute, Data
from xdsl.irdl import irdl_attr_definition

from ..keyword_attribute import KeywordAttr

if TYPE_CHECKING:
    from xdsl.parser import AttrParser
    from xdsl.printer import Printer

LINKAGES = (
    *("private", "internal", "available_externally", "linkonce", "weak", "common", "appending"),
    *("extern_weak", "linkonce_odr", "weak_odr", "external"),
)
CALLING_CONVENTIONS = (
    *("ccc", "fastcc", "coldcc", "preserve_mostcc", "preserve_allcc", "tailcc", "swiftcc"),
    *("ptx_kernelcc", "ptx_devicecc", "amdgpu_kernelcc", "spir_kernelcc", "spir_funccc"),
    *("amdgpu_cs_chaincc", "aarch64_vectorcallcc"),
)
FAST_MATH_FLAGS = ("nnan", "ninf", "nsz", "arcp", "contract", "afn", "reassoc")


@irdl_attr_definition
class LinkageAttr(KeywordAttr):
    """`#llvm.linkage<internal>`: one of `LINKAGES`."""

    name = "llvm.linkage"


@irdl_attr_definition
class CConvAttr(KeywordAttr):
    """`#llvm.cconv<fastcc>`: one of `CALLING_CONVENTIONS`."""

    name = "llvm.cconv"


@irdl_attr_definition
class TailCallKindAttr(KeywordAttr):
    """`#llvm.tailcallkind<none>`."""

    name = "llvm.tailcallkind"


class _FlagsAttr(Data[tuple[str, ...]]):
    """A set of keywords in angle brackets."""

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[str, ...]:
        words = parser.parse_comma_separated_list(
            parser.Delimiter.ANGLE, parser.parse_identifier, " in flags"
        )
        return cls.normalise(words)

    @classmethod
    def normalise(cls, words: Sequence[str]) -> tuple[str, ...]:
        """The flags that the words stand for."""
        return tuple(word for word in words if word != "none")

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{', '.join(self.data) or 'none'}>")


@irdl_attr_definition
class FastMathAttr(_FlagsAttr):
    """`#llvm.fastmath<nnan, contract>`; `fast` stands for all of `FAST_MATH_FLAGS`."""

    name = "llvm.fastmath"

    @classmethod
    def normalise(cls, words: Sequence[str]) -> tuple[str, ...]:
        if "fast" in words:
            return FAST_MATH_FLAGS
        return tuple(flag for flag in FAST_MATH_FLAGS if flag in words)

    def print_parameter(self, printer: Printer) -> None:
        if self.data == FAST_MATH_FLAGS:
            printer.print_string("<fast>")
        else:
            super().print_parameter(printer)


@irdl_attr_definition
class OverflowAttr(_FlagsAttr):
    """`#llvm.overflow<nsw, nuw>`: wrapping in that sense makes the result poison."""

    name = "llvm.overflow"


NO_SIGNED_WRAP: dict[str, Attribute] = {"overflowFlags": OverflowAttr(("nsw",))}
NO_WRAP: dict[str, Attribute] = {"overflowFlags": OverflowAttr(("nsw", "nuw"))}
"""The flags of an integer op that wraps neither as signed nor as unsigned numbers."""


@irdl_attr_definition
class LoopAnnotationAttr(Data[str]):
    """`#llvm.loop_annotation<…>`: hints for the loop that the branch closes, kept as text."""

    name = "llvm.loop_annotation"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> str:
        parts: list[str] = []

        def entry() -> None:
            key = parser.parse_identifier()
            parser.parse_punctuation("=")
            value = "true" if parser.parse_boolean() else "false"
            parts.append(f"{key} = {value}")

        parser.parse_comma_separated_list(parser.Delimiter.ANGLE, entry)
        return ", ".join(parts)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")


ATTRIBUTES: list[type[Attribute]] = [
    *(LinkageAttr, CConvAttr, TailCallKindAttr, FastMathAttr, OverflowAttr, LoopAnnotationAttr),
]
