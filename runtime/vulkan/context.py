"""A VkDevice: its functions and queues, and what all that is made from it shares.

`call` is for what happens rarely: it turns results into exceptions and raises what the validation
layer said. The paths of a launch call `functions` themselves.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from ..errors import DeviceError, DeviceLost, OutOfMemory
from ..process import timeout_ns
from .api import Functions, S, array, chain, gives_result, names
from .physical import Physical
from .table import DEVICE_LOST, OUT_OF_MEMORY, RESULTS, TIMEOUT

MAX_QUEUES = 4
WAIT_SLICE_NS = 50_000_000


class Queue:
    """A VkQueue; one thread at a time may submit."""

    def __init__(self, handle: int):
        self.handle = handle
        self.lock = threading.Lock()


class Question:
    """What vkWaitSemaphores is asked; made once and used again, by one thread at a time."""

    def __init__(self) -> None:
        self.semaphore, self.value = ctypes.c_uint64(), ctypes.c_uint64()
        self.info = S.SemaphoreWaitInfo(
            semaphoreCount=1,
            pSemaphores=ctypes.addressof(self.semaphore),
            pValues=ctypes.addressof(self.value),
        )
        self.reference = ctypes.byref(self.info)


class Context:
    """The device as the driver knows it, from its making to its end."""

    def __init__(self, physical: Physical, name: str):
        self.physical = physical
        self.name = name
        self.validation = physical.instance.validation
        self.lost = ""
        self.is_stuck = False  # a kernel runs on, so nothing can be destroyed
        self.was_interrupted = False
        self._questions: list[Question] = []
        self.closed = False
        self.handle = self._create()
        find: Any = physical.functions.GetDeviceProcAddr
        self.functions = Functions(lambda function: find(self.handle, function))
        self.queues = [self._queue(i) for i in range(self._queue_count)]
        self.timeout_ns = timeout_ns()

    def _create(self) -> int:
        physical = self.physical
        self._queue_count = min(physical.queue_count, MAX_QUEUES)
        priorities = array(ctypes.c_float, [1.0] * self._queue_count)
        queues = S.DeviceQueueCreateInfo(
            queueFamilyIndex=physical.family,
            queueCount=self._queue_count,
            pQueuePriorities=ctypes.addressof(priorities),
        )
        extensions = names(physical.extensions)
        create = S.DeviceCreateInfo(
            queueCreateInfoCount=1,
            pQueueCreateInfos=ctypes.addressof(queues),
            enabledExtensionCount=len(extensions),
            ppEnabledExtensionNames=ctypes.addressof(extensions),
        )
        chain(create, *physical.offer.enable)
        handle = ctypes.c_void_p()
        result = physical.functions.CreateDevice(
            physical.handle, ctypes.byref(create), None, ctypes.byref(handle)
        )
        self.check(result, "vkCreateDevice")
        assert handle.value is not None, "vkCreateDevice succeeded"
        return handle.value

    def _queue(self, number: int) -> Queue:
        handle = ctypes.c_void_p()
        arguments = self.handle, self.physical.family, number, ctypes.byref(handle)
        self.functions.GetDeviceQueue(*arguments)
        assert handle.value is not None, "the device was made with this queue"
        return Queue(handle.value)

    def call(self, function: str, *arguments: Any) -> Any:
        """Call `vk{function}(device, …)`; its error is an exception."""
        result = getattr(self.functions, function)(self.handle, *arguments)
        if gives_result(function):
            self.check(result, f"vk{function}")
        self.raise_messages(f"vk{function}")
        return result

    def make(self, function: str, info: Any) -> int:
        """Call `vk{function}(device, info, …)`, which makes one object; its handle."""
        made = ctypes.c_uint64()
        self.call(function, ctypes.byref(info), None, ctypes.byref(made))
        return made.value

    def destroy(self, function: str, handle: int) -> None:
        """Call `vk{function}(device, handle, …)`, unless the device is gone with all it had."""
        if handle and not self.closed and not self.is_stuck:
            getattr(self.functions, function)(self.handle, handle, None)
            self.raise_messages(f"vk{function}")

    def raise_messages(self, during: str) -> None:
        """DeviceError with what the validation layer said since it was last asked."""
        if self.validation is not None:
            self.validation.check(during)

    def check(self, result: int, what: str) -> None:
        """The exception of a VkResult that is an error."""
        if result >= 0:
            return
        reason = RESULTS.get(result, f"result {result}")
        if result in OUT_OF_MEMORY:
            raise OutOfMemory(f"{self.name} is {reason} ({what})")
        if result == DEVICE_LOST:
            self.give_up(f"the driver reports in {what} that it was lost")
        raise DeviceError(f"{self.name}: {what} failed: {reason}")

    def give_up(self, reason: str) -> None:
        """Remember that nothing works any more, and say so; DeviceLost."""
        self.lost = self.lost or reason
        self.require()

    def require(self) -> None:
        """DeviceLost if the device was lost before, DeviceError if it is closed."""
        if self.lost:
            raise DeviceLost(
                f"{self.name} cannot be used any more: {self.lost}; start a new process to use it"
            )
        if self.closed:
            raise DeviceError(f"{self.name} is closed: the process is ending")

    def wait(self, semaphore: int, value: int, what: Callable[[], str]) -> None:
        """Wait until a timeline semaphore has a value; interrupts are heard meanwhile.

        `what` says what is waited for, if it does not come.
        """
        try:
            self._wait(semaphore, value, what)
        except KeyboardInterrupt:
            self.was_interrupted = True
            raise

    def _wait(self, semaphore: int, value: int, what: Callable[[], str]) -> None:
        ask = self._questions.pop() if self._questions else Question()
        ask.semaphore.value, ask.value.value = semaphore, value
        end = monotonic() + self.timeout_ns / 1e9 if self.timeout_ns else None
        slice_ns = min(WAIT_SLICE_NS, self.timeout_ns or WAIT_SLICE_NS)
        wait, reference = self.functions.WaitSemaphores, ask.reference
        while (result := wait(self.handle, reference, slice_ns)) == TIMEOUT:
            if self.lost:
                self.require()
            if end is not None and monotonic() > end:
                seconds = self.timeout_ns / 1e9
                self.is_stuck = True
                self.give_up(
                    f"{what()} did not finish within {seconds:g} s (STEPWELL_TIMEOUT), as one with "
                    "an endless loop does not"
                )
        self._questions.append(ask)
        self.check(result, "vkWaitSemaphores")

    def close(self) -> None:
        """Destroy the device; everything made from it is destroyed already."""
        if not self.closed and not self.is_stuck:
            self.functions.DestroyDevice(self.handle, None)
            self.raise_messages("vkDestroyDevice")
        self.closed = True
