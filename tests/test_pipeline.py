"""Pipelines are values; observers watch them; errors say which pass, where, and what to do."""

import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from xdsl.context import Context
from xdsl.dialects import arith, func
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from stepwell import registry
from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.observers import (
    Check,
    Observer,
    PrintIR,
    Reproducer,
    Statistics,
    Timing,
    Verify,
    reproducer_pipeline,
)
from stepwell.lowering.parse import parse_module, print_module, split_input
from stepwell.lowering.pipeline import Nested, Pipeline
from stepwell.lowering.pipelines import PIPELINES, pipeline
from stepwell.passes.canonicalize import Canonicalize
from stepwell.passes.cse import Cse

TEXT = """func.func @f(%a: i32) -> i32 {
  %0 = arith.addi %a, %a : i32
  %1 = arith.addi %a, %a : i32
  %2 = arith.muli %0, %1 : i32
  func.return %2 : i32
}
"""


@dataclass(frozen=True)
class Note(ModulePass):
    """Does nothing; has options."""

    name = "test-note"
    count: int = 3
    text: str = "x"
    flag: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Break(ModulePass):
    """Leaves invalid IR behind: the first add uses its own result."""

    name = "test-break"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Breaks dominance."""
        add = next(inner for inner in op.walk() if isinstance(inner, arith.AddiOp))
        add.operands[0] = add.result


@dataclass(frozen=True)
class Fail(ModulePass):
    """Fails."""

    name = "test-fail"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Fails."""
        raise CompileError("it failed")


