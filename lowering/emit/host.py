"""This machine as a target: triple, processor, features, and how wide its vectors are."""

from __future__ import annotations

from functools import cache


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


def host_subgroup_size() -> int:
    """W, the lanes of a subgroup on this machine: as many 32-bit values as a vector has."""
    return host_vector_bits() // 32


def host_vector_bits() -> int:
    """The width of the vectors that code for this machine uses."""
    return vector_bits(host_features())


def converts_half(triple: str, features: str) -> bool:
    """Whether the target converts between f16 and f32 by instructions, not by library calls."""
    if triple.startswith("x86_64"):
        return has_feature(features, "f16c") or has_feature(features, "avx512f")
    return triple.startswith(("aarch64", "arm64"))


def host_converts_half() -> bool:
    """Whether this machine has instructions that convert f16."""
    return converts_half(host_triple(), host_features())


def host_masks_tails() -> bool:
    """Whether the rest of a loop is best run by the same vector ops under a mask (AVX-512)."""
    features = host_features()
    return has_feature(features, "avx512bw") and has_feature(features, "avx512vl")


def host_attributes() -> dict[str, str]:
    """The attributes of functions that run on this machine: how wide vectors should be."""
    return {"prefer-vector-width": str(host_vector_bits())}
