"""A pipeline is a value: a tuple of passes, written as text, composed with `+`, run with observers.

    pipeline = Pipeline.parse("canonicalize,gpu.module(cse),remove-proven-checks{limit=8}")
    pipeline += Pipeline((SimtToGpu(),))
    pipeline.run(module, observe=[Verify(), PrintIR()])

`gpu.module(a,b)` runs the passes on every such op by itself, as the only op of a module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from time import perf_counter
from typing import Any, TypeAlias, get_type_hints

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region
from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import (
    _convert_arg_to_type,  # pyright: ignore[reportPrivateUsage]
    parse_pipeline,
)
from xdsl.utils.exceptions import (
    ArgSpecParseError,
    DiagnosticException,
    PassFailedException,
    VerifyException,
)

from ..dialects.diagnostics import CompileError, Location, location_of
from ..registry import find_pass
from .observers import Observer

Step: TypeAlias = "ModulePass | Nested"


@dataclass(frozen=True)
class Pipeline:
    """Passes to run one after the other. `str(pipeline)` is text that `Pipeline.parse` takes."""

    steps: tuple[Step, ...] = ()

    def __add__(self, other: Pipeline | ModulePass) -> Pipeline:
        added = other.steps if isinstance(other, Pipeline) else (other,)
        return Pipeline(self.steps + added)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def passes(self) -> Iterator[ModulePass]:
        """All passes, also those inside of nested pipelines."""
        for step in self.steps:
            if isinstance(step, Nested):
                yield from step.pipeline.passes()
            else:
                yield step

    def __str__(self) -> str:
        return ",".join(_step_text(step) for step in self.steps)

    @staticmethod
    def parse(text: str) -> Pipeline:
        """The pipeline that `text` describes. Raises CompileError for what it does not know."""
        steps, rest = _parse_steps(text, 0)
        if rest != len(text):
            raise _syntax_error(text, rest, "a ')' without its '('")
        return Pipeline(tuple(steps))

    def run(
        self, module: ModuleOp, ctx: Context | None = None, observe: Sequence[Observer] = ()
    ) -> ModuleOp:
        """Runs all passes on `module`, in place, and gives it back. Raises CompileError."""
        for observer in observe:
            observer.start(self, module)
        self.run_under(module, ctx or _default_context(), observe, lambda rest: rest)
        for observer in reversed(observe):
            observer.finish(module)
        return module

    def run_under(
        self,
        module: ModuleOp,
        ctx: Context,
        observe: Sequence[Observer],
        whole: Callable[[Pipeline], Pipeline],
    ) -> None:
        """`run` without start and finish; `whole` wraps the rest of a nested pipeline."""
        for index, step in enumerate(self.steps):
            if isinstance(step, Nested):
                after = self.steps[index + 1 :]
                step.run_nested(
                    module,
                    ctx,
                    observe,
                    lambda rest, step=step, after=after: whole(
                        Pipeline((Nested(step.anchor, rest), *after))
                    ),
                )
            elif observe:
                rest = whole(Pipeline(self.steps[index:]))
                _run_observed(step, module, ctx, observe, rest)
            else:
                _apply(step, module, ctx)


@dataclass(frozen=True)
class Nested:
    """A pipeline for each op of one name, alone in a module of its own."""

    anchor: str
    pipeline: Pipeline

    def run_nested(
        self,
        module: ModuleOp,
        ctx: Context,
        observe: Sequence[Observer],
        whole: Callable[[Pipeline], Pipeline],
    ) -> None:
        """Runs the pipeline on every op called `anchor`, outermost ones first."""
        pipeline, anchor = self.pipeline, self.anchor

        def run(alone: ModuleOp) -> None:
            pipeline.run_under(alone, ctx, observe, whole)

        for op in [op for op in module.walk() if op.name == anchor]:
            if op is module:
                run(module)  # `builtin.module(...)` around everything, as mlir-opt writes it
            elif module.is_ancestor(op):  # else a pass removed it together with an op around it
                _run_alone(op, module, run)


def _run_alone(op: Operation, root: ModuleOp, run: Callable[[ModuleOp], None]) -> None:
    """Moves `op` into a module of its own, and what `run` makes of it back to its place.

    The ops around it are there too, empty but for this one: a function may look at its module.
    """
    block, following = op.parent, op.next_op
    assert block is not None, "a pipeline is nested in an op inside the module"
    shell = Block()
    content = op.parent_op()
    op.detach()
    shell.add_op(op)
    outer, shells = shell, list[Block]()
    while content is not None and content is not root:
        around = content.clone_without_regions()
        around.regions[0].add_block(outer)
        outer = Block([around])
        shells.append(outer)
        content = content.parent_op()
    alone = ModuleOp(Region(outer))
    try:
        run(alone)
        if any(len(block.ops) != 1 for block in shells):
            raise CompileError(
                f"a pass nested in {op.name} put ops outside of it",
                location_of(op),
                hint="run it on the whole module",
            )
    finally:  # also after an error, so that the module can still be printed
        for made in tuple(shell.ops):
            made.detach()
            if following is None:
                block.add_op(made)
            else:
                block.insert_op_before(made, following)


def _default_context() -> Context:
    from .parse import make_context

    return make_context()


def _run_observed(
    step: ModulePass, module: ModuleOp, ctx: Context, observe: Sequence[Observer], rest: Pipeline
) -> None:
    for observer in observe:
        observer.before(step, module, rest)
    started = perf_counter()
    try:
        _apply(step, module, ctx)
        seconds = perf_counter() - started
        for observer in reversed(observe):
            observer.after(step, module, seconds)
    except Exception as error:
        for observer in observe:
            observer.failed(step, module, error)
        raise


def _apply(step: ModulePass, module: ModuleOp, ctx: Context) -> None:
    """Runs one pass; errors of xDSL's own kinds become located errors."""
    try:
        step.apply(ctx, module)
    except (VerifyException, PassFailedException, DiagnosticException) as error:
        message = str(error).strip().splitlines()
        reason = message[-1].strip() if message else type(error).__name__
        raise CompileError(f"{step.name}: {reason}", location_of(module)) from error
    except CompileError:
        raise
    except Exception as error:
        error.add_note(f"in pass {step.name}, {type(step).__module__}.{type(step).__qualname__}")
        raise


