"""The reference device: runs a kernel function as ordinary Python, one thread at a time.

    run(function, args, grid=(2, 1, 1), block=(32, 1, 1))      # or over=(4, 5)

The arguments are NumPy arrays (changed in place) and NumPy scalars. A kernel without barriers and
subgroup operations is called in a plain loop. With `cooperative=True` each GPU thread is an OS
thread, of which exactly one runs at any time: it runs until it must wait for others, then hands
over. So everything is deterministic and nothing needs a lock.

A barrier opens when every thread of the block that has not ended waits at it. A subgroup operation
takes place among the lanes that wait at the same call, in the same rounds of the loops around it
where the function is `rounds.counted`; where lanes wait at different ones, those at the earliest go
first, which lets the lanes inside a branch or loop catch up with those behind it.
"""

from __future__ import annotations

import inspect
import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from conformance.rounds import Rounds, instance

from stepwell.language import intrinsics

Kernel = Callable[..., None]
Index3 = tuple[int, int, int]


class NotUniform(Exception):
    """Threads of a block wait at different barriers, or one has ended while others wait."""


class Thread:
    """What a kernel sees as its surroundings while it runs as Python."""

    def __init__(self, ids: Index3, block: Block):
        self.ids = ids
        self.block = block
        self.linear = ids[0] + block.dim[0] * (ids[1] + block.dim[1] * ids[2])
        self.allocations = 0

    # Ids and sizes

    def thread_id(self, d: int) -> int:
        return self.ids[d]

    def block_id(self, d: int) -> int:
        return self.block.ids[d]

    def block_dim(self, d: int) -> int:
        return self.block.dim[d]

    def grid_dim(self, d: int) -> int:
        return self.block.grid[d]

    def global_id(self, d: int) -> int:
        return self.block.ids[d] * self.block.dim[d] + self.ids[d]

    def global_size(self, d: int) -> int:
        return self.block.dim[d] * self.block.grid[d]

    # Memory

    def shared(self, shape: int | tuple[int, ...], dtype: Any) -> np.ndarray:
        """The n-th call of every thread of a block gives the same array."""
        self.allocations += 1
        if self.allocations > len(self.block.shared):
            self.block.shared.append(new_array(shape, dtype))
        return self.block.shared[self.allocations - 1]

    def local(self, shape: int | tuple[int, ...], dtype: Any) -> np.ndarray:
        return new_array(shape, dtype)

    def barrier(self) -> None:
        self.block.wait(self, "barrier", 0, call_place())

    # Atomics: one thread runs at a time

    def atomic(self, combine: Callable[[Any, Any], Any], view: Any, index: Any, value: Any) -> Any:
        old = view[index]
        view[index] = combine(old, view.dtype.type(value))
        return old

    def atomic_add(self, view: Any, index: Any, value: Any, **_: str) -> Any:
        return self.atomic(lambda a, b: a + b, view, index, value)

    def atomic_sub(self, view: Any, index: Any, value: Any, **_: str) -> Any:
        return self.atomic(lambda a, b: a - b, view, index, value)

    def atomic_min(self, view: Any, index: Any, value: Any, **_: str) -> Any:
        return self.atomic(min, view, index, value)

    def atomic_max(self, view: Any, index: Any, value: Any, **_: str) -> Any:
        return self.atomic(max, view, index, value)

    def atomic_and_(self, view: Any, index: Any, value: Any, **_: str) -> Any:
        return self.atomic(lambda a, b: a & b, view, index, value)

    def atomic_or_(self, view: Any, index: Any, value: Any, **_: str) -> Any:
        return self.atomic(lambda a, b: a | b, view, index, value)

    def atomic_xor(self, view: Any, index: Any, value: Any, **_: str) -> Any:
        return self.atomic(lambda a, b: a ^ b, view, index, value)

    def atomic_exchange(self, view: Any, index: Any, value: Any, **_: str) -> Any:
        return self.atomic(lambda _old, new: new, view, index, value)

    def atomic_compare_exchange(
        self, view: Any, index: Any, expected: Any, desired: Any, **_: str
    ) -> Any:
        return self.atomic(lambda old, _: desired if old == expected else old, view, index, desired)

    # Bits, of NumPy scalars

    def popcount(self, value: Any) -> np.int32:
        return np.int32(bits_of(value).count("1"))

    def leading_zeros(self, value: Any) -> np.int32:
        return np.int32(len(bits_of(value)) - len(bits_of(value).lstrip("0")))

    def trailing_zeros(self, value: Any) -> np.int32:
        return np.int32(len(bits_of(value)) - len(bits_of(value).rstrip("0")))

    def multiply_high(self, a: Any, b: Any) -> Any:
        product = int(a) * int(b) >> 8 * a.itemsize
        return np.array(product, a.dtype)[()]

    def bitcast(self, value: Any, dtype: Any) -> Any:
        return value.view(dtype)

    # Subgroups: the lanes of one subgroup meet and each gets what `combine` makes of all values

    def lane_id(self) -> int:
        return self.linear % self.block.width

    def subgroup_id(self) -> int:
        return self.linear // self.block.width

    def subgroup_size(self) -> int:
        return self.block.width

    def meet(self, value: Any, combine: Callable[[dict[int, Any], int], Any]) -> Any:
        """Wait for the other lanes; `combine(values by lane, own lane)` is the result."""
        self.block.values[self.linear] = value
        self.block.wait(self, "subgroup", self.subgroup_id(), call_place())
        lanes = {i % self.block.width: v for i, v in self.block.met[self.subgroup_id()].items()}
        return combine(lanes, self.lane_id())

    def fold(self, function: Callable[[Any, Any], Any], value: Any) -> Any:
        def combine(lanes: dict[int, Any], _: int) -> Any:
            result, *rest = (lanes[lane] for lane in sorted(lanes))
            for other in rest:
                result = function(result, other)
            return result

        return self.meet(value, combine)

    def subgroup_reduce_add(self, v: Any) -> Any:
        return self.fold(lambda a, b: a + b, v)

    def subgroup_reduce_mul(self, v: Any) -> Any:
        return self.fold(lambda a, b: a * b, v)

    def subgroup_reduce_min(self, v: Any) -> Any:
        return self.fold(min, v)

    def subgroup_reduce_max(self, v: Any) -> Any:
        return self.fold(max, v)

    def subgroup_reduce_and_(self, v: Any) -> Any:
        return self.fold(lambda a, b: a & b, v)

    def subgroup_reduce_or_(self, v: Any) -> Any:
        return self.fold(lambda a, b: a | b, v)

    def subgroup_reduce_xor(self, v: Any) -> Any:
        return self.fold(lambda a, b: a ^ b, v)

    def subgroup_inclusive_add(self, v: Any) -> Any:
        return self.meet(v, lambda lanes, me: prefix(lanes, me + 1, v))

    def subgroup_inclusive_min(self, v: Any) -> Any:
        return self.meet(v, lambda lanes, me: min(lanes[k] for k in lanes if k <= me))

    def subgroup_inclusive_max(self, v: Any) -> Any:
        return self.meet(v, lambda lanes, me: max(lanes[k] for k in lanes if k <= me))

    def subgroup_exclusive_add(self, v: Any) -> Any:
        return self.meet(v, lambda lanes, me: prefix(lanes, me, v))

    def shuffle(self, v: Any, lane: Any) -> Any:
        return self.meet(v, lambda lanes, _: lanes.get(int(lane), v))

    def shuffle_xor(self, v: Any, delta: Any) -> Any:
        return self.meet(v, lambda lanes, me: lanes.get(me ^ int(delta), v))

    def shuffle_up(self, v: Any, delta: Any) -> Any:
        return self.meet(v, lambda lanes, me: lanes.get(me - int(delta), v))

    def shuffle_down(self, v: Any, delta: Any) -> Any:
        return self.meet(v, lambda lanes, me: lanes.get(me + int(delta), v))

    def broadcast(self, v: Any, lane: Any) -> Any:
        return self.shuffle(v, lane)

    def ballot(self, p: Any) -> np.uint64:
        return self.meet(p, lambda lanes, _: np.uint64(sum(bool(v) << n for n, v in lanes.items())))

    def any(self, p: Any) -> bool:
        return self.meet(p, lambda lanes, _: any(map(bool, lanes.values())))

    def all(self, p: Any) -> bool:
        return self.meet(p, lambda lanes, _: all(map(bool, lanes.values())))


