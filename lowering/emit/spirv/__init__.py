"""SPIR-V binaries from the spirv dialect and back, and as text.

serialise(module)      a spirv.module as a binary, little-endian
deserialise(data)      a binary as a spirv.module
disassemble(data)      a binary as text, as spirv-dis prints it
"""

from __future__ import annotations

from .deserialise import deserialise
from .disassemble import disassemble
from .serialise import serialise

__all__ = ["deserialise", "disassemble", "serialise"]
