"""Binaries of another compiler, read and written again, do on a device what they did before."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from test_vulkan_launch import ABIS, ADD, device, launch
from vulkan_kernels import artifact

from stepwell.lowering.emit.spirv import deserialise, serialise
from stepwell.runtime.artifact import Artifact
from stepwell.runtime.vulkan.device import VulkanDevice

__all__ = ["device"]  # a fixture

COLLATZ = """uint i = linear_id(); uint n = i + 1u, k = 0u;
  while (n != 1u) { if (n % 2u == 0u) n /= 2u; else n = 3u * n + 1u; if (++k > 200u) break; }
  BUFFER0(i) = k;"""
SWITCH = """uint i = linear_id(); uint v = 0u;
  switch (i % 4u) { case 0u: v = 7u; break; case 1u: v = 1u; case 2u: v += 10u; break;
    default: return; }
  BUFFER0(i) = v;"""
REVERSED = """uint t = gl_LocalInvocationID.x; tile[t] = BUFFER0(t) * 3u; barrier();
  BUFFER0(t) = tile[gl_WorkGroupSize.x - 1u - t];"""
COUNTED = "uint i = linear_id(); atomicAdd(BUFFER0(i % 5u), i); atomicMax(BUFFER0(63u), i);"
BODIES: dict[str, Callable[[str], Artifact]] = {
    "add": lambda abi: artifact(abi, ADD, words=("amount",)),
    "loop": lambda abi: artifact(abi, COLLATZ, words=("amount",)),
    "switch": lambda abi: artifact(abi, SWITCH, words=("amount",)),
    "shared": lambda abi: artifact(
        abi, REVERSED, words=("amount",), declarations="shared uint tile[64];"
    ),
    "atomics": lambda abi: artifact(abi, COUNTED, words=("amount",)),
}


@pytest.mark.parametrize("abi", ABIS)
@pytest.mark.parametrize("name", BODIES)
def test_a_binary_that_is_read_and_written_runs_as_before(
    device: VulkanDevice, name: str, abi: str
) -> None:
    made = BODIES[name](abi)
    again = made._replace(payload=serialise(deserialise(made.payload)))
    given = list(range(64))
    results: list[list[int]] = []
    for one in (made, again):
        array = device.array(np.array(given, np.uint32))
        launch(device, one, [array, 5])
        results.append(array.numpy().tolist())
    assert results[0] != given, "the kernel does something"
    assert results[0] == results[1]
