"""Kernels: parameters, shared and dynamic shared memory, attributes that ptxas reads.

    gpu.func @k(%x: memref<?xf32, global>) workgroup(%s: memref<64xf32, workgroup>) kernel
        attributes {known_block_size = array<i32: 64, 1, 1>}

    llvm.mlir.global internal @k_shared_0() {addr_space = 3} : !llvm.array<64 x f32>
    llvm.func ptx_kernelcc @k(%x: !llvm.ptr<1> {llvm.align = 4}, %n: i64, %report: !llvm.ptr<1>)
        attributes {gpux.kernel, passthrough = [["nvvm.reqntid", "64,1,1"]]}

A parameter in PTX for each of a view's parts: pointer, dynamic sizes, dynamic strides; a bool is a
byte; the extents of an `over` launch; last the report buffer, if the kernel can report. In the
order of the slots that the host packs.

Of an array whose rows are aligned (`gpux.aligned_rows`) LLVM is told so: how far it is from row to
row is a number whose last bits are 0.

    %n1 = llvm.and %x_size1, -4      // f32, rows at multiples of 16 bytes
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    IntegerAttr,
    MemRefType,
    SymbolRefAttr,
    UnitAttr,
    i1,
    i8,
    i32,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ...dialects import gpu, gpux, llvm, marks
from ...dialects.nvvm import NvvmOp
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..emit.ptx import DYNAMIC_SHARED
from ..emit.symbols import ptx_symbol
from ..memref_views import AnyMemRef, ViewParts, as_memref, strides_of
from ..to_llvm.memref_address import alignment_of, stored_type
from ..to_llvm.target import State, const, icmp, resize
from .ids import register
from .target import sm_of

RULES = Rules()
converts = RULES.converts

MOST_THREADS = 1024
SHARED_ALIGNMENT = 16
MATRIX_OPS = ("gpu.subgroup_mma_", "nvvm.wmma.")
MATRIX_ALIGNMENT = 32
BOX_ALIGNMENT = 128  # of whatever a tensor copy may write
TILE_ALIGNMENT = 1024


@converts(gpu.FuncOp)
def convert_kernel(op: gpu.FuncOp, operands: Operands, rw: Rewriter) -> Results:
    """The entry that a launch calls."""
    if not op.is_kernel:
        raise CannotConvert("is not a kernel (inline helpers first)")
    state: State = rw.state
    reports = any(isinstance(inner, gpux.ReportOp) for inner in op.walk())
    arrays, private = op.workgroup, op.private
    old = list(op.parameters)
    body = op.body
    name = ptx_symbol(op.sym_name.data)
    _check_grid_constants(op)
    inputs, words = _signature(rw, op)
    if reports:
        inputs.append(llvm.PointerType(state.target.report_space))
        words.append({})
    entry = op.entry
    first = entry.first_op
    assert first is not None, "a kernel ends in a terminator"
    ends = _alignments(op)
    globals_ = [
        _shared_array(rw, f"{name}_shared_{n}", value, ends) for n, value in enumerate(arrays)
    ]
    rw.before(first)
    for value, symbol in zip(arrays, globals_, strict=True):
        pointer = rw.types(value.type)[0]
        place = rw.value(llvm.AddressOfOp, (), pointer, {"global_name": SymbolRefAttr(symbol)})
        rw.replace(value, place)
    for value in private:
        rw.replace(value, _private_array(rw, value))
    _replace_parameters(rw, entry, old, inputs, _attributes(op))
    op.detach_region(body)
    made_op = llvm.FuncOp.define(
        name,
        llvm.FunctionType(inputs),
        convention="ptx_kernelcc",
        passthrough=("nounwind", *_launch_bounds(op), *_launch_attributes(op, rw)),
        arg_attrs=words,
        body=body,
    )
    made_op.attributes[marks.KERNEL] = UnitAttr()
    made_op.location = op.location
    assert op.parent is not None, "a kernel stands in a module"
    op.parent.insert_op_before(made_op, op)
    rw.created.append(made_op)
    state.functions[name] = made_op
    return None


def view_type(value: SSAValue) -> AnyMemRef:
    """The type of a value that is a memref."""
    return as_memref(value.type)


def _signature(
    rw: Rewriter, op: gpu.FuncOp
) -> tuple[list[Attribute], list[Mapping[str, Attribute]]]:
    """The types of the entry's parameters, and their attributes: a memref's go to its pointer."""
    inputs: list[Attribute] = []
    words: list[Mapping[str, Attribute]] = []
    none: Mapping[str, Attribute] = {}
    rows = _attributes(op)
    for number, value in enumerate(op.parameters):
        kinds = [i8 if kind == i1 else kind for kind in rw.types(value.type)]
        inputs += kinds
        given = dict(rows[number] if rows else none)
        given.pop(marks.ALIGNED_ROWS, None)
        if isinstance(value.type, MemRefType):
            element = stored_type(rw, view_type(value))
            given.setdefault("llvm.align", llvm.number(alignment_of(element)))
        words += [given, *(none for _ in kinds[1:])]
    return inputs, words


def _attributes(op: gpu.FuncOp) -> list[Mapping[str, Attribute]]:
    """Those of each parameter, or none at all."""
    return [row.data for row in op.arg_attrs.data] if op.arg_attrs is not None else []


def _align_rows(
    rw: Rewriter, kind: AnyMemRef, words: list[SSAValue], given: Mapping[str, Attribute]
) -> list[SSAValue]:
    """A parameter's words, with 0 as the last bits of those that tell how far it is to a row."""
    align = given.get("llvm.align")
    if not isinstance(align, IntegerAttr):
        raise CannotConvert(f"{marks.ALIGNED_ROWS} without llvm.align, which says how far")
    multiple = align.value.data // alignment_of(stored_type(rw, kind))
    parts = ViewParts(kind, words[1:])
    steps = parts.sizes[1:][-1:] if parts.strides is None else parts.strides[:-1]
    if multiple < 2:
        return words
    return [
        rw.value(llvm.AndOp, (word, const(rw, -multiple, word.type)), word.type)
        if word in steps
        else word
        for word in words
    ]


