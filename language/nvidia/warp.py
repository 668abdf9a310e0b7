"""Registers of the machine, and what the lanes of a warp do together."""

from __future__ import annotations

from typing import Any

from .ask import ALL_LANES, ask


def clock() -> Any:
    """The multiprocessor's cycle counter (u32)."""
    return ask("clock")


def clock64() -> Any:
    """The multiprocessor's cycle counter (u64)."""
    return ask("clock64")


def globaltimer() -> Any:
    """Nanoseconds of the GPU's timer (u64)."""
    return ask("globaltimer")


def nanosleep(nanoseconds: Any) -> Any:
    """Sleep about so many nanoseconds."""
    return ask("nanosleep", nanoseconds)


def laneid() -> Any:
    """The lane in the warp (u32)."""
    return ask("laneid")


def warpid() -> Any:
    """The place of the warp on its multiprocessor (u32); it may change."""
    return ask("warpid")


def smid() -> Any:
    """The multiprocessor (u32); it may change."""
    return ask("smid")


def nsmid() -> Any:
    """How many numbers multiprocessors may have (u32)."""
    return ask("nsmid")


def lanemask_lt() -> Any:
    """The lanes before this one, as bits (u32)."""
    return ask("lanemask_lt")


def lanemask_le() -> Any:
    """The lanes up to this one, as bits (u32)."""
    return ask("lanemask_le")


def lanemask_gt() -> Any:
    """The lanes after this one, as bits (u32)."""
    return ask("lanemask_gt")


def lanemask_ge() -> Any:
    """The lanes from this one on, as bits (u32)."""
    return ask("lanemask_ge")


def activemask() -> Any:
    """The lanes that run together now, as bits (u32)."""
    return ask("activemask")


def match_any(value: Any, mask: int = ALL_LANES) -> Any:
    """The lanes that have the same 32-bit integer, as bits (u32)."""
    return ask("match_any", value, mask)


def match_all(value: Any, mask: int = ALL_LANES) -> Any:
    """`(mask, True)` where all lanes have the same 32-bit integer, else `(0, False)`."""
    return ask("match_all", value, mask)


def vote_ballot(predicate: Any, mask: int = ALL_LANES) -> Any:
    """The lanes for which the predicate holds, as bits (u32)."""
    return ask("vote_ballot", predicate, mask)


def vote_all(predicate: Any, mask: int = ALL_LANES) -> Any:
    """Whether the predicate holds in all lanes of the mask."""
    return ask("vote_all", predicate, mask)


def vote_any(predicate: Any, mask: int = ALL_LANES) -> Any:
    """Whether the predicate holds in some lane of the mask."""
    return ask("vote_any", predicate, mask)


def redux_add(value: Any, mask: int = ALL_LANES) -> Any:
    """The sum of the lanes' 32-bit integers; sm_80 or later, as the other redux."""
    return ask("redux_add", value, mask)


def redux_min(value: Any, mask: int = ALL_LANES) -> Any:
    """The least of the lanes' 32-bit integers."""
    return ask("redux_min", value, mask)


def redux_max(value: Any, mask: int = ALL_LANES) -> Any:
    """The greatest of the lanes' 32-bit integers."""
    return ask("redux_max", value, mask)


def redux_and_(value: Any, mask: int = ALL_LANES) -> Any:
    """The bits that all lanes have."""
    return ask("redux_and_", value, mask)


def redux_or_(value: Any, mask: int = ALL_LANES) -> Any:
    """The bits that some lane has."""
    return ask("redux_or_", value, mask)


def redux_xor(value: Any, mask: int = ALL_LANES) -> Any:
    """The exclusive or of the lanes' integers."""
    return ask("redux_xor", value, mask)


def elect() -> Any:
    """True in one lane of the warp; sm_90 or later."""
    return ask("elect")


def syncwarp(mask: int = ALL_LANES) -> Any:
    """The lanes of the mask wait for each other; orders their memory."""
    return ask("syncwarp", mask)


def setmaxnreg_increase(count: Any) -> Any:
    """Take registers for the warpgroup's threads (a constant); sm_90a."""
    return ask("setmaxnreg_increase", count)


def setmaxnreg_decrease(count: Any) -> Any:
    """Give registers of the warpgroup's threads back (a constant); sm_90a."""
    return ask("setmaxnreg_decrease", count)
