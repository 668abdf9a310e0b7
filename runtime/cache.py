"""Compiled kernels on disk, so that the next process need not compile them.

The folder is STEPWELL_CACHE_DIR, else `stepwell` in XDG_CACHE_HOME or `~/.cache`. One file per
entry: a header with a checksum over key and content, then the content. Files are written aside and
renamed, so several processes may share the folder. A damaged file is removed and counts as absent.
STEPWELL_CACHE_SIZE limits the bytes (default 1 GiB; "500M", "2G" are understood): past it, the
entries used longest ago go. A folder that cannot be written means one warning and no caching.
STEPWELL_CACHE=0 switches the cache off.
"""

from __future__ import annotations

import os
import re
import struct
import time
import zlib
from typing import NamedTuple

from .artifact import write_atomically

DEFAULT_SIZE = 1 << 30
SUFFIX = ".swc"
_MAGIC = b"swcache1"
_HEADER = struct.Struct("<8sIQ")
_KEY = re.compile(r"[A-Za-z0-9_.\-]{1,200}")
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_SWEEP_AGE = 3600.0


class CacheWarning(UserWarning):
    """The cache folder cannot be used; everything works, but is compiled again each time."""


class CacheStats(NamedTuple):
    """What the cache holds and what this process got from it."""

    folder: str
    enabled: bool
    entries: int
    nbytes: int
    hits: int
    misses: int
    damaged: int


class Cache:
    """A folder of entries by key. Never raises for a folder that is full, read-only or damaged."""

    def __init__(self, folder: str | None = None, size: int | None = None):
        self._enabled = is_wanted()
        self.folder = folder if folder is not None else default_folder()
        self.size = size if size is not None else default_size()
        self._hits = self._misses = self._damaged = 0
        self._written = 0
        self._warned = False

    def get(self, key: str) -> bytes | None:
        """The content stored under `key`; None if there is none or it is damaged."""
        content = self._read(key) if self._enabled else None
        if content is None:
            self._misses += 1
        else:
            self._hits += 1
        return content

    def put(self, key: str, content: bytes) -> None:
        """Store `content` under `key`, in place of what was there."""
        path = self._path(key)
        if not self._enabled:
            return
        header = _HEADER.pack(_MAGIC, _checksum(key, content), len(content))
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            write_atomically(path, header + content)
        except OSError as error:
            self._give_up(error)
            return
        self._written += len(header) + len(content)
        if self._written > self.size // 32 or self._is_sweep_due():
            self.sweep()

    def stats(self) -> CacheStats:
        """Counts; reads the folder."""
        files = self._files()
        total = sum(nbytes for _, nbytes, _ in files)
        counts = self._hits, self._misses, self._damaged
        return CacheStats(self.folder, self._enabled, len(files), total, *counts)

    def clear(self) -> None:
        """Remove every entry."""
        for _, _, path in self._files():
            _remove(path)

    def sweep(self) -> None:
        """Remove the entries used longest ago until the folder is below its limit."""
        self._written = 0
        files = sorted(self._files(), reverse=True)
        kept = 0
        for position, (_, nbytes, path) in enumerate(files):
            kept += nbytes
            if kept > self.size and position:
                _remove(path)
        self._remove_leftovers()

    def _path(self, key: str) -> str:
        if not _KEY.fullmatch(key) or key.startswith("."):
            raise ValueError(f"cache key {key!r} is not a plain name of letters, digits, _ . -")
        return os.path.join(self.folder, key + SUFFIX)

    def _read(self, key: str) -> bytes | None:
        path = self._path(key)
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError:  # absent, or the folder is not one: a miss either way, put() will warn
            return None
        content = _content(key, data)
        if content is None:
            self._damaged += 1
            _remove(path)
            return None
        try:
            os.utime(path)
        except OSError:
            return content  # a read-only folder: its order of use stays as it is
        return content

    def _give_up(self, error: OSError) -> None:
        import warnings

        if self._warned:
            return
        self._warned = True
        warnings.warn(
            f"compiled kernels are not kept: cannot write to {self.folder} ({error.strerror}); "
            "set STEPWELL_CACHE_DIR to another folder, or STEPWELL_CACHE=0 to be silent",
            CacheWarning,
            stacklevel=3,
        )

    def _files(self) -> list[tuple[float, int, str]]:
        """Time of last use, bytes and path of each entry."""
        found: list[tuple[float, int, str]] = []
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    if entry.name.endswith(SUFFIX):
                        found += _measured(entry)
        except OSError:  # no folder yet: nothing in it
            return found
        return found

    def _is_sweep_due(self) -> bool:
        """Whether no process has looked at the folder's size for an hour; claims the next look."""
        marker = os.path.join(self.folder, "swept")
        try:
            age = time.time() - os.stat(marker).st_mtime
        except OSError:
            age = _SWEEP_AGE  # never swept
        if age < _SWEEP_AGE:
            return False
        try:
            with open(marker, "w"):
                os.utime(marker)
        except OSError as error:
            self._give_up(error)
        return True

    def _remove_leftovers(self) -> None:
        """Remove files that a killed process left half written."""
        try:
            with os.scandir(self.folder) as entries:
                old = [e.path for e in entries if e.name.endswith(".tmp") and _is_old(e)]
        except OSError:
            return
        for path in old:
            _remove(path)


def is_wanted() -> bool:
    """Whether STEPWELL_CACHE (1, or 0 for off; 1 by default) asks for a cache."""
    text = os.environ.get("STEPWELL_CACHE") or "1"
    if text not in ("0", "1"):
        raise ValueError(f"STEPWELL_CACHE is {text!r}, expected 0 or 1")
    return text == "1"


def default_folder() -> str:
    """STEPWELL_CACHE_DIR, else `stepwell` in XDG_CACHE_HOME, else in `~/.cache`."""
    given = os.environ.get("STEPWELL_CACHE_DIR")
    if given:
        return given
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "stepwell")


def default_size() -> int:
    """STEPWELL_CACHE_SIZE in bytes (K, M and G are understood), else 1 GiB."""
    text = os.environ.get("STEPWELL_CACHE_SIZE")
    if not text:
        return DEFAULT_SIZE
    match = re.fullmatch(r"(\d+)\s*([KMG]?)i?B?", text.strip(), re.IGNORECASE)
    if match is None:
        raise ValueError(f"STEPWELL_CACHE_SIZE is {text!r}, expected bytes such as 500M or 2G")
    return int(match[1]) * _UNITS[match[2].upper()]


def _checksum(key: str, content: bytes) -> int:
    return zlib.crc32(content, zlib.crc32(key.encode()))


def _content(key: str, data: bytes) -> bytes | None:
    """The content of a file's bytes; None if they are not what was stored under `key`."""
    if len(data) < _HEADER.size:
        return None
    magic, checksum, length = _HEADER.unpack_from(data)
    content = data[_HEADER.size :]
    if magic != _MAGIC or length != len(content) or checksum != _checksum(key, content):
        return None
    return content


def _measured(entry: os.DirEntry[str]) -> list[tuple[float, int, str]]:
    try:
        status = entry.stat()
    except FileNotFoundError:  # another process removed it just now
        return []
    return [(status.st_mtime, status.st_size, entry.path)]


def _is_old(entry: os.DirEntry[str]) -> bool:
    return any(time.time() - used > _SWEEP_AGE for used, _, _ in _measured(entry))


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:  # another process was quicker, or the folder is read-only: it stays unused
        return
