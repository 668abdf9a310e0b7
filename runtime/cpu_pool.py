"""Worker threads that help a launch on the CPU.

A job is one launch: its entry (`runner` of cpu_code.py) is called by several threads, and each
claims blocks until none is left. The calling thread always takes part and never waits for a worker
that has not begun: when it has run out of blocks it closes the job, and a worker that comes later
leaves it alone. Workers are Python threads that stay in native code (`cpu_pool.ll`, whose structs
are repeated here), so that a job is handed over in well under a microsecond while they look for
work, and in what it takes the system to wake a thread when they have gone to sleep.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import sys
import threading
from functools import cache
from typing import Any, NamedTuple, TypeVar

STACK_BYTES = 8 << 20
_LINE = 64
_MOST_PROCESSORS = 1024  # of a set of them as Linux's C libraries have it
_Struct = TypeVar("_Struct", bound=ctypes.Structure)


def thread_count() -> int:
    """Threads of a launch: STEPWELL_NUM_THREADS, else the cores this process may run on."""
    wanted = os.environ.get("STEPWELL_NUM_THREADS")
    if wanted is None:
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
    if not wanted.isdigit() or not 0 < int(wanted) <= 4096:
        raise ValueError(f"STEPWELL_NUM_THREADS is {wanted!r}, expected a number from 1 to 4096")
    return int(wanted)


class _Pool(ctypes.Structure):
    """What the workers share; the words that change are a cache line away from the others."""

    _fields_ = (
        ("guard", ctypes.c_void_p),
        ("acquire", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("give_way", ctypes.c_void_p),
        ("stop", ctypes.c_int64),
        ("_pad0", ctypes.c_int64 * 3),
        ("open", ctypes.c_int64),
        ("_pad1", ctypes.c_int64 * 7),
        ("jobs", ctypes.c_void_p),
        ("idle", ctypes.c_void_p),
        ("workers", ctypes.c_void_p),
        ("processor", ctypes.c_void_p),
        ("allow", ctypes.c_void_p),
        ("allowed", ctypes.c_uint64 * (_MOST_PROCESSORS // 64)),
    )


class _Worker(ctypes.Structure):
    _fields_ = (
        ("next", ctypes.c_void_p),
        ("lock", ctypes.c_void_p),
        ("number", ctypes.c_int64),
        ("following", ctypes.c_void_p),
        ("thread", ctypes.c_int64),
        ("kept_off", ctypes.c_int64),
        ("_pad0", ctypes.c_int64 * 2),
        ("mail", ctypes.c_int64),
        ("_pad1", ctypes.c_int64 * 7),
    )


class Workers(ctypes.Structure):
    """How native code reaches the workers: nothing but nulls while there are none."""

    _fields_ = (("pool", ctypes.c_void_p), ("hand", ctypes.c_void_p), ("run", ctypes.c_void_p))


class Job(ctypes.Structure):
    """A launch that several threads take part in."""

    _fields_ = (
        ("next", ctypes.c_void_p),
        ("entry", ctypes.c_void_p),
        ("packed", ctypes.c_char_p),
        ("launch", ctypes.c_void_p),
        ("places", ctypes.c_int64),
        ("running", ctypes.c_int64),
        ("helpers", ctypes.c_int64),
        ("failed", ctypes.c_int64),
        ("sleeps", ctypes.c_int64),
        ("lock", ctypes.c_void_p),
        ("records", ctypes.c_int64),
        ("stride", ctypes.c_int64),
        ("kept", ctypes.c_int64),
    )


class _Code(NamedTuple):
    """The native half, which goes with `engine`."""

    engine: Any
    run: Any
    hand: Any
    work: Any
    stop: Any


_spare_locks: list[int] = []
# Apart from ctypes.pythonapi, whose functions are everybody's.
_locks: Any = ctypes.PyDLL(None, handle=ctypes.pythonapi._handle)
_locks.PyThread_allocate_lock.restype = ctypes.c_void_p
_locks.PyThread_allocate_lock.argtypes = ()
_locks.PyThread_acquire_lock.restype = ctypes.c_int
_locks.PyThread_acquire_lock.argtypes = (ctypes.c_void_p, ctypes.c_int)


@cache
def _code() -> _Code:
    from .cpu_code import load_own

    engine = load_own("cpu_pool.ll", "cpu_worker.ll")

    def function(name: str, result: Any = None) -> Any:
        address = engine.get_function_address(f"stepwell_pool_{name}")
        return ctypes.CFUNCTYPE(result, ctypes.c_void_p, ctypes.c_void_p)(address)

    run, hand = (function(name, ctypes.c_int32) for name in ("run", "hand"))
    return _Code(engine, run, hand, function("work"), function("stop"))


def _aligned(kind: type[_Struct]) -> _Struct:
    """A structure of zeros that starts with a line of the cache."""
    memory = ctypes.create_string_buffer(ctypes.sizeof(kind) + _LINE)
    return kind.from_buffer(memory, -ctypes.addressof(memory) % _LINE)


def _new_pool() -> _Pool:
    made = _aligned(_Pool)
    made.guard = _locks.PyThread_allocate_lock()
    made.acquire = _address_of(_locks.PyThread_acquire_lock)
    made.release = _address_of(_locks.PyThread_release_lock)
    if os.name == "nt":
        made.give_way = _address_of(ctypes.WinDLL("kernel32").SwitchToThread)
    else:
        made.give_way = _address_of(ctypes.CDLL(None).sched_yield)
    return made


def new_lock() -> int:
    """A lock to sleep on: it is taken, and whoever wakes the sleeper releases it."""
    try:
        return _spare_locks.pop()
    except IndexError:
        lock = _locks.PyThread_allocate_lock()
        _locks.PyThread_acquire_lock(lock, 1)
        return lock


def give_back(lock: int) -> None:
    """Nobody sleeps on a lock any more. The next one gets it: freed it must not be, since whoever
    released it may not be through with that."""
    _spare_locks.append(lock)


def _address_of(function: Any) -> int | None:
    return ctypes.cast(function, ctypes.c_void_p).value


class Pool:
    """The workers of this process; they are started when first needed, and again after a fork."""

    def __init__(self) -> None:
        self.workers = Workers()
        self._stopped: list[Any] = []  # a launch may still be reading it
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        """Forget threads that a forked child does not have, and what they held."""
        self.workers.pool = None
        self._memory: _Pool | None = None
        self._jobs: list[Job] = []
        self._threads: list[threading.Thread] = []
        self._workers: list[_Worker] = []
        self._starting = threading.Lock()

    def run(
        self,
        entry: int,
        packed: bytes,
        launch: int,
        helpers: int,
        records: int = 1,
        stride: int = 0,
    ) -> tuple[bool, int]:
        """Call `entry(packed, launch)` here and on up to `helpers` workers.

        Where there are several launch records, `stride` bytes apart, each thread calls it for all
        of them, beginning with one of its own.
        Gives whether a call gave something else than 0, and how many threads took part.
        """
        memory = self._memory
        if memory is None or len(self._threads) < helpers:
            memory = self.start(helpers)
        try:
            job = self._jobs.pop()
        except IndexError:  # the first launch, or all are under way in other threads
            job = Job(lock=new_lock())
        job.records, job.stride = records, stride
        job.entry, job.packed, job.launch = entry, packed, launch
        job.places, job.helpers, job.failed, job.sleeps = helpers, 0, 0, 0
        failed = bool(_code().run(ctypes.byref(memory), ctypes.byref(job)))
        threads = 1 + job.helpers
        self._jobs.append(job)
        return failed, threads

    def stop(self) -> None:
        """Let the workers end; the next launch that wants some starts others."""
        memory, threads = self._memory, self._threads
        if memory is None:
            return
        _code().stop(ctypes.byref(memory), None)
        for thread in threads:
            thread.join()
        self._stopped.append((memory, self._workers))
        self._reset()

    def start(self, wanted: int) -> _Pool:
        """See that there are so many workers."""
        with self._starting:
            memory = self._memory
            if memory is None:
                memory = self._memory = _new_pool()
                atexit.register(self.stop)
            before = threading.stack_size(STACK_BYTES)
            try:
                while len(self._threads) < wanted:
                    name = f"stepwell-worker-{len(self._threads)}"
                    worker = _aligned(_Worker)
                    worker.lock, worker.number = new_lock(), len(self._threads) + 1
                    worker.kept_off = -1
                    worker.following, memory.workers = memory.workers, ctypes.addressof(worker)
                    self._workers.append(worker)
                    arguments = (_code().work, memory, worker)
                    thread = threading.Thread(target=_work, args=arguments, name=name, daemon=True)
                    thread.start()
                    self._threads.append(thread)
            finally:
                threading.stack_size(before)
            _spread(memory, len(self._threads))
            self.workers.run = ctypes.cast(_code().run, ctypes.c_void_p).value
            self.workers.hand = ctypes.cast(_code().hand, ctypes.c_void_p).value
            self.workers.pool = ctypes.addressof(memory)
            return memory


def _spread(memory: _Pool, workers: int) -> None:
    """Have workers woken on other processors than the launching thread's, if there are so many.

    On Linux only: elsewhere a program has no say in where its threads run, or another one.
    """
    memory.processor = None
    if sys.platform != "linux":
        return
    allowed = os.sched_getaffinity(0)
    if workers < len(allowed) and max(allowed) < _MOST_PROCESSORS:
        for place in range(len(memory.allowed)):
            memory.allowed[place] = sum(1 << (n % 64) for n in allowed if n // 64 == place)
        memory.allow = _address_of(ctypes.CDLL(None).sched_setaffinity)
        memory.processor = _address_of(ctypes.CDLL(None).sched_getcpu)


def _work(work: Any, memory: _Pool, worker: _Worker) -> None:
    """What a worker's thread does: it comes back when the pool is stopped."""
    worker.thread = threading.get_native_id()
    work(ctypes.byref(memory), ctypes.byref(worker))


pool = Pool()
