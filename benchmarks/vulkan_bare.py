"""The least that a launch takes: one recorded command buffer, submitted and waited for by ctypes.

What is recorded is the launch of the runtime, with the same pipeline and arguments; what is left
out is all that the runtime does for a launch.
"""

from __future__ import annotations

import ctypes
from os import sched_yield
from time import perf_counter
from typing import Any

from stepwell.runtime.vulkan.api import S
from stepwell.runtime.vulkan.launch import BoundLaunch
from stepwell.runtime.vulkan.stream import Batch
from stepwell.runtime.vulkan.table import SEMAPHORE_TIMELINE

FOREVER = (1 << 64) - 1
ASKING = 0.0002  # seconds, then it sleeps


class Bare:
    """`count` dependent launches in one command buffer, on a queue of the device's own."""

    def __init__(self, launch: BoundLaunch, packed: bytes, count: int):
        self.launch = launch
        context = self.context = launch.core.context
        self.functions = context.functions
        kind = S.SemaphoreTypeCreateInfo(semaphoreType=SEMAPHORE_TIMELINE)
        info = S.SemaphoreCreateInfo(pNext=ctypes.addressof(kind))
        self.semaphore = ctypes.c_uint64(context.make("CreateSemaphore", info))
        self.value, self.reached = ctypes.c_uint64(), ctypes.c_uint64()
        pool = S.CommandPoolCreateInfo(queueFamilyIndex=context.physical.family)
        self.pool = context.make("CreateCommandPool", pool)
        self.command = self._recorded(packed, count)
        semaphore, value = ctypes.addressof(self.semaphore), ctypes.addressof(self.value)
        self.values = S.TimelineSemaphoreSubmitInfo(
            signalSemaphoreValueCount=1, pSignalSemaphoreValues=value
        )
        self.submission = S.SubmitInfo(
            pNext=ctypes.addressof(self.values),
            commandBufferCount=1,
            pCommandBuffers=ctypes.addressof(self.command),
            signalSemaphoreCount=1,
            pSignalSemaphores=semaphore,
        )
        self.question = S.SemaphoreWaitInfo(semaphoreCount=1, pSemaphores=semaphore, pValues=value)
        self._submission = ctypes.byref(self.submission)
        self._question = ctypes.byref(self.question)
        self._reached = ctypes.byref(self.reached)

    def _recorded(self, packed: bytes, count: int) -> Any:
        functions, launch, commands = self.functions, self.launch, self.launch.timeline.commands
        info = S.CommandBufferAllocateInfo(commandPool=self.pool, commandBufferCount=1)
        made = ctypes.c_void_p()
        self.context.call("AllocateCommandBuffers", ctypes.byref(info), ctypes.byref(made))
        command: Any = made.value
        functions.BeginCommandBuffer(command, ctypes.byref(S.CommandBufferBeginInfo()))
        launch.prepare(packed, launch.used(packed), None)
        launch.write(Batch(launch.timeline, 0), 0, command)
        for _ in range(count - 1):
            commands.wait_for_work(command)
            launch.dispatch(command, *launch.groups)
        functions.EndCommandBuffer(command)
        return made

    def sleeping(self) -> None:
        """Submit it, and sleep until it is done."""
        self.value.value += 1
        self.functions.QueueSubmit(self.context.queues[0].handle, 1, self._submission, 0)
        self.functions.WaitSemaphores(self.context.handle, self._question, FOREVER)

    def asking(self) -> None:
        """Submit it, and ask for a while whether it is done."""
        start = perf_counter()
        self.value.value += 1
        self.functions.QueueSubmit(self.context.queues[0].handle, 1, self._submission, 0)
        ask, device = self.functions.GetSemaphoreCounterValue, self.context.handle
        while self.reached.value < self.value.value:
            if perf_counter() > start + ASKING:
                self.functions.WaitSemaphores(device, self._question, FOREVER)
            sched_yield()
            ask(device, self.semaphore.value, self._reached)

    def close(self) -> None:
        """Destroy what it made."""
        self.context.destroy("DestroyCommandPool", self.pool)
        self.context.destroy("DestroySemaphore", self.semaphore.value)
