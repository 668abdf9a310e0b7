"""The profile: what a Vulkan device can do, as the text that code is compiled for.

    "1.6+sg8+bda+float16+int64"

The newest SPIR-V version, the subgroup size, then capabilities in alphabetical order. The runtime
writes it, the compiler reads it; CAPABILITIES is for both the list of names that may occur. Besides
there is one for each product of matrices that a subgroup has an instruction for:
matrix_16x8x32_s8_s32 has factors of 16x32 and 32x8 (signed bytes), and sums of 16x8.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MATRIX_WORD = re.compile(r"matrix_(\d+)x(\d+)x(\d+)_(f16|f32|f64|s8|u8)_(f16|f32|f64|s32|u32)")
INDEX64 = "index64"
CAPABILITIES = frozenset(
    [
        *("bda", "int8", "int16", "int64", "float16", "float64", "storage8", "storage16"),
        *("int64_atomics", "shared_int64_atomics", "memory_model"),
        *("float32_atomic_add", "shared_float32_atomic_add"),
        *("float64_atomic_add", "shared_float64_atomic_add"),
        *(
            f"{name}{width}"
            for name in ("denorm_preserve", "rte", "signed_zero")
            for width in (16, 32, 64)
        ),
        *("subgroup_basic", "subgroup_vote", "subgroup_arithmetic", "subgroup_ballot"),
        *("subgroup_shuffle", "subgroup_shuffle_relative"),
        *("subgroup_extended_types", "subgroup_size_control"),
        "fences",  # an atomic's order is its thread's matter, not a barrier of the block
        "strong_atomics",  # atomics are sequentially consistent without asking for an order
        "exact_division",  # quotients and roots are rounded correctly, as Vulkan asks of nobody
        "cooperative_matrix",  # the words of the form matrix_… say which
        "vector_access",  # with bda: several elements of a buffer at once, as a vector
        INDEX64,  # a choice for one kernel: indices have 64 bits (with int64 and bda)
        "short_loops",  # a limit: the device ends a thread's loops after 65535 rounds in all
    ]
)


class Profile(NamedTuple):
    """SPIR-V version, lanes of a subgroup, capabilities."""

    spirv: tuple[int, int]
    subgroup_size: int
    capabilities: frozenset[str]

    def __str__(self) -> str:
        major, minor = self.spirv
        parts = [f"{major}.{minor}", f"sg{self.subgroup_size}", *sorted(self.capabilities)]
        return "+".join(parts)

    @classmethod
    def parse(cls, text: str) -> Profile:
        """The inverse of `str`; ValueError for a text that is no profile."""
        version, _, rest = text.partition("+")
        size, _, capabilities = rest.partition("+")
        names = frozenset(capabilities.split("+")) - {""}
        major, _, minor = version.partition(".")
        if not (major.isdigit() and minor.isdigit()):
            raise ValueError(f"profile {text!r} does not start with a SPIR-V version such as 1.3")
        if size[:2] != "sg" or not size[2:].isdigit():
            raise ValueError(f"profile {text!r} has no subgroup size such as sg8 in second place")
        unknown = sorted(n for n in names - CAPABILITIES if not MATRIX_WORD.fullmatch(n))
        if unknown:
            raise ValueError(f"profile {text!r} has unknown capabilities: {', '.join(unknown)}")
        return cls((int(major), int(minor)), int(size[2:]), names)
