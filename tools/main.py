"""The command line: `stepwell COMMAND …`. Only the command that is asked for is imported."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from ..dialects.diagnostics import CompileError

DEBUG_VARIABLE = "STEPWELL_DEBUG"


class Command(Protocol):
    """What the module of a command has: it declares its arguments, and it runs."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments and the description on the command's own parser."""
        ...

    def run(self, args: argparse.Namespace) -> int:
        """Do it; the result is the exit status."""
        ...


@dataclass(frozen=True)
class Row:
    """One command: its module below `tools/` and the line that `stepwell --help` shows."""

    module: str
    help: str


COMMANDS = {
    "devices": Row("devices", "list the devices that are really there, with limits and features"),
    "doctor": Row("doctor", "say what is missing on this machine and how to get it"),
    "demo": Row("demo", "sort, draw and filter an image on every device, and check the results"),
    "compile": Row(
        "compile", "compile the kernels of a file ahead of time, or show them at a level"
    ),
    "explain": Row("explain", "say what the compiler makes of the kernels of a file, in words"),
    "opt": Row("opt", "read IR, run a pass pipeline over it, print the result"),
    "docs": Row("docs", "print a page of the documentation: the language, types, adding a pass, …"),
    "lit": Row("lit.command", "run the lit tests of a folder in this process"),
}


class UsageError(Exception):
    """A command line that cannot be carried out: said in one line, exit status 2."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name) and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = _top_parser()
    known = parser.parse_args(arguments[:1])
    if known.command is None:
        parser.print_help()
        return 2
    return _guarded(cast(str, known.command), arguments[1:])


def load_command(name: str) -> Command:
    """Import the module of the command `name`: devices and doctor thus never wait for xDSL."""
    return cast(Command, import_module(f".{COMMANDS[name].module}", __package__))


def _run(name: str, arguments: list[str]) -> int:
    command = load_command(name)
    parser = argparse.ArgumentParser(f"stepwell {name}", description=COMMANDS[name].help)
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments))


def _top_parser() -> argparse.ArgumentParser:
    rows = "\n".join(f"  {name:<9} {row.help}" for name, row in COMMANDS.items())
    parser = argparse.ArgumentParser(
        "stepwell",
        description="One kernel, many levels, every device.",
        epilog=f"commands:\n{rows}\n\n`stepwell COMMAND --help` tells the rest.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"stepwell {_version()}")
    parser.add_argument("command", nargs="?", choices=list(COMMANDS), metavar="COMMAND")
    return parser


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("stepwell")
    except PackageNotFoundError:
        return "(not installed: run from a checkout)"


def _guarded(name: str, arguments: list[str]) -> int:
    """Run the command; whatever goes wrong is said in words, never as a traceback."""
    try:
        return _run(name, arguments)
    except CompileError as error:
        print(str(error), file=sys.stderr)
        return 1
    except UsageError as error:
        print(f"stepwell: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print("stepwell: interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        return _report(error)


def _report(error: Exception) -> int:
    """Errors of the runtime and the system speak for themselves; any other is a bug of ours."""
    from ..runtime.errors import DeviceError, KernelError

    if isinstance(error, (OSError, DeviceError, KernelError)):
        print(f"stepwell: error: {error}", file=sys.stderr)
        return 1
    where = "".join(f"\n  {note}" for note in getattr(error, "__notes__", ()))
    print(
        f"stepwell: internal error: {type(error).__name__}: {error}{where}\n  raised at "
        f"{_raised_at(error)}\n  hint: {DEBUG_VARIABLE}=1 shows all frames; this is a bug in "
        "stepwell, or in what is named here",
        file=sys.stderr,
    )
    return 1


def _raised_at(error: Exception) -> str:
    """The file and line of the innermost frame."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "no known line"


if __name__ == "__main__":
    sys.exit(main())
