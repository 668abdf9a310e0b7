"""The shader level as a device: what grid-to-shader gives, run by the CPU.

    from oracles.shader_device import register

    device = register("sg4+int64")      # "shader-cpu:0", a device with these features

Kernels go down to the shader level for a set of features; from there on the way of the CPU is
taken, so that each emulation is executed. Parameters arrive in the slots that a launch packs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from oracles.simulated import forget
from xdsl.context import Context
from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    FixedBitwidthType,
    FunctionType,
    IndexType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    NoneAttr,
    StridedLayoutAttr,
    f32,
    i8,
    i32,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.passes import ModulePass

from stepwell import targets
from stepwell.dialects import gpu, gpux
from stepwell.dialects.gpu_matrix import (
    SubgroupMmaLoadMatrixOp,
    SubgroupMmaStoreMatrixOp,
    matrix_type,
)
from stepwell.dialects.gpux_matrix import MatrixLoadOp, MatrixStoreOp
from stepwell.lowering.emit.machine import host_machine
from stepwell.lowering.math.calculator import Calculator
from stepwell.lowering.memref_views import as_memref
from stepwell.lowering.pipeline import Pipeline
from stepwell.lowering.pipelines import pipeline
from stepwell.lowering.route import CheckLevel
from stepwell.passes.utils.block_editing import constant, erase
from stepwell.runtime import devices
from stepwell.runtime.cpu import CpuDevice
from stepwell.runtime.device import Device

KIND = "shader-cpu"
FEATURES = os.environ.get("STEPWELL_TEST_SHADER_FEATURES", "sg4")


@dataclass(frozen=True)
class ShaderTarget(targets.Target):
    """The CPU's target by way of the shader level."""

    def pipeline(self, start: str, end: str) -> Pipeline:
        """The passes between two of the levels simt, gpu, shader, cpu, llvm."""
        ways = (
            ("gpu", pipeline("simt-to-gpu")),
            ("shader", pipeline("gpu-to-grid") + pipeline("grid-to-shader", arch=self.arch)),
            ("cpu", Pipeline((CheckLevel("shader"), ShaderToCpu()))
             + pipeline("gpu-to-cpu", subgroup_size=self.subgroup_size())),
            ("llvm", pipeline("cpu-to-llvm", **host_machine().parameters)),
        )  # fmt: skip
        names = ["simt", *(name for name, _ in ways)]
        steps = Pipeline()
        for _, way in ways[names.index(start) : names.index(end)]:
            steps += way
        return steps


def register(features: str = FEATURES) -> ShaderDevice:
    """Make a device with these features known; the device."""
    cpu = targets.find_target("cpu")
    given: dict[str, Any] = {field.name: getattr(cpu, field.name) for field in fields(cpu)}
    size = next((int(name[2:]) for name in features.split("+") if name.startswith("sg")), 4)
    given |= {"name": KIND, "arch": features, "subgroup_size": lambda: size}
    targets.TARGETS[KIND] = ShaderTarget(**given)
    devices.KINDS[KIND] = __name__
    found = devices.device(KIND)
    assert isinstance(found, ShaderDevice), "the kind was registered with this module"
    return found


def unregister() -> None:
    """Make the device and its target unknown again."""
    forget(KIND)


def find() -> list[Device]:
    """The one device."""
    return [ShaderDevice()]


def why_missing() -> str | None:
    """It is always there."""
    return None


class ShaderDevice(CpuDevice):
    """The CPU under another name."""

    kind: ClassVar[str] = KIND
    features = (CpuDevice.features | {"simulated"}) - (set() if "float64" in FEATURES else {"f64"})

    def __init__(self) -> None:
        super().__init__()
        self.name = f"{KIND}:0"


@dataclass(frozen=True)
class ShaderToCpu(ModulePass):
    """Gives kernels of the shader level the CPU's parameters: no size beside a buffer."""

    name = "shader-to-cpu"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [inner for inner in op.walk() if isinstance(inner, gpu.FuncOp)]:
            for access in [o for o in kernel.walk() if isinstance(o, MatrixLoadOp | MatrixStoreOp)]:
                with_rows(access)
            without_sizes(kernel)


