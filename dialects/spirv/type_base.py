"""What types of the spirv dialect share: the frame of their text, and what they may hold."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from xdsl.dialects.builtin import IntAttr, StringAttr
from xdsl.ir import Attribute, ParametrizedAttribute, TypeAttribute
from xdsl.utils.exceptions import VerifyException

from .grammar import enumeration
from .kinds import is_value, is_vector

if TYPE_CHECKING:
    from xdsl.parser import AttrParser
    from xdsl.printer import Printer


class SpirvType(ParametrizedAttribute, TypeAttribute):
    """A type whose text is `!spirv.name<…>`."""

    @abstractmethod
    def print_inside(self, printer: Printer) -> None:
        """Print what stands between the brackets."""

    @classmethod
    @abstractmethod
    def parse_inside(cls, parser: AttrParser) -> Self:
        """The type, of what stands between the brackets."""

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            self.print_inside(printer)

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        start = parser.pos
        with parser.in_angle_brackets():
            try:
                return cls.parse_inside(parser).parameters
            except VerifyException as error:
                parser.raise_error(str(error), start)


def is_spirv_type(kind: Attribute) -> bool:
    """Whether values of the dialect can have it."""
    return is_value(kind) or isinstance(kind, SpirvType)


def check_component(kind: Attribute) -> None:
    """Raises VerifyException for what SPIR-V cannot make types of."""
    if is_spirv_type(kind):
        return
    if is_vector(kind):
        raise VerifyException(
            f"expected a vector of 2, 3, 4, 8 or 16 numbers or booleans, got {kind}"
        )
    raise VerifyException(f"cannot use {kind} to compose SPIR-V types")


def check_name(kind: str, name: str) -> None:
    """Raises VerifyException for a name that an enumeration of SPIR-V does not have."""
    if name not in enumeration(kind).by_name:
        raise VerifyException(f"{name!r} is not a {kind} of SPIR-V")


def int_attribute(value: int | IntAttr) -> IntAttr:
    """A number as types hold it."""
    return IntAttr(value) if isinstance(value, int) else value


def text_attribute(value: str | StringAttr) -> StringAttr:
    """A name as types hold it."""
    return StringAttr(value) if isinstance(value, str) else value
