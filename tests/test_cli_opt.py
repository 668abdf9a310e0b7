"""`stepwell opt`: round trips, pipelines, observers, pieces, announced errors."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.passes import ModulePass

from stepwell.registry import PASS_TABLE, pass_names, register_pass
from stepwell.tools.expected_errors import read_expectations
from stepwell.tools.main import main

GOOD = "func.func @good(%a: i32) -> i32 {\n  func.return %a : i32\n}\n"
# Line 3 returns a type that the function has not; the verifier says so.
BAD = "func.func @bad(%a: i32) -> i64 {\n  // a line\n  func.return %a : i32\n}\n"


@register_pass
@dataclass(frozen=True)
class MarkFunctions(ModulePass):
    """Puts a unit attribute on the module: something that can be seen in the output."""

    name = "test-cli-mark"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        op.attributes["marked"] = UnitAttr()


@dataclass
class Opt:
    """Runs `stepwell opt` on a text and keeps what came out."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, text: str, *arguments: str) -> tuple[int, str, str]:
        path = self.folder / "in.mlir"
        path.write_text(text, encoding="utf-8")
        status = main(["opt", str(path), *arguments])
        output, errors = self.capsys.readouterr()
        return status, output, errors.replace(f"{self.folder}/", "")


@pytest.fixture
def opt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Opt:
    return Opt(tmp_path, capsys)


def test_without_a_pipeline_it_is_a_round_trip(opt: Opt):
    status, output, errors = opt(GOOD)
    assert (status, errors) == (0, "")
    assert opt(output) == (0, output, "")


def test_a_pipeline_changes_the_module(opt: Opt):
    status, output, _ = opt(GOOD, "-p", "test-cli-mark")
    assert status == 0
    assert "builtin.module attributes {marked}" in output


def test_an_unknown_pass_is_named_with_the_nearest(opt: Opt):
    status, output, errors = opt(GOOD, "-p", "test-cli-markk")
    assert (status, output) == (1, "")
    assert "no pass is called 'test-cli-markk'" in errors
    assert "'test-cli-mark'" in errors


def test_a_syntax_error_has_file_line_and_caret(opt: Opt):
    status, _, errors = opt("func.func @f() {\n  func.return %b : i32\n}")
    assert status == 1
    assert errors.startswith("in.mlir:2:15: error: ")
    assert "  func.return %b : i32\n" in errors
    assert "^" in errors


def test_invalid_ir_is_refused_unless_not_verified(opt: Opt):
    status, _, errors = opt(BAD)
    assert status == 1
    assert "in.mlir:3:3: error: " in errors
    assert opt(BAD, "--no-verify")[0] == 0


def test_an_unregistered_op_needs_the_option(opt: Opt):
    text = '"a.b"() : () -> ()\n'
    status, _, errors = opt(text)
    assert status == 1
    assert "in.mlir:1:" in errors
    assert "a.b" in errors
    assert opt(text, "--allow-unregistered-dialect")[0] == 0


def test_pieces_are_compiled_on_their_own_with_their_lines(opt: Opt):
    text = f"{GOOD}// -----\n{BAD}// -----\n{GOOD}"
    status, output, errors = opt(text, "--split-input-file")
    assert status == 1
    assert output.count("@good") == 2
    assert output.count("// -----\n") == 1
    assert "in.mlir:7:3: error: " in errors


def announced(expectation: str) -> str:
    return BAD.replace("// a line", f"// {expectation}")


@pytest.mark.parametrize(
    "expectation",
    [
        "expected-error @+1 {{return}}",
        "expected-error@+1 {{return}}",
        "expected-error@below {{return}}",
        "expected-error-re@+1 {{retur[n-z]}}",
        "expected-error @+1 1 {{return}}",
    ],
)
def test_an_announced_error_is_success(opt: Opt, expectation: str):
    assert opt(announced(expectation), "--verify-diagnostics") == (0, "", "")


@pytest.mark.parametrize(
    ("expectation", "complaint"),
    [
        ("expected-error @+1 {{other words}}", "expected error was not produced: 'other words'"),
        ("expected-error @+2 {{return}}", "unexpected error\nin.mlir:3:3: error: "),
        ("expected-error {{return}}", "expected error was not produced"),
        ("expected-error @+1 2 {{return}}", "expected error was not produced"),
        ("expected-warning @+1 {{return}}", "expected warning was not produced"),
        ("expected-error @+1 {return}", "malformed expectation"),
        ("no announcement", "unexpected error"),
    ],
)
def test_an_error_that_is_not_as_announced_fails(opt: Opt, expectation: str, complaint: str):
    status, _, errors = opt(announced(expectation), "--verify-diagnostics")
    assert status == 1
    assert complaint in errors


