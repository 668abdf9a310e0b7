"""Large launches on the CPU, whose stores go past the caches: which launches, what they write."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stepwell as sw
from stepwell.compiler import print_level
from stepwell.runtime import cpu_cache
from stepwell.runtime.artifact import Form
from stepwell.runtime.cpu import CpuDevice

F32, F64 = sw.Array[sw.f32, 1], sw.Array[sw.f64, 1]


@sw.kernel
def triple(x, y):
    i = sw.global_id(0)
    y[i] = x[i] * 3


@sw.kernel
def around(x, y):
    i, j = sw.global_id(0), sw.global_id(1)
    if 0 < j < x.shape[1] - 1:
        y[i, j] = x[i, j - 1] + x[i, j + 1]


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every launch counts as one that writes more than the caches hold."""
    monkeypatch.setattr(CpuDevice, "exceeds_caches", lambda self, threads: True)


def compiled(kernel: Any, *types: Any, target: str = "cpu:x86-64-v4", streams: bool = True) -> str:
    return kernel.ir("asm", *types, over=1, target=target, streams=streams)


# --- the code -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("arch", "register"), [("v3", "ymm"), ("v4", "zmm")])
def test_large_launches_store_whole_vectors_past_the_caches(arch: str, register: str) -> None:
    text = compiled(triple, F32, F32, target=f"cpu:x86-64-{arch}")
    stores = [line.split()[1] for line in text.splitlines() if "vmovntps" in line]
    assert len(stores) == (2 if register == "ymm" else 1)  # a line of the cache
    assert all(register in store for store in stores)
    assert "sfence" not in text  # the runtime waits, when a thread has no blocks left


def test_other_launches_do_not() -> None:
    text = compiled(triple, F32, F32, streams=False)
    assert "vmovnt" not in text and "sfence" not in text


@pytest.mark.parametrize("target", ["cpu:x86-64-v2", "cpu:arm64"])
def test_machines_for_which_it_is_not_worth_it_do_not(target: str) -> None:
    text = compiled(triple, F32, F32, target=target)
    assert not any(word in text for word in ("movnt", "stnp", "sfence"))


def test_explain_lists_the_stores() -> None:
    line = triple.function.__code__.co_firstlineno + 3
    text = triple.explain(F32, F32, over=1, streams=True)
    assert f"stores past the caches:\n    {__file__}:{line}\n" in text
    assert "past the caches" not in triple.explain(F32, F32, over=1)


def test_the_manifest_says_which_launches_code_is_for() -> None:
    made = triple.compile(triple.parameter_types((F32, F32)), form=Form(over=1, streams=True))
    assert made.manifest.streams and made.manifest.form.streams
    assert print_level(triple, (F32, F32), "gpu", target="cpu", form=made.manifest.form).count(
        "gpux.streams"
    )


# --- what launches write --------------------------------------------------------------------------


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
@pytest.mark.parametrize("first", [0, 1, 5, 15])
@pytest.mark.parametrize("size", [1, 15, 16, 17, 31, 48, 5000])
def test_a_launch_writes_its_items_and_no_others(size: int, first: int, dtype: Any) -> None:
    whole = np.full(size + 64, -1, dtype)
    x, y = np.arange(size, dtype=dtype), whole[first : first + size]
    triple.over(size)(x, y)
    assert (y == x * 3).all()
    assert (whole[:first] == -1).all() and (whole[first + size :] == -1).all()


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("columns", [3, 17, 64, 515])
def test_each_row_begins_where_it_does(columns: int) -> None:
    x = np.random.default_rng(0).random((7, columns), dtype=np.float32)
    y = np.zeros_like(x)
    around.over(x.shape)(x, y)
    assert (y[:, 1:-1] == x[:, :-2] + x[:, 2:]).all()
    assert (y[:, 0] == 0).all() and (y[:, -1] == 0).all()


