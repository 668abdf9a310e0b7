"""SPIR-V binaries as words: the header, instructions, strings."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ....dialects.diagnostics import CompileError

MAGIC = 0x07230203
GENERATOR = 0
"""The tool's number in the header: none is registered."""


class Header(NamedTuple):
    """What a binary begins with."""

    version: tuple[int, int]
    generator: int
    bound: int
    schema: int


class Binary(NamedTuple):
    """A binary taken apart: its header, and each instruction as (opcode, operand words)."""

    header: Header
    instructions: tuple[tuple[int, tuple[int, ...]], ...]


def string_words(text: str) -> list[int]:
    """A string as words: UTF-8, ended by at least one zero byte, the first byte lowest."""
    data = text.encode("utf-8")
    data += b"\0" * (4 - len(data) % 4)
    return [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]


def read_string(words: Sequence[int], start: int = 0) -> tuple[str, int]:
    """The string that begins at a word, and the number of the word after it.

    Raises CompileError for a string that does not end or is not UTF-8.
    """
    data = b"".join(word.to_bytes(4, "little") for word in words[start:])
    end = data.find(b"\0")
    if end < 0:
        raise CompileError("malformed SPIR-V: a string does not end in its instruction")
    try:
        text = data[:end].decode("utf-8")
    except UnicodeDecodeError:
        raise CompileError("malformed SPIR-V: a string is not UTF-8") from None
    return text, start + end // 4 + 1


def to_bytes(header: Header, sections: Sequence[Sequence[int]]) -> bytes:
    """A binary, little-endian."""
    major, minor = header.version
    words = array("I", (MAGIC, major << 16 | minor << 8, header.generator, header.bound, 0))
    for section in sections:
        words.extend(section)
    if sys.byteorder == "big":
        words.byteswap()
    return words.tobytes()


def from_bytes(data: bytes) -> Binary:
    """Takes a binary of either byte order apart.

    Raises CompileError for what is no binary: wrong magic number, cut off, a length of zero.
    """
    if len(data) % 4 or len(data) < 20:
        raise CompileError(
            f"malformed SPIR-V: {len(data)} bytes, expected a multiple of 4 of at least 20"
        )
    words = array("I", data)
    if words[0] != MAGIC:
        words.byteswap()
    if words[0] != MAGIC:
        raise CompileError(f"malformed SPIR-V: the magic number is not {MAGIC:#x}")
    version = words[1] >> 16 & 0xFF, words[1] >> 8 & 0xFF
    header = Header(version, words[2], words[3], words[4])
    return Binary(header, tuple(_instructions(words)))


def _instructions(words: array[int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    position, end = 5, len(words)
    while position < end:
        length, opcode = words[position] >> 16, words[position] & 0xFFFF
        if length == 0 or position + length > end:
            raise CompileError(
                f"malformed SPIR-V: the instruction at word {position} has {length} words, "
                f"{end - position} are left"
            )
        yield opcode, tuple(words[position + 1 : position + length])
        position += length
