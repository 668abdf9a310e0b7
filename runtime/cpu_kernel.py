"""Launches on the CPU: the launch record of the ABI, how many threads take part, the reports.

The launch record is 14 words of 64 bits: grid x y z, block x y z, number of blocks, blocks per
claim, next block, failed flag, address of the report buffer, bytes of dynamic shared memory,
address of the kernel's function of a block, whether that stores past the caches. What runs the
blocks is the same for all kernels (cpu_blocks.ll).

A launch of which little work is expected runs on the calling thread alone. What a block costs is
measured at each launch; while it is unknown or near the limit, some blocks are run first to see.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import Any

import numpy as np

from .artifact import Artifact, Manifest
from .cpu_code import RECORD_STRIDE, LoadedCode, runner
from .cpu_units import in_blocks, units_of
from .device import Device, Direct, Launcher, LoadedKernel, Stream, launch_nothing
from .launch_shape import PLAIN, Dim3, LaunchOptions, check_launch
from .report import (
    CAPACITY_WORD,
    HEADER_WORDS,
    PRINTED_WORD,
    capacity_words,
    lost_failure,
    raise_or_print,
    take,
)

TOTAL, CHUNK, NEXT, FAILED, REPORT, SHARED, STREAMS = 6, 7, 8, 9, 10, 11, 13
LAUNCH_WORDS = 14
MAX_LAUNCHERS = 64

ALONE_NS = 10_000
SHARE_NS = 25_000
PROBE_NS = 20_000
CLAIM_NS = 20_000
SLICE_NS = 200_000_000
CLAIMS = 8

# Arguments that are bytes and references need no conversion, which would take 0.1 µs.
_RUN = ctypes.CFUNCTYPE(ctypes.c_int32)
_RECORD = ctypes.c_int64 * RECORD_STRIDE


class CpuKernel(LoadedKernel):
    """Machine code in this process."""

    def __init__(self, device: Device, artifact: Artifact):
        self.device = device
        self.manifest = artifact.manifest
        self.code = LoadedCode(artifact)
        self.run: Callable[[bytes, Any], int] = _RUN(runner())
        self.thread_ns = 0.0
        self._launchers: dict[tuple[Dim3, Dim3, int, LaunchOptions], CpuLauncher] = {}
        self.report_words = 0
        if self.manifest.has_report:
            self.report_words = capacity_words(self.manifest.prints)

    def launcher(
        self,
        grid: Dim3,
        block: Dim3,
        shared_bytes: int = 0,
        stream: Stream | None = None,
        options: LaunchOptions = PLAIN,
    ) -> Launcher:
        """See `LoadedKernel.launcher`; the stream is ignored, as launches are synchronous."""
        known = self._launchers.get((grid, block, shared_bytes, options))
        if known is not None:
            return known.launch
        check_launch(self.device, self.manifest, grid, block, shared_bytes, options)
        if 0 in grid:
            return launch_nothing
        if len(self._launchers) >= MAX_LAUNCHERS:
            self._launchers.clear()
        made = CpuLauncher(self, grid, block, shared_bytes)
        self._launchers[grid, block, shared_bytes, options] = made
        return made.launch

    def direct(
        self, launcher: Launcher, extents: Sequence[int], packed: bytes, arguments: Sequence[Any]
    ) -> Direct | None:
        """See `LoadedKernel.direct`."""
        from .cpu_launch import direct_launch

        own: Any = getattr(launcher, "__self__", None)
        return direct_launch(own, extents, arguments) if isinstance(own, CpuLauncher) else None


class _State:
    """The memory of one launch that is under way: launch records, of which a launch on one thread
    uses the first, and report buffer."""

    __slots__ = ("address", "record", "records", "reference", "report", "words")

    def __init__(self, template: list[int], report_words: int, threads: int):
        self.records = (_RECORD * threads)()
        self.record = self.records[0]
        self.address = ctypes.addressof(self.records)
        self.reference: Any = ctypes.byref(self.records)
        self.report: Any = None
        self.words: Any = None
        if report_words:
            self.report = np.zeros(HEADER_WORDS + report_words, np.uint32)
            self.words = memoryview(self.report)
            self.words[CAPACITY_WORD] = report_words
            template = [*template]
            template[REPORT] = self.report.ctypes.data
        for record in self.records:
            record[:LAUNCH_WORDS] = template

    def failed(self) -> bool:
        """Whether a thread's record says so; from now on, none does."""
        found = any(record[FAILED] for record in self.records)
        for record in self.records:
            record[FAILED] = 0
        return found


