"""The cache on disk: right or absent, never wrong, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from stepwell.caching import deciding_files
from stepwell.runtime.cache import Cache, CacheWarning, default_folder, default_size


def entry(cache: Cache, key: str) -> Path:
    return Path(cache.folder) / f"{key}.swc"


def test_what_was_put_is_got(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path / "new" / "folder"))
    assert cache.get("k1") is None
    cache.put("k1", b"one")
    cache.put("k1", b"uno")
    cache.put("k2", b"")
    assert (cache.get("k1"), cache.get("k2")) == (b"uno", b"")
    stats = Cache(cache.folder).stats()
    assert stats.entries == 2
    assert (cache.stats().hits, cache.stats().misses) == (2, 1)
    cache.clear()
    assert cache.stats().entries == 0


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "foreign", "renamed"])
def test_a_damaged_entry_is_removed_and_absent(tmp_path: Path, damage: str) -> None:
    cache = Cache(str(tmp_path))
    cache.put("key", b"content" * 100)
    path = entry(cache, "key")
    data = path.read_bytes()
    changed = {
        "cut": data[:-1],
        "flip": data[:-1] + bytes([data[-1] ^ 1]),
        "empty": b"",
        "foreign": b"x" * 300,
        "renamed": data,
    }[damage]
    if damage == "renamed":
        path = entry(cache, "another")
    path.write_bytes(changed)
    assert cache.get(path.stem) is None
    assert not path.exists()
    assert cache.stats().damaged == 1
    cache.put("key", b"again")
    assert cache.get("key") == b"again"


def test_the_entries_used_longest_ago_go_first(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path), size=5_000)
    for number in range(4):
        cache.put(f"k{number}", bytes(1_000))
        age = time.time() - 1_000 + number
        os.utime(entry(cache, f"k{number}"), (age, age))
    assert cache.get("k0") is not None  # used just now
    cache.put("k4", bytes(1_000))
    assert {path.stem for path in tmp_path.glob("*.swc")} == {"k0", "k2", "k3", "k4"}


def test_an_entry_over_the_limit_is_kept_until_the_next(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path), size=100)
    cache.put("large", bytes(1_000))
    assert cache.get("large") == bytes(1_000)


def test_leftovers_of_killed_processes_go(tmp_path: Path) -> None:
    leftover = tmp_path / "k.swc.1.abc.tmp"
    leftover.write_bytes(b"half")
    os.utime(leftover, (1, 1))
    Cache(str(tmp_path)).put("k", b"x")
    assert not leftover.exists()


def test_a_folder_that_is_a_file_warns_once_and_works_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = Cache(str(tmp_path / "file"))
    with pytest.warns(CacheWarning, match="cannot write to"):
        cache.put("k", b"x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.put("k", b"x")
    assert cache.get("k") is None
    assert cache.stats().entries == 0


def test_a_full_disk_warns_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    cache = Cache(str(tmp_path))
    with pytest.warns(CacheWarning, match="No space left"):
        cache.put("k", b"x")
    assert list(tmp_path.iterdir()) == []


def test_zero_switches_it_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE", "0")
    cache = Cache(str(tmp_path / "cache"))
    cache.put("k", b"x")
    assert cache.get("k") is None
    assert not (tmp_path / "cache").exists()
    assert not cache.stats().enabled


def test_the_folder_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/u")
    monkeypatch.delenv("STEPWELL_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert default_folder() == "/home/u/.cache/stepwell"
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert default_folder() == "/xdg/stepwell"
    monkeypatch.setenv("STEPWELL_CACHE_DIR", "/own")
    assert default_folder() == "/own"


@pytest.mark.parametrize(
    ("text", "size"),
    [("100", 100), ("5K", 5120), ("2GiB", 2 << 30), ("3m", 3 << 20), ("", 1 << 30)],
)
def test_the_size_is_read_with_units(monkeypatch: pytest.MonkeyPatch, text: str, size: int) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_SIZE", text)
    assert default_size() == size


def test_a_size_that_is_none_says_what_is_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_SIZE", "lots")
    with pytest.raises(ValueError, match="expected bytes such as"):
        default_size()


def test_a_switch_that_is_neither_says_what_is_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE", "off")
    with pytest.raises(ValueError, match="'off', expected 0 or 1"):
        Cache()


@pytest.mark.parametrize("key", ["", "../up", "a/b", ".hidden", "x" * 201])
def test_a_key_cannot_leave_the_folder(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="cache key"):
        Cache(str(tmp_path)).put(key, b"")


def test_several_processes_share_a_folder(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom stepwell.runtime.cache import Cache\n"
        f"cache = Cache({str(tmp_path)!r}, size=20_000)\n"
        "for round in range(300):\n"
        "    key = f'k{round % 7}'\n"
        "    got = cache.get(key)\n"
        "    assert got in (None, key.encode() * 1000), key\n"
        "    cache.put(key, key.encode() * 1000)\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert Cache(str(tmp_path)).stats().damaged == 0


def test_every_file_that_decides_code_decides_the_keys() -> None:
    root = Path(__file__).parent.parent
    folders = ("dialects", "language", "lowering", "passes", "runtime")
    files = {path for folder in folders for path in (root / folder).rglob("*.py")}
    assert root / "passes/analyses/value_ranges.py" in files
    files |= set((root / "src/stepwell").glob("*.py"))
    assert files <= {Path(path).resolve() for path in deciding_files()}