@dataclass(frozen=True)
class Declare(ModulePass):
    """Declares a function in the module, as a lowering to library calls does."""

    name = "test-declare"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Adds the declaration."""
        op.body.block.add_op(func.FuncOp.external("helper", [], []))


@pytest.fixture(autouse=True)
def passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.PASS_TABLE, "registered", {})
    for pass_class in (Note, Break, Fail, Declare):
        registry.register_pass(pass_class)


# --- text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "canonicalize",
        "canonicalize,cse",
        "gpu.module(canonicalize,cse),cse",
        "gpu.module(gpu.func(cse))",
        'test-note{count=7 text="a,(b)" flag=true}',
    ],
)
def test_text_and_value_are_the_same(text: str) -> None:
    assert str(Pipeline.parse(text)) == text


def test_options_become_fields() -> None:
    (step,) = Pipeline.parse("test-note{count=7 flag=true}")
    assert step == Note(count=7, flag=True)


def test_pipelines_add_up() -> None:
    whole = Pipeline.parse("cse") + Canonicalize() + Pipeline((Cse(),))
    assert str(whole) == "cse,canonicalize,cse"
    assert len(whole) == 3
    assert Pipeline.parse("cse") == Pipeline((Cse(),))


def test_spaces_do_not_matter() -> None:
    nested = Pipeline.parse(" canonicalize , gpu.module( cse ) ")
    assert nested == Pipeline((Canonicalize(), Nested("gpu.module", Pipeline((Cse(),)))))


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("cse,", "expected a pass after the comma", 5),
        (",cse", "expected the name of a pass", 1),
        ("cse)", "a ')' without its '('", 4),
        ("gpu.module(cse", "this '(' is not closed", 11),
        ("gpu.module(cse)cse", "expected a comma between passes", 16),
    ],
)
def test_what_is_no_pipeline(text: str, message: str, column: int) -> None:
    with pytest.raises(CompileError) as caught:
        Pipeline.parse(text)
    assert caught.value.message == message
    assert caught.value.location is not None
    assert caught.value.location.column == column


def test_an_unknown_pass_names_the_nearest() -> None:
    with pytest.raises(CompileError, match="no pass is called 'canonicalise'") as caught:
        Pipeline.parse("cse,canonicalise")
    assert caught.value.hint == "did you mean 'canonicalize'?"
    assert caught.value.location is not None
    assert caught.value.location.column == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("cuont=7", "test-note has no option 'cuont'"),
        ("text=a count=x", "option 'count' of test-note is 'x', expected int"),
        ("flag", "option 'flag' of test-note has no value, expected bool"),
        ("count=1,2", "option 'count' of test-note is '1,2', expected int"),
        ("name=x", "test-note has no option 'name'"),
    ],
)
def test_a_wrong_option_is_named_with_those_there_are(options: str, message: str) -> None:
    with pytest.raises(CompileError) as caught:
        Pipeline.parse(f"cse,test-note{{{options}}}")
    assert caught.value.message == message
    assert caught.value.hint == "test-note takes {count=int text=str flag=bool}"
    assert caught.value.location is not None
    assert caught.value.location.column == 5


@pytest.mark.parametrize("name", PIPELINES)
def test_every_step_of_a_ready_pipeline_has_a_reason(name: str) -> None:
    assert all(reason for _, reason in PIPELINES[name])


def test_an_unknown_pipeline_names_the_nearest() -> None:
    with pytest.raises(CompileError, match="did you mean 'simt-to-gpu'"):
        pipeline("simt-to-gpus")


# --- running --------------------------------------------------------------------------------------


def test_passes_run_in_order() -> None:
    module = Pipeline.parse("cse").run(parse_module(TEXT))
    assert print_module(module).count("arith.addi") == 1


def test_a_nested_pipeline_sees_only_its_ops() -> None:
    text = """func.func @f(%a: i32) -> i32 {
  %0 = arith.addi %a, %a : i32
  %1 = arith.addi %a, %a : i32
  %2 = arith.muli %0, %1 : i32
  func.return %2 : i32
}
builtin.module {
  func.func @g(%a: i32) -> i32 {
    %0 = arith.addi %a, %a : i32
    %1 = arith.addi %a, %a : i32
    %2 = arith.muli %0, %1 : i32
    func.return %2 : i32
  }
}
func.func private @h() -> ()
"""
    module = Pipeline.parse("builtin.module(func.func(cse))").run(parse_module(text))
    inner = [op for op in module.body.block.ops if isinstance(op, ModuleOp)]
    assert [str(op).count("arith.addi") for op in inner] == [1]
    assert [op.name for op in module.body.block.ops] == ["func.func", "builtin.module", "func.func"]


class Log(Observer):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def start(self, pipeline: Pipeline, module: ModuleOp) -> None:
        """Notes."""
        self.events.append(f"start {pipeline}")

    def before(self, step: ModulePass, module: ModuleOp, rest: Pipeline) -> None:
        """Notes."""
        self.events.append(f"before {step.name} of {rest}")

    def after(self, step: ModulePass, module: ModuleOp, seconds: float) -> None:
        """Notes."""
        self.events.append(f"after {step.name}")

    def failed(self, step: ModulePass, module: ModuleOp, error: Exception) -> None:
        """Notes."""
        self.events.append(f"failed {step.name}: {error}")

    def finish(self, module: ModuleOp) -> None:
        """Notes."""
        self.events.append("finish")


def test_observers_are_told_everything() -> None:
    log = Log()
    Pipeline.parse("cse,func.func(cse,canonicalize)").run(parse_module(TEXT), observe=[log])
    assert log.events == [
        "start cse,func.func(cse,canonicalize)",
        "before cse of cse,func.func(cse,canonicalize)",
        "after cse",
        "before cse of func.func(cse,canonicalize)",
        "after cse",
        "before canonicalize of func.func(canonicalize)",
        "after canonicalize",
        "finish",
    ]


def test_verify_names_the_pass_that_broke_the_ir() -> None:
    log = Log()
    with pytest.raises(CompileError, match="invalid IR after test-break") as caught:
        Pipeline.parse("cse,test-break,canonicalize").run(
            parse_module(TEXT, "in.mlir"), observe=[Verify(), log]
        )
    assert caught.value.location is not None
    assert caught.value.location.line == 2
    assert log.events[-1].startswith("failed test-break")


def test_verify_refuses_input_that_is_wrong_already() -> None:
    with pytest.raises(CompileError, match="used before it is defined"):
        Pipeline().run(parse_module(TEXT.replace("%a, %a", "%a, %2", 1)), observe=[Verify()])


def test_timing_and_statistics_print_a_line_per_pass() -> None:
    times, counts = io.StringIO(), io.StringIO()
    Pipeline.parse("cse,canonicalize").run(
        parse_module(TEXT), observe=[Timing(times), Statistics(counts)]
    )
    assert [line.split()[0] for line in times.getvalue().splitlines()] == [
        "pass",
        "cse",
        "canonicalize",
        "total",
    ]
    assert counts.getvalue().splitlines() == [
        "cse: 5 ops; -1 arith.addi",
        "canonicalize: 5 ops; no change in number",
    ]


def test_printing_can_be_limited_to_passes_and_to_changes() -> None:
    stream = io.StringIO()
    Pipeline.parse("cse,canonicalize,test-note").run(
        parse_module(TEXT),
        observe=[PrintIR(only=("cse", "canonicalize"), changed=True, stream=stream)],
    )
    titles = [line for line in stream.getvalue().splitlines() if line.startswith("// -----")]
    assert titles == ["// ----- after cse -----", "// ----- after canonicalize (no change) -----"]


def test_a_reproducer_repeats_the_failure(tmp_path: Path) -> None:
    file = tmp_path / "crash.mlir"
    with pytest.raises(CompileError, match="it failed"):
        Pipeline.parse("cse,func.func(canonicalize,test-fail,cse),canonicalize").run(
            parse_module(TEXT), observe=[Reproducer(file)]
        )
    text = file.read_text(encoding="utf-8")
    rest = reproducer_pipeline(text)
    assert rest == "func.func(test-fail,cse),canonicalize"
    with pytest.raises(CompileError, match="it failed"):
        Pipeline.parse(rest).run(parse_module(text, str(file)))


def test_a_failed_nested_pass_leaves_the_module_whole() -> None:
    module = parse_module(TEXT)
    with pytest.raises(CompileError, match="it failed"):
        Pipeline.parse("func.func(test-fail)").run(module)
    assert print_module(module).count("func.func @f") == 1


def test_what_a_nested_pass_puts_beside_its_op_is_kept() -> None:
    module = Pipeline.parse("func.func(test-declare)").run(parse_module(TEXT))
    assert [op.name for op in module.body.block.ops] == ["func.func", "func.func"]


def test_what_a_nested_pass_puts_further_outside_is_an_error() -> None:
    module = parse_module(f"builtin.module {{\nbuiltin.module {{\n{TEXT}}}\n}}")
    with pytest.raises(CompileError, match="put ops outside of it"):
        Pipeline.parse("func.func(test-declare)").run(module)
    assert print_module(module).count("func.func @f") == 1


# --- IR text --------------------------------------------------------------------------------------


def test_locations_count_from_the_line_of_the_piece() -> None:
    text = "// first\n// -----\n\nfunc.func @f() {\n  func.return\n}\n"
    pieces = split_input(text)
    assert [line for line, _ in pieces] == [1, 3]
    module = parse_module(pieces[1][1], "in.mlir", first_line=pieces[1][0])
    assert 'func.return loc("in.mlir":5:3)' in print_module(module, locations=True)


def test_a_location_in_the_text_stays() -> None:
    text = 'func.func @f() {\n  func.return loc("k.py":7:5)\n}\n'
    assert 'loc("k.py":7:5)' in print_module(parse_module(text), locations=True)


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "message"),
    [
        ("arith.muli %0", "arith.mulli %0", 4, 8, "no op is called 'arith.mulli'"),
        ("muli %0, %1", "muli %0, %9", 4, 23, "value %9 is used but not defined"),
        ("func.return %2 : i32", "func.return %2 i32", 5, 18, "expected"),
    ],
)
def test_a_parse_error_has_a_place(
    old: str, new: str, line: int, column: int, message: str
) -> None:
    with pytest.raises(CompileError) as caught:
        parse_module(TEXT.replace(old, new), "in.mlir")
    place = caught.value.location
    assert place is not None
    assert (place.file, place.line, place.column) == ("in.mlir", line, column)
    assert message in caught.value.message


def test_a_check_names_the_pass_after_which_it_does_not_hold() -> None:
    def has_no_sums(module: ModuleOp) -> bool:
        return all(op.name != "arith.addi" for op in module.walk())

    text = (
        "func.func @f(%a: i32) -> i32 {\n  %0 = arith.muli %a, %a : i32\n  func.return %0 : i32\n}"
    )
    module = parse_module(text)
    Pipeline.parse("cse").run(module, observe=[Check(has_no_sums)])
    with pytest.raises(CompileError, match=r"^the check does not hold after make-sums$"):
        (Pipeline.parse("cse") + MakeSums()).run(module, observe=[Check(has_no_sums)])
    with pytest.raises(CompileError, match=r"^the check does not hold before the first pass$"):
        Pipeline.parse("cse").run(module, observe=[Check(has_no_sums)])


def test_a_check_that_raises_says_why() -> None:
    def refuses(module: ModuleOp) -> None:
        raise ValueError("9 is not 10")

    with pytest.raises(CompileError, match="before the first pass: ValueError: 9 is not 10"):
        Pipeline().run(parse_module(""), observe=[Check(refuses)])


@dataclass(frozen=True)
class MakeSums(ModulePass):
    """Makes products sums."""

    name = "make-sums"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for product in list(op.walk()):
            if isinstance(product, arith.MuliOp):
                Rewriter.replace_op(product, arith.AddiOp(product.lhs, product.rhs))
