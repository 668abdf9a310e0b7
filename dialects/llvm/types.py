"""Types of the llvm dialect, and how upstream numbers the enumerations that are integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    BFloat16Type,
    Float16Type,
    Float32Type,
    Float64Type,
    IndexType,
    IntAttr,
    IntegerType,
    NoneAttr,
    StringAttr,
    UnitAttr,
    VectorType,
)
from xdsl.ir import Attribute, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition

if TYPE_CHECKING:
    from xdsl.parser import AttrParser
    from xdsl.printer import Printer

ICMP_PREDICATES = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
FCMP_PREDICATES = (
    *("_false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord"),
    *("ueq", "ugt", "uge", "ult", "ule", "une", "uno", "_true"),
)
ATOMIC_KINDS = (
    *("xchg", "add", "sub", "_and", "nand", "_or", "_xor", "max", "min", "umax", "umin"),
    *("fadd", "fsub", "fmax", "fmin", "uinc_wrap", "udec_wrap"),
)
ORDERINGS = {
    "not_atomic": 0, "unordered": 1, "monotonic": 2, "acquire": 4, "release": 5, "acq_rel": 6,
    "seq_cst": 7,
}  # fmt: skip
ORDERING_NAMES = {number: name for name, number in ORDERINGS.items()}
VISIBILITIES = ("default", "hidden", "protected")
UNNAMED_ADDR = ("", "local_unnamed_addr", "unnamed_addr")


@irdl_attr_definition
class PointerType(ParametrizedAttribute, TypeAttribute):
    """`!llvm.ptr` or `!llvm.ptr<N>`: an opaque pointer into address space N."""

    name = "llvm.ptr"
    space: IntAttr

    def __init__(self, space: int | IntAttr = 0):
        super().__init__(IntAttr(space) if isinstance(space, int) else space)

    def print_parameters(self, printer: Printer) -> None:
        if self.space.data:
            printer.print_string(f"<{self.space.data}>")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        if parser.parse_optional_punctuation("<") is None:
            return (IntAttr(0),)
        space = parser.parse_integer(allow_negative=False, allow_boolean=False)
        parser.parse_punctuation(">")
        return (IntAttr(space),)


class _Row(ParametrizedAttribute, TypeAttribute):
    """`<4 x T>`: as many of one type; the size is the first parameter, the type the second.

    The types have an `__init__` each: type checkers take the fields for one otherwise.
    """

    def print_parameters(self, printer: Printer) -> None:
        size, kind = self.parameters
        printer.print_string(f"<{cast(IntAttr, size).data} x ")
        print_inner_type(printer, kind)
        printer.print_string(">")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            size = IntAttr(parser.parse_shape_dimension(allow_dynamic=False))
            parser.parse_shape_delimiter()
            return (size, parse_inner_type(parser))


@irdl_attr_definition
class PointersType(_Row):
    """`!llvm.vec<4 x ptr>`: a pointer for each lane; other lanes make a `vector<4xf32>`."""

    name = "llvm.vec"
    size: IntAttr
    pointer: PointerType

    def __init__(self, size: int | IntAttr, pointer: PointerType):
        super().__init__(IntAttr(size) if isinstance(size, int) else size, pointer)


@irdl_attr_definition
class VoidType(ParametrizedAttribute, TypeAttribute):
    """`!llvm.void`: the result of a function that returns nothing."""

    name = "llvm.void"


@irdl_attr_definition
class ArrayType(_Row):
    """`!llvm.array<4 x f32>`: elements in a row, in memory or as one value."""

    name = "llvm.array"
    size: IntAttr
    element: Attribute

    def __init__(self, size: int | IntAttr, element: Attribute):
        super().__init__(IntAttr(size) if isinstance(size, int) else size, element)


@irdl_attr_definition
class StructType(ParametrizedAttribute, TypeAttribute):
    """`!llvm.struct<(i32, f32)>`, `!llvm.struct<packed (…)>` or `!llvm.struct<"name", (…)>`."""

    name = "llvm.struct"
    fields: ArrayAttr[Attribute]
    struct_name: StringAttr
    packed: UnitAttr | NoneAttr

    def __init__(
        self,
        fields: Sequence[Attribute] | ArrayAttr[Attribute],
        name: str | StringAttr = "",
        packed: bool | UnitAttr | NoneAttr = False,
    ):
        if isinstance(packed, bool):
            packed = UnitAttr() if packed else NoneAttr()
        super().__init__(
            fields if isinstance(fields, ArrayAttr) else ArrayAttr(fields),
            StringAttr(name) if isinstance(name, str) else name,
            packed,
        )

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            if self.struct_name.data:
                printer.print_string_literal(self.struct_name.data)
                printer.print_string(", ")
            if isinstance(self.packed, UnitAttr):
                printer.print_string("packed ")
            with printer.in_parens():
                printer.print_list(self.fields.data, lambda t: print_inner_type(printer, t))

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            name = parser.parse_optional_str_literal()
            if name is not None:
                parser.parse_punctuation(",")
            packed = parser.parse_optional_keyword("packed") is not None
            fields = parser.parse_comma_separated_list(
                parser.Delimiter.PAREN, lambda: parse_inner_type(parser)
            )
        return (ArrayAttr(fields), StringAttr(name or ""), UnitAttr() if packed else NoneAttr())


@irdl_attr_definition
class FunctionType(ParametrizedAttribute, TypeAttribute):
    """`!llvm.func<f32 (i32, ...)>`: what a function takes and gives."""

    name = "llvm.func"
    inputs: ArrayAttr[Attribute]
    output: Attribute
    variadic: UnitAttr | NoneAttr

    def __init__(
        self,
        inputs: Sequence[Attribute] | ArrayAttr[Attribute],
        output: Attribute | None = None,
        variadic: bool | UnitAttr | NoneAttr = False,
    ):
        if isinstance(variadic, bool):
            variadic = UnitAttr() if variadic else NoneAttr()
        super().__init__(
            inputs if isinstance(inputs, ArrayAttr) else ArrayAttr(inputs),
            VoidType() if output is None else output,
            variadic,
        )

    @property
    def is_variadic(self) -> bool:
        """Whether more arguments may follow the named ones."""
        return isinstance(self.variadic, UnitAttr)

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            print_inner_type(printer, self.output)
            printer.print_string(" ")
            with printer.in_parens():
                printer.print_list(self.inputs.data, lambda t: print_inner_type(printer, t))
                if self.is_variadic:
                    printer.print_string(", ..." if self.inputs.data else "...")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            output = parse_inner_type(parser)
            found = parser.parse_comma_separated_list(
                parser.Delimiter.PAREN, lambda: _parse_parameter(parser)
            )
        if None in found[:-1]:
            parser.raise_error("expected '...' only after the last parameter type")
        inputs = [found_type for found_type in found if found_type is not None]
        return (ArrayAttr(inputs), output, UnitAttr() if len(inputs) < len(found) else NoneAttr())


def _parse_parameter(parser: AttrParser) -> Attribute | None:
    """The type of a parameter, or none for `...`."""
    if parser.parse_optional_punctuation("...") is not None:
        return None
    return parse_inner_type(parser)


_INNER: dict[str, type[ParametrizedAttribute]] = {
    "ptr": PointerType,
    "vec": PointersType,
    "array": ArrayType,
    "struct": StructType,
    "func": FunctionType,
    "void": VoidType,
}


def parse_inner_type(parser: AttrParser) -> Attribute:
    """A type inside an llvm type, where the prefix `!llvm.` may be left out."""
    for keyword, cls in _INNER.items():
        if parser.parse_optional_keyword(keyword) is not None:
            return cls.new(cls.parse_parameters(parser))
    return parser.parse_type()


def print_inner_type(printer: Printer, attribute: Attribute) -> None:
    """The inverse of `parse_inner_type`: llvm types without their prefix, as upstream prints."""
    if isinstance(attribute, tuple(_INNER.values())):
        printer.print_string(attribute.name[len("llvm.") :])
        attribute.print_parameters(printer)
    else:
        printer.print_attribute(attribute)


POINTER = PointerType()
"""The pointer into the generic address space."""

TYPES: list[type[Attribute]] = list(_INNER.values())

_SCALARS = (BFloat16Type, Float16Type, Float32Type, Float64Type, PointerType)


def is_llvm_type(attribute: Attribute) -> bool:
    """Whether a value of the llvm dialect may have this type."""
    if isinstance(attribute, IntegerType):
        return int_width(attribute) > 0
    if isinstance(attribute, VectorType):
        element = element_type(attribute)
        return len(attribute.shape) == 1 and not isinstance(element, IndexType)
    return isinstance(attribute, (*_SCALARS, PointersType, ArrayType, StructType))


def is_vector(attribute: Attribute) -> bool:
    """Whether there are lanes; unlike `isinstance`, forgets nothing of the type's type."""
    return isinstance(attribute, VectorType)


def lanes_of(attribute: Any) -> int:
    """The number of lanes of a vector type."""
    assert isinstance(attribute, VectorType), f"a vector type, not {attribute}"
    return cast(VectorType[Attribute], attribute).get_shape()[0]


def int_width(attribute: Any) -> int:
    """The bits of an integer type."""
    assert isinstance(attribute, IntegerType), f"an integer type, not {attribute}"
    return cast(IntegerType[int], attribute).width.data


def element_type(attribute: Any) -> Attribute:
    """The type of one lane: of a vector its elements', of anything else itself."""
    if isinstance(attribute, VectorType):
        return cast(VectorType[Attribute], attribute).element_type
    return cast(Attribute, attribute)
