"""`sw.nvidia.*` and `sw.inline_ptx` as ops of the nvvm dialect: rows of a table.

What an instruction needs of the architecture is what its op says. Instructions whose op takes
pointers or packed registers are written as inline PTX of addresses and u32.
"""

from __future__ import annotations

import ast
import re
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ..dialects.nvvm.attributes import ProxyAttr, SharedSpaceAttr
from .annotations import scalar_type
from .convert import materialise, store_as
from .functions import Function
from .nvidia_barriers import BARRIER_FUNCTIONS
from .nvidia_bulk import BULK_FUNCTIONS
from .nvidia_emit import emit, require
from .nvidia_matrix import MATRIX_FUNCTIONS
from .nvidia_memory import MEMORY_FUNCTIONS
from .nvidia_tensor import TENSOR_FUNCTIONS
from .nvidia_wgmma import WGMMA_FUNCTIONS
from .types import DType, bool_, f16, f32, f64, i16, i32, i64, u16, u32, u64
from .typing_of import describe
from .values import Static, TupleValue, Value, static_int

if TYPE_CHECKING:
    from xdsl.ir import Attribute, SSAValue

    from .frame import Frame


class Instruction(NamedTuple):
    """An op, the types of its arguments by name, and of its results.

    `mask`: the last argument is the lanes that take part, which the op has first. `by_sign`: works
    on i32 and u32; the op's kind is that of the sign, as in min and umin, and its mask comes last.
    """

    op: str
    operands: tuple[tuple[str, DType], ...] = ()
    results: tuple[DType, ...] = ()
    mask: bool = False
    by_sign: tuple[str, str] | None = None
    properties: tuple[tuple[str, Attribute], ...] = ()


def _instruction(
    name: str, row: Instruction, frame: Frame, node: ast.AST, *arguments: Value, **keywords: Value
) -> Value:
    from ..dialects.nvvm import OPS

    needs = OPS[row.op].create(properties=dict(row.properties)).needs
    require(frame, node, f"sw.nvidia.{name}", needs.sm, needs.variants)
    given = [*arguments, *keywords.values()]
    mask: Value = Static(0xFFFFFFFF)
    if row.mask and len(given) > len(row.operands):
        mask = given.pop()
    results = row.results
    properties: dict[str, str | int | Attribute] = dict(row.properties)
    operands: list[SSAValue] = []
    for (what, dtype), value in zip(row.operands, given, strict=True):
        if row.by_sign is not None:
            dtype = _signed_or_not(frame, node, name, value)
            properties["kind"] = row.by_sign[0 if dtype is i32 else 1]
            results = (dtype,)
        operands.append(store_as(frame, node, value, dtype, f"{what} of sw.nvidia.{name}").ssa)
    if row.mask:
        place = 0 if row.by_sign is None else len(operands)
        lanes = store_as(frame, node, mask, u32, f"mask of sw.nvidia.{name}")
        operands.insert(place, lanes.ssa)
    return emit(frame, row.op, operands, results, **properties)


def _signed_or_not(frame: Frame, node: ast.AST, name: str, value: Value) -> DType:
    dtype = materialise(frame, node, value).dtype
    if dtype not in (i32, u32):
        raise frame.refuse(node, f"sw.nvidia.{name} takes an i32 or u32, got {describe(value)}")
    return dtype


def _registers(action: str, frame: Frame, node: ast.AST, count: Value) -> Value:
    from ..dialects.nvvm.table import ACCELERATED

    require(frame, node, f"sw.nvidia.setmaxnreg_{action}", 90, ACCELERATED)
    known = static_int(count)
    if known is None or not 24 <= known <= 256 or known % 8:
        raise frame.refuse(
            node, f"count is {describe(count)}, expected a constant multiple of 8 from 24 to 256"
        )
    return emit(frame, "setmaxregister", (), (), action=action, regCount=known)


# --- inline PTX -----------------------------------------------------------------------------------

_IN_REGISTERS = (i16, u16, i32, u32, i64, u64, f16, f32, f64)


def _inline_ptx(
    frame: Frame, node: ast.AST, text: Value, *operands: Value, dtype: Value | None = None
) -> Value:
    """`sw.inline_ptx(text, *operands, dtype=…)`."""
    require(frame, node, "sw.inline_ptx", 75)
    if not isinstance(text, Static) or not isinstance(text.value, str):
        raise frame.refuse(node, f"the PTX is {describe(text)}, expected a constant string")
    results = _result_types(frame, node, dtype)
    values = [materialise(frame, node, value) for value in operands]
    for kind in (*results, *(value.dtype for value in values)):
        if kind not in _IN_REGISTERS:
            raise frame.refuse(
                node,
                f"{kind} has no register in inline PTX",
                hint="cast it: there are " + " ".join(map(str, _IN_REGISTERS)),
            )
    _check_references(frame, node, text.value, len(results) + len(values))
    ssa = [value.ssa for value in values]
    return emit(frame, "inline_ptx", ssa, results, ptxCode=text.value)


def _check_references(frame: Frame, node: ast.AST, text: str, count: int) -> None:
    """LLVM ends the process over a `$` that it does not know."""
    for found in re.finditer(r"\$(\$|\{:uid\}|\d+|.?)", text):
        word = found[1]
        if word in ("$", "{:uid}") or (word.isdigit() and int(word) < count):
            continue
        what = "no results and operands" if count == 0 else f"$0 to ${count - 1}"
        raise frame.refuse(
            node,
            f"{found[0]} in the PTX means nothing; there are {what}",
            hint="results come first, then operands; $$ is a dollar sign",
        )


