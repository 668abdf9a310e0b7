"""`stepwell opt`: IR text in, a pass pipeline over it, IR text out; without one, a round trip."""

from __future__ import annotations

import argparse
import linecache
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..dialects.diagnostics import CompileError
from .expected_errors import mismatches, read_expectations
from .loading import add_load, load_all

if TYPE_CHECKING:
    from ..lowering.observers import Observer
    from ..lowering.pipeline import Pipeline

STDIN = "<stdin>"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("file", nargs="?", default="-", metavar="FILE", help="IR text; default: standard input")
    names = ("-p", "--pipeline", "--pass-pipeline")  # the last one is mlir-opt's
    add(*names, metavar="PASSES", help="such as 'canonicalize,gpu.module(cse)'")
    add("-o", "--output", type=Path, metavar="FILE", help="default: standard output")
    add_load(parser)
    add("--list-passes", action="store_true", help="print all passes and their options, and stop")
    add("--split-input-file", action="store_true", help="pieces between `// -----` on their own")
    add(
        "--verify-diagnostics",
        action="store_true",
        help="succeed if the errors are those that `expected-error` comments announce",
    )
    add("--no-verify", action="store_true", help="do not verify the input and after each pass")
    add("--allow-unregistered-dialect", action="store_true", help="let unknown ops through")
    output = parser.add_argument_group("what is printed")
    add = output.add_argument
    add("--print-locations", action="store_true", help="with source locations")
    add("--print-generic", action="store_true", help="all ops in the generic syntax")
    add("--print-before", action="append", default=[], metavar="PASS", help="on standard error")
    add("--print-after", action="append", default=[], metavar="PASS", help="on standard error")
    add("--print-ir-before-all", action="store_true", help="before each pass, on standard error")
    add("--print-ir-after-all", action="store_true", help="after each pass, on standard error")
    add("--print-ir-after-change", action="store_true", help="after each pass that did something")
    add("--timing", action="store_true", help="milliseconds of each pass, on standard error")
    add("--statistics", action="store_true", help="ops added and removed, on standard error")
    add("--reproducer", type=Path, metavar="FILE", help="where a failing pass leaves its input")


@dataclass(frozen=True)
class Piece:
    """A part of the input that is compiled on its own, and the number of its first line."""

    first_line: int
    text: str


def run(args: argparse.Namespace) -> int:
    """Compile every piece; the exit status is 1 if one failed, or did not fail as announced."""
    from ..lowering.parse import SPLIT_MARK, split_input
    from ..lowering.pipeline import Pipeline

    load_all(args.load)
    if args.list_passes:
        print("\n".join(_pass_lines()))
        return 0
    filename, text = _read(args.file)
    pipeline = Pipeline.parse(_pipeline_text(args.pipeline, text))
    _check_names(pipeline, [*args.print_before, *args.print_after])
    _check_anchors(pipeline, args.allow_unregistered_dialect)
    pieces = split_input(text) if args.split_input_file else [(1, text)]
    outputs: list[str] = []
    failed = False
    for piece in (Piece(*piece) for piece in pieces):
        errors: list[CompileError] = []
        try:
            outputs.append(_compile(piece, filename, pipeline, args))
        except CompileError as error:
            errors.append(error)
        failed |= _report(piece, filename, errors, args.verify_diagnostics)
    _write(f"{SPLIT_MARK}\n".join(outputs), args.output, failed)
    return int(failed)


def _pass_lines() -> list[str]:
    """Each pass as a pipeline may name it, with what its docstring says first."""
    from ..lowering.pipeline import option_texts
    from ..registry import find_pass, pass_names

    lines: list[str] = []
    for name in pass_names():
        found = find_pass(name)
        options = option_texts(found)
        text = f"{name}{{{' '.join(options)}}}" if options else name
        summary = " ".join((found.__doc__ or "").partition("\n\n")[0].split())
        lines.append(f"{text}  {summary}".rstrip())
    return lines


