"""What `REQUIRES:`, `UNSUPPORTED:` and `XFAIL:` may name, also for LLVM's lit (lit.cfg.py)."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Set as AbstractSet

# Programs of others that tests use as oracles: each is a feature where it is found.
PROGRAMS = ("mlir-opt", "mlir-translate", "spirv-val", "ptxas", "gdb")

# Debian keeps LLVM's versioned tools out of the PATH.
EXTRA_FOLDERS = ("/usr/lib/llvm-19/bin",)

# Feature names of LLVM's lit for the operating systems.
_SYSTEMS = {"linux": "system-linux", "darwin": "system-darwin", "win32": "system-windows"}

_TOKEN = re.compile(r"\s*(&&|\|\||[!()]|\{\{.+?\}\}|[-+=._a-zA-Z0-9*]+|\S)")


def search_path() -> str:
    """The PATH on which test commands look for programs."""
    here = os.path.dirname(sys.executable)
    return os.pathsep.join([here, os.environ.get("PATH", os.defpath), *EXTRA_FOLDERS])


def find_program(name: str) -> str | None:
    """Where the program is, or None."""
    return shutil.which(name, path=search_path())


def available() -> frozenset[str]:
    """The features of this machine."""
    found = {name for name in PROGRAMS if find_program(name)}
    found.add(platform.machine().lower())
    found.add(_SYSTEMS.get(sys.platform, f"system-{sys.platform}"))
    return frozenset(found)


def holds(expression: str, features: AbstractSet[str]) -> bool:
    """Evaluate a feature expression (`a && !(b || {{llvm-.*}})`); ValueError where it is none."""
    parser = _Expression(_TOKEN.findall(expression.strip()), features)
    value = parser.either()
    if parser.tokens:
        raise ValueError(f"unexpected {parser.tokens[0]!r} in feature expression {expression!r}")
    return value


class _Expression:
    """Recursive descent, one method per precedence; all operands are evaluated and so checked."""

    def __init__(self, tokens: list[str], features: AbstractSet[str]):
        self.tokens = tokens
        self.features = features

    def either(self) -> bool:
        value = self.both()
        while self._take("||"):
            value = self.both() or value
        return value

    def both(self) -> bool:
        value = self.single()
        while self._take("&&"):
            value = self.single() and value
        return value

    def single(self) -> bool:
        if self._take("!"):
            return not self.single()
        if self._take("("):
            value = self.either()
            if not self._take(")"):
                raise ValueError("expected `)` in feature expression")
            return value
        if not self.tokens or not re.match(r"[\w{*.+=-]", self.tokens[0]):
            found = repr(self.tokens[0]) if self.tokens else "the end"
            raise ValueError(f"expected a feature name, found {found}")
        return self._known(self.tokens.pop(0))

    def _known(self, word: str) -> bool:
        if word in ("*", "true"):
            return True
        if word.startswith("{{"):
            return any(re.fullmatch(word[2:-2], feature) for feature in self.features)
        return word in self.features

    def _take(self, token: str) -> bool:
        if self.tokens and self.tokens[0] == token:
            self.tokens.pop(0)
            return True
        return False
