"""flatten-memrefs: every access goes to a one-dimensional array, at an index that is computed.

    gpu.func @k(%x: memref<?x?xf32, global>) {     gpu.func @k(%x: memref<?xf32, global>,
                                                               %x_size0: index, %x_size1: index) {
      %row = memref.subview %x[%i, 0] [1, %n]        %at = arith.muli %i, %x_size1
      %v = memref.load %row[%j]                      %j2 = arith.addi %at, %j
      …                                              %v = memref.load %x[%j2] : memref<?xf32, …>

A view becomes the array that it is in, the index of its first element, its dynamic sizes, its
dynamic strides. Where control flow chooses between views, these numbers are what is chosen; where
it chooses between arrays, `share_bases` makes a number of the array too. Private arrays are moved
to where the kernel begins. Of dynamic workgroup memory there is one array for each element type.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from math import prod

from xdsl.context import Context
from xdsl.dialects import arith, func, memref, scf
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    FixedBitwidthType,
    FunctionType,
    MemRefType,
    ModuleOp,
    NoneAttr,
    i32,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects import gpu, gpux
from ...passes.utils.block_editing import constant_value
from ..conversion import (
    CannotConvert,
    Legality,
    Operands,
    Results,
    Rewriter,
    Rules,
    TypeMap,
    Types,
    convert,
)
from ..memref_views import DYNAMIC, AnyMemRef, as_memref, kept_dimensions, mixed, strides_of
from .share_bases import share_bases
from .views import INDEX, View, add, known_size, multiply, value_of

# Few kernels have vectors, and the dialect takes 5 ms to import.
RULES = Rules(on_demand={"vector": lambda: import_module(".flatten_vectors", __package__).RULES})
converts = RULES.converts
MATRIX_OPS = ("gpu.subgroup_mma_", "memref.extract_aligned_pointer_as_index")
_NO_OPERANDS: dict[str, Attribute] = {"operandSegmentSizes": DenseArrayBase.from_list(i32, [0, 0])}


@dataclass(frozen=True)
class FlattenMemrefs(ModulePass):
    """Takes all views apart; raises one CompileError that lists what cannot be."""

    name = "flatten-memrefs"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        state = State(frozenset(_memrefs(op)))
        rules = RULES
        if any(inner.name.startswith(MATRIX_OPS) for inner in op.walk()):
            from . import flatten_matrices

            rules = Rules(RULES, flatten_matrices.RULES)
        types = TypeMap({MemRefType: _parts})
        convert(op, rules, Legality({}, state.is_new), types, "shader", state)
        for kernel in [inner for inner in op.walk() if isinstance(inner, gpu.FuncOp)]:
            share_bases(kernel)


@dataclass
class State:
    """The memrefs of before, which are to go, and what kernels have got of dynamic memory."""

    old: frozenset[SSAValue]
    bytes: dict[gpu.FuncOp, SSAValue] = field(default_factory=dict[gpu.FuncOp, SSAValue])
    views: dict[tuple[gpu.FuncOp, Attribute], SSAValue] = field(
        default_factory=dict[tuple[gpu.FuncOp, Attribute], SSAValue]
    )

    def is_new(self, op: Operation) -> bool:
        """Whether an op touches no memref of before."""
        if any(value in self.old for value in (*op.operands, *op.results)):
            return False
        blocks = [block for region in op.regions for block in region.blocks]
        return not any(argument in self.old for block in blocks for argument in block.args)


def _memrefs(module: ModuleOp) -> Iterator[SSAValue]:
    for op in module.walk():
        arguments = [a for region in op.regions for block in region.blocks for a in block.args]
        yield from (v for v in (*op.results, *arguments) if isinstance(v.type, MemRefType))


def _flat(kind: AnyMemRef) -> AnyMemRef:
    return MemRefType(kind.element_type, [DYNAMIC_INDEX], NoneAttr(), kind.memory_space)


def _parts(kind: MemRefType, types: Types) -> Sequence[Attribute]:
    sizes = [INDEX for size in kind.get_shape() if size == DYNAMIC]
    strides = [INDEX for stride in strides_of(kind) or () if stride is None]
    return [_flat(as_memref(kind)), INDEX, *sizes, *strides]


# --- views ----------------------------------------------------------------------------------------


def _view(op: Operation, operands: Operands, number: int = 0) -> View:
    return View(op.operands[number].type, operands[number])


@converts(memref.CastOp)
def convert_cast(op: memref.CastOp, operands: Operands, rw: Rewriter) -> Results:
    """The same memory, more or less of it known."""
    return [_view(op, operands).values(rw, op.results[0].type)]


@converts(memref.SubviewOp)
def convert_subview(op: memref.SubviewOp, operands: Operands, rw: Rewriter) -> Results:
    """The first element of the part, strides multiplied by the steps."""
    view = _view(op, operands)
    offsets, sizes, steps = mixed(op, operands)
    strides = view.all_strides(rw)
    kind = as_memref(op.results[0].type)
    kept = kept_dimensions(sizes, kind.get_shape())
    for start, stride in zip(offsets, strides, strict=True):
        view.offset = add(rw, view.offset, multiply(rw, start, stride))
    view.sizes = [sizes[d] for d in kept]
    view.strides = [multiply(rw, strides[d], steps[d]) for d in kept]
    return [view.values(rw, kind)]


@converts(memref.ReinterpretCastOp)
def convert_reinterpret(
    op: memref.ReinterpretCastOp, operands: Operands, rw: Rewriter
) -> Results:  # fmt: skip
    """The same memory with the sizes and strides that are given."""
    view = _view(op, operands)
    (offset,), view.sizes, view.strides = mixed(op, operands)
    view.offset = add(rw, view.offset, offset)
    return [view.values(rw, op.results[0].type)]


@converts(memref.DimOp)
def convert_dim(op: memref.DimOp, operands: Operands, rw: Rewriter) -> Results:
    """The size of a dimension; a dynamic dimension is looked up."""
    view = _view(op, operands)
    (index,) = operands[1]
    number = constant_value(index)
    if number is not None:
        if not 0 <= number < len(view.sizes):
            raise CannotConvert(f"dimension {number} of {view.kind}")
        return value_of(rw, view.sizes[number])
    result = value_of(rw, view.sizes[0])
    for dimension, size in enumerate(view.sizes[1:], start=1):
        build = arith.CmpiOp(index, value_of(rw, dimension), "eq")
        chosen = (rw.insert(build).result, value_of(rw, size), result)
        result = rw.value(arith.SelectOp, chosen, INDEX)
    return result


@converts(memref.ExtractStridedMetaDataOp)
def convert_metadata(
    op: memref.ExtractStridedMetaDataOp, operands: Operands, rw: Rewriter
) -> Results:
    """The array, where the view begins in it, sizes and strides."""
    view = _view(op, operands)
    sizes = [(value_of(rw, size),) for size in view.sizes]
    strides = [(value_of(rw, stride),) for stride in view.all_strides(rw)]
    start = (view.base, value_of(rw, 0))
    return [start, (value_of(rw, view.offset),), *sizes, *strides]


@converts(arith.SelectOp)
def convert_select(op: arith.SelectOp, operands: Operands, rw: Rewriter) -> Results:
    """One select for each part."""
    (condition,), yes, no = operands
    pairs = zip(yes, no, strict=True)
    return [[rw.value(arith.SelectOp, (condition, a, b), a.type) for a, b in pairs]]


RULES.retype(scf.IfOp, scf.ForOp, scf.WhileOp, scf.IndexSwitchOp, scf.YieldOp, scf.ConditionOp)


# --- accesses -------------------------------------------------------------------------------------


@converts(memref.LoadOp, memref.StoreOp, gpux.AtomicRMWOp, gpux.AtomicCASOp)
def convert_access(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """The same op on the array."""
    place = next(n for n, value in enumerate(op.operands) if isinstance(value.type, MemRefType))
    view = _view(op, operands, place)
    at = view.at(rw, [known_size(index) for (index,) in operands[place + 1 :]])
    values = [value for (value,) in operands[:place]]
    return rw.create(
        type(op),
        [*values, view.base, at],
        [result.type for result in op.results],
        properties=op.properties,
        attributes=op.attributes,
    )


# --- arrays ---------------------------------------------------------------------------------------


@converts(func.FuncOp, func.CallOp)
def refuse_helper(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Arrays are not passed to functions of a shader."""
    raise CannotConvert("a memref of a function that is not a kernel (inline helpers first)")


