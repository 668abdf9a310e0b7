"""Short ways to build ops of the spirv dialect in a converter, and what a conversion keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerType,
    StringAttr,
    UnitAttr,
    VectorType,
    f32,
    i1,
    i32,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ...dialects import spirv
from ..conversion import CannotConvert, Rewriter
from .target import SpirvTarget

if TYPE_CHECKING:
    from .parameters import ParameterBlock

_INDEX = IndexType()
NOTHING: Mapping[str, Attribute] = {}
NO_CONTRACTION: Mapping[str, Attribute] = {"no_contraction": UnitAttr()}
BY_ADDRESS = "PhysicalStorageBuffer"
SHARED = (BY_ADDRESS, "StorageBuffer", "Workgroup")
"""Memory that other threads may access; the Vulkan memory model has to be told where they do."""

_NON_PRIVATE = {"memory_access": spirv.MemoryAccessAttr("NonPrivatePointer")}


@dataclass
class Scope:
    """A function on its way: its entry block begins with its variables, then what is needed often.

    Constants, addresses of globals and what is read from them are made once for a function.
    """

    entry: Block
    last: Operation | None = None
    values: dict[Any, SSAValue] = field(default_factory=dict[Any, SSAValue])

    def once(self, rw: Rewriter, key: Any, make: Callable[[], SSAValue]) -> SSAValue:
        """The value with this key; made at the start of the function when first asked for."""
        found = self.values.get(key)
        if found is None:
            after = self.entry.first_op if self.last is None else self.last.next_op
            with rw.inside(self.entry, after):
                found = make()
            assert isinstance(found.owner, Operation), "what is needed often is computed"
            self.values[key], self.last = found, found.owner
        return found

    def variable(self, rw: Rewriter, kind: Attribute) -> SSAValue:
        """A variable of the function."""
        pointer = spirv.PointerType(kind, "Function")
        properties = {"storage_class": spirv.StorageClassAttr("Function")}
        with rw.inside(self.entry, self.entry.first_op):
            made = rw.value(spirv.VariableOp, (), pointer, properties)
        if self.last is None:
            self.last = made.owner if isinstance(made.owner, Operation) else None
        return made


@dataclass
class State:
    """What the converters of one module share."""

    target: SpirvTarget
    names: set[str] = field(default_factory=set[str])
    """The globals and functions that the module has got."""

    function: Operation | None = None
    """The kernel; what defines a symbol goes before it."""

    scope: Scope | None = None
    """The function that is being built."""

    parameters: ParameterBlock | None = None
    over: int | None = None
    """The rank of an `over` kernel."""

    longest_record: int = 0
    """The words of values in the longest record that the kernel writes; see `reports`."""

    prints: bool = False
    """Whether it prints."""

    vulkan_memory: bool = False
    """Whether the module has the Vulkan memory model, else GLSL's, where all accesses are seen."""

    linear: bool = False
    """Whether the device is given blocks of one dimension; see `ids`."""

    met_by_all: set[Operation] = field(default_factory=set[Operation])
    """Of the kernel's shuffles: those that all lanes of each subgroup run together."""

    starts: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])
    """Of bound buffers: the element of the binding that is their first."""

    pointers: dict[tuple[int, str], tuple[Attribute, spirv.PointerType]] = field(
        default_factory=dict[tuple[int, str], tuple[Attribute, spirv.PointerType]]
    )

    def pointer(self, kind: Attribute, storage: StringAttr) -> spirv.PointerType:
        """The pointer to a type; made once, since its verification costs more than most ops."""
        key = id(kind), storage.data
        found = self.pointers.get(key)
        if found is None:
            found = self.pointers[key] = kind, spirv.PointerType(kind, storage)
        return found[1]

    first_bytes: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])
    """Of buffers whose elements are packed in words: the byte at which the first one begins."""

    @property
    def block(self) -> ParameterBlock:
        """The parameter block of the kernel."""
        assert self.parameters is not None, "a kernel is being converted"
        return self.parameters

    def declare(self, op: Operation) -> None:
        """Puts an op that defines a symbol into the module."""
        function = self.function
        assert function is not None and function.parent is not None, "a kernel is being converted"
        function.parent.insert_op_before(op, function)


def state_of(rw: Rewriter) -> State:
    """The state of the conversion that a rewriter belongs to."""
    found = rw.state
    assert isinstance(found, State), "this conversion is the one to spirv"
    return found


def op(
    rw: Rewriter,
    name: str,
    operands: Sequence[SSAValue],
    kind: Attribute,
    properties: Mapping[str, Attribute] = NOTHING,
) -> SSAValue:
    """The result of an op of the table."""
    return rw.value(spirv.OPS[name], operands, kind, properties)


