"""How much the last-level caches hold that the threads of a launch have, all of them together.

What a launch writes is in the cache for the next one, if there is room for it; if not, stores may
as well go past the cache (`stream-stores` says which do). Where the system does not say how large
caches are, they never do. STEPWELL_CPU_CACHE_BYTES is taken for what it says, 0 for no cache.

A virtual machine of few processors may be told of the whole cache of a large one: 480 MiB where two
have what others leave them. So no processor is taken to have more than `MOST_EACH`, which none has
that we know of (the most: 12 MiB, of AMD's 3D V-Cache). There, stores past the cache were as quick
as others from 16 MiB on, and took 0.8 of the time at 32, 0.6 at 64 MiB (a stencil, two threads).
"""

from __future__ import annotations

import os
from functools import cache

UNKNOWN = 1 << 62
"""More than any launch writes."""
SMALLEST = 1 << 20
"""What every last-level cache holds: only larger launches ask the system, which takes 0.3 ms."""
VARIABLE = "STEPWELL_CPU_CACHE_BYTES"
LINUX = "/sys/devices/system/cpu"
MOST_EACH = 16 << 20
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def are_filled(written: int) -> bool:
    """Whether so many bytes are as many as the caches hold."""
    if written < SMALLEST and VARIABLE not in os.environ:
        return False
    return written >= cache_bytes()


@cache
def cache_bytes() -> int:
    """Bytes of the last-level caches of the processors that this process may run on.

    ValueError if STEPWELL_CPU_CACHE_BYTES is no number of bytes.
    """
    wanted = os.environ.get(VARIABLE)
    if wanted is None:
        return found_by_linux(LINUX) or UNKNOWN
    if not wanted.isdigit():
        raise ValueError(f"{VARIABLE} is {wanted!r}, expected a number of bytes such as 33554432")
    return int(wanted)


def found_by_linux(root: str) -> int:
    """What a folder like Linux' /sys/devices/system/cpu says; 0 where it says nothing.

    Processors are taken to be alike: one is asked for its largest cache, and who shares that.
    """
    processors = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}
    folder = f"{root}/cpu{min(processors)}/cache"
    try:
        names = [name for name in os.listdir(folder) if name.startswith("index")]
        largest = max(names, key=lambda name: int(_text(folder, name, "level")), default="")
        if not largest:
            return 0
        size = _text(folder, largest, "size")
        sharing = _text(folder, largest, "shared_cpu_list")
    except OSError:  # another system, or a virtual machine that leaves them out
        return 0
    found = _bytes(size) * -(-len(processors) // _count(sharing))
    return min(found, MOST_EACH * len(processors))


def _text(*path: str) -> str:
    with open("/".join(path)) as file:
        return file.read().strip()


def _bytes(text: str) -> int:
    """`32768K` as a number."""
    unit = _UNITS.get(text[-1:], 1)
    return int(text[:-1] if unit > 1 else text) * unit


def _count(text: str) -> int:
    """How many processors `0-3,8` are."""
    ends = [part.split("-") for part in text.split(",")]
    return sum(int(end[-1]) - int(end[0]) + 1 for end in ends)
