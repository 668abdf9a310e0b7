"""Code for the CPU in a process whose address space is nearly full, as GPU drivers make it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCATTERED = """
import ctypes
import math

import llvmlite.binding
import numpy as np

import stepwell as sw

PAGE, BLOCK = 4096, 4 << 30
FREE, FIXED = 0x4022, 0x104022  # private, anonymous, without reserve; and at this very address
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


def reserve(start, size, flags):
    found = libc.mmap(start, size, 0, flags, -1, 0)
    assert found != 2**64 - 1, "no such addresses"
    return found


@sw.kernel
def exponential(x, y):
    y[sw.global_id(0)] = math.exp(x[sw.global_id(0)])


starts = [reserve(None, BLOCK, FREE) for _ in range(128)]
with open("/proc/self/maps") as file:
    used = [[int(end, 16) for end in line.split()[0].split("-")] for line in file]
for (_, start), (end, _) in zip(used, used[1:], strict=False):
    if min(starts) <= start < end < 1 << 47:
        reserve(start, end - start, FIXED)
for start in starts:  # what is left: single pages, two of which are more than 2 GiB apart
    libc.munmap(start + BLOCK // 2, PAGE)

x = np.linspace(0, 1, 1000, dtype=np.float32)
y = np.zeros_like(x)
exponential.over(1000, device="cpu")(x, y)
assert np.allclose(y, np.exp(x))
print("done")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="fills the address space as Linux has it")
def test_code_and_its_constants_lie_together_wherever_there_is_room(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path))
    script = tmp_path / "scattered.py"
    script.write_text(SCATTERED)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