def bits_of(value: Any) -> str:
    """All bits of an integer of NumPy, the first one first."""
    width = 8 * value.itemsize
    return f"{int(value) % 2**width:0{width}b}"


class Block:
    """The threads of one block: their shared arrays and who waits for what."""

    def __init__(self, ids: Index3, dim: Index3, grid: Index3, width: int):
        self.ids, self.dim, self.grid, self.width = ids, dim, grid, width
        self.shared: list[np.ndarray] = []
        self.values: dict[int, Any] = {}
        self.met: dict[int, dict[int, Any]] = {}
        self.turns: list[Turn] = []

    def threads(self) -> list[Thread]:
        """x fastest, as hardware numbers them."""
        x, y, z = self.dim
        return [Thread((i, j, k), self) for k in range(z) for j in range(y) for i in range(x)]

    def wait(self, thread: Thread, kind: str, group: int, place: Rounds) -> None:
        """Called by a thread: hand over until what it waits for has come about."""
        if not self.turns:
            raise RuntimeError(f"the kernel needs cooperative=True: it waits at a {kind}")
        turn = self.turns[thread.linear]
        turn.waits_at = (kind, group, place)
        turn.hand_back()

    def run_cooperatively(self, call: Callable[[], None]) -> None:
        """Run all threads, in turns, to their ends."""
        self.turns = [Turn(thread, call) for thread in self.threads()]
        try:
            ready = self.turns
            while ready:
                for turn in ready:
                    turn.run()
                ready = self.next_ready()
        finally:
            for turn in self.turns:
                turn.abandon()

    def next_ready(self) -> list[Turn]:
        """Those that may go on now that every thread waits or has ended."""
        waiting = [turn for turn in self.turns if not turn.ended]
        lanes = [turn for turn in waiting if turn.waits_at[0] == "subgroup"]
        if lanes:
            first = min(lanes, key=lambda turn: (turn.waits_at[1], turn.waits_at[2])).waits_at
            ready = [turn for turn in lanes if turn.waits_at == first]
            indices = [turn.thread.linear for turn in ready]
            self.met[first[1]] = {i: self.values[i] for i in indices}
            return ready
        places = {turn.waits_at[2] for turn in waiting}
        if len(places) > 1 or (waiting and len(waiting) < len(self.turns)):
            raise NotUniform(f"{len(waiting)} of {len(self.turns)} threads wait, at {places}")
        return waiting


