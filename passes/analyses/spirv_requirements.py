"""What each op of a spirv.module needs of a device: capabilities, extensions, a version.

`requirements(module)` lists needs with the op that has each. A need is met by one of several
capabilities, and, where the version of the module does not have it yet, by one of its extensions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Attribute, Operation

from ...dialects import spirv
from ...dialects.diagnostics import CompileError
from ...dialects.spirv.grammar import (
    Enumerant,
    Requirement,
    enumeration,
    instruction,
    instruction_aliases,
)
from ...dialects.spirv.kinds import bit_width, int_width, is_float, is_int, length_of, scalar_of
from ...dialects.walking import ops_of


class Need(NamedTuple):
    """One requirement, and the op that has it."""

    op: Operation
    requirement: Requirement


def capability(*names: str) -> Requirement:
    """A need of one of these capabilities."""
    return Requirement(capabilities=names)


def enumerant_needs(kind: str, name: str) -> Requirement:
    """What a value of an enumeration needs, with the extensions of its other names."""
    found = enumeration(kind)
    row: Enumerant | None = found.by_name.get(name)
    if row is None:
        raise CompileError(f"{name!r} is not a {kind} of SPIR-V")
    extensions = [
        extension
        for other in found.by_name.values()
        if other.value == row.value
        for extension in other.needs.extensions
    ]
    return row.needs._replace(extensions=tuple(dict.fromkeys(extensions)))


def requirements(module: spirv.ModuleOp, *, every_op: bool = False) -> Iterator[Need]:
    """All needs of a module; what ops of a class and types need once, or with `every_op` always."""
    for name, kind in (("addressing_model", "AddressingModel"), ("memory_model", "MemoryModel")):
        yield Need(module, enumerant_needs(kind, module.enum(name)))
    seen: dict[int, tuple[Attribute, bool]] = {}
    classes: set[type[Operation]] = set()
    for op in ops_of(module):
        op_class = op.__class__
        if op_class not in classes or op.properties or op.attributes:
            if not every_op:
                classes.add(op_class)
            for requirement in _op_needs(op):
                yield Need(op, requirement)
        arithmetic = op_class not in _MOVES_NARROW and op.name not in _CONVERTS_NARROW
        for value in (*op._operands, *op.results):  # pyright: ignore[reportPrivateUsage]  # hot
            kind = value.type
            before = seen.get(id(kind))
            if before is None or (arithmetic and not before[1]) or every_op:
                seen[id(kind)] = (kind, arithmetic)
                for requirement in type_needs(kind, arithmetic):
                    yield Need(op, requirement)


# --- types ----------------------------------------------------------------------------------------

# A narrow number that is only loaded, stored and converted needs access to it in memory, and no
# arithmetic.
_MOVES_NARROW = frozenset[type[Operation]](
    (
        *(spirv.LoadOp, spirv.StoreOp, spirv.AccessChainOp, spirv.PtrAccessChainOp),
        *(spirv.InBoundsAccessChainOp, spirv.AddressOfOp, spirv.CopyMemoryOp),
    )
)
_CONVERTS_NARROW = frozenset(("spirv.FConvert", "spirv.SConvert", "spirv.UConvert"))
_SCALARS = {
    ("int", 8): "Int8", ("int", 16): "Int16", ("int", 64): "Int64",
    ("float", 16): "Float16", ("float", 64): "Float64",
}  # fmt: skip
_ACCESSES = {
    8: {
        "StorageBuffer": "StorageBuffer8BitAccess",
        "PhysicalStorageBuffer": "StorageBuffer8BitAccess",
        "Uniform": "UniformAndStorageBuffer8BitAccess",
        "PushConstant": "StoragePushConstant8",
    },
    16: {
        "StorageBuffer": "StorageBuffer16BitAccess",
        "PhysicalStorageBuffer": "StorageBuffer16BitAccess",
        "Uniform": "UniformAndStorageBuffer16BitAccess",
        "PushConstant": "StoragePushConstant16",
        "Input": "StorageInputOutput16",
        "Output": "StorageInputOutput16",
    },
}


def type_needs(kind: Attribute, arithmetic: bool = True) -> Iterator[Requirement]:
    """What a type needs; `arithmetic`: whether values of narrow numbers are computed with."""
    if isinstance(kind, spirv.PointerType):
        yield enumerant_needs("StorageClass", kind.storage_class)
        yield from _memory_needs(kind.pointee, kind.storage_class)
        return
    for scalar in parts(kind):
        name = _SCALARS.get(("int" if is_int(scalar) else "float", _width(scalar)))
        if name is not None and (arithmetic or _width(scalar) > 16):
            yield capability(name)
    if length_of(kind) > 4:
        yield capability("Vector16")
    if isinstance(kind, spirv.MatrixType):
        yield capability("Matrix")
    if isinstance(kind, spirv.CooperativeMatrixType):
        yield instruction("TypeCooperativeMatrixKHR").needs
    if isinstance(kind, spirv.RuntimeArrayType):
        yield capability("Shader")


def _memory_needs(pointee: Attribute, storage: str) -> Iterator[Requirement]:
    for scalar in parts(pointee):
        width = _width(scalar)
        access = _ACCESSES.get(width, {}).get(storage)
        if access is not None:
            yield capability(access)
        elif (name := _SCALARS.get(("int" if is_int(scalar) else "float", width))) is not None:
            yield capability(name)
    for pointer in _pointers(pointee):
        yield from type_needs(pointer)


def _pointers(kind: Attribute) -> Iterator[Attribute]:
    if isinstance(kind, spirv.PointerType):
        yield kind
    elif isinstance(kind, (spirv.ArrayType, spirv.RuntimeArrayType)):
        yield from _pointers(kind.element)
    elif isinstance(kind, spirv.StructType):
        for member in kind.types:
            yield from _pointers(member)


def _width(scalar: Attribute) -> int:
    return bit_width(scalar) if is_float(scalar) else int_width(scalar)


def parts(kind: Attribute) -> Iterator[Attribute]:
    """The scalar types in a type, without what pointers point to."""
    if isinstance(kind, spirv.StructType):
        for member in kind.types:
            yield from parts(member)
    elif isinstance(kind, (spirv.ArrayType, spirv.RuntimeArrayType)):
        yield from parts(kind.element)
    elif isinstance(kind, spirv.MatrixType):
        yield from parts(kind.column)
    elif not isinstance(kind, spirv.PointerType):
        yield scalar_of(kind)


# --- ops ------------------------------------------------------------------------------------------


def _op_needs(op: Operation) -> Iterator[Requirement]:
    if isinstance(op, spirv.RowOp):
        yield from _row_needs(op)
    elif (special := _SPECIAL.get(type(op))) is not None:
        yield from special(op)
    if isinstance(op, spirv.SpirvOp):
        for name, value in (*op.properties.items(), *op.attributes.items()):
            yield from _attribute_needs(op, name, value)


def _attribute_needs(op: spirv.SpirvOp, name: str, value: Attribute) -> Iterator[Requirement]:
    if isinstance(value, spirv.EnumAttr):
        if name == "group_operation":
            return  # which capability a reduction needs is the op's choice
        for word in value.names:
            yield enumerant_needs(value.kind, word)
        if name == "memory_scope" and value.data == "Device" and _has_vulkan_model(op):
            yield capability("VulkanMemoryModelDeviceScope")
    elif name == "built_in" and isinstance(value, StringAttr):
        yield enumerant_needs("BuiltIn", value.data)
    elif "." not in name:
        decoration = spirv.decoration_name(name)
        if decoration is not None and name not in op.properties:
            yield enumerant_needs("Decoration", decoration)


def _has_vulkan_model(op: Operation) -> bool:
    parent: Operation | None = op
    while parent is not None and not isinstance(parent, spirv.ModuleOp):
        parent = parent.parent_op()
    return isinstance(parent, spirv.ModuleOp) and parent.enum("memory_model") == "Vulkan"


def _row_needs(op: spirv.RowOp) -> Iterator[Requirement]:
    name = op.instruction()
    if name.startswith("GLSL:"):
        yield capability("Shader")
        return
    needs = instruction(name).needs
    extensions = (e for alias in instruction_aliases(name) for e in alias.needs.extensions)
    needs = needs._replace(extensions=tuple(dict.fromkeys(extensions)))
    choose = _CHOICES.get(name) or next(
        (found for prefix, found in _PREFIXES.items() if name.startswith(prefix)), None
    )
    if choose is not None:
        needs = choose(op, needs)
    yield needs
    if name.endswith(("Dot", "DotAccSat")) and name != "Dot":
        yield _dot_input(op)


def _float_atomic(suffix: str) -> Callable[[spirv.RowOp, Requirement], Requirement]:
    def choose(op: spirv.RowOp, needs: Requirement) -> Requirement:
        width = bit_width(op.results[0].type)
        return needs._replace(capabilities=(f"AtomicFloat{width}{suffix}EXT",), extensions=())

    return choose


def _integer_atomic(op: spirv.RowOp, needs: Requirement) -> Requirement:
    kind = cast("spirv.PointerType", op.operands[0].type).pointee
    return needs._replace(capabilities=("Int64Atomics",)) if int_width(kind) == 64 else needs


def _reduction(op: spirv.RowOp, needs: Requirement) -> Requirement:
    kind = "Clustered" if op.enum("group_operation") == "ClusteredReduce" else "Arithmetic"
    return needs._replace(capabilities=(f"GroupNonUniform{kind}",))


def _pointer_conversion(op: spirv.RowOp, needs: Requirement) -> Requirement:
    kinds = (op.operands[0].type, op.results[0].type)
    physical = any(
        isinstance(kind, spirv.PointerType) and kind.storage_class == "PhysicalStorageBuffer"
        for kind in kinds
    )
    return capability("PhysicalStorageBufferAddresses" if physical else "Addresses")


def _dot_input(op: spirv.RowOp) -> Requirement:
    kind = op.operands[0].type
    if "format" in op.properties:
        return capability("DotProductInput4x8BitPacked")
    small = length_of(kind) == 4 and bit_width(kind) == 8
    return capability("DotProductInput4x8Bit" if small else "DotProductInputAll")


_CHOICES: dict[str, Callable[[spirv.RowOp, Requirement], Requirement]] = {
    "AtomicFAddEXT": _float_atomic("Add"),
    "AtomicFMinEXT": _float_atomic("MinMax"),
    "AtomicFMaxEXT": _float_atomic("MinMax"),
    "ConvertPtrToU": _pointer_conversion,
    "ConvertUToPtr": _pointer_conversion,
    **{
        f"GroupNonUniform{name}": _reduction
        for name in (
            *("IAdd", "IMul", "SMin", "UMin", "SMax", "UMax", "FAdd", "FMul", "FMin", "FMax"),
            *("BitwiseAnd", "BitwiseOr", "BitwiseXor", "LogicalAnd", "LogicalOr", "LogicalXor"),
        )
    },
}
_PREFIXES = {"Atomic": _integer_atomic}


def _variable_needs(op: spirv.GlobalVariableOp) -> Iterator[Requirement]:
    yield from type_needs(op.type)


def _function_needs(op: spirv.FuncOp) -> Iterator[Requirement]:
    if "linkage_attributes" in op.properties:
        yield capability("Linkage")
    for kind in (*op.type.inputs.data, *op.type.outputs.data):
        yield from type_needs(kind)


def _spec_constant_needs(op: spirv.SpecConstantOp) -> Iterator[Requirement]:
    yield from type_needs(op.type)


def _chain_needs(op: spirv.PtrAccessChainOp) -> Iterator[Requirement]:
    storage = cast("spirv.PointerType", op.operands[0].type).storage_class
    yield capability(
        {
            "PhysicalStorageBuffer": "PhysicalStorageBufferAddresses",
            "StorageBuffer": "VariablePointersStorageBuffer",
            "Workgroup": "VariablePointers",
        }.get(storage, "Addresses")
    )


def _instruction_needs(op: Operation) -> Iterator[Requirement]:
    yield instruction(_INSTRUCTIONS[type(op)]).needs


_INSTRUCTIONS: dict[type[Operation], str] = {
    spirv.ArrayLengthOp: "ArrayLength",
    spirv.ExecutionModeIdOp: "ExecutionModeId",
    spirv.CooperativeMatrixLoadOp: "CooperativeMatrixLoadKHR",
    spirv.CooperativeMatrixStoreOp: "CooperativeMatrixStoreKHR",
    spirv.CooperativeMatrixLengthOp: "CooperativeMatrixLengthKHR",
}
_SPECIAL: dict[type[Operation], Callable[[Any], Iterator[Requirement]]] = {
    spirv.GlobalVariableOp: _variable_needs,
    spirv.FuncOp: _function_needs,
    spirv.SpecConstantOp: _spec_constant_needs,
    spirv.PtrAccessChainOp: _chain_needs,
    spirv.InBoundsPtrAccessChainOp: _chain_needs,
    **dict.fromkeys(_INSTRUCTIONS, _instruction_needs),
}
