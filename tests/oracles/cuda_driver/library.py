"""What stands for `cuda.bindings.driver` where there is no GPU: its functions, and their rules.

    from oracles.cuda_driver.library import Library

    driver = Driver(Library())

It keeps contexts, streams, events, memory and captures as the driver does, refuses what the driver
refuses with the driver's results, and executes kernels by the PTX interpreter. A function that it
does not have is an AttributeError. Its handles are numbers that mean nothing to anybody else.
"""

from __future__ import annotations

from oracles.cuda_driver.kernel_calls import KernelCalls
from oracles.cuda_driver.memory_calls import MemoryCalls
from oracles.cuda_driver.stream_calls import StreamCalls


class Library(StreamCalls, MemoryCalls, KernelCalls):
    """The driver of a machine with these GPUs.

    `calls` are the names of all calls so far, `loaded` the images that modules came from;
    `machine_code` says by which PTX an image is executed that is no PTX.
    """
