"""The lit runner: verdicts, the shell, feature expressions, and checks that check nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stepwell.tools.lit import directives, features, prefixes, shell
from stepwell.tools.lit.runner import Result, Verdict, discover, run_test
from stepwell.tools.main import main


def run_text(folder: Path, text: str, *available: str) -> Result:
    path = folder / "case.test"
    path.write_text(text, encoding="utf-8")
    return run_test(path, frozenset(available))


PASSING = "// RUN: echo 'one two' | filecheck %s\n// CHECK: one two\n"
FAILING = "// RUN: echo 'one' | filecheck %s\n// CHECK: two\n"


def test_a_matching_check_passes(tmp_path: Path):
    assert run_text(tmp_path, PASSING).verdict is Verdict.PASS


def test_a_failing_check_shows_command_and_reason(tmp_path: Path):
    result = run_text(tmp_path, FAILING)
    assert result.verdict is Verdict.FAIL
    assert "$ echo 'one' | filecheck" in result.log
    assert "case.test:2: error: Couldn't match" in result.log


@pytest.mark.parametrize(
    ("condition", "text", "verdict"),
    [
        ("XFAIL: *", FAILING, Verdict.XFAIL),
        ("XFAIL: *", PASSING, Verdict.XPASS),
        ("XFAIL: absent", FAILING, Verdict.FAIL),
        ("REQUIRES: absent", FAILING, Verdict.UNSUPPORTED),
        ("REQUIRES: present", PASSING, Verdict.PASS),
        ("REQUIRES: present, absent", PASSING, Verdict.UNSUPPORTED),
        ("UNSUPPORTED: present", FAILING, Verdict.UNSUPPORTED),
        ("REQUIRES: (present", PASSING, Verdict.UNRESOLVED),
    ],
)
def test_conditions(tmp_path: Path, condition: str, text: str, verdict: Verdict):
    assert run_text(tmp_path, f"// {condition}\n{text}", "present").verdict is verdict


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing", "no `RUN:` line"),
        ("RUN: echo %q", "unknown substitution '%q'"),
        ("RUN: echo $(ls)", "not supported in a `RUN:` line: `$(ls)`"),
        ("RUN: echo *", "not supported"),
        ("RUN: echo |", "expected a command in each part"),
        ("RUN: echo >", "expected a command in each part"),
        ("RUN: echo \\", "nothing follows"),
        ("DEFINE: %{x} = y\nRUN: echo", "`DEFINE:` is not supported"),
    ],
)
def test_a_malformed_test_is_unresolved(tmp_path: Path, text: str, message: str):
    result = run_text(tmp_path, text)
    assert result.verdict is Verdict.UNRESOLVED
    assert message in result.log


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("// CHECK-NETX: b", "misspelt directive `CHECK-NETX:`, did you mean `CHECK-NEXT:`?"),
        ("// CHEKC: b", "misspelt directive `CHEKC:`, did you mean `CHECK:`?"),
        ("// Check-Next: b", "did you mean `CHECK-NEXT:`?"),
        ("// CHECK-NEXT b", "`CHECK-NEXT` has no colon"),
        ("// CHECK : b", "`CHECK` has no colon right after it"),
        ("// GPU: b", "unused prefix: no `RUN:` line checks `GPU:`"),
    ],
)
def test_a_check_that_checks_nothing_is_an_error(tmp_path: Path, line: str, message: str):
    result = run_text(tmp_path, PASSING + line)
    assert result.verdict is Verdict.UNRESOLVED
    assert f"line 3: {message}" in result.log or message in result.log


@pytest.mark.parametrize("line", ["// NOTE: b", "// see below: b", "// CHECK-COUNT-2: b", "// b"])
def test_ordinary_comments_are_left_alone(line: str):
    assert prefixes.problems("// CHECK: a\n" + line, ["x | filecheck %s"]) == []


def test_a_prefix_without_checks_is_an_error():
    commands = ["x | filecheck %s --check-prefixes=ONE,TWO"]
    assert prefixes.problems("// ONE: a", commands) == [
        "no check with the prefix TWO, which `x | filecheck %s --check-prefixes=ONE,TWO` asks for"
    ]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a", True),
        ("!a", False),
        ("a && b", False),
        ("a || b", True),
        ("b || a && !b", True),
        ("!(a || b)", False),
        ("{{[a-c]}}", True),
        ("true", True),
    ],
)
def test_feature_expressions(expression: str, value: bool):
    assert features.holds(expression, {"a"}) is value


@pytest.mark.parametrize("expression", ["", "a &&", "(a", "a b", "a &", ")"])
def test_malformed_feature_expressions(expression: str):
    with pytest.raises(ValueError, match="expected"):
        features.holds(expression, {"a"})


@pytest.mark.parametrize(
    ("line", "status", "output", "errors"),
    [
        ("echo a", 0, "a\n", ""),
        ("echo a | cat", 0, "a\n", ""),
        ("false | cat", 1, "", ""),
        ("not false", 0, "", ""),
        ("not true", 1, "", ""),
        ("false && echo a", 1, "", ""),
        ("false || echo a", 0, "a\n", ""),
        ("false ; echo a", 0, "a\n", ""),
        ('echo \'a  "b\' "c \\" d" e\\ f', 0, 'a  "b c " d e f\n', ""),
        ("echo a > f && cat < f && echo b >> f && cat f", 0, "a\na\nb\n", ""),
        ("no-such-program", 127, "", "no-such-program: No such file or directory\n"),
    ],
)
def test_shell(tmp_path: Path, line: str, status: int, output: str, errors: str):
    assert shell.run_line(line, tmp_path) == shell.Outcome(status, output, errors)


def test_stepwell_runs_in_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def program(arguments: list[str]) -> int:
        print("out", *arguments)
        print("err", file=sys.stderr)
        print(sys.stdin.read(), end="")
        return 3

    monkeypatch.setitem(shell.IN_PROCESS, "stepwell", program)
    separate = shell.run_line("echo in | stepwell 'a b'", tmp_path)
    assert separate == shell.Outcome(3, "out a b\nin\n", "err\n")
    together = shell.run_line("echo in | not stepwell 2>&1", tmp_path)
    assert together == shell.Outcome(0, "out\nerr\nin\n", "")


def test_commands_continue_over_lines(tmp_path: Path):
    path = tmp_path / "a.test"
    path.write_text("RUN: echo a \\\nRUN:   b\nRUN: echo c\nEND:\nRUN: d", encoding="utf-8")
    assert directives.read_test(path).commands == ["echo a   b".replace("a   b", "a b"), "echo c"]


def test_discovery_skips_inputs_and_configuration(tmp_path: Path):
    for name in ("b.mlir", "a/c.py", "Inputs/d.mlir", "lit.cfg.py", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in discover([tmp_path])]
    assert found == ["a/c.py", "b.mlir"]


def test_the_command_counts_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "good.test").write_text(PASSING, encoding="utf-8")
    assert main(["lit", str(tmp_path)]) == 0
    (tmp_path / "bad.test").write_text(FAILING, encoding="utf-8")
    assert main(["lit", str(tmp_path)]) == 1
    assert main(["lit", str(tmp_path), "--filter", "good"]) == 0
    assert main(["lit", str(tmp_path), "--filter", "none"]) == 1
    output = capsys.readouterr().out
    assert "FAIL: " in output
    assert "no tests found" in output
    assert main(["lit", str(tmp_path / "absent")]) == 1
    assert "no such test" in capsys.readouterr().err
