"""What can watch a pipeline run: printing, timing, verification, checks, statistics, reproducer.

An observer is given to `Pipeline.run(module, observe=[...])`; all of them write to standard error
unless they are given another stream. Write your own by overriding what you need of `Observer`.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ..dialects.diagnostics import CompileError

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.passes import ModulePass

    from .pipeline import Pipeline

REPRODUCER_MARK = "// pipeline: "


class Observer:
    """Told of everything that happens while a pipeline runs; does nothing by itself."""

    def start(self, pipeline: Pipeline, module: ModuleOp) -> None:
        """Before the first pass."""

    def before(self, step: ModulePass, module: ModuleOp, rest: Pipeline) -> None:
        """Before each pass; `rest` is the pipeline from this pass on."""

    def after(self, step: ModulePass, module: ModuleOp, seconds: float) -> None:
        """After each pass that succeeded."""

    def failed(self, step: ModulePass, module: ModuleOp, error: Exception) -> None:
        """After the pass that raised `error`, or after which an observer did."""

    def finish(self, module: ModuleOp) -> None:
        """After the last pass, if all succeeded."""


class PrintIR(Observer):
    """Prints the IR before and after passes: all of them, or those named in `only`."""

    def __init__(
        self,
        *,
        before: bool = False,
        after: bool = True,
        only: tuple[str, ...] = (),
        changed: bool = False,
        locations: bool = False,
        generic: bool = False,
        stream: TextIO | None = None,
    ) -> None:
        self._before, self._after, self._only = before, after, only
        self._changed, self._locations, self._stream = changed, locations, stream
        self._generic = generic
        self._last = ""

    def before(self, step: ModulePass, module: ModuleOp, rest: Pipeline) -> None:
        """Prints, and remembers the text to see whether the pass changes it."""
        if self._wanted(step) and (self._before or self._changed):
            self._last = self._text(module)
            if self._before:
                self._print(f"before {step.name}", self._last)

    def after(self, step: ModulePass, module: ModuleOp, seconds: float) -> None:
        """Prints, if the pass did something or all passes are to be shown."""
        if self._wanted(step) and self._after:
            text = self._text(module)
            if self._changed and text == self._last:
                self._print(f"after {step.name} (no change)", "")
            else:
                self._print(f"after {step.name}", text)

    def failed(self, step: ModulePass, module: ModuleOp, error: Exception) -> None:
        """Shows what the failing pass left behind."""
        if self._wanted(step):
            self._print(f"after {step.name} failed", self._text(module))

    def _wanted(self, step: ModulePass) -> bool:
        return not self._only or step.name in self._only

    def _text(self, module: ModuleOp) -> str:
        from .parse import print_module

        return print_module(module, locations=self._locations, generic=self._generic)

    def _print(self, title: str, text: str) -> None:
        print(f"// ----- {title} -----\n{text}", file=self._stream or sys.stderr, end="")


class Timing(Observer):
    """Prints at the end how long each pass took, in the order in which they ran."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.rows: list[tuple[str, float]] = []
        self._stream = stream

    def after(self, step: ModulePass, module: ModuleOp, seconds: float) -> None:
        """Notes the time."""
        self.rows.append((step.name, seconds))

    def finish(self, module: ModuleOp) -> None:
        """Prints the table."""
        total = sum(seconds for _, seconds in self.rows)
        width = max([len(name) for name, _ in self.rows] + [len("total")])
        print(f"{'pass':{width}}  {'ms':>9}  {'share':>6}", file=self._stream or sys.stderr)
        for name, seconds in [*self.rows, ("total", total)]:
            share = seconds / total if total else 0.0
            line = f"{name:{width}}  {seconds * 1e3:9.3f}  {share:6.1%}"
            print(line, file=self._stream or sys.stderr)


class Verify(Observer):
    """Verifies the module before the first and after every pass; an error names the pass.

    `wanted` says after which passes; by default after all.
    """

    def __init__(self, wanted: Callable[[ModulePass], bool] = lambda step: True) -> None:
        self._wanted = wanted

    def start(self, pipeline: Pipeline, module: ModuleOp) -> None:
        """Refuses input that is wrong already."""
        from .verify import verify

        verify(module)

    def after(self, step: ModulePass, module: ModuleOp, seconds: float) -> None:
        """Refuses what the pass has made."""
        from .verify import verify

        if not self._wanted(step):
            return
        try:
            verify(module)
        except CompileError as error:
            raise CompileError.collect(f"invalid IR after {step.name}", [error]) from error


class Check(Observer):
    """Asks before the first and after every pass whether something still holds: who broke it?

    `holds` gets a copy of the module, and raises (an AssertionError, say) or gives False where it
    does not hold. At levels simt and gpu it may run the kernel (`sw.load(sw.compile_ir(module))`)
    and compare results. The CompileError names the pass.
    """

    def __init__(self, holds: Callable[[ModuleOp], object]) -> None:
        self._holds = holds

    def start(self, pipeline: Pipeline, module: ModuleOp) -> None:
        """Refuses input for which it does not hold to begin with."""
        self._ask(module, "before the first pass")

    def after(self, step: ModulePass, module: ModuleOp, seconds: float) -> None:
        """Refuses what the pass has made."""
        self._ask(module, f"after {step.name}")

    def _ask(self, module: ModuleOp, when: str) -> None:
        try:
            answer = self._holds(module.clone())
        except Exception as error:  # whatever the check raises says what does not hold
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            raise CompileError(f"the check does not hold {when}: {reason}") from error
        if answer is False:
            raise CompileError(f"the check does not hold {when}")


class Statistics(Observer):
    """Prints after each pass how many ops of each kind it added and removed."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._counts: Counter[str] = Counter()

    def before(self, step: ModulePass, module: ModuleOp, rest: Pipeline) -> None:
        """Counts."""
        self._counts = Counter(op.name for op in module.walk())

    def after(self, step: ModulePass, module: ModuleOp, seconds: float) -> None:
        """Counts again and prints the difference."""
        counts = Counter(op.name for op in module.walk())
        names = sorted(counts.keys() | self._counts.keys())
        changes = [
            f"{counts[name] - self._counts[name]:+d} {name}"
            for name in names
            if counts[name] != self._counts[name]
        ]
        total = f"{counts.total()} ops"
        print(
            f"{step.name}: {total}; {', '.join(changes) if changes else 'no change in number'}",
            file=self._stream or sys.stderr,
        )


class Reproducer(Observer):
    """Writes, when a pass fails, the IR before it and the rest of the pipeline into one file.

    `stepwell opt FILE` runs that file again.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._text = ""

    def before(self, step: ModulePass, module: ModuleOp, rest: Pipeline) -> None:
        """Keeps the IR as text: a failing pass may leave anything behind."""
        from .parse import print_module

        self._text = f"{REPRODUCER_MARK}{rest}\n{print_module(module, locations=True)}"

    def failed(self, step: ModulePass, module: ModuleOp, error: Exception) -> None:
        """Writes the file and says where."""
        self.path.write_text(self._text, encoding="utf-8")
        print(f"note: 'stepwell opt {self.path}' repeats this failure", file=sys.stderr)


def reproducer_pipeline(text: str) -> str | None:
    """The pipeline that the first line of a reproducer file asks for."""
    first = text.partition("\n")[0]
    return (
        first.removeprefix(REPRODUCER_MARK).strip() if first.startswith(REPRODUCER_MARK) else None
    )
