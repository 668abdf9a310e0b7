"""Attributes of the spirv dialect that are enumerations.

An enumeration is its name in angle brackets (`#spirv.scope<Device>`); of bits, names with `|`
between them. The numbers are the specification's.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, ClassVar

from xdsl.dialects.builtin import IntegerAttr, StringAttr, UnitAttr, i32
from xdsl.ir import Attribute, Data
from xdsl.utils.exceptions import VerifyException

from .grammar import enumeration

if TYPE_CHECKING:
    from xdsl.parser import AttrParser, Parser
    from xdsl.printer import Printer


class EnumAttr(Data[str]):
    """A value of an enumeration, by name; several names with `|` where it is of bits."""

    kind: ClassVar[str]
    upstream: ClassVar[dict[str, str]] = {}
    """Upstream's words that are not the specification's."""

    @property
    def value(self) -> int:
        """The number. Raises KeyError for a name that does not exist."""
        return _value(type(self), self.data)

    @property
    def names(self) -> tuple[str, ...]:
        """The specification's names, one for each bit."""
        return tuple(self.upstream.get(word, word) for word in self.data.split("|"))

    @classmethod
    def from_value(cls, value: int) -> EnumAttr:
        """The attribute of a number. Raises KeyError for one that does not exist."""
        words = {name: word for word, name in cls.upstream.items()}
        found = enumeration(cls.kind)
        # No bit is "None" upstream, also where the specification has an older name too.
        none = value == 0 and found.is_bits and "None" in found.by_name
        names = ("None",) if none else found.names(value)
        return cls("|".join(words.get(name, name) for name in names))

    def has(self, name: str) -> bool:
        """Whether a bit is among them."""
        return name in self.data.split("|")

    @classmethod
    def parse_name(cls, parser: AttrParser) -> str:
        """The names with `|` between them."""
        start = parser.pos
        words = [parser.parse_identifier()]
        while parser.parse_optional_punctuation("|") is not None:
            words.append(parser.parse_identifier())
        return cls.checked("|".join(words), parser, start)

    @classmethod
    def checked(cls, text: str, parser: AttrParser, start: int) -> str:
        """The names in order of their bits; an error of the parser where there is no such name."""
        try:
            return cls.from_value(_value(cls, text)).data
        except KeyError as error:
            parser.raise_error(f"{error.args[0]!r} is not a {cls.kind} of SPIR-V", start)

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> str:
        with parser.in_angle_brackets():
            return cls.parse_name(parser)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")

    def verify(self) -> None:
        try:
            _value(type(self), self.data)
        except KeyError as error:
            raise VerifyException(f"{error.args[0]!r} is not a {self.kind} of SPIR-V") from None


@cache
def _value(cls: type[EnumAttr], text: str) -> int:
    found = enumeration(cls.kind)
    value = 0
    for word in text.split("|"):
        value |= found.value(cls.upstream.get(word, word))
    return value


class ScopeAttr(EnumAttr):
    """`#spirv.scope<Workgroup>`."""

    name = "spirv.scope"
    kind = "Scope"


class MemorySemanticsAttr(EnumAttr):
    """`#spirv.memory_semantics<AcquireRelease|UniformMemory>`."""

    name = "spirv.memory_semantics"
    kind = "MemorySemantics"


class GroupOperationAttr(EnumAttr):
    """`#spirv.group_operation<Reduce>`."""

    name = "spirv.group_operation"
    kind = "GroupOperation"


class StorageClassAttr(EnumAttr):
    """`#spirv.storage_class<StorageBuffer>`."""

    name = "spirv.storage_class"
    kind = "StorageClass"


class AddressingModelAttr(EnumAttr):
    """`#spirv.addressing_model<Logical>`."""

    name = "spirv.addressing_model"
    kind = "AddressingModel"


class MemoryModelAttr(EnumAttr):
    """`#spirv.memory_model<GLSL450>`."""

    name = "spirv.memory_model"
    kind = "MemoryModel"


class ExecutionModelAttr(EnumAttr):
    """`#spirv.execution_model<GLCompute>`."""

    name = "spirv.execution_model"
    kind = "ExecutionModel"


class ExecutionModeAttr(EnumAttr):
    """`#spirv.execution_mode<LocalSize>`."""

    name = "spirv.execution_mode"
    kind = "ExecutionMode"


class FunctionControlAttr(EnumAttr):
    """`#spirv.function_control<Inline>`."""

    name = "spirv.function_control"
    kind = "FunctionControl"


class SelectionControlAttr(EnumAttr):
    """`#spirv.selection_control<Flatten>`."""

    name = "spirv.selection_control"
    kind = "SelectionControl"


class LoopControlAttr(EnumAttr):
    """`#spirv.loop_control<Unroll>`."""

    name = "spirv.loop_control"
    kind = "LoopControl"


class MemoryAccessAttr(EnumAttr):
    """`#spirv.memory_access<Volatile|Aligned>`."""

    name = "spirv.memory_access"
    kind = "MemoryAccess"


