"""Structs of the spirv dialect: members with offsets in bytes and decorations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Self

from xdsl.dialects.builtin import ArrayAttr, IntAttr, NoneAttr, StringAttr
from xdsl.ir import Attribute
from xdsl.irdl import irdl_attr_definition
from xdsl.utils.exceptions import VerifyException

from .type_base import SpirvType, check_component, check_name, text_attribute

if TYPE_CHECKING:
    from xdsl.parser import AttrParser
    from xdsl.printer import Printer


@irdl_attr_definition
class StructType(SpirvType):
    """`!spirv.struct<name, (f32 [0, NonWritable], i32 [4]), Block>`.

    The brackets hold the member's offset and decorations ("MatrixStride=16"). A struct that a
    variable in a StorageBuffer, Uniform or PushConstant points at is a Block without saying so; the
    words at the end are upstream's of LLVM 21. Inside itself a struct is `!spirv.struct<name>`.
    """

    name = "spirv.struct"
    members: ArrayAttr[Attribute] | NoneAttr
    offsets: ArrayAttr[IntAttr]
    member_decorations: ArrayAttr[ArrayAttr[StringAttr]]
    identifier: StringAttr
    decorations: ArrayAttr[StringAttr]

    def __init__(
        self,
        members: Sequence[Attribute] | ArrayAttr[Attribute] | NoneAttr,
        offsets: Iterable[int] | ArrayAttr[IntAttr] = (),
        member_decorations: Iterable[Iterable[str]] | ArrayAttr[ArrayAttr[StringAttr]] = (),
        identifier: str | StringAttr = "",
        decorations: Iterable[str] | ArrayAttr[StringAttr] = (),
    ):
        if not isinstance(members, (ArrayAttr, NoneAttr)):
            members = ArrayAttr(members)
        if not isinstance(offsets, ArrayAttr):
            offsets = ArrayAttr(map(IntAttr, offsets))
        if not isinstance(member_decorations, ArrayAttr):
            member_decorations = ArrayAttr(
                ArrayAttr(map(StringAttr, d)) for d in member_decorations
            )
        if not isinstance(decorations, ArrayAttr):
            decorations = ArrayAttr(map(StringAttr, decorations))
        name = text_attribute(identifier)
        super().__init__(members, offsets, member_decorations, name, decorations)

    @classmethod
    def reference(cls, identifier: str) -> Self:
        """The struct of that name, inside itself."""
        return cls(NoneAttr(), identifier=identifier)

    @property
    def types(self) -> tuple[Attribute, ...]:
        """The types of the members; none for a reference."""
        return () if isinstance(self.members, NoneAttr) else self.members.data

    @property
    def is_reference(self) -> bool:
        """Whether it stands for the struct around it."""
        return isinstance(self.members, NoneAttr)

    def decorations_of(self, member: int) -> tuple[str, ...]:
        """The decorations of a member other than its offset."""
        found = self.member_decorations.data
        return tuple(text.data for text in found[member].data) if found else ()

    def print_inside(self, printer: Printer) -> None:
        printer.print_string(self.identifier.data)
        if self.is_reference:
            return
        printer.print_string(", " if self.identifier.data else "")
        with printer.in_parens():
            printer.print_list(range(len(self.types)), lambda i: self._print_member(printer, i))
        for decoration in self.decorations:
            printer.print_string(f", {decoration.data}")

    def _print_member(self, printer: Printer, index: int) -> None:
        printer.print_attribute(self.types[index])
        words = list(self.decorations_of(index))
        if self.offsets.data:
            words.insert(0, str(self.offsets.data[index].data))
        if words:
            printer.print_string(f" [{', '.join(words)}]")

    @classmethod
    def parse_inside(cls, parser: AttrParser) -> Self:
        identifier = parser.parse_optional_identifier()
        if identifier is not None and parser.parse_optional_punctuation(",") is None:
            return cls.reference(identifier)
        start = parser.pos
        rows = parser.parse_comma_separated_list(
            parser.Delimiter.PAREN, lambda: _parse_member(parser)
        )
        decorations: list[str] = []
        while parser.parse_optional_punctuation(",") is not None:
            decorations.append(parser.parse_identifier())
        offsets = [offset for _, offset, _ in rows if offset is not None]
        if offsets and len(offsets) != len(rows):
            parser.raise_error("expected an offset for every member or for none", start)
        kinds = [kind for kind, _, _ in rows]
        words = [member for _, _, member in rows]
        return cls(kinds, offsets, words if any(words) else (), identifier or "", decorations)

    def verify(self) -> None:
        for member in self.types:
            check_component(member)
        for what, rows in (("offsets", self.offsets), ("decorations", self.member_decorations)):
            if rows.data and len(rows.data) != len(self.types):
                raise VerifyException(f"expected {len(self.types)} {what}, got {len(rows.data)}")
        for words in (*self.member_decorations.data, self.decorations):
            for word in words.data:
                check_name("Decoration", word.data.partition("=")[0])


def _parse_member(parser: AttrParser) -> tuple[Attribute, int | None, list[str]]:
    kind = parser.parse_type()
    if parser.parse_optional_punctuation("[") is None:
        return kind, None, []
    offset = parser.parse_optional_integer(allow_boolean=False, allow_negative=False)
    words: list[str] = []
    more = offset is None or parser.parse_optional_punctuation(",") is not None
    while more:
        word = parser.parse_identifier()
        if parser.parse_optional_punctuation("=") is not None:
            word += f"={parser.parse_integer(allow_boolean=False, allow_negative=False)}"
        words.append(word)
        more = parser.parse_optional_punctuation(",") is not None
    parser.parse_punctuation("]")
    return kind, offset, words
