"""The report buffer: failed checks and prints, as a kernel leaves them on any device.

u32 words, little endian:

    word 0   words used by records of failed checks, added atomically; past the room there is for
             them the record is lost
    word 1   words of all records there is room for
    word 2   words used by records of prints, in the same way
    word 3   zero
    word 4…  records: site + 1, block x y z, thread x y z, then two words (low, high) per value

In a kernel that prints, failed checks have the first quarter of the room to themselves, so that no
print takes it from them; prints have the rest. In others failed checks have all of it.

Integers are extended to 64 bits by their format's sign, bools are 0 or 1, f16, bf16 and f32 are
the bits of the f32 in the low word, f64 is its 64 bits. The host clears the records that it has
read, so that a word of 0 where a record would start means that none was written there.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .dtypes import bfloat16_to_float, float_to_bfloat16
from .errors import KERNEL_ERRORS, Index3, KernelError

if TYPE_CHECKING:
    from .artifact import Site

USED_WORD = 0
CAPACITY_WORD = 1
PRINTED_WORD = 2
HEADER_WORDS = 4
RECORD_WORDS = 7
WORDS_PER_VALUE = 2
PRINT = "print"

PRINT_CAPACITY = 1 << 20
CHECK_CAPACITY = 4096


class Report(NamedTuple):
    """One record: the site that wrote it, where, and its operands as Python values."""

    site: Site
    block: Index3
    thread: Index3
    values: tuple[Any, ...]

    @property
    def text(self) -> str:
        """The site's message with the values in it, formatted as Python would."""
        pairs = zip(self.values, self.site.formats, strict=True)
        return self.site.message.format(*(shown(value, name) for value, name in pairs))


class Decoded(NamedTuple):
    """All records of a launch, prints before failed checks, in the order in which they were begun.

    `lost` counts the prints and `lost_failures` the failed checks that found no room. Where a
    thread has used up the rounds that the device lets it go, the loop that writes its record ends
    too, and the record stays empty. `loops` are the sites that can be the reason.
    """

    reports: list[Report]
    lost: int
    loops: tuple[Site, ...] = ()
    lost_failures: int = 0


class _Float(float):
    """A float that prints as the shortest text that gives the same value at its own width."""

    text: str

    def __format__(self, spec: str) -> str:
        return format(float(self), spec) if spec else self.text

    def __repr__(self) -> str:
        return self.text


def capacity_words(prints: bool) -> int:
    """Words for records: STEPWELL_REPORT_WORDS, else 2^20 with print sites and 4096 without."""
    wanted = os.environ.get("STEPWELL_REPORT_WORDS")
    if wanted is None:
        return PRINT_CAPACITY if prints else CHECK_CAPACITY
    if not wanted.isdigit() or not 0 < int(wanted) < 1 << 30:
        raise ValueError(f"STEPWELL_REPORT_WORDS is {wanted!r}, expected a number of words above 0")
    return int(wanted)


def failure_words(capacity: int, sites: Sequence[Site]) -> int:
    """The room that failed checks have, at the start of all records."""
    return capacity // 4 if any(site.kind == PRINT for site in sites) else capacity


def is_used(words: Any) -> bool:
    """Whether there are records in a buffer of words."""
    return bool(words[USED_WORD] or words[PRINTED_WORD])


def take(words: memoryview, sites: Sequence[Site]) -> Decoded:
    """Read the records of a report buffer, a view of words, and clear them."""
    decoded = decode(words, sites)
    capacity, room = words[CAPACITY_WORD], failure_words(words[CAPACITY_WORD], sites)
    for counter, start, size in (
        (USED_WORD, 0, room),
        (PRINTED_WORD, room, capacity - room),
    ):
        used = min(words[counter], size)
        first = HEADER_WORDS + start
        words.cast("B")[4 * first : 4 * (first + used)] = bytes(4 * used)
        words[counter] = 0
    return decoded


def decode(buffer: Any, sites: Sequence[Site]) -> Decoded:
    """Read the records of a report buffer (anything that gives its bytes)."""
    words = memoryview(buffer).cast("B").cast("I")
    capacity = words[CAPACITY_WORD]
    room = failure_words(capacity, sites)
    failed = _Area(words[HEADER_WORDS : HEADER_WORDS + room], words[USED_WORD], sites, False)
    printed = _Area(words[HEADER_WORDS + room :], words[PRINTED_WORD], sites, True)
    is_empty = failed.has_empty or printed.has_empty
    loops = tuple(site for site in sites if site.kind == "loop") if is_empty else ()
    return Decoded([*printed.reports, *failed.reports], printed.lost, loops, failed.lost)


class _Area:
    """The records in some words, of which so many have been asked for: prints, or failed checks."""

    def __init__(self, words: memoryview, used: int, sites: Sequence[Site], prints: bool):
        self.reports: list[Report] = []
        position, capacity = 0, len(words)
        end = min(used, capacity)
        while position + RECORD_WORDS <= end:
            number = words[position] - 1
            if not 0 <= number < len(sites):
                break
            site = sites[number]
            size = record_words(site)
            if position + size > capacity:
                break
            self.reports.append(_record(site, words[position : position + size]))
            position += size
        own = [site for site in sites if (site.kind == PRINT) == prints]
        longest = max(map(record_words, own), default=0)
        self.has_empty = position < used and position + longest <= capacity and not words[position]
        self.lost = _lost_records(used - position, longest)


