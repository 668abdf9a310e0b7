"""Direct launches on the CPU: that they do what other launches do, and leave the rest to them."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import ctypes
import re
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stepwell as sw
from stepwell.launch import Launch
from stepwell.runtime import cpu_launch
from stepwell.runtime.cpu_pool import Job, pool
from stepwell.runtime.errors import ArrayError

SIZE = 40
OFTEN = 200
"""Launches after which a direct one is found, if there is one."""


@sw.kernel
def scaled(out, x, a):
    i = sw.global_id(0)
    out[i] = x[i] * a


@sw.kernel
def put(out, a):
    i = sw.global_id(0)
    out[i] = a


@sw.kernel
def counted(x):
    sw.atomic_add(x, sw.global_id(0), 1)


@sw.kernel
def flat(out, x):
    i, j = sw.global_id(0), sw.global_id(1)
    out[i, j] = x[i, j] + 1


@sw.kernel
def beyond(x, far):
    i = sw.global_id(0)
    x[i + far] = 1.0


@sw.kernel
def told(x):
    i = sw.global_id(0)
    if x[i] > 0:
        print("found", x[i])


@pytest.fixture(autouse=True)
def on_the_cpu() -> Any:
    with sw.use("cpu"):
        yield


def is_direct(launch: Launch, *arguments: Any) -> bool:
    """Whether, after some launches, the device itself takes these arguments.

    It does not after a launch that the system interrupted for a millisecond, until others are seen.
    """
    for _ in range(OFTEN):
        launch(*arguments)
        if launch._direct is not None and launch._direct[0](*arguments) is None:
            return True
    return False


def memory_of(launch: Launch) -> Any:
    """What the direct launch of a launch works with."""
    assert launch._direct is not None
    settle: Any = launch._direct[1]
    return settle.__self__


def on_host(array: Any) -> Any:
    return array if isinstance(array, np.ndarray) else array.numpy()


def host(dtype: Any = np.float32) -> np.ndarray[Any, Any]:
    return np.arange(SIZE).astype(dtype)


@pytest.mark.parametrize(
    "a",
    [
        *(2.5, np.float32(2.5), np.float64(2.5), np.float16(2.5), 3, -(2**31), 2**31 - 1),
        *(np.int32(-7), np.int64(2**40), np.uint8(200), np.int8(-3), np.uint64(2**63)),
    ],
    ids=lambda a: f"{type(a).__name__} {a}",
)
@pytest.mark.parametrize("where", ["host", "device"])
def test_every_kind_of_number_arrives(a: Any, where: str) -> None:
    dtype = {float: np.float32, int: np.int32}.get(type(a), type(a))
    out: Any = np.zeros(SIZE, dtype)
    if where == "device":
        out = sw.device("cpu").array(out)
    launch = put.over(SIZE)
    assert is_direct(launch, out, type(a)(1))
    launch(out, a)
    assert (on_host(out) == a).all()


def test_sizes_are_read_at_each_launch() -> None:
    launch = flat.over((4, 5))
    for shape in ((4, 5), (6, 7), (4, 9)):
        x, out = np.ones(shape, np.float32), np.zeros(shape, np.float32)
        assert is_direct(launch, out, x)
        assert (out[:4, :5] == 2).all()
        assert out.sum() == 40


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(host(np.float64), id="dtype"),
        pytest.param(np.zeros(2 * SIZE, np.float32)[::2], id="strides"),
        pytest.param(np.asfortranarray(host()), id="the same"),
        pytest.param(host().view(np.recarray), id="subclass"),
        pytest.param(sw.device("cpu").array(host()), id="device"),
    ],
)
def test_other_kinds_of_arrays_take_their_own_code(other: Any) -> None:
    launch, x = scaled.over(SIZE), host()
    out = np.zeros(SIZE, np.float32)
    assert is_direct(launch, out, x, 2.0)
    out[:] = 0
    launch(out, other, 2.0)
    assert (out == np.asarray(on_host(other)) * 2).all()


def test_an_array_that_became_read_only_is_refused() -> None:
    launch, x, out = scaled.over(SIZE), host(), host()
    assert is_direct(launch, out, x, 2.0)
    out.flags.writeable = False
    with pytest.raises(ArrayError, match="read-only"):
        launch(out, x, 2.0)


def test_numbers_that_do_not_fit_are_left_to_python() -> None:
    launch, x, out = scaled.over(SIZE), host(np.int32), np.zeros(SIZE, np.int64)
    assert is_direct(launch, out, x, 3)
    launch(out, x, 2**40)
    assert (out == x.astype(np.int64) * 2**40).all()
    floats = host()
    assert is_direct(launch, floats, host(), 3.0)
    with pytest.raises(ArrayError):
        launch(floats, host(), 1e300)


def test_a_failed_check_is_raised_and_the_next_launch_is_a_new_one() -> None:
    launch, x = beyond.over(SIZE), host()
    assert is_direct(launch, x, 0)
    for _ in range(3):
        with pytest.raises(sw.OutOfBounds, match="index 40 is out of bounds"):
            launch(x, 1)
        x[:] = 0
        launch(x, 0)
        assert (x == 1).all()


def test_what_is_printed_comes_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    launch, x = told.over(SIZE), np.zeros(SIZE, np.int32)
    assert is_direct(launch, x)
    x[7] = 5
    launch(x)
    launch(x)
    assert capsys.readouterr().out == "found 5\nfound 5\n"


def test_threads_may_launch_at_the_same_time() -> None:
    launch, x = counted.over(4096), np.zeros(4096, np.int32)
    assert is_direct(launch, x)
    memory = memory_of(launch)
    x[:] = 0

    def often() -> None:
        for _ in range(500):
            memory.block_ns.value = 20_000  # so long that Python's lock is let go meanwhile
            launch(x)

    threads = [threading.Thread(target=often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (x == 2000).all()


@pytest.mark.parametrize("blocks", [2, 3, 64, 256])
def test_workers_leave_no_block_out(blocks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_NUM_THREADS", "4")
    pool.start(3)
    x = np.zeros(256 * blocks, np.int32)
    launch = sw.kernel(counted.function)[blocks, 256]
    assert is_direct(launch, x)
    memory, count, helped = memory_of(launch), 0, 0
    x[:] = 0
    end = time.monotonic() + 10  # when no worker has come by then, none will
    while count < 200 or (not helped and time.monotonic() < end):
        memory.block_ns.value = 30_000 / memory.site.blocks  # work that is worth sharing
        launch(x)
        count += 1
        helped += memory.job.helpers
    assert helped
    assert (x == count).all()


@pytest.mark.parametrize("asleep", [0, 10], ids=["awake", "asleep"])
def test_workers_are_found_to_be_quicker(asleep: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_NUM_THREADS", "2")
    pool.start(1)
    x = np.zeros(256 * 4, np.int32)
    launch = sw.kernel(counted.function)[4, 256]
    assert is_direct(launch, x)
    memory, ways = memory_of(launch), list[str]()

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    def alone(_packed: Any, _record: Any) -> int:
        ways.append("alone")
        wait(40e-6)
        return 0

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Job))
    def hand(_pool: Any, job: Any) -> int:
        ways.append("shared")
        late = "alone" in ways[-1 - asleep :]  # they wake up while the first ones are made
        job.contents.helpers = not late
        wait(50e-6 if late else 5e-6)
        return 0

    memory.site.entry = ctypes.cast(alone, ctypes.c_void_p).value
    monkeypatch.setattr(pool.workers, "hand", ctypes.cast(hand, ctypes.c_void_p).value)
    memory.site.launch_ns[:] = [40_000, 80_000]  # at first they seem to be slower
    for _ in range(4096):
        memory.block_ns.value = 2_500  # 10 us of work: either way may be quicker
        launch(x)
    assert ways[-1024:].count("shared") > 900


def wait(seconds: float) -> None:
    """Take so much of a processor's time."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_work_of_a_millisecond_is_left_to_python() -> None:
    launch, x = counted.over(SIZE), np.zeros(SIZE, np.int32)
    assert is_direct(launch, x)
    memory_of(launch).block_ns.value = 2e6
    x[:] = 0
    assert launch._direct is not None
    assert launch._direct[0](x) is False
    assert not x.any()
    launch(x)
    assert (x == 1).all()