@pytest.mark.usefixtures("large")
def test_an_array_at_an_odd_address_is_written_too() -> None:
    raw = np.zeros(4 * 500 + 1, np.uint8)
    y = raw[1:].view(np.float32)
    triple.over(500)(np.ones(500, np.float32), sw.device("cpu").adopt(y))
    assert (y == 3).all()


@pytest.mark.usefixtures("large")
def test_a_failed_check_is_raised() -> None:
    with pytest.raises(sw.OutOfBounds):
        triple.over(5000)(np.zeros(4000, np.float32), np.zeros(5000, np.float32))


# --- which launches -------------------------------------------------------------------------------


def test_launches_that_fill_the_caches_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_cache, "cache_bytes", lambda: 4 << 20)
    assert triple.over(1 << 20, device="cpu").shape.form.streams
    assert not triple.over((1 << 20) - 1, block=1, device="cpu").shape.form.streams
    assert triple.launch(1 << 13, 128, device="cpu").shape.form.streams
    assert not triple.launch(1 << 13, 127, device="cpu").shape.form.streams


def test_small_launches_do_not_ask_for_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_cache, "cache_bytes", lambda: 0)
    monkeypatch.delenv(cpu_cache.VARIABLE, raising=False)
    assert not cpu_cache.are_filled(cpu_cache.SMALLEST - 1)
    assert cpu_cache.are_filled(cpu_cache.SMALLEST)
    monkeypatch.setenv(cpu_cache.VARIABLE, "0")
    assert cpu_cache.are_filled(1)


def caches(root: Path, rows: dict[str, tuple[str, str, str]]) -> str:
    """A folder like Linux' own: level, size and who shares it."""
    own = min(cpu_cache.os.sched_getaffinity(0))
    for name, row in rows.items():
        folder = root / f"cpu{own}" / "cache" / name
        folder.mkdir(parents=True)
        for file, text in zip(("level", "size", "shared_cpu_list"), row, strict=True):
            (folder / file).write_text(text + "\n")
    return str(root)


def test_the_largest_cache_counts_once_for_those_who_share_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {
        "index0": ("1", "48K", "0"),
        "index3": ("3", "32M", "0-3,8-11"),
        "index2": ("2", "1024K", "0"),
    }
    root = caches(tmp_path, rows)
    for processors, found in ((2, 32 << 20), (8, 32 << 20), (20, 96 << 20)):
        own = min(cpu_cache.os.sched_getaffinity(0))
        allowed = set(range(own, own + processors))
        with monkeypatch.context() as patch:
            patch.setattr(cpu_cache.os, "sched_getaffinity", lambda _, allowed=allowed: allowed)
            assert cpu_cache.found_by_linux(root) == found


def test_no_processor_has_more_than_there_is_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a virtual machine of two processors is told of the whole cache of a large one."""
    root = caches(tmp_path, {"index3": ("3", "491520K", "0-1")})
    own = min(cpu_cache.os.sched_getaffinity(0))
    monkeypatch.setattr(cpu_cache.os, "sched_getaffinity", lambda _: {own, own + 1})
    assert cpu_cache.found_by_linux(root) == 32 << 20


def test_no_launch_is_large_where_the_system_does_not_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cpu_cache.found_by_linux(str(tmp_path)) == 0
    monkeypatch.delenv("STEPWELL_CPU_CACHE_BYTES", raising=False)
    monkeypatch.setattr(cpu_cache, "LINUX", str(tmp_path))
    assert cpu_cache.cache_bytes.__wrapped__() == cpu_cache.UNKNOWN
    assert math.log2(cpu_cache.UNKNOWN) > 60


def test_the_size_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CPU_CACHE_BYTES", "1048576")
    assert cpu_cache.cache_bytes.__wrapped__() == 1 << 20
    monkeypatch.setenv("STEPWELL_CPU_CACHE_BYTES", "1M")
    with pytest.raises(ValueError, match="'1M', expected a number of bytes"):
        cpu_cache.cache_bytes.__wrapped__()
