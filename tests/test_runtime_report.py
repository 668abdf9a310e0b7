"""Reports: what a kernel left in the buffer becomes text and exceptions."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.lowering import report_words
from stepwell.runtime import errors, report
from stepwell.runtime.artifact import Site
from stepwell.runtime.dtypes import DTYPES, bfloat16_to_float, float_to_bfloat16, from_numpy
from stepwell.runtime.report import capacity_words, decode, is_used, raise_or_print, shown, take

PRINT = Site("print", "v = {}", ("i32",), "k.py", 1, 1, "k")
BOUNDS = Site("bounds", "index {} of {}", ("index", "index"), __file__, 3, 5, "helper")


def buffer(
    *records: list[int],
    capacity: int = 200,
    used: int | None = None,
    prints: list[list[int]] | None = None,
    printed: int | None = None,
) -> bytes:
    """Records of failed checks; `prints` are behind the quarter that those have then."""
    words = [word for one in records for word in one]
    used = len(words) if used is None else used
    lines = [word for one in prints or [] for word in one]
    printed = len(lines) if printed is None else printed
    room = capacity if prints is None else capacity // 4
    padded = [used, capacity, printed, 0, *words, *[0] * (room - len(words)), *lines]
    padded += [0] * (4 + capacity - len(padded))
    return struct.pack(f"<{len(padded)}I", *padded)


def record(site: int, *values: int, block: int = 0) -> list[int]:
    pairs = [half for value in values for half in (value & 0xFFFFFFFF, value >> 32 & 0xFFFFFFFF)]
    return [site + 1, block, 0, 0, 4, 5, 6, *pairs]


@pytest.mark.parametrize(
    ("name", "bits", "text"),
    [
        ("bool", 1, "True"),
        ("bool", 0, "False"),
        ("i8", 2**64 - 5, "-5"),
        ("i64", 1 << 63, str(-(1 << 63))),
        ("u64", 2**64 - 1, str(2**64 - 1)),
        ("u32", 2**32 - 1, str(2**32 - 1)),
        ("index", 7, "7"),
        ("f32", struct.unpack("<I", struct.pack("<f", 0.1))[0], "0.1"),
        ("f32", 0x7F800000, "inf"),
        ("f32", 0x80000000, "-0.0"),
        ("f32", struct.unpack("<I", struct.pack("<f", 1e-5))[0], "1e-05"),
        ("f32", struct.unpack("<I", struct.pack("<f", 16777216.0))[0], "16777216.0"),
        ("f16", struct.unpack("<I", struct.pack("<f", float(np.float16(0.1))))[0], "0.1"),
        ("bf16", 0x3DCD0000, "0.1"),
        ("f64", struct.unpack("<Q", struct.pack("<d", 0.1))[0], "0.1"),
        ("f64", 0x7FF8000000000000, "nan"),
    ],
)
def test_values_print_as_python_would(name: str, bits: int, text: str) -> None:
    data = buffer(prints=[record(0, bits)])
    (report,) = decode(data, [Site("print", "{}", (name,))]).reports
    assert report.text == text


def test_prints_come_in_order_then_the_first_failure(capsys: pytest.CaptureFixture[str]) -> None:
    prints = [record(0, 1), record(0, 2)]
    data = buffer(record(1, 9, 4, block=7), record(1, 8, 4), prints=prints)
    with pytest.raises(errors.OutOfBounds) as caught:
        raise_or_print(decode(data, [PRINT, BOUNDS]), "k", "cpu:0")
    assert capsys.readouterr().out == "v = 1\nv = 2\n"
    error = caught.value
    assert isinstance(error, IndexError)
    assert (error.kernel, error.kind, error.function) == ("k", "bounds", "helper")
    assert (error.block, error.thread, error.values) == ((7, 0, 0), (4, 5, 6), (9, 4))
    assert (error.file, error.line, error.column, error.more) == (__file__, 3, 5, 1)
    assert error.device == "cpu:0"


def test_the_text_of_an_error_shows_the_line_and_a_caret(tmp_path: Path) -> None:
    path = tmp_path / "user.py"
    path.write_text("def k(x):\n\tx[i] = 1\n")
    site = BOUNDS._replace(file=str(path), line=2, column=2)
    with pytest.raises(errors.KernelError) as caught:
        raise_or_print(decode(buffer(record(0, 9, 4), record(0, 9, 4)), [site]), "k", "cpu:0")
    assert str(caught.value).splitlines() == [
        "index 9 of 4",
        f"  at {path}:2:2, in helper called from kernel k",
        "    \tx[i] = 1",
        "    \t^",
        "  in block (0, 0, 0), thread (4, 5, 6) on cpu:0",
        "  values: 9, 4",
        "  and 1 more failed check in this launch",
    ]


@pytest.mark.parametrize(
    ("kind", "error", "python"),
    [
        ("bounds", errors.OutOfBounds, IndexError),
        ("assert", errors.AssertionFailed, AssertionError),
        ("division", errors.DivisionByZero, ZeroDivisionError),
        ("barrier", errors.BarrierDivergence, Exception),
    ],
)
def test_each_kind_has_its_class(
    kind: str, error: type[errors.KernelError], python: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        raise_or_print(decode(buffer(record(0)), [Site(kind, "no {{braces}}")]), "k")
    assert isinstance(caught.value, python)
    assert "no {braces}" in str(caught.value)


def test_records_past_the_capacity_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    data = buffer(prints=[record(0, 1), record(0, 2)], capacity=28, printed=9 * 5)
    decoded = decode(data, [PRINT])
    assert ([report.text for report in decoded.reports], decoded.lost) == (["v = 1", "v = 2"], 3)
    raise_or_print(decoded, "k")
    assert "3 printed lines were lost" in capsys.readouterr().err


def test_lost_prints_are_told_and_are_no_failed_checks(capsys: pytest.CaptureFixture[str]) -> None:
    data = buffer(record(1, 9, 4), prints=[record(0, 1)], capacity=44, printed=9 * 8)
    with pytest.raises(errors.OutOfBounds) as caught:
        raise_or_print(decode(data, [PRINT, BOUNDS]), "k")
    assert caught.value.more == 0
    assert "7 printed lines were lost" in capsys.readouterr().err


def test_a_failed_check_without_room_is_an_error() -> None:
    data = buffer(capacity=4, used=11)
    with pytest.raises(errors.KernelError, match="its record found no room"):
        raise_or_print(decode(data, [BOUNDS]), "k")


def test_what_was_taken_from_a_buffer_is_gone() -> None:
    data = bytearray(buffer(record(1, 9, 4), prints=[record(0, 1)], capacity=60))
    words = memoryview(data).cast("I")
    assert is_used(words)
    assert len(take(words, [PRINT, BOUNDS]).reports) == 2
    assert not is_used(words) and list(words) == [0, 60, *[0] * 62]


def test_an_empty_record_is_of_a_loop_that_the_device_ended() -> None:
    first, second = (Site("loop", "ended", (), "a.py", line, 5, "k") for line in (3, 8))
    data = buffer([0] * 7, used=14)
    for sites, place, text in (
        ([BOUNDS, first], ("a.py", 3, 5), "ended"),
        ([BOUNDS, first, second], ("", 0, 0), "ended; it is one of those in lines 3, 8"),
    ):
        with pytest.raises(errors.LoopLimit) as caught:
            raise_or_print(decode(data, sites), "k", "vulkan:0")
        error = caught.value
        assert (error.message, (error.file, error.line, error.column)) == (text, place)


def test_a_record_without_room_is_not_taken_for_an_empty_one() -> None:
    loop = Site("loop", "ended")
    assert decode(buffer(used=11, capacity=10), [BOUNDS, loop]).loops == ()
    assert decode(buffer(record(1), used=7), [BOUNDS, loop]).loops == ()


def test_errors_survive_pickling() -> None:
    error = errors.OutOfBounds("index 1", kernel="k", line=4, block=(1, 2, 3), thread=(0, 0, 0))
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (errors.OutOfBounds, str(error))
    with pytest.raises(TypeError, match="no attribute 'colour'"):
        errors.KernelError("x", colour=1)


def test_format_specifications_are_honoured() -> None:
    assert (
        "{:.3f}|{}|{:5d}|{!s}".format(
            shown(0.10000000149011612, "f32"),
            shown(0.5, "f64"),
            shown(7, "i32"),
            shown(True, "bool"),
        )
        == "0.100|0.5|    7|True"
    )


def test_the_capacity_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STEPWELL_REPORT_WORDS", raising=False)
    assert (capacity_words(True), capacity_words(False)) == (1 << 20, 4096)
    monkeypatch.setenv("STEPWELL_REPORT_WORDS", "64")
    assert (capacity_words(True), capacity_words(False)) == (64, 64)
    monkeypatch.setenv("STEPWELL_REPORT_WORDS", "many")
    with pytest.raises(ValueError, match="STEPWELL_REPORT_WORDS is 'many'"):
        capacity_words(True)


@given(st.floats(width=32))
def test_bfloat16_rounds_as_ml_dtypes(value: float) -> None:
    expected = np.asarray(value, np.float32).astype(ml_dtypes.bfloat16)
    bits = float_to_bfloat16(value)
    if value == value:
        assert bits == int(expected.view(np.uint16))
        assert bfloat16_to_float(bits) == float(expected)
    else:
        assert np.isnan(bfloat16_to_float(bits))


@given(st.integers(0, 0x7F7E), st.floats(2.0**-30, 2.0**-26))
def test_bfloat16_is_rounded_once(bits: int, little: float) -> None:
    value, after = bfloat16_to_float(bits), bfloat16_to_float(bits + 1)
    middle = (value + after) / 2
    for sign in (0, 0x8000):
        factor = -1 if sign else 1
        assert float_to_bfloat16(factor * middle * (1 + little)) == bits + 1 | sign
        assert float_to_bfloat16(factor * middle * (1 - little)) == bits | sign


def test_kernels_write_the_words_that_the_host_reads():
    assert report_words.HEADER_WORDS == report.HEADER_WORDS
    assert report_words.PRINTED_WORD == report.PRINTED_WORD
    assert 1 + report_words.ID_COUNT == report.RECORD_WORDS


@given(st.integers(0, 0xFFFF))
def test_bfloat16_prints_the_shortest_text(bits: int) -> None:
    value = bfloat16_to_float(bits)
    text = format(shown(value, "bf16"))
    if value == value:
        assert float_to_bfloat16(float(text)) == bits
        assert len(text) <= len(repr(value))


def test_the_table_of_types_agrees_with_numpy_and_struct() -> None:
    for row in DTYPES.values():
        dtype: Any = row.numpy
        assert dtype.itemsize == row.size == struct.calcsize(row.code)
        found = from_numpy(dtype)
        assert found is not None
        assert found.name == ("i64" if row.name == "index" else row.name)
        assert row.alignment == dtype.alignment
