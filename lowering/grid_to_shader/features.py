"""What a target of the shader level can do, as the words that devices declare.

    ShaderFeatures.parse("1.6+sg8+int64+storage8")      a SPIR-V version is allowed and not used

`int8 int16 int64 float16 float64` are arithmetic, `storage8 storage16` access of buffers in these
widths. A type counts as native where the target has both. `matrix_16x8x32_s8_s32` is a product of
matrices that a subgroup has an instruction for (`matrix_units.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from xdsl.dialects.builtin import BFloat16Type, Float16Type, Float64Type
from xdsl.ir import Attribute

from ...dialects.diagnostics import CompileError
from ...passes.utils.block_editing import integer_bits
from ...registry import near_matches
from .matrix_words import MATRIX_WORD

CAPABILITIES = (
    *("int8", "int16", "int64", "float16", "float64", "storage8", "storage16", "fma"),
    *("int64_atomics", "shared_int64_atomics", "float32_atomic_add", "shared_float32_atomic_add"),
    *("float64_atomic_add", "shared_float64_atomic_add", "memory_model", "bda"),
    *("denorm_preserve16", "denorm_preserve32", "denorm_preserve64", "rte16", "rte32", "rte64"),
    *("signed_zero16", "signed_zero32", "signed_zero64", "subgroup_size_control"),
    *("subgroup_basic", "subgroup_vote", "subgroup_arithmetic", "subgroup_ballot"),
    *("subgroup_shuffle", "subgroup_shuffle_relative", "subgroup_extended_types"),
    "fences",  # an atomic's order is its thread's matter, not a barrier of the block
    "strong_atomics",  # atomics are sequentially consistent without asking for an order
    "exact_division",  # quotients and roots are rounded correctly, which few devices promise
    "cooperative_matrix",  # the words of the form matrix_… say which
    "vector_access",  # with bda: several elements of a buffer at once, as a vector
    "index64",  # a choice for one kernel: indices have 64 bits (with int64 and bda)
    "short_loops",  # a limit: the device ends loops after 65535 rounds
)
DEFAULT_SUBGROUP = 32
_SUBGROUP = re.compile(r"sg(\d+)")
_VERSION = re.compile(r"\d+\.\d+")


@dataclass(frozen=True)
class ShaderFeatures:
    """The capabilities of a target, and the lanes of its subgroups."""

    names: frozenset[str]
    subgroup_size: int = DEFAULT_SUBGROUP

    @staticmethod
    @cache
    def parse(text: str) -> ShaderFeatures:
        """The features that words joined by `+` name; CompileError for an unknown word."""
        names: set[str] = set()
        size = DEFAULT_SUBGROUP
        for word in filter(None, text.split("+")):
            if lanes := _SUBGROUP.fullmatch(word):
                size = int(lanes[1])
                if size.bit_count() != 1:
                    raise CompileError(f"{word}: expected a power of 2 for the lanes of a subgroup")
            elif word in CAPABILITIES or MATRIX_WORD.fullmatch(word):
                names.add(word)
            elif not _VERSION.fullmatch(word):
                hint = near_matches(word, list(CAPABILITIES))
                raise CompileError(f"no feature is called {word!r}", hint=hint)
        return ShaderFeatures(frozenset(names), size)

    def has(self, *names: str) -> bool:
        """Whether all of these are there."""
        return self.names.issuperset(names)

    def native(self, kind: Attribute) -> bool:
        """Whether values of a type can be computed with and stored as they are."""
        if isinstance(kind, BFloat16Type):
            return False
        if isinstance(kind, Float16Type):
            return self.has("float16", "storage16")
        if isinstance(kind, Float64Type):
            return self.has("float64", "int64")
        width = integer_bits(kind)
        needed = {8: ("int8", "storage8"), 16: ("int16", "storage16"), 64: ("int64",)}
        if width is None or width in (1, 32):
            return True
        return width in needed and self.has(*needed[width])
