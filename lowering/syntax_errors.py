"""What is said of IR text that cannot be read: xDSL's words made ours, and what helps."""

from __future__ import annotations

import re
from difflib import get_close_matches

from xdsl.context import Context
from xdsl.dialects.builtin import UnregisteredOp
from xdsl.ir import Operation
from xdsl.utils.exceptions import ParseError

_HOST = "launching is the host's: `sw.load(…)[grid, block](…)` in Python"
_HOST_MEMORY = "memory is the host's: launches take NumPy arrays and those of a device"
# Ops of upstream's gpu dialect that are not here, with what says the same.
_UPSTREAM: dict[str, str] = {
    **dict.fromkeys(("gpu.launch", "gpu.launch_func", "gpu.terminator", "gpu.wait"), _HOST),
    **dict.fromkeys(("gpu.alloc", "gpu.dealloc", "gpu.memcpy", "gpu.memset"), _HOST_MEMORY),
    **dict.fromkeys(("gpu.host_register", "gpu.host_unregister"), _HOST_MEMORY),
    "gpu.printf": "gpux.print prints a line with values in braces",
    "gpu.all_reduce": "gpu.subgroup_reduce, then workgroup memory and gpu.barrier",
    "gpu.binary": "`stepwell compile` makes an artifact of a gpu.module",
    "gpu.cluster_id": "nvvm.read.ptx.sreg.clusterid.x is NVIDIA's",
    "gpu.module_end": "a gpu.module needs no terminator",
    "cf.br": "scf.if, scf.for and scf.while are control flow here",
    "scf.parallel": "gpu.thread_id and gpu.block_id are what differs by thread; loops are scf.for",
}
_NOT_CUSTOM = re.compile(r"Operation (\S+) does not have a custom format")
_NOT_KNOWN = re.compile(r"'(\S+)' is not registered")


class SyntaxRefused(Exception):
    """Text that cannot be read, from offset `start` to `end`."""

    def __init__(self, start: int, end: int, message: str, hint: str | None = None):
        super().__init__(message)
        self.start, self.end, self.message, self.hint = start, end, message, hint


def refused_name(
    name: str, found: type[Operation] | None, ctx: Context, *, is_generic: bool
) -> tuple[str, str | None] | None:
    """Message and hint if no op can be read under this name, in this syntax."""
    if found is None:
        return f"no op is called {name!r}", _UPSTREAM.get(name) or _nearest(name, ctx)
    if is_generic:
        return None
    if issubclass(found, UnregisteredOp):
        hint = _UPSTREAM.get(name) or f'write it as "{name}"(%a, %b) : (T, U) -> R'
        return f"no op is called {name!r}, and unknown ops have no syntax but the generic one", hint
    return None


def _nearest(name: str, ctx: Context) -> str:
    dialect, dot, _ = name.partition(".")
    dialects = sorted(ctx.registered_dialect_names)
    if dialect in dialects:
        known = [op.name for op in ctx.loaded_ops if op.name.startswith(f"{dialect}.")]
        close = get_close_matches(name, known, n=3, cutoff=0.7)
        return f"did you mean {' or '.join(close)}?" if close else f"{dialect} has no such op here"
    close = get_close_matches(dialect, dialects, n=1, cutoff=0.7) if dot else []
    guess = f"did you mean the dialect {close[0]!r}?" if close else "no such dialect is known"
    return f"{guess}; `stepwell opt --allow-unregistered-dialect` lets generic syntax through"


def in_our_words(error: ParseError, text: str) -> SyntaxRefused:
    """What xDSL's parser says, where its words do not tell what is wrong."""
    start, end, message = error.span.start, error.span.end, error.msg
    if "in block definition" in message:
        return _inside_a_region(start, end, text)
    if message == "Expected region!":
        return SyntaxRefused(start, end, "expected '{', which opens the body", _why(text, start))
    known = _NOT_CUSTOM.match(message)
    if known is not None:
        name = known[1]
        hint = _UPSTREAM.get(name) or f'write it as "{name}"(%a, %b) : (T, U) -> R'
        return SyntaxRefused(start, end, f"{name} has no syntax here but the generic one", hint)
    known = _NOT_KNOWN.search(message)
    if known is not None and (at := text.rfind(known[1], 0, end)) >= 0:
        what = {"!": "type", "#": "attribute"}.get(text[at - 1 : at], "type or attribute")
        return SyntaxRefused(at, at + len(known[1]), f"no {what} is called {known[1]!r}")
    return SyntaxRefused(start, end, message)


def _inside_a_region(start: int, end: int, text: str) -> SyntaxRefused:
    if not text[start:].strip():
        return SyntaxRefused(start, end, "the text ends inside of a body: a '}' is missing")
    return SyntaxRefused(start, end, "expected an op, a block `^name:`, or '}' after the last one")


def _why(text: str, start: int) -> str | None:
    """What stands there instead of a body."""
    if text.startswith("->", start):
        return "a gpu.func has no results: a kernel stores them, a helper is a func.func"
    if text.startswith("[", start):
        return "what a module is compiled for is said by --target and --arch"
    return None