def with_rows(access: MatrixLoadOp | MatrixStoreOp) -> None:
    """An access of a matrix in a view whose rows are those of the matrix, which the CPU can do."""
    is_load = isinstance(access, MatrixLoadOp)
    kind = matrix_type(access.result if is_load else access.value)
    array = as_memref(access.array.type)
    rows, columns = kind.shape if access.transpose is None else kind.shape[::-1]
    layout = StridedLayoutAttr([NoneAttr(), 1], NoneAttr())
    view = memref.ReinterpretCastOp(
        access.array,
        [access.at],
        [],
        [access.stride],
        DenseArrayBase.from_list(i64, [DYNAMIC_INDEX]),
        DenseArrayBase.from_list(i64, [rows, columns]),
        DenseArrayBase.from_list(i64, [DYNAMIC_INDEX, 1]),
        MemRefType(array.element_type, [rows, columns], layout, array.memory_space),
    )
    zero = constant(IndexType(), 0, access.location)
    properties: dict[str, Attribute] = {"leadDimension": IntegerAttr(DYNAMIC_INDEX, IndexType())}
    if access.transpose is not None:
        properties["transpose"] = access.transpose
    before = [] if is_load else [access.value]
    made = (SubgroupMmaLoadMatrixOp if is_load else SubgroupMmaStoreMatrixOp).create(
        operands=[*before, view.results[0], zero.result, zero.result],
        result_types=[result.type for result in access.results],
        properties=properties,
        location=access.location,
    )
    block = access.parent
    assert block is not None, "an access stands in a block"
    block.insert_ops_before((zero, view, made), access)
    for old, new in zip(access.results, made.results, strict=True):
        old.replace_all_uses_with(new)
    erase(access)


def without_sizes(kernel: gpu.FuncOp) -> None:
    """Every buffer of the kernel gets a constant size, which the CPU does not pass."""
    first = kernel.entry.first_op
    assert first is not None, "a kernel ends in a terminator"
    zero = constant(i32, 0, kernel.location)
    kernel.entry.insert_op_before(zero, first)
    c = Calculator(zero, f32)
    old = list(kernel.parameters)
    words = kernel.attributes.pop("gpux.parameter_words", None)
    places: list[int] = list(range(0, 2 * len(old), 2))
    if isinstance(words, DenseArrayBase):
        places = [int(word) for word in words.get_values()]
    kinds = [slot_type(kernel, number, places) for number in range(len(old))]
    new: list[SSAValue] = []
    for number, (value, place) in enumerate(zip(old, places, strict=True)):
        if place % 2:  # the high word of the slot before
            high = c.number(new[-1]).shifted_out(32)
            value.replace_all_uses_with(c.op_of(arith.TruncIOp, (high,), i32).value)
            continue
        made = kernel.entry.insert_arg(kinds[number], len(new))
        new.append(made)
        if made.type == value.type or value.type.name == MemRefType.name:
            as_buffer(c, value, made)
        else:
            value.replace_all_uses_with(c.op_of(arith.TruncIOp, (c.number(made),), i32).value)
    for value in old:
        kernel.entry.erase_arg(value)  # pyright: ignore[reportArgumentType]
    kernel.properties.pop("arg_attrs", None)
    inputs = [argument.type for argument in new]
    kernel.properties["function_type"] = FunctionType.from_lists(inputs, [])


def slot_type(kernel: gpu.FuncOp, number: int, places: list[int]) -> Attribute:
    """What the CPU passes for a parameter."""
    value = kernel.parameters[number]
    if value.type.name != MemRefType.name:
        is_half = number + 1 < len(places) and places[number + 1] % 2 == 1
        return i64 if is_half else value.type
    kind = as_memref(value.type)
    assert kind.get_shape() == (DYNAMIC_INDEX,), "a buffer has no known size at this level"
    element = kind.element_type
    if kernel.arg_attrs is not None:
        passed = kernel.arg_attrs.data[number].data.get("gpux.element")
        if isinstance(passed, FixedBitwidthType) and passed.bitwidth <= 16 and element == i32:
            element = i8
    return MemRefType(element, [1], NoneAttr(), kind.memory_space)


def as_buffer(c: Calculator, value: SSAValue, made: SSAValue) -> None:
    """The CPU's buffer in place of the shader's; words of smaller elements begin at a word."""
    if made.type == value.type or as_memref(made.type).element_type != i8:
        value.replace_all_uses_with(made)
        return
    if as_memref(value.type).element_type == i8:
        value.replace_all_uses_with(made)
        return
    pointer = memref.ExtractAlignedPointerAsIndexOp.get(made)
    byte = c.number(c.add(pointer).results[0]) & 3
    zero = c.like(0, byte)
    words = memref.ViewOp(made, (zero - byte).value, [zero.value], as_memref(value.type))
    c.add(words)
    for use in list(value.uses):
        if isinstance(use.operation, gpux.FirstByteOp):
            use.operation.result.replace_all_uses_with(byte.value)
            use.operation.detach()
            use.operation.erase()
    value.replace_all_uses_with(words.result)