def _replace_parameters(
    rw: Rewriter,
    entry: Block,
    old: list[SSAValue],
    inputs: list[Attribute],
    attributes: list[Mapping[str, Attribute]],
) -> None:
    """New arguments of the entry block in place of all old ones."""
    names = [value.name_hint for value in old]
    entry._args = ()  # pyright: ignore[reportPrivateUsage]  # the old ones are keys of a mapping
    new = [entry.insert_arg(kind, position) for position, kind in enumerate(inputs)]
    rest = iter(new)
    for number, (value, name) in enumerate(zip(old, names, strict=True)):
        group: list[SSAValue] = []
        for kind in rw.types(value.type):
            given: SSAValue = next(rest)
            given.name_hint = name
            group.append(icmp(rw, "ne", given, 0) if kind == i1 else given)
        if attributes and marks.ALIGNED_ROWS in attributes[number]:
            group = _align_rows(rw, view_type(value), group, attributes[number])
        rw.replace(value, group)
    for report in rest:
        report.name_hint = "report"


def _launch_bounds(op: gpu.FuncOp) -> list[tuple[str, str]]:
    """The block size where it is known; else registers must do for the largest block."""
    size = op.known_block_size
    if size is not None:
        if prod(size) > MOST_THREADS:
            raise CannotConvert(f"a block of {prod(size)} threads, expected at most {MOST_THREADS}")
        return [("nvvm.reqntid", ",".join(map(str, size)))]
    return [("nvvm.maxntid", str(MOST_THREADS))]


# Upstream's attributes of kernels: LLVM's name, how many numbers, the least architecture.
_ATTRIBUTES = {
    "nvvm.minctasm": ("nvvm.minctasm", 1, 75),
    "nvvm.maxnreg": ("nvvm.maxnreg", 1, 75),
    "nvvm.cluster_dim": ("nvvm.cluster_dim", 3, 90),
    "nvvm.cluster_max_blocks": ("nvvm.maxclusterrank", 1, 90),
}


def _launch_attributes(op: gpu.FuncOp, rw: Rewriter) -> list[tuple[str, str]]:
    """What ptxas reads beside the block size: blocks for each multiprocessor, clusters."""
    found: list[tuple[str, str]] = []
    for name, value in op.attributes.items():
        if not name.startswith("nvvm."):
            continue
        if name not in _ATTRIBUTES:
            raise CannotConvert(f"the attribute {name}, expected one of {', '.join(_ATTRIBUTES)}")
        word, count, least = _ATTRIBUTES[name]
        numbers = _numbers(value)
        if len(numbers) != count or min(numbers) < 1:
            wanted = "a positive number" if count == 1 else f"{count} positive numbers"
            raise CannotConvert(f"{name} is {value}, expected {wanted}")
        if sm_of(rw) < least:
            raise CannotConvert(f"{name} needs sm_{least} or later")
        found.append((word, ",".join(map(str, numbers))))
    return found


def _numbers(value: Attribute) -> list[int]:
    if isinstance(value, IntegerAttr):
        return [value.value.data]
    if isinstance(value, DenseArrayBase):
        return [int(number) for number in value.get_values()]
    return []


