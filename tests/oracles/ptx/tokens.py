"""Tokens and literals of PTX text."""

from __future__ import annotations

import re
import struct

from .errors import PtxSyntaxError
from .syntax import Immediate

Token = tuple[str, str, int]
_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
      |(?P<number>0[fF][0-9a-fA-F]{8}|0[dD][0-9a-fA-F]{16}|0[xX][0-9a-fA-F]+U?|0[bB][01]+U?
        |\d+\.\d*(?:[eE][+-]?\d+)?|\d+U?)
      |(?P<string>"(?:[^"\\]|\\.)*")
      |(?P<word>[.%$_A-Za-z](?:[\w$%.]|::)*)
      |(?P<mark>[{}()\[\],;:@!|+\-=<>])""",
    re.VERBOSE | re.DOTALL,
)


def tokens(text: str) -> list[Token]:
    """(kind, text, line) of everything but space and comments."""
    result: list[Token] = []
    line, at = 1, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise PtxSyntaxError(f"cannot read {text[at : at + 20]!r}", line)
        if match.lastgroup != "space":
            result.append((str(match.lastgroup), match.group(), line))
        line += match.group().count("\n")
        at = match.end()
    return result


def number(text: str) -> Immediate:
    """The literal `text`."""
    low = text.lower().rstrip("u")
    if low.startswith("0f"):
        return Immediate(struct.unpack("<f", struct.pack("<I", int(low[2:], 16)))[0], 32)
    if low.startswith("0d"):
        return Immediate(struct.unpack("<d", struct.pack("<Q", int(low[2:], 16)))[0], 64)
    if low.startswith(("0x", "0b")):
        return Immediate(int(low, 0))
    if "." in low:
        return Immediate(float(low), 64)
    return Immediate(int(low, 8) if len(low) > 1 and low[0] == "0" else int(low))
