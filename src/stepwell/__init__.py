"""One kernel, many levels, every device.

`@kernel` makes a Python function a kernel; inside it the names below say which thread this is, what
threads share and how they work together. Nothing of the compiler is loaded before it is needed.
"""

from __future__ import annotations

from .dialects.diagnostics import CompileError
from .language.intrinsics import (
    all,
    any,
    atomic_add,
    atomic_and_,
    atomic_compare_exchange,
    atomic_exchange,
    atomic_max,
    atomic_min,
    atomic_or_,
    atomic_sub,
    atomic_xor,
    ballot,
    barrier,
    block_dim,
    block_id,
    broadcast,
    global_id,
    global_size,
    grid_dim,
    lane_id,
    local,
    shared,
    shuffle,
    shuffle_down,
    shuffle_up,
    shuffle_xor,
    subgroup_exclusive_add,
    subgroup_id,
    subgroup_inclusive_add,
    subgroup_reduce_add,
    subgroup_reduce_and_,
    subgroup_reduce_max,
    subgroup_reduce_min,
    subgroup_reduce_mul,
    subgroup_reduce_or_,
    subgroup_reduce_xor,
    subgroup_size,
    thread_id,
    unroll,
)
from .language.types import (
    Array,
    Const,
    bf16,
    bool_,
    f16,
    f32,
    f64,
    i8,
    i16,
    i32,
    i64,
    index,
    u8,
    u16,
    u32,
    u64,
)
from .kernel import Kernel, Launch, LoadedProgram, compile, kernel, load
from .runtime.array import DeviceArray
from .runtime.artifact import Artifact
from .runtime.device import Device, device, devices, use
from .runtime.errors import (
    AssertionFailed,
    DeviceError,
    DivisionByZero,
    KernelError,
    OutOfBounds,
)

__version__ = "0.1.0"
