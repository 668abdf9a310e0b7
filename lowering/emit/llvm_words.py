"""The words of LLVM text around functions: symbols, calling conventions, attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import cast

from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, StringAttr, UnitAttr
from xdsl.ir import Attribute

from .llvm_constants import quoted

FUNCTION_FLAGS = {
    "no_inline": "noinline",
    "always_inline": "alwaysinline",
    "optimize_none": "optnone",
    "no_unwind": "nounwind",
    "will_return": "willreturn",
    "convergent": "convergent",
}
_CONVENTIONS = {
    "preserve_mostcc": "preserve_mostcc",
    "preserve_allcc": "preserve_allcc",
    "ptx_kernelcc": "ptx_kernel",
    "ptx_devicecc": "ptx_device",
    "amdgpu_kernelcc": "amdgpu_kernel",
    "spir_kernelcc": "spir_kernel",
    "spir_funccc": "spir_func",
    "amdgpu_cs_chaincc": "amdgpu_cs_chain",
    "aarch64_vectorcallcc": "aarch64_vector_pcs",
}


@lru_cache(maxsize=1024)
def symbol_text(name: str) -> str:
    """A global name, quoted where it has to be."""
    plain = all(c.isascii() and (c.isalnum() or c in "$._-") for c in name)
    return name if plain and name and not name[0].isdigit() else quoted(name)


def calling_convention(name: str) -> str:
    """LLVM's word for a calling convention of the dialect."""
    return _CONVENTIONS.get(name, name)


def passthrough_word(entry: Attribute) -> str:
    """A function attribute that LLVM alone knows: a word, or a key and a value."""
    if isinstance(entry, StringAttr):
        return entry.data
    assert isinstance(entry, ArrayAttr), "passthrough entries are strings or pairs of strings"
    key, value = (part.data for part in cast(ArrayAttr[StringAttr], entry).data)
    return f"{quoted(key)}={quoted(value)}"


def parameter_words(
    attributes: Mapping[str, Attribute], type_text: Callable[[Attribute], str]
) -> list[str]:
    """`{llvm.align = 8 : i64, llvm.noalias}` as `align 8 noalias`, `nvvm.grid_constant` as text;
    other dialects' are dropped."""
    words: list[str] = []
    for name, value in attributes.items():
        if name.startswith("nvvm."):
            words.append(quoted(name))
        if not name.startswith("llvm."):
            continue
        word = name[len("llvm.") :]
        if isinstance(value, UnitAttr):
            words.append(word)
        elif isinstance(value, IntegerAttr):
            number = value.value.data
            words.append(f"{word} {number}" if word == "align" else f"{word}({number})")
        else:
            words.append(f"{word}({type_text(value)})")
    return words