def once(rw: Rewriter, key: Any, make: Callable[[], SSAValue]) -> SSAValue:
    """See `Scope.once`, of the function that is being built."""
    scope = state_of(rw).scope
    assert scope is not None, "a function is being built"
    return scope.once(rw, key, make)


def const(rw: Rewriter, value: int | float | bool, kind: Attribute) -> SSAValue:
    """A constant of a number or boolean type (in every lane of a vector); integers wrap."""
    if kind == i32:
        return word(rw, int(value))
    if isinstance(kind, VectorType):
        return _lanes_const(rw, value, kind)
    return attribute_const(rw, spirv.scalar_attribute(value, kind), kind)


def _lanes_const(rw: Rewriter, value: int | float | bool, kind: Any) -> SSAValue:
    number: Any = spirv.scalar_attribute(value, kind.element_type)
    value = number.value.data  # an integer, wrapped
    lanes: Attribute = DenseIntOrFPElementsAttr.from_list(kind, [value] * kind.get_shape()[0])
    key = (kind, float(value).hex() if isinstance(value, float) else value)
    return once(rw, key, lambda: rw.value(spirv.ConstantOp, (), kind, {"value": lanes}))


def attribute_const(rw: Rewriter, value: Attribute, kind: Attribute) -> SSAValue:
    """A constant by its attribute."""
    properties = {"value": value}
    key: Any = value
    if isinstance(value, FloatAttr):  # as attributes, zeros of either sign are equal
        number: float = value.value.data  # pyright: ignore[reportUnknownMemberType]
        key = (kind, number.hex())
    return once(rw, key, lambda: rw.value(spirv.ConstantOp, (), kind, properties))


def word(rw: Rewriter, value: int) -> SSAValue:
    """A constant of 32 bits."""
    return once(
        rw, ("word", value), lambda: rw.value(spirv.ConstantOp, (), i32, _word_attribute(value))
    )


@cache
def _word_attribute(value: int) -> Mapping[str, Attribute]:
    return {"value": spirv.scalar_attribute(value, i32)}


def binary(rw: Rewriter, name: str, a: SSAValue, b: SSAValue | int) -> SSAValue:
    """An op on two values of one type; an int stands for a constant."""
    other = const(rw, b, a.type) if isinstance(b, int) else b
    return op(rw, name, (a, other), a.type)


def compare(rw: Rewriter, name: str, a: SSAValue, b: SSAValue | int | float) -> SSAValue:
    """A comparison of two values of one type."""
    other = b if isinstance(b, SSAValue) else const(rw, b, a.type)
    return op(rw, name, (a, other), like(a.type, i1))


def both(rw: Rewriter, a: SSAValue, b: SSAValue) -> SSAValue:
    """Whether two conditions hold."""
    return op(rw, "LogicalAnd", (a, b), a.type)


def either(rw: Rewriter, a: SSAValue, b: SSAValue) -> SSAValue:
    """Whether one of two conditions holds."""
    return op(rw, "LogicalOr", (a, b), a.type)


def negation(rw: Rewriter, a: SSAValue) -> SSAValue:
    """Whether a condition does not hold."""
    return op(rw, "LogicalNot", (a,), a.type)


def is_nan(rw: Rewriter, value: SSAValue) -> SSAValue:
    """Whether a float is none."""
    return op(rw, "IsNan", (value,), like(value.type, i1))


def select(rw: Rewriter, condition: SSAValue, yes: SSAValue, no: SSAValue) -> SSAValue:
    """The first value where the condition holds, else the second."""
    if is_vector(yes.type) and not is_vector(condition.type):
        condition = splat(rw, condition, yes.type)  # before SPIR-V 1.4 each lane has its own
    return op(rw, "Select", (condition, yes, no), yes.type)


# --- vectors --------------------------------------------------------------------------------------


def element_type(kind: Attribute) -> Attribute:
    """The type of a vector's elements; a scalar's own type."""
    return cast("VectorType[Attribute]", kind).element_type if is_vector(kind) else kind


def is_vector(kind: Attribute) -> bool:
    """Whether a type has lanes."""
    return isinstance(kind, VectorType)


def like(kind: Attribute, element: Attribute) -> Attribute:
    """A type with as many lanes as `kind` has, of elements of another type."""
    return VectorType(element, kind.get_shape()) if isinstance(kind, VectorType) else element


def splat(rw: Rewriter, value: SSAValue, kind: Any) -> SSAValue:
    """A scalar in as many lanes as a vector type has."""
    lanes = [value] * kind.get_shape()[0]
    return rw.value(spirv.CompositeConstructOp, lanes, like(kind, value.type))


# --- widths ---------------------------------------------------------------------------------------


def is_integer(kind: Attribute) -> bool:
    """Whether it is an integer or boolean type."""
    return isinstance(kind, IntegerType)