@converts(gpu.FuncOp)
def convert_kernel(op: gpu.FuncOp, operands: Operands, rw: Rewriter) -> Results:
    """Parameters in the order of their slots, attributions in one dimension."""
    state: State = rw.state
    entry = op.entry
    if not op.is_kernel:
        return refuse_helper(op, operands, rw)
    arrays = [_array_type(value) for value in (*op.workgroup, *op.private)]
    old, count = list(entry.args), len(op.parameters)
    made = [_slots(value) for value in old[:count]]
    inputs = [kind for kinds in made for kind, _ in kinds]
    entry._args = ()  # pyright: ignore[reportPrivateUsage]  # the old ones are keys of a mapping
    first = entry.first_op
    assert first is not None, "a kernel ends in a terminator"
    rw.before(first)
    for value, parts in zip(old[:count], made, strict=True):
        group = [_argument(entry, kind, name, value) for kind, name in parts]
        if value in state.old:
            group.insert(1, value_of(rw, 0))
        rw.replace(value, group)
    for value, kind in zip(old[count:], arrays, strict=True):
        array = _argument(entry, kind, value.name_hint, value)
        rw.replace(value, _as_base(rw, array, value))
    new = gpu.FuncOp.create(
        properties={**op.properties, "function_type": FunctionType.from_lists(inputs, [])},
        attributes=op.attributes,
        regions=[op.detach_region(op.body)],
        location=op.location,
    )
    if op.arg_attrs is not None:
        new.properties["arg_attrs"] = _arg_attrs(op.arg_attrs, made)
    assert op.parent is not None, "a kernel stands in a module"
    op.parent.insert_op_before(new, op)
    rw.created.append(new)
    return None


