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
from ...runtime.vulkan.profile import CAPABILITIES as PROFILE_CAPABILITIES
from ...runtime.vulkan.profile import MATRIX_WORD

# No question to a driver tells whether its fma is fused, so no device says so.
CAPABILITIES = PROFILE_CAPABILITIES | {"fma"}
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
                hint = near_matches(word, sorted(CAPABILITIES))
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