def test_an_announced_error_that_does_not_come_fails(opt: Opt):
    status, _, errors = opt(f"// expected-error@+1 {{{{x}}}}\n{GOOD}", "--verify-diagnostics")
    assert status == 1
    assert "in.mlir:1: expected error was not produced: 'x' on line 2" in errors


def test_announcements_count_from_the_start_of_the_file(opt: Opt):
    text = f"{GOOD}// -----\n{announced('expected-error @+1 {{return}}')}"
    assert opt(text, "--split-input-file", "--verify-diagnostics")[0] == 0


def test_expectations_may_stand_several_on_a_line():
    text = "x // expected-error {{a}} expected-error@above 2 {{b}} expected-error@unknown {{c}}"
    lines = [(one.line, one.text) for one in read_expectations(text, "f", 5)]
    assert lines == [(5, "a"), (4, "b"), (4, "b"), (None, "c")]


def test_observers_write_to_standard_error(opt: Opt):
    status, output, errors = opt(
        GOOD,
        *("-p", "test-cli-mark,test-cli-mark"),
        *("--print-before", "test-cli-mark", "--print-after", "test-cli-mark"),
        *("--timing", "--statistics"),
    )
    assert status == 0
    assert output.count("func.func") == 1
    assert errors.count("before test-cli-mark") == 2
    assert errors.count("after test-cli-mark") == 2
    assert "total" in errors


def test_printing_around_a_pass_that_is_not_there_is_an_error(opt: Opt):
    status, _, errors = opt(GOOD, "-p", "test-cli-mark", "--print-after", "cse")
    assert status == 1
    assert "no pass named 'cse' in the pipeline" in errors


def test_print_ir_after_all(opt: Opt):
    _, _, errors = opt(GOOD, "-p", "builtin.module(test-cli-mark)", "--print-ir-after-all")
    assert errors.count("after test-cli-mark") == 1


def test_locations_are_printed_on_demand(opt: Opt):
    assert "in.mlir" not in opt(GOOD)[1]
    assert 'in.mlir":2:3)' in opt(GOOD, "--print-locations")[1]


def test_the_output_file_is_written_on_success_only(opt: Opt, tmp_path: Path):
    target = tmp_path / "out.mlir"
    opt(BAD, "-o", str(target))
    assert not target.exists()
    assert opt(GOOD, "-o", str(target)) == (0, "", "")
    assert "@good" in target.read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"// nothing\n"])
def test_an_empty_file_is_an_empty_module(opt: Opt, tmp_path: Path, content: bytes):
    path = tmp_path / "empty.mlir"
    path.write_bytes(content)
    assert main(["opt", str(path)]) == 0


def test_unreadable_input_is_said_in_a_line(opt: Opt, tmp_path: Path):
    path = tmp_path / "binary.mlir"
    path.write_bytes(b"\xff\xfe")
    assert main(["opt", str(path)]) == 1
    assert "not UTF-8 text" in opt.capsys.readouterr().err
    assert main(["opt", str(tmp_path / "absent.mlir")]) == 1
    assert "No such file" in opt.capsys.readouterr().err
    assert main(["opt", str(tmp_path)]) == 1
    assert "Is a directory" in opt.capsys.readouterr().err