@pytest.mark.parametrize(
    ("value", "other"),
    [
        *((3, 4), (-(2**31), 7), (2.5, -2.5), (True, False), (1, True), (2, 2.0)),
        *((np.float32(1.5), np.float32(2.5)), (0.0, -0.0)),
    ],
    ids=repr,
)
def test_constants_of_a_kernel_are_those_of_its_code(value: Any, other: Any) -> None:
    @sw.kernel
    def put_constant(x, n: sw.Const):
        i = sw.global_id(0)
        x[i] = n

    launch, x = put_constant.over(SIZE), host()
    assert is_direct(launch, x, value)
    assert (x == value).all()
    assert launch._direct is not None
    assert launch._direct[0](x, other) is False
    assert (x == value).all()
    launch(x, other)
    assert (x == other).all()
    assert (np.signbit(x) == np.signbit(np.float32(other))).all()
    assert launch._direct[0](x, value) is None
    assert (x == value).all()


def test_functions_and_names_are_constants_of_direct_launches() -> None:
    def twice(value):
        return 2 * value

    def negated(value):
        return -value

    @sw.kernel
    def apply(x, out, function: sw.Const, way: sw.Const, count):
        i = sw.global_id(0)
        out[i] = function(x[i]) + count if way == "up" else x[i]  # pyright: ignore[reportCallIssue]

    launch, x, out = apply.over(SIZE), host(), np.zeros(SIZE, np.float32)
    assert is_direct(launch, x, out, twice, "up", 5)
    assert (out == 2 * x + 5).all()
    launch(x, out, negated, "up", 6)
    assert (out == 6 - x).all()
    launch(x, out, twice, "down", 6)
    assert (out == x).all()