# --- text -----------------------------------------------------------------------------------------


def _step_text(step: Step) -> str:
    if isinstance(step, Nested):
        return f"{step.anchor}({step.pipeline})"
    return str(step.spec())


def _parse_steps(text: str, start: int) -> tuple[list[Step], int]:
    """Steps from `start` to the end or a closing parenthesis; where that is."""
    steps: list[Step] = []
    position = _skip_space(text, start)
    while position < len(text) and text[position] != ")":
        end = _element_end(text, position)
        name = text[position:end].strip()
        if not name:
            raise _syntax_error(text, position, "expected the name of a pass")
        if end < len(text) and text[end] == "(":
            inner, close = _parse_steps(text, end + 1)
            if close >= len(text):
                raise _syntax_error(text, end, "this '(' is not closed")
            steps.append(Nested(name, Pipeline(tuple(inner))))
            end = _skip_space(text, close + 1)
        else:
            steps.append(_parse_pass(name, text, position))
        position = end
        if position < len(text) and text[position] == ",":
            position = _skip_space(text, position + 1)
            if position == len(text) or text[position] in "),":
                raise _syntax_error(text, position, "expected a pass after the comma")
        elif position < len(text) and text[position] != ")":
            raise _syntax_error(text, position, "expected a comma between passes")
    return steps, position


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _element_end(text: str, position: int) -> int:
    """Where the pass at `position` ends: at a comma or parenthesis outside of its options."""
    depth, quoted = 0, False
    while position < len(text):
        char = text[position]
        if char == '"':
            quoted = not quoted
        elif not quoted and char in "{}":
            depth += 1 if char == "{" else -1
        elif not quoted and depth == 0 and char in ",()":
            break
        position += 1
    return position


def _parse_pass(element: str, text: str, position: int) -> ModulePass:
    try:
        found = find_pass(element.partition("{")[0].strip())
    except CompileError as error:
        raise CompileError(error.message, _place(text, position), hint=error.hint) from error
    try:
        (spec,) = parse_pipeline(element)
        return found.from_spec(spec)
    except (ArgSpecParseError, ValueError) as error:
        lines = str(error).strip().splitlines()
        reason = _wrong_option(found, element) or f"{element}: {lines[-1].strip()}"
        hint = _options_hint(found)
        raise CompileError(reason, _place(text, position), hint=hint) from error


def _wrong_option(pass_class: type[ModulePass], element: str) -> str | None:
    """Which option is unknown or has a value of another type; None where it is something else."""
    try:
        (spec,) = parse_pipeline(element)
    except ArgSpecParseError:
        return None
    given, types = spec.normalize_parameter_names().parameters, get_type_hints(pass_class)
    known = {field.name: types[field.name] for field in fields(pass_class) if field.init}
    for name, values in given.items():
        option = f"option {name.replace('_', '-')!r}"
        if name not in known:
            return f"{pass_class.name} has no {option}"
        try:
            _convert_arg_to_type(values, known[name])
        except ValueError:
            said = f"is {','.join(map(str, values))!r}" if values else "has no value"
            return f"{option} of {pass_class.name} {said}, expected {_type_name(known[name])}"
    return None


def _type_name(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind)


def option_texts(pass_class: type[ModulePass]) -> list[str]:
    """The options of a pass, as in "subgroup-size=int"."""
    from xdsl.passes import get_pass_option_infos

    return [
        f"{info.name.replace('_', '-')}={str(info.expected_type).strip(chr(39))}"
        for info in get_pass_option_infos(pass_class)
        if info.name != "name"
    ]


def _options_hint(pass_class: type[ModulePass]) -> str:
    options = option_texts(pass_class)
    text = f"{{{' '.join(options)}}}" if options else "no options"
    return f"{pass_class.name} takes {text}"


def _place(text: str, position: int) -> Location:
    return Location(f"pipeline '{text}'", 1, position + 1)


def _syntax_error(text: str, position: int, message: str) -> CompileError:
    return CompileError(message, _place(text, position))
