"""Attributes of gpu's ops: address spaces, dimensions, how lanes exchange and combine values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import (
    SpacedOpaqueSyntaxAttribute,
)
from xdsl.irdl import (
    irdl_attr_definition,
)
from xdsl.utils.str_enum import StrEnum

if TYPE_CHECKING:
    from xdsl.parser import AttrParser
    from xdsl.printer import Printer


class AddressSpace(StrEnum):
    """Where a memref's bytes live: of the device, of a block, of a thread."""

    Global = "global"
    Workgroup = "workgroup"
    Private = "private"


class Dimension(StrEnum):
    """One of a grid's three dimensions; x changes fastest from lane to lane."""

    X = "x"
    Y = "y"
    Z = "z"


class ShuffleMode(StrEnum):
    """How a shuffle finds the lane it reads from."""

    Xor = "xor"
    Up = "up"
    Down = "down"
    Idx = "idx"


class ReduceKind(StrEnum):
    """Upstream's reduction operations."""

    Add = "add"
    Mul = "mul"
    MinUI = "minui"
    MinSI = "minsi"
    MinNumF = "minnumf"
    MaxUI = "maxui"
    MaxSI = "maxsi"
    MaxNumF = "maxnumf"
    And = "and"
    Or = "or"
    Xor = "xor"
    MinimumF = "minimumf"
    MaximumF = "maximumf"


@irdl_attr_definition
class AddressSpaceAttr(EnumAttribute[AddressSpace]):
    """`#gpu.address_space<global>`."""

    name = "gpu.address_space"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> AddressSpace:
        with parser.in_angle_brackets():
            return parser.parse_str_enum(AddressSpace)

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.data.value)


@irdl_attr_definition
class DimensionAttr(EnumAttribute[Dimension], SpacedOpaqueSyntaxAttribute):
    """`#gpu<dim x>`."""

    name = "gpu.dim"


@irdl_attr_definition
class ShuffleModeAttr(EnumAttribute[ShuffleMode], SpacedOpaqueSyntaxAttribute):
    """`#gpu<shuffle_mode xor>`."""

    name = "gpu.shuffle_mode"


@irdl_attr_definition
class ReduceKindAttr(EnumAttribute[ReduceKind], SpacedOpaqueSyntaxAttribute):
    """`#gpu<all_reduce_op add>`."""

    name = "gpu.all_reduce_op"


GLOBAL = AddressSpaceAttr(AddressSpace.Global)
WORKGROUP = AddressSpaceAttr(AddressSpace.Workgroup)
PRIVATE = AddressSpaceAttr(AddressSpace.Private)
DIMENSIONS = tuple(DimensionAttr(dimension) for dimension in Dimension)