def test_constants_that_can_change_have_no_direct_launch() -> None:
    @sw.kernel
    def first_of(x, numbers: sw.Const):
        i = sw.global_id(0)
        x[i] = numbers[0]  # pyright: ignore[reportIndexIssue]

    launch, x = first_of.over(SIZE), host()
    assert not is_direct(launch, x, (3, 4))
    assert (x == 3).all()


def test_objects_that_lie_otherwise_are_left_to_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_launch, "_layouts_are_known", lambda: False)
    out = np.zeros(SIZE, np.float32)
    assert not is_direct(sw.kernel(scaled.function).over(SIZE), out, host(), 2.0)
    assert (out == host() * 2).all()


def test_every_symbol_of_native_code_is_known_to_be_there() -> None:
    folder = Path(cpu_launch.__file__).parent
    text = "".join((folder / f"cpu_{name}.ll").read_text() for name in ("arguments", "launch"))
    used = re.findall(r"^(?:declare \S+ )?@(\w+)(?:\(| = external)", text, re.MULTILINE)
    assert sorted([*used, "PyCFunction_NewEx"]) == sorted(cpu_launch._SYMBOLS)


def test_a_failure_on_any_thread_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_NUM_THREADS", "4")
    pool.start(3)
    x = np.zeros(1 << 14, np.float32)
    launch = sw.kernel(beyond.function).over(x.size)
    assert is_direct(launch, x, 0)
    memory = memory_of(launch)
    for _ in range(50):
        memory.block_ns.value = 30_000 / memory.site.blocks
        with pytest.raises(sw.OutOfBounds):
            launch(x, 1)
        x[:] = 0
        memory.block_ns.value = 30_000 / memory.site.blocks
        launch(x, 0)
        assert (x == 1).all()


def test_the_lock_of_a_direct_launch_that_is_gone_is_the_next_ones() -> None:
    locks: set[int] = set()
    for _ in range(4):
        launch = Launch(put, put.over(SIZE).shape, sw.device("cpu"), None)
        assert is_direct(launch, host(), 1.5)
        locks.add(memory_of(launch).job.lock)
        del launch
    assert len(locks) == 1
