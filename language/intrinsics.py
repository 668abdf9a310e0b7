"""What a kernel can call beyond Python's own functions; imports neither xDSL nor NumPy.

These are the public names `sw.thread_id`, `sw.barrier` and so on. In a kernel they are compiled. As
plain Python they need a *current thread*: an object with methods of the same names, installed by
`use_thread`, on which a test runs a kernel function one thread at a time. Without one they raise.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

ORDERS = ("relaxed", "acquire", "release", "acq_rel", "seq_cst")
SCOPES = ("subgroup", "block", "device", "system")

_thread: ContextVar[Any] = ContextVar("stepwell_thread", default=None)


@contextmanager
def use_thread(thread: Any) -> Generator[None]:
    """Inside the `with`, the functions of this module call the methods of `thread`."""
    token = _thread.set(thread)
    try:
        yield
    finally:
        _thread.reset(token)


def set_current_thread(thread: Any) -> None:
    """Install the object whose methods the functions of this module call; None removes it."""
    _thread.set(thread)


def current_thread(name: str) -> Any:
    """The object that stands for a thread; RuntimeError if there is none for `sw.name`."""
    thread = _thread.get()
    if thread is None:
        raise RuntimeError(
            f"sw.{name} works in a kernel only: decorate the function with @sw.kernel and launch it"
        )
    return thread


def _current(name: str) -> Any:
    return getattr(current_thread(name), name)


def _atomic(name: str, order: str, scope: str, *arguments: Any) -> Any:
    if order not in ORDERS:
        raise ValueError(f"order is {order!r}, expected one of {', '.join(ORDERS)}")
    if scope not in SCOPES:
        raise ValueError(f"scope is {scope!r}, expected one of {', '.join(SCOPES)}")
    return _current(name)(*arguments, order=order, scope=scope)


def thread_id(dimension: int = 0) -> int:
    """The thread's place in its block (`index`). In `over`, dimensions count axes of the shape."""
    return _current("thread_id")(dimension)


def block_id(dimension: int = 0) -> int:
    """The block's place in the grid (`index`)."""
    return _current("block_id")(dimension)


def block_dim(dimension: int = 0) -> int:
    """Threads of a block along a dimension (`index`)."""
    return _current("block_dim")(dimension)


def grid_dim(dimension: int = 0) -> int:
    """Blocks of the grid along a dimension (`index`)."""
    return _current("grid_dim")(dimension)


def global_id(dimension: int = 0) -> int:
    """The thread's place in the whole launch: `block_id * block_dim + thread_id` (`index`)."""
    return _current("global_id")(dimension)


def global_size(dimension: int = 0) -> int:
    """Threads of the launch along a dimension: `grid_dim * block_dim` (`index`)."""
    return _current("global_size")(dimension)


def barrier() -> None:
    """Wait for all threads of the block; orders their global and shared accesses."""
    _current("barrier")()


def shared(shape: Any, dtype: Any) -> Any:
    """An uninitialised array that the threads of a block share.

    `shape` is an int or a tuple of constants; a first size of None takes the launch's
    `shared_bytes`. `dtype` is a type of the language, a NumPy type or a struct class.
    """
    return _current("shared")(shape, dtype)


def local(shape: Any, dtype: Any) -> Any:
    """An uninitialised array of constant shape that the thread has for itself."""
    return _current("local")(shape, dtype)


def atomic_add(
    view: Any, index: Any, value: Any, *, order: str = "relaxed", scope: str = "device"
) -> Any:
    """Add `value` to `view[index]` in one step; returns the old value. Integers wrap."""
    return _atomic("atomic_add", order, scope, view, index, value)


def atomic_sub(
    view: Any, index: Any, value: Any, *, order: str = "relaxed", scope: str = "device"
) -> Any:
    """Subtract `value` from `view[index]` in one step; returns the old value."""
    return _atomic("atomic_sub", order, scope, view, index, value)


def atomic_min(
    view: Any, index: Any, value: Any, *, order: str = "relaxed", scope: str = "device"
) -> Any:
    """Store the smaller of `view[index]` and `value`; returns the old value."""
    return _atomic("atomic_min", order, scope, view, index, value)


def atomic_max(
    view: Any, index: Any, value: Any, *, order: str = "relaxed", scope: str = "device"
) -> Any:
    """Store the larger of `view[index]` and `value`; returns the old value."""
    return _atomic("atomic_max", order, scope, view, index, value)


def atomic_and_(
    view: Any, index: Any, value: Any, *, order: str = "relaxed", scope: str = "device"
) -> Any:
    """Store `view[index] & value` (integers); returns the old value."""
    return _atomic("atomic_and_", order, scope, view, index, value)


def atomic_or_(
    view: Any, index: Any, value: Any, *, order: str = "relaxed", scope: str = "device"
) -> Any:
    """Store `view[index] | value` (integers); returns the old value."""
    return _atomic("atomic_or_", order, scope, view, index, value)


def atomic_xor(
    view: Any, index: Any, value: Any, *, order: str = "relaxed", scope: str = "device"
) -> Any:
    """Store `view[index] ^ value` (integers); returns the old value."""
    return _atomic("atomic_xor", order, scope, view, index, value)