def bits(kind: Attribute) -> int:
    """The width of an integer or float type, of a vector that of its elements."""
    width: object = getattr(element_type(kind), "bitwidth", None)
    if not isinstance(width, int):
        raise CannotConvert(f"{kind} is no number")
    return width


def resize(rw: Rewriter, value: SSAValue, kind: Attribute, *, signed: bool) -> SSAValue:
    """The integer in another width: extended by its sign (or zeros), or cut off.

    Of a vector every lane, whether or not `kind` is a vector's.
    """
    kind = like(value.type, element_type(kind))
    if value.type == kind:
        return value
    if bits(value.type) == 1:
        return select(rw, value, const(rw, -1 if signed else 1, kind), const(rw, 0, kind))
    if bits(kind) == 1:
        return compare(rw, "INotEqual", binary(rw, "BitwiseAnd", value, 1), 0)
    extends = bits(kind) == 64 and bits(value.type) == 32 and not is_vector(kind)
    if extends and state_of(rw).target.suits_llvmpipe:
        return _pair(rw, value, kind, signed)
    return op(rw, "SConvert" if signed else "UConvert", (value,), kind)


def _pair(rw: Rewriter, low: SSAValue, kind: Attribute, signed: bool) -> SSAValue:
    """A word as the low one of two.

    In this form llvmpipe does not see an extension, which it gets wrong also where only it finds
    out that a number is a constant. Others get the conversion, as drivers know it.
    """
    high = binary(rw, "ShiftRightArithmetic", low, 31) if signed else word(rw, 0)
    words = rw.value(spirv.CompositeConstructOp, (low, high), VectorType(i32, [2]))
    return op(rw, "Bitcast", (words,), kind)


def as_index(rw: Rewriter, value: SSAValue) -> SSAValue:
    """A word that is not negative as an index."""
    return resize(rw, value, rw.type(_INDEX), signed=False)


def bitcast(rw: Rewriter, value: SSAValue, kind: Attribute) -> SSAValue:
    """The same bits in another type."""
    return value if value.type == kind else op(rw, "Bitcast", (value,), kind)


def as_bits(rw: Rewriter, value: SSAValue) -> SSAValue:
    """A float's bits as an integer."""
    return bitcast(rw, value, like(value.type, IntegerType(bits(value.type))))


def f32_of(rw: Rewriter, value: SSAValue) -> SSAValue:
    """A 16-bit float in f32, exactly; others as they are."""
    wide = like(value.type, f32)
    return op(rw, "FConvert", (value,), wide) if bits(value.type) == 16 else value


# --- memory and composites ------------------------------------------------------------------------


def access(
    rw: Rewriter, base: SSAValue, indices: Sequence[SSAValue | int], kind: Attribute
) -> SSAValue:
    """The pointer to what lies in a composite, of type `kind`, under some indices."""
    assert isinstance(base.type, spirv.PointerType), "the base is a pointer"
    places = [word(rw, i) if isinstance(i, int) else i for i in indices]
    pointer = state_of(rw).pointer(kind, base.type.storage)
    return rw.value(spirv.AccessChainOp, (base, *places), pointer)


def memory_access(
    rw: Rewriter, pointer: SSAValue, alignment: int | None = None
) -> Mapping[str, Attribute]:
    """What an access has to say: its alignment through an address, and that others may see it.

    `alignment` is in bytes; without it, it is that of what the pointer points at.
    """
    kind = pointer.type
    assert isinstance(kind, spirv.PointerType), "an access needs a pointer"
    storage = kind.storage_class
    shared = state_of(rw).vulkan_memory and storage in SHARED
    if storage != BY_ADDRESS:
        return _NON_PRIVATE if shared else NOTHING
    size = 8 if isinstance(kind.pointee, spirv.PointerType) else bits(kind.pointee) // 8
    return _alignment(alignment or size, shared)


@cache
def _alignment(size: int, shared: bool) -> Mapping[str, Attribute]:
    words = "Aligned|NonPrivatePointer" if shared else "Aligned"
    return {
        "memory_access": spirv.MemoryAccessAttr(words),
        "alignment": spirv.scalar_attribute(size, i32),
    }


def load(rw: Rewriter, pointer: SSAValue) -> SSAValue:
    """The value that a pointer points at."""
    kind = pointer.type
    assert isinstance(kind, spirv.PointerType), "a load needs a pointer"
    return rw.value(spirv.LoadOp, (pointer,), kind.pointee, memory_access(rw, pointer))


def store(rw: Rewriter, pointer: SSAValue, value: SSAValue) -> None:
    """Puts a value where a pointer points."""
    rw.create(spirv.StoreOp, (pointer, value), properties=memory_access(rw, pointer))


def extract(rw: Rewriter, composite: SSAValue, index: int) -> SSAValue:
    """An element of a vector or struct."""
    return rw.insert(spirv.CompositeExtractOp.at(composite, index)).results[0]
