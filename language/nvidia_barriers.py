"""mbarriers: barriers in shared memory that count arrivals of threads and bytes of copies.

An mbarrier is an element of an array of u64. All are inline PTX of its address.
"""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from .convert import store_as
from .functions import Function
from .nvidia_emit import AMPERE, HOPPER, inline, require
from .nvidia_memory import shared_address
from .types import DType, bool_, u32, u64
from .typing_of import describe
from .values import Value, static_int

if TYPE_CHECKING:
    from xdsl.ir import SSAValue

    from .frame import Frame


class Action(NamedTuple):
    """PTX, with the mbarrier as its first operand; the others by name, results, what it needs."""

    text: str
    operands: tuple[str, ...] = ()
    results: tuple[DType, ...] = ()
    sm: int = AMPERE
    ptx: int = 0


_AGAIN = "WAIT_${:uid}"
# The wait ends with the phase; the others do not wait, but try_wait may for a while.
_ACTIONS: dict[str, Action] = {
    "init": Action("mbarrier.init.shared.b64 [$0], $1;", ("count",)),
    "inval": Action("mbarrier.inval.shared.b64 [$0];"),
    "arrive": Action("mbarrier.arrive.shared.b64 $0, [$1];", (), (u64,)),
    "arrive_drop": Action("mbarrier.arrive_drop.shared.b64 $0, [$1];", (), (u64,)),
    "expect": Action("mbarrier.arrive.expect_tx.shared.b64 _, [$0], $1;", ("bytes",), (), HOPPER),
    "expect_more": Action(
        "mbarrier.expect_tx.relaxed.cta.shared.b64 [$0], $1;", ("bytes",), (), HOPPER
    ),
    "test": Action(
        "mbarrier.test_wait.parity.shared.b64 $0, [$1], $2;", ("parity",), (bool_,), AMPERE, 71
    ),
    "try": Action(
        "mbarrier.try_wait.parity.shared.b64 $0, [$1], $2;", ("parity",), (bool_,), HOPPER
    ),
    "wait": Action(
        f"{{ .reg .pred p; {_AGAIN}: mbarrier.try_wait.parity.shared.b64 p, [$0], $1; "
        f"@!p bra {_AGAIN}; }}",
        ("parity",),
        (),
        HOPPER,
    ),
}
_COUNTED = Action("mbarrier.arrive.shared.b64 $0, [$1], $2;", ("count",), (u64,), HOPPER)
_REMOTE = "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [$0], $1;"


def mbarrier(frame: Frame, node: ast.AST, name: str, view: Value, index: Value) -> SSAValue:
    """The address of an mbarrier."""
    address, array = shared_address(frame, node, name, view, index, 8)
    if array.dtype is not u64:
        raise frame.refuse(node, f"an mbarrier is an element of an array of u64, not {array.dtype}")
    return address


def _act(
    name: str, row: Action, frame: Frame, node: ast.AST, view: Value, index: Value, *given: Value
) -> Value:
    require(frame, node, f"sw.nvidia.{name}", row.sm)
    operands = [mbarrier(frame, node, name, view, index)]
    for what, value in zip(row.operands, given, strict=True):
        operands.append(store_as(frame, node, value, u32, f"{what} of sw.nvidia.{name}").ssa)
    return inline(frame, row.text, operands, *row.results, sm=row.sm, ptx=row.ptx)


def _arrive(
    frame: Frame, node: ast.AST, view: Value, index: Value, count: Value | None = None
) -> Value:
    if count is None:
        return _act("mbarrier_arrive", _ACTIONS["arrive"], frame, node, view, index)
    known = static_int(count)
    if known is not None and known < 1:
        raise frame.refuse(node, f"count is {describe(count)}, expected at least 1")
    return _act("mbarrier_arrive with a count", _COUNTED, frame, node, view, index, count)


def _arrive_remote(frame: Frame, node: ast.AST, address: Value, count: Value) -> Value:
    name = "mbarrier_arrive_remote"
    require(frame, node, f"sw.nvidia.{name}", HOPPER)
    operands = [
        store_as(frame, node, value, u32, f"{what} of sw.nvidia.{name}").ssa
        for what, value in (("address", address), ("count", count))
    ]
    return inline(frame, _REMOTE, operands)


def _arrive_after_copies(frame: Frame, node: ast.AST, view: Value, index: Value) -> Value:
    name = "cp_async_arrive"
    require(frame, node, f"sw.nvidia.{name}", AMPERE)
    where = mbarrier(frame, node, name, view, index)
    text = "cp.async.mbarrier.arrive.noinc.shared.b64 [$0];"
    return inline(frame, text, (where,), sm=AMPERE)


_PLACE = ("view", "index")
BARRIER_FUNCTIONS: dict[str, Function] = {
    **{
        f"mbarrier_{action}": Function(
            f"sw.nvidia.mbarrier_{action}",
            partial(_act, f"mbarrier_{action}", row),
            (*_PLACE, *row.operands),
        )
        for action, row in _ACTIONS.items()
    },
    "mbarrier_arrive": Function(
        "sw.nvidia.mbarrier_arrive", _arrive, (*_PLACE, "count"), ("count",)
    ),
    "mbarrier_arrive_remote": Function(
        "sw.nvidia.mbarrier_arrive_remote", _arrive_remote, ("address", "count")
    ),
    "cp_async_arrive": Function("sw.nvidia.cp_async_arrive", _arrive_after_copies, _PLACE),
}
