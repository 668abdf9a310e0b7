"""Workers of the CPU device: who takes part in a job, who sleeps and who wakes whom."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from typing import Any

import pytest

from stepwell.runtime.cpu_kernel import CHUNK, NEXT, TOTAL
from stepwell.runtime.cpu_pool import Job, Pool, new_lock

ENTRY = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_char_p, ctypes.c_void_p)
LONG = 10.0
"""Seconds after which what has not happened counts as not happening."""


@pytest.fixture
def pool() -> Generator[Pool]:
    made = Pool()
    yield made
    made.stop()


def run(pool: Pool, entry: Callable[[bytes, int], int], helpers: int) -> tuple[bool, int]:
    """A job whose entry is a function of Python, called by every thread that takes part."""
    native = ENTRY(entry)
    address = ctypes.cast(native, ctypes.c_void_p).value
    assert address is not None
    return pool.run(address, b"packed", 5, helpers)


class Meeting:
    """An entry that ends when so many threads are inside it."""

    def __init__(self, wanted: int):
        self.barrier = threading.Barrier(wanted)
        self.threads: set[str] = set()

    def __call__(self, packed: bytes, launch: int) -> int:
        self.threads.add(threading.current_thread().name)
        self.barrier.wait(LONG)
        return 0


def test_the_entry_gets_what_the_job_has(pool: Pool) -> None:
    given: list[Any] = []

    def entry(packed: bytes, launch: int) -> int:
        given.append((packed, launch))
        return 0

    assert run(pool, entry, 0) == (False, 1)
    assert given == [(b"packed", 5)]


def test_as_many_take_part_as_are_asked_for(pool: Pool) -> None:
    for helpers in (1, 3, 2):
        meeting = Meeting(1 + helpers)
        assert run(pool, meeting, helpers) == (False, 1 + helpers)
        assert len(meeting.threads) == 1 + helpers


def test_workers_that_went_to_sleep_are_woken(pool: Pool) -> None:
    run(pool, Meeting(3), 2)
    for _ in range(5):
        time.sleep(0.05)
        assert run(pool, Meeting(3), 2) == (False, 3)


def processors_of_workers(pool: Pool, helpers: int) -> list[set[int]]:
    """Where the workers may run that help with a job after they have gone to sleep."""
    launching, allowed, meeting = threading.current_thread(), list[set[int]](), Meeting(1 + helpers)

    def entry(packed: bytes, launch: int) -> int:
        if threading.current_thread() is not launching:
            allowed.append(os.sched_getaffinity(0))
        return meeting(packed, launch)

    time.sleep(0.2)
    run(pool, entry, helpers)
    return allowed


@pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2,
    reason="workers are kept off a processor on Linux, where there are several",
)
def test_a_worker_is_woken_on_another_processor(pool: Pool) -> None:
    allowed = os.sched_getaffinity(0)
    run(pool, Meeting(2), 1)
    try:
        for here in sorted(allowed)[:2]:
            os.sched_setaffinity(0, {here})
            assert processors_of_workers(pool, 1) == [allowed - {here}]
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers run anywhere always")
def test_more_workers_than_other_processors_run_anywhere(pool: Pool) -> None:
    allowed = os.sched_getaffinity(0)
    run(pool, Meeting(1 + len(allowed)), len(allowed))
    assert processors_of_workers(pool, len(allowed)) == [allowed] * len(allowed)


def test_a_failure_of_a_worker_is_one_of_the_job(pool: Pool) -> None:
    launching = threading.current_thread()
    meeting = Meeting(2)

    def entry(packed: bytes, launch: int) -> int:
        meeting(packed, launch)
        return int(threading.current_thread() is not launching)

    assert run(pool, entry, 1) == (True, 2)
    assert run(pool, Meeting(2), 1) == (False, 2)


@pytest.mark.parametrize("seconds", [0.0, 0.1])
def test_a_job_ends_with_its_last_helper(pool: Pool, seconds: float) -> None:
    launching, left = threading.current_thread(), list[str]()
    meeting = Meeting(3)

    def entry(packed: bytes, launch: int) -> int:
        meeting(packed, launch)
        if threading.current_thread() is not launching:
            time.sleep(seconds)
            left.append(threading.current_thread().name)
        return 0

    for _ in range(3):
        left.clear()
        run(pool, entry, 2)
        assert len(left) == 2


def test_a_job_does_not_wait_for_workers_that_have_not_begun(pool: Pool) -> None:
    inside, release = threading.Event(), threading.Event()

    def blocked(packed: bytes, launch: int) -> int:
        inside.set()
        release.wait(LONG)
        return 0

    def keep_the_worker_busy() -> None:
        run(pool, blocked, 1)

    run(pool, Meeting(2), 1)
    other = threading.Thread(target=keep_the_worker_busy)
    other.start()
    assert inside.wait(LONG)
    time.sleep(0.02)
    start = time.perf_counter()
    run(pool, lambda packed, launch: 0, 1)
    assert time.perf_counter() - start < LONG / 2
    release.set()
    other.join()


def test_jobs_of_several_threads_are_helped_at_once(pool: Pool) -> None:
    run(pool, Meeting(5), 4)
    meeting = Meeting(6)
    launching = [threading.Thread(target=run, args=(pool, meeting, 2)) for _ in range(2)]
    for thread in launching:
        thread.start()
    for thread in launching:
        thread.join()
    assert len(meeting.threads) == 6


def test_a_stopped_pool_has_no_threads_and_starts_again(pool: Pool) -> None:
    before = threading.active_count()
    run(pool, Meeting(4), 3)
    assert threading.active_count() == before + 3
    pool.stop()
    assert threading.active_count() == before
    assert run(pool, Meeting(2), 1) == (False, 2)


def hand(pool: Pool, entry: Callable[[bytes, int], int], **facts: int) -> int:
    """Hand a job to one worker that looks for work; -1 if none did for a while."""
    native = ENTRY(entry)
    address = ctypes.cast(native, ctypes.c_void_p).value
    facts = {"records": 1, "launch": 5, **facts}
    job = Job(lock=new_lock(), entry=address, packed=b"packed", places=1, **facts)
    function = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)
    given = function(pool.workers.hand or 0)(pool.workers.pool, ctypes.addressof(job))
    return given if given else job.helpers - 1


def test_a_worker_that_looks_for_work_gets_it_by_mail(pool: Pool) -> None:
    for _ in range(20):
        run(pool, Meeting(3), 2)
        meeting = Meeting(2)
        if hand(pool, meeting) == 0:
            assert len(meeting.threads) == 2
            return
    pytest.fail("no worker looked for work")


def test_workers_that_sleep_get_no_mail(pool: Pool) -> None:
    run(pool, Meeting(3), 2)
    called: list[int] = []

    def entry(packed: bytes, launch: int) -> int:
        called.append(launch)
        return 0

    end = time.monotonic() + LONG
    while hand(pool, entry) != -1 or called:
        called.clear()
        assert time.monotonic() < end
        time.sleep(0.2)


def test_a_failure_by_mail_is_one_of_the_job(pool: Pool) -> None:
    launching = threading.current_thread()
    for _ in range(20):
        run(pool, Meeting(3), 2)
        meeting = Meeting(2)

        def entry(packed: bytes, launch: int, meeting: Meeting = meeting) -> int:
            meeting(packed, launch)
            return int(threading.current_thread() is not launching)

        given = hand(pool, entry)
        if given != -1:
            assert given == 1
            return
    pytest.fail("no worker looked for work")


class Records:
    """Launch records with so many claims of one block left in each, and who entered which."""

    def __init__(self, *left: int):
        self.words = (ctypes.c_int64 * (16 * len(left)))()
        self.launching = threading.current_thread()
        self.entered: list[tuple[int, bool]] = []
        self.begun, self.helped = threading.Event(), threading.Event()
        for index, claims in enumerate(left):
            self.words[16 * index + TOTAL], self.words[16 * index + CHUNK] = 10, 1
            self.words[16 * index + NEXT] = 10 - claims

    def __call__(self, packed: bytes, launch: int) -> int:
        index = (launch - ctypes.addressof(self.words)) // 128
        launches = threading.current_thread() is self.launching
        self.entered.append((index, launches))
        if not launches:  # a worker is slow: it ends when it is helped, or soon
            self.begun.set()
            self.helped.wait(0.2)
        elif index == 0:
            self.begun.wait(LONG)
        else:
            self.helped.set()
        self.words[16 * index + NEXT] = 10
        return 0

    def handed(self, pool: Pool) -> list[tuple[int, bool]]:
        """Who entered which record of a job that a worker took part in."""
        count = len(self.words) // 16
        for _ in range(20):
            run(pool, Meeting(2), 1)
            launch = ctypes.addressof(self.words)
            if hand(pool, self, records=count, stride=128, launch=launch, kept=2) != -1:
                return sorted(self.entered)
        pytest.fail("no worker looked for work")


@pytest.mark.parametrize(("left", "is_helped"), [(2, False), (3, True)])
def test_the_last_claims_of_a_record_are_left_to_its_thread(
    pool: Pool, left: int, is_helped: bool
) -> None:
    entered = Records(8, left).handed(pool)
    assert entered == [(0, True), (1, False), *[(1, True)] * is_helped]


def test_records_of_nobody_are_for_the_launching_thread(pool: Pool) -> None:
    entered = Records(8, 8, 1).handed(pool)
    assert {index for index, _ in entered} == {0, 1, 2}
    assert (2, True) in entered