def _read(name: str) -> tuple[str, str]:
    """The name for error messages and the text; both remembered, so that errors can show lines."""
    filename = STDIN if name == "-" else name
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CompileError(
            f"{filename}: not UTF-8 text: {error.reason} at {error.start}"
        ) from error
    except OSError as error:
        raise CompileError(f"cannot read {filename}: {error.strerror}") from error
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    return filename, text


def _pipeline_text(asked: str | None, text: str) -> str:
    """The pipeline asked for, else that of a reproducer, else none."""
    from ..lowering.observers import reproducer_pipeline

    return asked if asked is not None else reproducer_pipeline(text) or ""


def _check_names(pipeline: Pipeline, names: list[str]) -> None:
    """A misspelt `--print-after` would print nothing and look like a pass that never ran."""
    known = set(_step_names(pipeline))
    for name in names:
        if name not in known:
            hint = f"the pipeline has: {', '.join(sorted(known)) or 'no passes'}"
            raise CompileError(f"no pass named {name!r} in the pipeline", hint=hint)


def _check_anchors(pipeline: Pipeline, allow_unregistered: bool) -> None:
    """A misspelt `gpu.module(…)` would find no op and run nothing."""
    from ..lowering.parse import make_context
    from ..lowering.pipeline import Nested
    from ..registry import near_matches

    ctx = make_context(allow_unregistered)
    for step in pipeline:
        if isinstance(step, Nested):
            if ctx.get_optional_op(step.anchor) is None:
                known = ["builtin.module", "gpu.module", "gpu.func", "func.func"]
                raise CompileError(
                    f"the pipeline nests passes in {step.anchor!r}, and no op is called so",
                    hint=near_matches(step.anchor, known),
                )
            _check_anchors(step.pipeline, allow_unregistered)


def _step_names(pipeline: Pipeline) -> list[str]:
    from ..lowering.pipeline import Nested

    names: list[str] = []
    for step in pipeline:
        names += _step_names(step.pipeline) if isinstance(step, Nested) else [step.name]
    return names


def _observers(args: argparse.Namespace) -> list[Observer]:
    from ..lowering.observers import PrintIR, Reproducer, Statistics, Timing, Verify

    found: list[Observer] = [] if args.no_verify else [Verify()]
    locations: bool = args.print_locations
    generic: bool = args.print_generic
    printed = partial(PrintIR, locations=locations, generic=generic)
    before: tuple[str, ...] = tuple(args.print_before)
    after: tuple[str, ...] = tuple(args.print_after)
    changed: bool = args.print_ir_after_change
    if before or args.print_ir_before_all:
        only = () if args.print_ir_before_all else before
        found.append(printed(before=True, after=False, only=only))
    if after or args.print_ir_after_all or changed:
        only = () if args.print_ir_after_all or changed else after
        found.append(printed(only=only, changed=changed))
    if args.statistics:
        found.append(Statistics())
    if args.timing:
        found.append(Timing())
    if args.reproducer:
        found.append(Reproducer(args.reproducer))
    return found


def _compile(piece: Piece, filename: str, pipeline: Pipeline, args: argparse.Namespace) -> str:
    """The text that one piece becomes."""
    from ..lowering.parse import make_context, parse_module, print_module

    ctx = make_context(args.allow_unregistered_dialect)
    module = parse_module(piece.text, filename, ctx, first_line=piece.first_line)
    pipeline.run(module, ctx, _observers(args))
    return print_module(module, locations=args.print_locations, generic=args.print_generic)


def _report(piece: Piece, filename: str, errors: list[CompileError], announced: bool) -> bool:
    """Print what is wrong with the errors of a piece; whether there is anything."""
    if announced:
        expected = read_expectations(piece.text, filename, piece.first_line)
        complaints = mismatches(expected, errors, filename)
    else:
        complaints = [str(error) for error in errors]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return bool(complaints)


def _write(text: str, output: Path | None, failed: bool) -> None:
    if output is None:
        print(text, end="")
    elif not failed:
        output.write_text(text, encoding="utf-8")
