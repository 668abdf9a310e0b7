"""The parameter block: what a launch passes, as a struct of 8-byte slots.

    gpu.func @k(%x: memref<?xf32, global>, %n: index) kernel

    spirv.GlobalVariable @__parameters : !spirv.ptr<!spirv.struct<(
        !spirv.ptr<!spirv.struct<(!spirv.rtarray<f32, stride=4> [0]), Block>, …> [0],
        i32 [8], i32 [16], i32 [20], i32 [24], i32 [28]), Block>, PushConstant>

One slot for each parameter, in order (one for the two halves of 64 bits that the device has no type
for), then the grid (x, y, z) and the capacity of the report buffer
as u32, then its address if the kernel reports and buffers are passed by address. Up to 128 bytes
are push constants; a larger block lies in memory, at an address in the push constants or in the
last binding. Without addresses, buffers are bindings in order, then the report buffer, and a
buffer's slot holds the element of the binding at which it starts. The address of a buffer of 8 or
16 bits is that of words in the block: what is narrower may not occur in push constants, not even
behind a pointer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import (
    DenseArrayBase,
    IndexType,
    MemRefType,
    SymbolRefAttr,
    UnitAttr,
    VectorType,
    i16,
    i32,
)
from xdsl.ir import Attribute, SSAValue

from ...dialects import gpu, gpux, marks, spirv
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..memref_views import as_memref
from .build import (
    BY_ADDRESS,
    access,
    as_index,
    binary,
    bitcast,
    bits,
    compare,
    extract,
    is_integer,
    load,
    once,
    op,
    resize,
    state_of,
)
from .target import PUSH_CONSTANT_BYTES, SpirvTarget

RULES = Rules()
converts = RULES.converts

SLOT = 8
GRID_SLOTS = 2
BLOCK = "__parameters"
REPORT = "__report"


@dataclass
class ParameterBlock:
    """The block of one kernel: its type, where it lies, and which members are what."""

    struct: spirv.StructType
    # The member with the grid's x; y and z follow, the report buffer's capacity and its address.
    grid: int
    in_memory: bool
    binding: int  # where it is a binding

    def read(self, rw: Rewriter, member: int) -> SSAValue:
        """The value of a member."""
        kind = self.struct.types[member]
        pointer = self._pointer(rw)
        place = once(rw, ("place", member), lambda: access(rw, pointer, [member], kind))
        return once(rw, ("parameter", member), lambda: load(rw, place))

    def _pointer(self, rw: Rewriter) -> SSAValue:
        if not self.in_memory:
            return global_variable(rw, BLOCK, spirv.PointerType(self.struct, "PushConstant"))
        if not state_of(rw).target.addresses:
            kind = spirv.PointerType(self.struct, "StorageBuffer")
            return global_variable(rw, BLOCK, kind, binding=self.binding, readonly=True)
        inner = spirv.PointerType(block_struct(self.struct), BY_ADDRESS)
        outer = spirv.PointerType(spirv.StructType([inner], [0]), "PushConstant")
        variable = global_variable(rw, BLOCK, outer)
        place = once(rw, "address", lambda: access(rw, variable, [0], inner))
        return once(rw, "block", lambda: load(rw, place))


def block_struct(struct: spirv.StructType) -> spirv.StructType:
    """A struct that pointers into memory by address point at says that it is a block."""
    return spirv.StructType(
        struct.members, struct.offsets, struct.member_decorations, "", ("Block",)
    )


def buffer_type(target: SpirvTarget, element: Attribute) -> spirv.PointerType:
    """The pointer to a buffer of elements of a (new) type."""
    struct = spirv.StructType([spirv.RuntimeArrayType(element, bits(element) // 8)], [0])
    if target.addresses:
        return spirv.PointerType(block_struct(struct), BY_ADDRESS)
    return spirv.PointerType(struct, "StorageBuffer")


def is_view(kind: Attribute) -> bool:
    """Whether a parameter of the type is a buffer."""
    return isinstance(kind, MemRefType)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a kernel: its old value, its 4-byte word of the block, the host's element."""

    value: SSAValue
    word: int
    element_bits: int

    @property
    def is_packed(self) -> bool:
        """Whether it is words in which smaller elements lie, from some byte of the first one on."""
        if not is_view(self.value.type):
            return False
        return self.element_bits < 32 and as_memref(self.value.type).element_type == i32


def parameters_of(kernel: gpu.FuncOp) -> list[Parameter]:
    """The parameters of a kernel of the shader level."""
    words = kernel.attributes.get(marks.PARAMETER_WORDS)
    places: Sequence[int] = range(0, 2 * len(kernel.parameters), 2)
    if isinstance(words, DenseArrayBase):
        places = [int(word) for word in words.get_values()]
    found: list[Parameter] = []
    for number, (value, place) in enumerate(zip(kernel.parameters, places, strict=True)):
        element = 0
        if is_view(value.type):
            passed = kernel.arg_attrs and kernel.arg_attrs.data[number].data.get(marks.ELEMENT)
            element = bits(passed or as_memref(value.type).element_type)
        found.append(Parameter(value, place, element))
    return found


def member_type(rw: Rewriter, parameter: Parameter) -> Attribute:
    """How a parameter lies in the block."""
    kind = parameter.value.type
    if is_view(kind):
        target = state_of(rw).target
        if not target.addresses:
            return i32
        if parameter.is_packed:
            return VectorType(i32, [2])
        narrow = bits(as_memref(kind).element_type) < 32
        return buffer_type(target, i32) if narrow else rw.type(kind)
    if isinstance(kind, IndexType):
        return rw.type(kind)
    return kind if bits(kind) >= 32 else i32  # the low bytes of a word


