"""print from kernels: what it says, in what order, and where it goes."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import numpy as np
import pytest
from conformance.compare import launch, needs, not_simulated

import stepwell as sw


def test_text_and_values(device: sw.Device, capsys: pytest.CaptureFixture[str]):
    def kernel(x):
        print("x is", x[0], "and", x[1] > 0)

    launch(kernel, np.array([3, -4], np.int32), device=device, over=1)
    assert capsys.readouterr().out == "x is 3 and False\n"


@pytest.mark.parametrize(
    "value", [np.int8(-5), np.uint8(200), np.int64(-(2**40)), np.uint64(2**63 + 1), np.float64(0.1)]
)
def test_scalars_print_as_in_python(
    device: sw.Device, capsys: pytest.CaptureFixture[str], value: np.generic
):
    def kernel(v):
        print(v)

    launch(kernel, value, device=device, over=1)
    assert capsys.readouterr().out == f"{value.item()}\n"


def test_format_strings_sep_and_end(device: sw.Device, capsys: pytest.CaptureFixture[str]):
    def kernel(x):
        i = sw.global_id(0)
        print(f"[{i}] = {x[i]}", x[i] * 2, sep="; ", end=".\n")

    launch(kernel, np.array([5], np.int32), device=device, over=1)
    assert capsys.readouterr().out == "[0] = 5; 10.\n"


def test_format_specifications(device: sw.Device, capsys: pytest.CaptureFixture[str]):
    width, name = 7, "lid"

    def kernel(x, n):
        print(f"{x[0]:8.3f}|{x[0]:e}|{x[0]!r:>6}|{x[0] > 1!s:>6}|{sw.global_id(0):03d}|{x[0]!s}")
        print(f"{n:#x}|{n:b}|{n:,}|{n:<{width}}|{n!r}|{name!r}|{name:>6}|{3.14159:.2f}|{{{n}}}")

    launch(kernel, np.array([2.1], np.float32), np.int32(1234), device=device, over=1)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "   2.100|2.100000e+00|   2.1|  True|000|2.1"
    assert second == "0x4d2|10011010010|1,234|1234   |1234|'lid'|   lid|3.14|{1234}"


def test_format_specifications_of_asserts(device: sw.Device):
    def kernel(x):
        assert x[0] < 9, f"{x[0]:.2f} is not below {9:03d}"

    with pytest.raises(sw.AssertionFailed, match=r"^12\.10 is not below 009"):
        launch(kernel, np.array([12.1], np.float32), device=device, over=1)


def test_print_without_values(device: sw.Device, capsys: pytest.CaptureFixture[str]):
    def kernel(x):
        print()
        print("100 % {} of it")

    launch(kernel, np.zeros(1, np.int32), device=device, over=1)
    assert capsys.readouterr().out == "\n100 % {} of it\n"


def test_lines_of_a_thread_stay_in_order(device: sw.Device, capsys: pytest.CaptureFixture[str]):
    def kernel(n):
        i = sw.global_id(0)
        for k in range(n):
            print(i, k)

    launch(kernel, np.int32(5), device=device, grid=3, block=2)
    rows = [tuple(map(int, line.split())) for line in capsys.readouterr().out.splitlines()]
    assert sorted(rows) == [(i, k) for i in range(6) for k in range(5)]
    for i in range(6):
        assert [k for thread, k in rows if thread == i] == [0, 1, 2, 3, 4]


def test_what_was_printed_before_an_error_is_shown(
    device: sw.Device, capsys: pytest.CaptureFixture[str]
):
    def kernel(x, k):
        print("before", k)
        x[k] = 1
        print("after", k)

    with pytest.raises(sw.OutOfBounds):
        launch(kernel, np.zeros(1, np.int32), np.int32(7), device=device, over=1)
    assert capsys.readouterr().out == "before 7\n"


def test_a_check_that_fails_after_the_buffer_is_full_of_prints_is_an_error(
    device: sw.Device, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def kernel(x, n):
        i = sw.global_id(0)
        for k in range(n):
            print("line", i, k)
        x[i + 7] = 1

    monkeypatch.setenv("STEPWELL_REPORT_WORDS", "400")
    x = np.zeros(9, np.int32)
    with pytest.raises(sw.OutOfBounds, match="index 9 is out of bounds") as caught:
        launch(kernel, x, np.int32(200), device=device, grid=1, block=3)
    assert caught.value.thread == (2, 0, 0)
    written = capsys.readouterr()
    assert len(written.out.splitlines()) == 27  # of 11 words each, in three quarters of the room
    assert "printed lines were lost" in written.err


def test_more_output_than_the_buffer_holds_says_how_much_is_lost(
    device: sw.Device, capsys: pytest.CaptureFixture[str]
):
    not_simulated(device, "100 000 lines")
    needs(device, "long_loops")

    def kernel(n):
        for k in range(n):
            print("line", k)

    launch(kernel, np.int32(100_000), device=device, over=1)
    written = capsys.readouterr()
    shown = written.out.splitlines()
    assert shown == [f"line {k}" for k in range(len(shown))]
    if len(shown) < 100_000:
        assert str(100_000 - len(shown)) in written.err
