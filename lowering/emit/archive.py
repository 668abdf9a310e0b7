"""Several object files as one file: an archive, as Unix' `ar` makes it.

    !<arch>
    name/           time        uid   gid   mode    bytes     `
    the member's bytes, and a newline where their number is odd

It has no table of symbols, since whoever loads it loads all of it.
"""

from __future__ import annotations

from collections.abc import Sequence

MAGIC = b"!<arch>\n"
_LONGEST_NAME = 15


def archive(members: Sequence[tuple[str, bytes]]) -> bytes:
    """The members, (name, bytes) each, in their order; the same ones always give the same bytes."""
    parts = [MAGIC]
    for name, content in members:
        assert len(name) <= _LONGEST_NAME, "longer names stand in a table of their own"
        parts.append(f"{name + '/':16}{0:<12}{0:<6}{0:<6}{644:<8}{len(content):<10}`\n".encode())
        parts.append(content + b"\n" * (len(content) % 2))
    return b"".join(parts)
