"""Command buffers of one stream: primary ones, which are submitted, and recordings.

A recording is a secondary command buffer: what is launched again and again is recorded once, and
then batches execute it by its handle. A batch that executes the same recordings as one that is done
is its command buffer once more. Together that is a third of the host's time for a launch. What is
launched again and again while nothing else is under way is a primary command buffer of its own.
Barriers are put between recordings and never are one: NVIDIA's driver (580.159) forgets a barrier
that is all of a secondary command buffer if what follows is not in one.
"""

from __future__ import annotations

import ctypes
from array import array
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from .api import S
from .context import Context
from .table import (
    ACCESS_HOST_READ,
    ACCESS_SHADER_READ,
    ACCESS_SHADER_WRITE,
    ACCESS_TRANSFER_READ,
    ACCESS_TRANSFER_WRITE,
    LEVEL_PRIMARY,
    LEVEL_SECONDARY,
    ONE_TIME_SUBMIT,
    POOL_RESET_BUFFER,
    SIMULTANEOUS_USE,
    STAGE_COMPUTE,
    STAGE_HOST,
    STAGE_TRANSFER,
)

MAX_RECORDINGS = 1024
MAX_WHOLES = 64
BARRIER = 0  # among recordings: all work before it is done and seen by all work after it
HANDLE = "Q" if ctypes.sizeof(ctypes.c_void_p) == 8 else "I"
WORK = STAGE_COMPUTE | STAGE_TRANSFER
WRITES = ACCESS_SHADER_WRITE | ACCESS_TRANSFER_WRITE
READS = ACCESS_SHADER_READ | ACCESS_TRANSFER_READ
Spent = deque[tuple[int, int]]
"""Recordings that nobody has any more: batch and command buffer."""


class Recording:
    """A command buffer for a launch; it can be used anew when batch `ticket` is done."""

    __slots__ = ("_spent", "command", "needs", "ticket")

    def __init__(self, command: int, spent: Spent):
        self.command = command
        self.ticket = 0
        self.needs: Any = None  # what has to be there for it, besides memory and pipeline
        self._spent = spent

    def __del__(self) -> None:
        self._spent.append((self.ticket, self.command))  # taken up by `record`: no lock here


class Whole(NamedTuple):
    """A primary command buffer that is nothing but recordings."""

    command: int
    recordings: bytes
    age: int