class CpuLauncher:
    """Launches of one kernel with one grid and block; any number of threads may use it at once."""

    __slots__ = (
        "_free",
        "_has_prints",
        "_kernel",
        "_run",
        "_template",
        "_unit",
        "_user_block",
        "_width",
        "block_count",
        "workers",
    )

    def __init__(self, kernel: CpuKernel, grid: Dim3, block: Dim3, shared_bytes: int):
        from .cpu_pool import thread_count

        threads = thread_count()
        self._user_block = block
        grid, block = units_of(kernel.manifest, grid, block, threads)
        total = grid[0] * grid[1] * grid[2]
        self._unit, self._width = block, block[0] * block[1] * block[2]
        self._kernel = kernel
        self._run = kernel.run
        code, streams = kernel.code.address, int(kernel.manifest.streams)
        self._template = [*grid, *block, total, total, 0, 0, 0, shared_bytes, code, streams]
        self.block_count = total
        self._has_prints = kernel.manifest.prints
        self._free: list[_State] = []
        self.workers = min(threads, total) - 1

    @property
    def manifest(self) -> Manifest:
        """The kernel's."""
        return self._kernel.manifest

    @property
    def block_ns(self) -> float:
        """What a block of the kernel took last, 0 if that is not known."""
        return self._kernel.thread_ns * self._width

    @block_ns.setter
    def block_ns(self, taken: float) -> None:
        self._kernel.thread_ns = taken / self._width

    def launch(self, packed: bytes) -> None:
        """Launch on this thread, or with workers where enough work is expected."""
        count = self.block_count
        if not 0 < self.block_ns * count < ALONE_NS:
            return self._spread(packed)
        try:
            state = self._free.pop()
        except IndexError:
            state = self.new_state()
        state.record[NEXT] = 0
        start = perf_counter_ns()
        failed = self._run(packed, state.reference)
        self.block_ns = max(perf_counter_ns() - start, 1) / count
        return self._end(state, failed)

    def _spread(self, packed: bytes) -> None:
        """Launch with workers, in slices: an interrupt is heard between two of them."""
        try:
            state = self._free.pop()
        except IndexError:
            state = self.new_state()
        count = self.block_count
        record, first, failed = state.record, 0, 0
        if self.block_ns * count < 4 * SHARE_NS:
            first, failed = self._probe(packed, state)
        while first < count and not failed:
            slice_blocks = int(SLICE_NS * (self.workers + 1) / self.block_ns) + 1
            end = min(count, first + slice_blocks)
            failed = self._slice(packed, state, first, end)
            first = end
        record[TOTAL] = record[CHUNK] = count
        self._end(state, failed)

    def new_state(self) -> _State:
        """For the first launch, or when all others are under way in other threads."""
        return _State(self._template, self._kernel.report_words, self.workers + 1)

    def _probe(self, packed: bytes, state: _State) -> tuple[int, int]:
        """Run a few blocks to see what they cost; how many, and whether a check failed.

        The least cost of a batch counts: the first one also pays for cold caches and page faults.
        """
        count, record = self.block_count, state.record
        done, batch = 0, max(1, min(count, int(PROBE_NS / (self.block_ns or PROBE_NS))))
        spent, least, enough = 0, 0.0, 10 * PROBE_NS
        while done < count and spent < enough:
            batch = min(batch, count - done)
            record[TOTAL], record[NEXT], record[CHUNK] = done + batch, done, batch
            start = perf_counter_ns()
            failed = self._run(packed, state.reference)
            took = max(perf_counter_ns() - start, 1)
            least = min(least or took, took / batch)
            done += batch
            spent += took
            self.block_ns = least
            if failed:
                return done, 1
            if done > batch:
                enough = PROBE_NS
            batch *= 4
        return done, 0

    def _slice(self, packed: bytes, state: _State, first: int, end: int) -> int:
        """Run these blocks, with workers if it is worth it; whether a check failed."""
        blocks = end - first
        work = blocks * self.block_ns
        helpers = 0 if work < SHARE_NS else int(work / (SHARE_NS / 2))
        helpers = min(helpers, self.workers, blocks - 1)
        start = perf_counter_ns()
        if helpers:
            self._share_out(state, first, blocks, helpers + 1)
            failed, threads = self._shared(packed, state, helpers)
        else:
            state.record[TOTAL], state.record[NEXT], state.record[CHUNK] = end, first, blocks
            failed, threads = self._run(packed, state.reference), 1
        self.block_ns = max(perf_counter_ns() - start, 1) * threads / blocks
        return failed

    def _share_out(self, state: _State, first: int, blocks: int, threads: int) -> None:
        """Give each thread a launch record with blocks side by side, claimed in pieces.

        So each thread goes through memory in one direction, and the same part of it each time;
        only who is done early takes from others.
        """
        most = int(CLAIM_NS / self.block_ns) + 1
        begin = first
        for number in range(threads):
            record, end = state.records[number], first + blocks * (number + 1) // threads
            chunk = max(1, min((end - begin) // CLAIMS, most))
            record[TOTAL], record[NEXT], record[CHUNK] = end, begin, chunk
            begin = end

    def _shared(self, packed: bytes, state: _State, helpers: int) -> tuple[int, int]:
        """Run the blocks of the records with workers; whether a check failed, and threads used."""
        from .cpu_pool import pool

        words = packed, state.address, helpers, helpers + 1, ctypes.sizeof(_RECORD)
        failed, threads = pool.run(runner(), *words)
        return int(failed), threads

    def _end(self, state: _State, failed: int) -> None:
        """Print and raise what the kernel reported, if it did; the state is for the next launch."""
        try:
            if failed or (self._has_prints and state.words[PRINTED_WORD]):
                self.report(state)
        finally:
            self._free.append(state)

    def report(self, state: _State) -> None:
        """Print and raise what the kernel reported, and leave the state clean."""
        failed = state.failed()
        kernel = self._kernel.manifest
        if state.report is None:
            raise lost_failure(kernel.name, self._kernel.device.name)
        decoded = in_blocks(take(state.words, kernel.sites), self._unit, self._user_block)
        raise_or_print(decoded, kernel.name, self._kernel.device.name)
        if failed:
            raise lost_failure(kernel.name, self._kernel.device.name)
