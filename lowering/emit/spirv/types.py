"""Types and constants of a SPIR-V module: each is declared once, before what uses it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import (
    AnyFloat,
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    FunctionType,
    IntegerAttr,
    IntegerType,
    Signedness,
)
from xdsl.ir import Attribute

from ....dialects import spirv
from ....dialects.diagnostics import CompileError
from ....dialects.spirv.grammar import enumeration
from ....dialects.spirv.kinds import (
    bit_width,
    int_width,
    is_bool,
    is_float,
    is_int,
    is_vector,
    length_of,
    scalar_of,
)
from ....dialects.spirv.members import member_type
from ....dialects.spirv.types import USES
from .opcodes import Op

if TYPE_CHECKING:
    from .module import ModuleWords

I32 = IntegerType(32)


class TypeWords:
    """The types and constants of a module so far, and their ids."""

    def __init__(self, module: ModuleWords) -> None:
        self.module = module
        self.ids: dict[Attribute, int] = {}
        self.by_identity: dict[int, tuple[Attribute, int]] = {}
        self.constants: dict[tuple[object, ...], int] = {}
        self.numbers: dict[int, int] = {}
        self.forward: dict[str, list[tuple[int, spirv.PointerType]]] = {}
        self.void_id = 0

    def type(self, kind: Attribute) -> int:
        """The id of a type."""
        found = self.by_identity.get(id(kind))
        if found is not None:
            return found[1]
        number = self.ids.get(kind)
        if number is None:
            number = self._declare(kind)
            self.ids[kind] = number
        self.by_identity[id(kind)] = (kind, number)
        return number

    def void(self) -> int:
        """The id of the type of no value."""
        if not self.void_id:
            self.void_id = self._emit(Op.TypeVoid)
        return self.void_id

    def _emit(self, opcode: int, *operands: int) -> int:
        number = self.module.new_id()
        self.module.declarations += ((len(operands) + 2) << 16 | opcode, number, *operands)
        return number

    def _declare(self, kind: Attribute) -> int:
        if is_vector(kind):
            return self._emit(Op.TypeVector, self.type(scalar_of(kind)), length_of(kind))
        if is_bool(kind):
            return self._emit(Op.TypeBool)
        if is_int(kind):
            signed = cast("IntegerType[int]", kind).signedness.data == Signedness.SIGNED
            return self._emit(Op.TypeInt, int_width(kind), int(signed))
        if is_float(kind):
            return self._emit(Op.TypeFloat, bit_width(kind))
        if isinstance(kind, FunctionType):
            return self._function(kind)
        return self._composite(kind)

    def _function(self, kind: FunctionType) -> int:
        outputs = kind.outputs.data
        result = self.type(outputs[0]) if outputs else self.void()
        return self._emit(Op.TypeFunction, result, *map(self.type, kind.inputs.data))

    def _composite(self, kind: Attribute) -> int:
        if isinstance(kind, spirv.PointerType):
            return self._pointer(kind)
        if isinstance(kind, spirv.ArrayType):
            element = self.type(kind.element)
            number = self._emit(Op.TypeArray, element, self._length(kind))
            return self._with_stride(number, kind.stride.data)
        if isinstance(kind, spirv.RuntimeArrayType):
            number = self._emit(Op.TypeRuntimeArray, self.type(kind.element))
            return self._with_stride(number, kind.stride.data)
        if isinstance(kind, spirv.StructType):
            return self._struct(kind)
        if isinstance(kind, spirv.MatrixType):
            return self._emit(Op.TypeMatrix, self.type(kind.column), kind.columns.data)
        if isinstance(kind, spirv.CooperativeMatrixType):
            return self._cooperative_matrix(kind)
        raise CompileError(f"type {kind} does not exist in SPIR-V")

    def _pointer(self, kind: spirv.PointerType) -> int:
        storage = enumeration("StorageClass").value(kind.storage_class)
        pointee = kind.pointee
        if isinstance(pointee, spirv.StructType) and pointee.is_reference:
            number = self.module.new_id()
            self.forward.setdefault(pointee.identifier.data, []).append((number, kind))
            self.module.declarations += (3 << 16 | Op.TypeForwardPointer, number, storage)
            return number
        number = self.type(pointee)
        if (found := self.ids.get(kind)) is not None:
            return found  # the struct that it points to has declared it
        return self._emit(Op.TypePointer, storage, number)

    def _length(self, kind: spirv.ArrayType) -> int:
        if kind.length is not None:
            return self.number(kind.length)
        return self.module.symbol_id(str(kind.count.string_value()))  # pyright: ignore

    def _with_stride(self, number: int, stride: int) -> int:
        if stride:
            self.module.decorate(number, "ArrayStride", stride)
        return number

    def _struct(self, kind: spirv.StructType) -> int:
        name = kind.identifier.data
        if kind.is_reference:
            raise CompileError(f"the struct {name!r} is named outside of itself")
        number = self._emit(Op.TypeStruct, *map(self.type, kind.types))
        self.ids[kind] = number
        for pointer, forward in self.forward.pop(name, []) if name else []:
            storage = enumeration("StorageClass").value(forward.storage_class)
            self.module.declarations += (4 << 16 | Op.TypePointer, pointer, storage, number)
            # The pointer to the struct itself is the same pointer.
            self.ids.setdefault(spirv.PointerType(kind, forward.storage), pointer)
        if name:
            self.module.name(number, name)
        for decoration in kind.decorations:
            self.module.decorate(number, decoration.data)
        for index in range(len(kind.types)):
            if kind.offsets.data:
                offset = kind.offsets.data[index].data
                self.module.decorate_member(number, index, "Offset", offset)
            for word in kind.decorations_of(index):
                decoration, _, value = word.partition("=")
                values = (int(value),) if value else ()
                self.module.decorate_member(number, index, decoration, *values)
        return number

    def _cooperative_matrix(self, kind: spirv.CooperativeMatrixType) -> int:
        return self._emit(
            Op.TypeCooperativeMatrixKHR,
            self.type(kind.element),
            self.number(enumeration("Scope").value(kind.scope.data)),
            self.number(kind.rows.data),
            self.number(kind.columns.data),
            self.number(enumeration("CooperativeMatrixUse").value(USES[kind.use.data])),
        )

    # Constants

    def number(self, value: int) -> int:
        """The id of a constant of type i32."""
        found = self.numbers.get(value)
        if found is None:
            found = self.numbers[value] = self._scalar((value & 0xFFFFFFFF,), I32)
        return found

    def constant(self, value: Attribute, kind: Attribute) -> int:
        """The id of a constant of a type."""
        if isinstance(value, ArrayAttr):
            return self._parts(cast("ArrayAttr[Attribute]", value).data, kind)
        if isinstance(value, DenseIntOrFPElementsAttr):
            return self._dense(cast("DenseIntOrFPElementsAttr[IntegerType]", value), kind)
        if is_bool(kind):
            return self._bool(bool(cast("IntegerAttr[IntegerType]", value).value.data), kind)
        if isinstance(value, FloatAttr):
            return self._scalar(float_words(value.value.data, kind), kind)
        return self._scalar(int_words(cast("IntegerAttr", value).value.data, kind), kind)

    def _bool(self, value: bool, kind: Attribute) -> int:
        opcode = Op.ConstantTrue if value else Op.ConstantFalse
        return self._declared((opcode,), opcode, self.type(kind), ())

    def _scalar(self, words: Sequence[int], kind: Attribute) -> int:
        number = self.type(kind)
        return self._declared((Op.Constant, number, *words), Op.Constant, number, words)

    def _declared(
        self, key: tuple[object, ...], opcode: int, kind: int, words: Sequence[int]
    ) -> int:
        found = self.constants.get(key)
        if found is None:
            found = self.constants[key] = self.module.new_id()
            self.module.declarations += (
                (len(words) + 3) << 16 | opcode,
                kind,
                found,
                *words,
            )
        return found

    def null(self, kind: Attribute) -> int:
        """The id of the constant of zeros of a type."""
        number = self.type(kind)
        return self._declared((Op.ConstantNull, number), Op.ConstantNull, number, ())

    def _parts(self, values: Sequence[Attribute], kind: Attribute) -> int:
        ids = [self.constant(v, member_type(kind, i)) for i, v in enumerate(values)]
        return self._composed(ids, kind)

    def _composed(self, ids: Sequence[int], kind: Attribute) -> int:
        number = self.type(kind)
        key = (Op.ConstantComposite, number, *ids)
        return self._declared(key, Op.ConstantComposite, number, ids)

    def _dense(self, value: DenseIntOrFPElementsAttr[IntegerType], kind: Attribute) -> int:
        values = cast("Sequence[int | float]", value.get_values())
        if not any(values) and not any(str(number) == "-0.0" for number in values):
            return self.null(kind)
        return self._nested(values, kind)

    def _nested(self, values: Sequence[int | float], kind: Attribute) -> int:
        element = member_type(kind, None)
        if is_vector(element) or not (is_bool(element) or is_int(element) or is_float(element)):
            count = kind.length if isinstance(kind, spirv.ArrayType) else length_of(kind)
            size = len(values) // (count or 1)
            parts = [values[i : i + size] for i in range(0, len(values), size)]
            return self._composed([self._nested(part, element) for part in parts], kind)
        return self._composed([self._element(value, element) for value in values], kind)

    def _element(self, value: int | float, kind: Attribute) -> int:
        if is_bool(kind):
            return self._bool(bool(value), kind)
        words = float_words(value, kind) if is_float(kind) else int_words(int(value), kind)
        return self._scalar(words, kind)


def int_words(value: int, kind: Attribute) -> tuple[int, ...]:
    """An integer as the words of a constant, lowest first; narrow signed ones are extended."""
    width = int_width(kind)
    if width == 64:
        return value & 0xFFFFFFFF, value >> 32 & 0xFFFFFFFF
    signed = cast("IntegerType[int]", kind).signedness.data == Signedness.SIGNED
    return (value & (0xFFFFFFFF if signed else (1 << width) - 1),)


def float_words(value: float, kind: Attribute) -> tuple[int, ...]:
    """A float as the words of a constant, lowest first."""
    width = cast("AnyFloat", kind).bitwidth
    if width == 64:
        low, high = struct.unpack("<II", struct.pack("<d", value))
        return low, high
    if width == 32:
        return struct.unpack("<I", struct.pack("<f", value))
    return struct.unpack("<H", struct.pack("<e", value))