class Commands:
    """The command pool of a stream, whose lock the caller holds."""

    def __init__(self, context: Context):
        self._context = context
        info = S.CommandPoolCreateInfo(
            flags=POOL_RESET_BUFFER, queueFamilyIndex=context.physical.family
        )
        self._pool = context.make("CreateCommandPool", info)
        self._wholes: dict[bytes, Whole] = {}
        self._age = 0  # counts recordings that were made anew: what executed them is void
        self._counts = {LEVEL_PRIMARY: 0, LEVEL_SECONDARY: 0}
        self._spent: dict[int, Spent] = {LEVEL_PRIMARY: deque(), LEVEL_SECONDARY: deque()}
        functions = context.functions
        self._begin, self._end = functions.BeginCommandBuffer, functions.EndCommandBuffer
        self._barrier = functions.CmdPipelineBarrier
        self._execute = functions.CmdExecuteCommands
        self.free: list[int] = []
        self._once = S.CommandBufferBeginInfo(flags=ONE_TIME_SUBMIT)
        self._once_ref = ctypes.byref(self._once)
        self._anew = S.CommandBufferBeginInfo()
        self._anew_ref = ctypes.byref(self._anew)
        self._inherited = S.CommandBufferInheritanceInfo()
        self._often = S.CommandBufferBeginInfo(
            flags=SIMULTANEOUS_USE, pInheritanceInfo=ctypes.addressof(self._inherited)
        )
        self._often_ref = ctypes.byref(self._often)
        self._between = S.MemoryBarrier(srcAccessMask=WRITES, dstAccessMask=READS | WRITES)
        self._between_ref = ctypes.byref(self._between)
        self._to_host = S.MemoryBarrier(srcAccessMask=WRITES, dstAccessMask=ACCESS_HOST_READ)
        self._to_host_ref = ctypes.byref(self._to_host)

    def begin(self) -> int:
        """A primary command buffer to record into; it goes back into `free` when it is done."""
        command = self.free.pop() if self.free else self._new(LEVEL_PRIMARY)
        self._context.check(self._begin(command, self._once_ref), "vkBeginCommandBuffer")
        return command

    def execute(self, command: int, recordings: array[int]) -> None:
        """Put recordings into a primary command buffer, and the barriers between them."""
        (address, count), size = recordings.buffer_info(), recordings.itemsize
        start = 0
        while start < count:
            try:
                end = recordings.index(BARRIER, start)
            except ValueError:
                end = count
            if end > start:
                self._execute(command, end - start, address + start * size)
            if end < count:
                self.wait_for_work(command)
            start = end + 1

    def whole(self, recordings: array[int]) -> Whole:
        """Recordings to be submitted; what comes of it is given back when it is done."""
        key = recordings.tobytes()
        found = self._wholes.pop(key, None)
        if found is None:
            command = self.free.pop() if self.free else self._new(LEVEL_PRIMARY)
            self._context.check(self._begin(command, self._anew_ref), "vkBeginCommandBuffer")
            self.execute(command, recordings)
            self.end(command)
            found = Whole(command, key, self._age)
        return found

    def give_back(self, whole: Whole) -> None:
        """It is done, and can be submitted again."""
        wholes = self._wholes
        if whole.age != self._age or whole.recordings in wholes:
            self.free.append(whole.command)
            return
        if len(wholes) >= MAX_WHOLES:
            self.free.append(wholes.pop(next(iter(wholes))).command)
        wholes[whole.recordings] = whole

    def end(self, command: int) -> None:
        """Nothing more is recorded into it; at its end the host sees what was written."""
        self._barrier(command, WORK, STAGE_HOST, 0, 1, self._to_host_ref, 0, None, 0, None)
        self._context.check(self._end(command), "vkEndCommandBuffer")

    def record(self, completed: int, write: Callable[[int], None]) -> Recording | None:
        """What `write` puts into a command buffer, as a recording; None if there are too many.

        `completed` is the last batch that is done.
        """
        command, is_new = self._for_recording(LEVEL_SECONDARY, completed)
        if not command:
            return None
        if not is_new:
            self._age += 1
            self.free += [whole.command for whole in self._wholes.values()]
            self._wholes.clear()
        return Recording(self._recorded(write, command), self._spent[LEVEL_SECONDARY])

    def record_alone(self, completed: int, write: Callable[[int], None]) -> Recording | None:
        """The same as a command buffer to be submitted, after which the host sees what it wrote."""
        command, _ = self._for_recording(LEVEL_PRIMARY, completed)
        if not command:
            return None
        self._context.check(self._begin(command, self._anew_ref), "vkBeginCommandBuffer")
        write(command)
        self.end(command)
        return Recording(command, self._spent[LEVEL_PRIMARY])

    def wait_for_work(self, command: int) -> None:
        """A barrier: all work before it is done and seen by all work after it."""
        self._barrier(command, WORK, WORK, 0, 1, self._between_ref, 0, None, 0, None)

    def close(self) -> None:
        """Destroy all of them."""
        self._context.destroy("DestroyCommandPool", self._pool)

    def _for_recording(self, level: int, completed: int) -> tuple[int, bool]:
        """A command buffer (0 if there are too many), and whether it is a new one."""
        spent = self._spent[level]
        if spent and spent[0][0] <= completed:
            return spent.popleft()[1], False
        if self._counts[level] >= MAX_RECORDINGS:
            return 0, False
        self._counts[level] += 1
        return self._new(level), True

    def _recorded(self, write: Callable[[int], None], command: int = 0) -> int:
        command = command or self._new(LEVEL_SECONDARY)
        self._context.check(self._begin(command, self._often_ref), "vkBeginCommandBuffer")
        write(command)
        self._context.check(self._end(command), "vkEndCommandBuffer")
        return command

    def _new(self, level: int) -> int:
        info = S.CommandBufferAllocateInfo(
            commandPool=self._pool, level=level, commandBufferCount=1
        )
        made = ctypes.c_void_p()
        self._context.call("AllocateCommandBuffers", ctypes.byref(info), ctypes.byref(made))
        assert made.value is not None, "vkAllocateCommandBuffers succeeded"
        return made.value
