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

from xdsl.context import Context
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    FunctionType,
    MemRefType,
    ModuleOp,
    NoneAttr,
)
from xdsl.passes import ModulePass

from stepwell import compiler
from stepwell.dialects import gpu
from stepwell.lowering.memref_views import as_memref
from stepwell.lowering.pipeline import Pipeline
from stepwell.lowering.pipelines import pipeline
from stepwell.lowering.route import CheckLevel
from stepwell.runtime import device as devices
from stepwell.runtime.cpu import CpuDevice
from stepwell.runtime.device import Device

KIND = "shader-cpu"
FEATURES = os.environ.get("STEPWELL_TEST_SHADER_FEATURES", "sg4")


@dataclass(frozen=True)
class ShaderTarget(compiler.Target):
    """The CPU's target by way of the shader level."""

    def pipeline(self, start: str, end: str) -> Pipeline:
        """The passes between two of the levels simt, gpu, shader, cpu, llvm."""
        ways = (
            ("gpu", pipeline("simt-to-gpu")),
            ("shader", pipeline("gpu-to-grid") + pipeline("grid-to-shader", arch=self.arch)),
            ("cpu", Pipeline((CheckLevel("shader"), ShaderToCpu()))
             + pipeline("gpu-to-cpu", subgroup_size=self.subgroup_size())),
            ("llvm", pipeline("cpu-to-llvm")),
        )  # fmt: skip
        names = ["simt", *(name for name, _ in ways)]
        steps = Pipeline()
        for _, way in ways[names.index(start) : names.index(end)]:
            steps += way
        return steps


def register(features: str = FEATURES) -> ShaderDevice:
    """Make a device with these features known; the device."""
    cpu = compiler.find_target("cpu")
    given: dict[str, Any] = {field.name: getattr(cpu, field.name) for field in fields(cpu)}
    size = next((int(name[2:]) for name in features.split("+") if name.startswith("sg")), 4)
    given |= {"name": KIND, "arch": features, "subgroup_size": lambda: size}
    compiler.TARGETS[KIND] = ShaderTarget(**given)
    devices.KINDS[KIND] = __name__
    found = devices.device(KIND)
    assert isinstance(found, ShaderDevice), "the kind was registered with this module"
    return found


def unregister() -> None:
    """Make the device and its target unknown again."""
    devices.KINDS.pop(KIND, None)
    devices.forget(KIND)
    compiler.TARGETS.pop(KIND, None)


def find() -> list[Device]:
    """The one device."""
    return [ShaderDevice()]


def why_missing() -> str | None:
    """It is always there."""
    return None


class ShaderDevice(CpuDevice):
    """The CPU under another name."""

    kind: ClassVar[str] = KIND
    features = CpuDevice.features | {"simulated"}

    def __init__(self) -> None:
        super().__init__()
        self.name = f"{KIND}:0"


@dataclass(frozen=True)
class ShaderToCpu(ModulePass):
    """Gives kernels of the shader level the CPU's parameters: no size beside a buffer."""

    name = "shader-to-cpu"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [inner for inner in op.walk() if isinstance(inner, gpu.FuncOp)]:
            without_sizes(kernel)


def without_sizes(kernel: gpu.FuncOp) -> None:
    """Every buffer of the kernel gets a constant size, which the CPU does not pass."""
    entry = kernel.entry
    for place, value in enumerate(kernel.parameters):
        if value.type.name != MemRefType.name:
            continue
        kind = as_memref(value.type)
        assert kind.get_shape() == (DYNAMIC_INDEX,), "a buffer has no known size at this level"
        one = MemRefType(kind.element_type, [1], NoneAttr(), kind.memory_space)
        new = entry.insert_arg(one, place)
        value.replace_all_uses_with(new)
        entry.erase_arg(entry.args[place + 1])
    inputs = [argument.type for argument in entry.args[: len(kernel.parameters)]]
    kernel.properties["function_type"] = FunctionType.from_lists(inputs, [])