class Turn:
    """One GPU thread as an OS thread that runs only between `run` and its `hand_back`."""

    def __init__(self, thread: Thread, call: Callable[[], None]):
        self.thread, self.call = thread, call
        self.waits_at: tuple[str, int, Rounds] = ("", 0, ())
        self.ended = self.abandoned = False
        self.error: BaseException | None = None
        self.go, self.back = threading.Semaphore(0), threading.Semaphore(0)
        self.worker = threading.Thread(target=self.work, daemon=True)
        self.worker.start()

    def work(self) -> None:
        self.go.acquire()
        try:
            if not self.abandoned:
                intrinsics.set_current_thread(self.thread)  # each OS thread has its own
                with np.errstate(all="ignore"):
                    self.call()
        except BaseException as error:  # handed to the thread that runs the block
            self.error = error
        self.ended = True
        self.back.release()

    def run(self) -> None:
        """Let it run until it waits or ends; what it raised is raised here."""
        self.go.release()
        self.back.acquire()
        if self.error is not None:
            raise self.error

    def hand_back(self) -> None:
        self.back.release()
        self.go.acquire()
        if self.abandoned:
            raise SystemExit

    def abandon(self) -> None:
        """End it, wherever it is."""
        self.abandoned = True
        self.go.release()
        self.worker.join()


def run(
    function: Kernel,
    args: Sequence[Any],
    *,
    grid: int | tuple[int, ...] = 1,
    block: int | tuple[int, ...] = 1,
    over: int | tuple[int, ...] | None = None,
    cooperative: bool = False,
    subgroup_size: int = 4,
) -> None:
    """Run `function(*args)` for every thread of the launch."""
    dims, counts = triple(block), triple(grid if over is None else over)
    if over is not None:
        dims = (1, 1, 1)
    try:
        with np.errstate(all="ignore"):
            for z, y, x in itertools.product(*map(range, reversed(counts))):
                run_block(
                    Block((x, y, z), dims, counts, subgroup_size),
                    lambda: function(*args),
                    cooperative,
                )
    finally:
        intrinsics.set_current_thread(None)


def run_block(block: Block, call: Callable[[], None], cooperative: bool) -> None:
    """Run one block, in turns or in a plain loop."""
    if cooperative:
        block.run_cooperatively(call)
        return
    for thread in block.threads():
        intrinsics.set_current_thread(thread)
        call()


def triple(size: int | tuple[int, ...]) -> Index3:
    """A size of 1 to 3 dimensions, filled up with ones."""
    sizes = (size,) if isinstance(size, int) else size
    x, y, z = (*sizes, 1, 1)[:3]
    return x, y, z


def new_array(shape: int | tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array of a language or NumPy type, full of a value that is not zero: nothing clears it."""
    made = np.empty(shape, np.dtype(getattr(dtype, "numpy", dtype)))
    made.reshape(-1).view(np.uint8).fill(0x5A)
    return made


def prefix(lanes: dict[int, Any], end: int, like: Any) -> Any:
    """The sum of the lanes below `end`, in the type of `like`."""
    total = type(like)(0)
    for lane in sorted(lanes):
        if lane < end:
            total = total + lanes[lane]
    return total


def call_place() -> Rounds:
    """The kernel's call that led here: that of the first frame outside intrinsics and here."""
    frame = inspect.currentframe()
    assert frame is not None, "CPython has frames"
    while frame.f_code.co_filename in (__file__, intrinsics.__file__):
        frame = frame.f_back
        assert frame is not None, "called by a kernel"
    return instance(frame, __file__)
