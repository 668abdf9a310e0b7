"""How batches of one stream reach the queue, and how far the device is with them.

A timeline semaphore counts the batches that are done. What the driver is given for that is made
once; only the command buffer and the number change.
"""

from __future__ import annotations

import ctypes
import threading
from time import perf_counter

from .api import S
from .context import Context, Queue
from .table import SEMAPHORE_TIMELINE

# Seconds. A driver that executes while it takes the batch gains nothing from long ones, and an
# interrupt is only heard between them.
SLOW_SUBMISSION = 0.002


class _Answer(threading.local):
    """How far the device is, as a thread was told.

    What another thread was told counts when its call is over: the validation layer takes up by then
    that the batches before are done, and objects to their command buffers being used again earlier.
    """

    def __init__(self) -> None:
        self.count = ctypes.c_uint64()
        self.place = ctypes.byref(self.count)


class Submissions:
    """The way of one stream to its queue; the stream's lock is held by who submits."""

    def __init__(self, context: Context, queue: Queue):
        self._context = context
        self._queue = queue
        kind = S.SemaphoreTypeCreateInfo(semaphoreType=SEMAPHORE_TIMELINE)
        self.semaphore = context.make(
            "CreateSemaphore", S.SemaphoreCreateInfo(pNext=ctypes.addressof(kind))
        )
        address, functions = ctypes.addressof, context.functions
        self._command = ctypes.c_void_p()
        self._signal = ctypes.c_uint64(self.semaphore)
        self._value = ctypes.c_uint64()
        self._values = S.TimelineSemaphoreSubmitInfo(
            signalSemaphoreValueCount=1, pSignalSemaphoreValues=address(self._value)
        )
        self._submission = S.SubmitInfo(
            pNext=address(self._values),
            commandBufferCount=1,
            pCommandBuffers=address(self._command),
            signalSemaphoreCount=1,
            pSignalSemaphores=address(self._signal),
        )
        self.submit_commands = functions.untyped("QueueSubmit")
        self._submitted = (
            ctypes.c_void_p(queue.handle),
            ctypes.c_uint32(1),
            ctypes.byref(self._submission),
            ctypes.c_uint64(0),
        )
        self._ask = functions.untyped("GetSemaphoreCounterValue")
        self._asked = ctypes.c_void_p(context.handle), self._signal
        self._answers = _Answer()

    def submit(self, command: int, ticket: int) -> bool:
        """Submit a command buffer as batch `ticket`; whether the driver took long to take it."""
        self._command.value, self._value.value = command, ticket
        start = perf_counter()
        with self._queue.lock:
            result = self.submit_commands(*self._submitted)
        if result:
            self._context.check(result, "vkQueueSubmit")
        return perf_counter() - start > SLOW_SUBMISSION

    def reached(self) -> int:
        """The last batch that is done, 0 if nothing can be said; takes no lock."""
        context, answer = self._context, self._answers
        if context.lost or context.closed or self._ask(*self._asked, answer.place) != 0:
            return 0
        return answer.count.value

    def close(self) -> None:
        """Destroy the semaphore; everything is done, or the device is lost."""
        self._context.destroy("DestroySemaphore", self.semaphore)
