"""Runs a `RUN:` line: pipes and redirections, with `stepwell` and `filecheck` in this process."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from .directives import TestFileError
from .features import search_path

_TOKEN = re.compile(
    r"""\s+ | (?P<operator>2>&1|&&|\|\||2>>|2>|>>|>|<|\||;)
      | (?P<word>(?:'[^']*' | "(?:[^"\\]|\\.)*" | \\. | [^\s'"\\|&;<>`$*?()])+)""",
    re.VERBOSE,
)
_PIECE = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^'"\\]+)""")


@dataclass
class _Simple:
    """One program with its arguments and redirections."""

    words: list[str] = field(default_factory=list[str])
    redirections: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Outcome:
    """What a command gave: exit status, standard output and standard error."""

    status: int
    output: str
    errors: str


def run_line(line: str, folder: Path) -> Outcome:
    """Run one command line in `folder`; a pipe fails if any of its programs fails."""
    status, output, errors = 0, "", ""
    for joiner, pipe in _parse(line):
        if (joiner == "&&" and status) or (joiner == "||" and not status):
            continue
        outcome = _run_pipe(pipe, folder)
        status = outcome.status
        output, errors = output + outcome.output, errors + outcome.errors
    return Outcome(status, output, errors)


def _parse(line: str) -> list[tuple[str, list[_Simple]]]:
    """Pipes, each with what joins it to the one before: `&&`, `||` or `;`."""
    pipes: list[tuple[str, list[_Simple]]] = [(";", [_Simple()])]
    redirection: str | None = None
    for kind, text in _tokens(line):
        command = pipes[-1][1][-1]
        if kind == "word" and redirection:
            command.redirections[redirection] = text
            redirection = None
        elif redirection:
            raise TestFileError(f"expected a file after {redirection!r} in `{line}`")
        elif kind == "word":
            command.words.append(text)
        elif text == "2>&1":
            command.redirections["2>"] = "&1"
        elif text == "|":
            pipes[-1][1].append(_Simple())
        elif text in ("&&", "||", ";"):
            pipes.append((text, [_Simple()]))
        else:
            redirection = text
    if redirection or any(not command.words for _, pipe in pipes for command in pipe):
        raise TestFileError(f"expected a command in each part of `{line}`")
    return pipes


def _tokens(line: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(line):
        match = _TOKEN.match(line, position)
        if match is None:
            # LLVM's lit has no `$(…)` either, and where it globs, a test depends on its folder.
            raise TestFileError(f"not supported in a `RUN:` line: `{line[position:]}`")
        position = match.end()
        if match["operator"]:
            yield "operator", match["operator"]
        elif match["word"]:
            yield "word", _unquote(match["word"])


def _unquote(word: str) -> str:
    def plain(match: re.Match[str]) -> str:
        single, double, escaped, bare = match.groups()
        return single or re.sub(r'\\(["\\$`])', r"\1", double or "") or escaped or bare or ""

    return _PIECE.sub(plain, word)


def _run_pipe(pipe: list[_Simple], folder: Path) -> Outcome:
    status, text, errors = 0, "", ""
    for command in pipe:
        outcome = _run_simple(command, text, folder)
        status, text, errors = status or outcome.status, outcome.output, errors + outcome.errors
    return Outcome(status, text, errors)


def _run_simple(command: _Simple, text: str, folder: Path) -> Outcome:
    files = {key: folder / name for key, name in command.redirections.items() if name != "&1"}
    if "<" in files:
        text = files["<"].read_text(encoding="utf-8")
    merge = command.redirections.get("2>") == "&1"
    outcome = _run_program(command.words, text, merge, folder)
    for key, taken in ((">", outcome.output), ("2>", outcome.errors)):
        if key in files:
            files[key].write_text(taken, encoding="utf-8")
        if key + ">" in files:
            with files[key + ">"].open("a", encoding="utf-8") as file:
                file.write(taken)
    output = "" if {">", ">>"} & files.keys() else outcome.output
    return Outcome(outcome.status, output, "" if {"2>", "2>>"} & files.keys() else outcome.errors)


def _run_program(words: list[str], text: str, merge: bool, folder: Path) -> Outcome:
    if words[0] == "not":
        crash = words[1:2] == ["--crash"]
        outcome = _run_program(words[2 if crash else 1 :], text, merge, folder)
        crashed = outcome.status < 0
        return Outcome(
            0 if (crashed if crash else outcome.status > 0) else 1, outcome.output, outcome.errors
        )
    if words[0] in IN_PROCESS:
        return _run_in_process(IN_PROCESS[words[0]], words[1:], text, merge)
    try:
        done = subprocess.run(
            words,
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            cwd=folder,
            env={**os.environ, "PATH": search_path()},
            timeout=TIMEOUT,
            check=False,
        )
    except OSError as error:
        return Outcome(127, "", f"{words[0]}: {error.strerror}\n")
    except subprocess.TimeoutExpired:
        return Outcome(124, "", f"{words[0]}: still running after {TIMEOUT} s\n")
    return Outcome(done.returncode, done.stdout, done.stderr or "")


TIMEOUT = 120


def _run_in_process(
    program: Callable[[list[str]], int], arguments: list[str], text: str, merge: bool
) -> Outcome:
    output = io.StringIO()
    errors = output if merge else io.StringIO()
    with _standard_input(io.StringIO(text)), redirect_stdout(output), redirect_stderr(errors):
        try:
            status = program(arguments)
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return Outcome(status, output.getvalue(), "" if merge else errors.getvalue())


@contextmanager
def _standard_input(stream: TextIO) -> Generator[None]:
    before, sys.stdin = sys.stdin, stream
    try:
        yield
    finally:
        sys.stdin = before


def _stepwell(arguments: list[str]) -> int:
    from ..main import main

    return main(arguments)


def _filecheck(arguments: list[str]) -> int:
    from filecheck.matcher import Matcher
    from filecheck.options import parse_argv_options

    try:
        return Matcher.from_opts(parse_argv_options(["filecheck", *arguments])).run()
    except (RuntimeError, OSError) as error:
        print(f"filecheck: {error}", file=sys.stderr)
        return 2


IN_PROCESS: dict[str, Callable[[list[str]], int]] = {"stepwell": _stepwell, "filecheck": _filecheck}