def atomic_exchange(
    view: Any, index: Any, value: Any, *, order: str = "relaxed", scope: str = "device"
) -> Any:
    """Store `value` to `view[index]`; returns the old value."""
    return _atomic("atomic_exchange", order, scope, view, index, value)


def atomic_compare_exchange(
    view: Any,
    index: Any,
    expected: Any,
    desired: Any,
    *,
    order: str = "relaxed",
    scope: str = "device",
) -> Any:
    """Store `desired` where `view[index]` has the bits of `expected`; returns the old value."""
    return _atomic("atomic_compare_exchange", order, scope, view, index, expected, desired)


def lane_id() -> int:
    """The thread's place in its subgroup (`index`)."""
    return _current("lane_id")()


def subgroup_size() -> int:
    """Lanes of a subgroup on this device (`index`)."""
    return _current("subgroup_size")()


def subgroup_id() -> int:
    """The subgroup's place in its block (`index`)."""
    return _current("subgroup_id")()


def subgroup_reduce_add(value: Any) -> Any:
    """The sum of `value` over the active lanes of the subgroup, in every lane."""
    return _current("subgroup_reduce_add")(value)


def subgroup_reduce_mul(value: Any) -> Any:
    """The product of `value` over the active lanes."""
    return _current("subgroup_reduce_mul")(value)


def subgroup_reduce_min(value: Any) -> Any:
    """The smallest `value` of the active lanes (NaN if one is)."""
    return _current("subgroup_reduce_min")(value)


def subgroup_reduce_max(value: Any) -> Any:
    """The largest `value` of the active lanes (NaN if one is)."""
    return _current("subgroup_reduce_max")(value)


def subgroup_reduce_and_(value: Any) -> Any:
    """The bits that are set in every active lane's integer; for bools: all."""
    return _current("subgroup_reduce_and_")(value)


def subgroup_reduce_or_(value: Any) -> Any:
    """The bits that are set in some active lane's integer; for bools: any."""
    return _current("subgroup_reduce_or_")(value)


def subgroup_reduce_xor(value: Any) -> Any:
    """The exclusive or of the active lanes' integers or bools."""
    return _current("subgroup_reduce_xor")(value)


def subgroup_inclusive_add(value: Any) -> Any:
    """The sum of `value` over the active lanes up to and including this one."""
    return _current("subgroup_inclusive_add")(value)


def subgroup_exclusive_add(value: Any) -> Any:
    """The sum of `value` over the active lanes before this one; 0 in the first."""
    return _current("subgroup_exclusive_add")(value)


def subgroup_inclusive_min(value: Any) -> Any:
    """The smallest `value` of the active lanes up to and including this one (NaN if one is)."""
    return _current("subgroup_inclusive_min")(value)


def subgroup_inclusive_max(value: Any) -> Any:
    """The largest `value` of the active lanes up to and including this one (NaN if one is)."""
    return _current("subgroup_inclusive_max")(value)


def shuffle(value: Any, lane: Any) -> Any:
    """The `value` of another lane; the own one where that is not active, as in all shuffles."""
    return _current("shuffle")(value, lane)


def shuffle_xor(value: Any, delta: Any) -> Any:
    """The `value` of lane `lane_id() ^ delta`."""
    return _current("shuffle_xor")(value, delta)


def shuffle_up(value: Any, delta: Any) -> Any:
    """The `value` of lane `lane_id() - delta`."""
    return _current("shuffle_up")(value, delta)


def shuffle_down(value: Any, delta: Any) -> Any:
    """The `value` of lane `lane_id() + delta`."""
    return _current("shuffle_down")(value, delta)


def broadcast(value: Any, lane: Any = 0) -> Any:
    """The `value` of one lane, in all of them; `lane` is the same in all."""
    return _current("broadcast")(value, lane)


def ballot(predicate: Any) -> Any:
    """A u64 with bit i set where the predicate holds in active lane i."""
    return _current("ballot")(predicate)


def any(predicate: Any) -> bool:
    """Whether the predicate holds in some active lane of the subgroup."""
    return _current("any")(predicate)


def all(predicate: Any) -> bool:
    """Whether the predicate holds in every active lane of the subgroup."""
    return _current("all")(predicate)


def popcount(value: Any) -> int:
    """How many bits of an integer are ones (`i32`); a negative one has its two's complement."""
    return _current("popcount")(value)


def leading_zeros(value: Any) -> int:
    """How many bits stand above an integer's first one (`i32`); all of its type's if it is 0."""
    return _current("leading_zeros")(value)


def trailing_zeros(value: Any) -> int:
    """How many bits stand below an integer's last one (`i32`); all of its type's if it is 0."""
    return _current("trailing_zeros")(value)


def multiply_high(a: Any, b: Any) -> Any:
    """The upper half of the product of two integers, which has twice as many bits as they have."""
    return _current("multiply_high")(a, b)


def bitcast(value: Any, dtype: Any) -> Any:
    """The number of type `dtype` that has the bits of `value`; both types are equally wide."""
    return _current("bitcast")(value, dtype)


def unroll(iterable: Any) -> Any:
    """`for i in sw.unroll(range(4))`: the loop is unrolled, and `i` is a compile-time constant."""
    return iterable
