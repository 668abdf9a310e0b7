"""The command line as a whole: help, versions, errors, devices, doctor."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stepwell.dialects.diagnostics import CompileError
from stepwell.runtime.devices import devices as all_devices
from stepwell.tools import devices, doctor
from stepwell.tools.main import COMMANDS, load_command, main

ROOT = Path(__file__).parent.parent


def run_fails(*arguments: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2


def test_without_a_command_it_shows_all_of_them(capsys: pytest.CaptureFixture[str]):
    assert main([]) == 2
    output = capsys.readouterr().out
    assert all(f"\n  {name}" in output for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    assert f"usage: stepwell {name}" in capsys.readouterr().out


def test_an_unknown_command_names_the_known_ones(capsys: pytest.CaptureFixture[str]):
    run_fails("optt")
    assert "invalid choice: 'optt' (choose from" in capsys.readouterr().err


def test_an_unknown_option_names_the_command(capsys: pytest.CaptureFixture[str]):
    run_fails("devices", "--fast")
    assert "stepwell devices: error: unrecognized arguments: --fast" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("stepwell ")


def test_python_m_is_the_command_line():
    command = [sys.executable, "-m", "stepwell", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("stepwell ")


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (CompileError("it is wrong", hint="mend it"), 1, "it is wrong\n  hint: mend it\n"),
        (FileNotFoundError(2, "no file"), 1, "stepwell: error: [Errno 2] no file\n"),
        (KeyboardInterrupt(), 130, "stepwell: interrupted\n"),
        (ValueError("oops"), 1, "stepwell: internal error: ValueError: oops\n"),
    ],
)
def test_errors_are_words_not_tracebacks(
    error: BaseException,
    status: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    def fail(args: object) -> int:
        raise error

    monkeypatch.delenv("STEPWELL_DEBUG", raising=False)
    monkeypatch.setattr(devices, "run", fail)
    assert main(["devices"]) == status
    captured = capsys.readouterr().err
    assert captured.startswith(message)
    assert "Traceback" not in captured


def test_the_debug_variable_shows_where(monkeypatch: pytest.MonkeyPatch):
    def fail(args: object) -> int:
        raise ValueError("oops")

    monkeypatch.setenv("STEPWELL_DEBUG", "1")
    monkeypatch.setattr(devices, "run", fail)
    with pytest.raises(ValueError, match="oops"):
        main(["devices"])


def test_a_reader_that_goes_away_is_no_error():
    # More than a pipe holds, so that the write fails for certain.
    code = (
        "import stepwell.tools.devices as d, sys; from stepwell.tools.main import main;"
        "d.run = lambda args: print('x' * 10**6, flush=True) or 0; sys.exit(main(['devices']))"
    )
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_every_command_has_its_two_functions():
    for name in COMMANDS:
        command = load_command(name)
        assert callable(command.run)
        assert callable(command.add_arguments)


def test_devices_lists_each_with_its_limits(capsys: pytest.CaptureFixture[str]):
    assert main(["devices"]) == 0
    output = capsys.readouterr().out
    for found in all_devices():
        assert f"{found.name}: {found.description}" in output
    assert output.count("(default)") == 1
    assert "1024 threads" in output


@pytest.mark.parametrize(
    ("nbytes", "text"), [(0, "0 bytes"), (1024, "1 KiB"), (1536, "1.5 KiB"), (2**40, "1024 GiB")]
)
def test_sizes(nbytes: int, text: str):
    assert devices.size(nbytes) == text


def test_doctor_finds_what_stepwell_needs(capsys: pytest.CaptureFixture[str]):
    assert main(["doctor"]) == 0
    output = capsys.readouterr().out
    assert "nothing needed is missing" in output
    assert all(f"\n{title}" in f"\n{output}" for title in doctor.SECTIONS)


def test_doctor_says_how_to_get_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def version(name: str) -> str:
        if name.startswith("absent"):
            raise doctor.metadata.PackageNotFoundError(name)
        return "9.2.0"

    wanted = ["absent>=2", "old<1", "good>=9,<10", "absent-too; extra == 'test'"]

    def requires(name: str) -> list[str]:
        return wanted

    monkeypatch.setattr(doctor.metadata, "requires", requires)
    monkeypatch.setattr(doctor.metadata, "version", version)
    assert main(["doctor"]) == 1
    output = capsys.readouterr().out
    assert "MISSING absent       not installed, needed is >=2" in output
    assert "-> pip install 'old<1'" in output
    assert "2 needed" in output


def test_doctor_sees_a_cache_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "file" / "cache"))
    main(["doctor"])
    assert "set STEPWELL_CACHE_DIR; without it every process compiles anew" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("version", "bounds", "holds"),
    [
        ("2.4.6", ">=2.0,<3", True),
        ("3.0", ">=2.0,<3", False),
        ("0.74.0", "==0.74.0", True),
        ("0.74.1", "==0.74.0", False),
        ("0.50.0", ">=0.50.0,<0.51", True),
        ("1.10", ">=1.9", True),
        ("1", "", True),
    ],
)
def test_version_bounds(version: str, bounds: str, holds: bool):
    assert doctor.satisfies(version, bounds) is holds


def test_standard_input_is_taken_where_no_file_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "stdin", io.StringIO("func.func private @f()"))
    assert main(["opt"]) == 0
    assert "func.func private @f()" in capsys.readouterr().out


def test_the_pages_of_the_documentation_are_printed(capsys: pytest.CaptureFixture[str]):
    assert main(["docs"]) == 0
    listed = capsys.readouterr().out
    for page in (ROOT / "docs").glob("*.md"):
        assert re.search(rf"^{page.stem} +\w", listed, re.MULTILINE)
    assert main(["docs", "language"]) == 0
    assert capsys.readouterr().out == (ROOT / "docs/language.md").read_text(encoding="utf-8")
    assert main(["docs", "langage"]) == 1
    assert "did you mean 'language'?" in capsys.readouterr().err