def _slots(value: SSAValue) -> list[tuple[Attribute, str | None]]:
    """The types and names of what is passed for one parameter."""
    name = value.name_hint
    if value.type.name != MemRefType.name:
        return [(value.type, name)]
    kind, prefix = as_memref(value.type), name or "buffer"
    sizes = [n for n, size in enumerate(kind.get_shape()) if size == DYNAMIC]
    strides = [n for n, stride in enumerate(strides_of(kind) or ()) if stride is None]
    return [
        (_flat(kind), name),
        *((INDEX, f"{prefix}_size{n}") for n in sizes),
        *((INDEX, f"{prefix}_stride{n}") for n in strides),
    ]


def _argument(entry: Block, kind: Attribute, name: str | None, old: SSAValue) -> SSAValue:
    made = entry.insert_arg(kind, len(entry.args))
    made.name_hint = name
    made.location = getattr(old, "location", made.location)
    return made


def _arg_attrs(
    old: ArrayAttr[DictionaryAttr], made: list[list[tuple[Attribute, str | None]]]
) -> ArrayAttr[DictionaryAttr]:
    nothing = DictionaryAttr({})
    return ArrayAttr(
        [
            given if n == 0 else nothing
            for given, group in zip(old, made, strict=True)
            for n in range(len(group))
        ]
    )


def _array_type(value: SSAValue) -> AnyMemRef:
    """The type in one dimension of an array of the block or the thread."""
    kind = as_memref(value.type)
    if DYNAMIC in kind.get_shape() or strides_of(kind) is not None:
        raise CannotConvert(f"an array of type {kind}, expected constant sizes and no layout")
    return MemRefType(kind.element_type, [prod(kind.get_shape())], NoneAttr(), kind.memory_space)


def _as_base(rw: Rewriter, array: SSAValue, old: SSAValue) -> list[SSAValue]:
    """An array of constant size as what views are made of."""
    base = rw.value(memref.CastOp, (array,), _flat(as_memref(old.type)))
    return [base, value_of(rw, 0)]


