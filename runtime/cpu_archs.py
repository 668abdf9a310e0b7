"""The architectures of CPUs that code is made for, beside this very machine; what each one has.

The levels of x86-64 are those of its psABI: sets of features that whole generations have.
"""

from __future__ import annotations

from typing import NamedTuple


class CpuArch(NamedTuple):
    """A row: `architecture` and `cpu` are LLVM's names, `features` those that code may need.

    What every processor of an architecture has (SSE2, NEON) is not among the features.
    """

    architecture: str
    cpu: str
    features: tuple[str, ...]


_V2 = ("crc32", "cx16", "popcnt", "sahf", "sse3", "ssse3", "sse4.1", "sse4.2")
_V3 = (*_V2, "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave")
_V4 = (*_V3, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")

CPU_ARCHS = {
    "x86-64-v2": CpuArch("x86_64", "x86-64-v2", _V2),
    "x86-64-v3": CpuArch("x86_64", "x86-64-v3", _V3),
    "x86-64-v4": CpuArch("x86_64", "x86-64-v4", _V4),
    "arm64": CpuArch("aarch64", "generic", ()),
}

# Names of one architecture: Apple's and Windows' are not LLVM's own.
_SAME = {"arm64": "aarch64", "amd64": "x86_64"}
_SYSTEMS = ("linux", "darwin", "windows", "freebsd")


def architecture_of(triple: str) -> str:
    """The architecture in a target triple, by LLVM's own name."""
    name = triple.partition("-")[0]
    return _SAME.get(name, name)


def system_of(triple: str) -> str:
    """The operating system in a target triple; "" where it names none of the usual ones."""
    return next((name for name in _SYSTEMS if name in triple), "")


def best_arch(triple: str, features: frozenset[str]) -> str:
    """The last row that a machine has all of; "" if there is none."""
    own = architecture_of(triple)
    found = [
        name
        for name, row in CPU_ARCHS.items()
        if row.architecture == own and features.issuperset(row.features)
    ]
    return found[-1] if found else ""
