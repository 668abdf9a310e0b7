"""Finds checks that would never be looked at: misspelt directives, prefixes that nothing uses.

`filecheck` ignores what it does not know, so `CHECK-NETX: foo` is a test that tests nothing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

SUFFIXES = ("NEXT", "SAME", "DAG", "LABEL", "NOT", "EMPTY")

# Words in capitals and a colon that begin an ordinary comment or belong to lit.
ORDINARY = frozenset(
    {"RUN", "REQUIRES", "UNSUPPORTED", "XFAIL", "END", "COM"}
    | {"NOTE", "TODO", "FIXME", "XXX", "HINT", "WARNING", "SEE"}
)

_COMMENT = re.compile(
    r"^\s*(?://|\#|;)+\s*(?P<word>[A-Za-z][\w-]*)(?P<literal>\{\w+\})?(?P<colon>\s*:)?"
)
_PREFIX_OPTION = re.compile(r"--?check-prefix(?:es)?[= ]\s*([\w,-]+)")
_FILECHECK = re.compile(r"(?:^|[|&;]\s*|\bnot\s+)filecheck\b([^|;&]*)", re.IGNORECASE)


def used_prefixes(commands: Iterable[str]) -> dict[str, str]:
    """The prefixes of all `filecheck` calls, each with the command that uses it."""
    used: dict[str, str] = {}
    for command in commands:
        for call in _FILECHECK.finditer(command):
            options = _PREFIX_OPTION.findall(call[1])
            for prefix in ",".join(options or ["CHECK"]).split(","):
                used.setdefault(prefix, command)
    return used


def problems(text: str, commands: Iterable[str]) -> list[str]:
    """A line for each directive that no command would check, and for each prefix without any."""
    used = used_prefixes(commands)
    found: list[str] = []
    seen: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        match = _COMMENT.match(line)
        if match is None:
            continue
        prefix = _owner(match["word"], used)
        if prefix is not None and match["colon"] and match["colon"][0] == ":":
            seen.add(prefix)
        elif complaint := _complaint(match, prefix, used):
            found.append(f"line {number}: {complaint}")
    found += [
        f"no check with the prefix {prefix}, which `{used[prefix].strip()}` asks for"
        for prefix in used
        if prefix not in seen
    ]
    return found


def _owner(word: str, used: Iterable[str]) -> str | None:
    """The prefix of which `word` is a well-formed directive."""
    for prefix in used:
        if word == prefix:
            return prefix
        suffix = word.removeprefix(prefix + "-")
        if suffix != word and (suffix in SUFFIXES or re.fullmatch(r"COUNT-\d+", suffix)):
            return prefix
    return None


def _complaint(match: re.Match[str], prefix: str | None, used: Iterable[str]) -> str | None:
    word = match["word"]
    if prefix is not None:
        return f"`{word}` has no colon right after it, so it checks nothing"
    if word in ORDINARY or not match["colon"]:
        return None
    close = difflib.get_close_matches(word.upper(), list(_directives(used)), 1, cutoff=0.8)
    if close:
        return f"misspelt directive `{word}:`, did you mean `{close[0]}:`?"
    if word.isupper():
        return f"unused prefix: no `RUN:` line checks `{word}:`"
    return None


def _directives(used: Iterable[str]) -> Iterator[str]:
    for prefix in used:
        yield prefix
        yield from (f"{prefix}-{suffix}" for suffix in SUFFIXES)