def _result_types(frame: Frame, node: ast.AST, dtype: Value | None) -> list[DType]:
    if dtype is None or (isinstance(dtype, Static) and dtype.value is None):
        return []
    found: list[DType] = []
    for item in dtype.items if isinstance(dtype, TupleValue) else (dtype,):
        kind = scalar_type(item.value) if isinstance(item, Static) else None
        if kind is None:
            raise frame.refuse(
                node,
                f"dtype is {describe(item)}, expected a type such as sw.i32 or a tuple of them",
            )
        found.append(kind)
    return found


# --- the table ------------------------------------------------------------------------------------

_SPECIAL = "read.ptx.sreg."
_VALUE = (("value", u32),)
_PREDICATE = (("predicate", bool_),)
_ASYNC_SHARED = (
    ("kind", ProxyAttr("async.shared")),
    ("space", SharedSpaceAttr("cta")),
)
INSTRUCTIONS: dict[str, Instruction] = {
    **{name: Instruction(_SPECIAL + name, (), (u64,)) for name in ("clock64", "globaltimer")},
    **{
        name: Instruction(_SPECIAL + name, (), (u32,))
        for name in ("clock", "laneid", "warpid", "smid", "nsmid")
    },
    **{
        f"lanemask_{name}": Instruction(f"{_SPECIAL}lanemask.{name}", (), (u32,))
        for name in ("lt", "le", "gt", "ge")
    },
    "activemask": Instruction("activemask", (), (u32,)),
    "nanosleep": Instruction("nanosleep", (("nanoseconds", u32),)),
    "match_any": Instruction("match.any.sync", _VALUE, (u32,), mask=True),
    "match_all": Instruction("match.all.sync", _VALUE, (u32, bool_), mask=True),
    "vote_ballot": Instruction("vote.ballot.sync", _PREDICATE, (u32,), mask=True),
    "vote_all": Instruction("vote.all.sync", _PREDICATE, (bool_,), mask=True),
    "vote_any": Instruction("vote.any.sync", _PREDICATE, (bool_,), mask=True),
    "syncwarp": Instruction("bar.warp.sync", (), (), mask=True),
    "elect": Instruction("elect.sync", (), (bool_,)),
    "fence_block": Instruction("membar.cta"),
    "fence_device": Instruction("membar.gl"),
    "fence_system": Instruction("membar.sys"),
    "fence_cluster": Instruction("fence.sc.cluster"),
    "cluster_arrive": Instruction("cluster.arrive"),
    "cluster_arrive_relaxed": Instruction("cluster.arrive.relaxed"),
    "cluster_wait": Instruction("cluster.wait"),
    "barrier_sync": Instruction("barrier", (("id", u32), ("threads", u32))),
    "barrier_arrive": Instruction("barrier.arrive", (("id", u32), ("threads", u32))),
    "cluster_rank": Instruction(_SPECIAL + "cluster.ctarank", (), (u32,)),
    "cluster_size": Instruction(_SPECIAL + "cluster.nctarank", (), (u32,)),
    "fence_mbarrier_init": Instruction("fence.mbarrier.init"),
    "fence_async": Instruction("fence.proxy", properties=_ASYNC_SHARED),
    "fence_async_global": Instruction(
        "fence.proxy", properties=(("kind", ProxyAttr("async.global")),)
    ),
    "bulk_commit": Instruction("cp.async.bulk.commit.group"),
    "wgmma_fence": Instruction("wgmma.fence.aligned"),
    "wgmma_commit": Instruction("wgmma.commit.group.sync.aligned"),
    "griddepcontrol_wait": Instruction("griddepcontrol.wait"),
    "griddepcontrol_launch": Instruction("griddepcontrol.launch.dependents"),
}


def _redux(name: str, signed: str, unsigned: str) -> tuple[str, Instruction]:
    return name, Instruction("redux.sync", _VALUE, (u32,), mask=True, by_sign=(signed, unsigned))


INSTRUCTIONS.update(
    _redux(f"redux_{name}", *kinds)
    for name, kinds in {
        **{"add": ("add", "add"), "min": ("min", "umin"), "max": ("max", "umax")},
        **{"and_": ("and", "and"), "or_": ("or", "or"), "xor": ("xor", "xor")},
    }.items()
)


def _function(name: str, row: Instruction) -> Function:
    names = (*(what for what, _ in row.operands), *(("mask",) if row.mask else ()))
    optional = ("mask",) if row.mask else ()
    return Function(f"sw.nvidia.{name}", partial(_instruction, name, row), names, optional)


NVIDIA: dict[str, Function] = {
    **{name: _function(name, row) for name, row in INSTRUCTIONS.items()},
    **{
        f"setmaxnreg_{action}": Function(
            f"sw.nvidia.setmaxnreg_{action}", partial(_registers, action), ("count",)
        )
        for action in ("increase", "decrease")
    },
    **MATRIX_FUNCTIONS,
    **MEMORY_FUNCTIONS,
    **BARRIER_FUNCTIONS,
    **BULK_FUNCTIONS,
    **TENSOR_FUNCTIONS,
    **WGMMA_FUNCTIONS,
}
"""By the name in `nvidia/`."""

VENDOR: dict[str, Function] = {
    "inline_ptx": Function("sw.inline_ptx", _inline_ptx, ("text",), ("dtype",), many=True),
}
"""By the name in `vendor.py`."""