def _kernel(op: Operation) -> gpu.FuncOp:
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, gpu.FuncOp):
        parent = parent.parent_op()
    if parent is None:
        raise CannotConvert("stands outside a kernel (inline helpers first)")
    return parent


def _to_start(op: Operation, rw: Rewriter) -> gpu.FuncOp:
    """What follows is built where the kernel begins."""
    kernel = _kernel(op)
    first = kernel.entry.first_op
    assert first is not None, "a kernel ends in a terminator"
    rw.before(first)
    return kernel


@converts(memref.AllocaOp)
def convert_alloca(op: memref.AllocaOp, operands: Operands, rw: Rewriter) -> Results:
    """An array of the thread, at the start of the kernel."""
    kind = _array_type(op.results[0])
    _to_start(op, rw)
    properties = {**op.properties, **_NO_OPERANDS}
    array = rw.value(memref.AllocaOp, (), kind, properties)
    array.name_hint = op.results[0].name_hint
    return [_as_base(rw, array, op.results[0])]


@converts(gpu.DynamicSharedMemoryOp)
def convert_dynamic(op: gpu.DynamicSharedMemoryOp, operands: Operands, rw: Rewriter) -> Results:
    """The bytes, once for the kernel."""
    state: State = rw.state
    kernel = _to_start(op, rw)
    if kernel not in state.bytes:
        state.bytes[kernel] = rw.value(gpu.DynamicSharedMemoryOp, (), op.view.type)
    memory = state.bytes[kernel]
    _after(memory, rw)
    zero = value_of(rw, 0)
    return [[memory, zero, rw.value(memref.DimOp, (memory, zero), INDEX)]]


def _after(value: SSAValue, rw: Rewriter) -> None:
    """What follows is built behind the op that gives a value."""
    owner = value.owner
    assert isinstance(owner, Operation) and owner.next_op is not None, "more follows in the block"
    rw.before(owner.next_op)


@converts(memref.ViewOp)
def convert_view(op: memref.ViewOp, operands: Operands, rw: Rewriter) -> Results:
    """Bytes of dynamic workgroup memory as elements of another type."""
    bytes_ = _view(op, operands)
    ((shift,), *sizes) = operands[1:]
    source = bytes_.base
    if not isinstance(source.owner, gpu.DynamicSharedMemoryOp):
        raise CannotConvert("a view of bytes that are not dynamic workgroup memory")
    kind = as_memref(op.results[0].type)
    element = kind.element_type
    if not isinstance(element, FixedBitwidthType):
        raise CannotConvert(f"elements of type {element} have no size in memory")
    width = element.size
    start = add(rw, bytes_.offset, known_size(shift))
    if width > 1:
        start = (
            start // width
            if isinstance(start, int)
            else rw.value(arith.DivUIOp, (start, value_of(rw, width)), INDEX)
        )
    dynamic = [size for (size,) in sizes]
    return [[_typed(rw, _kernel(op), source, element), value_of(rw, start), *dynamic]]


def _typed(rw: Rewriter, kernel: gpu.FuncOp, memory: SSAValue, element: Attribute) -> SSAValue:
    """The kernel's dynamic memory as an array of one element type."""
    state: State = rw.state
    found = state.views.get((kernel, element))
    if found is not None:
        return found
    op = rw.op
    _after(memory, rw)
    assert isinstance(element, FixedBitwidthType), "the caller has asked"
    zero = value_of(rw, 0)
    count = rw.value(memref.DimOp, (memory, zero), INDEX)
    if element.size > 1:
        count = rw.value(arith.DivUIOp, (count, value_of(rw, element.size)), INDEX)
    kind = MemRefType(element, [DYNAMIC_INDEX], NoneAttr(), as_memref(memory.type).memory_space)
    made = state.views[kernel, element] = rw.value(memref.ViewOp, (memory, zero, count), kind)
    assert op is not None, "an op is being converted"
    rw.before(op)
    return made
