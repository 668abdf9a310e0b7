"""gpu-to-spirv: a kernel of the shader level becomes a module of the spirv dialect.

    gpu.module @m {                              spirv.module PhysicalStorageBuffer64 GLSL450 {
      gpu.func @k(%x: memref<?xf32, global>)       spirv.func @k() "None" {
          kernel {                                   %x = spirv.Load "PushConstant" …
        %i = gpu.thread_id x                         %t = spirv.Load "Input" %__LocalInvocationId
        %v = memref.load %x[%i]                      %p = spirv.AccessChain %x[%zero, %i]
        gpu.barrier                                  %v = spirv.Load "PhysicalStorageBuffer" %p
        …                                            spirv.ControlBarrier <Workgroup>, …

Before it, `grid-to-shader` has made every view 1-D and left only types that the profile has.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    IndexType,
    MemRefType,
    ModuleOp,
    SymbolRefAttr,
    VectorType,
    f16,
    i8,
    i16,
    i32,
    i64,
)
from xdsl.ir import Attribute
from xdsl.passes import ModulePass

from ...dialects import spirv
from ...passes.spirv_update_vce import derive_vce
from ..conversion import CannotConvert, Legality, Rules, TypeMap, Types, convert
from ..gpu_to_cpu.expand_matrices import MATRIX_OPS
from . import arith, casts, control, ids, kernel, math, memory, parameters, reports, subgroups
from .build import State, bits, element_type, like
from .parameters import buffer_type
from .target import SpirvTarget, target_for


def _vector_rules() -> Rules:
    from .vectors import RULES

    return RULES


RULES = Rules(
    *(arith.RULES, casts.RULES, control.RULES, ids.RULES, kernel.RULES, math.RULES),
    *(memory.RULES, parameters.RULES, reports.RULES, subgroups.RULES),
    on_demand={"vector": _vector_rules},
)
LEGALITY = Legality({"spirv": True, ModuleOp: True})
_NARROW: dict[Attribute, str] = {i8: "Int8", i16: "Int16", f16: "Float16"}
# Bytes. A matrix is loaded from multiples of 16 of them at most, and devices put the arrays of a
# block one behind the other.
ROOM = 16
_STORAGE = {"workgroup": "Workgroup", "private": "Function"}


@dataclass(frozen=True)
class GpuToSpirv(ModulePass):
    """Lowers the kernel of a module for a profile (see `target.py`); "" is the least one."""

    name = "gpu-to-spirv"
    arch: str = ""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Lowers everything, or raises one CompileError that lists what cannot be."""
        lower(op, target_for(self.arch))


def lower(module: ModuleOp, target: SpirvTarget) -> None:
    """Lowers the kernel of a module, in place."""
    with_matrices = any(op.name.startswith(MATRIX_OPS) for op in module.walk())
    rules, types = RULES, type_map(target, ROOM if with_matrices else 1)
    if with_matrices:
        from ...dialects.gpu_matrix import MmaMatrixType
        from . import matrices

        rules = Rules(RULES, matrices.RULES)
        types = TypeMap({**types.rules, MmaMatrixType: matrices.cooperative})
    convert(module, rules, LEGALITY, types, "spirv", State(target))
    for made in [op for op in module.body.block.ops if isinstance(op, spirv.ModuleOp)]:
        _name_inputs(made)
        made.properties["vce_triple"] = _requirements(made, target)


def _requirements(module: spirv.ModuleOp, target: SpirvTarget) -> spirv.VceAttr:
    """What the module needs. Who has narrow numbers also says that it computes with them: without
    that, not even a pointer to them may be cast."""
    version, capabilities, extensions = derive_vce(module, (1, target.minor)).data
    kinds = {result.type for op in module.walk() for result in op.results}
    kinds |= {kind.pointee for kind in kinds if isinstance(kind, spirv.PointerType)}
    more = [
        name
        for kind, name in _NARROW.items()
        if kind in kinds and target.has(name.lower()) and name not in capabilities
    ]
    return spirv.VceAttr.of(version, (*capabilities, *more), extensions)


def _name_inputs(module: spirv.ModuleOp) -> None:
    """The entry point lists its inputs, which are known when all of it is converted."""
    variables = [op for op in module.block.ops if isinstance(op, spirv.GlobalVariableOp)]
    inputs = [op.sym_name for op in variables if op.type.storage_class == "Input"]
    for op in module.block.ops:
        if isinstance(op, spirv.EntryPointOp):
            op.properties["interface"] = ArrayAttr(SymbolRefAttr(name) for name in inputs)


def type_map(target: SpirvTarget, room: int = 1) -> TypeMap:
    """An index is a word, or has 64 bits; a view is a pointer to an array of its elements.

    The arrays of a block take a multiple of `room` bytes each.
    """

    def view(kind: MemRefType, types: Types) -> Attribute:
        (element,) = types(kind.element_type)
        space = next((name for name in _STORAGE if name in str(kind.memory_space)), None)
        if space is None:
            return buffer_type(target, element)
        length = kind.get_shape()[0] if kind.get_num_dims() == 1 else DYNAMIC_INDEX
        if length == DYNAMIC_INDEX:
            raise CannotConvert(f"an array of type {kind}, expected one dimension and its size")
        if space == "workgroup":
            together = max(1, room * 8 // bits(element))
            length = -(-length // together) * together
        return spirv.PointerType(spirv.ArrayType(element, length), _STORAGE[space])

    def lanes(kind: VectorType, types: Types) -> Attribute:
        return like(kind, *types(element_type(kind)))

    index = i64 if target.wide_index else i32
    return TypeMap({IndexType: lambda kind, types: index, MemRefType: view, VectorType: lanes})
