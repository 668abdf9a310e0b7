"""Attributes of the nvvm dialect, with upstream's names: keywords in angle brackets, and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.ir import Attribute, Data
from xdsl.irdl import irdl_attr_definition

from ..keyword_attribute import KeywordAttr

if TYPE_CHECKING:
    from xdsl.parser import AttrParser
    from xdsl.printer import Printer


@irdl_attr_definition
class LayoutAttr(KeywordAttr):
    """`#nvvm.mma_layout<row>`: row or col."""

    name = "nvvm.mma_layout"


@irdl_attr_definition
class MmaTypeAttr(KeywordAttr):
    """`#nvvm.mma_type<bf16>`: the type of a matrix's elements, where registers do not show it."""

    name = "nvvm.mma_type"


@irdl_attr_definition
class OverflowAttr(KeywordAttr):
    """`#nvvm.mma_int_overflow<satfinite>`: what integer sums do."""

    name = "nvvm.mma_int_overflow"


@irdl_attr_definition
class ProxyAttr(KeywordAttr):
    """`#nvvm.proxy_kind<async.shared>`: the other way to memory."""

    name = "nvvm.proxy_kind"


@irdl_attr_definition
class ReductionAttr(KeywordAttr):
    """`#nvvm.tma_redux_kind<add>`: how arriving elements are combined with what is there."""

    name = "nvvm.tma_redux_kind"


@irdl_attr_definition
class SharedSpaceAttr(KeywordAttr):
    """`#nvvm.shared_space<cta>`: shared memory of the block or the cluster."""

    name = "nvvm.shared_space"


@irdl_attr_definition
class ShapeAttr(Data[tuple[int, int, int]]):
    """`#nvvm.shape<m = 16, n = 8, k = 16>`."""

    name = "nvvm.shape"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[int, int, int]:
        def part(name: str) -> int:
            parser.parse_keyword(name)
            parser.parse_punctuation("=")
            return parser.parse_integer()

        with parser.in_angle_brackets():
            m = part("m")
            parser.parse_punctuation(",")
            n = part("n")
            parser.parse_punctuation(",")
            return m, n, part("k")

    def print_parameter(self, printer: Printer) -> None:
        m, n, k = self.data
        printer.print_string(f"<m = {m}, n = {n}, k = {k}>")

    @property
    def text(self) -> str:
        """As instructions write it: `m16n8k16`."""
        m, n, k = self.data
        return f"m{m}n{n}k{k}"


ATTRIBUTES: Sequence[type[Attribute]] = (
    *(LayoutAttr, MmaTypeAttr, OverflowAttr, ProxyAttr, ReductionAttr, SharedSpaceAttr, ShapeAttr),
)
