"""Worker threads that help a launch on the CPU.

A job is one launch: its entry is called by several threads, and each claims blocks until none is
left. The calling thread always takes part and never waits for a worker that has not begun: when it
has run out of blocks it closes the job, and a worker that comes later leaves it alone. Workers
sleep on a queue between jobs; a call of the entry releases the GIL.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

STACK_BYTES = 8 << 20

Entry = Callable[[bytes, int], int]


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


class Job:
    """One launch that several threads work on."""

    __slots__ = (
        "_closed",
        "_done",
        "_entry",
        "_guard",
        "_launch",
        "_packed",
        "_running",
        "failed",
        "helpers",
    )

    def __init__(self, entry: Entry, packed: bytes, launch: int):
        self._entry = entry
        self._packed = packed
        self._launch = launch
        self._guard = threading.Lock()
        self._done = threading.Lock()
        self._done.acquire()
        self._running = 0
        self._closed = False
        self.failed = False
        self.helpers = 0

    def help(self) -> None:
        """A worker's part: run blocks until there are none, unless the job is closed already."""
        with self._guard:
            if self._closed:
                return
            self._running += 1
            self.helpers += 1
        failed = True
        try:
            failed = bool(self._entry(self._packed, self._launch))
        finally:
            with self._guard:
                self.failed |= failed
                self._running -= 1
                if self._closed and not self._running:
                    self._done.release()

    def close(self) -> None:
        """Let no further worker in and wait for those that are inside.

        An interrupt while waiting is raised after the wait: their memory must not go before. It may
        come just after the lock was acquired, so the count decides, not the lock.
        """
        with self._guard:
            self._closed = True
        interrupt: BaseException | None = None
        while self._running:
            try:
                self._done.acquire()
            except BaseException as error:
                interrupt = error
        if interrupt is not None:
            raise interrupt


class Pool:
    """The workers of this process; they are started when first needed, and again after a fork."""

    def __init__(self) -> None:
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        """Forget threads that a forked child does not have, and what they held."""
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._starting = threading.Lock()
        self._started = 0

    def share(self, job: Job, helpers: int) -> None:
        """Ask `helpers` workers to take part in a job."""
        if self._started < helpers:
            self._start(helpers)
        for _ in range(helpers):
            self._jobs.put(job)

    def _start(self, wanted: int) -> None:
        with self._starting:
            before = threading.stack_size(STACK_BYTES)
            try:
                while self._started < wanted:
                    name = f"stepwell-worker-{self._started}"
                    threading.Thread(
                        target=_work, args=(self._jobs,), name=name, daemon=True
                    ).start()
                    self._started += 1
            finally:
                threading.stack_size(before)


def _work(jobs: SimpleQueue[Any]) -> None:
    while True:
        jobs.get().help()


pool = Pool()