def from_member(rw: Rewriter, value: SSAValue, kind: Attribute) -> SSAValue:
    """A parameter out of what lies in its slot."""
    if value.type == kind or isinstance(kind, IndexType):
        return value
    if bits(kind) == 1:
        return compare(rw, "INotEqual", binary(rw, "BitwiseAnd", value, 0xFF), 0)
    if is_integer(kind):
        return resize(rw, value, kind, signed=False)
    return bitcast(rw, resize(rw, value, i16, signed=False), kind)


def lay_out(rw: Rewriter, parameters: Sequence[Parameter], reports: bool) -> ParameterBlock:
    """The block of a kernel with these parameters."""
    addresses = state_of(rw).target.addresses
    kinds = [member_type(rw, parameter) for parameter in parameters]
    offsets = [4 * parameter.word for parameter in parameters]
    first = SLOT * (max((parameter.word for parameter in parameters), default=-1) // 2 + 1)
    kinds += [i32, i32, i32, i32]
    offsets += [first, first + 4, first + 8, first + 12]
    if reports and addresses:
        kinds.append(buffer_type(state_of(rw).target, i32))
        offsets.append(first + SLOT * GRID_SLOTS)
    size = first + SLOT * (GRID_SLOTS + (reports and addresses))
    buffers = sum(is_view(parameter.value.type) for parameter in parameters)
    return ParameterBlock(
        spirv.StructType(kinds, offsets),
        len(parameters),
        size > PUSH_CONSTANT_BYTES,
        buffers + reports,
    )


def read_parameters(rw: Rewriter, parameters: Sequence[Parameter]) -> None:
    """The parameters of a kernel, at its start, in place of the old ones."""
    state = state_of(rw)
    binding = 0
    for number, parameter in enumerate(parameters):
        old = parameter.value
        if old.first_use is None and state.target.addresses:
            continue  # a pointer to bytes, even unused, needs the capability to compute with them
        value = state.block.read(rw, number)
        if not is_view(old.type):
            value = from_member(rw, value, old.type)
        elif state.target.addresses:
            value = _by_address(rw, parameter, value)
        else:
            value, binding = _bound(rw, parameter, value, binding), binding + 1
        value.name_hint = old.name_hint
        rw.replace(old, value)


def _by_address(rw: Rewriter, parameter: Parameter, passed: SSAValue) -> SSAValue:
    """The view at an address; of packed elements, from the word on in which the first one lies."""
    kind = rw.type(parameter.value.type)
    if not parameter.is_packed:
        return bitcast(rw, passed, kind)
    low, high = extract(rw, passed, 0), extract(rw, passed, 1)
    words = (binary(rw, "BitwiseAnd", low, -4), high)
    pair = rw.value(spirv.CompositeConstructOp, words, passed.type)
    view = op(rw, "Bitcast", (pair,), kind)
    state_of(rw).first_bytes[view] = binary(rw, "BitwiseAnd", low, 3)
    return view


def _bound(rw: Rewriter, parameter: Parameter, start: SSAValue, binding: int) -> SSAValue:
    """The view at a binding, whose `start`-th element (as the host has them) is its first."""
    state, kind = state_of(rw), rw.type(parameter.value.type)
    view = global_variable(rw, f"__buffer_{binding}", kind, binding=binding)
    own = bits(as_memref(parameter.value.type).element_type)
    if parameter.is_packed:
        first = binary(rw, "IMul", start, parameter.element_bits // 8)
        state.first_bytes[view] = binary(rw, "BitwiseAnd", first, 3)
        start = binary(rw, "ShiftRightLogical", first, 2)
    elif parameter.element_bits > own:
        start = binary(rw, "IMul", start, parameter.element_bits // own)
    state.starts[view] = start
    return view


@converts(gpux.FirstByteOp)
def convert_first_byte(op_: gpux.FirstByteOp, operands: Operands, rw: Rewriter) -> Results:
    """Known from where the parameter is."""
    ((view,),) = operands
    found = state_of(rw).first_bytes.get(view)
    if found is None:
        raise CannotConvert("the first byte of a view that is no parameter of packed elements")
    return as_index(rw, found)


def report_capacity(rw: Rewriter) -> SSAValue:
    """How many words of records the report buffer has room for."""
    block = state_of(rw).block
    return block.read(rw, block.grid + 3)


def report_buffer(rw: Rewriter) -> SSAValue:
    """The report buffer, as a view of words."""
    state = state_of(rw)
    if state.target.addresses:
        return state.block.read(rw, state.block.grid + 4)
    binding = state.block.binding - 1
    return global_variable(rw, REPORT, buffer_type(state.target, i32), binding=binding)


def global_variable(
    rw: Rewriter,
    name: str,
    kind: Attribute,
    *,
    binding: int | None = None,
    builtin: str | None = None,
    readonly: bool = False,
) -> SSAValue:
    """The address of a global of the module, which is made when it is first asked for."""
    state = state_of(rw)
    if not isinstance(kind, spirv.PointerType):
        raise CannotConvert(f"a global of type {kind}")
    if name not in state.names:
        state.names.add(name)
        place = None if binding is None else (0, binding)
        made = spirv.GlobalVariableOp.define(name, kind, binding=place, built_in=builtin)
        if readonly:
            made.attributes["non_writable"] = UnitAttr()
        state.declare(made)
    symbol = SymbolRefAttr(name)
    return once(rw, symbol, lambda: rw.value(spirv.AddressOfOp, (), kind, {"variable": symbol}))
