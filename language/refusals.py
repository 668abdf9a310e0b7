"""What is not in the language, and what to write instead: one row for each kind of syntax."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..dialects.diagnostics import CompileError
    from .frame import Frame

STATEMENTS: dict[type[ast.stmt], tuple[str, str]] = {
    ast.Try: ("try", "nothing raises in a kernel; test the condition with if"),
    ast.With: ("with", "put the statements in line"),
    ast.AsyncWith: ("async with", "put the statements in line"),
    ast.AsyncFor: ("async for", "use for"),
    ast.AsyncFunctionDef: ("async def", "use def"),
    ast.Raise: ("raise", "use assert with a message; the launch raises AssertionFailed"),
    ast.Delete: ("del", "leave the variable; it costs nothing"),
    ast.Global: ("global", "store to an array parameter"),
    ast.Nonlocal: ("nonlocal", "return the new value and assign it where the function is called"),
    ast.Import: ("import", "import at the top of the file"),
    ast.ImportFrom: ("import", "import at the top of the file"),
    ast.ClassDef: ("class", "define the dataclass or NamedTuple outside the kernel"),
}
EXPRESSIONS: dict[type[ast.expr], tuple[str, str]] = {
    ast.ListComp: ("a list comprehension", "write a loop; sw.local(…) makes a small array"),
    ast.SetComp: ("a set comprehension", "write a loop"),
    ast.DictComp: ("a dict comprehension", "write a loop"),
    ast.GeneratorExp: ("a generator expression", "write a loop"),
    ast.List: ("a list", "use a tuple, or sw.local(…) for an array that can be changed"),
    ast.Set: ("a set", "use a tuple"),
    ast.Dict: ("a dict", "use a dataclass or a NamedTuple"),
    ast.Await: ("await", "threads wait for each other with sw.barrier()"),
    ast.Yield: ("yield", "store to an array"),
    ast.YieldFrom: ("yield from", "store to an array"),
    ast.Starred: ("a starred expression", "write the items out"),
    ast.Slice: ("a slice", "slices stand inside [ ] only"),
}

_CAS = "sw.atomic_compare_exchange(view, index, expected, desired)"
_EXCHANGE = "sw.atomic_exchange(view, index, value)"
_ORDER = 'sw.atomic_add(…, order="acq_rel"): atomics order what is around them'
_KERNEL = "sw.thread_id(0), sw.barrier(), … (`stepwell docs language`)"
# Names of CUDA, Numba, Triton and Taichi, and what kernels here write for them.
FOREIGN: dict[str, str] = {
    **dict.fromkeys(("cuda", "tl", "ti"), _KERNEL),
    **dict.fromkeys(("syncthreads", "__syncthreads", "debug_barrier"), "sw.barrier()"),
    "threadIdx": "sw.thread_id(0)",
    "blockDim": "sw.block_dim(0)",
    **dict.fromkeys(("blockIdx", "program_id"), "sw.block_id(0)"),
    **dict.fromkeys(("gridDim", "num_programs"), "sw.grid_dim(0)"),
    "grid": "sw.global_id(0)",
    "gridsize": "sw.global_size(0)",
    "laneid": "sw.lane_id()",
    **dict.fromkeys(("warpsize", "warpSize", "warp_size"), "sw.subgroup_size()"),
    **dict.fromkeys(("atomic_cas", "atomicCAS"), _CAS),
    **dict.fromkeys(("atomic_xchg", "atomic_exch", "atomicExch"), _EXCHANGE),
    "atomicAdd": "sw.atomic_add(view, index, value)",
    "atomicMin": "sw.atomic_min(view, index, value)",
    "atomicMax": "sw.atomic_max(view, index, value)",
    **dict.fromkeys(("shfl_sync", "__shfl_sync"), "sw.shuffle(value, lane)"),
    **dict.fromkeys(("shfl_xor_sync", "__shfl_xor_sync"), "sw.shuffle_xor(value, delta)"),
    **dict.fromkeys(("shfl_up_sync", "__shfl_up_sync"), "sw.shuffle_up(value, delta)"),
    **dict.fromkeys(("shfl_down_sync", "__shfl_down_sync"), "sw.shuffle_down(value, delta)"),
    **dict.fromkeys(("ballot_sync", "__ballot_sync"), "sw.ballot(predicate)"),
    **dict.fromkeys(("popc", "__popc", "popcll", "bit_count"), "sw.popcount(x)"),
    **dict.fromkeys(("clz", "__clz", "clzll"), "sw.leading_zeros(x)"),
    "ctz": "sw.trailing_zeros(x)",
    **dict.fromkeys(("ffs", "__ffs"), "sw.trailing_zeros(x) + 1, where x is not 0"),
    **dict.fromkeys(("mulhi", "__umulhi", "mul_hi", "umulhi"), "sw.multiply_high(a, b)"),
    **dict.fromkeys(("float_as_int", "__float_as_int", "bit_cast"), "sw.bitcast(x, sw.i32)"),
    **dict.fromkeys(("fence", "threadfence", "__threadfence"), _ORDER),
    **dict.fromkeys(("static_range", "static"), "sw.unroll(range(…))"),
    "constexpr": "sw.Const",
    **dict.fromkeys(("rsqrt", "rsqrtf"), "1 / math.sqrt(x)"),
    **dict.fromkeys(("sincos", "sincosf"), "math.sin(x), math.cos(x)"),
    **dict.fromkeys(("clamp", "saturate"), "min(max(x, low), high)"),
    **dict.fromkeys(("make_float2", "make_float3", "make_float4"), "a dataclass, or a tuple"),
    **dict.fromkeys(("printf", "device_print"), 'print(f"{x:.3f}")'),
}


def foreign_hint(name: str) -> str | None:
    """What a name of another language for kernels is here."""
    return f"write {FOREIGN[name]}" if name in FOREIGN else None


def refuse_statement(frame: Frame, node: ast.stmt) -> CompileError:
    """The error for a statement that has no handler."""
    name, hint = STATEMENTS.get(type(node), (type(node).__name__, ""))
    return frame.refuse(
        node, f"the statement {name} is not in the kernel language", hint=hint or None
    )


def refuse_expression(frame: Frame, node: ast.expr) -> CompileError:
    """The error for an expression that has no handler."""
    name, hint = EXPRESSIONS.get(type(node), (f"the expression {type(node).__name__}", ""))
    return frame.refuse(node, f"{name} is not in the kernel language", hint=hint or None)


TEXT = "write an f-string in print or assert; there are no other strings in kernels"
_LOCAL = "sw.local(shape, dtype) makes an array of the thread, to be filled in a loop"
_LOOP = "write a loop over the elements"
_RANGE = "write `for i in range(…)`"
_VIEW = "slice or index the array where it is used"
_SEED = "compute the numbers on the host, or by arithmetic of ints from the thread's id"
# What is called in vain most often; by name, whichever module it is of.
CALLS: dict[str, str] = {
    **dict.fromkeys(("zeros", "ones", "empty", "full", "array", "asarray"), _LOCAL),
    **dict.fromkeys(("zeros_like", "ones_like", "empty_like", "full_like", "copy"), _LOCAL),
    **dict.fromkeys(("arange", "linspace", "ndindex", "ndenumerate"), _RANGE),
    **dict.fromkeys(("sum", "prod", "mean", "dot", "matmul", "einsum", "std", "var"), _LOOP),
    **dict.fromkeys(("amax", "amin", "argmax", "argmin", "cumsum", "any", "all", "norm"), _LOOP),
    **dict.fromkeys(("reshape", "transpose", "ravel", "concatenate", "stack", "roll"), _VIEW),
    **dict.fromkeys(("rand", "randn", "randint", "random", "uniform", "normal"), _SEED),
    "sort": "write the sort, or sort on the host",
    "format": 'write an f-string in print or assert, as in f"{value:.3f}"',
    **dict.fromkeys(("hex", "bin", "oct"), 'write f"{value:x}" in print or assert'),
    "input": "pass data as parameters",
    "open": "pass data as array parameters",
    "sorted": "write the sort, or sort on the host",
    "isinstance": "types are known while compiling: write one function for each, or use sw.Const",
    "list": "use a tuple, or sw.local(…) for an array",
    "dict": "use a tuple or a dataclass",
    "set": "use a tuple",
    "str": TEXT,
    "complex": "use a dataclass of two floats with methods such as __mul__",
    "map": "write a loop",
    "filter": "write a loop with if",
}
