"""A machine as a target: triple, processor, features, and what its vectors can do.

Code is made for this machine (`host_machine()`) or for any other that LLVM knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

LINE = 64
"""Bytes of a line of the caches, of every processor that there is code for."""


@dataclass(frozen=True)
class Machine:
    """What LLVM's code generator makes code for: `features` is a list such as "+avx2,-f16c"."""

    triple: str
    cpu: str
    features: str

    @property
    def subgroup_size(self) -> int:
        """W, the lanes of a subgroup: as many 32-bit values as a vector has."""
        return vector_bits(self.features) // 32

    @property
    def converts_half(self) -> bool:
        """Whether there are instructions that convert f16."""
        return converts_half(self.triple, self.features)

    @property
    def has_masks(self) -> bool:
        """Whether it loads and stores lanes of all sizes under masks. AVX2 does so for 32 and 64
        bits, but on some processors for more time than single elements take."""
        return has_feature(self.features, "avx512bw") and has_feature(self.features, "avx512vl")

    @property
    def has_gathers(self) -> bool:
        """Whether it loads lanes from anywhere by one instruction that is worth it: AVX2's is not,
        and LLVM does not use it for most processors."""
        return has_feature(self.features, "avx512f")

    @property
    def streams(self) -> bool:
        """Whether stores past the cache are worth it: on x86-64 with AVX2, which has masks for the
        ends of rows. On ARM it was not measured: `stnp`, the store for it, is a hint there, which
        processors may ignore."""
        return self.triple.startswith("x86_64") and has_feature(self.features, "avx2")

    @property
    def fetches(self) -> bool:
        """Whether it pays to ask for lines before they are written: on x86-64 that has an
        instruction for that. On ARM it was not measured."""
        return self.triple.startswith("x86_64") and has_feature(self.features, "prfchw")

    @property
    def scales(self) -> bool:
        """Whether one instruction multiplies vectors by powers of two, of any length it has."""
        return has_feature(self.features, "avx512vl")

    @property
    def parameters(self) -> dict[str, str]:
        """What pipelines may ask of the machine, as text."""
        return {
            "masks": str(self.has_masks).lower(),
            "half_instructions": str(self.converts_half).lower(),
            "gathers": str(self.has_gathers).lower(),
            "streams": str(self.streams).lower(),
            "fetches": str(self.fetches).lower(),
            "scales": str(self.scales).lower(),
        }

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes of functions that run on the machine: how wide vectors should be, and that
        the stack is aligned for them.

        LLVM finds out too late that it keeps vectors there, and then puts them across two lines of
        the cache: Black-Scholes takes 8 % longer so (on a Xeon).
        """
        aligned = {"stackrealign": ""} if self.triple.startswith("x86_64") else {}
        return {"prefer-vector-width": str(vector_bits(self.features)), **aligned}


@cache
def host_machine() -> Machine:
    """This machine."""
    return Machine(host_triple(), host_cpu(), host_features())


@cache
def host_triple() -> str:
    """The target triple of this process, such as `x86_64-unknown-linux-gnu`."""
    import llvmlite.binding as binding

    return binding.get_process_triple()


@cache
def host_cpu() -> str:
    """LLVM's name of this processor, such as `znver4`."""
    import llvmlite.binding as binding

    return binding.get_host_cpu_name()


@cache
def host_features() -> str:
    """Every feature that LLVM knows of, with + or - for this machine: `+avx2,-sse4a,…`."""
    import llvmlite.binding as binding

    return binding.get_host_cpu_features().flatten()


@cache
def has_feature(features: str, name: str) -> bool:
    """Whether a feature list switches the feature on (the last mention counts)."""
    found = False
    for entry in features.split(","):
        if entry[1:] == name:
            found = entry[0] == "+"
    return found


def vector_bits(features: str) -> int:
    """The width of the vectors that code for such a machine should use."""
    if has_feature(features, "avx512f"):
        return 512
    return 256 if has_feature(features, "avx2") or has_feature(features, "sve") else 128


def converts_half(triple: str, features: str) -> bool:
    """Whether the target converts between f16 and f32 by instructions, not by library calls."""
    if triple.startswith("x86_64"):
        return has_feature(features, "f16c") or has_feature(features, "avx512f")
    return triple.startswith(("aarch64", "arm64"))