def record_words(site: Site) -> int:
    """Size of one record of a site, in words."""
    return RECORD_WORDS + WORDS_PER_VALUE * len(site.formats)


def raise_or_print(decoded: Decoded, kernel: str, device: str = "") -> None:
    """Write what the kernel printed to standard output, then raise its first failed check."""
    failed: list[Report] = []
    for report in decoded.reports:
        if report.site.kind == PRINT:
            print(report.text)
        else:
            failed.append(report)
    if decoded.lost:
        sys.stdout.flush()
        print(_lost_note(decoded.lost), file=sys.stderr)
    if failed:
        more = len(failed) - 1 + decoded.lost_failures
        raise kernel_error(failed[0], kernel, device, more)
    if decoded.loops:
        raise _loop_limit(decoded.loops, kernel, device)
    if decoded.lost_failures:
        raise lost_failure(kernel, device)


def kernel_error(report: Report, kernel: str, device: str = "", more: int = 0) -> KernelError:
    """The exception of a failed check, of the class that belongs to its kind."""
    where = {"block": report.block, "thread": report.thread, "values": report.values}
    return _error_at(report.site, report.text, kernel, device, more=more, **where)


def _error_at(site: Site, message: str, kernel: str, device: str, **details: Any) -> KernelError:
    """The exception of the kind of a site, with its place."""
    return KERNEL_ERRORS.get(site.kind, KernelError)(
        message,
        kernel=kernel,
        kind=site.kind,
        file=site.file,
        line=site.line,
        column=site.column,
        function=site.function,
        device=device,
        **details,
    )


def _loop_limit(loops: Sequence[Site], kernel: str, device: str) -> KernelError:
    """The exception of a thread that used up its rounds in one of these loops."""
    site, lines = loops[0], sorted({loop.line for loop in loops})
    message = site.message
    if len(lines) > 1:
        message += f"; it is one of those in lines {', '.join(map(str, lines))}"
        site = site._replace(file="", line=0, column=0)
    return _error_at(site, message, kernel, device)


def lost_failure(kernel: str, device: str = "") -> KernelError:
    """The exception of a launch in which a check failed whose record found no room."""
    return KernelError(
        f"a check failed in kernel {kernel}, but its record found no room in the report buffer; "
        "set STEPWELL_REPORT_WORDS to a larger number to see which",
        kernel=kernel,
        device=device,
    )


def shown(value: Any, name: str) -> Any:
    """`value` of the type called `name`, ready for `str.format`: floats print at their width."""
    if name not in ("f16", "bf16", "f32"):
        return value
    result = _Float(value)
    result.text = _SHORTEST[name](value)
    return result


def _record(site: Site, words: memoryview) -> Report:
    values = tuple(
        _value(words[start], words[start + 1], name) for start, name in _value_words(site.formats)
    )
    block = (words[1], words[2], words[3])
    return Report(site, block, (words[4], words[5], words[6]), values)


def _value_words(formats: Sequence[str]) -> list[tuple[int, str]]:
    """The word of a record at which each value starts, with the value's format."""
    return [(RECORD_WORDS + WORDS_PER_VALUE * i, name) for i, name in enumerate(formats)]


def _value(low: int, high: int, name: str) -> Any:
    if name == "bool":
        return bool(low & 1)
    if name in ("f16", "bf16", "f32"):
        return struct.unpack("<f", struct.pack("<I", low))[0]
    bits = low | high << 32
    if name == "f64":
        return struct.unpack("<d", struct.pack("<Q", bits))[0]
    return bits if name.startswith("u") or bits < 1 << 63 else bits - (1 << 64)


def _lost_records(words: int, longest: int) -> int:
    """At least how many records of at most `longest` words `words` words would have held."""
    return -(-words // longest) if words > 0 and longest else 0


def _lost_note(lost: int) -> str:
    return (
        f"stepwell: at least {lost} printed lines were lost, the report buffer is full; "
        "set STEPWELL_REPORT_WORDS to a larger number to keep them"
    )


def _shortest_float32(value: float) -> str:
    import numpy as np

    return repr(float(str(np.float32(value))))


def _shortest_float16(value: float) -> str:
    import numpy as np

    return repr(float(str(np.float16(value))))


def _shortest_bfloat16(value: float) -> str:
    bits = float_to_bfloat16(value)
    for digits in range(1, 5):
        text = f"{value:.{digits}g}"
        if float_to_bfloat16(float(text)) == bits:
            return repr(float(text))
    return repr(bfloat16_to_float(bits))


_SHORTEST = {
    "f16": _shortest_float16,
    "f32": _shortest_float32,
    "bf16": _shortest_bfloat16,
}
