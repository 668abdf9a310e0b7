"""Runs one test file and says how it went, in lit's words."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from .directives import TestFile, TestFileError, read_test, substitute, substitutions
from .features import holds
from .prefixes import problems
from .shell import run_line

TEST_SUFFIXES = frozenset({".mlir", ".ll", ".py", ".test"})
CONFIGURATION = "lit.cfg.py"
_COLOUR = re.compile("\x1b\\[[0-9;]*m")


class Verdict(Enum):
    """How a test ended; `bad` ones make the run fail."""

    PASS = "PASS"
    XFAIL = "XFAIL"
    UNSUPPORTED = "UNSUPPORTED"
    FAIL = "FAIL"
    XPASS = "XPASS"
    UNRESOLVED = "UNRESOLVED"

    @property
    def bad(self) -> bool:
        """Whether somebody has to do something about it."""
        return self in (Verdict.FAIL, Verdict.XPASS, Verdict.UNRESOLVED)


@dataclass(frozen=True)
class Result:
    """One test that has run: verdict, commands with their output, and seconds."""

    path: Path
    verdict: Verdict
    log: str
    seconds: float


def discover(paths: Iterable[Path]) -> Iterator[Path]:
    """The test files at and below `paths`, in order; a file that is named is taken as it is."""
    for path in paths:
        if not path.is_dir():
            if not path.exists():
                raise FileNotFoundError(f"no such test: {path}")
            yield path
            continue
        for file in sorted(path.rglob("*")):
            inside = file.relative_to(path).parts
            hidden = any(part == "Inputs" or part.startswith(".") for part in inside)
            if file.suffix in TEST_SUFFIXES and file.name != CONFIGURATION and not hidden:
                yield file


def run_test(path: Path, features: AbstractSet[str]) -> Result:
    """Run the file's commands in order until one fails."""
    start = time.perf_counter()
    try:
        verdict, log = _run(read_test(path.resolve()), features)
    except (TestFileError, ValueError) as error:
        verdict, log = Verdict.UNRESOLVED, f"{error}\n"
    return Result(path, verdict, _COLOUR.sub("", log), time.perf_counter() - start)


def _run(test: TestFile, features: AbstractSet[str]) -> tuple[Verdict, str]:
    wrong = problems(test.text, test.commands)
    if wrong:
        return Verdict.UNRESOLVED, "".join(f"{test.path}: {problem}\n" for problem in wrong)
    missing = [text for text in test.requires if not holds(text, features)]
    excluded = [text for text in test.unsupported if holds(text, features)]
    if missing or excluded:
        needs = [f"requires {text}" for text in missing] + [f"not with {text}" for text in excluded]
        return Verdict.UNSUPPORTED, ", ".join(needs) + "\n"
    expects_failure = any(holds(text, features) for text in test.xfail)
    failed, log = _run_commands(test)
    if expects_failure:
        return (Verdict.XFAIL if failed else Verdict.XPASS), log
    return (Verdict.FAIL if failed else Verdict.PASS), log


def _run_commands(test: TestFile) -> tuple[bool, str]:
    log = ""
    with tempfile.TemporaryDirectory(prefix="stepwell-lit-") as folder:
        scratch = Path(folder)
        values = substitutions(test.path, scratch)
        for command in test.commands:
            line = substitute(command, values)
            outcome = run_line(line, scratch)
            log += f"$ {line}\n{outcome.output}{outcome.errors}"
            if outcome.status:
                return True, f"{log}exit status {outcome.status}\n"
    return False, log