class LinkageTypeAttr(EnumAttr):
    """`#spirv.linkage_type<Export>`."""

    name = "spirv.linkage_type"
    kind = "LinkageType"


class DecorationAttr(EnumAttr):
    """`#spirv.decoration<Aliased>`, of a function's parameter."""

    name = "spirv.decoration"
    kind = "Decoration"


class FPFastMathModeAttr(EnumAttr):
    """`#spirv.fastmath_mode<NotNaN|NotInf>`."""

    name = "spirv.fastmath_mode"
    kind = "FPFastMathMode"


class FPRoundingModeAttr(EnumAttr):
    """`#spirv.fp_rounding_mode<RTE>`."""

    name = "spirv.fp_rounding_mode"
    kind = "FPRoundingMode"


class PackedVectorFormatAttr(EnumAttr):
    """`#spirv.packed_vector_format<PackedVectorFormat4x8Bit>`."""

    name = "spirv.packed_vector_format"
    kind = "PackedVectorFormat"


class CooperativeMatrixLayoutAttr(EnumAttr):
    """`#spirv.coop_matrix_layout_khr<RowMajor>`."""

    name = "spirv.coop_matrix_layout_khr"
    kind = "CooperativeMatrixLayout"
    upstream: ClassVar[dict[str, str]] = {
        "RowMajor": "RowMajorKHR",
        "ColumnMajor": "ColumnMajorKHR",
    }


class CooperativeMatrixOperandsAttr(EnumAttr):
    """`#spirv.cooperative_matrix_operands_khr<ASigned|AccSat>`."""

    name = "spirv.cooperative_matrix_operands_khr"
    kind = "CooperativeMatrixOperands"
    upstream: ClassVar[dict[str, str]] = {
        "None": "NoneKHR",
        "ASigned": "MatrixASignedComponentsKHR",
        "BSigned": "MatrixBSignedComponentsKHR",
        "CSigned": "MatrixCSignedComponentsKHR",
        "ResultSigned": "MatrixResultSignedComponentsKHR",
        "AccSat": "SaturatingAccumulationKHR",
    }


PROPERTY_KINDS: dict[str, type[EnumAttr]] = {
    "memory_scope": ScopeAttr,
    "scope": ScopeAttr,
    "execution_scope": ScopeAttr,
    "semantics": MemorySemanticsAttr,
    "equal_semantics": MemorySemanticsAttr,
    "unequal_semantics": MemorySemanticsAttr,
    "memory_semantics": MemorySemanticsAttr,
    "group_operation": GroupOperationAttr,
    "storage_class": StorageClassAttr,
    "addressing_model": AddressingModelAttr,
    "memory_model": MemoryModelAttr,
    "execution_model": ExecutionModelAttr,
    "execution_mode": ExecutionModeAttr,
    "function_control": FunctionControlAttr,
    "selection_control": SelectionControlAttr,
    "loop_control": LoopControlAttr,
    "memory_access": MemoryAccessAttr,
    "source_memory_access": MemoryAccessAttr,
    "memory_operand": MemoryAccessAttr,
    "format": PackedVectorFormatAttr,
    "matrix_layout": CooperativeMatrixLayoutAttr,
    "matrix_operands": CooperativeMatrixOperandsAttr,
    "fp_fast_math_mode": FPFastMathModeAttr,
    "fp_rounding_mode": FPRoundingModeAttr,
}
"""The enumeration of each property that has one."""


NOT_DECORATIONS = frozenset(("stride", "scope"))
"""Attributes of ops without a dialect's name that are operands, not decorations."""


@cache
def _decorations() -> dict[str, str]:
    return {name.lower(): name for name in enumeration("Decoration").by_name}


def decoration_name(attribute: str) -> str | None:
    """The decoration that an attribute in snake case stands for; None if it is none."""
    if "." in attribute or attribute in NOT_DECORATIONS:
        return None
    return _decorations().get(attribute.replace("_", ""))


def as_attribute(name: str, value: str | int | bool | Attribute) -> Attribute:
    """A property's value: names of enumerations, `i32` numbers and flags may be given plainly."""
    if isinstance(value, Attribute):
        return value
    if isinstance(value, bool):
        return UnitAttr()
    if isinstance(value, int):
        return IntegerAttr(value, i32)
    kind = PROPERTY_KINDS.get(name)
    return StringAttr(value) if kind is None else kind(value)


ATTRIBUTES: tuple[type[Attribute], ...] = (
    *dict.fromkeys(PROPERTY_KINDS.values()),
    *(LinkageTypeAttr, DecorationAttr),
)


def parse_enum(parser: Parser, name: str) -> Attribute:
    """A property that is an enumeration in quotes: `"Acquire|Release"`."""
    kind = PROPERTY_KINDS[name]
    start = parser.pos
    return kind(kind.checked(parser.parse_str_literal(), parser, start))
