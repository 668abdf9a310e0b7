"""`--verify-diagnostics`: errors must be exactly those that comments in the input announce.

    // expected-error @+1 {{'arith.addi' op operand types differ}}     part of the message
    %0 = arith.addi %a, %b : i32  // expected-error-re {{operand.*i64}}  regular expression

`@+N`, `@-N`, `@above`, `@below` say on which line, else it is the comment's own; `@unknown` is an
error without a place in this file. A count before `{{` (`expected-error 2 {{…}}`) repeats it.
`expected-note` is for an error's hint and, unlike errors, a hint need not be announced. What the
words mean is LLVM's (`mlir-opt --verify-diagnostics`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..dialects.diagnostics import CompileError

_EXPECTATION = re.compile(
    r"expected-(?P<kind>error|warning|note|remark)(?P<re>-re)?\s*"
    r"(?:@\s*(?P<where>[+-]\d+|above|below|unknown))?\s*(?P<count>\d+)?\s*\{\{(?P<text>.*?)\}\}"
)
_MENTION = re.compile(r"//.*\bexpected-(error|warning|note|remark)\b")


@dataclass(frozen=True)
class Expectation:
    """One announced message: its kind, the line it must be on (None: unknown) and its text."""

    kind: str
    line: int | None
    text: str
    is_regex: bool
    written_at: int

    def fits(self, kind: str, line: int | None, message: str) -> bool:
        """Whether a message is the one announced."""
        if (kind, line) != (self.kind, self.line):
            return False
        if self.is_regex:
            return re.search(self.text, message) is not None
        return self.text in message


def read_expectations(text: str, filename: str, first_line: int = 1) -> list[Expectation]:
    """The announcements in a text; a malformed one is an error, since it would announce nothing."""
    found: list[Expectation] = []
    for number, line in enumerate(text.splitlines(), first_line):
        matches = list(_EXPECTATION.finditer(line))
        if not matches and _MENTION.search(line):
            raise CompileError(
                f"{filename}:{number}: malformed expectation, expected `{{{{text}}}}`"
            )
        for match in matches:
            where = _line(match["where"], number)
            one = Expectation(match["kind"], where, match["text"], bool(match["re"]), number)
            found += [one] * int(match["count"] or 1)
    return found


def _line(where: str | None, number: int) -> int | None:
    if where == "unknown":
        return None
    if where in ("above", "below"):
        return number + (1 if where == "below" else -1)
    return number + int(where or 0)


def mismatches(
    expectations: Iterable[Expectation], errors: Iterable[CompileError], filename: str
) -> list[str]:
    """What was announced and did not come, and what came unannounced."""
    open_ones = list(expectations)
    complaints: list[str] = []
    for error in [part for whole in errors for part in whole.parts]:
        here = error.location is not None and error.location.file == filename
        line = error.location.line if here and error.location else None
        if not _take(open_ones, "error", line, error.message):
            complaints.append(f"unexpected error\n{error}")
        if error.hint is not None:
            _take(open_ones, "note", line, error.hint)
    complaints += [
        f"{filename}:{one.written_at}: expected {one.kind} was not produced: {one.text!r}"
        + (f" on line {one.line}" if one.line not in (None, one.written_at) else "")
        for one in open_ones
    ]
    return complaints


def _take(open_ones: list[Expectation], kind: str, line: int | None, message: str) -> bool:
    for one in open_ones:
        if one.fits(kind, line, message):
            open_ones.remove(one)
            return True
    return False