def _check_grid_constants(op: gpu.FuncOp) -> None:
    """A `nvvm.grid_constant` is a pointer to a copy in the parameters, whose type is known."""
    rows = op.arg_attrs.data if op.arg_attrs is not None else ()
    for value, row in zip(op.parameters, rows, strict=False):
        if "nvvm.grid_constant" not in row.data:
            continue
        if not isinstance(value.type, llvm.PointerType) or "llvm.byval" not in row.data:
            raise CannotConvert(
                f"nvvm.grid_constant on a parameter of type {value.type}, expected an !llvm.ptr "
                "with llvm.byval"
            )


def _shared_array(rw: Rewriter, name: str, value: SSAValue, ends: tuple[int, int]) -> str:
    """A variable in shared memory for a workgroup attribution; its name."""
    kind = as_memref(value.type)
    if DYNAMIC_INDEX in kind.get_shape() or strides_of(kind) is not None:
        raise CannotConvert(f"a shared array of type {kind}, expected constant sizes and no layout")
    element = stored_type(rw, kind)
    op = rw.op
    assert op is not None, "a kernel is being converted"
    rw.before(op)
    rw.insert(
        llvm.GlobalOp.define(
            name,
            llvm.ArrayType(prod(kind.get_shape()), element),
            space=3,
            alignment=_shared_alignment(kind, alignment_of(element), *ends),
        )
    )
    return name


def _alignments(root: Operation) -> tuple[int, int]:
    """Of small and of large arrays in shared memory: what tensor copies, swizzled tiles (256 to
    1024) and matrices ask for, where there may be any."""
    ops = list(root.walk())
    if any(isinstance(op, NvvmOp) and op.needs.sm >= 90 for op in ops):
        return BOX_ALIGNMENT, TILE_ALIGNMENT
    if any(op.name.startswith(MATRIX_OPS) for op in ops):
        return MATRIX_ALIGNMENT, MATRIX_ALIGNMENT
    return SHARED_ALIGNMENT, SHARED_ALIGNMENT


def _shared_alignment(kind: AnyMemRef, element: int, least: int, most: int) -> int:
    """As much as an array's size deserves: a swizzled tile is as large as its alignment."""
    nbytes = prod(kind.get_shape()) * element
    wanted = least if nbytes >= SHARED_ALIGNMENT else SHARED_ALIGNMENT
    while wanted < min(most, nbytes // 2 + 1):
        wanted *= 2
    return max(wanted, element)


def _private_array(rw: Rewriter, value: SSAValue) -> SSAValue:
    kind = as_memref(value.type)
    if DYNAMIC_INDEX in kind.get_shape() or strides_of(kind) is not None:
        raise CannotConvert(f"a private array of type {kind}, expected constant sizes")
    element = stored_type(rw, kind)
    properties: dict[str, Attribute] = {
        "elem_type": llvm.ArrayType(prod(kind.get_shape()), element),
        "alignment": llvm.number(max(16, alignment_of(element))),
    }
    return rw.value(llvm.AllocaOp, (const(rw, 1, i32),), rw.types(kind)[0], properties)


@converts(gpu.ReturnOp)
def convert_return(op: gpu.ReturnOp, operands: Operands, rw: Rewriter) -> Results:
    """The thread ends."""
    rw.create(llvm.ReturnOp)
    return None


@converts(gpu.DynamicSharedMemoryOp)
def convert_dynamic_shared(
    op: gpu.DynamicSharedMemoryOp, operands: Operands, rw: Rewriter
) -> Results:
    """The memory after the static arrays; a register knows its size."""
    state: State = rw.state
    kind = as_memref(op.view.type)
    pointer = rw.types(kind)[0]
    _declare_dynamic(state)
    name = {"global_name": SymbolRefAttr(DYNAMIC_SHARED)}
    place = rw.value(llvm.AddressOfOp, (), pointer, name)
    size = resize(rw, register(rw, "dynamic_smem_size"), state.target.index, signed=False)
    if kind.get_shape() != (DYNAMIC_INDEX,) or kind.element_type != i8:
        raise CannotConvert(f"dynamic shared memory of type {kind}, expected memref<?xi8>")
    return [[place, size]]


def _declare_dynamic(state: State) -> None:
    for op in state.module.body.block.ops:
        if isinstance(op, llvm.GlobalOp) and op.text_property("sym_name") == DYNAMIC_SHARED:
            return
    declared = llvm.GlobalOp.define(
        DYNAMIC_SHARED,
        llvm.ArrayType(0, i8),
        linkage="external",
        space=3,
        alignment=_alignments(state.module)[1],
    )
    first = state.module.body.block.first_op
    assert first is not None, "the module holds a kernel"
    state.module.body.block.insert_op_before(declared, first)