def test_the_passes_can_be_listed(capsys: pytest.CaptureFixture[str]):
    assert main(["opt", "--list-passes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [re.split(r"[ {]", line)[0] for line in lines] == pass_names()
    assert "check-level{level=str}  Refuses a module that does not keep to the level" in str(lines)


def test_the_generic_syntax_of_scalars_is_read(opt: Opt):
    text = (
        "func.func @f(%a: i32, %b: i1) -> i1 {\n"
        "  %i = arith.index_cast %a : i32 to index\n"
        "  %c = arith.cmpi slt, %i, %i : index\n"
        "  %s = arith.select %b, %c, %b : i1\n"
        "  func.return %s : i1\n}\n"
    )
    _, custom, _ = opt(text)
    _, generic, _ = opt(text, "--print-generic")
    assert '"arith.index_cast"(%a)' in generic
    assert opt(generic) == (0, custom, "")


def test_the_generic_syntax_is_that_of_all_that_is_printed(opt: Opt):
    _, _, errors = opt(GOOD, "-p", "test-cli-mark", "--print-generic", "--print-ir-after-all")
    assert '"func.return"(%a)' in errors


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("  %y = arith.adi %a, %a : i32", "2:8", "did you mean arith.andi or arith.addi"),
        ("  %y = arit.addi %a, %a : i32", "2:8", "did you mean the dialect 'arith'?"),
        ('  "foo.bar"() : () -> ()', "2:4", "--allow-unregistered-dialect"),
        ("  %y = arith.addi %f, %f : f32", "2:3", "arith.addi: unexpected type f32"),
        ("  gpu.launch_func @a::@b", "2:3", "launching is the host's"),
        ("  %y = memref.alloc() : !foo.bar", "2:26", "no type is called 'foo.bar'"),
        ("  gpu.module @m [#nvvm.target] {", "2:17", "said by --target and --arch"),
        ("  gpu.func @g() -> i32 {", "2:17", "a gpu.func has no results"),
        ("  func.return", "3:1", "a '}' is missing"),
        ("  func.return %a ^", "2:18", "error: "),
    ],
)
def test_text_that_cannot_be_read_says_where_and_why(opt: Opt, text: str, where: str, said: str):
    status, _, errors = opt(f"func.func @f(%a: i32, %f: f32) {{\n{text}\n")
    assert status == 1
    assert errors.startswith(f"in.mlir:{where}: error: ")
    assert said in errors


def test_unknown_ops_have_the_generic_syntax_only(opt: Opt):
    allow = "--allow-unregistered-dialect"
    status, _, errors = opt("func.func @f() {\n  foo.bar 3\n}\n", allow)
    assert status == 1
    assert "in.mlir:2:3: error: no op is called 'foo.bar', and unknown ops have no" in errors
    assert 'write it as "foo.bar"(' in errors


def test_a_symbol_is_defined_again_where_the_second_op_stands(opt: Opt):
    function = "func.func @f() {\n  func.return\n}\n"
    _, _, errors = opt(function + function)
    assert errors.startswith("in.mlir:4:1: error: ")


def test_a_misspelt_op_of_a_nested_pipeline_is_refused(opt: Opt):
    status, output, errors = opt(GOOD, "--pass-pipeline=builtin.module(func.fun(test-cli-mark))")
    assert (status, output) == (1, "")
    assert "nests passes in 'func.fun', and no op is called so" in errors
    assert "'func.func'" in errors


OWN = '''
from dataclasses import dataclass

from xdsl.dialects.builtin import UnitAttr
from xdsl.passes import ModulePass

from stepwell.registry import register_pass


@register_pass
@dataclass(frozen=True)
class Mine(ModulePass):
    """Marks the module."""

    name = "test-cli-own"

    def apply(self, ctx, op):
        op.attributes["of_mine"] = UnitAttr()
'''


def test_a_file_with_passes_is_loaded_for_commands_and_lit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(PASS_TABLE, "registered", {})
    monkeypatch.delitem(sys.modules, "own_passes", raising=False)
    own, test = tmp_path / "own_passes.py", tmp_path / "t.mlir"
    own.write_text(OWN, encoding="utf-8")
    run_line = "// RUN: stepwell opt %s --load %S/own_passes.py -p test-cli-own | filecheck %s\n"
    test.write_text(f"{run_line}// CHECK: of_mine\n{GOOD}", encoding="utf-8")
    assert main(["opt", str(test), "--load", str(own), "-p", "test-cli-own"]) == 0
    assert "of_mine" in capsys.readouterr().out
    assert main(["lit", str(test)]) == 0


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("absent.py", None, "absent.py: no such file"),
        ("broken.py", "1 / 0\n", "broken.py cannot be run: ZeroDivisionError: division by zero"),
        ("no_such_module", None, "cannot load no_such_module: ModuleNotFoundError"),
    ],
)
def test_what_cannot_be_loaded_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str | None, message: str
):
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    place = str(tmp_path / name) if name.endswith(".py") else name
    assert main(["opt", "--load", place, "--list-passes"]) == 1
    assert message in capsys.readouterr().err


@register_pass
@dataclass(frozen=True)
class Stumble(ModulePass):
    """Raises what no pass should."""

    name = "test-cli-stumble"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        raise IndexError("9")


def test_what_a_pass_of_another_package_raises_names_the_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "good.mlir"
    path.write_text(GOOD, encoding="utf-8")
    assert main(["opt", str(path), "-p", "cse,test-cli-stumble"]) == 1
    errors = capsys.readouterr().err
    assert "IndexError: 9\n  in pass test-cli-stumble, " in errors
    assert re.search(rf"\n  raised at {re.escape(__file__)}:\d+\n", errors)
